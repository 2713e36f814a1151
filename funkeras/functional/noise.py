"""Layers that act in training only: dropout and its kin, and noise."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import jax.numpy as jnp
from jax import lax, random
from jaxtyping import Bool, Float

from funkeras import config
from funkeras.functional.checks import one_of, rank
from funkeras.functional.pair import Pair, layer, noise
from funkeras.typing import Array, Key, Params, State

__all__ = [
    "alpha_dropout",
    "dropout",
    "gaussian_dropout",
    "gaussian_noise",
    "spatial_dropout1d",
    "spatial_dropout2d",
    "spatial_dropout3d",
]

SELU_FLOOR = -1.0507009873554805 * 1.6732632423543772
"""What `selu` tends to for large negative inputs: minus its scale times its alpha."""


@layer("Dropout")
def dropout(
    rate: float, noise_shape: Sequence[int | None] | None = None, seed: int | None = None
) -> Pair:
    """Zero a random share `rate` of the inputs in training; scale the rest by 1 / (1 - rate).

    `noise_shape` repeats the choice along axes of size 1; None takes the input's size.
    Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html
    """
    rate = dropped("rate", rate)

    def perturb(key: Key, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        return drop(key, x, rate, x.shape if noise_shape is None else fill(noise_shape, x.shape))

    return noise(perturb, seed)


def dropped(name: str, rate: float) -> float:
    """`rate`, if it lies in [0, 1]. In Keras 1 and 2 a rate of 1 is as good as none."""
    if not 0 <= rate <= 1:
        raise ValueError(f"{name} must be in [0, 1], got {rate}")
    return 0.0 if rate == 1 and config.dialect() != "modern" else rate


def below_one(rate: float) -> None:
    """Refuse to draw at a rate of 1, at which there is nothing to scale up."""
    if rate == 1:
        raise ValueError("rate must be below 1 in training, got 1")


def drop(key: Key, x: Array, rate: float, shape: tuple[int, ...]) -> Array:
    """`x` with a share `rate` of it zeroed, chosen by draws of `shape`, and the rest scaled up."""
    if rate == 0:
        return x
    if rate == 1:
        return jnp.zeros_like(x)
    return jnp.where(kept(key, rate, shape), x / (1 - rate), jnp.zeros((), x.dtype))


def kept(key: Key, rate: float, shape: tuple[int, ...]) -> Bool[Array, "*n"]:
    """Which entries of `shape` stay: each with probability 1 - rate, given its place and the key.

    The bits are a hash of both, because on CPU it becomes part of the loop that uses it, where
    `random.bernoulli` takes a sixth of a training step (`python -m benchmarks mnist_mlp`).
    """
    first, second = random.key_data(key).reshape(-1)[-2:]
    place = lax.iota(jnp.uint32, math.prod(shape)).reshape(shape)
    bits = _mixed(_mixed(place ^ first) + _mixed(first + second))
    return bits >= jnp.uint32(min(round(rate * 2**32), 2**32 - 1))


def _mixed(x: Array) -> Array:
    """A permutation of the 32-bit numbers in which every bit depends on all: C. Wellons 2018."""
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        x = (x ^ (x >> shift)) * jnp.uint32(factor)
    return x ^ (x >> 16)


def fill(shape: Sequence[int | None], default: tuple[int, ...]) -> tuple[int, ...]:
    """A shape with its unknown sizes taken from `default`."""
    if len(shape) != len(default):
        raise ValueError(f"noise_shape {shape} must have the rank of the input {default}")
    return tuple(own if size is None else size for size, own in zip(shape, default, strict=True))


@layer("SpatialDropout1D")
def spatial_dropout1d(rate: float, seed: int | None = None) -> Pair:
    """Dropout of whole channels of (batch, steps, channels).

    Tompson et al. 2014, https://arxiv.org/abs/1411.4280
    """
    return _spatial(1, rate, "channels_last", seed)


@layer("SpatialDropout2D")
def spatial_dropout2d(rate: float, data_format: str | None = None, seed: int | None = None) -> Pair:
    """Dropout of whole channels of images.

    Tompson et al. 2014, https://arxiv.org/abs/1411.4280
    """
    return _spatial(2, rate, data_format, seed)


@layer("SpatialDropout3D")
def spatial_dropout3d(rate: float, data_format: str | None = None, seed: int | None = None) -> Pair:
    """Dropout of whole channels of volumes.

    Tompson et al. 2014, https://arxiv.org/abs/1411.4280
    """
    return _spatial(3, rate, data_format, seed)


def _spatial(axes: int, rate: float, data_format: str | None, seed: int | None) -> Pair:
    rate = dropped("rate", rate)
    data_format = data_format or config.image_data_format()
    first = one_of("data_format", data_format, config.DATA_FORMATS) == "channels_first"

    def perturb(key: Key, x: Float[Array, "batch *n"]) -> Float[Array, "batch *n"]:
        same = (1,) * axes
        shape = (*x.shape[:2], *same) if first else (x.shape[0], *same, x.shape[-1])
        return drop(key, x, rate, shape)

    pair = noise(perturb, seed)

    def apply(params: Params, state: State, x: Array, **flow: Any) -> tuple[Array, State]:
        rank(x.shape, axes + 2)  # at inference too
        return pair.apply(params, state, x, **flow)

    return replace(pair, apply=apply)


@layer("GaussianNoise")
def gaussian_noise(stddev: float, seed: int | None = None) -> Pair:
    """Add normal noise of mean 0 in training. Keras 3 refuses a `stddev` above 1."""
    if stddev < 0:
        raise ValueError(f"stddev must not be negative, got {stddev}")
    if stddev > 1 and config.dialect() == "modern":
        raise ValueError(f"stddev must be at most 1, got {stddev}")

    def perturb(key: Key, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        return x + stddev * random.normal(key, x.shape, x.dtype)

    return noise(perturb, seed)


@layer("GaussianDropout")
def gaussian_dropout(rate: float, seed: int | None = None) -> Pair:
    """Multiply by normal noise of mean 1 and variance `rate / (1 - rate)` in training.

    Mean and variance are those of `dropout`'s factors. Srivastava et al. 2014,
    https://jmlr.org/papers/v15/srivastava14a.html
    """
    rate = dropped("rate", rate)

    def perturb(key: Key, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        below_one(rate)
        stddev = math.sqrt(rate / (1 - rate))
        return x * (1 + stddev * random.normal(key, x.shape, x.dtype))

    return noise(perturb, seed)


@layer("AlphaDropout")
def alpha_dropout(
    rate: float, noise_shape: Sequence[int | None] | None = None, seed: int | None = None
) -> Pair:
    """Dropout for `selu` nets: mean 0 and variance 1 stay what they are in training.

    A share `rate` of the inputs becomes the least value of `selu`, then all are scaled and
    shifted. `noise_shape` is as in `dropout`. Klambauer et al. 2017,
    https://arxiv.org/abs/1706.02515
    """
    rate = dropped("rate", rate)

    def perturb(key: Key, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        below_one(rate)
        scale = ((1 - rate) * (1 + rate * SELU_FLOOR**2)) ** -0.5
        shift = -scale * SELU_FLOOR * rate
        shape = x.shape if noise_shape is None else fill(noise_shape, x.shape)
        stay = kept(key, rate, shape)
        return scale * jnp.where(stay, x, jnp.asarray(SELU_FLOOR, x.dtype)) + shift

    return noise(perturb, seed)
