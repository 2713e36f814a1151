"""Layers that a model has in several places train as in Keras 3: the numbers are Keras 3.15's."""

import jax
import numpy as np
import pytest

from funkeras import activations, backend, config, ops, optimizers
from funkeras.layers import Activation, Concatenate, Dense, Input, Layer, concatenate
from funkeras.metrics import Mean
from funkeras.models import Model, Sequential

X4, X3 = (np.random.default_rng(0).normal(size=(16, n)).astype("float32") for n in (4, 3))
TIED = [1.2697277069, 0.9159289002, 0.7301789522]
TWICE = [0.5111101866, 0.5020930767, 0.4932381809]


@pytest.fixture(autouse=True)
def keras_3():
    config.set_dialect("modern")


class Transposed(Layer):
    """Affine map by the kernel of another layer."""

    def __init__(self, dense, **options):
        super().__init__(**options)
        self.dense = dense

    def build(self, input_shape):
        size = self.dense.kernel.shape[0]
        self.biases = self.add_weight(name="bias", shape=[size], initializer="zeros")
        super().build(input_shape)

    def call(self, x):
        return ops.matmul(x, ops.transpose(self.dense.weights[0])) + self.biases


def dense(size):
    layer = Dense(3, activation="tanh")
    layer.build((None, size))
    layer.set_weights([np.arange(size * 3, dtype="float32").reshape(size, 3) / 10, np.zeros(3)])
    return layer


def tied(layer):
    return Sequential([Input((4,)), layer, Transposed(layer)])


def tied_in_models(layer):
    first, second = Sequential([Input((4,)), layer]), Sequential([Input((3,)), Transposed(layer)])
    return Sequential([first, second])


def in_two_models(layer):
    second = Sequential([Input((3,)), layer, Activation("relu")])
    return Sequential([Sequential([Input((3,)), layer]), second])


def beside_a_model(layer):
    first, x = Input((3,)), Input((3,))
    inner = Model(first, layer(layer(first)))
    return Model(x, layer(inner(x)))


class Written(Model):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer
        self.inner = Sequential([Input((3,)), layer])

    def call(self, x):
        return self.inner(self.layer(x))


def written(layer):
    model = Written(layer)
    model(X3)
    return model


def again(layer):
    x = Input((3,))
    return Model(x, layer(layer(x)))


CASES = [
    (tied, X4, 19, TIED, [-0.08416, 0.06221, 0.19912, 0.13586]),
    (tied_in_models, X4, 19, TIED, [-0.08416, 0.06221, 0.19912, 0.13586]),
    (
        in_two_models,
        X3,
        12,
        [0.6307989359, 0.6247213483, 0.6199638844],
        [-0.02068, 0.09528, 0.2455, 0.2962],
    ),
    (written, X3, 12, TWICE, [-0.01852, 0.10063, 0.27428, 0.3174]),
    (again, X3, 12, TWICE, [-0.01852, 0.10063, 0.27428, 0.3174]),
]


@pytest.mark.parametrize(("make", "x", "size", "losses", "kernel"), CASES)
def test_a_layer_in_several_places_is_one(make, x, size, losses, kernel):
    layer = dense(x.shape[1])
    model = make(layer)
    model.compile(optimizers.SGD(0.1), "mse")
    assert model.count_params() == size
    assert len(model.trainable_weights) == len(model.weights) == len(model.get_weights())
    history = model.fit(x, x, batch_size=8, epochs=3, shuffle=False, verbose=0).history
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-6)
    np.testing.assert_allclose(layer.get_weights()[0].ravel()[:4], kernel, atol=1e-5)
    arrays = [a + 1 for a in model.get_weights()]
    model.set_weights(arrays)
    for own, array in zip(model.get_weights(), arrays, strict=True):
        np.testing.assert_array_equal(own, array)


def test_three_places_as_by_hand():
    layer, (kernel, bias) = dense(3), dense(3).get_weights()
    model = beside_a_model(layer)
    model.compile(optimizers.SGD(0.1), "mse")
    model.train_on_batch(X3, X3)

    def loss(kernel, bias):
        y = X3
        for _ in range(3):
            y = jax.numpy.tanh(y @ kernel + bias)
        return ((y - X3) ** 2).mean()

    slopes = jax.grad(loss, (0, 1))(kernel, bias)
    for own, start, slope in zip(layer.get_weights(), (kernel, bias), slopes, strict=True):
        np.testing.assert_allclose(own, start - 0.1 * slope, atol=1e-6)


def test_penalties_count_once_and_momenta_are_one(tmp_path):
    layer = Dense(3, kernel_regularizer="l2")
    layer.build((None, 3))
    model = in_two_models(layer)
    model.compile("adam", "mse")
    loss = model.evaluate(X3, X3, verbose=0)
    own = 0.01 * np.sum(layer.get_weights()[0] ** 2)
    mean = np.mean((model.predict(X3) - X3) ** 2)
    np.testing.assert_allclose(loss, mean + own, rtol=1e-5)
    model.fit(X3, X3, verbose=0)
    assert len(model.optimizer.get_weights()) == 2 + 2 * 2
    for name in ("model.weights.h5", "model.h5"):
        model.save_weights(path := tmp_path / name)
        other = in_two_models(Dense(3))
        other.load_weights(path)
        np.testing.assert_allclose(other.predict(X3), model.predict(X3), rtol=1e-5)


def test_a_frozen_layer_is_frozen_in_all_its_places():
    layer = dense(4)
    model = tied_in_models(layer)
    layer.trainable = False
    model.compile("sgd", "mse")
    before = layer.get_weights()
    model.fit(X4, X4, verbose=0)
    np.testing.assert_array_equal(layer.get_weights()[0], before[0])
    assert np.any(model.layers[1].layers[0].biases.numpy() != 0)


def test_layers_without_weights_may_be_made_within_call():
    class Wide(Model):
        def __init__(self):
            super().__init__()
            self.out = Dense(1)

        def call(self, x):
            a, b = x
            y = Concatenate()([concatenate([a, b]), a])
            return self.out(Activation(activations.relu)(y))

    model = Wide()
    model.compile("sgd", "mse")
    history = model.fit((X3, X4), X3[:, :1], epochs=2, verbose=0).history
    assert history["loss"][1] < history["loss"][0]


def test_add_metric_takes_what_a_metric_has_given():
    class Told(Model):
        def __init__(self):
            super().__init__()
            self.out, self.size = Dense(1), Mean(name="size")

        def call(self, x, training=None):
            if training:
                self.add_metric(self.size(backend.mean(backend.abs(x))))
            return self.out(x)

    model = Told()
    model.compile("sgd", "mse")
    history = model.fit(X3, X3[:, :1], batch_size=16, verbose=0).history
    np.testing.assert_allclose(history["size"], [np.abs(X3).mean()], rtol=1e-5)
