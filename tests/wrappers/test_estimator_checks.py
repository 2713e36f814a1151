"""scikit-learn's own checks of estimators: all pass but those of a table, with the reasons."""

import warnings

import numpy as np
import pytest
from sklearn.utils.estimator_checks import check_estimator

from funkeras.layers import Dense
from funkeras.models import Sequential
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


@pytest.mark.slow
@pytest.mark.parametrize(
    "estimator",
    [KerasClassifier(classifier, epochs=20), KerasRegressor(regressor, epochs=20)],
    ids=lambda estimator: type(estimator).__name__,
)
def test_checks_of_scikit_learn_pass(estimator):
    np.random.seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(estimator, on_fail=None)
    failed = {own["check_name"]: own["exception"] for own in results if own["status"] == "failed"}
    assert {name: error for name, error in failed.items() if name not in CANNOT} == {}
    assert sum(own["status"] == "passed" for own in results) >= 45
