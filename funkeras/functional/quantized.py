"""Kernels as whole numbers of eight bits, and products with them."""

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from funkeras.quantizers import AbsMaxQuantizer
from funkeras.typing import Array

__all__ = ["Quantized", "contracted", "rows_at", "spread", "whole_numbers"]

Channels = tuple[int | None, ...]


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["values", "scale", "change"],
    meta_fields=["inputs"],
)
@dataclass(frozen=True)
class Quantized:
    """A kernel as whole numbers, which count `1 / scale` each.

    Fields:
        scale: has the axes of what a product with the kernel gives, the last ones at least.
        inputs: what makes whole numbers of the other factor, if anything does.
        change: what is added to the kernel, in real numbers.
    """

    values: Array
    scale: Array
    inputs: Any = AbsMaxQuantizer()  # noqa: RUF009, it is frozen
    change: Array | None = None


def whole_numbers(
    kernel: np.ndarray, channels: Channels, quantizer: Any = None
) -> tuple[np.ndarray, np.ndarray]:
    """Values and scale of a kernel, computed on the host.

    Args:
        channels: the kernel's axis that each axis of the scale is of; None where it is of none.
        quantizer: as of `funkeras.quantizers`; by largest size when left out.

    >>> values, scale = whole_numbers(np.ones((3, 4), "float32"), (None, 1))
    >>> values.dtype.name, scale.shape
    ('int8', (1, 4))
    """
    own = [axis for axis in channels if axis is not None]
    summed = tuple(axis for axis in range(kernel.ndim) if axis not in own)
    values, scale = (quantizer or AbsMaxQuantizer())(kernel, axis=summed, to_numpy=True)
    flat = np.squeeze(np.asarray(scale), summed).transpose(np.argsort(np.argsort(own)))
    places = tuple(place for place, axis in enumerate(channels) if axis is None)
    return np.asarray(values), np.expand_dims(flat, places)


def spread(scale: Any, channels: Channels, rank: int) -> Any:
    """A scale of `whole_numbers` with the axes of the kernel, which is `values / spread(scale)`.

    >>> spread(np.ones((1, 4)), (None, 1), 2).shape
    (1, 4)
    """
    own = [axis for axis in channels if axis is not None]
    places = tuple(place for place, axis in enumerate(channels) if axis is None)
    flat = scale.squeeze(places).transpose(np.argsort(own).tolist())
    sizes = dict(zip(sorted(own), flat.shape, strict=True))
    return flat.reshape([sizes.get(axis, 1) for axis in range(rank)])


def contracted(equation: str, x: Array, kernel: Array | Quantized) -> Array:
    """`einsum(equation, x, kernel)`; of whole numbers, if that is what the kernel is.

    The derivative by `x` is that of a product with the kernel's real numbers.
    """
    if not isinstance(kernel, Quantized):
        return jnp.einsum(equation, x, kernel)
    equation = equation.replace(" ", "")
    y = _of_whole(equation, kernel.inputs, x, kernel.values, kernel.scale)
    if kernel.change is None:
        return y
    return y + jnp.einsum(equation, x, kernel.change.astype(x.dtype))


def rows_at(table: Array | Quantized, index: Array) -> Array:
    """The rows of a table of those numbers; of numbers outside of it NaN."""
    if not isinstance(table, Quantized):
        return table.at[index].get(mode="fill", fill_value=jnp.nan)
    scale = table.scale.at[index].get(mode="fill", fill_value=jnp.nan)
    values = table.values.at[index].get(mode="fill", fill_value=0)
    rows = values.astype(scale.dtype) / scale[..., None]
    return rows if table.change is None else rows + rows_at(table.change, index)


@partial(jax.custom_jvp, nondiff_argnums=(0, 1))
def _of_whole(equation: str, inputs: Any, x: Array, values: Array, scale: Array) -> Array:
    if inputs is None:
        return _by_real(equation, x, values, scale)
    whole, own_scale = inputs(x, axis=_summed(equation, x.ndim))
    y = _product(equation, whole, values).astype(x.dtype)
    return y / (_over_output(equation, own_scale) * scale.astype(x.dtype))


@_of_whole.defjvp
def _slope(equation: str, inputs: Any, primals: Any, tangents: Any) -> tuple[Array, Array]:
    x, values, scale = primals
    y = _of_whole(equation, inputs, x, values, scale)
    return y, _by_real(equation, tangents[0], values, scale)


def _by_real(equation: str, x: Array, values: Array, scale: Array) -> Array:
    return jnp.einsum(equation, x, values.astype(x.dtype)) / scale.astype(x.dtype)


def _letters(equation: str) -> tuple[str, str, str]:
    x, kernel, y = equation.replace("->", ",").split(",")
    return x, kernel, y


def _summed(equation: str, rank: int) -> tuple[int, ...]:
    """The axes of the input that are summed over."""
    x, _, y = _letters(equation)
    letters = x.replace("...", "")
    first = rank - len(letters) if x.startswith("...") else 0
    return tuple(first + place for place, name in enumerate(letters) if name not in y)


def _over_output(equation: str, scale: Array) -> Array:
    """The scale of inputs, whose summed axes are of size 1, with the axes of the output."""
    x, kernel, y = _letters(equation)
    letters = x.replace("...", "")
    sizes = scale.shape[scale.ndim - len(letters) :] if x.startswith("...") else scale.shape
    known = {name: size for name, size in zip(letters, sizes, strict=False) if name in y}
    ones = jnp.ones([known.get(name, 1) for name in kernel], scale.dtype)
    return jnp.einsum(equation, scale, ones)


def _product(equation: str, whole: Array, values: Array) -> Array:
    """The product of whole numbers of eight bits, in 32.

    A single row goes with a second one: XLA's CPU backend takes ten times as long for one alone.
    """
    x, _, y = _letters(equation)
    summed = math.prod(whole.shape[axis] for axis in _summed(equation, whole.ndim))
    alone = whole.ndim > 1 and whole.shape[0] == 1 and whole.size == summed
    if alone and x[0] == y[0]:
        whole = jnp.concatenate([whole, jnp.zeros_like(whole)])
    product = jnp.einsum(equation, whole, values, preferred_element_type=jnp.int32)
    return product[:1] if alone and x[0] == y[0] else product
