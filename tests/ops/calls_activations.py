"""Calls of activations: by name, inputs and what to do with them."""

import ml_dtypes
import numpy as np

A = np.linspace(-7, 7, 24, dtype="float32").reshape(4, 6)
B = np.linspace(-3, 3, 8).reshape(2, 4).astype(ml_dtypes.bfloat16)
N = np.asarray([[1, -2, 3], [4, 0, -6]], "int32")

PLAIN = [
    "celu",
    "elu",
    "gelu",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "log_sigmoid",
    "log_softmax",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "squareplus",
    "swish",
    "tanh_shrink",
]
WHOLE = [
    "elu",
    "hard_shrink",
    "hard_sigmoid",
    "leaky_relu",
    "relu",
    "relu6",
    "selu",
    "soft_shrink",
    "softplus",
]
HALVED = [
    "gelu",
    "hard_sigmoid",
    "log_softmax",
    "relu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
]


def calls(name):
    kinds = [A, *([N] if name in WHOLE else []), *([B] if name in HALVED else [])]
    return [((x,), lambda ops, x: getattr(ops, name)(x)) for x in kinds]


CALLS = {
    **{name: calls(name) for name in PLAIN},
    "celu_alpha": [((A,), lambda ops, x: ops.celu(x, alpha=0.5))],
    "elu_alpha": [((A,), lambda ops, x: ops.elu(x, 0.5))],
    "gelu_exact": [((A,), lambda ops, x: ops.gelu(x, approximate=False))],
    "glu_axis": [((A,), lambda ops, x: ops.glu(x, axis=0))],
    "hard_shrink_at": [((A,), lambda ops, x: ops.hard_shrink(x, threshold=2.0))],
    "leaky_relu_slope": [((A,), lambda ops, x: ops.leaky_relu(x, negative_slope=0.3))],
    "lists": [((), lambda ops: ops.relu([1.0, -2.0])), ((), lambda ops: ops.sigmoid([1.0, 2.0]))],
    "log_softmax_axis": [((A,), lambda ops, x: ops.log_softmax(x, axis=0))],
    "soft_shrink_at": [((A,), lambda ops, x: ops.soft_shrink(x, threshold=2.0))],
    "softmax_axis": [
        ((A,), lambda ops, x: ops.softmax(x, axis=0)),
        ((A,), lambda ops, x: ops.softmax(x, axis=(0, 1))),
        ((A,), lambda ops, x: ops.softmax(x, axis=None)),
    ],
    # Of Keras's results only those with a single 1 add up to 1, as they should.
    "sparsemax": [
        ((A,), lambda ops, x: ops.sparsemax(x * 2)),
        ((A,), lambda ops, x: ops.sparsemax(x, axis=0)),
    ],
    "squareplus_b": [((A,), lambda ops, x: ops.squareplus(x, b=2))],
    "threshold": [
        ((A,), lambda ops, x: ops.threshold(x, 1.5, -1.0)),
        ((A,), lambda ops, x: ops.threshold(x, threshold=0, default_value=2)),
        ((N,), lambda ops, x: ops.threshold(x, 1, 0)),
    ],
}
EAGER = set()
"""Operations that take no symbolic tensors here."""
