"""Calls of functions of all entries along axes: by name, inputs and what to do with them."""

import ml_dtypes
import numpy as np

A = np.sin(np.arange(24, dtype="float32") * 1.7).reshape(2, 3, 4)
N = np.asarray([[1, -2, 3], [4, 0, -6]], "int32")
T = np.asarray([[True, False, True], [True, True, True]])
H = A.astype(ml_dtypes.bfloat16)
Z = (A[0] + 1j * A[1]).astype("complex64")
G = np.where(np.arange(24).reshape(2, 3, 4) % 5 == 1, np.nan, A).astype("float32")
VOID = np.where(np.arange(12).reshape(3, 4) % 4 == 1, np.nan, A[0]).astype("float32")
ZEROS = np.asarray([-0.0, 0.0, -0.0], "float32")


def over(name, *inputs):
    """Calls over all axes, one, several and with axes kept; over all of further inputs."""
    first, *others = inputs
    return [
        *[((x,), lambda ops, x: getattr(ops, name)(x)) for x in inputs],
        ((first,), lambda ops, x: getattr(ops, name)(x, axis=1)),
        ((first,), lambda ops, x: getattr(ops, name)(x, axis=(0, -1))),
        ((first,), lambda ops, x: getattr(ops, name)(x, axis=-1, keepdims=True)),
        ((first,), lambda ops, x: getattr(ops, name)(x, keepdims=True)),
        *[((x,), lambda ops, x: getattr(ops, name)(x, axis=0)) for x in others],
    ]


def place(name, *inputs):
    """Calls for places of entries, over all axes and one."""
    return [
        ((x,), lambda ops, x, options=options: getattr(ops, name)(x, **options))
        for x in inputs
        for options in ({}, {"axis": 0}, {"axis": -1, "keepdims": True})
    ]


def running(name, *inputs):
    """Calls of what accumulates, with and without axis and dtype."""
    return [
        ((x,), lambda ops, x, options=options: getattr(ops, name)(x, **options))
        for x in inputs
        for options in ({}, {"axis": 1}, {"axis": 0, "dtype": "float32"}, {"dtype": "int32"})
    ]


def ranked(name, *inputs):
    """Calls with one share or several, all methods among them."""
    whole = 100 if "percentile" in name else 1.0
    return [
        *[((x,), lambda ops, x: getattr(ops, name)(x, 0.3 * whole)) for x in inputs],
        ((inputs[0],), lambda ops, x: getattr(ops, name)(x, [0.1 * whole, 0.5 * whole], axis=1)),
        ((inputs[0],), lambda ops, x: getattr(ops, name)(x, whole, axis=(0, 1), keepdims=True)),
        ((inputs[0],), lambda ops, x: getattr(ops, name)(x, [0.5 * whole], keepdims=True)),
        *[
            (
                (inputs[0],),
                lambda ops, x, method=method: getattr(ops, name)(x, 0.3 * whole, 0, method=method),
            )
            for method in ("lower", "higher", "midpoint", "nearest")
        ],
    ]


CALLS = {
    **{name: over(name, A, N, T) for name in ("all", "any")},
    **{name: over(name, A, N, H) for name in ("amax", "amin", "ptp")},
    **{name: over(name, A, N, T, H) for name in ("mean", "std", "sum", "var", "median")},
    **{
        name: [
            *over(name, A, N, H),
            ((A,), lambda ops, x, name=name: getattr(ops, name)(x, axis=0, initial=0.25)),
            ((N,), lambda ops, x, name=name: getattr(ops, name)(x, initial=2)),
        ]
        for name in ("max", "min")
    },
    "prod": [
        *over("prod", A, N, T, H),
        ((N,), lambda ops, x: ops.prod(x, axis=1, dtype="float32")),
        ((A,), lambda ops, x: ops.prod(x, 0, True, "bfloat16")),
    ],
    **{name: place(name, A, N, H, ZEROS) for name in ("argmax", "argmin")},
    **{name: place(name, G, N, VOID) for name in ("nanargmax", "nanargmin")},
    "count_nonzero": [
        *[((x,), lambda ops, x: ops.count_nonzero(x)) for x in (N, T, A)],
        ((N,), lambda ops, x: ops.count_nonzero(x, axis=1)),
        ((A,), lambda ops, x: ops.count_nonzero(x, axis=(0, 1))),
    ],
    **{name: running(name, A[0], N, T) for name in ("cumsum", "cumprod")},
    **{name: running(name, N) for name in ("nancumsum", "nancumprod")},
    "nancum": [
        ((G,), lambda ops, x: ops.nancumsum(x, axis=2)),
        ((G,), lambda ops, x: ops.nancumprod(x)),
        ((H,), lambda ops, x: ops.cumsum(x, axis=0)),
    ],
    **{
        name: over(name, G, N)
        for name in ("nanmean", "nanmedian", "nanprod", "nanstd", "nansum", "nanvar")
    },
    **{name: over(name, G, N, VOID) for name in ("nanmax", "nanmin")},
    "logsumexp": over("logsumexp", A, 100 * A, H),
    **{
        name: ranked(name, A, N)
        for name in ("percentile", "quantile", "nanpercentile", "nanquantile")
    },
    "nanranks": [
        ((G,), lambda ops, x: ops.nanquantile(x, 0.4, axis=2)),
        ((G,), lambda ops, x: ops.nanpercentile(x, [10, 90])),
        ((G,), lambda ops, x: ops.quantile(x, 0.4, axis=2)),
    ],
    "norm": [
        *[((x,), lambda ops, x: ops.norm(x)) for x in (A, N, T, Z, H)],
        ((A,), lambda ops, x: ops.norm(x, axis=-1)),
        ((A,), lambda ops, x: ops.norm(x, axis=(1, 2), keepdims=True)),
        *[
            ((A[0],), lambda ops, x, order=order: ops.norm(x, ord=order, axis=1))
            for order in (0, 1, 2, 3, np.inf, -np.inf)
        ],
        *[
            ((A,), lambda ops, x, order=order: ops.norm(x, ord=order, axis=(0, 1)))
            for order in (1, -1, 2, -2, np.inf, -np.inf, "fro", "nuc")
        ],
    ],
    "lists": [
        ((), lambda ops: ops.sum([1, 2, 3])),
        ((), lambda ops: ops.mean([1, 2, 4])),
        ((), lambda ops: ops.max([[1.0, 2.0], [3.0, 0.0]], axis=1)),
    ],
    "complex": [
        ((Z,), lambda ops, x: ops.sum(x, axis=0)),
        ((Z,), lambda ops, x: ops.mean(x)),
        ((Z,), lambda ops, x: ops.std(x)),
    ],
}
EAGER = set()
