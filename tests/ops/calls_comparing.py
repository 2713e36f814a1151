"""Calls of comparisons, logic, bits and tests: by name, inputs and what to do with them."""

import ml_dtypes
import numpy as np

A = np.asarray([[-2, 0, 1.5], [1, 2, -0.0]], "float32")
B = np.asarray([[-2, 0.5, 1], [2, 2, 0]], "float32")
N = np.asarray([[1, -2, 3], [0, 5, -6]], "int32")
M = np.asarray([[4, 3, 2], [0, 7, 1]], "int32")
T = N > 0
S = M > 2
H = B.astype(ml_dtypes.bfloat16)
W = np.asarray([np.nan, np.inf, -np.inf, 0.0, -0.0, 2.5], "float32")
V = np.asarray([np.nan, np.inf, np.inf, 1e-9, 0.0, 2.50001], "float32")


def one(name, *inputs):
    """A call with one array, for each of the inputs."""
    return [((x,), lambda ops, x: getattr(ops, name)(x)) for x in inputs]


def two(name, *pairs):
    """A call with two arrays, for each of the pairs."""
    return [(pair, lambda ops, x, y: getattr(ops, name)(x, y)) for pair in pairs]


CALLS = {
    **{
        name: [
            *two(name, (A, B), (N, M), (H, A), (W, V)),
            ((N,), lambda ops, x, name=name: getattr(ops, name)(x, 1.5)),
            ((A,), lambda ops, x, name=name: getattr(ops, name)([-2, 1, 1.5], x)),
        ]
        for name in ("equal", "greater", "greater_equal", "less", "less_equal", "not_equal")
    },
    **{
        name: [
            *two(name, (T, S), (A, B), (N, T)),
            ((T,), lambda ops, x, name=name: getattr(ops, name)(x, False)),
        ]
        for name in ("logical_and", "logical_or", "logical_xor")
    },
    "logical_not": one("logical_not", T, A, N),
    **{
        name: [
            *two(name, (N, M), (T, S)),
            ((N,), lambda ops, x, name=name: getattr(ops, name)(x, 6)),
        ]
        for name in ("bitwise_and", "bitwise_or", "bitwise_xor")
    },
    **{name: one(name, N, T, M.astype("uint8")) for name in ("bitwise_invert", "bitwise_not")},
    **{
        name: [
            *two(name, (N, M), (M.astype("uint8"), M.astype("uint8"))),
            ((M.astype("uint8"),), lambda ops, x, name=name: getattr(ops, name)(x, 1)),
        ]
        for name in ("bitwise_left_shift", "left_shift", "bitwise_right_shift", "right_shift")
    },
    **{
        name: one(name, W, N, H)
        for name in ("isfinite", "isinf", "isnan", "isneginf", "isposinf", "isreal")
    },
    **{
        name: [
            *two(name, (W, V), (A, A + 1e-7), (N, M)),
            ((W, V), lambda ops, x, y, name=name: getattr(ops, name)(x, y, equal_nan=True)),
            ((A, B), lambda ops, x, y, name=name: getattr(ops, name)(x, y, rtol=0.5, atol=0.6)),
        ]
        for name in ("isclose", "allclose")
    },
    "isin": [
        *two("isin", (A, B[0]), (N, M)),
        ((N, M), lambda ops, x, y: ops.isin(x, y, assume_unique=True, invert=True)),
        ((N,), lambda ops, x: ops.isin(x, [1, 5])),
    ],
    "where": [
        ((T, A, B), lambda ops, c, x, y: ops.where(c, x, y)),
        ((T, N, A), lambda ops, c, x, y: ops.where(c, x, y)),
        ((T, H), lambda ops, c, x: ops.where(c, x, 0.0)),
        ((N, A), lambda ops, c, x: ops.where(c, x, 1)),
        ((T,), lambda ops, c: ops.where(c, 1, 0)),
    ],
    "where_indices": [((x,), lambda ops, c: ops.where(c)) for x in (T, N)],
}
EAGER = {"where_indices"}
