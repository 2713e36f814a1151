"""Models whose class writes `compute_loss`."""

import numpy as np
import pytest

from funkeras import backend as K
from funkeras import config, layers, losses, models, ops

CHANCE = np.random.default_rng(0)
X = CHANCE.normal(size=(12, 3)).astype("float32")
Y = CHANCE.normal(size=(12, 2)).astype("float32")
WEIGHTS = CHANCE.random(12).astype("float32")


@pytest.fixture(autouse=True)
def keras_3():
    config.set_dialect("modern")


def net(kind=models.Model):
    np.random.seed(1)
    x = layers.Input((3,))
    y = layers.Dense(4, activation="tanh", activity_regularizer="l2")(x)
    return kind(x, layers.Dense(2, kernel_regularizer="l2")(layers.BatchNormalization()(y)))


class Doubled(models.Model):
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return 2 * super().compute_loss(x, y, y_pred, sample_weight, training)


def test_it_takes_the_place_of_the_loss_in_training_and_judging():
    plain, doubled = net(), net(Doubled)
    for model, rate in ((plain, 0.1), (doubled, 0.05)):  # the same steps of twice the loss
        model.compile("sgd", "mse", metrics=["mae"])
        model.optimizer.learning_rate = rate
        model.fit(X, Y, sample_weight=WEIGHTS, batch_size=4, epochs=2, shuffle=False, verbose=0)
    for one, other in zip(plain.get_weights(), doubled.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    one, other = (m.evaluate(X, Y, batch_size=5, verbose=0) for m in (plain, doubled))
    np.testing.assert_allclose([2 * one[0], one[1]], other, rtol=1e-5)
    one, other = (m.train_on_batch(X, Y) for m in (plain, doubled))
    np.testing.assert_allclose([2 * one[0], one[1]], other, rtol=1e-5)


class Contrast(models.Model):
    """No loss is compiled and there are no targets; another model takes part and is trained."""

    def __init__(self):
        super().__init__()
        self.first = layers.Dense(2, use_bias=False)
        self.other = models.Sequential([layers.Input((3,)), layers.Dense(2, use_bias=False)])

    def call(self, x):
        return self.first(x)

    def compute_loss(self, x, y, y_pred, sample_weight):
        assert y is None
        return K.mean(K.square(y_pred - self.other(x)))


def test_layers_that_only_the_loss_calls_are_trained_and_no_targets_are_needed():
    model = Contrast()
    model.compile("sgd")
    model.optimizer.learning_rate = 0.5
    model.predict(X)
    kernels = model.get_weights()
    model.fit(X, batch_size=12, epochs=1, verbose=0)
    difference = X @ (kernels[0] - kernels[1])
    slope = 2 * X.T @ difference / difference.size
    np.testing.assert_allclose(
        model.get_weights()[0], kernels[0] - 0.5 * slope, rtol=1e-4, atol=1e-6
    )
    np.testing.assert_allclose(
        model.get_weights()[1], kernels[1] + 0.5 * slope, rtol=1e-4, atol=1e-6
    )


def test_outside_of_training_there_is_no_compiled_loss():
    with pytest.raises(RuntimeError, match="compute_loss belongs into"):
        net().compute_loss(X, Y, Y)


class Total(losses.Loss):
    """Reduces by itself: the weighted sum of what there is, whatever it should be."""

    def __call__(self, y_true, y_pred, sample_weight=None):
        shares = 1.0 if sample_weight is None else sample_weight[:, None]
        return ops.sum(y_pred * shares)


@pytest.mark.parametrize("weights", [None, np.arange(5.0, dtype="float32")])
def test_a_loss_whose_class_reduces_by_itself(weights):
    model = models.Sequential([layers.Input((3,)), layers.Dense(2)])
    model.compile("sgd", Total())
    x = np.random.default_rng(0).random((5, 3), "float32")
    y = model.predict(x, verbose=0)
    expected = (y if weights is None else y * weights[:, None]).sum()
    found = model.evaluate(x, np.zeros((5, 2)), sample_weight=weights, batch_size=5, verbose=0)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
