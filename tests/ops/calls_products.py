"""Calls that multiply arrays or read diagonals: by name, inputs and what to do with them."""

import numpy as np

A = np.linspace(-2, 2, 6, dtype="float32").reshape(2, 3)
B = np.asarray([[1, 2, 3], [-1, 0.5, 4]], "float32")
N = np.asarray([[1, -2, 3], [4, 5, -6]], "int32")
V = np.asarray([1, 2.5, -3], "float32")
J = np.asarray([1, 2, 3], "int32")
T = np.linspace(-1, 2, 24, dtype="float32").reshape(2, 3, 4)
U = np.linspace(1, -2, 40, dtype="float32").reshape(2, 4, 5)
BYTES = np.asarray([[100, -100], [120, 3]], "int8")
YES = N > 0


def same(name, *pairs):
    """The operation of two arguments, of each pair."""
    return [(pair, lambda ops, x, y: getattr(ops, name)(x, y)) for pair in pairs]


def narrow(name):
    def call(ops, x, y):
        return getattr(ops, name)(ops.cast(x, "bfloat16"), ops.cast(y, "bfloat16"))

    return call


CALLS = {
    "cdist": [
        *same("cdist", (A, B), (T, T[:, :2]), (T, T[0]), (N, N[:1])),
        ((A, B), narrow("cdist")),
    ],
    "cross": [
        *same("cross", (A, B), (A, V), (N, A)),
        ((A, B), lambda ops, x, y: ops.cross(x[:, :2], y[:, :2])),
        ((A, B), lambda ops, x, y: ops.cross(x[:, :2], y)),
        ((T, T[::-1]), lambda ops, x, y: ops.cross(x, y, axis=1)),
        ((A.T, B), lambda ops, x, y: ops.cross(x, y, axisa=0, axisc=0)),
        ((A, B.T), lambda ops, x, y: ops.cross(x, y, axisb=0)),
    ],
    "diag": [
        ((A,), lambda ops, x: ops.diag(x)),
        ((N,), lambda ops, x: ops.diag(x, k=1)),
        ((V,), lambda ops, x: ops.diag(x, -1)),
    ],
    "diagflat": [
        ((A,), lambda ops, x: ops.diagflat(x)),
        ((J,), lambda ops, x: ops.diagflat(x, k=1)),
    ],
    "diagonal": [
        ((A,), lambda ops, x: ops.diagonal(x)),
        ((T,), lambda ops, x: ops.diagonal(x, offset=1)),
        ((T,), lambda ops, x: ops.diagonal(x, offset=-1, axis1=-1, axis2=1)),
        ((N,), lambda ops, x: ops.diagonal(x, 1)),
    ],
    "dot": [
        *same("dot", (A, V), (V, V), (N, J), (T, U[0]), (A, B.T), (N, V), (YES, YES.T)),
        ((A, V), lambda ops, x, y: ops.dot(x, 2.0)),
    ],
    "einsum": [
        ((A, B), lambda ops, x, y: ops.einsum("ij,kj->ik", x, y)),
        ((T, U), lambda ops, x, y: ops.einsum("...ij,...jk->...ki", x, y)),
        ((A,), lambda ops, x: ops.einsum("ij->j", x)),
        ((A, B, V), lambda ops, x, y, z: ops.einsum("ij,kj,j", x, y, z)),
        ((N, A), lambda ops, x, y: ops.einsum("ij,ij->i", x, y)),
        ((N, N), lambda ops, x, y: ops.einsum("ij,kj->ik", x, y)),
        ((BYTES, BYTES), lambda ops, x, y: ops.einsum("ij,jk->ik", x, y)),
        ((A, B), lambda ops, x, y: ops.einsum("ij,kj", ops.cast(x, "bfloat16"), y)),
        ((A, B), lambda ops, x, y: ops.einsum("ij,kj", x, y, optimize="optimal")),
    ],
    "inner": same("inner", (V, V), (A, B), (T, T), (N, J), (N, A)),
    "matmul": [
        *same("matmul", (A, B.T), (T, U), (T, U[0]), (V, A.T), (A, V), (N, N.T), (N, A.T)),
        *same("matmul", (BYTES, BYTES), (BYTES, BYTES.astype("int32")), (YES, YES.T)),
        ((A, B.T), narrow("matmul")),
    ],
    "outer": [
        *same("outer", (V, J), (A, V), (N, J)),
        ((V,), lambda ops, x: ops.outer(x, 2)),
    ],
    "tensordot": [
        ((A, B), lambda ops, x, y: ops.tensordot(x, y)),
        ((T, U), lambda ops, x, y: ops.tensordot(x, y, axes=((2, 0), (1, 0)))),
        ((A, B), lambda ops, x, y: ops.tensordot(x, y, axes=[[1], [1]])),
        ((A, V), lambda ops, x, y: ops.tensordot(x, y, 1)),
        ((N, J), lambda ops, x, y: ops.tensordot(x, y, axes=0)),
    ],
    "trace": [
        ((A,), lambda ops, x: ops.trace(x)),
        ((T,), lambda ops, x: ops.trace(x, offset=-1, axis1=1, axis2=2)),
        ((N,), lambda ops, x: ops.trace(x, 1)),
        ((YES,), lambda ops, x: ops.trace(x)),
        ((BYTES,), lambda ops, x: ops.trace(x)),
        ((A,), lambda ops, x: ops.trace(ops.cast(x, "bfloat16"))),
    ],
    "tril": [
        ((A,), lambda ops, x: ops.tril(x)),
        ((T,), lambda ops, x: ops.tril(x, k=1)),
        ((YES,), lambda ops, x: ops.tril(x, -1)),
    ],
    "triu": [
        ((A,), lambda ops, x: ops.triu(x)),
        ((T,), lambda ops, x: ops.triu(x, k=-1)),
        ((N,), lambda ops, x: ops.triu(x, 1)),
    ],
    "vdot": same("vdot", (A, B), (N, N), (N, A), (V, J)),
}
EAGER = set()
"""Operations that take no symbolic tensors here."""
