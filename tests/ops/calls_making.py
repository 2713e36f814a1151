"""Calls that make arrays: by name, inputs and what to do with them."""

import numpy as np

A = np.linspace(-2, 2, 6, dtype="float32").reshape(2, 3)
N = np.asarray([[1, -2, 3], [4, 5, -6]], "int32")
V = np.asarray([1, 2.5, -3], "float32")
P = np.asarray([0.5, 1, 3], "float32")
J = np.asarray([1, 2, 3], "int32")


def windows(name, *rest):
    return [((), lambda ops, m=m: getattr(ops, name)(m, *rest)) for m in (1, 2, 7, np.int32(8))]


CALLS = {
    "arange": [
        ((), lambda ops: ops.arange(5)),
        ((), lambda ops: ops.arange(5.0)),
        ((), lambda ops: ops.arange(1, 10, 3)),
        ((), lambda ops: ops.arange(1, 2, 0.25)),
        ((), lambda ops: ops.arange(6, 1, -2, dtype="float32")),
        ((), lambda ops: ops.arange(3, dtype="bfloat16")),
        ((), lambda ops: ops.arange(np.uint8(3))),
        ((), lambda ops: ops.arange(np.float16(0), 3, 1)),
        ((), lambda ops: ops.arange(np.int64(2), np.float64(4))),
        ((), lambda ops: ops.arange(np.uint8(1), np.int8(4))),
        ((), lambda ops: ops.arange(np.uint8(1), 4.5)),
    ],
    "bartlett": windows("bartlett"),
    "blackman": windows("blackman"),
    "empty": [
        ((), lambda ops: ops.zeros_like(ops.empty((2, 3)))),
        ((), lambda ops: ops.zeros_like(ops.empty(2, dtype="int32"))),
    ],
    "empty_like": [
        ((A,), lambda ops, x: ops.zeros_like(ops.empty_like(x))),
        ((N,), lambda ops, x: ops.zeros_like(ops.empty_like(x))),
        ((A,), lambda ops, x: ops.zeros_like(ops.empty_like(x, dtype="bool"))),
    ],
    "eye": [
        ((), lambda ops: ops.eye(3)),
        ((), lambda ops: ops.eye(2, 4, k=1)),
        ((), lambda ops: ops.eye(3, k=-1, dtype="int32")),
        ((), lambda ops: ops.eye(2, dtype="bool")),
    ],
    "full": [
        ((), lambda ops: ops.full((2, 3), 7)),
        ((), lambda ops: ops.full(2, 1.5, dtype="bfloat16")),
        ((), lambda ops: ops.full((2, 2), True, dtype="bool")),
        ((V,), lambda ops, x: ops.full((2, 3), x)),
        ((), lambda ops: ops.full((2, 3), np.arange(3), dtype="int32")),
    ],
    "full_like": [
        ((A,), lambda ops, x: ops.full_like(x, 2)),
        ((N,), lambda ops, x: ops.full_like(x, 2)),
        ((N,), lambda ops, x: ops.full_like(x, 2.5, dtype="float32")),
        ((A, V), lambda ops, x, y: ops.full_like(x, y)),
    ],
    "geomspace": [
        ((), lambda ops: ops.geomspace(1, 1000, num=4)),
        ((), lambda ops: ops.geomspace(1.0, 256.0, num=9, endpoint=False)),
        ((P,), lambda ops, x: ops.geomspace(x, 8.0, num=3, axis=-1)),
        ((), lambda ops: ops.geomspace(1, 64, num=4, dtype="int32")),
    ],
    "hamming": windows("hamming"),
    "hanning": windows("hanning"),
    "identity": [
        ((), lambda ops: ops.identity(3)),
        ((), lambda ops: ops.identity(2, dtype="int32")),
    ],
    "kaiser": [*windows("kaiser", 0.5), *windows("kaiser", 14.0)],
    "linspace": [
        ((), lambda ops: ops.linspace(0, 1, 5)),
        ((), lambda ops: ops.linspace(2.0, -3.0, num=4, endpoint=False)),
        ((A, V), lambda ops, x, y: ops.linspace(x, y, num=3)),
        ((A,), lambda ops, x: ops.linspace(x, 1.0, num=3, axis=-1)),
        ((J,), lambda ops, x: ops.linspace(x, 5, num=2)),
        ((), lambda ops: ops.linspace(0, 10, 6, dtype="int32")),
        ((A,), lambda ops, x: ops.linspace(x, 3.0, num=3, retstep=True)),
        ((A,), lambda ops, x: ops.linspace(ops.cast(x, "bfloat16"), 3.0, num=3)),
        ((), lambda ops: ops.linspace(0, 1)),
    ],
    "logspace": [
        ((), lambda ops: ops.logspace(0, 2, num=5)),
        ((), lambda ops: ops.logspace(0, 3, num=3, base=2, endpoint=False)),
        ((V,), lambda ops, x: ops.logspace(x, 1.0, num=2, axis=1)),
        ((), lambda ops: ops.logspace(0, 2, num=3, dtype="float16")),
    ],
    "meshgrid": [
        ((V, P), lambda ops, x, y: ops.meshgrid(x, y)),
        ((V, J), lambda ops, x, y: ops.meshgrid(x, y, indexing="ij")),
        ((V,), lambda ops, x: ops.meshgrid(x)),
        ((V, P, J), lambda ops, x, y, z: ops.meshgrid(x, y, z)),
    ],
    "ones": [
        ((), lambda ops: ops.ones((2, 3))),
        ((), lambda ops: ops.ones(2, dtype="int32")),
        ((), lambda ops: ops.ones([2, 1], dtype="bool")),
    ],
    "ones_like": [
        ((A,), lambda ops, x: ops.ones_like(x)),
        ((N,), lambda ops, x: ops.ones_like(x)),
        ((A,), lambda ops, x: ops.ones_like(x, dtype="bfloat16")),
    ],
    "tri": [
        ((), lambda ops: ops.tri(3)),
        ((), lambda ops: ops.tri(2, 4, k=1)),
        ((), lambda ops: ops.tri(3, k=-1, dtype="bool")),
    ],
    "vander": [
        ((V,), lambda ops, x: ops.vander(x)),
        ((V,), lambda ops, x: ops.vander(x, N=2, increasing=True)),
        ((J,), lambda ops, x: ops.vander(x, 4)),
    ],
    "zeros": [
        ((), lambda ops: ops.zeros((2, 3))),
        ((), lambda ops: ops.zeros(2, dtype="int32")),
        ((), lambda ops: ops.zeros((), dtype="bfloat16")),
    ],
    "zeros_like": [
        ((A,), lambda ops, x: ops.zeros_like(x)),
        ((N > 0,), lambda ops, x: ops.zeros_like(x)),
        ((A,), lambda ops, x: ops.zeros_like(x, dtype="int32")),
    ],
}
EAGER = {"bartlett", "blackman", "hamming", "hanning", "kaiser"}
"""Operations that take no symbolic tensors here."""
