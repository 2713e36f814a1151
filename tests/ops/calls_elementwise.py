"""Calls of arithmetic, bounds and complex numbers: by name, inputs and what to do with them."""

import ml_dtypes
import numpy as np

A = np.linspace(-2, 2, 6, dtype="float32").reshape(2, 3)
B = np.asarray([[1, 2, 3], [-1, 0.5, 4]], "float32")
P = np.abs(B)
N = np.asarray([[1, -2, 3], [4, 5, -6]], "int32")
M = np.asarray([[4, 3, 2], [-2, 7, 4]], "int32")
H = A.astype(ml_dtypes.bfloat16)
T = N > 0
Z = (A + 1j * B).astype("complex64")
W = np.asarray([np.nan, np.inf, -np.inf, 0.0, -0.0, 2.5], "float32")
FAR = np.asarray([-1e30, -300, -1.5, 0.5, 129, 300, 7e4, 3e9, np.inf, -np.inf], "float32")
WIDE = np.asarray([-(2**31), -129, -1, 0, 1, 255, 256, 2**31 - 1], "int32")


def one(name, *inputs):
    """A call with one array, for each of the inputs."""
    return [((x,), lambda ops, x: getattr(ops, name)(x)) for x in inputs]


def two(name, *pairs):
    """A call with two arrays, for each of the pairs."""
    return [(pair, lambda ops, x, y: getattr(ops, name)(x, y)) for pair in pairs]


CALLS = {
    **{name: one(name, A, N, H, T) for name in ("ceil", "floor", "square")},
    **{name: one(name, A, N, H) for name in ("abs", "absolute", "fabs", "negative", "sign")},
    **{name: one(name, W, N, H) for name in ("signbit", "trunc")},
    **{name: one(name, P, M, H) for name in ("cbrt", "reciprocal", "sqrt")},
    **{
        name: two(name, (A, B), (N, M), (N, A), (H, H))
        for name in ("add", "fmax", "fmin", "maximum", "minimum", "multiply", "subtract")
    },
    **{
        name: two(name, (A, B), (N, M), (H, N))
        for name in ("divide", "floor_divide", "fmod", "mod", "true_divide")
    },
    **{name: two(name, (N, M)) for name in ("gcd", "lcm")},
    "rsqrt": one("rsqrt", P),
    "divide_no_nan": [
        *two("divide_no_nan", (A, np.asarray([[0, 2, 0], [1, 0, 4]], "float32")), (N, N * 0)),
        ((A,), lambda ops, x: ops.divide_no_nan(x, 0)),
    ],
    "heaviside": [*two("heaviside", (W, W), (N, A)), ((N,), lambda ops, x: ops.heaviside(x, 0.5))],
    "hypot": two("hypot", (A, B), (H, H)),
    "kron": [*two("kron", (A, B), (N, A)), ((A[0],), lambda ops, x: ops.kron(x, [1, 2]))],
    "ldexp": two("ldexp", (A, N), (H, N)),
    "nextafter": two("nextafter", (A, B), (W, A[0, 0] * np.ones(6, "float32"))),
    "power": [
        *two("power", (P, A), (N, np.abs(M)), (N, A)),
        ((A,), lambda ops, x: ops.power(x, 2)),
        ((N,), lambda ops, x: ops.power(x, 0.5 * 4)),
        ((H,), lambda ops, x: ops.power(x, 3.0)),
    ],
    "scalars": [
        ((N,), lambda ops, x: ops.add(x, 1.5)),
        ((H,), lambda ops, x: ops.multiply(2.0, x)),
        ((N,), lambda ops, x: ops.divide(x, 2)),
        ((H,), lambda ops, x: ops.maximum(x, 0.25)),
        ((A,), lambda ops, x: ops.subtract([1, 2, 3], x)),
        ((), lambda ops: ops.add([1, 2], [0.5, 1.5])),
        ((), lambda ops: ops.abs([-1, 2])),
    ],
    "clip": [
        ((A,), lambda ops, x: ops.clip(x, -1, 1)),
        ((N,), lambda ops, x: ops.clip(x, -1, 2)),
        ((N,), lambda ops, x: ops.clip(x, -1.5, 2.5)),
        ((T,), lambda ops, x: ops.clip(x, 0, 1)),
        ((H,), lambda ops, x: ops.clip(x, -0.5, 0.5)),
        ((A, B), lambda ops, x, high: ops.clip(x, -1, high)),
    ],
    "round": [
        *one("round", A, N, H),
        ((A,), lambda ops, x: ops.round(x, 1)),
        ((FAR[1:6],), lambda ops, x: ops.round(x, decimals=-2)),
        ((N * 7,), lambda ops, x: ops.round(x, decimals=-1)),
        ((N,), lambda ops, x: ops.round(x, decimals=2)),
    ],
    "nan_to_num": [
        *one("nan_to_num", W, N),
        ((W,), lambda ops, x: ops.nan_to_num(x, nan=1.0, posinf=2.0, neginf=-3.0)),
    ],
    "saturate_cast": [
        *[
            ((FAR,), lambda ops, x, dtype=dtype: ops.saturate_cast(x, dtype))
            for dtype in ("uint8", "int8", "int32", "uint32", "float16", "bfloat16", "float32")
        ],
        *[
            ((WIDE,), lambda ops, x, dtype=dtype: ops.saturate_cast(x, dtype))
            for dtype in ("uint8", "int16", "uint32", "float16", "bool")
        ],
        ((H,), lambda ops, x: ops.saturate_cast(x * 1000, "int8")),
        ((T,), lambda ops, x: ops.saturate_cast(x, "float32")),
    ],
    "stop_gradient": one("stop_gradient", A, N),
    **{
        name: one(name, Z, A, N)
        for name in ("angle", "conj", "conjugate", "imag", "isreal", "real")
    },
    "polar": two("polar", (P, A), (N, A)),
    "view_as_complex": one("view_as_complex", A.reshape(3, 2), N.reshape(3, 2)),
    "view_as_real": one("view_as_real", Z, A),
    "complex": [
        *two("multiply", (Z, Z), (Z, A)),
        *one("abs", Z),
        *one("sqrt", Z),
        *one("sign", Z),
    ],
}
EAGER = set()
"""Operations that take no symbolic tensors here."""
