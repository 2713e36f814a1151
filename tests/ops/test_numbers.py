"""Operations on numbers beyond the golden results: what they refuse, limits and derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import Input, ops


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ops.fabs(jnp.ones(2, "complex64")), TypeError, "real numbers"),
        (lambda: ops.ldexp(1.0, 0.5), TypeError, "integers as exponents"),
        (lambda: ops.view_as_complex(jnp.ones((2, 3))), ValueError, r"got shape \(2, 3\)"),
        (lambda: ops.searchsorted(jnp.ones((2, 3)), 1), ValueError, "one sorted axis"),
        (lambda: ops.where(True, x2=1), ValueError, "x1 is missing"),
        (lambda: ops.histogram(jnp.ones(3), bins=2.5), TypeError, "number of bins"),
        (lambda: ops.histogram(jnp.ones(3), bins=-1), ValueError, "negative"),
        (lambda: ops.histogram(jnp.ones(3), range=(2, 1)), ValueError, "two ends"),
        (lambda: ops.histogram(jnp.ones((3, 2))), ValueError, "one axis"),
        (lambda: ops.bincount(Input((), dtype="int32")), ValueError, "can't run in a graph"),
    ],
)
def test_what_an_operation_cannot_take_is_told(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_floats_saturate_at_the_very_extremes_of_integers(dtype):
    x = jnp.asarray([-jnp.inf, jnp.inf, jnp.nan, 3.0], dtype)
    for target in ("int8", "uint8", "int32", "uint32"):
        info = jnp.iinfo(target)
        low, high = (info.min, info.max) if dtype != "float16" else (-65504, 65504)
        expected = [max(info.min, low), min(info.max, high), 0, 3]
        assert ops.saturate_cast(x, target).tolist() == expected


def test_integers_become_floats_within_their_range():
    assert ops.saturate_cast(jnp.asarray([5, -7]), "float32").tolist() == [5.0, -7.0]


def test_counts_of_small_integer_types_and_of_nothing():
    assert ops.bincount(jnp.asarray([2, 0, 2], "uint8")).tolist() == [1, 0, 2]
    assert ops.bincount(jnp.zeros((0,), "int32")).shape == (0,)
    rows = jnp.asarray([[1, 1], [3, 0]])
    assert ops.bincount(rows).tolist() == [[0, 2, 0, 0], [1, 0, 0, 1]]


def test_a_division_by_zero_is_constant_in_derivatives():
    slope = jax.grad(lambda x: ops.sum(ops.divide_no_nan(1.0, x)))(jnp.asarray([0.0, 2.0]))
    np.testing.assert_allclose(slope, [0, -0.25])


def test_half_precision_in_polar_form_gives_single_precision_complex_numbers():
    y = ops.polar(jnp.ones(2, "bfloat16"), jnp.zeros(2, "bfloat16"))
    assert y.dtype == "complex64"
    assert y.tolist() == [1, 1]


def test_axes_may_be_a_list():
    x = jnp.arange(24.0).reshape(2, 3, 4)
    for name in ("sum", "median", "count_nonzero", "norm", "quantile"):
        more = (0.5,) if name == "quantile" else ()
        np.testing.assert_allclose(
            getattr(ops, name)(x, *more, axis=[0, 1]), getattr(ops, name)(x, *more, axis=(0, 1))
        )


def test_shares_may_be_whole_numbers():
    assert ops.quantile(jnp.asarray([1.0, 3.0]), 1) == 3
