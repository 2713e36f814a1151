"""Random changes of where the pixels of images are: perspectives, elastic transforms."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jax import random
from jax.scipy.ndimage import map_coordinates

from funkeras.functional.checks import one_of, rank
from funkeras.functional.pair import Pair, layer
from funkeras.functional.precision import at_least_single
from funkeras.functional.preprocessing_colors import BYTES
from funkeras.functional.preprocessing_images import rows_first
from funkeras.functional.preprocessing_mixing import smoothed
from funkeras.functional.preprocessing_random import (
    ORDERS,
    Factor,
    augmentation,
    happens,
    span,
)
from funkeras.typing import Array, Key

__all__ = ["random_elastic_transform", "random_perspective"]

FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")


def taken(
    x: Array, places: Array, interpolation: str, fill_mode: str, fill_value: float, first: bool
) -> Array:
    """The images' values at places of (batch, 2, rows, columns): each pixel's row and column."""
    images = x if first else jnp.moveaxis(x, -1, 1)
    narrow = jnp.issubdtype(x.dtype, jnp.floating)  # whole numbers stay such and are rounded
    wide = images.astype(at_least_single(x.dtype)) if narrow else images

    def take(channel: Array, places: Array) -> Array:
        return map_coordinates(channel, [*places], ORDERS[interpolation], fill_mode, fill_value)

    y = jax.vmap(jax.vmap(take, (0, None)))(wide, places).astype(x.dtype)
    return y if first else jnp.moveaxis(y, 1, -1)


def homography(starts: Array, ends: Array) -> Array:
    """The 3×3 matrices that take four points `ends`, (batch, 4, 2), columns first, to `starts`.

    >>> corners = jnp.array([[[0.0, 0.0], [4.0, 0.0], [0.0, 3.0], [4.0, 3.0]]])
    >>> bool(jnp.allclose(homography(corners, corners)[0], jnp.eye(3), atol=1e-5))
    True
    """
    own = jnp.concatenate([ends, jnp.ones_like(ends[..., :1])], -1)
    none = jnp.zeros_like(own)
    products = -starts[..., None] * ends[..., None, :]
    rows = [
        jnp.concatenate([own, none, products[..., 0, :]], -1),
        jnp.concatenate([none, own, products[..., 1, :]], -1),
    ]
    target = jnp.concatenate([starts[..., 0], starts[..., 1]], -1)
    solved = jnp.linalg.solve(jnp.concatenate(rows, 1), target[..., None])[..., 0]
    return jnp.concatenate([solved, jnp.ones_like(solved[..., :1])], -1).reshape(-1, 3, 3)


def seen(
    x: Array,
    matrix: Array,
    interpolation: str,
    fill_value: float,
    first: bool,
    fill_mode: str = "constant",
) -> Array:
    """Images of which each pixel comes from where a 3×3 matrix for each image takes it."""
    height, width = x.shape[2:] if first else x.shape[1:3]
    rows, columns = jnp.indices((height, width)).astype(matrix.dtype)
    points = jnp.einsum("bij,jhw->ibhw", matrix, jnp.stack([columns, rows, jnp.ones_like(rows)]))
    places = jnp.stack([points[1] / points[2], points[0] / points[2]], 1)
    return taken(x, places, interpolation, fill_mode, fill_value, first)


@layer("RandomPerspective")
def random_perspective(
    factor: Factor = 1.0,
    scale: float = 1.0,
    interpolation: str = "bilinear",
    fill_value: float = 0.0,
    seed: int | None = None,
    data_format: str | None = None,
) -> Pair:
    """Look at each image, with a probability drawn from `factor`, from elsewhere.

    The coordinates of its corners change by at most half of `scale` times themselves, so that the
    first one stays. Beyond the image is `fill_value`.
    """
    limit = span("factor", factor)
    if not 0 <= scale <= 1:
        raise ValueError(f"scale must lie in [0, 1], got {scale}")
    one_of("interpolation", interpolation, tuple(ORDERS))
    first = rows_first(data_format)

    def perturb(key: Key, x: Array) -> Array:
        rank(x.shape, 4)
        height, width = x.shape[2:] if first else x.shape[1:3]
        of_choice, of_points = random.split(key)
        right, bottom = width - 1.0, height - 1.0
        starts = jnp.array([[0, 0], [right, 0], [0, bottom], [right, bottom]], jnp.float32)
        half = 0.5 * scale
        draws = random.uniform(of_points, (len(x), 4, 2), jnp.float32, -half, half)
        ends = starts + starts * draws
        matrix = homography(jnp.broadcast_to(starts, ends.shape), ends)
        y = seen(x, matrix, interpolation, fill_value, first)
        return jnp.where(happens(of_choice, x, limit), y, x)

    return augmentation(perturb, seed)


def displaced(
    x: Array,
    noise: Array,
    strength: Array,
    deviation: Array,
    interpolation: str,
    fill_mode: str,
    fill_value: float,
    first: bool,
    widest: int,
) -> Array:
    """Images whose pixels come from where smoothed noise, (batch, 2, rows, columns), moves them.

    Noise is as wide as `deviation`, and smoothed by a Gaussian of that width of at most `widest`
    pixels; places change by `strength` times that.
    """
    half = (((6 * deviation).astype("int32") | 1) // 2).astype(jnp.float32)
    steps = jnp.arange(widest, dtype=jnp.float32) - widest // 2
    heights = jnp.exp(-0.5 * jnp.square(steps / deviation))
    heights = jnp.where(jnp.abs(steps) <= half, heights, 0)
    weights = heights / heights.sum()
    moves = smoothed(noise * deviation, 2, weights, weights)
    places = jnp.indices(noise.shape[2:]).astype(moves.dtype) + strength * moves
    return taken(x, places, interpolation, fill_mode, fill_value, first)


@layer("RandomElasticTransform")
def random_elastic_transform(
    factor: Factor = 1.0,
    scale: Factor = 1.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
    value_range: Sequence[float] = BYTES,
    seed: int | None = None,
    data_format: str | None = None,
) -> Pair:
    """Move the pixels of each image about, near ones alike, with a probability drawn from `factor`.

    Normal noise, for rows and for columns, is smoothed by a Gaussian. For one draw s of `scale` its
    deviation is s / 20 of the shorter side, by which noise is multiplied too, and the moves are
    s / 10 of the longer side times that. Values stay within `value_range`. Simard, Steinkraus and
    Platt 2003.
    """
    limit, strengths = span("factor", factor), span("scale", scale)
    one_of("interpolation", interpolation, tuple(ORDERS))
    one_of("fill_mode", fill_mode, FILL_MODES)
    first = rows_first(data_format)

    def perturb(key: Key, x: Array) -> Array:
        rank(x.shape, 4)
        if 0 in (limit[1], strengths[1]):
            return x
        sizes = x.shape[2:] if first else x.shape[1:3]
        of_choice, of_strength, of_noise = random.split(key, 3)
        strength = random.uniform(of_strength, (), jnp.float32, *strengths)
        noise = random.normal(of_noise, (len(x), 2, *sizes), jnp.float32)
        deviation = jnp.maximum(0.05 * strength * min(sizes), 1e-6)
        widest = int(6 * 0.05 * strengths[1] * min(sizes)) | 1
        way = (interpolation, fill_mode, fill_value, first, widest)
        y = displaced(x, noise, 0.1 * strength * max(sizes), deviation, *way)
        return jnp.clip(jnp.where(happens(of_choice, x, limit), y, x), *value_range)

    return augmentation(perturb, seed)
