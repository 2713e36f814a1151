"""Layer objects: what they own, how they are spelled, what they refuse."""

import copy
import pickle
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import config, layers
from funkeras.layers import (
    LSTM,
    Activation,
    BatchNormalization,
    Bidirectional,
    Conv2D,
    Convolution2D,
    Dense,
    Embedding,
    LeakyReLU,
    TimeDistributed,
    stub,
)
from funkeras.models import Sequential
from funkeras.optimizers import Adam


def test_every_generation_spells_the_same_convolution() -> None:
    spelled = [
        Convolution2D(8, 3, 5, border_mode="same", subsample=(2, 2), dim_ordering="tf", bias=False),
        Convolution2D(nb_filter=8, nb_row=3, nb_col=5, border_mode="same", subsample=2, bias=False),
        Conv2D(8, 3, 5, padding="same", strides=2, use_bias=False),
        Conv2D(8, (3, 5), (2, 2), "same", use_bias=False),
        Conv2D(filters=8, kernel_size=(3, 5), strides=2, padding="same", use_bias=False),
    ]
    for layer in spelled:
        layer.build((None, 8, 8, 2))
        assert layer.kernel.shape == (3, 5, 2, 8)
        assert layer.output_shape == (None, 4, 4, 8)


def test_three_numbers_are_strides_in_the_modern_dialect() -> None:
    config.set_dialect("modern")
    layer = Conv2D(8, 3, 2)
    assert (layer.kernel_size, layer.strides) == ((3, 3), (2, 2))


def test_old_attributes_name_today_s_arguments() -> None:
    layer = Dense(output_dim=4, input_dim=3, init="uniform", bias=True)
    layer.build((None, 3))
    assert layer.units == layer.output_dim == 4
    assert layer.W.shape == (3, 4)
    assert layer.b.shape == (4,)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = layer.nothing


@pytest.mark.parametrize(
    ("dialect", "names"),
    [
        ("classic", ["convolution2d_1", "convolution2d_2"]),
        ("keras2", ["convolution2d_1", "convolution2d_2"]),
        ("modern", ["convolution2d", "convolution2d_1"]),
    ],
)
def test_names_are_numbered_as_each_generation_does(dialect: str, names: list[str]) -> None:
    layers.layer.reset_names()
    config.set_dialect(dialect)
    assert [Convolution2D(1, 1, 1).name for _ in names] == names


def test_weights_are_set_wholly_or_not_at_all() -> None:
    layer = Dense(2, input_dim=3)
    layer.build((None, 3))
    before = layer.get_weights()
    with pytest.raises(ValueError, match=r"'bias' of layer .* has shape \(2,\), got \(3,\)"):
        layer.set_weights([np.ones((3, 2)), np.ones(3)])
    with pytest.raises(ValueError, match=r"has 2 weights \(kernel, bias\), got 1"):
        layer.set_weights([np.ones((3, 2))])
    for a, b in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_initial_weights_are_an_argument() -> None:
    kernel, bias = np.full((3, 2), 2.0), np.array([1.0, -1.0])
    model = Sequential([Dense(2, input_dim=3, weights=[kernel, bias])])
    np.testing.assert_allclose(model.predict(np.ones((1, 3))), [[7, 5]])


def test_variables_are_read_and_assigned_in_place() -> None:
    layer = Dense(2, input_dim=3)
    layer.build((None, 3))
    layer.kernel.assign(np.ones((3, 2)))
    np.testing.assert_array_equal(np.asarray(layer.kernel), 1)
    np.testing.assert_array_equal(layer(np.ones((1, 3))), [[3, 3]])


def test_penalties_and_constraints_go_to_their_weight() -> None:
    layer = Dense(2, W_regularizer="l2", b_constraint="nonneg", input_dim=3)
    layer.build((None, 3))
    assert set(layer.weight_regularizers) == {"kernel"}
    assert set(layer.weight_constraints) == {"bias"}
    norm = BatchNormalization(gamma_regularizer="l1", beta_constraint="nonneg")
    norm.build((None, 3))
    assert (set(norm.weight_regularizers), set(norm.weight_constraints)) == ({"gamma"}, {"beta"})
    around = Bidirectional(LSTM(2, U_regularizer="l2"))
    around.build((None, 5, 3))
    assert set(around.weight_regularizers) == {
        "forward_layer/recurrent_kernel",
        "backward_layer/recurrent_kernel",
    }


def test_activity_penalty_is_a_sum_over_the_batch() -> None:
    model = Sequential([Dense(2, input_dim=3, activity_regularizer="l2", weights=None)])
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).standard_normal((10, 3)).astype("float32")
    y = np.asarray(model.predict(x))
    assert model.evaluate(x, y, batch_size=10) == pytest.approx(0.01 * (y**2).sum(), rel=1e-5)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_dtype_of_a_layer(dtype: str) -> None:
    layer = Dense(2, dtype=dtype)
    assert layer(jnp.ones((1, 3), dtype)).dtype == dtype
    assert layer.kernel.dtype == dtype
    mixed = Dense(2, dtype=f"mixed_{dtype}")
    assert mixed(jnp.ones((1, 3))).dtype == dtype
    assert mixed.kernel.dtype == "float32"


def test_copies_have_their_own_equal_weights() -> None:
    layer = Dense(2, activation="relu")
    layer.build((None, 3))
    for made in (pickle.loads(pickle.dumps(layer)), copy.deepcopy(layer)):
        assert made.get_config() == layer.get_config()
        for a, b in zip(made.get_weights(), layer.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
        made.kernel.assign(np.zeros((3, 2)))
        assert np.asarray(layer.kernel).any()


def modern(made: Any, *given: Any) -> Any:
    """A layer made where Keras 3 holds."""
    with config.using_dialect("modern"):
        return made(*given)


WRONG: dict[str, tuple[Any, type[Exception], str]] = {
    "units": (lambda: Dense(0), ValueError, "units must be a positive integer, got 0"),
    "activation": (lambda: Activation("rely"), ValueError, "did you mean 'relu'"),
    "initializer": (
        lambda: Dense(1, init="glorot_unifrom"),
        ValueError,
        "did you mean .GlorotUniform",
    ),
    "twice": (lambda: Dense(1, units=2), TypeError, "'units' twice"),
    "both spellings": (lambda: Dense(units=1, output_dim=2), TypeError, "'units' twice"),
    "unknown layer": (lambda: layers.Convolution2F, AttributeError, "did you mean 'Convolution2D'"),
    "strides and dilation": (
        lambda: Conv2D(2, 3, strides=2, dilation_rate=2),
        ValueError,
        r"strides and dilation_rate one must be 1; got strides \(2, 2\) and dilation_rate \(2, 2\)",
    ),
    "slope": (lambda: modern(LeakyReLU, -1), ValueError, "negative_slope must not be negative"),
    "unknown feature count": (lambda: Dense(1).build((None, None)), ValueError, "must be known"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_arguments_are_named(case: str) -> None:
    action, error, message = WRONG[case]
    with pytest.raises(error, match=message):
        action()


def test_an_error_inside_a_model_names_the_layer() -> None:
    model = Sequential([Dense(4, input_dim=3, name="first")])
    with pytest.raises(ValueError, match="rank") as caught:
        model.add(Conv2D(2, (3, 3), name="second"))
    assert any("'second'" in note for note in caught.value.__notes__)


def test_the_editor_stub_is_current() -> None:
    assert stub.PATH.read_text() == stub.stub(), "run: python -m funkeras.layers.stub"


def test_every_class_is_importable_by_its_old_path() -> None:
    from funkeras.layers.convolutional import Convolution2D as by_path
    from funkeras.layers.core import Dense as core_dense

    assert by_path is Convolution2D
    assert core_dense is Dense


def test_wrappers_take_layers_and_their_configs() -> None:
    model = Sequential(
        [
            Embedding(20, 6, input_length=5, mask_zero=True),
            Bidirectional(LSTM(4, return_sequences=True), merge_mode="sum"),
            TimeDistributed(Dense(3, activation="softmax")),
        ]
    )
    assert model.output_shape == (None, 5, 3)
    again = Sequential.from_config(model.get_config())
    again.set_weights(model.get_weights())
    tokens = np.random.default_rng(0).integers(0, 20, (2, 5))
    np.testing.assert_array_equal(again.predict(tokens), model.predict(tokens))
    model.compile(Adam(lr=0.05), "sparse_categorical_crossentropy")
    history = model.fit(tokens, tokens[..., None] % 3, epochs=30, verbose=0)
    assert history.history["loss"][-1] < 0.8 * history.history["loss"][0]
