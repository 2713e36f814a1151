"""Calls of linear algebra: by name, inputs and what to do with them."""

import numpy as np

M = np.asarray([[3, 1, -1], [0.5, -2, 1], [1, 1, 4]], "float32")
MANY = np.stack([M, M.T + np.eye(3, dtype="float32")])
S = M @ M.T + np.eye(3, dtype="float32")
MANY_S = np.stack([S, S / 2])
N = np.asarray([[2, 1], [1, 3]], "int32")
R = np.asarray([[1, 2], [0.5, -1], [3, 0], [1, 1]], "float32")
V = np.asarray([1, 2.5, -3], "float32")
X = np.asarray([[1, 0], [2.5, 1], [-3, 2]], "float32")
LOW = np.linalg.cholesky(S).astype("float32")
FLAT = np.asarray([[1, 2, 3], [2, 4, 6], [1, 0, 1]], "float32")


def from_eig(ops, x):
    values, vectors = ops.eig(x)
    return ops.matmul(vectors * ops.expand_dims(values, -2), ops.inv(vectors))


def from_eigh(ops, x):
    values, vectors = ops.eigh(x)
    scaled = vectors * ops.expand_dims(values, -2)
    return values, ops.matmul(scaled, ops.swapaxes(vectors, -1, -2))


def from_qr(mode):
    def call(ops, x):
        q, r = ops.qr(x, mode=mode)
        return ops.matmul(q, r), ops.matmul(ops.swapaxes(q, -1, -2), q), ops.abs(r)

    return call


def from_svd(ops, x):
    u, s, v = ops.svd(x, full_matrices=False)
    return s, ops.matmul(u * ops.expand_dims(s, -2), v)


def square_svd(ops, x):
    u, s, v = ops.svd(x)
    squares = [ops.matmul(own, ops.swapaxes(own, -1, -2)) for own in (u, v)]
    return s, *squares


CALLS = {
    "cholesky": [
        ((S,), lambda ops, x: ops.cholesky(x)),
        ((MANY_S,), lambda ops, x: ops.cholesky(x, upper=True)),
        ((N,), lambda ops, x: ops.cholesky(x)),
    ],
    "cholesky_inverse": [
        ((LOW,), lambda ops, x: ops.cholesky_inverse(x)),
        ((LOW.T,), lambda ops, x: ops.cholesky_inverse(x, upper=True)),
    ],
    "det": [
        ((M,), lambda ops, x: ops.det(x)),
        ((MANY,), lambda ops, x: ops.det(x)),
        ((N,), lambda ops, x: ops.det(x)),
    ],
    "eig": [((M,), from_eig), ((MANY,), from_eig)],
    "eigh": [((S,), from_eigh), ((MANY_S,), from_eigh)],
    "inv": [
        ((M,), lambda ops, x: ops.inv(x)),
        ((MANY,), lambda ops, x: ops.inv(x)),
        ((N,), lambda ops, x: ops.inv(x)),
    ],
    "logdet": [((S,), lambda ops, x: ops.logdet(x)), ((MANY,), lambda ops, x: ops.logdet(x))],
    "lstsq": [
        ((R, R[:, 0]), lambda ops, a, b: ops.lstsq(a, b + 1)),
        ((R, R), lambda ops, a, b: ops.lstsq(a, b * b)),
        ((FLAT, V), lambda ops, a, b: ops.lstsq(a, b, rcond=0.1)),
        ((FLAT[:2], V[:2]), lambda ops, a, b: ops.lstsq(a, b)),
    ],
    "lu_factor": [
        ((M,), lambda ops, x: ops.lu_factor(x)),
        ((MANY,), lambda ops, x: ops.lu_factor(x)),
        ((R,), lambda ops, x: ops.lu_factor(x)),
    ],
    "matrix_rank": [
        ((M,), lambda ops, x: ops.matrix_rank(x)),
        ((FLAT,), lambda ops, x: ops.matrix_rank(x)),
        ((MANY,), lambda ops, x: ops.matrix_rank(x, tol=3.0)),
    ],
    "pinv": [
        ((R,), lambda ops, x: ops.pinv(x)),
        ((MANY,), lambda ops, x: ops.pinv(x)),
        ((FLAT,), lambda ops, x: ops.pinv(x, rcond=0.2)),
    ],
    "qr": [
        ((M,), from_qr("reduced")),
        ((R,), from_qr("reduced")),
        ((R,), from_qr("complete")),
        ((MANY,), from_qr("complete")),
    ],
    "slogdet": [
        ((M,), lambda ops, x: ops.slogdet(x)),
        ((MANY,), lambda ops, x: ops.slogdet(x)),
        ((N,), lambda ops, x: ops.slogdet(x)),
    ],
    "solve": [
        ((M, V), lambda ops, a, b: ops.solve(a, b)),
        ((M, X), lambda ops, a, b: ops.solve(a, b)),
        ((MANY, X), lambda ops, a, b: ops.solve(a, ops.stack([b, b]))),
        ((MANY, V), lambda ops, a, b: ops.solve(a, b)),
        ((N, N[0]), lambda ops, a, b: ops.solve(a, b)),
    ],
    "solve_triangular": [
        ((M, V), lambda ops, a, b: ops.solve_triangular(a, b)),
        ((LOW, X), lambda ops, a, b: ops.solve_triangular(a, b, lower=True)),
        ((MANY, X), lambda ops, a, b: ops.solve_triangular(a, ops.stack([b, b]))),
        ((MANY, X), lambda ops, a, b: ops.solve_triangular(a, b)),
        ((MANY, X), lambda ops, a, b: ops.solve_triangular(a, ops.transpose(b))),
        ((MANY, V), lambda ops, a, b: ops.solve_triangular(a, b)),
    ],
    "svd": [
        ((R,), from_svd),
        ((MANY,), from_svd),
        ((R,), square_svd),
        ((R,), lambda ops, x: ops.svd(x, compute_uv=False)),
    ],
}
EAGER = set()
"""Operations that take no symbolic tensors here."""
