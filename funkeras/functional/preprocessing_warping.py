"""Random changes of where the pixels of images are: perspectives, elastic transforms."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from jax import random

from funkeras.functional.checks import one_of
from funkeras.functional.pair import layer
from funkeras.functional.preprocessing_changes import (
    ImagePair,
    augmentation,
    cannot_move,
    extent,
    rows_first,
)
from funkeras.functional.preprocessing_colors import BYTES
from funkeras.functional.preprocessing_mixing import smoothed
from funkeras.functional.preprocessing_places import FILL_MODES, ORDERS, taken, warp
from funkeras.functional.preprocessing_random import Factor, happens, per_image, span
from funkeras.typing import Array, Key

__all__ = ["random_elastic_transform", "random_perspective"]


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


@layer("RandomPerspective")
def random_perspective(
    factor: Factor = 1.0,
    scale: float = 1.0,
    interpolation: str = "bilinear",
    fill_value: float = 0.0,
    seed: int | None = None,
    data_format: str | None = None,
) -> ImagePair:
    """Look at each image, with a probability drawn from `factor`, from elsewhere.

    The coordinates of its corners change by at most half of `scale` times themselves, so that the
    first one stays. Beyond the image is `fill_value`.
    """
    limit = span("factor", factor)
    if not 0 <= scale <= 1:
        raise ValueError(f"scale must lie in [0, 1], got {scale}")
    first = rows_first(data_format)

    def draw(key: Key, x: Array) -> Any:
        height, width = extent(x.shape, first)
        of_choice, of_points = random.split(key)
        right, bottom = width - 1.0, height - 1.0
        starts = jnp.array([[0, 0], [right, 0], [0, bottom], [right, bottom]], jnp.float32)
        half = 0.5 * scale
        draws = random.uniform(of_points, (len(x), 4, 2), jnp.float32, -half, half)
        return {
            "apply_perspective": happens(of_choice, x, limit),
            "start_points": jnp.broadcast_to(starts, draws.shape),
            "end_points": starts + starts * draws,
            "input_shape": x.shape,
        }

    def matrix(transformation: Any, height: Any, width: Any) -> Array:
        points = (transformation[f"{end}_points"] for end in ("start", "end"))
        happening = transformation["apply_perspective"].reshape(-1, 1, 1)
        return jnp.where(happening, homography(*points), jnp.eye(3))

    way = "constant", interpolation, fill_value
    return warp(draw, matrix, *way, seed, first, flat=False)


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
) -> ImagePair:
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

    def draw(key: Key, x: Array) -> Any:
        if 0 in (limit[1], strengths[1]):
            return None
        of_choice, of_strength, of_noise = random.split(key, 3)
        return {
            "apply_transform": happens(of_choice, x, limit),
            "distortion_factor": random.uniform(of_strength, (), jnp.float32, *strengths),
            "noise": random.normal(of_noise, (len(x), 2, *extent(x.shape, first)), jnp.float32),
        }

    def moved(x: Array, transformation: Any, interpolation: str) -> Array:
        sizes = extent(x.shape, first)
        strength = transformation["distortion_factor"]
        alpha, sigma = elastic_lengths(*sizes, strength)
        widest = int(6 * elastic_lengths(*sizes, strengths[1])[1]) | 1
        way = interpolation, fill_mode, fill_value, first, widest
        y = displaced(x, transformation["noise"], alpha, jnp.maximum(sigma, 1e-6), *way)
        return jnp.where(per_image(transformation["apply_transform"]), y, x)

    def images(x: Array, transformation: Any) -> Array:
        return jnp.clip(moved(x, transformation, interpolation), *value_range)

    def masks(x: Array, transformation: Any) -> Array:
        return moved(x, transformation, "nearest")

    refused = cannot_move("RandomElasticTransform", "RandomPerspective")
    return augmentation(draw, images, seed, masks=masks, boxes=refused)


def elastic_lengths(height: Any, width: Any, strength: Any) -> tuple[Any, Any]:
    """How far an elastic transform of that strength moves pixels, and how wide its Gaussian is."""
    return max(height, width) * (0.1 * strength), min(height, width) * (0.05 * strength)
