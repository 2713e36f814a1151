"""Models as estimators of scikit-learn: fitted, searched, validated, piped, cloned."""

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from funkeras.layers import Activation, Dense
from funkeras.models import Sequential
from funkeras.optimizers import Adam
from funkeras.wrappers.scikit_learn import KerasClassifier, KerasRegressor


def classifier(hidden=8, n_classes_=2, learning_rate=0.05):
    model = Sequential([Dense(hidden, activation="relu"), Dense(n_classes_)])
    model.add(Activation("softmax"))
    model.compile(Adam(learning_rate), "categorical_crossentropy", metrics=["accuracy"])
    return model


def regressor(hidden=8):
    model = Sequential([Dense(hidden, activation="relu"), Dense(1)])
    model.compile(Adam(0.05), "mse")
    return model


def flowers(count=90):
    rng = np.random.default_rng(0)
    y = np.arange(count) % 3
    return (3 * np.eye(3)[y] + rng.normal(size=(count, 3))).astype("float32"), y


@pytest.mark.parametrize("labels", ["numbers", "words", "one-hot", "column"])
def test_targets_of_every_kind(labels):
    np.random.seed(0)
    x, y = flowers()
    y = {
        "numbers": y,
        "words": np.array(["ant", "bee", "cat"])[y],
        "one-hot": np.eye(3)[y],
        "column": y.reshape(-1, 1),
    }[labels]
    estimator = KerasClassifier(classifier, epochs=15, batch_size=16)
    assert estimator.fit(x, y) is estimator
    proba = estimator.predict_proba(x)
    assert proba.shape == (90, 3)
    chosen = estimator.predict(x)
    np.testing.assert_array_equal(chosen, estimator.classes_[proba.argmax(1)])
    right = np.mean(proba.argmax(1) == np.arange(90) % 3)
    assert estimator.score(x, y) == pytest.approx(right)
    assert right > 0.8


def test_one_probability_is_that_of_the_second_class():
    def build():
        model = Sequential([Dense(1, activation="sigmoid", input_dim=3)])
        model.compile("sgd", "binary_crossentropy")
        return model

    x, y = flowers()
    estimator = KerasClassifier(build, nb_epoch=2).fit(x, y > 0)
    proba = estimator.predict_proba(x)
    np.testing.assert_allclose(proba.sum(1), 1)
    np.testing.assert_allclose(proba[:, 1], estimator.model.predict(x)[:, 0])
    assert len(estimator.history_.history["loss"]) == 2


def test_a_regressor_scores_the_negative_loss():
    x, y = flowers()
    estimator = KerasRegressor(regressor, epochs=2).fit(x, y)
    predicted = estimator.predict(x)
    assert predicted.shape == (90,)
    assert estimator.score(x, y) == pytest.approx(-np.mean((predicted - y) ** 2), rel=1e-5)


def test_grid_search_cross_validation_and_pipelines():
    np.random.seed(0)
    x, y = flowers()
    search = GridSearchCV(
        KerasClassifier(classifier, batch_size=16), {"hidden": [8], "epochs": [1, 15]}, cv=2
    )
    search.fit(x, y)
    assert search.best_params_["epochs"] == 15
    assert search.best_estimator_.model.metrics_names == ["loss", "acc"]
    pipeline = make_pipeline(StandardScaler(), KerasClassifier(classifier, epochs=15))
    assert cross_val_score(pipeline, x, y, cv=2).mean() > 0.6
    scores = cross_val_score(KerasRegressor(regressor, epochs=1), x, y, cv=2)
    assert (scores < 0).all()


def test_arguments_are_got_set_cloned_and_checked():
    estimator = KerasClassifier(build_fn=classifier, hidden=3, nb_epoch=2)
    assert estimator.get_params() == {"build_fn": classifier, "hidden": 3, "nb_epoch": 2}
    estimator.set_params(hidden=4)
    again = clone(estimator)
    assert again.get_params() == {"build_fn": classifier, "hidden": 4, "nb_epoch": 2}
    assert again.filter_sk_params(classifier) == {"hidden": 4}
    assert again.filter_sk_params(Sequential.fit, {"epochs": 1}) == {"nb_epoch": 2, "epochs": 1}
    with pytest.raises(ValueError, match="hiden is not a legal parameter of KerasClassifier"):
        KerasClassifier(classifier, hiden=3)
    with pytest.raises(ValueError, match="hiden is not a legal"):
        estimator.set_params(hiden=3)
    with pytest.raises(TypeError, match="must give a compiled model"):
        KerasClassifier(lambda: Sequential()).fit(*flowers())


def test_a_subclass_may_build_the_model_itself():
    class Mine(KerasClassifier):
        def __call__(self, hidden=2):
            return classifier(hidden, 3)

    estimator = Mine(hidden=5, epochs=1).fit(*flowers())
    assert estimator.model.layers[0].units == 5
