"""Means and variances, what they normalise, codes of classes, and attention."""

import warnings
from collections.abc import Sequence
from typing import Any, TypeAlias

import jax.numpy as jnp
from jax import lax, nn

from funkeras import config
from funkeras.functional.attention import fused
from funkeras.functional.checks import rank
from funkeras.functional.precision import at_unit_length
from funkeras.ops.arguments import array, bcoo, single
from funkeras.ops.lifting import op

__all__ = [
    "batch_normalization",
    "dot_product_attention",
    "layer_normalization",
    "moments",
    "multi_hot",
    "normalize",
    "one_hot",
    "rms_normalization",
]

Axes: TypeAlias = int | Sequence[int]


@op
def batch_normalization(
    x: Any,
    mean: Any,
    variance: Any,
    axis: int,
    offset: Any = None,
    scale: Any = None,
    epsilon: float = 1e-3,
) -> Any:
    """`scale * (x - mean) / sqrt(variance + epsilon) + offset`, all of one number per feature.

    Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167
    """
    x = array(x)
    shape = [1] * x.ndim
    shape[axis] = x.shape[axis]
    factor = lax.rsqrt(_as_float(variance).reshape(shape) + epsilon)
    factor = factor if scale is None else factor * array(scale).reshape(shape)
    rest = -array(mean).reshape(shape) * factor
    return x * factor + (rest if offset is None else rest + array(offset).reshape(shape))


@op
def layer_normalization(
    x: Any,
    gamma: Any = None,
    beta: Any = None,
    axis: Axes = -1,
    epsilon: float | None = None,
    **kwargs: Any,
) -> Any:
    """`gamma * (x - mean) / sqrt(variance + epsilon) + beta` over the axes of each sample.

    Ba, Kiros and Hinton 2016, https://arxiv.org/abs/1607.06450. `rms_scaling` leaves the mean and
    beta out: `gamma * x / sqrt(variance + epsilon)`.
    """
    raw = kwargs.pop("rms_scaling", False)
    if kwargs:
        raise TypeError(f"layer_normalization has no argument {', '.join(kwargs)}")
    if raw:
        warnings.warn(
            "rms_scaling divides by the deviation, not by the root mean square: that is "
            "rms_normalization",
            stacklevel=2,
        )
    x = array(x)
    wide, axes = single(x), _sorted(axis, x.ndim)
    mean, variance = moments(wide, axes, keepdims=True)
    y = (wide if raw else wide - mean) * lax.rsqrt(variance + _small(epsilon))
    y = y if gamma is None else y * _spread(gamma, axes, wide)
    return (y if raw or beta is None else y + _spread(beta, axes, wide)).astype(x.dtype)


@op
def rms_normalization(
    x: Any, scale: Any = None, axis: Axes = -1, epsilon: float | None = None
) -> Any:
    """`scale * x / sqrt(mean(x²) + epsilon)` over the axes: https://arxiv.org/abs/1910.07467."""
    x = array(x)
    wide = jnp.atleast_1d(single(x))
    axes = axis if isinstance(axis, int) else tuple(axis)
    y = wide * lax.rsqrt(jnp.mean(jnp.square(wide), axes, keepdims=True) + _small(epsilon))
    return (y if scale is None else y * jnp.asarray(scale, wide.dtype)).astype(x.dtype)


@op
def normalize(x: Any, axis: Any = -1, order: int = 2, epsilon: float | None = None) -> Any:
    """`x` over its norm of that order along the axis, which is at least `epsilon`."""
    if not isinstance(order, int) or order < 1:
        raise ValueError(f"order must be a positive integer, got {order!r}")
    x, least = jnp.atleast_1d(array(x)), _small(epsilon)
    if order == 2:
        return at_unit_length(x, axis, least**2)
    return x / jnp.maximum(jnp.linalg.norm(x, order, axis, keepdims=True), least)


@op
def moments(x: Any, axes: Axes, keepdims: bool = False, synchronized: bool = False) -> Any:
    """Mean and variance over the axes, summed in single precision at least.

    `synchronized` changes nothing: an array on many devices is one array here.
    """
    x = array(x)
    axes = axes if isinstance(axes, int) else tuple(axes)
    narrow = jnp.issubdtype(x.dtype, jnp.floating) and jnp.finfo(x.dtype).bits < 32
    wide = x.astype(jnp.float32) if narrow else x
    found = jnp.mean(wide, axes, keepdims=keepdims), jnp.var(wide, axes, keepdims=keepdims)
    if not narrow:
        return found
    limits = jnp.finfo(jnp.float16)
    return tuple(jnp.clip(y, limits.min, limits.max).astype(x.dtype) for y in found)


@op
def one_hot(
    x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> Any:
    """1 at the class of each entry and 0 elsewhere, along a new axis; a BCOO array if sparse."""
    x, dtype = array(x), dtype or config.floatx()
    if not sparse:
        return nn.one_hot(x, num_classes, axis=axis, dtype=dtype)
    axis = axis % (x.ndim + 1)
    places = [*jnp.indices(x.shape)]
    places.insert(axis, jnp.maximum(x, 0))
    indices = jnp.stack([place.ravel().astype(jnp.int32) for place in places], -1)
    shape = (*x.shape[:axis], num_classes, *x.shape[axis:])
    return bcoo()(((x >= 0).ravel().astype(dtype), indices), shape=shape)


@op
def multi_hot(
    inputs: Any,
    num_classes: int | None = None,
    axis: int = -1,
    dtype: Any = None,
    sparse: bool = False,
    **kwargs: Any,
) -> Any:
    """1 at each class that a row of labels has, else 0; a BCOO array if sparse.

    `num_tokens` is an old name of `num_classes`.
    """
    count = kwargs.pop("num_tokens", None) if num_classes is None else num_classes
    if count is None or kwargs:
        raise ValueError(f"multi_hot takes num_classes, got {num_classes} and {kwargs}")
    x = array(inputs).astype(jnp.int32)
    rows = 1 if x.ndim > 1 else 0
    y = jnp.max(one_hot(x, count, axis, dtype), rows)
    return bcoo().fromdense(y, nse=x.size) if sparse else y


@op
def dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Any:
    """Values weighed by `softmax(scale·query·key + bias)`: https://arxiv.org/abs/1706.03762.

    Arrays are (batch, time, heads, depth); bias and mask, true where a key is seen, go with
    (batch, heads, queries, keys). `scale` is 1 / sqrt(depth) if not given.

    Args:
        flash_attention: whether cuDNN computes it; None lets it where it can.
        attn_logits_soft_cap: changes nothing, as in Keras but for its TPU kernel.
    """
    query, key, value = (array(x) for x in (query, key, value))
    for x in (query, key, value):
        rank(x.shape, 4)
    dtype = jnp.result_type(query, key, value)
    query, key, value = (x.astype(dtype) for x in (query, key, value))
    bias = None if bias is None else jnp.asarray(bias, dtype)
    mask = None if mask is None else array(mask).astype(bool)
    return fused(query, key, value, mask, is_causal, flash_attention, bias, scale)


def _as_float(x: Any) -> Any:
    x = array(x)
    return x if jnp.issubdtype(x.dtype, jnp.floating) else x.astype(config.floatx())


def _small(epsilon: float | None) -> float:
    return config.epsilon() if epsilon is None else epsilon


def _sorted(axis: Axes, ndim: int) -> tuple[int, ...]:
    return tuple(sorted(i % ndim for i in ((axis,) if isinstance(axis, int) else axis)))


def _spread(weight: Any, axes: tuple[int, ...], like: Any) -> Any:
    """A weight of those axes with size 1 along all others, in the dtype of `like`."""
    weight = jnp.asarray(weight, like.dtype)
    if weight.ndim == like.ndim:
        return weight
    return weight.reshape([size if i in axes else 1 for i, size in enumerate(like.shape)])
