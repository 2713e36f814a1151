"""Random changes of images in training: flips, crops, turns, zooms, shifts, contrast, brightness.

They run on the device inside the compiled step. Each image of a batch has its own draw (all have
one in `random_crop`). At inference only `random_crop` does anything.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import jax.numpy as jnp
from jax import random

from funkeras.functional.checks import one_of, positive
from funkeras.functional.pair import layer
from funkeras.functional.preprocessing_changes import (
    Change,
    ImagePair,
    as_float,
    augmentation,
    boxed,
    extent,
    frame,
    imaging,
    row_axis,
    rows_first,
)
from funkeras.functional.preprocessing_images import middle, part, ratios, resized
from funkeras.functional.preprocessing_places import affine, warp
from funkeras.typing import Array, Key

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


def uniform(key: Key, x: Array, low: float, high: float) -> Array:
    """A draw from [low, high) for each image of the batch x, shaped to go with the images."""
    return per_image(random.uniform(key, x.shape[:1], jnp.float32, low, high))


def happens(key: Key, x: Array, probabilities: tuple[float, float]) -> Array:
    """Whether each image of the batch x is one of those that change: its chance is drawn too."""
    of_chance, of_event = random.split(key)
    chance = random.uniform(of_chance, x.shape[:1], jnp.float32, *probabilities)
    return random.uniform(of_event, x.shape[:1], jnp.float32) < chance


def per_image(draws: Array) -> Array:
    """One number for each image of a batch, shaped to go with the images."""
    return draws.reshape(-1, 1, 1, 1)


@layer("RandomFlip")
def random_flip(
    mode: str = "horizontal_and_vertical",
    seed: int | None = None,
    data_format: str | None = None,
) -> ImagePair:
    """Reverse the columns (`horizontal`), the rows (`vertical`) or both of every second image."""
    axes = FLIPS[one_of("mode", mode, tuple(FLIPS))]
    first = rows_first(data_format)
    sizes = frame(first)

    def draw(key: Key, x: Array) -> Any:
        return {"flips": per_image(random.bernoulli(key, 0.5, x.shape[:1])), "input_shape": x.shape}

    def flip(x: Array, transformation: Any) -> Array:
        flipped = jnp.flip(x, [row_axis(x, first) + axis for axis in axes])
        return jnp.where(transformation["flips"], flipped, x)

    def move(corners: Array, transformation: Any) -> Array:
        rows, columns = sizes(transformation)
        turned = jnp.array([columns, rows] * 2) - corners[..., jnp.array([2, 3, 0, 1])]
        moves = transformation["flips"].reshape(-1, 1, 1) & jnp.array([1 in axes, 0 in axes] * 2)
        return jnp.where(moves, turned, corners)

    return augmentation(draw, flip, seed, masks=flip, boxes=boxed(move, sizes))


@layer("RandomCrop")
def random_crop(
    height: int, width: int, seed: int | None = None, data_format: str | None = None
) -> ImagePair:
    """A part of `height` rows and `width` columns, the same of all images of a batch.

    At inference, and where images are smaller, the largest middle part with these proportions is
    resized: tf.keras, and what the manual of Keras 3 says (whose code leaves images as they are).

    >>> from funkeras.functional import output_shape
    >>> output_shape(random_crop(24, 24), (None, 28, 28, 3))
    (None, 24, 24, 3)
    """
    sizes = positive("height", height), positive("width", width)
    first = rows_first(data_format)

    def fits(shape: Sequence[int], training: bool) -> bool:
        own = extent(shape, first)
        return training and all(size >= least for size, least in zip(own, sizes, strict=True))

    def draw(key: Any, x: Array, training: bool) -> Any:
        own = extent(x.shape, first)
        if not fits(x.shape, training):
            return *middle(own, sizes)[0], x.shape
        of_rows, of_columns = random.split(key)
        top = random.randint(of_rows, (), 0, own[0] - height + 1)
        return top, random.randint(of_columns, (), 0, own[1] - width + 1), x.shape

    def crop(x: Array, transformation: Any, training: bool, interpolation: str) -> Array:
        axis = row_axis(x, first)
        starts, size = middle(extent(x.shape, first), sizes)
        if fits(x.shape, training):
            return part(x, axis, transformation[:2], sizes)
        return resized(part(x, axis, starts, size), axis, sizes, interpolation)

    def images(x: Array, transformation: Any, training: bool) -> Array:
        return crop(as_float(x), transformation, training, "bilinear")

    def masks(x: Array, transformation: Any, training: bool) -> Array:
        return crop(x, transformation, training, "nearest")

    def boxes(held: Any, transformation: Any, training: bool, form: str | None) -> Any:
        top, left, *shape = transformation  # Keras has no shape, which relative formats need
        own: Any = extent(shape[0], first) if shape else (None, None)
        size = middle(own, sizes)[1] if shape and not fits(shape[0], training) else sizes

        def move(corners: Array, transformation: Any) -> Array:
            return (corners - jnp.array([left, top] * 2)) * ratios(sizes, size)

        return boxed(move, lambda _: own, sizes)(held, transformation, form)

    return imaging(Change(images, masks=masks, boxes=boxes, draw=draw, random=True), seed)


@layer("RandomRotation")
def random_rotation(
    factor: Factor,
    fill_mode: str = "reflect",
    interpolation: str = "bilinear",
    seed: int | None = None,
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> ImagePair:
    """Turn each image about its middle, counterclockwise, by a draw of `factor` in full turns.

    Args:
        fill_mode: what lies beyond the borders: `reflect` (c b a | a b c), `wrap`
            (a b c | a b c), `nearest` (a a a | a b c), or `constant` for `fill_value`.
        interpolation: `bilinear` or `nearest`.
    """
    low, high = limits("factor", factor)
    one_of("fill_mode", fill_mode, FILL_MODES)
    first = rows_first(data_format)

    def draw(key: Key, x: Array) -> Any:
        height, width = x.shape[2:] if first else x.shape[1:3]
        turns = random.uniform(key, x.shape[:1], jnp.float32, low, high)
        cos, sin = jnp.cos(2 * jnp.pi * turns), jnp.sin(2 * jnp.pi * turns)
        right, down = (width - 1) / 2, (height - 1) / 2
        rows = affine(
            *(cos, -sin, right - right * cos + down * sin),
            *(sin, cos, down - right * sin - down * cos),
        )
        return {
            "angle": 360 * turns,
            "rotation_matrix": rows.reshape(-1, 9)[:, :8],
            "image_height": height,
            "image_width": width,
            "batch_size": len(x),
        }

    def matrix(transformation: Any, height: Any, width: Any) -> Array:
        rows = jnp.atleast_2d(transformation["rotation_matrix"])
        return affine(*jnp.moveaxis(rows, -1, 0)[:6])

    def sizes(transformation: Any) -> tuple[Any, Any]:
        return transformation["image_height"], transformation["image_width"]

    return warp(draw, matrix, fill_mode, interpolation, fill_value, seed, first, sizes)


@layer("RandomZoom")
def random_zoom(
    height_factor: Factor,
    width_factor: Factor | None = None,
    fill_mode: str = "reflect",
    interpolation: str = "bilinear",
    seed: int | None = None,
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> ImagePair:
    """Zoom each image: of its height, 1 plus a draw of `height_factor` is seen; so of its width.

    Positive factors show more, negative ones less. Without a `width_factor` one draw serves both.
    `fill_mode`, `interpolation` and `fill_value` are as in `random_rotation`.
    """
    rows = limits("height_factor", height_factor)
    columns = None if width_factor is None else limits("width_factor", width_factor)
    one_of("fill_mode", fill_mode, FILL_MODES)

    def draw(key: Key, x: Array) -> Any:
        of_rows, of_columns = random.split(key)
        seen = random.uniform(of_rows, (len(x), 1), jnp.float32, *rows)
        across = random.uniform(of_columns, (len(x), 1), jnp.float32, *columns) if columns else seen
        return {"height_zoom": 1 + seen, "width_zoom": 1 + across, "input_shape": x.shape}

    def matrix(transformation: Any, height: Any, width: Any) -> Array:
        down, right = transformation["height_zoom"], transformation["width_zoom"]
        return affine(
            right, 0, (width - 1) / 2 * (1 - right), 0, down, (height - 1) / 2 * (1 - down)
        )

    first = rows_first(data_format)
    return warp(draw, matrix, fill_mode, interpolation, fill_value, seed, first)


@layer("RandomTranslation")
def random_translation(
    height_factor: Factor,
    width_factor: Factor,
    fill_mode: str = "reflect",
    interpolation: str = "bilinear",
    seed: int | None = None,
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> ImagePair:
    """Shift each image down and to the right by draws of the factors, as shares of its size.

    `fill_mode`, `interpolation` and `fill_value` are as in `random_rotation`.
    """
    ranges = limits("height_factor", height_factor), limits("width_factor", width_factor)
    one_of("fill_mode", fill_mode, FILL_MODES)
    first = rows_first(data_format)

    def draw(key: Key, x: Array) -> Any:
        sizes = x.shape[2:] if first else x.shape[1:3]
        down, right = (
            size * random.uniform(own, (len(x), 1), jnp.float32, *span)
            for own, span, size in zip(random.split(key), ranges, sizes, strict=True)
        )
        return {"translations": jnp.concatenate([right, down], 1), "input_shape": x.shape}

    def matrix(transformation: Any, height: Any, width: Any) -> Array:
        right, down = transformation["translations"].T
        return affine(1, 0, -right, 0, 1, -down)

    return warp(draw, matrix, fill_mode, interpolation, fill_value, seed, first)


@layer("RandomShear")
def random_shear(
    x_factor: Factor = 0.0,
    y_factor: Factor = 0.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
    data_format: str | None = None,
    seed: int | None = None,
) -> ImagePair:
    """Move each row by its number times a draw of `x_factor`, each column so by `y_factor`.

    The first row and column stay. A pair of factors lies in [0, 1], and both draws get one random
    sign; one number f stands for (-f, f). `fill_mode`, `interpolation` and `fill_value` are as in
    `random_rotation`.
    """
    limit = [
        limits(name, factor, 0.0 if isinstance(factor, Sequence) else -1.0)
        for name, factor in (("y_factor", y_factor), ("x_factor", x_factor))
    ]
    one_of("fill_mode", fill_mode, FILL_MODES)

    def draw(key: Key, x: Array) -> Any:
        of_sign, *of_factors = random.split(key, 3)
        sign = jnp.where(random.bernoulli(of_sign, 0.5, (len(x), 1)), 1.0, -1.0)
        down, right = (
            sign * random.uniform(own, (len(x), 1), jnp.float32, *span)
            for own, span in zip(of_factors, limit, strict=True)
        )
        return {"shear_factor": jnp.concatenate([right, down], 1), "input_shape": x.shape}

    def matrix(transformation: Any, height: Any, width: Any) -> Array:
        right, down = transformation["shear_factor"].T
        return affine(1, right, 0, down, 1, 0)

    first = rows_first(data_format)
    return warp(draw, matrix, fill_mode, interpolation, fill_value, seed, first)


@layer("RandomContrast")
def random_contrast(
    factor: Factor,
    value_range: Sequence[float] = (0, 255),
    seed: int | None = None,
    data_format: str | None = None,
) -> ImagePair:
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

    def draw(key: Key, x: Array) -> Any:
        return {"contrast_factor": uniform(key, x, 1 - low, 1 + high)}

    def images(x: Array, transformation: Any) -> Array:
        axis = row_axis(x, first)
        mean = x.mean((axis, axis + 1), keepdims=True)
        factor = transformation["contrast_factor"].astype(x.dtype)
        return jnp.clip((x - mean) * factor + mean, least, most)

    return augmentation(draw, images, seed)


@layer("RandomBrightness")
def random_brightness(
    factor: Factor,
    value_range: Sequence[float] = (0, 255),
    seed: int | None = None,
    data_format: str | None = None,
) -> ImagePair:
    """Add a draw of `factor`, as a share of `value_range`, to each image; stay in that range."""
    rows_first(data_format)
    low, high = limits("factor", factor)
    least, most = sorted(value_range)

    def draw(key: Key, x: Array) -> Any:
        return {"rgb_delta": (most - least) * uniform(key, x, low, high)}

    def images(x: Array, transformation: Any) -> Array:
        return jnp.clip(x + transformation["rgb_delta"].astype(x.dtype), least, most)

    return augmentation(draw, images, seed)
