"""`keras.metrics` of Keras 1.2.2: one number for the whole batch, by NumPy's formulas."""

import numpy as np
import pytest

from funkeras import backend as K
from funkeras import compat, metrics
from funkeras.layers import Dense
from funkeras.models import Sequential


@pytest.fixture
def of_keras_1():
    compat.install("1.2.2")
    try:
        from keras import metrics
    finally:
        compat.uninstall()
    return metrics


def unit(y):
    return y / np.sqrt((y**2).sum(-1, keepdims=True))


FORMULAS = {
    "mean_squared_error": lambda y, p: ((y - p) ** 2).mean(),
    "mae": lambda y, p: np.abs(y - p).mean(),
    "binary_accuracy": lambda y, p: (y == p.round()).mean(),
    "categorical_accuracy": lambda y, p: (y.argmax(-1) == p.argmax(-1)).mean(),
    "categorical_crossentropy": lambda y, p: (
        -(y * np.log(p / p.sum(-1, keepdims=True))).sum(-1).mean()
    ),
    "cosine_proximity": lambda y, p: -(unit(y) * unit(p)).mean(),
    "hinge": lambda y, p: np.maximum(1 - y * p, 0).mean(),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_a_metric_is_its_mean_over_the_batch(of_keras_1, name):
    rng = np.random.default_rng(0)
    y, p = np.eye(7)[rng.integers(0, 7, 6)], rng.uniform(0.1, 0.9, (6, 7))
    expected = FORMULAS[name](y, p)
    metric = getattr(of_keras_1, name)
    np.testing.assert_allclose(metric(y, p), expected, rtol=1e-5)
    assert K.eval(metric(K.variable(y), K.variable(p))).shape == ()
    np.testing.assert_allclose(K.eval(metric(K.variable(y), K.variable(p))), expected, rtol=1e-5)


def test_a_model_reports_it_as_by_its_name(of_keras_1):
    x, y = np.random.default_rng(0).normal(size=(2, 7, 3))
    model = Sequential([Dense(3, input_dim=3)])
    model.compile("sgd", "mse", metrics=[of_keras_1.mean_absolute_error])
    assert model.metrics_names == ["loss", "mean_absolute_error"]
    expected = np.abs(model.predict(x) - y).mean()
    np.testing.assert_allclose(model.evaluate(x, y, batch_size=4)[1], expected, rtol=1e-5)


def test_other_versions_have_one_number_for_each_sample():
    compat.install("2.2.4")
    try:
        from keras.metrics import mean_squared_error
    finally:
        compat.uninstall()
    assert mean_squared_error is metrics.mean_squared_error
