"""Dtypes that symbolic tensors tell, and of whole numbers: what models of Keras 3.15 predict."""

import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import config, layers, ops
from funkeras.layers import Add, Concatenate, Dense, Flatten, Input, Lambda, Layer
from funkeras.models import Model, Sequential


@pytest.fixture(autouse=True)
def keras_3():
    config.set_dialect("modern")


KEPT = [
    (layers.Flatten, {}, (4, 3)),
    (layers.Reshape, {"target_shape": (-1,)}, (4, 3)),
    (layers.Permute, {"dims": (2, 1)}, (4, 3)),
    (layers.RepeatVector, {"n": 2}, (4,)),
    (layers.Identity, {}, (4,)),
    (layers.ReLU, {}, (4,)),
    (layers.Dropout, {"rate": 0.5}, (4,)),
    (layers.Cropping1D, {"cropping": 1}, (4, 3)),
    (layers.ZeroPadding2D, {"padding": 1}, (4, 4, 3)),
    (layers.UpSampling2D, {}, (4, 4, 3)),
    (layers.MaxPooling1D, {}, (4, 3)),
    (layers.GlobalMaxPooling2D, {}, (4, 4, 3)),
    (layers.Resizing, {"height": 2, "width": 2}, (4, 4, 3)),
]
REAL = [
    (layers.Dense, {"units": 2}, (4,)),
    (layers.Conv1D, {"filters": 2, "kernel_size": 1}, (4, 3)),
    (layers.Embedding, {"input_dim": 3, "output_dim": 2}, (4,)),
    (layers.LSTM, {"units": 2}, (4, 3)),
    (layers.BatchNormalization, {}, (4, 3)),
    (layers.LayerNormalization, {}, (4, 3)),
    (layers.GroupNormalization, {"groups": 1}, (4, 3)),
    (layers.GlobalAveragePooling1D, {}, (4, 3)),
    (layers.Rescaling, {"scale": 2.0}, (4,)),
    (layers.Normalization, {"mean": 0.0, "variance": 1.0}, (4,)),
    (layers.CenterCrop, {"height": 2, "width": 2}, (4, 4, 3)),
    (layers.RandomFlip, {}, (4, 4, 3)),
    (layers.CategoryEncoding, {"num_tokens": 4}, (4,)),
]
ROWS = [(*case, True) for case in KEPT] + [(*case, False) for case in REAL]


@pytest.mark.parametrize(("made", "arguments", "shape", "kept"), ROWS)
def test_symbolic_outputs_tell_the_dtype_that_comes_out(made, arguments, shape, kept):
    for given in ("int32", "uint8"):
        inputs = Input(shape, dtype=given)
        outputs = made(**arguments)(inputs)
        y = Model(inputs, outputs).predict(np.ones((2, *shape), given), verbose=0)
        assert outputs.dtype == y.dtype == (given if kept else "float32")


def test_what_is_computed_of_several_inputs_promotes_them():
    whole, flag, real = (Input((4,), dtype=kind) for kind in ("int32", "bool", "float32"))
    assert Concatenate()([whole, whole]).dtype == Add()([whole, flag]).dtype == "int32"
    assert Concatenate()([whole, real]).dtype == "float32"
    assert layers.Discretization(bin_boundaries=[0.0, 1.0])(real).dtype == "int32"
    assert ((Flatten()(whole) + 1).dtype, (Flatten()(whole) / 2).dtype) == ("int32", "float32")


class Best(Layer):
    """The place of the greatest, and what was given."""

    def call(self, x):
        return ops.argmax(x, -1), x


class Choice(Model):
    """A model whose call gives whole numbers."""

    def call(self, x):
        return ops.argmax(x, -1)


def test_layers_and_models_of_the_user_s_tell_their_dtypes():
    inputs = Input((3,))
    model = Model(inputs, Best()(inputs))
    for outputs in (Best()(inputs), model(inputs)):
        assert [tensor.dtype for tensor in outputs] == ["int32", "float32"]
    chain = Sequential([Input((3,)), Lambda(lambda x: ops.argmax(x, -1))])
    assert chain(inputs).dtype == Choice()(inputs).dtype == "int32"


def test_low_precision_is_told():
    inputs, words = Input((3,)), Input((3,), dtype="int32")
    config.set_dtype_policy("mixed_bfloat16")
    try:
        outputs = Dense(2)(inputs), Flatten()(words), layers.Embedding(3, 2)(words)
    finally:
        config.set_dtype_policy(None)
    assert [tensor.dtype for tensor in outputs] == ["bfloat16", "int32", "bfloat16"]


def test_whole_numbers_are_normalized_and_attended_to_as_real_ones():
    """Sums by genuine Keras; its layer normalisation of whole numbers rounds, this one does not."""
    x = jnp.asarray(np.arange(24).reshape(2, 4, 3) % 7)
    given = [(layers.BatchNormalization(), x, 65.967026)]
    given += [(layers.Attention(), [x, x], 98.85508)]
    given += [(layers.AdditiveAttention(use_scale=False), [x, x], 68.90406)]
    for layer, inputs, total in given:
        np.testing.assert_allclose(np.sum(layer(inputs)), total, rtol=1e-5)
    for layer in (layers.LayerNormalization(), layers.GroupNormalization(1)):
        expected = type(layer).from_config(layer.get_config())(x.astype("float32"))
        np.testing.assert_array_equal(layer(x), expected)


def test_an_image_layer_of_whole_numbers_gives_them_in_a_model_too():
    inputs = Input((6, 6, 3))
    outputs = layers.Resizing(2, 2, dtype="uint8")(inputs)
    images = np.random.default_rng(0).uniform(0, 255, (2, 6, 6, 3)).astype("float32")
    y = Model(inputs, outputs).predict(images, verbose=0)
    assert (outputs.dtype, y.dtype) == ("uint8", "uint8")
    np.testing.assert_array_equal(y, layers.Resizing(2, 2, dtype="uint8")(images))
