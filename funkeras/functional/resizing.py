"""Zero padding, cropping and upsampling of sequences, images and volumes."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Shaped

from funkeras import config
from funkeras.functional.checks import no_mask, one_of, rank, tuple_of
from funkeras.functional.convolution import Sizes, channels_at
from funkeras.functional.convolve import Padding
from funkeras.functional.pair import Pair, layer, stateless
from funkeras.typing import Array, Params

__all__ = [
    "cropping1d",
    "cropping2d",
    "cropping3d",
    "up_sampling1d",
    "up_sampling2d",
    "up_sampling3d",
    "zero_padding1d",
    "zero_padding2d",
    "zero_padding3d",
]

Edges: TypeAlias = int | Sequence[int | Sequence[int]] | Mapping[str, int]
"""One number for all, one or a pair for each axis, all of them in a row, or the dict of Keras 1."""

SIDES = {
    1: (("left_pad", "right_pad"),),
    2: (("top_pad", "bottom_pad"), ("left_pad", "right_pad")),
    3: (),
}
"""Number of spatial axes → Keras 1's names of the edges; volumes have none."""

INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


@layer("ZeroPadding1D")
def zero_padding1d(padding: Edges = 1, data_format: str | None = None) -> Pair:
    """Put zeros before and after a sequence: as many on both sides, or `(before, after)`.

    >>> from funkeras.functional import output_shape
    >>> output_shape(zero_padding1d((1, 2)), (None, 5, 4))
    (None, 8, 4)
    """
    return _zero_padding(1, padding, data_format)


@layer("ZeroPadding2D")
def zero_padding2d(padding: Edges = 1, data_format: str | None = None) -> Pair:
    """Put zeros around an image: `((top, bottom), (left, right))`, or `(rows, columns)`.

    >>> from funkeras.functional import output_shape
    >>> output_shape(zero_padding2d(((1, 0), (2, 2))), (None, 5, 5, 3))
    (None, 6, 9, 3)
    """
    return _zero_padding(2, padding, data_format)


@layer("ZeroPadding3D")
def zero_padding3d(padding: Edges = 1, data_format: str | None = None) -> Pair:
    """Put zeros around a volume: as many on both sides of each axis, or a pair for each.

    >>> from funkeras.functional import output_shape
    >>> output_shape(zero_padding3d((1, 2, 0)), (None, 5, 5, 5, 1))
    (None, 7, 9, 5, 1)
    """
    return _zero_padding(3, padding, data_format)


@layer("Cropping1D")
def cropping1d(cropping: Edges = 1) -> Pair:
    """Leave out the first and last steps: as many at both ends, or `(before, after)`.

    >>> from funkeras.functional import output_shape
    >>> output_shape(cropping1d((0, 2)), (None, 5, 4))
    (None, 3, 4)
    """
    return _cropping(1, cropping, "channels_last")


@layer("Cropping2D")
def cropping2d(cropping: Edges = 0, data_format: str | None = None) -> Pair:
    """Leave out the edges of an image: `((top, bottom), (left, right))`, or `(rows, columns)`.

    >>> from funkeras.functional import output_shape
    >>> output_shape(cropping2d(((1, 0), (2, 2))), (None, 5, 5, 3))
    (None, 4, 1, 3)
    """
    return _cropping(2, cropping, data_format)


@layer("Cropping3D")
def cropping3d(cropping: Edges = 1, data_format: str | None = None) -> Pair:
    """Leave out the edges of a volume: as many on both sides of each axis, or a pair for each.

    >>> from funkeras.functional import output_shape
    >>> output_shape(cropping3d((1, 2, 0)), (None, 5, 5, 5, 1))
    (None, 3, 1, 5, 1)
    """
    return _cropping(3, cropping, data_format)


@layer("UpSampling1D")
def up_sampling1d(size: Sizes = 2) -> Pair:
    """Repeat every step `size` times.

    >>> from funkeras.functional import output_shape
    >>> output_shape(up_sampling1d(3), (None, 5, 4))
    (None, 15, 4)
    """
    return _up_sampling(1, size, "channels_last", "nearest")


@layer("UpSampling2D")
def up_sampling2d(
    size: Sizes = 2, data_format: str | None = None, interpolation: str = "nearest"
) -> Pair:
    """Enlarge an image by whole factors: repeat pixels, or interpolate between them.

    Pixels are squares whose centres are interpolated between. In the dialects of Keras 1 and 2,
    `bilinear` takes pixels for points and the first one of the image for the first of the result,
    as Keras 2 did on TensorFlow.

    >>> from funkeras.functional import output_shape
    >>> output_shape(up_sampling2d((2, 3), interpolation="bicubic"), (None, 5, 5, 3))
    (None, 10, 15, 3)
    """
    return _up_sampling(
        2, size, data_format, one_of("interpolation", interpolation, INTERPOLATIONS)
    )


@layer("UpSampling3D")
def up_sampling3d(size: Sizes = 2, data_format: str | None = None) -> Pair:
    """Repeat every voxel along each axis.

    >>> from funkeras.functional import output_shape
    >>> output_shape(up_sampling3d((1, 2, 3)), (None, 2, 2, 2, 1))
    (None, 2, 4, 6, 1)
    """
    return _up_sampling(3, size, data_format, "nearest")


def edges_of(name: str, value: Edges, space: int) -> Padding:
    """A pair of numbers for each spatial axis, from any form that a Keras took.

    >>> edges_of("padding", (1, 2), 2), edges_of("padding", (1, 2), 1)
    (((1, 1), (2, 2)), ((1, 2),))
    >>> edges_of("padding", {"left_pad": 3}, 2), edges_of("padding", (1, 2, 3, 4), 2)
    (((0, 0), (3, 0)), ((1, 2), (3, 4)))
    """
    if isinstance(value, Mapping):
        names = SIDES[space]
        if unknown := set(value) - {side for axis in names for side in axis}:
            allowed = ", ".join(side for axis in names for side in axis)
            raise ValueError(f"{name} as a dict takes {allowed or 'no keys'}; got {unknown}")
        value = tuple((value.get(low, 0), value.get(high, 0)) for low, high in names)
    parts: list[int | Sequence[int]] = [value] * space if isinstance(value, int) else list(value)
    flat = [part for part in parts if isinstance(part, int)]
    if len(parts) == len(flat) == 2 * space:
        parts = [flat[axis : axis + 2] for axis in range(0, 2 * space, 2)]
    if len(parts) != space:
        raise ValueError(f"{name} must be one number, or one or a pair per axis; got {value!r}")
    pairs = [tuple_of(name, part, 2, least=0) for part in parts]
    return tuple((low, high) for low, high in pairs)


def _zero_padding(space: int, padding: Edges, data_format: str | None) -> Pair:
    edges = edges_of("padding", padding, space)
    first = 2 if channels_at(data_format) == 1 else 1

    def apply(params: Params, x: Shaped[Array, "batch *n"]) -> Shaped[Array, "batch *m"]:
        rank(x.shape, space + 2)
        around = [(0, 0)] * (space + 2)
        around[first : first + space] = edges
        return jnp.pad(x, around)

    return stateless(apply, mask=no_mask)


def _cropping(space: int, cropping: Edges, data_format: str | None) -> Pair:
    edges = edges_of("cropping", cropping, space)
    first = 2 if channels_at(data_format) == 1 else 1
    least = 1 if config.dialect() == "modern" else 0

    def apply(params: Params, x: Shaped[Array, "batch *n"]) -> Shaped[Array, "batch *m"]:
        """In Keras 3 something has to be left."""
        rank(x.shape, space + 2)
        size = x.shape[first : first + space]
        if any(low + high > n - least for n, (low, high) in zip(size, edges, strict=True)):
            raise ValueError(f"cropping {edges} must leave {least} or more of the input's {size}")
        kept = [slice(low, n - high) for n, (low, high) in zip(size, edges, strict=True)]
        return x[(slice(None),) * first + tuple(kept)]

    return stateless(apply, mask=no_mask)


def _up_sampling(space: int, size: Sizes, data_format: str | None, interpolation: str) -> Pair:
    factors = tuple_of("size", size, space)
    first = 2 if channels_at(data_format) == 1 else 1
    as_points = interpolation == "bilinear" and config.dialect() != "modern"

    def apply(params: Params, x: Shaped[Array, "batch *n"]) -> Shaped[Array, "batch *m"]:
        rank(x.shape, space + 2)
        if interpolation == "nearest" or as_points:
            for axis, factor in enumerate(factors, start=first):
                x = _between_points(x, axis, factor) if as_points else jnp.repeat(x, factor, axis)
            return x
        shape = list(x.shape)
        for axis, factor in enumerate(factors, start=first):
            shape[axis] *= factor
        return jax.image.resize(x, shape, interpolation.removeprefix("bi"), antialias=False)

    return stateless(apply, mask=no_mask)


def _between_points(x: Array, axis: int, factor: int) -> Array:
    """`factor` steps from each entry of an axis to the next, the last one repeated."""
    last = x.shape[axis] - 1
    following = jnp.concatenate(
        [jnp.take(x, jnp.arange(1, last + 1), axis), jnp.take(x, jnp.array([last]), axis)], axis
    )
    shares = jnp.arange(factor, dtype=x.dtype) / jnp.asarray(factor, x.dtype)
    shape = [1] * (x.ndim + 1)
    shape[axis + 1] = factor
    shares = shares.reshape(shape)
    here, there = jnp.expand_dims(x, axis + 1), jnp.expand_dims(following, axis + 1)
    between = here + (there - here) * shares
    return between.reshape(*x.shape[:axis], -1, *x.shape[axis + 1 :])
