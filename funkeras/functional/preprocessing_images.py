"""Images brought to a form: rescaled, resized, cropped. The same in training and at inference."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from funkeras import config
from funkeras.functional.checks import one_of, positive
from funkeras.functional.pair import Pair, layer, stateless
from funkeras.functional.preprocessing_changes import (
    Change,
    ImagePair,
    as_float,
    boxed,
    extent,
    frame,
    imaging,
    row_axis,
    rows_first,
    unchanged,
)
from funkeras.typing import Array, ArrayLike, Params

__all__ = ["center_crop", "max_num_bounding_boxes", "rescaling", "resizing"]

INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


def part(x: Array, axis: int, starts: Sequence[Any], sizes: Sequence[int]) -> Array:
    """The rows and columns from `starts` on; `axis` is that of the rows."""
    for offset, (start, size) in enumerate(zip(starts, sizes, strict=True)):
        x = jax.lax.dynamic_slice_in_dim(x, start, size, axis + offset)
    return x


def middle(own: Sequence[int], sizes: Sequence[int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Where the largest middle part with the proportions of `sizes` starts, and its size.

    >>> middle((6, 10), (2, 2))
    ((0, 2), (6, 6))
    """
    (height, width), (rows, columns) = own, sizes
    kept_height = max(1, min(height, width * rows // columns))
    kept_width = max(1, min(width, height * columns // rows))
    starts = (height - kept_height) // 2, (width - kept_width) // 2
    return starts, (kept_height, kept_width)


def ratios(sizes: Sequence[Any], before: Sequence[Any]) -> Array:
    """By how much corners, columns first, grow with images that get other sizes."""
    down, right = (new / old for new, old in zip(sizes, before, strict=True))
    return jnp.array([right, down] * 2)


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
) -> ImagePair:
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

    def resize(x: Array, interpolation: str) -> Array:
        axis, dtype = row_axis(x, first), x.dtype
        if crop_to_aspect_ratio:
            x = part(x, axis, *middle(extent(x.shape, first), sizes))
        x = padded(x, axis) if pad_to_aspect_ratio else x
        y = resized(as_float(x), axis, sizes, interpolation, antialias)
        if jnp.issubdtype(dtype, jnp.floating):
            return y
        limits = jnp.iinfo(dtype)
        return jnp.clip(jnp.round(y), limits.min, limits.max).astype(dtype)

    def images(x: Array, *how: Any) -> Array:
        return resize(x, interpolation)

    def masks(x: Array, *how: Any) -> Array:
        return resize(x, "nearest")

    def move(corners: Array, transformation: Any) -> Array:
        if not (crop_to_aspect_ratio or pad_to_aspect_ratio):
            return corners * ratios(sizes, transformation)
        # One factor, over/under, for both axes. What is cut off or added before is rounded down.
        rows, columns = transformation
        by_rows = (height * columns <= width * rows) != crop_to_aspect_ratio
        over, under = jnp.where(by_rows, height, width), jnp.where(by_rows, rows, columns)
        spare = jnp.array([width * under - over * columns, height * under - over * rows] * 2)
        sign = -1 if crop_to_aspect_ratio else 1
        return corners * (over / under) + sign * (sign * spare // (2 * under))

    def boxes(held: Any, transformation: Any, training: bool, form: str | None) -> Any:
        b = jnp.asarray(held["boxes"])
        missing = jnp.all(b == -1, -1, keepdims=True) | jnp.all(b == 0, -1, keepdims=True)
        y = boxed(move, tuple, sizes)(held, transformation, form)
        return {**y, "boxes": jnp.where(missing, 0, y["boxes"])}

    def draw(key: Any, x: Array, training: bool) -> Any:
        return extent(x.shape, first)

    return imaging(Change(images, masks=masks, boxes=boxes, draw=draw))


@layer("CenterCrop")
def center_crop(height: int, width: int, data_format: str | None = None) -> ImagePair:
    """The middle `height` rows and `width` columns.

    Of images that are smaller, the largest middle part with these proportions is resized.

    >>> from funkeras.functional import output_shape
    >>> output_shape(center_crop(20, 20), (None, 28, 28, 1))
    (None, 20, 20, 1)
    """
    sizes = positive("height", height), positive("width", width)
    first = rows_first(data_format)

    def cut(own: Sequence[int]) -> tuple[tuple[int, int], tuple[int, int]]:
        """Where the part starts, and its size."""
        down, right = (size - wanted for size, wanted in zip(own, sizes, strict=True))
        return middle(own, sizes) if min(down, right) < 0 else ((down // 2, right // 2), sizes)

    def crop(x: Array, interpolation: str) -> Array:
        axis = row_axis(x, first)
        starts, size = cut(extent(x.shape, first))
        y = part(x, axis, starts, size)
        return y if size == sizes else resized(y, axis, sizes, interpolation)

    def images(x: Array, *how: Any) -> Array:
        return crop(as_float(x), "bilinear")

    def masks(x: Array, *how: Any) -> Array:
        return crop(x, "nearest")

    def move(corners: Array, transformation: Any) -> Array:
        (top, left), size = cut(frame(first)(transformation))
        return (corners - jnp.array([left, top] * 2)) * ratios(sizes, size)

    def boxes(held: Any, transformation: Any, training: bool, form: str | None) -> Any:
        return boxed(move, frame(first), sizes)(held, transformation, form)

    def draw(key: Any, x: Array, training: bool) -> Any:
        return {"input_shape": x.shape}

    return imaging(Change(images, masks=masks, boxes=boxes, draw=draw))


@layer("MaxNumBoundingBoxes")
def max_num_bounding_boxes(
    max_number: int, fill_value: float = -1, data_format: str | None = None
) -> ImagePair:
    """Of each image the first `max_number` boxes with their labels; `fill_value` for missing ones.

    In a dict the `bounding_boxes` are a dict of `boxes`, (batch, boxes, 4), and `labels`, (batch,
    boxes); of one image without the batch. Everything else stays as it is.

    >>> from funkeras.functional import output_shape
    >>> boxes = {"boxes": (None, 7, 4), "labels": (None, 7)}
    >>> output_shape(max_num_bounding_boxes(3), {"bounding_boxes": boxes})
    {'bounding_boxes': {'boxes': (None, 3, 4), 'labels': (None, 3)}}
    """
    positive("max_number", max_number)
    rows_first(data_format)

    def fitted(a: Array, axis: int) -> Array:
        a = jax.lax.slice_in_dim(a, 0, min(max_number, a.shape[axis]), axis=axis)
        edges = [(0, 0)] * a.ndim
        edges[axis] = (0, max_number - a.shape[axis])
        return jnp.pad(a, edges, constant_values=fill_value)

    def boxes(held: Any, *how: Any) -> Any:
        number = held["boxes"].ndim - 2
        own = {"boxes": fitted(as_float(held["boxes"]), number)}
        return {**held, **own, "labels": fitted(jnp.asarray(held["labels"]), number)}

    return imaging(Change(unchanged, boxes=boxes))
