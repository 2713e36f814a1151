import jax
import jax.numpy as jnp
import numpy as np
import pytest
from golden_layers import cases, check

from funkeras import functional as F

KEY = jax.random.key(3)
CLASSES = ("Embedding",)


@pytest.mark.parametrize("case", cases(*CLASSES), ids=lambda case: case["id"])
def test_layer_equals_genuine_keras(case):
    check(case)


TABLE = {"embeddings": jnp.arange(8.0).reshape(4, 2) + 1}


def test_numbers_outside_the_table_give_nan_and_no_gradient_to_others():
    pair = F.embedding(4, 2)
    x = jnp.asarray([[0, 4, -1, 3]])
    y, _ = pair.apply(TABLE, {}, x)
    np.testing.assert_array_equal(np.isnan(y[0, :, 0]), [False, True, True, False])
    grad = jax.grad(lambda params: jnp.nansum(pair.apply(params, {}, x)[0]))(TABLE)
    np.testing.assert_array_equal(grad["embeddings"][:, 0], [1, 0, 0, 1])


@pytest.mark.parametrize("dtype", ["float32", "uint8", "int32"])
def test_inputs_of_every_dtype_are_row_numbers(dtype):
    x = jnp.asarray([[3, 0]], dtype)
    y, _ = F.embedding(4, 2).apply(TABLE, {}, x)
    np.testing.assert_array_equal(y, TABLE["embeddings"][jnp.asarray([[3, 0]])])


def test_only_mask_zero_makes_a_mask():
    x = jnp.asarray([[3, 0]])
    assert F.embedding(4, 2).mask(x, None) is None
    np.testing.assert_array_equal(F.embedding(4, 2, mask_zero=True).mask(x, None), [[True, False]])


def test_dropout_zeroes_whole_words_wherever_they_occur():
    pair = F.embedding(100, 3, dropout=0.25)
    params = {"embeddings": jnp.ones((100, 3))}
    x = jnp.concatenate([jnp.arange(100), jnp.arange(100)])[None]
    y, _ = pair.apply(params, {}, x, training=True, key=KEY)
    assert set(np.unique(np.round(y, 4))) == {0, np.float32(1.3333)}
    np.testing.assert_array_equal(y[0, :100], y[0, 100:])
    assert (y == y[..., :1]).all()
    assert 10 < (y[0, :100, 0] == 0).sum() < 45
    np.testing.assert_array_equal(pair.apply(params, {}, x)[0], np.ones((1, 200, 3)))
    with pytest.raises(ValueError, match="needs a key"):
        pair.apply(params, {}, x, training=True)


def test_positions_have_the_shape_of_the_input():
    pair = F.position_embedding(5)
    x = jnp.zeros((2, 3, 4))
    params, _ = pair.init(KEY, (None, None, 4))
    y, _ = pair.apply(params, {}, x)
    for row in y:
        np.testing.assert_array_equal(row, params["position_embeddings"][:3])
    with pytest.raises(ValueError, match="sequence_length is 5, got an input of 6 steps"):
        pair.apply(params, {}, jnp.zeros((2, 6, 4)))
