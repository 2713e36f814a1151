"""Random changes of images by their neighbourhood or by other images: blurs, erasing, mixing."""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from jax import lax, random

from funkeras.functional.checks import positive
from funkeras.functional.combinators import serial
from funkeras.functional.pair import Pair, layer
from funkeras.functional.preprocessing_changes import (
    Change,
    ImagePair,
    as_corners,
    as_float,
    augmentation,
    cannot_move,
    change_of,
    frame,
    row_axis,
    rows_first,
    unchanged,
)
from funkeras.functional.preprocessing_colors import (
    BYTES,
    auto_contrast,
    equalization,
    random_color_degeneration,
    random_posterization,
    solarization,
)
from funkeras.functional.preprocessing_random import (
    Factor,
    happens,
    per_image,
    random_brightness,
    random_contrast,
    random_rotation,
    random_shear,
    random_translation,
    span,
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
) -> ImagePair:
    """Sharpen or soften each image by a draw of `factor`, within `value_range`.

    0.5 leaves it; 0 gives the mean of 3 by 3 pixels, of which the middle one counts five times; 1
    is as far the other way.
    """
    limit = span("factor", factor)
    least, most = sorted(value_range)
    first = rows_first(data_format)

    def draw(key: Key, x: Array) -> Any:
        return {"factor": random.uniform(key, x.shape[:1], jnp.float32, *limit)}

    def images(x: Array, transformation: Any) -> Array:
        ones = jnp.ones(3, x.dtype)
        soft = (smoothed(x, row_axis(x, first), ones, ones) + 4 * x) / 13
        factor = per_image(transformation["factor"]).astype(x.dtype)
        return jnp.clip(x + (1 - 2 * factor) * (soft - x), least, most)

    return augmentation(draw, images, seed)


@layer("RandomGaussianBlur")
def random_gaussian_blur(
    factor: Factor = 1.0,
    kernel_size: int | Sequence[int] = 3,
    sigma: Factor = 1.0,
    value_range: Sequence[float] = BYTES,
    data_format: str | None = None,
    seed: int | None = None,
) -> ImagePair:
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

    def draw(key: Key, x: Array) -> Any:
        of_choice, of_width = random.split(key)
        return {
            "should_apply_blur": happens(of_choice, x, limit),
            "blur_factor": random.uniform(of_width, (2,), jnp.float32, *deviations) + 1e-6,
        }

    def images(x: Array, transformation: Any) -> Array:
        columns, rows = map(bell, sizes, transformation["blur_factor"])
        y = smoothed(x, row_axis(x, first), rows, columns)
        return jnp.clip(
            jnp.where(per_image(transformation["should_apply_blur"]), y, x), least, most
        )

    return augmentation(draw, images, seed)


def rectangles(key: Key, x: Array, axis: int, shares: Array) -> tuple[Array, Array]:
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
) -> ImagePair:
    """Fill a rectangle of each image, with a probability drawn from `factor`.

    Its height and width are roots of draws of `scale`, as shares of the image's. It is filled with
    `fill_value`, or normal noise as wide as the end of `value_range`, cut to that range.
    Zhong et al. 2017, https://arxiv.org/abs/1708.04896
    """
    limit, areas = span("factor", factor), span("scale", scale)
    first = rows_first(data_format)

    def draw(key: Key, x: Array) -> Any:
        of_choice, of_size, of_place, of_fill = random.split(key, 4)
        shares = jnp.sqrt(random.uniform(of_size, (len(x), 2), jnp.float32, *areas))
        inside, _ = rectangles(of_place, x, row_axis(x, first), shares)
        if fill_value is None:
            fill = random.normal(of_fill, x.shape, as_float(x).dtype) * value_range[1]
        else:
            several = isinstance(fill_value, Sequence)
            fill = jnp.asarray(fill_value, jnp.float32)
            fill = fill.reshape((-1, 1, 1) if first and several else fill.shape)
        return {
            "apply_erasing": happens(of_choice, x, limit),
            "batch_masks": inside,
            "fill_value": jnp.clip(fill, *value_range),
        }

    def images(x: Array, transformation: Any) -> Array:
        inside = transformation["batch_masks"] & per_image(transformation["apply_erasing"])
        return jnp.where(inside, transformation["fill_value"].astype(x.dtype), x)

    return augmentation(draw, images, seed)


def mixed(x: Array, transformation: Any) -> Array:
    """`w * x + (1 - w) * other`, by the weights and the order of a transformation."""
    x = as_float(x)
    own = transformation["mix_weight"].reshape(-1, *[1] * (x.ndim - 1)).astype(x.dtype)
    return own * x + (1 - own) * x[transformation["permutation_order"]]


@layer("CutMix")
def cut_mix(
    factor: Factor = 1.0, seed: int | None = None, data_format: str | None = None
) -> ImagePair:
    """Put a rectangle of another image of the batch into each; labels are mixed by the areas.

    The share that stays is drawn from Beta(a, a) for one draw a of `factor`. With labels the input
    is a dict of `images` and one-hot `labels`. Yun et al. 2019, https://arxiv.org/abs/1905.04899
    """
    limit = span("factor", factor)
    first = rows_first(data_format)

    def draw(key: Key, x: Array) -> Any:
        of_shape, of_share, of_place, of_order = random.split(key, 4)
        shape = random.uniform(of_shape, (), jnp.float32, *limit) + 1e-6
        kept = random.beta(of_share, shape, shape, x.shape[:1])
        size = jnp.sqrt(1 - kept)
        shares = jnp.stack([size, size], -1)
        inside, area = rectangles(of_place, x, row_axis(x, first), shares)
        return {
            "permutation_order": random.permutation(of_order, len(x)),
            "batch_masks": inside,
            "mix_weight": 1 - area,
        }

    def cut(x: Array, transformation: Any) -> Array:
        inside = transformation["batch_masks"]
        inside = inside[:, :1] if first else inside[..., :1]  # Keras has one for each channel
        return jnp.where(inside, x[transformation["permutation_order"]], x)

    refused = cannot_move("CutMix", "MixUp")
    return augmentation(draw, cut, seed, labels=mixed, masks=cut, boxes=refused, blends=True)


@layer("MixUp")
def mix_up(
    alpha: float = 0.2, data_format: str | None = None, seed: int | None = None
) -> ImagePair:
    """`w * x + (1 - w) * other` with another image of the batch and w from Beta(alpha, alpha).

    With labels the input is a dict of `images` and one-hot `labels`, mixed alike; so are masks.
    Of both images the boxes stay. Zhang et al. 2018, https://arxiv.org/abs/1710.09412
    """
    if not alpha > 0:
        raise ValueError(f"alpha must be positive, got {alpha}")
    rows_first(data_format)

    def draw(key: Key, x: Array) -> Any:
        of_share, of_order = random.split(key)
        return {
            "mix_weight": random.beta(of_share, alpha, alpha, x.shape[:1]),
            "permutation_order": random.permutation(of_order, len(x)),
        }

    def boxes(held: Any, transformation: Any, bounding_box_format: str | None) -> Any:
        order = transformation["permutation_order"]
        return jax.tree.map(lambda a: jnp.concatenate([a, jnp.asarray(a)[order]], 1), held)

    return augmentation(draw, mixed, seed, labels=mixed, masks=mixed, boxes=boxes, blends=True)


ORDER = (
    *("random_shear", "random_translation", "random_rotation", "random_brightness"),
    *("random_color_degeneration", "random_contrast", "random_sharpness"),
    *("random_posterization", "solarization", "auto_contrast", "equalization"),
)
"""How Keras numbers the changes of `rand_augment`."""


@layer("RandAugment")
def rand_augment(
    value_range: Sequence[float] = BYTES,
    num_ops: int = 2,
    factor: Factor = 0.5,
    interpolation: str = "bilinear",
    seed: int | None = None,
    data_format: str | None = None,
) -> ImagePair:
    """`num_ops` changes of a batch, each drawn from eleven and all as strong as `factor`.

    They are shear, shift, rotation, brightness, color degeneration, contrast, sharpness,
    posterization, solarization, auto contrast and equalization.
    Cubuk et al. 2019, https://arxiv.org/abs/1909.13719
    """
    positive("num_ops", num_ops)
    found = changes(span("factor", factor), value_range, interpolation, data_format)
    steps = {name: found[name] for name in ORDER}
    sizes = frame(rows_first(data_format))

    def draw(key: Key, x: Array) -> Any:
        return choice(key, x, (num_ops,), steps)

    def in_turn(x: Any, transformation: Any, apply: Step) -> Any:
        return after_steps(x, transformation, steps, apply)

    def images(x: Array, transformation: Any) -> Array:
        return in_turn(x, transformation, to_images)

    def masks(x: Array, transformation: Any) -> Array:
        return in_turn(x, transformation, to_masks)

    def boxes(held: Any, transformation: Any) -> Any:
        return in_turn(held, transformation, to_boxes)

    def frame_of(transformation: Any) -> tuple[Any, Any]:
        given = transformation.get("transforms", {"random_shear": transformation})
        return sizes(given["random_shear"])

    held = as_corners(boxes, frame_of)
    return augmentation(draw, images, seed, masks=masks, boxes=held)


Step: TypeAlias = Callable[[Change, Any, Any], Any]
"""What a change makes of a part by a transformation."""


def to_images(step: Change, x: Array, transformation: Any) -> Array:
    """Images after a step."""
    return step.images(x, transformation, True)


def to_masks(step: Change, x: Array, transformation: Any) -> Array:
    """Masks after a step."""
    return step.masks(x, transformation, True)


def to_boxes(step: Change, held: Any, transformation: Any) -> Any:
    """Boxes, as corners, after a step."""
    return step.boxes(held, transformation, True, "xyxy")


def changes(
    limit: tuple[float, float],
    value_range: Sequence[float],
    interpolation: str,
    data_format: str | None,
) -> dict[str, Change]:
    """Eleven changes of images, all as strong as `limit`: four that keep neighbours come last."""
    drawn = {"interpolation": interpolation, "data_format": data_format}
    valued = {"value_range": value_range, "data_format": data_format}
    pairs = {
        "random_shear": random_shear(limit, limit, **drawn),
        "random_translation": random_translation(limit, limit, **drawn),
        "random_rotation": random_rotation(limit, **drawn),
        "random_posterization": random_posterization(max(1, int(8 * limit[1])), **valued),
        "solarization": solarization(limit, limit, value_range),
        "auto_contrast": auto_contrast(value_range, data_format),
        "equalization": equalization(**valued),
        "random_brightness": random_brightness(limit, value_range),
        "random_color_degeneration": random_color_degeneration(limit, **valued),
        "random_contrast": random_contrast(limit, **valued),
        "random_sharpness": random_sharpness(limit, **valued),
    }
    return {name: change_of(pair) for name, pair in pairs.items()}


def choice(key: Key, x: Array, size: tuple[int, ...], steps: Mapping[str, Change]) -> Any:
    """A transformation of steps in turn: their numbers, and keys from which they draw their own."""
    of_numbers, of_steps = random.split(key)
    return {
        "layer_idxes": random.randint(of_numbers, size, 0, len(steps)),
        "keys": random.split(of_steps, size),
        "input_shape": x.shape,
    }


def after_steps(x: Any, transformation: Any, steps: Mapping[str, Change], apply: Step) -> Any:
    """A part after the steps that a transformation chooses: a loop, which is compiled once.

    Keras has the transformation of each step, by its name, for keys.
    """
    given = transformation.get("transforms")
    no_images = isinstance(x, Mapping) and given is None
    seen: Any = jnp.zeros(transformation["input_shape"]) if no_images else x  # for its shape

    def step(x: Any, own: Any) -> tuple[Any, None]:
        number, key = own

        def run(name: str, step: Change) -> Callable[[Any], Any]:
            def after(x: Any) -> Any:
                return apply(step, x, given[name] if given else step.draw(key, seen, True))

            return after

        return lax.switch(number, [run(name, step) for name, step in steps.items()], x), None

    return lax.scan(step, x, (transformation["layer_idxes"], transformation.get("keys")))[0]


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
) -> ImagePair:
    """Mix images with the mean of `num_chains` chains of changes, within `value_range`.

    Each chain has `chain_depth` steps, each drawn from those of `rand_augment` and from none at
    all; without `all_ops` four of them are left out: brightness, color degeneration, contrast and
    sharpness. The mean's weights are drawn from Dirichlet(alpha), the share of the images
    themselves from Beta(alpha, alpha). Masks, one-hot ones, are mixed alike; boxes stay.
    Hendrycks et al. 2019, https://arxiv.org/abs/1912.02781
    """
    positive("num_chains", num_chains)
    positive("chain_depth", chain_depth)
    if not alpha > 0:
        raise ValueError(f"alpha must be positive, got {alpha}")
    found = changes(span("factor", factor), value_range, interpolation, data_format)
    steps = dict([*found.items()][: None if all_ops else -4])
    steps["none"] = Change(unchanged)

    def draw(key: Key, x: Array) -> Any:
        of_weights, of_share, of_steps = random.split(key, 3)
        return {
            "chain_mixing_weights": random.dirichlet(of_weights, jnp.full(num_chains, alpha)),
            "weight_sample": random.beta(of_share, alpha, alpha),
            **choice(of_steps, x, (num_chains, chain_depth), steps),
        }

    def blend(x: Array, transformation: Any, apply: Step) -> Array:
        def add(mean: Array, chain: tuple[Array, Array, Key]) -> tuple[Array, None]:
            weight, numbers, keys = chain
            own = {"layer_idxes": numbers, "keys": keys}
            return mean + weight.astype(x.dtype) * after_steps(x, own, steps, apply), None

        names = ("chain_mixing_weights", "layer_idxes", "keys")
        chains = tuple(transformation[name] for name in names)
        mean, _ = lax.scan(add, jnp.zeros_like(x), chains)
        share = transformation["weight_sample"].astype(x.dtype)
        return share * x + (1 - share) * mean

    def images(x: Array, transformation: Any) -> Array:
        return jnp.clip(blend(x, transformation, to_images), *value_range)

    def masks(x: Array, transformation: Any) -> Array:
        return blend(x, transformation, to_masks)

    return augmentation(draw, images, seed, masks=masks, blends=True)


@layer("Pipeline")
def pipeline(layers: Sequence[Pair]) -> Pair:
    """Layers one after another, most often of preprocessing, as one layer."""
    return serial(*layers)
