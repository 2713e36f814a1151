"""Variables that scripts of Keras 1 and 2 make, hand to layers, share and read anywhere."""

import numpy as np
import pytest

from funkeras import backend as K
from funkeras import optimizers
from funkeras.layers import Dense, Input, Lambda, Layer
from funkeras.models import Model, Sequential, load_model

X = np.random.RandomState(0).normal(size=(4, 3)).astype("float32")
Y = np.random.RandomState(1).normal(size=(4, 2)).astype("float32")
START = np.full((3, 2), 0.1, "float32")
RATE = 0.1


def assigned(layer, variables):
    layer._trainable_weights = variables


def appended(layer, variables):
    for variable in variables:
        layer.trainable_weights.append(variable)


def extended(layer, variables):
    layer._trainable_weights.extend(variables)


def added(layer, variables):
    layer.trainable_weights += variables


def trained(model, target=Y, steps=1):
    """The model after that many steps of gradient descent on all rows."""
    model.compile(optimizers.SGD(RATE), "mse")
    model.fit(X, target, batch_size=4, epochs=steps, shuffle=False, verbose=0)
    return model


@pytest.mark.parametrize("given", [assigned, appended, extended, added])
def test_variables_that_a_layer_is_given_are_trained_and_its_own(given):
    class Affine(Layer):
        def build(self, input_shape):
            self.kernel, self.bias = K.variable(START, name="kernel"), K.variable(np.zeros(2))
            given(self, [self.kernel])
            self.non_trainable_weights.append(self.bias)
            super().build(input_shape)

        def call(self, x):
            return K.dot(x, self.kernel) + self.bias

    model = trained(Sequential([Affine(input_shape=(3,))]))
    slope = 2 * X.T @ (X @ START - Y) / Y.size
    np.testing.assert_allclose(model.get_weights()[0], START - RATE * slope, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(model.get_weights()[1], np.zeros(2))
    assert len(model.trainable_weights) == 1


@pytest.mark.parametrize("held", [True, False], ids=["an attribute", "known otherwise"])
def test_a_layer_that_is_given_the_weights_of_another_trains_those(held):
    inner = Dense(2, weights=[START, np.zeros(2)])
    others = {} if held else {"inner": inner}

    class Doubled(Layer):
        def build(self, input_shape):
            self.inner = inner if held else None
            inner.build(input_shape)
            self.trainable_weights = inner.trainable_weights

        def call(self, x):
            return 2 * others.get("inner", inner)(x)

    model = trained(Sequential([Doubled(input_shape=(3,))]))
    slope = 4 * X.T @ (2 * X @ START - Y) / Y.size
    np.testing.assert_allclose(inner.get_weights()[0], START - RATE * slope, rtol=1e-5, atol=1e-6)
    assert model.count_params() == 8
    np.testing.assert_array_equal(model.get_weights()[0], inner.get_weights()[0])


def test_what_build_computes_of_weights_follows_them():
    class Normalized(Layer):
        def build(self, input_shape):
            self.v = self.add_weight(name="v", shape=(3, 2), initializer="ones")
            self.kernel = K.l2_normalize(self.v, axis=0)
            super().build(input_shape)

        def call(self, x):
            return K.dot(x, self.kernel)

    model = Sequential([Normalized(input_shape=(3,))])
    v = np.random.RandomState(2).normal(size=(3, 2)).astype("float32")
    model.set_weights([v])
    norm = np.sqrt((v**2).sum(0))
    np.testing.assert_allclose(model.predict(X), X @ (v / norm), rtol=1e-5)
    slope = 2 * X.T @ (X @ (v / norm) - Y) / Y.size
    along = (slope * v).sum(0) / norm**2 * v
    expected = v - RATE * (slope - along) / norm
    np.testing.assert_allclose(trained(model).get_weights()[0], expected, rtol=1e-4, atol=1e-6)


def test_what_build_draws_is_drawn_again_by_each_batch():
    class Shaken(Layer):
        def build(self, input_shape):
            self.noise = K.random_normal(input_shape[1:])
            super().build(input_shape)

        def call(self, x):
            return x + self.noise

    model = Sequential([Shaken(input_shape=(3,))])
    first, second = model.predict(X), model.predict(X)
    assert np.abs(first - second).min() > 0


def test_a_call_may_give_what_follows_from_weights_alone():
    class Table(Layer):
        def build(self, input_shape):
            self.table = self.add_weight(name="table", shape=(3, 2), initializer="ones")
            self.doubled = 2 * self.table
            super().build(input_shape)

        def call(self, x):
            return [self.table, self.doubled]

    inputs = Input((3,))
    one, two = Table()(inputs)
    model = Model(
        inputs, Lambda(lambda parts: K.dot(parts[0], parts[1] + parts[2]))([inputs, one, two])
    )
    np.testing.assert_allclose(model.predict(X), 3 * X @ np.ones((3, 2)), rtol=1e-6)


def decoded_by_closure(encoder, inputs):
    return Lambda(lambda code: K.dot(code, K.transpose(encoder.kernel)))(encoder(inputs))


def decoded_by_a_layer(encoder, inputs):
    class Turned(Layer):
        def build(self, input_shape):
            self.kernel = K.transpose(encoder.kernel)
            super().build(input_shape)

        def call(self, code):
            return K.dot(code, self.kernel)

    return Turned()(encoder(inputs))


@pytest.mark.parametrize("decoded", [decoded_by_closure, decoded_by_a_layer])
def test_the_weights_of_another_layer_learn_wherever_they_are_read(decoded):
    encoder, inputs = Dense(2, use_bias=False), Input((3,))
    model = Model(inputs, decoded(encoder, inputs))
    encoder.set_weights([START])
    trained(model, X, steps=3)
    kernel = START.astype("float64")
    for _ in range(3):
        error = 2 * (X @ kernel @ kernel.T - X) / X.size
        kernel = kernel - RATE * (X.T @ error @ kernel + error.T @ X @ kernel)
    np.testing.assert_allclose(encoder.get_weights()[0], kernel, rtol=1e-4)


def test_a_loss_that_reads_the_weights_of_a_layer_changes_them():
    model = Sequential([Dense(2, use_bias=False, input_shape=(3,))])
    model.set_weights([START])
    kernel = model.layers[0].kernel
    model.compile(optimizers.SGD(RATE), lambda true, pred: K.sum(K.square(kernel)) + 0 * pred)
    model.fit(X, Y, batch_size=2, epochs=3, shuffle=False, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], START * (1 - 2 * RATE) ** 6, rtol=1e-5)


def test_a_variable_as_the_share_of_a_loss_counts_as_it_is_set(tmp_path):
    share = K.variable(0.0)
    inputs = Input((3,))
    heads = [Dense(2, use_bias=False, name=name)(inputs) for name in "ab"]
    model = Model(inputs, heads)
    model.set_weights([START, START])
    model.compile(optimizers.SGD(RATE), "mse", loss_weights={"a": share, "b": 1.0})
    model.train_on_batch(X, [Y, Y])
    slope = 2 * X.T @ (X @ START - Y) / Y.size
    still, moved = model.get_weights()
    np.testing.assert_array_equal(still, START)
    np.testing.assert_allclose(moved, START - RATE * slope, rtol=1e-5, atol=1e-6)
    K.set_value(share, 0.5)
    model.train_on_batch(X, [Y, Y])
    expected = START - RATE * 0.5 * slope
    np.testing.assert_allclose(model.get_weights()[0], expected, rtol=1e-5, atol=1e-6)
    model.save(tmp_path / "shares.h5")
    again = load_model(tmp_path / "shares.h5").evaluate(X, [Y, Y], verbose=0)
    np.testing.assert_allclose(again[0], 0.5 * again[1] + again[2], rtol=1e-6)
