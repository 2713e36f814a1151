"""Calls of arithmetic operations: by name, inputs and what to do with them."""

import numpy as np

A = np.linspace(-2, 2, 6, dtype="float32").reshape(2, 3)
B = np.asarray([[1, 2, 3], [-1, 0.5, 4]], "float32")
N = np.asarray([[1, -2, 3], [4, 5, -6]], "int32")

CALLS = {
    "abs": [((A,), lambda ops, x: ops.abs(x)), ((N,), lambda ops, x: ops.abs(x))],
    "add": [((A, B), lambda ops, x, y: ops.add(x, y)), ((N,), lambda ops, x: ops.add(x, 1.5))],
}
EAGER = set()
"""Operations that take no symbolic tensors here."""
