"""Calls that convert, or ask what an array is like: by name, inputs and what to do with them."""

import numpy as np

A = np.linspace(-2, 2, 6, dtype="float32").reshape(2, 3)
N = np.asarray([[1, -2, 3], [4, 5, -6]], "int32")
B = N > 0

CALLS = {
    "array": [
        ((A,), lambda ops, x: ops.array(x)),
        ((N,), lambda ops, x: ops.array(x, dtype="float32")),
        ((), lambda ops: ops.array([[1, 2], [3, 4]])),
        ((), lambda ops: ops.array([1.5, 2])),
        ((), lambda ops: ops.array([True, False])),
    ],
    "cast": [
        ((A,), lambda ops, x: ops.cast(x, "int32")),
        ((A,), lambda ops, x: ops.cast(x, "bfloat16")),
        ((A,), lambda ops, x: ops.cast(x, "float16")),
        ((A,), lambda ops, x: ops.cast(x, bool)),
        ((N,), lambda ops, x: ops.cast(x, "float32")),
        ((N,), lambda ops, x: ops.cast(x, "uint8")),
        ((N,), lambda ops, x: ops.cast(x, float)),
        ((B,), lambda ops, x: ops.cast(x, "int")),
        ((), lambda ops: ops.cast([1, 2.5], "int8")),
        ((), lambda ops: ops.cast(3, "float32")),
    ],
    "convert_to_numpy": [
        ((A,), lambda ops, x: ops.convert_to_numpy(ops.cast(x, "bfloat16")) + 1),
        ((N,), lambda ops, x: ops.array(ops.convert_to_numpy(x))),
    ],
    "convert_to_tensor": [
        ((A,), lambda ops, x: ops.convert_to_tensor(x)),
        ((N,), lambda ops, x: ops.convert_to_tensor(x, dtype="float32")),
        ((N,), lambda ops, x: ops.convert_to_tensor(x, "bfloat16")),
        ((), lambda ops: ops.convert_to_tensor([1, 2])),
        ((), lambda ops: ops.convert_to_tensor([[1.0], [2]], sparse=False)),
        ((), lambda ops: ops.convert_to_tensor(np.ones(2))),
        ((), lambda ops: ops.convert_to_tensor(True)),
        ((), lambda ops: ops.convert_to_tensor(2.5)),
    ],
    "copy": [((A,), lambda ops, x: ops.copy(x)), ((B,), lambda ops, x: ops.copy(x))],
    "dtype": [
        ((A,), lambda ops, x: ops.dtype(x)),
        ((N,), lambda ops, x: ops.dtype(ops.cast(x, "bfloat16"))),
        ((B,), lambda ops, x: ops.dtype(x)),
    ],
    "is_tensor": [
        ((A,), lambda ops, x: [ops.is_tensor(x), ops.is_tensor(ops.array(x)), ops.is_tensor(1)])
    ],
    "ndim": [((A,), lambda ops, x: ops.ndim(x)), ((), lambda ops: ops.ndim(2))],
    "shape": [((A,), lambda ops, x: ops.shape(x)), ((), lambda ops: ops.shape(np.zeros(())))],
    "size": [((A,), lambda ops, x: ops.convert_to_tensor(ops.size(x)))],
    "view": [
        ((A,), lambda ops, x: ops.view(x, dtype="int32")),
        ((A,), lambda ops, x: ops.view(x, dtype="uint8")),
        ((N,), lambda ops, x: ops.view(x, dtype="float32")),
        ((A[:, :2],), lambda ops, x: ops.view(ops.cast(x, "float16"), dtype="int32")),
        ((A,), lambda ops, x: ops.view(x)),
    ],
}
EAGER = {"convert_to_numpy", "dtype", "is_tensor", "ndim", "shape"}
"""Operations that take no symbolic tensors here."""
