"""Images, or a batch of them, of other sizes or with their pixels at other places."""

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import random
from jax.scipy import ndimage

from funkeras.functional.checks import one_of, tuple_of
from funkeras.functional.preprocessing_changes import as_float, row_axis, rows_first
from funkeras.functional.preprocessing_images import part, resizing
from funkeras.functional.preprocessing_places import FILL_MODES, ORDERS, seen
from funkeras.functional.preprocessing_warping import displaced, homography
from funkeras.ops.arguments import array
from funkeras.ops.convolutions import Sizes, conv
from funkeras.ops.lifting import op
from funkeras.variables import current_flow

__all__ = [
    "affine_transform",
    "crop_images",
    "elastic_transform",
    "extract_patches",
    "extract_patches_3d",
    "map_coordinates",
    "pad_images",
    "perspective_transform",
    "resize",
    "scale_and_translate",
]

Count: TypeAlias = int | None

METHODS = (
    "linear",
    "bilinear",
    "trilinear",
    "cubic",
    "bicubic",
    "tricubic",
    "lanczos3",
    "lanczos5",
)


@op
def affine_transform(
    images: Any,
    transform: Any,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Any:
    """Images whose pixel (x, y) comes from (a0 x + a1 y + a2, b0 x + b1 y + b2).

    A row of `transform` is [a0, a1, a2, b0, b1, b2, c0, c1], of which the last two change nothing.
    """
    one_of("interpolation", interpolation, tuple(ORDERS))
    one_of("fill_mode", fill_mode, FILL_MODES)
    x, first = array(images), rows_first(data_format)
    batch = _batch(x)
    rows = jnp.atleast_2d(as_float(array(transform)))
    if rows.ndim != 2 or rows.shape[1] != 8:
        raise ValueError(f"transform must have shape (8,) or (batch, 8), got {rows.shape}")
    last = jnp.asarray([0, 0, 1], rows.dtype)
    matrix = jnp.concatenate([rows[:, :6], jnp.broadcast_to(last, (len(rows), 3))], 1)
    matrix = jnp.broadcast_to(matrix.reshape(-1, 3, 3), (len(batch), 3, 3))
    y = seen(batch, matrix, interpolation, fill_value, first, fill_mode, True)
    return y.reshape(x.shape)


@op
def perspective_transform(
    images: Any,
    start_points: Any,
    end_points: Any,
    interpolation: str = "bilinear",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Any:
    """Images seen so that four points (x, y), `start_points`, lie at `end_points`."""
    one_of("interpolation", interpolation, tuple(ORDERS))
    starts, ends = (jnp.asarray(points, jnp.float32) for points in (start_points, end_points))
    if starts.shape != ends.shape or starts.shape[-2:] != (4, 2) or starts.ndim not in (2, 3):
        raise ValueError(
            "start_points and end_points must both have shape (4, 2) or (batch, 4, 2), "
            f"got {starts.shape} and {ends.shape}"
        )
    x, first = array(images), rows_first(data_format)
    batch = _batch(x)
    matrix = homography(starts.reshape(-1, 4, 2), ends.reshape(-1, 4, 2))
    matrix = jnp.broadcast_to(matrix, (len(batch), 3, 3))
    return seen(batch, matrix, interpolation, fill_value, first).reshape(x.shape)


@op
def elastic_transform(
    images: Any,
    alpha: float = 20.0,
    sigma: float = 5.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
    seed: Any = None,
    data_format: str | None = None,
) -> Any:
    """Images whose pixels come from where smoothed noise moves them: Simard et al. 2003.

    Normal noise of deviation `sigma` is smoothed by a Gaussian as wide; `alpha` times that moves
    rows and columns alike, as one draw stands for both in Keras.

    Args:
        seed: a whole number; None draws anew, from the key of the run or NumPy's generator.
    """
    one_of("interpolation", interpolation, tuple(ORDERS))
    one_of("fill_mode", fill_mode, FILL_MODES)
    x, first = array(images), rows_first(data_format)
    batch = _batch(x)
    sizes = batch.shape[2:] if first else batch.shape[1:3]
    noise = random.normal(_key(seed), (len(batch), *sizes), as_float(batch).dtype)
    moves = jnp.stack([noise, noise], 1)
    how = interpolation, fill_mode, fill_value, first, int(6 * sigma) | 1
    y = displaced(batch, moves, array(alpha), array(sigma), *how)
    return y.reshape(x.shape)


@op
def map_coordinates(
    inputs: Any, coordinates: Any, order: int, fill_mode: str = "constant", fill_value: float = 0
) -> Any:
    """Values of an array at places (axes, ...): the nearest (order 0), or between the next (1)."""
    x, places = array(inputs), array(coordinates)
    one_of("order", order, (0, 1))
    one_of("fill_mode", fill_mode, FILL_MODES)
    if places.ndim < 2 or len(places) != x.ndim:
        raise ValueError(
            f"coordinates must have shape ({x.ndim}, ...) for inputs of shape {x.shape}, "
            f"got {places.shape}"
        )
    return ndimage.map_coordinates(x, [*places], order, fill_mode, fill_value)


@op
def resize(
    images: Any,
    size: Sequence[int],
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Any:
    """Images of `size`, (rows, columns); proportions may be kept by cropping or by padding.

    Whole numbers are rounded and stay whole.
    """
    if len(size) != 2:
        raise ValueError(f"size must be (rows, columns), got {size}")
    rows, columns = size
    kept = crop_to_aspect_ratio, pad_to_aspect_ratio
    pair = resizing(
        rows, columns, interpolation, *kept, fill_mode, fill_value, antialias, data_format
    )
    return pair.apply({}, {}, array(images))[0]


@op
def scale_and_translate(
    images: Any,
    output_shape: Sequence[int],
    scale: Any,
    translation: Any,
    spatial_dims: Sequence[int],
    method: str,
    antialias: bool = True,
) -> Any:
    """An array of `output_shape` whose axes `spatial_dims` are scaled, then moved."""
    one_of("method", method, METHODS)
    x, scale, moved = (array(value) for value in (images, scale, translation))
    options = tuple(output_shape), tuple(spatial_dims)
    return jax.image.scale_and_translate(x, *options, scale, moved, method, antialias)


@op
def crop_images(
    images: Any,
    top_cropping: Count = None,
    left_cropping: Count = None,
    bottom_cropping: Count = None,
    right_cropping: Count = None,
    target_height: Count = None,
    target_width: Count = None,
    data_format: str | None = None,
) -> Any:
    """Images without their edges; of both edges and the target size, two are given an axis."""
    x = array(images)
    axis = row_axis(x, rows_first(data_format))
    height, width = x.shape[axis : axis + 2]
    top, bottom = _ends("cropping", "height", top_cropping, bottom_cropping, target_height, -height)
    left, right = _ends("cropping", "width", left_cropping, right_cropping, target_width, -width)
    return part(x, axis, (top, left), (height - top - bottom, width - left - right))


@op
def pad_images(
    images: Any,
    top_padding: Count = None,
    left_padding: Count = None,
    bottom_padding: Count = None,
    right_padding: Count = None,
    target_height: Count = None,
    target_width: Count = None,
    data_format: str | None = None,
) -> Any:
    """Images with zeros around; of both edges and the target size, two are given an axis."""
    x = array(images)
    axis = row_axis(x, rows_first(data_format))
    height, width = x.shape[axis : axis + 2]
    edges = [(0, 0)] * x.ndim
    edges[axis] = _ends("padding", "height", top_padding, bottom_padding, target_height, height)
    edges[axis + 1] = _ends("padding", "width", left_padding, right_padding, target_width, width)
    return jnp.pad(x, edges)


@op
def extract_patches(
    images: Any,
    size: Sizes,
    strides: Sizes | None = None,
    dilation_rate: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """Windows of images, or of volumes for three sizes, each as the channels of one pixel."""
    space = 2 if isinstance(size, int) else len(size)
    one_of("the number of sizes", space, (2, 3))
    return _patches(images, space, size, strides, dilation_rate, padding, data_format)


@op
def extract_patches_3d(
    volumes: Any,
    size: Sizes,
    strides: Sizes | None = None,
    dilation_rate: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """Windows of volumes (depth, rows, columns, channels), each as the channels of one voxel."""
    return _patches(volumes, 3, size, strides, dilation_rate, padding, data_format)


def _batch(x: Any) -> Any:
    """A batch of images, of one if it is an image."""
    if x.ndim not in (3, 4):
        raise ValueError(f"expected an image or a batch of them, got shape {x.shape}")
    return x if x.ndim == 4 else x[None]


def _ends(kind: str, of: str, low: Count, high: Count, target: Count, size: int) -> tuple[int, int]:
    """What goes, or is cut, at both ends of an axis; a size below 0 is one to cut from."""
    given = f"{kind} of {low} and {high} with target_{of} {target}"
    if [low, high, target].count(None) != 1:
        raise ValueError(f"give two of both edges and target_{of}, got {given}")
    if target is not None:
        total = target - size if size > 0 else -size - target
        low, high = (total - (high or 0) if low is None else low), high
        high = total - low if high is None else high
    low, high = low or 0, high or 0
    if min(low, high) < 0 or (size < 0 and low + high > -size):
        raise ValueError(f"edges must fit the {of} {abs(size)} and be at least 0, got {given}")
    return low, high


def _patches(
    x: Any,
    space: int,
    size: Sizes,
    strides: Sizes | None,
    dilation_rate: Sizes,
    padding: str,
    data_format: str | None,
) -> Any:
    """A convolution that hands on each entry of a window in a channel of its own."""
    x = array(x)
    if x.ndim not in (space + 1, space + 2):
        raise ValueError(f"expected rank {space + 1}, or {space + 2} of a batch; got {x.shape}")
    batch = x if x.ndim == space + 2 else x[None]
    window = tuple_of("size", size, space)
    channels = batch.shape[1 if rows_first(data_format) else -1]
    count = channels * math.prod(window)
    kernel = jnp.eye(count, dtype=x.dtype).reshape(*window, channels, count)
    steps = window if strides is None else strides
    y = conv(batch, kernel, steps, padding, data_format, dilation_rate)
    return y if x.ndim == space + 2 else y[0]


def _key(seed: Any) -> Any:
    """The key that Keras makes of a whole number; of None, one of the run."""
    if seed is not None:
        return jnp.asarray([seed, 0], jnp.uint32)
    flow = current_flow()
    return random.key(np.random.randint(1 << 31)) if flow is None else flow.next_key()
