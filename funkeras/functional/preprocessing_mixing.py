"""Random changes of images by their neighbourhood or by other images: blurs, erasing, mixing."""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any

import jax.numpy as jnp
from jax import lax, random

from funkeras.functional.checks import positive, rank
from funkeras.functional.combinators import serial
from funkeras.functional.core import identity
from funkeras.functional.pair import Pair, layer
from funkeras.functional.preprocessing_colors import (
    BYTES,
    auto_contrast,
    equalization,
    random_color_degeneration,
    random_posterization,
    solarization,
)
from funkeras.functional.preprocessing_images import row_axis, rows_first
from funkeras.functional.preprocessing_random import (
    Factor,
    augmentation,
    happens,
    per_image,
    random_brightness,
    random_contrast,
    random_rotation,
    random_shear,
    random_translation,
    span,
    uniform,
)
from funkeras.typing import Array, Key

__all__ = [
    "aug_mix",
    "cut_mix",
    "mix_up",
    "pipeline",
    "rand_augment",
    "random_erasing",
    "random_gaussian_blur",
    "random_sharpness",
]


def smoothed(x: Array, axis: int, rows: Array, columns: Array) -> Array:
    """Sums over neighbours with weights along rows and columns; there are zeros beyond borders."""
    for offset, weights in enumerate((rows, columns)):
        own, size = axis + offset, x.shape[axis + offset]
        width = len(weights)
        edges = [(0, 0)] * x.ndim
        edges[own] = ((width - 1) // 2, width // 2)
        wide = jnp.pad(x, edges)
        parts = [
            weight * lax.slice_in_dim(wide, start, start + size, axis=own)
            for start, weight in enumerate(weights.astype(x.dtype))
        ]
        x = reduce(jnp.add, parts)
    return x


def bell(size: int, deviation: float | Array) -> Array:
    """A Gaussian of that deviation at `size` places around its middle, with sum 1."""
    places = jnp.arange(size, dtype=jnp.float32) - (size - 1) / 2
    heights = jnp.exp(-0.5 * jnp.square(places / deviation))
    return heights / jnp.sum(heights)


@layer("RandomSharpness")
def random_sharpness(
    factor: Factor,
    value_range: Sequence[float] = BYTES,
    data_format: str | None = None,
    seed: int | None = None,
) -> Pair:
    """Sharpen or soften each image by a draw of `factor`, within `value_range`.

    0.5 leaves it; 0 gives the mean of 3 by 3 pixels, of which the middle one counts five times; 1
    is as far the other way.
    """
    limit = span("factor", factor)
    least, most = sorted(value_range)
    first = rows_first(data_format)

    def perturb(key: Key, x: Array) -> Array:
        rank(x.shape, 4)
        ones = jnp.ones(3, x.dtype)
        soft = (smoothed(x, row_axis(x, first), ones, ones) + 4 * x) / 13
        return jnp.clip(x + (1 - 2 * uniform(key, x, *limit)) * (soft - x), least, most)

    return augmentation(perturb, seed)


@layer("RandomGaussianBlur")
def random_gaussian_blur(
    factor: Factor = 1.0,
    kernel_size: int | Sequence[int] = 3,
    sigma: Factor = 1.0,
    value_range: Sequence[float] = BYTES,
    data_format: str | None = None,
    seed: int | None = None,
) -> Pair:
    """Blur each image, with a probability drawn from `factor`, by a Gaussian; within `value_range`.

    Its deviations along columns and rows are two draws of `sigma` for the whole batch; the kernel
    has `kernel_size` columns and rows, odd numbers.
    """
    sizes = (kernel_size,) * 2 if isinstance(kernel_size, int) else tuple(kernel_size)
    if len(sizes) != 2 or any(positive("kernel_size", size) % 2 == 0 for size in sizes):
        raise ValueError(f"kernel_size must be one odd number or two, got {kernel_size}")
    limit, deviations = span("factor", factor), span("sigma", sigma)
    least, most = sorted(value_range)
    first = rows_first(data_format)

    def perturb(key: Key, x: Array) -> Array:
        rank(x.shape, 4)
        of_choice, of_width = random.split(key)
        widths = random.uniform(of_width, (2,), jnp.float32, *deviations) + 1e-6
        columns, rows = map(bell, sizes, widths)
        y = smoothed(x, row_axis(x, first), rows, columns)
        return jnp.clip(jnp.where(happens(of_choice, x, limit), y, x), least, most)

    return augmentation(perturb, seed)


def boxes(key: Key, x: Array, axis: int, shares: Array) -> tuple[Array, Array]:
    """Rectangles at drawn places of which the shares, (batch, 2), say the size: columns first.

    It gives the pixels inside and the part of the image that the rectangle's exact edges enclose.
    """
    inside, area = jnp.ones((), bool), jnp.ones((), jnp.float32)
    for own, place, offset in zip(random.split(key), (0, 1), (1, 0), strict=True):
        size = x.shape[axis + offset]
        length = per_image(shares[:, place] * size)
        start = per_image(random.uniform(own, x.shape[:1], jnp.float32)) * (size - length)
        grid = [1] * x.ndim
        grid[axis + offset] = size
        pixels = jnp.arange(size, dtype=jnp.float32).reshape(grid)
        inside = inside & (pixels >= start) & (pixels < start + length)
        area = area * length / size
    return inside, area


@layer("RandomErasing")
def random_erasing(
    factor: Factor = 1.0,
    scale: Factor = (0.02, 0.33),
    fill_value: float | Sequence[float] | None = None,
    value_range: Sequence[float] = BYTES,
    seed: int | None = None,
    data_format: str | None = None,
) -> Pair:
    """Fill a rectangle of each image, with a probability drawn from `factor`.

    Its height and width are roots of draws of `scale`, as shares of the image's. It is filled with
    `fill_value`, or normal noise as wide as the end of `value_range`, cut to that range.
    Zhong et al. 2017, https://arxiv.org/abs/1708.04896
    """
    limit, areas = span("factor", factor), span("scale", scale)
    first = rows_first(data_format)

    def perturb(key: Key, x: Array) -> Array:
        rank(x.shape, 4)
        of_choice, of_size, of_place, of_fill = random.split(key, 4)
        shares = jnp.sqrt(random.uniform(of_size, (len(x), 2), jnp.float32, *areas))
        inside, _ = boxes(of_place, x, row_axis(x, first), shares)
        if fill_value is None:
            fill = random.normal(of_fill, x.shape, x.dtype) * value_range[1]
        else:
            several = isinstance(fill_value, Sequence)
            fill = jnp.asarray(fill_value, x.dtype)
            fill = fill.reshape((-1, 1, 1) if first and several else fill.shape)
        fill = jnp.clip(fill, *value_range)
        return jnp.where(inside & happens(of_choice, x, limit), fill, x)

    return augmentation(perturb, seed)


def mixing(mix: Callable[[Key, Array], tuple[Array, Array, Array]], seed: int | None) -> Pair:
    """A pair of `mix(key, images)`, which gives mixed images, weights of the own and the partners.

    The input is the images, or a dict of `images` and `labels` that are mixed alike.
    """

    def perturb(key: Key, x: Any) -> Any:
        images = x["images"] if isinstance(x, Mapping) else x
        rank(images.shape, 4)
        mixed, share, partners = mix(key, images)
        if not isinstance(x, Mapping):
            return mixed
        labels = x["labels"]
        own = share.reshape(-1, *[1] * (labels.ndim - 1)).astype(labels.dtype)
        return {**x, "images": mixed, "labels": own * labels + (1 - own) * labels[partners]}

    return augmentation(perturb, seed)


@layer("CutMix")
def cut_mix(factor: Factor = 1.0, seed: int | None = None, data_format: str | None = None) -> Pair:
    """Put a rectangle of another image of the batch into each; labels are mixed by the areas.

    The share that stays is drawn from Beta(a, a) for one draw a of `factor`. With labels the input
    is a dict of `images` and one-hot `labels`. Yun et al. 2019, https://arxiv.org/abs/1905.04899
    """
    limit = span("factor", factor)
    first = rows_first(data_format)

    def mix(key: Key, x: Array) -> tuple[Array, Array, Array]:
        of_shape, of_share, of_place, of_order = random.split(key, 4)
        shape = random.uniform(of_shape, (), jnp.float32, *limit) + 1e-6
        kept = random.beta(of_share, shape, shape, x.shape[:1])
        size = jnp.sqrt(1 - kept)
        inside, area = boxes(of_place, x, row_axis(x, first), jnp.stack([size, size], -1))
        partners = random.permutation(of_order, len(x))
        return jnp.where(inside, x[partners], x), 1 - area, partners

    return mixing(mix, seed)


@layer("MixUp")
def mix_up(alpha: float = 0.2, data_format: str | None = None, seed: int | None = None) -> Pair:
    """`w * x + (1 - w) * other` with another image of the batch and w from Beta(alpha, alpha).

    With labels the input is a dict of `images` and one-hot `labels`, mixed alike.
    Zhang et al. 2018, https://arxiv.org/abs/1710.09412
    """
    if not alpha > 0:
        raise ValueError(f"alpha must be positive, got {alpha}")
    rows_first(data_format)

    def mix(key: Key, x: Array) -> tuple[Array, Array, Array]:
        of_share, of_order = random.split(key)
        kept = random.beta(of_share, alpha, alpha, x.shape[:1])
        partners = random.permutation(of_order, len(x))
        own = per_image(kept).astype(x.dtype)
        return own * x + (1 - own) * x[partners], kept, partners

    return mixing(mix, seed)


@layer("RandAugment")
def rand_augment(
    value_range: Sequence[float] = BYTES,
    num_ops: int = 2,
    factor: Factor = 0.5,
    interpolation: str = "bilinear",
    seed: int | None = None,
    data_format: str | None = None,
) -> Pair:
    """`num_ops` changes of a batch, each drawn from eleven and all as strong as `factor`.

    They are shear, shift, rotation, brightness, color degeneration, contrast, sharpness,
    posterization, solarization, auto contrast and equalization.
    Cubuk et al. 2019, https://arxiv.org/abs/1909.13719
    """
    positive("num_ops", num_ops)
    steps = changes(span("factor", factor), value_range, interpolation, data_format)

    def perturb(key: Key, x: Array) -> Array:
        rank(x.shape, 4)
        return in_turn(random.split(key, num_ops), x, steps)

    return augmentation(perturb, seed)


def changes(
    limit: tuple[float, float],
    value_range: Sequence[float],
    interpolation: str,
    data_format: str | None,
) -> list[Pair]:
    """Eleven changes of images, all as strong as `limit`: four that keep neighbours come last."""
    drawn = {"interpolation": interpolation, "data_format": data_format}
    valued = {"value_range": value_range, "data_format": data_format}
    return [
        random_shear(limit, limit, **drawn),
        random_translation(limit, limit, **drawn),
        random_rotation(limit, **drawn),
        random_posterization(max(1, int(8 * limit[1])), **valued),
        solarization(limit, limit, value_range),
        auto_contrast(value_range),
        equalization(**valued),
        random_brightness(limit, value_range),
        random_color_degeneration(limit, **valued),
        random_contrast(limit, **valued),
        random_sharpness(limit, **valued),
    ]


def one_of_them(key: Key, x: Array, steps: Sequence[Pair]) -> Array:
    """Images after one of the steps, drawn for the whole batch."""
    of_choice, of_step = random.split(key)

    def run(step: Pair) -> Callable[[Array], Array]:
        return lambda x: step.apply({}, {}, x, training=True, key=of_step)[0]

    return lax.switch(random.randint(of_choice, (), 0, len(steps)), list(map(run, steps)), x)


def in_turn(keys: Key, x: Array, steps: Sequence[Pair]) -> Array:
    """Images after a drawn step for each key: a loop, which is compiled once."""
    return lax.scan(lambda x, key: (one_of_them(key, x, steps), None), x, keys)[0]


@layer("AugMix")
def aug_mix(
    value_range: Sequence[float] = BYTES,
    num_chains: int = 3,
    chain_depth: int = 3,
    factor: Factor = 0.3,
    alpha: float = 1.0,
    all_ops: bool = True,
    interpolation: str = "bilinear",
    seed: int | None = None,
    data_format: str | None = None,
) -> Pair:
    """Mix images with the mean of `num_chains` chains of changes, within `value_range`.

    Each chain has `chain_depth` steps, each drawn from those of `rand_augment` and from none at
    all; without `all_ops` four of them are left out: brightness, color degeneration, contrast and
    sharpness. The mean's weights are drawn from Dirichlet(alpha), the share of the images
    themselves from Beta(alpha, alpha). Hendrycks et al. 2019, https://arxiv.org/abs/1912.02781
    """
    positive("num_chains", num_chains)
    positive("chain_depth", chain_depth)
    if not alpha > 0:
        raise ValueError(f"alpha must be positive, got {alpha}")
    steps = changes(span("factor", factor), value_range, interpolation, data_format)
    steps = [*steps[: None if all_ops else -4], identity()]

    def perturb(key: Key, x: Array) -> Array:
        rank(x.shape, 4)
        of_weights, of_share, of_chains = random.split(key, 3)
        weights = random.dirichlet(of_weights, jnp.full(num_chains, alpha)).astype(x.dtype)
        share = random.beta(of_share, alpha, alpha).astype(x.dtype)

        def add(mean: Array, chain: tuple[Key, Array]) -> tuple[Array, None]:
            of_chain, weight = chain
            return mean + weight * in_turn(random.split(of_chain, chain_depth), x, steps), None

        chains = random.split(of_chains, num_chains), weights
        mean, _ = lax.scan(add, jnp.zeros_like(x), chains)
        return jnp.clip(share * x + (1 - share) * mean, *value_range)

    return augmentation(perturb, seed)


@layer("Pipeline")
def pipeline(layers: Sequence[Pair]) -> Pair:
    """Layers one after another, most often of preprocessing, as one layer."""
    return serial(*layers)
