"""Layers that users write run, train, save and describe themselves like any other."""

import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import backend as K
from funkeras import config, initializers
from funkeras.layers import LSTM, Dense, Dropout, Embedding, Input, Layer, Masking
from funkeras.layers.merge import _Merge
from funkeras.models import Model, Sequential, load_model
from funkeras.variables import Variable


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


class Keras1Dense(Layer):
    def __init__(self, output_dim, **kwargs):
        self.output_dim = output_dim
        self.init = initializers.get("glorot_uniform")
        super().__init__(**kwargs)

    def build(self, input_shape):
        self.W = self.add_weight((input_shape[-1], self.output_dim), "glorot_uniform", "W")
        self.b = Variable(np.zeros(self.output_dim), name=f"{self.name}_b")
        self.trainable_weights = [self.W, self.b]
        self.built = True

    def call(self, x, mask=None):
        return x @ self.W + self.b

    def get_output_shape_for(self, input_shape):
        return (input_shape[0], self.output_dim)

    def get_config(self):
        return {**super().get_config(), "output_dim": self.output_dim}


class Residual(Layer):
    """Of Keras 3: layers inside, a weight by its keywords, noise in training."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.inner = [Dense(units, activation="relu"), Dense(units)]
        self.noise = Dropout(0.5)

    def build(self, input_shape):
        self.scale = self.add_weight(shape=(), initializer="ones", name="scale", regularizer="l2")

    def call(self, x, training=False):
        y = self.noise(self.inner[1](self.inner[0](x)), training=training)
        return x + self.scale * y


def test_a_layer_of_keras_1_is_its_formula_and_trains():
    with config.using_dialect("classic"):
        layer = Keras1Dense(3, input_shape=(4,))
        model = Sequential([layer, Dense(1)])
    x = numbers(6, 4)
    kernel, bias = layer.get_weights()
    assert (kernel.shape, bias.shape) == ((4, 3), (3,))
    np.testing.assert_allclose(layer(x), x @ kernel + bias, rtol=1e-5, atol=1e-6)
    model.compile("sgd", "mse")
    losses = model.fit(x, numbers(6, 1), nb_epoch=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert (layer.get_weights()[1] != bias).all()
    assert [w.name for w in layer.trainable_weights] == [f"{layer.name}/W", f"{layer.name}/b"]


def test_layers_inside_a_layer_belong_to_it():
    layer = Residual(4)
    a = Input(shape=(4,))
    model = Model(a, layer(a))
    assert [w.shape for w in model.get_weights()] == [(), (4, 4), (4,), (4, 4), (4,)]
    x = numbers(5, 4)
    _, k0, b0, k1, b1 = model.get_weights()
    expected = x + np.maximum(x @ k0 + b0, 0) @ k1 + b1
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-5, atol=1e-6)
    model.compile("sgd", "mse")
    assert model.evaluate(x, x) == pytest.approx(np.mean((expected - x) ** 2) + 0.01, rel=1e-4)
    before = model.get_weights()
    model.fit(x, numbers(5, 4, seed=1), verbose=0)
    assert all((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))


def test_a_layer_may_add_to_the_loss_and_update_what_it_counts():
    class Counting(Layer):
        def build(self, input_shape):
            self.seen = self.add_weight(shape=(), initializer="zeros", name="seen", trainable=False)

        def call(self, x, training=False):
            if training:
                self.seen.assign(self.seen + x.shape[0])
            self.add_loss(0.5 * jnp.sum(x**2))
            return x

    model = Sequential([Counting(input_shape=(3,)), Dense(1)])
    model.compile("sgd", "mse")
    x, y = numbers(8, 3), numbers(8, 1)
    assert model.evaluate(x, y) == pytest.approx(
        np.mean((model.predict(x) - y) ** 2) + 0.5 * np.sum(x**2), rel=1e-5
    )
    model.fit(x, y, batch_size=4, epochs=2, verbose=0)
    assert model.get_weights()[0] == 16


def test_a_mask_is_passed_on_consumed_or_refused():
    class Mean(Layer):
        supports_masking = True

        def call(self, x, mask=None):
            weights = mask[..., None] * jnp.ones(())
            return (x * weights).sum(1) / weights.sum(1)

        def compute_mask(self, x, mask=None):
            return None

    class Plain(Layer):
        def call(self, x):
            return x

    words = np.array([[1, 2, 0], [3, 0, 0]])
    embedding = Embedding(5, 2, mask_zero=True, input_length=3)
    model = Sequential([embedding, Mean()])
    table = embedding.get_weights()[0]
    expected = [(table[1] + table[2]) / 2, table[3]]
    np.testing.assert_allclose(model.predict(words), expected, rtol=1e-6)
    with config.using_dialect("classic"):
        model = Sequential([Embedding(5, 2, mask_zero=True, input_length=3), Plain()])
        with pytest.raises(TypeError, match="does not support masking"):
            model.predict(words)


class Mixed(Layer):
    """`a @ kernel * scale + other @ kernel`, or both parts."""

    def build(self, a_shape, other_shape):
        assert len(a_shape) == 2
        self.kernel = self.add_weight(name="kernel", shape=(other_shape[-1], 2))
        super().build(a_shape)

    def call(self, a, other, scale=1.0, parts=False, training=None):
        first, second = scale * K.dot(a, self.kernel), K.dot(other, self.kernel)
        return (first, second) if parts else first + second


def test_a_call_takes_several_arguments_by_place_and_by_name():
    layer, a, other = Mixed(), numbers(3, 4), numbers(3, 4, seed=1)
    layer(a, other)
    kernel = layer.get_weights()[0]
    calls = {
        1.0: (layer(a, other), layer(a, other=other), layer(a=a, other=other)),
        3.0: (layer(a, other, 3.0), layer(a, other, scale=3.0), layer(other=other, a=a, scale=3.0)),
    }
    for scale, results in calls.items():
        for y in results:
            np.testing.assert_allclose(y, scale * a @ kernel + other @ kernel, rtol=1e-5)
    _, second = layer(a, other, parts=True)
    np.testing.assert_allclose(second, other @ kernel, rtol=1e-5)
    with pytest.raises(TypeError, match=r"a call of layer 'mixed_\d' \(Mixed\): got an unexpected"):
        layer(a, other, shift=1)


def test_calls_with_several_arguments_are_recorded_trained_and_saved(tmp_path):
    a, other = Input((4,)), Input((4,))
    layer = Mixed(name="mixed")
    first, _ = layer(a, other, parts=True)
    widened = Dense(4, kernel_initializer="ones", use_bias=False)(first)
    model = Model([a, other], layer(other, scale=0.5, other=widened))
    x = [numbers(6, 4), numbers(6, 4, seed=1)]
    kernel = model.get_weights()[0]
    expected = 0.5 * x[1] @ kernel + (x[0] @ kernel @ np.ones((2, 4))) @ kernel
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-4, atol=1e-5)
    model.compile("sgd", "mse")
    model.fit(x, numbers(6, 2), verbose=0)
    assert (model.get_weights()[0] != kernel).all()
    for ending in ("keras", "h5"):
        model.save(path := tmp_path / f"model.{ending}")
        again = load_model(path, custom_objects={"Mixed": Mixed})
        np.testing.assert_allclose(again.predict(x), model.predict(x), rtol=1e-5)


def test_a_mask_comes_for_each_argument_that_asks():
    class Masked(Layer):
        supports_masking = True

        def call(self, x, other, mask=None, other_mask=None):
            return x * K.expand_dims(K.cast(mask, "float32")) + K.cast(other_mask, "float32")

    words, others = Input((3,)), Input((3,))
    embed = Embedding(5, 3, mask_zero=True)
    model = Model([words, others], Masked()(embed(words), other=embed(others)))
    w, o = np.array([[1, 0, 2]]), np.array([[0, 3, 3]])
    table = model.get_weights()[0]
    expected = table[w] * (w > 0)[..., None] + (o > 0).astype("float32")
    np.testing.assert_allclose(model.predict([w, o]), expected, rtol=1e-6)


class Asking(Layer):
    """The second argument has the name of the first one of built-in attention."""

    def call(self, context, query):
        return context - 2 * query


def test_calls_by_name_alone_keep_their_names_in_files(tmp_path):
    a, b = Input((4,)), Input((4,))
    model = Model([a, b], Asking()(query=a, context=b))
    x = [numbers(6, 4), numbers(6, 4, seed=1)]
    np.testing.assert_allclose(model.predict(x), x[1] - 2 * x[0], rtol=1e-6)
    model.save(path := tmp_path / "model.keras")
    again = load_model(path, custom_objects={"Asking": Asking})
    np.testing.assert_array_equal(again.predict(x), model.predict(x))


def test_a_merging_of_ones_own_says_how_inputs_become_one():
    class Halfway(_Merge):
        def _merge_function(self, inputs):
            return (inputs[0] + inputs[1]) / 2

    matrix, vector = Input((2, 3)), Input((3,))
    model = Model([matrix, vector], Halfway()([matrix, vector]))
    x, y = np.random.RandomState(0).normal(size=(2, 4, 2, 3)).astype("float32")
    np.testing.assert_allclose(model.predict([x, y[:, 0]]), (x + y[:, :1]) / 2, rtol=1e-6)
    with pytest.raises(NotImplementedError, match="_merge_function"):
        _Merge()([matrix, matrix])


def test_a_merging_of_ones_own_hides_what_any_input_hides():
    class Both(_Merge):
        def _merge_function(self, inputs):
            return inputs[0] * inputs[1]

    inputs = [Input((3, 1)), Input((3, 1))]
    model = Model(inputs, LSTM(2)(Both()([Masking()(own) for own in inputs])))
    x = np.array([[1.0], [2.0], [0.0]])[None], np.array([[1.0], [0.0], [3.0]])[None]
    alone = np.array([[1.0], [0.0], [0.0]])[None], np.array([[1.0], [0.0], [0.0]])[None]
    np.testing.assert_allclose(model.predict([*x]), model.predict([*alone]), rtol=1e-6)
    assert np.abs(model.predict([*x])).max() > 0
