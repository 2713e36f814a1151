"""Products of arrays of any rank with a kernel, as products of two matrices."""

import math
import string

import jax
import jax.numpy as jnp
from jax import lax
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from funkeras.functional.quantized import Quantized, contracted
from funkeras.typing import Array

__all__ = ["times", "times_kept"]

NARROW = 24
"""Columns of a kernel up to which its gradient is made turned over. The upright one takes XLA's CPU
backend up to five times as long, and a step of a classifier for ten classes a tenth longer
(`python -m benchmarks first_model`). A single column is the same either way."""


def times(x: Array, kernel: Array | Quantized, axes: int = 1) -> Array:
    """Contract the last `axes` axes of `x` with the first ones of `kernel`.

    It is `jnp.tensordot(x, kernel, axes)`, but by matrices: of a contraction over several axes,
    as the kernel's gradient would be, XLA's CPU backend first writes a transposed copy. An epoch
    of a character LSTM takes 0.40 s instead of 0.54 so (`python -m benchmarks char_lstm`).

    >>> times(jnp.ones((2, 5, 3)), jnp.ones((3, 4))).shape
    (2, 5, 4)
    """
    if isinstance(kernel, Quantized):
        summed = string.ascii_lowercase[:axes]
        return contracted(f"...{summed},{summed}z->...z", x, kernel)
    outer, inner, ends = x.shape[: x.ndim - axes], x.shape[x.ndim - axes :], kernel.shape[axes:]
    if inner != kernel.shape[:axes]:
        raise ValueError(f"an input of shape {x.shape} does not fit a kernel of {kernel.shape}")
    if not outer:
        return jnp.tensordot(x, kernel, axes)
    rows = x.reshape(math.prod(outer), math.prod(inner))
    matrix = kernel.reshape(math.prod(inner), math.prod(ends))
    if 1 < matrix.shape[1] <= NARROW:
        product = lax.dot_general(rows, turn_p.bind(matrix), (((1,), (1,)), ((), ())))
    else:
        product = jnp.dot(rows, matrix)
    return product.reshape(*outer, *ends)


def times_kept(x: Array, kernel: Array, masks: Array | None) -> Array:
    """`x @ kernel`, for each gate's columns with the features dropped that its mask drops."""
    if masks is None:
        return times(x, kernel)
    blocks = jnp.split(kernel, masks.shape[0], axis=-1)
    return jnp.concatenate(
        [times(x * mask, block) for mask, block in zip(masks, blocks, strict=True)], axis=-1
    )


turn_p = Primitive("turn")
"""The transpose of a matrix. On CPU what is turned, the kernel or its gradient, is made as it is
before, where XLA would rather turn the factors of a product."""


def _turned(matrix: Array) -> Array:
    return matrix.T


def _turned_on_cpu(matrix: Array) -> Array:
    return lax.optimization_barrier(matrix).T


def _many_turned(args: tuple[Array], axes: tuple[int]) -> tuple[Array, int]:
    """Matrices of an ensemble: XLA's products of many matrices take no such orders."""
    return jnp.matrix_transpose(jnp.moveaxis(args[0], axes[0], 0)), 0


turn_p.def_impl(jax.jit(turn_p.bind))
turn_p.def_abstract_eval(lambda matrix: matrix.update(shape=matrix.shape[::-1]))
ad.deflinear2(turn_p, lambda change, _: [turn_p.bind(change)])
batching.primitive_batchers[turn_p] = _many_turned
mlir.register_lowering(turn_p, mlir.lower_fun(_turned, multiple_results=False))
mlir.register_lowering(
    turn_p, mlir.lower_fun(_turned_on_cpu, multiple_results=False), platform="cpu"
)
