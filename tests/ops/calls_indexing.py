"""Calls with places of entries: by name, inputs and what to do with them."""

import numpy as np

A = np.linspace(-2, 2, 6, dtype="float32").reshape(2, 3)
B = np.asarray([[1, 2, 3], [-1, 0.5, 4]], "float32")
N = np.asarray([[1, -2, 3], [4, 5, -6]], "int32")
V = np.asarray([1, 2.5, -3, 2.5, 1], "float32")
T = np.arange(24, dtype="float32").reshape(2, 3, 4)
IDS = np.asarray([0, 2, 0, 2, 2], "int32")
SORTED = np.asarray([0, 0, 1, 1, 3], "int32")
ROWS = np.asarray([[1, 2], [3, 4], [5, 6], [-1, 0], [2, 2]], "float32")
PLACES = np.asarray([[0, 1], [1, 2], [0, 1]], "int32")
PUT = np.asarray([10, -20, 0.5], "float32")
SCORES = np.asarray([[0.1, 0.9, 0.8, 0.05], [0.05, 0.95, 0, 1], [np.nan, 1, 2, 3]], "float32")
TARGETS = np.asarray([2, 2, 0], "int32")
TIES = np.asarray([[1, 1, 1, 0], [2, 1, 2, 2], [0, 0, 0, 0]], "int32")


def segments(name):
    def call(num, ids_sorted=False):
        return lambda ops, x, ids: getattr(ops, name)(x, ids, num, sorted=ids_sorted)

    return [
        ((V, IDS), call(3)),
        ((V, IDS), call(2)),
        ((ROWS, SORTED), call(5, True)),
        ((ROWS.astype("int32"), IDS), call(4)),
    ]


def updated(reduction):
    return lambda ops, x, at, y: ops.scatter_update(x, at, y, reduction=reduction)


CALLS = {
    "get_item": [
        ((T,), lambda ops, x: ops.get_item(x, 1)),
        ((T,), lambda ops, x: ops.get_item(x, (slice(None), -1, slice(0, 4, 2)))),
        ((T,), lambda ops, x: ops.get_item(x, (Ellipsis, None, 2))),
        ((N,), lambda ops, x: ops.get_item(x, np.asarray([1, 0, 1]))),
        ((T, IDS[:1]), lambda ops, x, i: ops.get_item(x, (i, i))),
    ],
    "in_top_k": [
        ((TARGETS, SCORES), lambda ops, t, p: ops.in_top_k(t, p, k=2)),
        ((TARGETS, SCORES), lambda ops, t, p: ops.in_top_k(t, p, k=4)),
        ((TARGETS, TIES), lambda ops, t, p: ops.in_top_k(t, p, 1)),
    ],
    "nonzero": [
        ((A > 0,), lambda ops, x: ops.nonzero(x)),
        ((N % 2,), lambda ops, x: ops.nonzero(x)),
        ((V,), lambda ops, x: ops.nonzero(x)),
    ],
    "scatter": [
        ((PLACES, PUT), lambda ops, i, v: ops.scatter(i, v, (2, 3))),
        ((IDS[:, None], ROWS), lambda ops, i, v: ops.scatter(i, v, [4, 2])),
        ((PLACES, N[0]), lambda ops, i, v: ops.scatter(i, v, (2, 4))),
    ],
    "scatter_update": [
        ((A, PLACES[:2], PUT[:2]), updated(None)),
        ((A, PLACES, PUT), updated("add")),
        ((A, PLACES, PUT), updated("max")),
        ((A, PLACES, PUT), updated("min")),
        ((A, PLACES, PUT), updated("MUL")),
        ((N, PLACES, N[0]), updated("add")),
        ((ROWS,), lambda ops, x: ops.scatter_update(x, [[1], [4]], np.zeros((2, 2), "float32"))),
    ],
    "segment_max": segments("segment_max"),
    "segment_min": segments("segment_min"),
    "segment_prod": segments("segment_prod"),
    "segment_sum": segments("segment_sum"),
    "select": [
        ((A, B), lambda ops, x, y: ops.select([x > 1, x > 0], [x, y])),
        ((A, N), lambda ops, x, y: ops.select((x > 1, y > 4), (x, y), default=9)),
        ((N,), lambda ops, x: ops.select([x > 0], [x], default=-1)),
        ((N,), lambda ops, x: ops.select([x > 0], [x], default=0.5)),
    ],
    "slice": [
        ((T,), lambda ops, x: ops.slice(x, (0, 1, 1), (2, 2, 3))),
        ((T,), lambda ops, x: ops.slice(x, [1, 0, 2], [-1, 2, -1])),
        ((N,), lambda ops, x: ops.slice(x, np.asarray([1, 1]), (1, 2))),
        ((N, PLACES[1]), lambda ops, x, at: ops.slice(x, at, (1, 1))),
        ((A,), lambda ops, x: ops.slice(x, (1, 2), (2, 2))),
    ],
    "slice_update": [
        ((T, A), lambda ops, x, y: ops.slice_update(x, (0, 1, 1), ops.expand_dims(y, 0))),
        ((N, PLACES[1]), lambda ops, x, at: ops.slice_update(x, at, np.ones((1, 1), "int32"))),
    ],
    "take": [
        ((A,), lambda ops, x: ops.take(x, [0, 5, -1])),
        ((A,), lambda ops, x: ops.take(x, 1, axis=0)),
        ((T, PLACES), lambda ops, x, i: ops.take(x, i, axis=1)),
        ((N,), lambda ops, x: ops.take(x, np.asarray([2, -1]), axis=-1)),
        ((A,), lambda ops, x: ops.take(x, [0, 3], axis=0)),
        ((N,), lambda ops, x: ops.take(x, [0, 3], axis=0)),
    ],
    "take_along_axis": [
        ((A, PLACES[:2, :1]), lambda ops, x, i: ops.take_along_axis(x, i, axis=1)),
        ((A, PLACES[:1]), lambda ops, x, i: ops.take_along_axis(x, i[:, [0, 1, 1]], axis=0)),
        ((N, IDS), lambda ops, x, i: ops.take_along_axis(x, i)),
    ],
    "top_k": [
        ((B,), lambda ops, x: ops.top_k(x, 2)),
        ((N,), lambda ops, x: ops.top_k(x, k=1)),
        ((V,), lambda ops, x: ops.top_k(ops.cast(x, "bfloat16"), 3)),
    ],
    "unique": [
        ((V,), lambda ops, x: ops.unique(x, size=3)),
        ((V,), lambda ops, x: ops.unique(x, size=5)),
        ((V,), lambda ops, x: ops.unique(x, size=4, fill_value=-9)),
        ((V,), lambda ops, x: ops.unique(x, size=2, return_counts=True)),
        ((N,), lambda ops, x: ops.unique(x, size=6, return_index=True, return_inverse=True)),
        ((TIES,), lambda ops, x: ops.unique(x, axis=1, size=3, return_inverse=True)),
    ],
    "unique of unknown number": [
        ((V,), lambda ops, x: ops.unique(x)),
        ((TIES,), lambda ops, x: ops.unique(x, return_counts=True, return_inverse=True)),
        ((TIES,), lambda ops, x: ops.unique(x, axis=0, return_index=True)),
        ((SCORES,), lambda ops, x: ops.unique(ops.array([np.nan, 1, np.nan]))),
    ],
    "unravel_index": [
        ((IDS,), lambda ops, x: ops.unravel_index(x, (2, 3))),
        ((PLACES,), lambda ops, x: ops.unravel_index(x, [3])),
    ],
}
EAGER = {"nonzero", "unique of unknown number"}
"""Operations that take no symbolic tensors here."""
