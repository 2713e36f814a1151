"""Random changes of images in training: flips, crops, turns, zooms, shifts, contrast, brightness.

They run on the device inside the compiled step. Each image of a batch has its own draw (all have
one in `random_crop`). At inference only `random_crop` does anything.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from jax import random
from jax.scipy.ndimage import map_coordinates

from funkeras.functional.checks import one_of, positive, rank
from funkeras.functional.pair import Pair, layer, noise
from funkeras.functional.preprocessing_images import (
    as_float,
    middle,
    part,
    resized,
    row_axis,
    rows_first,
)
from funkeras.typing import Array, ArrayLike, Key, Params, PyTree, State

__all__ = [
    "random_brightness",
    "random_contrast",
    "random_crop",
    "random_flip",
    "random_rotation",
    "random_shear",
    "random_translation",
    "random_zoom",
]

Factor: TypeAlias = float | Sequence[float]
"""The least and the greatest value of a draw; one number f stands for (-f, f)."""

FLIPS = {
    "horizontal": (1,),
    "vertical": (0,),
    "horizontal_and_vertical": (0, 1),
}
"""Mode → which of rows and columns are reversed."""
FILL_MODES = ("reflect", "wrap", "constant", "nearest")
ORDERS = {"nearest": 0, "bilinear": 1}


def limits(
    name: str, factor: Factor, least: float = -1.0, most: float = 1.0
) -> tuple[float, float]:
    """The least and the greatest value that `factor` stands for.

    >>> limits("factor", 0.2), limits("factor", (0.3, -0.1))
    ((-0.2, 0.2), (-0.1, 0.3))
    """
    low, high = sorted(factor) if isinstance(factor, Sequence) else (-abs(factor), abs(factor))
    if not least <= low <= high <= most:
        raise ValueError(f"{name} must lie in [{least}, {most}], got {factor}")
    return low, high


def span(name: str, factor: Factor) -> tuple[float, float]:
    """The least and the greatest value in [0, 1] of a draw; one number f stands for (0, f).

    >>> span("factor", 0.2), span("factor", (0.3, 0.1))
    ((0.0, 0.2), (0.1, 0.3))
    """
    return limits(name, factor if isinstance(factor, Sequence) else (0.0, factor), least=0.0)


def augmentation(perturb: Callable[[Key, Any], Any], seed: int | None) -> Pair:
    """`noise` that takes images of whole numbers too and gives floating point, in both phases."""
    pair = noise(perturb, seed)

    def apply(params: Params, state: State, x: PyTree, **flow: Any) -> tuple[PyTree, State]:
        return pair.apply(params, state, jax.tree.map(as_float, x), **flow)

    return replace(pair, apply=apply)


def uniform(key: Key, x: Array, low: float, high: float) -> Array:
    """A draw from [low, high) for each image of the batch x, shaped to go with the images."""
    return per_image(random.uniform(key, x.shape[:1], jnp.float32, low, high)).astype(x.dtype)


def happens(key: Key, x: Array, probabilities: tuple[float, float]) -> Array:
    """Whether each image of the batch x is one of those that change: its chance is drawn too."""
    of_chance, of_event = random.split(key)
    chance = random.uniform(of_chance, x.shape[:1], jnp.float32, *probabilities)
    return per_image(random.uniform(of_event, x.shape[:1], jnp.float32) < chance)


def per_image(draws: Array) -> Array:
    """One number for each image of a batch, shaped to go with the images."""
    return draws.reshape(-1, 1, 1, 1)


@layer("RandomFlip")
def random_flip(
    mode: str = "horizontal_and_vertical",
    seed: int | None = None,
    data_format: str | None = None,
) -> Pair:
    """Reverse the columns (`horizontal`), the rows (`vertical`) or both of every second image."""
    axes = FLIPS[one_of("mode", mode, tuple(FLIPS))]
    first = rows_first(data_format)

    def perturb(key: Key, x: Array) -> Array:
        rank(x.shape, 4)
        flipped = jnp.flip(x, [row_axis(x, first) + axis for axis in axes])
        return jnp.where(per_image(random.bernoulli(key, 0.5, x.shape[:1])), flipped, x)

    return augmentation(perturb, seed)


@layer("RandomCrop")
def random_crop(
    height: int, width: int, seed: int | None = None, data_format: str | None = None
) -> Pair:
    """A part of `height` rows and `width` columns, the same of all images of a batch.

    At inference, and where images are smaller, the largest middle part with these proportions is
    resized: tf.keras, and what the manual of Keras 3 says (whose code leaves images as they are).

    >>> from funkeras.functional import output_shape
    >>> output_shape(random_crop(24, 24), (None, 28, 28, 3))
    (None, 24, 24, 3)
    """
    sizes = positive("height", height), positive("width", width)
    first = rows_first(data_format)

    def whole(x: Array) -> Array:
        axis = row_axis(x, first)
        return resized(middle(x, axis, sizes), axis, sizes, "bilinear")

    def perturb(key: Key, x: Array) -> Array:
        axis = row_axis(x, first)
        spare = [own - size for own, size in zip(x.shape[axis : axis + 2], sizes, strict=True)]
        if min(spare) < 0:
            return whole(x)
        keys = random.split(key)
        starts = [random.randint(k, (), 0, rest + 1) for k, rest in zip(keys, spare, strict=True)]
        return part(x, axis, starts, sizes)

    pair = augmentation(perturb, seed)

    def apply(
        params: Params, state: State, x: ArrayLike, *, training: bool = False, **flow: Any
    ) -> tuple[PyTree, State]:
        if training:
            return pair.apply(params, state, x, training=True, **flow)
        return whole(as_float(x)), state

    return replace(pair, apply=apply)


def warp(
    matrix: Callable[[Key, int, int, int], tuple[Array, Array]],
    fill_mode: str,
    interpolation: str,
    fill_value: float,
    seed: int | None,
    data_format: str | None,
) -> Pair:
    """A pair that gives, at each pixel, the input's value at an affine function of its place.

    `matrix(key, batch, height, width)` draws for each image a 2×2 matrix and where, counted from
    the middle of the input, the middle of the output comes from: in rows and columns.
    """
    one_of("fill_mode", fill_mode, FILL_MODES)
    order = ORDERS[one_of("interpolation", interpolation, tuple(ORDERS))]
    first = rows_first(data_format)

    def take(channel: Array, places: Array) -> Array:
        return map_coordinates(channel, [*places], order, fill_mode, fill_value)

    over_images = jax.vmap(jax.vmap(take, (0, None)))

    def perturb(key: Key, x: Array) -> Array:
        rank(x.shape, 4)
        images = x if first else jnp.moveaxis(x, -1, 1)
        images = images.astype("float64" if x.dtype == "float64" else "float32")
        height, width = images.shape[2:]
        linear, shift = matrix(key, len(x), height, width)
        middle = jnp.asarray([(height - 1) / 2, (width - 1) / 2], linear.dtype)
        places = jnp.indices((height, width)).astype(linear.dtype) - middle[:, None, None]
        places = jnp.einsum("bij,jhw->bihw", linear, places)
        places = places + (shift + middle)[:, :, None, None]
        y = over_images(images, places).astype(x.dtype)
        return y if first else jnp.moveaxis(y, 1, -1)

    return augmentation(perturb, seed)


@layer("RandomRotation")
def random_rotation(
    factor: Factor,
    fill_mode: str = "reflect",
    interpolation: str = "bilinear",
    seed: int | None = None,
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Pair:
    """Turn each image about its middle, counterclockwise, by a draw of `factor` in full turns.

    Args:
        fill_mode: what lies beyond the borders: `reflect` (c b a | a b c), `wrap`
            (a b c | a b c), `nearest` (a a a | a b c), or `constant` for `fill_value`.
        interpolation: `bilinear` or `nearest`.
    """
    low, high = limits("factor", factor)

    def matrix(key: Key, batch: int, height: int, width: int) -> tuple[Array, Array]:
        turns = random.uniform(key, (batch,), jnp.float32, low, high)
        cos, sin = jnp.cos(2 * jnp.pi * turns), jnp.sin(2 * jnp.pi * turns)
        linear = jnp.stack([jnp.stack([cos, sin], -1), jnp.stack([-sin, cos], -1)], -2)
        return linear, jnp.zeros((batch, 2), jnp.float32)

    return warp(matrix, fill_mode, interpolation, fill_value, seed, data_format)


@layer("RandomZoom")
def random_zoom(
    height_factor: Factor,
    width_factor: Factor | None = None,
    fill_mode: str = "reflect",
    interpolation: str = "bilinear",
    seed: int | None = None,
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Pair:
    """Zoom each image: of its height, 1 plus a draw of `height_factor` is seen; so of its width.

    Positive factors show more, negative ones less. Without a `width_factor` one draw serves both.
    `fill_mode`, `interpolation` and `fill_value` are as in `random_rotation`.
    """
    rows = limits("height_factor", height_factor)
    columns = None if width_factor is None else limits("width_factor", width_factor)

    def matrix(key: Key, batch: int, height: int, width: int) -> tuple[Array, Array]:
        of_rows, of_columns = random.split(key)
        seen = random.uniform(of_rows, (batch,), jnp.float32, *rows)
        across = random.uniform(of_columns, (batch,), jnp.float32, *columns) if columns else seen
        scales = 1 + jnp.stack([seen, across], -1)
        return scales[:, :, None] * jnp.eye(2), jnp.zeros((batch, 2), jnp.float32)

    return warp(matrix, fill_mode, interpolation, fill_value, seed, data_format)


@layer("RandomTranslation")
def random_translation(
    height_factor: Factor,
    width_factor: Factor,
    fill_mode: str = "reflect",
    interpolation: str = "bilinear",
    seed: int | None = None,
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Pair:
    """Shift each image down and to the right by draws of the factors, as shares of its size.

    `fill_mode`, `interpolation` and `fill_value` are as in `random_rotation`.
    """
    ranges = limits("height_factor", height_factor), limits("width_factor", width_factor)

    def matrix(key: Key, batch: int, height: int, width: int) -> tuple[Array, Array]:
        shares = [
            random.uniform(own, (batch,), jnp.float32, *span)
            for own, span in zip(random.split(key), ranges, strict=True)
        ]
        shift = -jnp.stack(shares, -1) * jnp.asarray([height, width], jnp.float32)
        return jnp.broadcast_to(jnp.eye(2), (batch, 2, 2)), shift

    return warp(matrix, fill_mode, interpolation, fill_value, seed, data_format)


@layer("RandomShear")
def random_shear(
    x_factor: Factor = 0.0,
    y_factor: Factor = 0.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
    data_format: str | None = None,
    seed: int | None = None,
) -> Pair:
    """Move each row by its number times a draw of `x_factor`, each column so by `y_factor`.

    The first row and column stay. A pair of factors lies in [0, 1], and both draws get one random
    sign; one number f stands for (-f, f). `fill_mode`, `interpolation` and `fill_value` are as in
    `random_rotation`.
    """
    limit = [
        limits(name, factor, 0.0 if isinstance(factor, Sequence) else -1.0)
        for name, factor in (("y_factor", y_factor), ("x_factor", x_factor))
    ]

    def matrix(key: Key, batch: int, height: int, width: int) -> tuple[Array, Array]:
        of_sign, *of_factors = random.split(key, 3)
        sign = jnp.where(random.bernoulli(of_sign, 0.5, (batch,)), 1.0, -1.0)
        of_rows, of_columns = (
            sign * random.uniform(own, (batch,), jnp.float32, *span)
            for own, span in zip(of_factors, limit, strict=True)
        )
        ones = jnp.ones(batch, jnp.float32)
        linear = jnp.stack([jnp.stack([ones, of_rows], -1), jnp.stack([of_columns, ones], -1)], -2)
        middle = jnp.asarray([(height - 1) / 2, (width - 1) / 2], jnp.float32)
        return linear, linear @ middle - middle

    return warp(matrix, fill_mode, interpolation, fill_value, seed, data_format)


@layer("RandomContrast")
def random_contrast(
    factor: Factor,
    value_range: Sequence[float] = (0, 255),
    seed: int | None = None,
    data_format: str | None = None,
) -> Pair:
    """`(x - mean) * c + mean`, within `value_range`, for a draw c from [1 - low, 1 + high].

    The mean is that of each channel of each image; `factor` is `(low, high)`, or one number for
    both.
    """
    low, high = factor if isinstance(factor, Sequence) else (factor, factor)
    for value in (low, high):
        if not 0 <= value <= 1:
            raise ValueError(f"factor must lie in [0, 1], got {factor}")
    least, most = sorted(value_range)
    first = rows_first(data_format)

    def perturb(key: Key, x: Array) -> Array:
        rank(x.shape, 4)
        axis = row_axis(x, first)
        mean = x.mean((axis, axis + 1), keepdims=True)
        draws = random.uniform(key, x.shape[:1], jnp.float32, 1 - low, 1 + high)
        return jnp.clip((x - mean) * per_image(draws).astype(x.dtype) + mean, least, most)

    return augmentation(perturb, seed)


@layer("RandomBrightness")
def random_brightness(
    factor: Factor, value_range: Sequence[float] = (0, 255), seed: int | None = None
) -> Pair:
    """Add a draw of `factor`, as a share of `value_range`, to each image; stay in that range."""
    low, high = limits("factor", factor)
    least, most = sorted(value_range)

    def perturb(key: Key, x: Array) -> Array:
        rank(x.shape, 4)
        draws = (most - least) * random.uniform(key, x.shape[:1], jnp.float32, low, high)
        return jnp.clip(x + per_image(draws).astype(x.dtype), least, most)

    return augmentation(perturb, seed)
