import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from funkeras import functional as F


def run(pair, x, **flow):
    return np.asarray(pair.apply({}, {}, jnp.asarray(x), **flow)[0])


def naive(x, size, strides, same, reduce):
    """Windows of one axis, one by one; `same` pads as TensorFlow does."""
    n = x.shape[1]
    count = -(-n // strides) if same else (n - size) // strides + 1
    before = max((count - 1) * strides + size - n, 0) // 2 if same else 0
    starts = [index * strides - before for index in range(count)]
    return np.stack([reduce(x[:, max(s, 0) : s + size], axis=1) for s in starts], 1)


@pytest.mark.parametrize("same", [False, True], ids=["valid", "same"])
@pytest.mark.parametrize(("size", "strides"), [(1, 1), (2, 2), (3, 1), (3, 2), (5, 3), (8, 8)])
@pytest.mark.parametrize(
    ("make", "reduce"), [(F.max_pooling1d, np.max), (F.average_pooling1d, np.mean)]
)
def test_pooling_reduces_each_window(make, reduce, size, strides, same):
    x = np.random.default_rng(0).standard_normal((2, 11, 3)).astype("float32")
    y = run(make(size, strides, "same" if same else "valid"), x)
    np.testing.assert_allclose(y, naive(x, size, strides, same, reduce), rtol=1e-6, atol=1e-6)


def test_pooling_of_images_is_pooling_of_rows_and_columns():
    x = np.arange(2 * 4 * 6.0, dtype="float32").reshape(2, 4, 6, 1)
    blocks = x.reshape(2, 2, 2, 3, 2, 1)
    np.testing.assert_array_equal(run(F.max_pooling2d(), x), blocks.max((2, 4)))
    np.testing.assert_array_equal(run(F.average_pooling2d(), x), blocks.mean((2, 4)))


def test_of_equal_values_the_first_has_the_whole_gradient():
    def library(x):
        return lax.reduce_window(x, -jnp.inf, lax.max, (1, 3, 2, 1), (1, 2, 1, 1), "VALID")

    x = jnp.asarray(np.random.default_rng(0).integers(0, 2, (3, 7, 6, 2)), "float32")
    pair = F.max_pooling2d((3, 2), (2, 1))
    ours = jax.grad(lambda x: jnp.sum(pair.apply({}, {}, x)[0] ** 3 + pair.apply({}, {}, x)[0]))(x)
    np.testing.assert_array_equal(
        ours, jax.grad(lambda x: jnp.sum(library(x) ** 3 + library(x)))(x)
    )


def test_a_nan_is_not_lost_in_a_maximum():
    x = np.zeros((1, 4, 1), "float32")
    x[0, 1] = np.nan
    np.testing.assert_array_equal(np.isnan(run(F.max_pooling1d(), x))[0, :, 0], [True, False])


def test_whole_numbers_pool_to_whole_numbers_or_their_mean():
    x = np.arange(4)[None, :, None]
    assert run(F.max_pooling1d(), x).ravel().tolist() == [1, 3]
    assert run(F.average_pooling1d(), x).ravel().tolist() == [0.5, 2.5]


def test_a_masked_mean_is_over_the_steps_that_are_kept():
    x = np.arange(12.0, dtype="float32").reshape(2, 3, 2)
    mask = jnp.asarray([[True, False, True], [False, False, False]])
    y = run(F.global_average_pooling1d(), x, mask=mask)
    np.testing.assert_array_equal(y, [[2, 3], [0, 0]])


def test_pool_size_must_fit_and_padding_be_known():
    with pytest.raises(ValueError, match=r"pool_size \(5,\) must fit the input, got one of \(4,\)"):
        F.output_shape(F.max_pooling1d(5), (None, 4, 1))
    with pytest.raises(ValueError, match="padding must be one of valid, same; got 'full'"):
        F.max_pooling2d(padding="full")
