"""Calls of exponentials, logarithms, angles and special functions: by name."""

import ml_dtypes
import numpy as np

A = np.linspace(-2, 2, 6, dtype="float32").reshape(2, 3)
UNIT = np.linspace(-0.9, 0.9, 6, dtype="float32").reshape(2, 3)
P = np.linspace(1, 9, 6, dtype="float32").reshape(2, 3)
N = np.asarray([[1, 2, 3], [4, 5, 6]], "int32")
T = np.asarray([True, False, True])
H = P.astype(ml_dtypes.bfloat16)
Z = (A + 1j * P).astype("complex64")


def one(name, *inputs):
    """A call with one array, for each of the inputs."""
    return [((x,), lambda ops, x: getattr(ops, name)(x)) for x in inputs]


def two(name, *pairs):
    """A call with two arrays, for each of the pairs."""
    return [(pair, lambda ops, x, y: getattr(ops, name)(x, y)) for pair in pairs]


CALLS = {
    **{
        name: one(name, UNIT, T, UNIT.astype(ml_dtypes.bfloat16))
        for name in ("arccos", "arcsin", "arctanh")
    },
    **{
        name: one(name, A, N, T, H)
        for name in ("arcsinh", "arctan", "cos", "cosh", "exp", "exp2", "expm1")
    },
    **{name: one(name, A, N, H) for name in ("i0", "sin", "sinc", "sinh", "tan", "tanh")},
    **{name: one(name, P, N, H, T) for name in ("log", "log10", "log1p", "log2")},
    **{name: one(name, 100 * A, N, H) for name in ("deg2rad", "rad2deg")},
    **{
        name: [
            *two(name, (A, P), (N, N), (H, A), (H, H)),
            ((H,), lambda ops, x, name=name: getattr(ops, name)(x, 1.0)),
        ]
        for name in ("arctan2", "logaddexp", "logaddexp2")
    },
    **{name: one(name, UNIT, H / 10) for name in ("erf", "erfc", "erfinv")},
    "arccosh": one("arccosh", P, N, H),
    "complex": [*one("exp", Z), *one("sin", Z), *one("log", Z)],
    "lists": [
        ((), lambda ops: ops.exp([0, 1])),
        ((), lambda ops: ops.log([1.0, 2.0])),
        ((), lambda ops: ops.sin(1)),
    ],
}
EAGER = set()
