"""Images brought to a form: rescaled, resized, cropped. The same in training and at inference."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from funkeras import config
from funkeras.functional.checks import one_of, positive
from funkeras.functional.pair import Pair, layer, stateless
from funkeras.typing import Array, ArrayLike, Params

__all__ = ["center_crop", "max_num_bounding_boxes", "rescaling", "resizing"]

INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


def as_float(x: ArrayLike) -> Array:
    """Numbers as floating point: whole ones in the default type, others as they are."""
    x = jnp.asarray(x)
    return x if jnp.issubdtype(x.dtype, jnp.floating) else x.astype(config.floatx())


def rows_first(data_format: str | None) -> bool:
    """Whether a `data_format` (None for the configured one) has the channels before the rows."""
    data_format = data_format or config.image_data_format()
    return one_of("data_format", data_format, config.DATA_FORMATS) == "channels_first"


def row_axis(x: Array, first: bool) -> int:
    """Where the rows of one image or a batch of them are; the columns follow."""
    if x.ndim not in (3, 4):
        raise ValueError(f"expected an image or a batch of them, got shape {x.shape}")
    return x.ndim - (2 if first else 3)


def part(x: Array, axis: int, starts: Sequence[Any], sizes: Sequence[int]) -> Array:
    """The rows and columns from `starts` on; `axis` is that of the rows."""
    for offset, (start, size) in enumerate(zip(starts, sizes, strict=True)):
        x = jax.lax.dynamic_slice_in_dim(x, start, size, axis + offset)
    return x


def middle(x: Array, axis: int, sizes: Sequence[int]) -> Array:
    """The largest middle part with the proportions of `sizes`."""
    height, width = x.shape[axis : axis + 2]
    rows, columns = sizes
    kept_height = max(1, min(height, width * rows // columns))
    kept_width = max(1, min(width, height * columns // rows))
    starts = (height - kept_height) // 2, (width - kept_width) // 2
    return part(x, axis, starts, (kept_height, kept_width))


def resized(
    x: Array, axis: int, sizes: Sequence[int], interpolation: str, antialias: bool = False
) -> Array:
    """`x` with other numbers of rows and columns."""
    shape = (*x.shape[:axis], *sizes, *x.shape[axis + 2 :])
    return jax.image.resize(x, shape, interpolation, antialias=antialias)


@layer("Rescaling")
def rescaling(scale: float | Sequence[float], offset: float | Sequence[float] = 0.0) -> Pair:
    """`scale * x + offset`; a list has a number for each channel.

    >>> from funkeras.functional import output_shape
    >>> output_shape(rescaling(1 / 255), (None, 28, 28, 1))
    (None, 28, 28, 1)
    """
    first = config.image_data_format() == "channels_first"
    factors, offsets = (
        np.reshape(value, (-1, 1, 1)) if first and np.ndim(value) else np.asarray(value)
        for value in (scale, offset)
    )

    def apply(params: Params, x: ArrayLike) -> Array:
        x = as_float(x)
        return x * jnp.asarray(factors, x.dtype) + jnp.asarray(offsets, x.dtype)

    return stateless(apply)


@layer("Resizing")
def resizing(
    height: int,
    width: int,
    interpolation: str = "bilinear",
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    antialias: bool = False,
    data_format: str | None = None,
) -> Pair:
    """Images of `height` rows and `width` columns. Whole numbers are rounded and stay whole.

    Args:
        interpolation: nearest, bilinear, bicubic, lanczos3 or lanczos5.
        crop_to_aspect_ratio, pad_to_aspect_ratio: do not distort: first cut off what is too much,
            or add `fill_value` evenly on both sides.
        antialias: average over the pixels that become one.

    >>> from funkeras.functional import output_shape
    >>> output_shape(resizing(8, 6), (None, 28, 28, 1))
    (None, 8, 6, 1)
    """
    sizes = positive("height", height), positive("width", width)
    one_of("interpolation", interpolation, INTERPOLATIONS)
    one_of("fill_mode", fill_mode, ("constant",))
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError("give one of crop_to_aspect_ratio and pad_to_aspect_ratio, not both")
    first = rows_first(data_format)

    def padded(x: Array, axis: int) -> Array:
        rows, columns = x.shape[axis : axis + 2]
        missing = columns * height // width - rows, rows * width // height - columns
        edges = [(0, 0)] * x.ndim
        for offset, count in enumerate(missing):
            edges[axis + offset] = (max(0, count // 2), max(0, count // 2))
        return jnp.pad(x, edges, constant_values=fill_value)

    def apply(params: Params, x: ArrayLike) -> Array:
        x = jnp.asarray(x)
        axis, dtype = row_axis(x, first), x.dtype
        x = middle(x, axis, sizes) if crop_to_aspect_ratio else x
        x = padded(x, axis) if pad_to_aspect_ratio else x
        y = resized(as_float(x), axis, sizes, interpolation, antialias)
        if jnp.issubdtype(dtype, jnp.floating):
            return y
        limits = jnp.iinfo(dtype)
        return jnp.clip(jnp.round(y), limits.min, limits.max).astype(dtype)

    return stateless(apply)


@layer("CenterCrop")
def center_crop(height: int, width: int, data_format: str | None = None) -> Pair:
    """The middle `height` rows and `width` columns.

    Of images that are smaller, the largest middle part with these proportions is resized.

    >>> from funkeras.functional import output_shape
    >>> output_shape(center_crop(20, 20), (None, 28, 28, 1))
    (None, 20, 20, 1)
    """
    sizes = positive("height", height), positive("width", width)
    first = rows_first(data_format)

    def apply(params: Params, x: ArrayLike) -> Array:
        return cropped(as_float(x), first, sizes)

    return stateless(apply)


def cropped(x: Array, first: bool, sizes: tuple[int, int]) -> Array:
    """The middle of images, enlarged if they are too small."""
    axis = row_axis(x, first)
    spare = [own - size for own, size in zip(x.shape[axis : axis + 2], sizes, strict=True)]
    if min(spare) >= 0:
        return part(x, axis, [rest // 2 for rest in spare], sizes)
    return resized(middle(x, axis, sizes), axis, sizes, "bilinear")


@layer("MaxNumBoundingBoxes")
def max_num_bounding_boxes(max_number: int, fill_value: float = -1) -> Pair:
    """Of each image the first `max_number` boxes with their labels; `fill_value` for missing ones.

    In a dict the `bounding_boxes` are a dict of `boxes`, (batch, boxes, 4), and `labels`, (batch,
    boxes); of one image without the batch. Everything else stays as it is.

    >>> from funkeras.functional import output_shape
    >>> boxes = {"boxes": (None, 7, 4), "labels": (None, 7)}
    >>> output_shape(max_num_bounding_boxes(3), {"bounding_boxes": boxes})
    {'bounding_boxes': {'boxes': (None, 3, 4), 'labels': (None, 3)}}
    """
    positive("max_number", max_number)

    def fitted(a: Array, axis: int) -> Array:
        a = jax.lax.slice_in_dim(a, 0, min(max_number, a.shape[axis]), axis=axis)
        edges = [(0, 0)] * a.ndim
        edges[axis] = (0, max_number - a.shape[axis])
        return jnp.pad(a, edges, constant_values=fill_value)

    def apply(params: Params, x: Any) -> Any:
        if not isinstance(x, Mapping) or "bounding_boxes" not in x:
            return x
        held = x["bounding_boxes"]
        boxes = {"boxes": fitted(as_float(held["boxes"]), held["boxes"].ndim - 2)}
        labels = {"labels": fitted(held["labels"], held["labels"].ndim - 1)}
        return {**x, "bounding_boxes": {**held, **boxes, **labels}}

    return stateless(apply)
