"""Images, (rows, columns, channels), or a batch of them: colors, sizes, places, edges, likeness.

With channels first they are (channels, rows, columns).
"""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from funkeras.functional.checks import rank, tuple_of
from funkeras.functional.preprocessing_changes import as_float, row_axis, rows_first
from funkeras.functional.preprocessing_colors import color_of, gray, hue_of, planes
from funkeras.functional.preprocessing_images import part
from funkeras.functional.preprocessing_mixing import bell, smoothed
from funkeras.ops import image_places
from funkeras.ops.arguments import array
from funkeras.ops.image_places import *  # noqa: F403
from funkeras.ops.lifting import op

__all__ = [
    "gaussian_blur",
    "hsv_to_rgb",
    "rgb_to_grayscale",
    "rgb_to_hsv",
    "sobel_edges",
    "ssim",
    *image_places.__all__,
]


@op
def rgb_to_grayscale(images: Any, data_format: str | None = None) -> Any:
    """Brightness, in one channel: 0.2989 red + 0.587 green + 0.114 blue, in the images' dtype."""
    x, axis = _channels(images, data_format)
    return gray(as_float(x), axis).astype(x.dtype)


@op
def rgb_to_hsv(images: Any, data_format: str | None = None) -> Any:
    """Hue, saturation and value of red, green and blue; all of them in [0, 1]."""
    x, axis = _channels(images, data_format, floating=True)
    x = jnp.where(jnp.abs(x) < jnp.finfo(x.dtype).eps, 0, x)
    return jnp.stack(hue_of(*planes(x, axis)), axis)


@op
def hsv_to_rgb(images: Any, data_format: str | None = None) -> Any:
    """Red, green and blue of hue, saturation and value; all of them in [0, 1]."""
    x, axis = _channels(images, data_format, floating=True)
    return color_of(*planes(x, axis), axis)


@op
def gaussian_blur(
    images: Any,
    kernel_size: Sequence[int] = (3, 3),
    sigma: Sequence[float] = (1.0, 1.0),
    data_format: str | None = None,
) -> Any:
    """Means weighed by a Gaussian with `kernel_size` columns and rows; zeros lie beyond borders."""
    x = array(images)
    columns, rows = (
        bell(size, deviation)
        for size, deviation in zip(tuple_of("kernel_size", kernel_size, 2), [*sigma], strict=True)
    )
    axis = row_axis(x, rows_first(data_format))
    return smoothed(as_float(x), axis, rows, columns).astype(x.dtype)


@op
def sobel_edges(images: Any, data_format: str | None = None) -> Any:
    """Slopes along rows and along columns, on a last axis, by Sobel's 3×3 differences."""
    x = array(images)
    rank(x.shape, 4)
    axis = row_axis(x, rows_first(data_format))
    mean, slope = jnp.asarray([1, 2, 1]), jnp.asarray([-1, 0, 1])
    return jnp.stack([smoothed(x, axis, slope, mean), smoothed(x, axis, mean, slope)], -1)


@op
def ssim(
    image1: Any,
    image2: Any,
    max_val: float = 1.0,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: str | None = None,
) -> Any:
    """Structural similarity of each image to another, at most 1: Wang et al. 2004.

    Means, variances and covariance are those under a Gaussian window wherever it fits the image.
    """
    x, y = array(image1), array(image2)
    if x.shape != y.shape:
        raise ValueError(f"expected two images of one shape, got {x.shape} and {y.shape}")
    axis, dtype = row_axis(x, rows_first(data_format)), x.dtype
    sizes = [size - filter_size + 1 for size in x.shape[axis : axis + 2]]
    if min(sizes) < 1:
        raise ValueError(f"filter_size {filter_size} must fit the images, of shape {x.shape}")
    weights, start = bell(filter_size, filter_sigma), (filter_size - 1) // 2

    def mean(a: Any) -> Any:
        return part(smoothed(a, axis, weights, weights), axis, (start, start), sizes)

    x, y = as_float(x), as_float(y)
    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    mx, my = mean(x), mean(y)
    luminance = (2 * mx * my + c1) / (mx**2 + my**2 + c1)
    spread = mean(x * x) - mx**2 + mean(y * y) - my**2
    structure = (2 * (mean(x * y) - mx * my) + c2) / (spread + c2)
    return jnp.mean(luminance * structure, (-3, -2, -1)).astype(dtype)


def _channels(
    images: Any, data_format: str | None, floating: bool = False
) -> tuple[jax.Array, int]:
    """The images, and the axis of their channels, counted from the last."""
    x = array(images)
    first = rows_first(data_format)
    row_axis(x, first)
    if floating and not jnp.issubdtype(x.dtype, jnp.floating):
        raise ValueError(f"expected images of floating point, got {x.dtype}")
    return x, -3 if first else -1
