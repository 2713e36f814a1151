"""The estimators of Keras 3: a model, or a function of the data."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

import funkeras.wrappers
from funkeras.layers import Dense
from funkeras.models import Sequential
from funkeras.optimizers import Adam
from funkeras.wrappers import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer


def flowers():
    x, y = load_iris(return_X_y=True)
    return (x - x.mean(0)) / x.std(0), y


def made(X, y, hidden=8):
    model = Sequential(
        [
            Dense(hidden, "relu", input_dim=X.shape[1]),
            Dense(y.shape[1], "softmax" if y.shape[1] > 1 else None),
        ]
    )
    model.compile(Adam(0.03), "categorical_crossentropy" if y.shape[1] > 1 else "mse")
    return model


def test_a_classifier_learns_names():
    np.random.seed(0)
    x, y = flowers()
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    estimator = SKLearnClassifier(made, model_kwargs={"hidden": 12}, fit_kwargs={"verbose": 0})
    estimator.fit(x, names, epochs=20)
    assert estimator.epoch_ == 20
    assert estimator.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert estimator.score(x, names) > 0.9
    np.testing.assert_allclose(estimator.decision_function(x).sum(1), 1, rtol=1e-5)
    assert estimator.model_.layers[0].units == 12
    assert estimator.predict(x[:2, :]).dtype == names.dtype


def test_targets_come_back_in_their_form():
    x, y = flowers()
    quick = {"epochs": 1, "verbose": 0}
    column = SKLearnRegressor(made, fit_kwargs=quick).fit(x, y.reshape(-1, 1))
    flat = SKLearnRegressor(made, fit_kwargs=quick).fit(x, y)
    assert column.predict(x).shape == (150, 1)
    assert flat.predict(x).shape == (150,)
    np.testing.assert_allclose(
        flat.score(x, y),
        1 - np.sum((y - flat.predict(x)) ** 2) / np.sum((y - y.mean()) ** 2),
        rtol=1e-6,
    )


@pytest.mark.parametrize("warm", [False, True])
def test_a_model_is_cloned_for_each_fit_or_trained_on(warm):
    x, y = flowers()
    model = made(x, np.eye(3))
    before = [w.copy() for w in model.get_weights()]
    estimator = SKLearnClassifier(
        model, warm_start=warm, fit_kwargs={"verbose": 0, "epochs": 2, "shuffle": False}
    )
    losses = [estimator.fit(x, y).history_.history["loss"] for _ in range(2)]
    unchanged = all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    assert unchanged != warm
    assert (estimator.model_ is model) == warm
    assert (losses[1][0] < losses[0][1]) or not warm


def test_it_works_in_pipelines_and_cross_validation():
    np.random.seed(0)
    x, y = flowers()
    features = SKLearnTransformer(made, fit_kwargs={"verbose": 0, "epochs": 20})
    pipe = make_pipeline(features, LogisticRegression()).fit(x, y)
    assert pipe[:-1].transform(x).shape == (150, 1)
    assert pipe.score(x, y) > 0.8
    scores = cross_val_score(
        SKLearnClassifier(made, fit_kwargs={"verbose": 0, "epochs": 20}), x, y, cv=2
    )
    assert scores.mean() > 0.8


def test_a_clone_of_scikit_learn_has_a_model_of_its_own_and_all_arguments():
    x, _ = flowers()
    estimator = SKLearnClassifier(made(x, np.eye(3)), fit_kwargs={"verbose": 0})
    copy = clone(estimator)
    assert copy.fit_kwargs == {"verbose": 0}
    assert copy.model is not estimator.model
    np.testing.assert_array_equal(copy.model.get_weights()[0], estimator.model.get_weights()[0])


def test_what_is_no_task_or_no_compiled_model_is_refused():
    x, y = flowers()
    with pytest.raises(ValueError, match="Unknown label type"):
        SKLearnClassifier(made).fit(x, x[:, 0] + 0.5)
    with pytest.raises(ValueError, match="one class"):
        SKLearnClassifier(made).fit(x, np.zeros(150))
    with pytest.raises(RuntimeError, match="must be compiled"):
        SKLearnRegressor(lambda X, y: Sequential([Dense(1)])).fit(x, y)
    with pytest.raises(AttributeError, match="has no attribute 'SKLearnSorter'"):
        _ = funkeras.wrappers.SKLearnSorter
    assert "SKLearnClassifier" in dir(funkeras.wrappers)
