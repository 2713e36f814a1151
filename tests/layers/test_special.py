"""Classes with more than a pair: Keras 1's `Merge`, and `Normalization` with its `adapt`."""

import json

import numpy as np
import pytest

from funkeras import config, layers
from funkeras.layers import Dense, Input, Merge, Normalization, RandomBrightness, merge
from funkeras.models import Model, Sequential, load_model
from funkeras.models.saving import plain
from funkeras.registry import custom_object_scope

X = np.random.default_rng(0).normal(3, 2, (20, 4)).astype("float32")
A, B = np.ones((2, 3), "float32"), np.full((2, 3), 2, "float32")


def difference(arrays):
    return arrays[0] - arrays[1]


def test_merge_holds_its_layers_and_merges_a_list_of_inputs():
    branches = [Dense(3, input_dim=2), Dense(4, input_dim=5)]
    layer = Merge(branches, mode="concat", concat_axis=1, name="joined")
    assert list(layer.layers) == branches
    assert layer.name == "joined"
    np.testing.assert_array_equal(layer([A, B]), np.concatenate([A, B], 1))
    assert layer.compute_output_shape([(None, 3), (None, 4)]) == (None, 7)


def test_the_config_of_merge_makes_an_equal_one_with_its_layers():
    layer = Merge([Dense(3, input_dim=2), Dense(3, input_dim=2)], "cos", dot_axes=1)
    described = json.loads(json.dumps(layer.get_config(), default=plain))
    assert described["mode_type"] == "raw"
    again = Merge.from_config(described)
    assert json.loads(json.dumps(again.get_config(), default=plain)) == described
    assert [inner.name for inner in again.layers] == [inner.name for inner in layer.layers]


def test_a_function_in_a_config_goes_by_its_name_and_never_by_its_code():
    layer = Merge(mode=difference, output_shape=(3,))
    np.testing.assert_array_equal(layer([A, B]), A - B)
    with custom_object_scope({"difference": difference}):
        described = json.loads(json.dumps(layer.get_config()))
        assert (described["mode"], described["mode_type"]) == ("difference", "function")
        np.testing.assert_array_equal(Merge.from_config(described)([A, B]), A - B)
    with pytest.raises(ValueError, match="unknown function 'difference'"):
        Merge.from_config(described)
    with pytest.raises(ValueError, match="mode is stored as the bytecode of a lambda"):
        Merge.from_config({"mode": ["code", None, None], "mode_type": "lambda"})


def test_merging_layers_are_functions_too():
    np.testing.assert_array_equal(layers.add([A, B]), A + B)
    np.testing.assert_array_equal(layers.subtract([A, B]), A - B)
    np.testing.assert_array_equal(layers.multiply([A, B]), A * B)
    np.testing.assert_array_equal(layers.average([A, B]), (A + B) / 2)
    np.testing.assert_array_equal(layers.maximum([A, B]), B)
    np.testing.assert_array_equal(layers.minimum([A, B]), A)
    np.testing.assert_array_equal(layers.concatenate([A, B], axis=0), np.concatenate([A, B]))
    np.testing.assert_array_equal(layers.dot([A, B], 1), [[6], [6]])
    np.testing.assert_array_equal(merge([A, B], "mul"), A * B)
    np.testing.assert_array_equal(merge([A, B], mode=difference), A - B)
    assert merge.Concatenate is layers.Concatenate


def test_adapt_sets_the_statistics_of_the_data():
    layer = Normalization()
    layer.adapt(X)
    np.testing.assert_allclose(layer.mean, X.mean(0), rtol=1e-6)
    np.testing.assert_allclose(layer(X), (X - X.mean(0)) / X.std(0), atol=1e-5)
    by_batches, generated = Normalization(), Normalization()
    by_batches.adapt([X[:3], X[3:]])
    generated.adapt((part, None) for part in (X[:12], X[12:]))
    for other in (by_batches, generated):
        np.testing.assert_allclose(other.variance, layer.variance, rtol=1e-6)
    assert [variable.name.partition("/")[2] for variable in layer.weights] == [
        "mean",
        "variance",
        "count",
    ]
    assert not layer.trainable_weights


def test_adapt_refuses_what_it_cannot_use():
    with pytest.raises(ValueError, match="at least one batch"):
        Normalization().adapt([])
    with pytest.raises(ValueError, match="were given: nothing to set"):
        Normalization(mean=1.0, variance=2.0).adapt(X)
    layer = Normalization()
    layer.adapt(X)
    with pytest.raises(ValueError, match="has shape"):
        layer.adapt(X[:, :2])


def test_states_of_inner_layers_are_reset_beside_their_moving_averages():
    inner = layers.Bidirectional(layers.LSTM(2, stateful=True))
    inner.build((2, 3, 4))
    before = {name: dict(part) for name, part in inner.state.items()}
    changed = {n: {k: v + 1 for k, v in part.items()} for n, part in before.items()}
    inner.adopt(inner.params, changed)
    inner.reset_states()
    for name, part in before.items():
        for key, value in part.items():
            np.testing.assert_array_equal(inner.state[name][key], value)


def test_penalties_reach_the_weights_of_inner_parts():
    x = np.ones((2, 4, 6), "float32")
    heads = layers.MultiHeadAttention(2, 3, kernel_regularizer="l2", bias_constraint="nonneg")
    heads([x, x])
    parts = ("query", "key", "value", "attention_output")
    assert list(heads.weight_regularizers) == [f"{part}/kernel" for part in parts]
    assert list(heads.weight_constraints) == [f"{part}/bias" for part in parts]
    cell = layers.RNN(layers.LSTMCell(3, recurrent_regularizer="l1"))
    cell(x)
    assert list(cell.weight_regularizers) == ["recurrent_kernel"]


def test_names_of_other_generations():
    assert layers.GroupQueryAttention(3, 4, 2).spelling == "GroupQueryAttention"
    assert layers.LeakyReLU(alpha=0.1).negative_slope == 0.1
    old = layers.BatchNormalization(1e-5, 0, 1, beta_init="one")
    assert (old.epsilon, old.mode, old.axis) == (1e-5, 0, 1)
    assert layers.BatchNormalization(1, 0.9).momentum == 0.9
    old.build((2, 3))
    np.testing.assert_array_equal(old.running_std, np.ones(3))


def test_images_change_when_called_alone_only_in_keras_3():
    np.random.seed(0)
    x = np.arange(48, dtype="uint8").reshape(1, 4, 4, 3)
    classic = RandomBrightness((0.3, 0.3))
    np.testing.assert_array_equal(classic(x), x)
    config.set_dialect("modern")
    layer = RandomBrightness((0.3, 0.3))
    np.testing.assert_allclose(layer(x), x + 0.3 * 255, rtol=1e-6)
    np.testing.assert_array_equal(layer(x, training=False), x)
    np.testing.assert_array_equal(Sequential([layer])(x), x)


def test_images_stay_whole_numbers_where_the_layer_has_such_a_dtype():
    x = np.arange(48, dtype="uint8").reshape(1, 4, 4, 3)
    layer = RandomBrightness((0.9, 0.9), dtype="uint8")
    y = layer(x, training=True)
    assert y.dtype == "uint8"
    np.testing.assert_array_equal(y, np.clip(np.round(x + 0.9 * 255), 0, 255))
    again = RandomBrightness.from_config(layer.get_config())
    assert again(x).dtype == "uint8"


def test_calls_of_attention_say_how():
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    layer = layers.MultiHeadAttention(2, 3)
    plain = layer(x, x)
    causal = layer(x, x, use_causal_mask=True)
    np.testing.assert_array_equal(layer(x, x), plain)
    below = np.tril(np.ones((1, 3, 3), bool))
    masked, scores = layer(x, x, attention_mask=below, return_attention_scores=True)
    np.testing.assert_allclose(masked, causal, rtol=1e-5)
    assert scores.shape == (2, 2, 3, 3)
    np.testing.assert_array_equal(np.triu(scores, 1), 0)
    steps = Input((3, 4))
    model = Model(steps, layer(steps, steps, use_causal_mask=True))
    np.testing.assert_allclose(model.predict(x, verbose=0), causal, rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="is called with"):
        layer(steps, steps)


class Twice(layers.Wrapper):
    def call(self, x):
        return self.layer(self.layer(x))


def test_a_wrapper_of_ones_own_owns_the_layer_inside(tmp_path):
    with pytest.raises(ValueError, match="layer must be a layer, got 3"):
        layers.Wrapper(3)
    x = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    steps = Input((4,))
    model = Model(steps, Twice(Dense(4, bias_initializer="ones"))(steps))
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(model.predict(x), (x @ kernel + bias) @ kernel + bias, atol=1e-5)
    model.compile("sgd", "mse")
    model.fit(x, x, verbose=0)
    model.save(tmp_path / "a.keras")
    with custom_object_scope({"Twice": Twice}):
        again = load_model(tmp_path / "a.keras")
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
