"""Changes of the colors of images, random ones in training: hue, saturation, contrast, levels."""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import jax
import jax.numpy as jnp
from jax import random

from funkeras import config
from funkeras.functional.checks import positive, rank, tuple_of
from funkeras.functional.pair import layer
from funkeras.functional.preprocessing_changes import (
    Change,
    ImagePair,
    as_float,
    augmentation,
    change_of,
    imaging,
    row_axis,
    rows_first,
)
from funkeras.functional.preprocessing_random import (
    Factor,
    happens,
    limits,
    per_image,
    random_brightness,
    random_contrast,
    span,
    uniform,
)
from funkeras.typing import Array, Key

__all__ = [
    "auto_contrast",
    "contrast_limited_adaptive_histogram_equalization",
    "equalization",
    "random_color_degeneration",
    "random_color_jitter",
    "random_grayscale",
    "random_hue",
    "random_invert",
    "random_posterization",
    "random_saturation",
    "solarization",
]

BYTES = (0, 255)
LUMA = (0.2989, 0.587, 0.114)
"""Shares of red, green and blue in the brightness that the eye sees."""


def rescaled(x: Array, origin: Sequence[float], target: Sequence[float]) -> Array:
    """Values of one range brought to another."""
    (low, high), (least, most) = origin, target
    if (low, high) == (least, most):
        return x
    return (x - low) / (high - low) * (most - least) + least


def planes(x: Array, axis: int) -> tuple[Array, Array, Array]:
    """Red, green and blue."""
    if x.shape[axis] != 3:
        raise ValueError(f"expected three channels on axis {axis}, got shape {x.shape}")
    red, green, blue = jnp.moveaxis(x, axis, 0)
    return red, green, blue


def hue_of(red: Array, green: Array, blue: Array) -> tuple[Array, Array, Array]:
    """Hue, saturation and value of colors; hue and saturation lie in [0, 1]."""
    value = jnp.maximum(jnp.maximum(red, green), blue)
    spread = value - jnp.minimum(jnp.minimum(red, green), blue)
    safe = jnp.where(spread > 0, spread, 1)
    sixths = jnp.where(
        value == red,
        (green - blue) / safe,
        jnp.where(value == green, (blue - red) / safe + 2, (red - green) / safe + 4),
    )
    hue = jnp.where(spread > 0, sixths / 6, 0)
    saturation = jnp.where(value > 0, spread / jnp.where(value > 0, value, 1), 0)
    return hue + (hue < 0).astype(hue.dtype), saturation, value


def color_of(hue: Array, saturation: Array, value: Array, axis: int) -> Array:
    """The colors of that hue, saturation and value."""
    sixths = 6 * jnp.mod(hue, 1)
    ramps = [
        jnp.abs(sixths - 3) - 1,
        2 - jnp.abs(sixths - 2),
        2 - jnp.abs(sixths - 4),
    ]
    return jnp.stack(
        [value * (1 - saturation + saturation * jnp.clip(ramp, 0, 1)) for ramp in ramps], axis
    )


def gray(x: Array, axis: int) -> Array:
    """The brightness of each pixel, in one channel."""
    if x.shape[axis] == 1:
        return x
    shares = [part * share for part, share in zip(planes(x, axis), LUMA, strict=True)]
    return jnp.expand_dims(reduce(jnp.add, shares), axis)


def recoloring(
    draw: Callable[[Key, Array], Any],
    change: Callable[[Array, Any, int], Array],
    data_format: str | None,
    seed: int | None,
) -> ImagePair:
    """A pair of `change(images, transformation, axis of channels)`, which runs in training only."""
    axis = -3 if rows_first(data_format) else -1
    return augmentation(draw, lambda x, transformation: change(x, transformation, axis), seed)


@layer("RandomHue")
def random_hue(
    factor: Factor,
    value_range: Sequence[float] = BYTES,
    data_format: str | None = None,
    seed: int | None = None,
) -> ImagePair:
    """Turn the hue of each image by half a draw of `factor`, in full turns, either way."""
    limit = span("factor", factor)

    def draw(key: Key, x: Array) -> Any:
        way, amount = random.split(key)
        turn = random.uniform(amount, x.shape[:1], jnp.float32, *limit) / 2
        return {"factor": jnp.where(random.bernoulli(way, 0.5, turn.shape), turn, -turn)}

    def change(x: Array, transformation: Any, axis: int) -> Array:
        turn = per_image(transformation["factor"])[..., 0].astype(x.dtype)
        hue, saturation, value = hue_of(*planes(rescaled(x, value_range, (0, 1)), axis))
        y = color_of(hue + turn, saturation, value, axis)
        return rescaled(jnp.clip(y, 0, 1), (0, 1), value_range)

    return recoloring(draw, change, data_format, seed)


@layer("RandomSaturation")
def random_saturation(
    factor: Factor,
    value_range: Sequence[float] = BYTES,
    data_format: str | None = None,
    seed: int | None = None,
) -> ImagePair:
    """Multiply the saturation of each image by `f / (1 - f)` for a draw f of `factor`.

    0.5 changes nothing and 0 makes gray. Keras 3 keeps the product within `value_range`, though a
    saturation lies in [0, 1], and reads one number f as (-f, f), where all below 0 makes gray.
    """
    limit = limits("factor", factor)
    least, most = sorted(value_range)

    def draw(key: Key, x: Array) -> Any:
        draws = random.uniform(key, x.shape[:1], jnp.float32, *limit)
        return {"factor": draws / (1 - draws + config.epsilon())}

    def change(x: Array, transformation: Any, axis: int) -> Array:
        hue, saturation, value = hue_of(*planes(x, axis))
        more = saturation * per_image(transformation["factor"])[..., 0].astype(x.dtype)
        return color_of(hue, jnp.clip(more, least, most), value, axis)

    return recoloring(draw, change, data_format, seed)


@layer("RandomColorDegeneration")
def random_color_degeneration(
    factor: Factor,
    value_range: Sequence[float] = BYTES,
    data_format: str | None = None,
    seed: int | None = None,
) -> ImagePair:
    """Bring each image a draw of `factor` nearer to gray, within `value_range`; 1 makes gray."""
    limit = limits("factor", factor)
    least, most = sorted(value_range)

    def draw(key: Key, x: Array) -> Any:
        return {"factor": uniform(key, x, *limit)}

    def change(x: Array, transformation: Any, axis: int) -> Array:
        y = x + transformation["factor"].astype(x.dtype) * (gray(x, axis) - x)
        return jnp.clip(y, least, most)

    return recoloring(draw, change, data_format, seed)


@layer("RandomGrayscale")
def random_grayscale(
    factor: float = 0.5, data_format: str | None = None, seed: int | None = None
) -> ImagePair:
    """Make each image gray with probability `factor`; the number of channels stays."""
    limit = span("factor", (factor, factor))

    def draw(key: Key, x: Array) -> Any:
        return per_image(happens(key, x, limit))

    def change(x: Array, transformation: Any, axis: int) -> Array:
        return jnp.where(transformation, gray(x, axis), x)

    return recoloring(draw, change, data_format, seed)


@layer("RandomInvert")
def random_invert(
    factor: Factor = 1.0,
    value_range: Sequence[float] = BYTES,
    seed: int | None = None,
    data_format: str | None = None,
) -> ImagePair:
    """Take each image from the end of `value_range`, with a probability drawn from `factor`."""
    limit = span("factor", factor)

    def draw(key: Key, x: Array) -> Any:
        return {"apply_inversion": happens(key, x, limit)}

    def change(x: Array, transformation: Any, axis: int) -> Array:
        return jnp.where(per_image(transformation["apply_inversion"]), value_range[1] - x, x)

    return recoloring(draw, change, data_format, seed)


@layer("RandomPosterization")
def random_posterization(
    factor: int | Sequence[int],
    value_range: Sequence[float] = BYTES,
    data_format: str | None = None,
    seed: int | None = None,
) -> ImagePair:
    """Keep the first bits of the 8 that a pixel has: a draw from the first of `factor` to below
    the second, or that many where both are one. A single number n stands for (1, n).
    """
    low, high = sorted(factor) if isinstance(factor, Sequence) else (1, factor)
    if not 1 <= low <= high <= 8:
        raise ValueError(f"factor must lie in [1, 8], got {factor}")
    limit = sorted(value_range)

    def draw(key: Key, x: Array) -> Any:
        bits = random.randint(key, x.shape[:1], low, max(high, low + 1))
        return {"shift_factor": (8 - bits).astype("uint8")}

    def change(x: Array, transformation: Any, axis: int) -> Array:
        step = jnp.exp2(per_image(transformation["shift_factor"]).astype(x.dtype))
        whole = jnp.floor(jnp.clip(rescaled(x, limit, BYTES), *BYTES))
        return rescaled(jnp.floor(whole / step) * step, BYTES, limit)

    return recoloring(draw, change, data_format, seed)


@layer("Solarization")
def solarization(
    addition_factor: Factor = 0.0,
    threshold_factor: Factor = 0.0,
    value_range: Sequence[float] = BYTES,
    seed: int | None = None,
    data_format: str | None = None,
) -> ImagePair:
    """Add a draw to each image and take what reaches a drawn threshold from the upper end.

    Both draws are in bytes: from the first of the factor to 255 times the second; one number f
    stands for (0, f). By default nothing is added and everything inverted.
    """
    additions = span("addition_factor", addition_factor)
    thresholds = span("threshold_factor", threshold_factor)
    limit = sorted(value_range)

    def draw(key: Key, x: Array) -> Any:
        of_addition, of_threshold = random.split(key)
        return {
            "additions": uniform(of_addition, x, additions[0], 255 * additions[1]),
            "thresholds": uniform(of_threshold, x, thresholds[0], 255 * thresholds[1]),
        }

    def change(x: Array, transformation: Any, axis: int) -> Array:
        more, threshold = (
            transformation[name].astype(x.dtype) for name in ("additions", "thresholds")
        )
        y = jnp.clip(rescaled(x, limit, BYTES) + more, *BYTES)
        return rescaled(jnp.where(y < threshold, y, 255 - y), BYTES, limit)

    return recoloring(draw, change, data_format, seed)


@layer("AutoContrast")
def auto_contrast(
    value_range: Sequence[float] = BYTES, data_format: str | None = None
) -> ImagePair:
    """Stretch each channel of each image so that it fills `value_range`, at inference too.

    A channel of one value stays as it is.
    """
    least, most = sorted(value_range)
    first = rows_first(data_format)

    def images(x: Array, *how: Any) -> Array:
        x = as_float(x)
        axis = row_axis(x, first)
        low, high = (f(x, (axis, axis + 1), keepdims=True) for f in (jnp.min, jnp.max))
        flat = high == low
        y = (x - low) / jnp.where(flat, 1, high - low) * (most - least) + least
        return jnp.where(flat, x, jnp.clip(y, least, most))

    return imaging(Change(images))


@layer("Equalization")
def equalization(
    value_range: Sequence[float] = BYTES, bins: int = 256, data_format: str | None = None
) -> ImagePair:
    """Make all levels of each channel equally frequent in a batch: by its cumulative histogram.

    It acts in training only. A channel whose values are all in one bin stays as it is.
    """
    positive("bins", bins)
    limit = sorted(value_range)
    channels_axis = -3 if rows_first(data_format) else -1

    def level(x: Array) -> Array:
        places = jnp.clip((x / 255 * (bins - 1)).astype("int32"), 0, bins - 1)
        counts = jnp.zeros(bins, "int32").at[places.ravel()].add(1)
        reached = jnp.cumsum(counts)
        lowest = jnp.min(jnp.where(reached > 0, reached, reached[-1]))
        others = jnp.maximum(reached[-1] - lowest, 1)
        table = jnp.round((reached - lowest).astype("float32") * 255 / others.astype("float32"))
        alone = jnp.sum(counts > 0) <= 1
        return jnp.where(alone, x, jnp.clip(table, *BYTES).astype(x.dtype)[places])

    def images(x: Array, transformation: Any, training: bool) -> Array:
        x = as_float(x)
        if not training:
            return x
        rank(x.shape, 4)
        wide = x if x.dtype == "float64" else x.astype("float32")  # the bins need its digits
        channels = jnp.moveaxis(rescaled(wide, limit, BYTES), channels_axis, 0)
        y = jnp.stack([level(channel) for channel in channels])
        return rescaled(jnp.moveaxis(y, 0, channels_axis), BYTES, limit).astype(x.dtype)

    return imaging(Change(images))


MOST_TILES = 256
"""Tiles of an axis: each is computed by itself."""


@layer("ContrastLimitedAdaptiveHistogramEqualization")
def contrast_limited_adaptive_histogram_equalization(
    value_range: Sequence[float] = BYTES,
    clip_limit: float = 4.0,
    tile_grid_size: Sequence[int] = (8, 8),
    data_format: str | None = None,
) -> ImagePair:
    """Make the levels of each channel more even, by the histograms of tiles, at inference too.

    Each of `tile_grid_size` rows and columns of tiles has its own, of which no level counts more
    than `clip_limit` times the mean; between the middles of tiles the results are interpolated.
    Contrast limited adaptive histogram equalization, Zuiderveld 1994.
    """
    grid = tuple_of("tile_grid_size", tuple(tile_grid_size), 2)
    if not all(0 < tiles <= MOST_TILES for tiles in grid):
        raise ValueError(f"tile_grid_size must be 1 to {MOST_TILES}, got {grid}")
    limit = sorted(value_range)
    first = rows_first(data_format)

    def table(pixels: Array) -> Array:
        """The new level of each old one, by the histogram of a tile's pixels."""
        counts = jnp.bincount(pixels.ravel(), length=256).astype(jnp.float32)
        if clip_limit > 0:
            kept = jnp.minimum(counts, clip_limit * pixels.size / 256)
            counts = kept + jnp.sum(counts - kept) / 256
        reached = jnp.cumsum(counts)
        rest = pixels.size - reached[0]
        levels = (reached - reached[0]) * 255 / jnp.where(rest == 0, 1, rest)
        return jnp.clip(levels, *BYTES)

    def between(size: int, tile: int, tiles: int) -> tuple[Array, Array, Array]:
        """For each pixel along an axis: the tiles on both sides, and how near the second one is."""
        place = (jnp.arange(size, dtype=jnp.float32) - tile / 2) / tile
        before = jnp.floor(place)
        low, high = (jnp.clip(at, 0, tiles - 1).astype("int32") for at in (before, before + 1))
        return low, high, place - before

    def channel(x: Array) -> Array:
        """One channel of an image, (rows, columns), in bytes."""
        tiles = [-(-own // count) for own, count in zip(x.shape, grid, strict=True)]
        wide = [tile * count for tile, count in zip(tiles, grid, strict=True)]
        edges = [(0, more - own) for own, more in zip(x.shape, wide, strict=True)]
        pixels = jnp.pad(jnp.clip(x, *BYTES).astype("int32"), edges, mode="symmetric")
        apart = pixels.reshape(grid[0], tiles[0], grid[1], tiles[1]).swapaxes(1, 2)
        tables = jax.vmap(jax.vmap(table))(apart)
        (top, bottom, down), (left, right, across) = map(between, wide, tiles, grid)

        def row(at: Array) -> Array:
            sides = [tables[at[:, None], side[None], pixels] for side in (left, right)]
            return sides[0] * (1 - across) + sides[1] * across

        y = row(top) * (1 - down[:, None]) + row(bottom) * down[:, None]
        return y[: x.shape[0], : x.shape[1]]

    def images(x: Array, *how: Any) -> Array:
        x = as_float(x)
        row_axis(x, first)
        wide = x if first else jnp.moveaxis(x, -1, -3)
        wide = rescaled(wide.astype(jnp.float32), limit, BYTES)
        y = jax.vmap(channel)(wide.reshape(-1, *wide.shape[-2:])).reshape(wide.shape)
        y = rescaled(y, BYTES, limit).astype(x.dtype)
        return y if first else jnp.moveaxis(y, -3, -1)

    return imaging(Change(images))


@layer("RandomColorJitter")
def random_color_jitter(
    value_range: Sequence[float] = BYTES,
    brightness_factor: Factor | None = None,
    contrast_factor: Factor | None = None,
    saturation_factor: Factor | None = None,
    hue_factor: Factor | None = None,
    seed: int | None = None,
    data_format: str | None = None,
) -> ImagePair:
    """Random brightness, contrast, saturation and hue, one after another, where a factor is given.

    The factors are those of `random_brightness`, `random_contrast`, `random_saturation` and
    `random_hue`.
    """
    steps: dict[str, Change] = {}
    if brightness_factor is not None:
        steps["random_brightness"] = change_of(random_brightness(brightness_factor, value_range))
    if contrast_factor is not None:
        contrast = random_contrast(contrast_factor, value_range, data_format=data_format)
        steps["random_contrast"] = change_of(contrast)
    if saturation_factor is not None:
        saturation = random_saturation(saturation_factor, value_range, data_format)
        steps["random_saturation"] = change_of(saturation)
    if hue_factor is not None:
        steps["random_hue"] = change_of(random_hue(hue_factor, value_range, data_format))

    def draw(key: Key, x: Array) -> Any:
        keys = random.split(key, max(1, len(steps)))
        return {
            name: step.draw(own, x, True)
            for own, (name, step) in zip(keys, steps.items(), strict=False)
        }

    def images(x: Array, transformation: Any) -> Array:
        for name, step in steps.items():
            x = step.images(x, transformation[name], True)
        return x

    return augmentation(draw, images, seed)
