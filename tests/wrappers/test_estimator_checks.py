"""scikit-learn's own checks of estimators: all pass but those of a table, with the reasons."""

import warnings

import numpy as np
import pytest
from sklearn.utils.estimator_checks import check_estimator

from funkeras.layers import Dense
from funkeras.models import Sequential
from funkeras.wrappers import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer
from funkeras.wrappers.scikit_learn import KerasClassifier, KerasRegressor

KERAS = "Keras's contract: build_fn and sk_params are public, and fit makes self.model"
CHECKED = "an illegal argument is refused when it is given, as Keras does"
STEPS = "training in batches: a weight of 2 is not the step that two equal samples make"

CANNOT = {
    "check_no_attributes_set_in_init": KERAS,
    "check_dont_overwrite_parameters": KERAS,
    "check_do_not_raise_errors_in_init_or_set_params": CHECKED,
    "check_all_zero_sample_weights_error": "weights of 0 are allowed: the loss is 0 then",
    "check_sample_weight_equivalence_on_dense_data": STEPS,
    "check_supervised_y_2d": "labels in a column are taken as they are, as Keras does",
}
"""Check → why it cannot pass, or need not."""


def classifier(n_features_in_, n_classes_):
    net = [Dense(16, "relu", input_dim=n_features_in_), Dense(n_classes_, "softmax")]
    return compiled(net, "categorical_crossentropy")


def regressor(n_features_in_):
    return compiled([Dense(16, "relu", input_dim=n_features_in_), Dense(1)], "mse")


def compiled(net, loss):
    np.random.seed(0)  # so that equal data make equal models
    model = Sequential(net)
    model.compile("adam", loss)
    return model


def of_data(X, y, loss):
    net = [Dense(16, "relu", input_dim=X.shape[1])]
    activation = None if loss == "mse" else "softmax"
    return compiled([*net, Dense(y.shape[1], activation)], loss)


CALLED = {
    "model_kwargs": {"loss": "categorical_crossentropy"},
    "fit_kwargs": {"epochs": 40, "verbose": 0},
}
NUMBERS = {"model_kwargs": {"loss": "mse"}, "fit_kwargs": {"verbose": 0}}

DECIDES = "decision_function gives the model's outputs, a column for each class, as Keras does"
CANNOT_3 = {
    SKLearnClassifier: {
        "check_classifiers_classes": DECIDES,
        "check_classifiers_train": DECIDES,
        "check_classifiers_one_label_sample_weights": "a weight of 0 leaves a class its output",
    },
    SKLearnRegressor: {"check_regressor_multioutput": "float32 comes out, not float64"},
    SKLearnTransformer: {},
}
"""The same for the estimators of Keras 3."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "estimator",
    [
        KerasClassifier(classifier, epochs=20),
        KerasRegressor(regressor, epochs=20),
        SKLearnClassifier(of_data, **CALLED),
        SKLearnRegressor(of_data, **NUMBERS),
        SKLearnTransformer(of_data, **NUMBERS),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_checks_of_scikit_learn_pass(estimator):
    np.random.seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(estimator, on_fail=None)
    failed = {own["check_name"]: own["exception"] for own in results if own["status"] == "failed"}
    may = CANNOT_3.get(type(estimator), CANNOT)
    assert {name: error for name, error in failed.items() if name not in may} == {}
    assert sum(own["status"] == "passed" for own in results) >= 39
