"""Calls that shape arrays: by name, inputs and what to do with them."""

import numpy as np

A = np.linspace(-2, 2, 6, dtype="float32").reshape(2, 3)
B = np.asarray([[1, 2, 3], [-1, 0.5, 4]], "float32")
N = np.asarray([[1, -2, 3], [4, 5, -6]], "int32")
V = np.asarray([1, 2.5, -3], "float32")
T = np.arange(24, dtype="float32").reshape(2, 3, 4)
Q = np.arange(6, dtype="float32").reshape(1, 2, 1, 3)

CALLS = {
    "append": [
        ((A, B), lambda ops, x, y: ops.append(x, y)),
        ((A, N), lambda ops, x, y: ops.append(x, y, axis=-1)),
        ((N > 0, N), lambda ops, x, y: ops.append(x, y, 0)),
    ],
    "array_split": [
        ((V,), lambda ops, x: ops.array_split(x, 2)),
        ((A,), lambda ops, x: ops.array_split(x, 2, axis=-1)),
        ((N,), lambda ops, x: ops.array_split(x, 4, axis=1)),
    ],
    "broadcast_to": [
        ((V,), lambda ops, x: ops.broadcast_to(x, (2, 3))),
        ((N[:, :1],), lambda ops, x: ops.broadcast_to(x, [3, 2, 2])),
    ],
    "concatenate": [
        ((A, B), lambda ops, x, y: ops.concatenate([x, y])),
        ((A, N), lambda ops, x, y: ops.concatenate((x, y), axis=-1)),
        ((N, N > 0), lambda ops, x, y: ops.concatenate([x, y], 1)),
        ((A, N), lambda ops, x, y: ops.concatenate([ops.cast(x, "bfloat16"), y])),
    ],
    "dsplit": [
        ((T,), lambda ops, x: ops.dsplit(x, 2)),
        ((T,), lambda ops, x: ops.dsplit(x, [1, 3])),
    ],
    "dstack": [
        ((A, B), lambda ops, x, y: ops.dstack([x, y])),
        ((V, V), lambda ops, x, y: ops.dstack([x, y])),
        ((A, N), lambda ops, x, y: ops.dstack((x, y))),
    ],
    "expand_dims": [
        ((A,), lambda ops, x: ops.expand_dims(x, 0)),
        ((A,), lambda ops, x: ops.expand_dims(x, -1)),
        ((N,), lambda ops, x: ops.expand_dims(x, (1, 3))),
    ],
    "flip": [
        ((A,), lambda ops, x: ops.flip(x)),
        ((N,), lambda ops, x: ops.flip(x, axis=1)),
        ((T,), lambda ops, x: ops.flip(x, axis=(0, -1))),
    ],
    "fliplr": [((A,), lambda ops, x: ops.fliplr(x))],
    "flipud": [((A,), lambda ops, x: ops.flipud(x))],
    "hsplit": [
        ((A,), lambda ops, x: ops.hsplit(x, 3)),
        ((T,), lambda ops, x: ops.hsplit(x, [1])),
        ((V,), lambda ops, x: ops.hsplit(x, [2])),
    ],
    "hstack": [
        ((A, N), lambda ops, x, y: ops.hstack([x, y])),
        ((V, V), lambda ops, x, y: ops.hstack([x, y])),
    ],
    "moveaxis": [
        ((T,), lambda ops, x: ops.moveaxis(x, 0, -1)),
        ((T,), lambda ops, x: ops.moveaxis(x, [0, 1], [2, 0])),
    ],
    "pad": [
        ((A,), lambda ops, x: ops.pad(x, 1)),
        ((A,), lambda ops, x: ops.pad(x, ((1, 0), (0, 2)), constant_values=7)),
        ((A,), lambda ops, x: ops.pad(x, [[1, 1], [2, 1]], mode="reflect")),
        ((A,), lambda ops, x: ops.pad(x, ((1, 2),), "symmetric")),
        ((N,), lambda ops, x: ops.pad(x, ((0, 0), (1, 1)), mode="edge")),
        ((N,), lambda ops, x: ops.pad(x, ((0, 0), (2, 1)), mode="wrap")),
        ((N,), lambda ops, x: ops.pad(x, ((0, 0), (2, 1)), constant_values=-1)),
    ],
    "ravel": [((A,), lambda ops, x: ops.ravel(x)), ((N,), lambda ops, x: ops.ravel(x))],
    "rearrange": [
        ((T,), lambda ops, x: ops.rearrange(x, "a b c -> c a b")),
        ((T,), lambda ops, x: ops.rearrange(x, "a b c -> (a b) c")),
        ((T,), lambda ops, x: ops.rearrange(x, "a b c->b (c a)")),
        ((T,), lambda ops, x: ops.rearrange(x, "a b (c1 c2) -> (a c1) b c2", c1=2)),
        ((T,), lambda ops, x: ops.rearrange(x, "a b (c1 c2) -> a (b c2) c1", c2=2)),
        ((T,), lambda ops, x: ops.rearrange(x, "a b (c d) -> a b d c", c=1, d=4)),
    ],
    "repeat": [
        ((A,), lambda ops, x: ops.repeat(x, 2)),
        ((A,), lambda ops, x: ops.repeat(x, 3, axis=1)),
        ((N,), lambda ops, x: ops.repeat(x, np.asarray([1, 2]), axis=0)),
        ((N,), lambda ops, x: ops.repeat(x, np.asarray([0, 2, 1]), axis=-1)),
    ],
    "reshape": [
        ((A,), lambda ops, x: ops.reshape(x, (3, 2))),
        ((A,), lambda ops, x: ops.reshape(x, -1)),
        ((N,), lambda ops, x: ops.reshape(x, [1, -1, 2])),
        ((N,), lambda ops, x: ops.reshape(x, np.asarray([6, 1]))),
    ],
    "roll": [
        ((A,), lambda ops, x: ops.roll(x, 2)),
        ((A,), lambda ops, x: ops.roll(x, -1, axis=1)),
        ((N,), lambda ops, x: ops.roll(x, (1, 2), axis=(0, 1))),
    ],
    "rot90": [
        ((A,), lambda ops, x: ops.rot90(x)),
        ((T,), lambda ops, x: ops.rot90(x, k=-1, axes=(1, 2))),
        ((N,), lambda ops, x: ops.rot90(x, 2, axes=(1, 0))),
    ],
    "split": [
        ((A,), lambda ops, x: ops.split(x, 2)),
        ((A,), lambda ops, x: ops.split(x, [1], axis=-1)),
        ((T,), lambda ops, x: ops.split(x, (1, 3), axis=2)),
    ],
    "squeeze": [
        ((Q,), lambda ops, x: ops.squeeze(x)),
        ((Q,), lambda ops, x: ops.squeeze(x, axis=2)),
        ((Q,), lambda ops, x: ops.squeeze(x, axis=(0, -2))),
    ],
    "stack": [
        ((A, B), lambda ops, x, y: ops.stack([x, y])),
        ((A, N), lambda ops, x, y: ops.stack((x, y), axis=-1)),
        ((N,), lambda ops, x: ops.stack(x, axis=1)),
    ],
    "swapaxes": [((T,), lambda ops, x: ops.swapaxes(x, 0, -1))],
    "tile": [
        ((A,), lambda ops, x: ops.tile(x, 2)),
        ((V,), lambda ops, x: ops.tile(x, (2, 2))),
        ((N,), lambda ops, x: ops.tile(x, [2, 1])),
    ],
    "transpose": [
        ((A,), lambda ops, x: ops.transpose(x)),
        ((T,), lambda ops, x: ops.transpose(x, (0, 2, 1))),
        ((T,), lambda ops, x: ops.transpose(x, axes=[2, -3, 1])),
    ],
    "unstack": [
        ((A,), lambda ops, x: ops.unstack(x)),
        ((T,), lambda ops, x: ops.unstack(x, 4, axis=-1)),
        ((N,), lambda ops, x: ops.unstack(x, axis=1)),
    ],
    "vsplit": [
        ((A,), lambda ops, x: ops.vsplit(x, 2)),
        ((T,), lambda ops, x: ops.vsplit(x, [1])),
    ],
    "vstack": [
        ((A, N), lambda ops, x, y: ops.vstack([x, y])),
        ((V, V), lambda ops, x, y: ops.vstack([x, y])),
    ],
}
EAGER = set()
"""Operations that take no symbolic tensors here."""
