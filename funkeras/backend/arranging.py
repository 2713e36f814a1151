"""Shapes of tensors, and operations that rearrange, join, cut and look up entries."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from funkeras import config, ops
from funkeras.backend.lifting import along, op, unary

__all__ = [
    "arange",
    "batch_flatten",
    "cast",
    "concatenate",
    "expand_dims",
    "flatten",
    "gather",
    "one_hot",
    "ones_like",
    "pattern_broadcast",
    "permute_dimensions",
    "repeat",
    "repeat_elements",
    "reshape",
    "reverse",
    "shape",
    "slice",
    "squeeze",
    "stack",
    "tile",
    "transpose",
    "zeros_like",
]

expand_dims = along(ops.expand_dims, -1)
flatten = unary(ops.ravel, "flatten")
stack = along(ops.stack, 0)


def whole(sizes: Any) -> tuple[int, ...]:
    """A shape as whole numbers: a tuple, a list, or an array of sizes."""
    return tuple(int(size) for size in (sizes if np.ndim(sizes) else [sizes]))


def dtype_of(dtype: Any) -> Any:
    """A dtype as JAX holds it, without its 64 bits where those are off; None is `floatx()`."""
    return jax.dtypes.canonicalize_dtype(dtype or config.floatx())


@op
def shape(x: Any) -> Any:
    """The sizes of all axes, as an array of whole numbers."""
    return np.array(jnp.shape(x), np.int32)


@op
def reshape(x: Any, shape: Any) -> Any:
    """The same entries in another shape; one size may be -1."""
    return jnp.reshape(x, whole(shape))


@op
def permute_dimensions(x: Any, pattern: Any) -> Any:
    """The axes in another order."""
    return jnp.transpose(x, whole(pattern))


@op
def transpose(x: Any) -> Any:
    """The axes in reversed order."""
    return jnp.transpose(x)


@op
def batch_flatten(x: Any) -> Any:
    """All entries of each sample along one axis."""
    return jnp.reshape(x, (jnp.shape(x)[0], -1))


@op
def squeeze(x: Any, axis: int) -> Any:
    """Without an axis of size 1."""
    return jnp.squeeze(x, axis)


@op
def concatenate(tensors: Any, axis: int = -1) -> Any:
    """One tensor after the other along an axis."""
    return jnp.concatenate([jnp.asarray(tensor) for tensor in tensors], axis)


@op
def repeat(x: Any, n: int) -> Any:
    """Each vector of a batch `n` times: (samples, features) → (samples, n, features).

    Raises:
        ValueError: if `x` does not have two axes.
    """
    if jnp.ndim(x) != 2:
        raise ValueError(f"x must have two axes, samples and features; got shape {jnp.shape(x)}")
    return jnp.repeat(jnp.expand_dims(x, 1), int(n), axis=1)


@op
def repeat_elements(x: Any, rep: int, axis: int) -> Any:
    """Each entry of an axis `rep` times, as `np.repeat`."""
    return jnp.repeat(x, int(rep), axis)


@op
def tile(x: Any, n: Any) -> Any:
    """The whole tensor `n` times along each axis."""
    return jnp.tile(x, whole(n))


@op
def reverse(x: Any, axes: Any) -> Any:
    """The entries of one axis or several in reversed order."""
    return jnp.flip(x, whole(axes))


@op
def slice(x: Any, start: Any, size: Any) -> Any:
    """`size` entries of each axis from `start` on; a size of -1 takes the rest."""
    left = [n - first if k == -1 else k for n, first, k in zip(x.shape, start, size, strict=True)]
    return lax.dynamic_slice(x, list(start), whole(left))


@op
def gather(reference: Any, indices: Any) -> Any:
    """The entries of the first axis with those indices."""
    return jnp.take(reference, jnp.asarray(indices, jnp.int32), axis=0)


@op
def one_hot(indices: Any, num_classes: int) -> Any:
    """1 at the index and 0 elsewhere, along a new last axis."""
    return jax.nn.one_hot(jnp.asarray(indices, jnp.int32), int(num_classes), dtype=config.floatx())


@op
def cast(x: Any, dtype: Any) -> Any:
    """The entries in another dtype."""
    return jnp.asarray(x).astype(dtype_of(dtype))


@op
def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = "int32") -> Any:
    """`start`, `start + step`, … before `stop`; from 0 to the only number given.

    An array of NumPy where that has 64 bits and JAX has not.
    """
    kind = np.dtype(dtype or config.floatx())
    made_by: Any = jnp if jax.dtypes.canonicalize_dtype(kind) == kind else np
    return made_by.arange(*((start,) if stop is None else (start, stop, step)), dtype=kind)


@op
def zeros_like(x: Any, dtype: Any = None, name: str | None = None) -> Any:
    """Zeros in the shape of `x`."""
    return jnp.zeros_like(x, dtype)


@op
def ones_like(x: Any, dtype: Any = None, name: str | None = None) -> Any:
    """Ones in the shape of `x`."""
    return jnp.ones_like(x, dtype)


@op
def pattern_broadcast(x: Any, broadcastable: Any) -> Any:
    """`x` itself: axes of size 1 always broadcast here, which Theano had to be told."""
    return jnp.asarray(x)
