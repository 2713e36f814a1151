"""Masks go with what layers give: through a `call` that a user wrote, and with arrays."""

import numpy as np
import pytest

from funkeras import Model, Sequential, config, ops
from funkeras.functional import masks
from funkeras.functional.masks import attach, mask_of
from funkeras.layers import (
    LSTM,
    Bidirectional,
    Dense,
    Dropout,
    EinsumDense,
    Embedding,
    GlobalAveragePooling1D,
    Input,
    Lambda,
    Layer,
    LayerNormalization,
    Masking,
    Maximum,
    Minimum,
    MultiHeadAttention,
    Multiply,
    RMSNormalization,
)
from funkeras.models import load_model

WORDS = np.array([[3, 1, 2, 0, 0], [1, 4, 4, 2, 3]])
SHORT = WORDS[:1, :3]
"""The words of the first row without its padding."""


@pytest.fixture(autouse=True)
def modern():
    with config.using_dialect("modern"):
        yield


class Chain(Model):
    def __init__(self, *parts):
        super().__init__()
        self.parts = list(parts)

    def call(self, x):
        for part in self.parts:
            x = part(x)
        return x


class Block(Layer):
    """Attention of the words to each other; says nothing of masks."""

    def __init__(self, **options):
        super().__init__(**options)
        self.attend, self.norm = MultiHeadAttention(2, 3), LayerNormalization()

    def call(self, x):
        return self.norm(x + self.attend(x, x))


class Words(Layer):
    """Vectors of words; gives on the array that its layer gave."""

    def __init__(self, **options):
        super().__init__(**options)
        self.vectors = Embedding(5, 4, mask_zero=True)

    def call(self, x):
        return self.vectors(x)


class Shown(Layer):
    """The mask of what it is given, 9 if there is none."""

    supports_masking = True

    def call(self, x, mask=None):
        return ops.full((1,), 9.0) if mask is None else ops.cast(mask, "float32")


def embedding():
    return Embedding(5, 4, mask_zero=True)


def wrapped():
    return Sequential([Dense(4), Dropout(0.5)])


@pytest.mark.parametrize(
    "make",
    [
        lambda: Chain(embedding(), Dense(3), LSTM(3)),
        lambda: Chain(Chain(Words(), wrapped()), Bidirectional(LSTM(2))),
    ],
)
def test_layers_within_a_call_leave_padding_out(make):
    model = make()
    padded, short = model.predict(WORDS, verbose=0)[0], model(SHORT)[0]
    np.testing.assert_allclose(padded, short, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model(WORDS)[0], short, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("make", [Chain, lambda *parts: Sequential(list(parts))])
def test_attention_within_a_layer_that_says_nothing_of_masks_heeds_them(make):
    model = make(embedding(), Block())
    padded = model.predict(WORDS, verbose=0)[0, :3]
    np.testing.assert_allclose(padded, model(SHORT)[0], rtol=1e-5, atol=1e-6)


def test_the_loss_of_a_model_with_its_own_call_leaves_padding_out():
    model = Chain(Words(), LSTM(3, return_sequences=True), Dense(2))
    model.compile("sgd", "mse", weighted_metrics=["mae"])
    y = np.random.default_rng(0).random((2, 5, 2), "float32")
    loss, error = model.evaluate(WORDS, y, verbose=0)
    gap = (model.predict(WORDS, verbose=0) - y)[WORDS > 0]
    np.testing.assert_allclose([loss, error], [np.mean(gap**2), np.mean(np.abs(gap))], rtol=1e-5)


def test_a_model_with_its_own_call_takes_and_gives_masks_in_a_graph():
    words = Input((5,), dtype="int32")
    shown = Shown()(Chain(Dropout(0.5), Dense(2))(embedding()(words)))
    np.testing.assert_array_equal(Model(words, shown).predict(WORDS, verbose=0), WORDS > 0)


def test_arrays_keep_their_masks_from_layer_to_layer():
    y = Dense(2)(embedding()(WORDS))
    np.testing.assert_array_equal(Shown()(y), WORDS > 0)
    np.testing.assert_array_equal(Shown()(y + 0), [9.0])


@pytest.mark.parametrize(
    "make", [lambda: EinsumDense("abc,cd->abd", (None, 2)), RMSNormalization, lambda: Lambda(abs)]
)
def test_some_layers_end_a_mask(make):
    # supports_masking of these in Keras 3.15
    np.testing.assert_array_equal(Chain(embedding(), make(), Shown())(WORDS), [9.0])


def test_a_mask_is_forgotten_with_its_array():
    x = ops.ones((2, 3))
    attach(x, ops.ones((2,), "bool"))
    number = id(x)
    del x
    assert number not in masks._known
    assert mask_of(ops.ones((2, 3))) is None


def test_a_mask_of_attention_may_be_the_same_for_all_queries_or_all_rows():
    x = np.random.default_rng(0).random((2, 3, 4), "float32")
    seen = np.array([[1, 1, 0], [1, 0, 1]])
    layer = MultiHeadAttention(2, 3)
    whole = np.broadcast_to(seen[:, None], (2, 3, 3))
    expected = layer(x, x, attention_mask=whole)
    np.testing.assert_allclose(layer(x, x, attention_mask=seen[:, None]), expected, rtol=1e-6)
    below = np.tril(np.ones((3, 3), bool))
    expected = layer(x, x, use_causal_mask=True)
    np.testing.assert_allclose(layer(x, x, attention_mask=below), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("make", "expected"),
    [  # what Keras 3.15 gives where the first, where both inputs are masked
        (Multiply, ([[8.0], [3.0], [0.0], [0.0]], [[8.0], [3.0], [-5.0], [0.0]])),
        (Maximum, ([[4.0], [3.0], [0.0], [0.0]], [[4.0], [3.0], [-5.0], [0.0]])),
        (Minimum, ([[2.0], [3.0], [-5.0], [0.0]], [[2.0], [3.0], [-5.0], [0.0]])),
    ],
)
def test_what_a_mask_hides_of_one_input_is_left_to_the_other(make, expected):
    first = np.array([[[2.0], [0.0], [-5.0], [0.0]]], "float32")
    second = np.array([[[4.0], [3.0], [0.0], [0.0]]], "float32")
    masked = Masking()
    np.testing.assert_array_equal(make()([masked(first), masked(second)])[0], expected[1])
    np.testing.assert_array_equal(make()([masked(first), second])[0], expected[0])


@pytest.mark.parametrize(
    "make",
    [
        lambda: LSTM(2),
        lambda: Bidirectional(LSTM(2)),
        lambda: Sequential([Dense(2), LSTM(2)]),
        lambda: GlobalAveragePooling1D(),
    ],
)
def test_a_mask_that_a_symbolic_call_is_told_is_the_one_that_counts(make):
    words, x = Input((5,), dtype="int32"), Input((5, 4))
    layer = make()
    model = Model([words, x], layer(x, mask=words != 0))
    values = np.random.default_rng(0).random((2, 5, 4), "float32")
    expected = layer(values, mask=WORDS != 0)
    np.testing.assert_allclose(model.predict([WORDS, values], verbose=0), expected, rtol=1e-5)
    np.testing.assert_allclose(expected[:1], layer(values[:1, :3]), rtol=1e-5)


def test_a_call_of_a_users_layer_is_told_a_symbolic_mask():
    words, x = Input((5,), dtype="int32"), Input((5, 4))
    model = Model([words, x], Shown()(x, mask=words != 0))
    given = model.predict([WORDS, np.ones((2, 5, 4))], verbose=0)
    np.testing.assert_array_equal(given, WORDS != 0)


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_attention_takes_a_symbolic_mask_of_its_own(tmp_path, dropout):
    x, seen = Input((5, 4)), Input((5, 5), dtype="bool")
    layer = MultiHeadAttention(2, 3, dropout=dropout)
    model = Model([x, seen], layer(x, x, attention_mask=seen))
    values = np.random.default_rng(0).random((2, 5, 4), "float32")
    shown = np.random.default_rng(1).random((2, 5, 5)) > 0.3
    expected = layer(values, values, attention_mask=shown)
    model.save(tmp_path / "attention.keras")
    for own in (model, load_model(tmp_path / "attention.keras")):
        given = own.predict([values, shown], verbose=0)
        np.testing.assert_allclose(given, expected, rtol=1e-5, atol=1e-6)
