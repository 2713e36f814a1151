"""Calls of counts, order, dependence and differences: by name, inputs and what to do with them."""

import ml_dtypes
import numpy as np

A = np.sin(np.arange(12, dtype="float32") * 1.7).reshape(3, 4)
N = np.asarray([[3, 1, 2], [0, 5, 1]], "int32")
T = N > 1
X = np.asarray([0.5, 1.0, 2.5, 4.0], "float32")
H = A.astype(ml_dtypes.bfloat16)
PLACES = np.asarray([0.0, 0.5, 0.5, 2.0], "float32")


CALLS = {
    "sort": [
        *[((x,), lambda ops, x: ops.sort(x)) for x in (A, N, T, H)],
        ((A,), lambda ops, x: ops.sort(x, axis=0)),
        ((A,), lambda ops, x: ops.sort(x, axis=None)),
    ],
    "argsort": [
        *[((x,), lambda ops, x: ops.argsort(x)) for x in (A, N, T, H)],
        ((A,), lambda ops, x: ops.argsort(x, axis=0)),
        ((A,), lambda ops, x: ops.argsort(x, axis=None)),
        ((), lambda ops: ops.argsort(3.0)),
    ],
    "argpartition": [
        ((A,), lambda ops, x: ops.argpartition(x, 1)),
        ((A,), lambda ops, x: ops.argpartition(x, 2, axis=0)),
        ((A,), lambda ops, x: ops.argpartition(x, 5, axis=None)),
        ((N,), lambda ops, x: ops.argpartition(x, 1)),
    ],
    "average": [
        *[((x,), lambda ops, x: ops.average(x)) for x in (A, N, T, H)],
        ((A,), lambda ops, x: ops.average(x, axis=1)),
        ((A, A + 2), lambda ops, x, w: ops.average(x, axis=0, weights=w)),
        ((A, X), lambda ops, x, w: ops.average(x, axis=1, weights=w)),
        ((N,), lambda ops, x: ops.average(x, axis=1, weights=[1, 2, 3])),
        ((H, A + 2), lambda ops, x, w: ops.average(x, weights=w)),
    ],
    "bincount": [
        ((N[0],), lambda ops, x: ops.bincount(x)),
        ((N[0],), lambda ops, x: ops.bincount(x, minlength=7)),
        ((N[0], A[0, :3]), lambda ops, x, w: ops.bincount(x, weights=w)),
        ((N[0], N[1]), lambda ops, x, w: ops.bincount(x, weights=w)),
        ((N,), lambda ops, x: ops.bincount(x, minlength=8)),
        ((N, A[:2, :3]), lambda ops, x, w: ops.bincount(x, weights=w, minlength=8)),
        ((N[0],), lambda ops, x: ops.bincount(x, sparse=True).todense()),
        (
            (N, A[:2, :3]),
            lambda ops, x, w: ops.bincount(x, weights=w, minlength=8, sparse=True).todense(),
        ),
    ],
    "corrcoef": [((x,), lambda ops, x: ops.corrcoef(x)) for x in (A, X, N, H)],
    "correlate": [
        *[
            ((A[0], X[:3]), lambda ops, x, y, mode=mode: ops.correlate(x, y, mode=mode))
            for mode in ("valid", "same", "full")
        ],
        ((A[0], X), lambda ops, x, y: ops.correlate(x, y)),
        ((N[0], N[1]), lambda ops, x, y: ops.correlate(x, y, "full")),
        ((N[0], X), lambda ops, x, y: ops.correlate(x, y, "same")),
        ((H[0], H[1]), lambda ops, x, y: ops.correlate(x, y, "full")),
    ],
    "diff": [
        *[((x,), lambda ops, x: ops.diff(x)) for x in (A, N, T, H)],
        ((A,), lambda ops, x: ops.diff(x, n=2, axis=0)),
        ((A,), lambda ops, x: ops.diff(x, 3)),
    ],
    "digitize": [
        ((A, PLACES), lambda ops, x, bins: ops.digitize(x, bins)),
        ((N,), lambda ops, x: ops.digitize(x, [1, 3, 4])),
        ((A,), lambda ops, x: ops.digitize(x, [0.9, 0.5, -0.5])),
        ((N, PLACES), lambda ops, x, bins: ops.digitize(x, bins)),
    ],
    "histogram": [
        *[((x,), lambda ops, x: ops.histogram(x)) for x in (A.ravel(), N.ravel(), X)],
        ((A.ravel(),), lambda ops, x: ops.histogram(x, bins=4)),
        ((A.ravel(),), lambda ops, x: ops.histogram(x, 5, range=(-0.5, 0.5))),
        ((N.ravel(),), lambda ops, x: ops.histogram(x, bins=3, range=(1, 4))),
    ],
    "searchsorted": [
        ((PLACES, A), lambda ops, s, v: ops.searchsorted(s, v)),
        ((PLACES, PLACES), lambda ops, s, v: ops.searchsorted(s, v, side="right")),
        ((N,), lambda ops, v: ops.searchsorted([1, 2, 4], v)),
        ((PLACES,), lambda ops, s: ops.searchsorted(s, 0.5)),
    ],
    "trapezoid": [
        *[((y,), lambda ops, y: ops.trapezoid(y)) for y in (A, N, H)],
        ((A, X), lambda ops, y, x: ops.trapezoid(y, x)),
        ((A,), lambda ops, y: ops.trapezoid(y, dx=0.5, axis=0)),
        ((N,), lambda ops, y: ops.trapezoid(y, x=[0, 1, 3])),
    ],
}
EAGER = {"bincount"}
"""As many counts as the largest entry asks for: that must be known."""
