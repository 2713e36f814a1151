"""The initializers: each is one function of a source of randomness and a shape."""

from collections.abc import Callable
from functools import partial
from math import prod, sqrt
from typing import Any

import numpy as np

from funkeras import config
from funkeras.initializers.base import Draw, registry
from funkeras.initializers.fans import Axes, fans
from funkeras.initializers.sources import Sizes, Source
from funkeras.typing import Config
from funkeras.utils.windows import Window, window_of

__all__ = [
    "STFT",
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "IdentityInitializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "OrthogonalInitializer",
    "RandomNormal",
    "RandomUniform",
    "STFTInitializer",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "constant",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "normal",
    "one",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "stft",
    "truncated_normal",
    "uniform",
    "variance_scaling",
    "zero",
    "zeros",
]

TRUNCATED_STDDEV = 0.87962566103423978
"""Standard deviation of a unit normal cut off at two standard deviations."""


@registry.configured("Zeros", "zeros", "zero")
def zeros() -> Draw:
    """All 0."""
    return lambda source, shape: source.xp.zeros(shape)


@registry.configured("Ones", "ones", "one")
def ones() -> Draw:
    """All 1."""
    return lambda source, shape: source.xp.ones(shape)


@registry.configured("Constant", "constant")
def constant(value: Any = 0.0) -> Draw:
    """All `value`, a number or an array that is repeated to the shape."""

    def draw(source: Source, shape: Sizes) -> Any:
        return source.xp.broadcast_to(source.xp.asarray(value), shape)

    return draw


@registry.configured("RandomUniform", "random_uniform", "uniform")
def random_uniform(minval: float = -0.05, maxval: float = 0.05, seed: int | None = None) -> Draw:
    """Evenly spread over `[minval, maxval)`."""
    return lambda source, shape: source.uniform(shape, minval, maxval)


@registry.configured("RandomNormal", "random_normal", "normal")
def random_normal(mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> Draw:
    """Gaussian."""
    return lambda source, shape: source.normal(shape, mean, stddev)


@registry.configured("TruncatedNormal", "truncated_normal")
def truncated_normal(mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> Draw:
    """Gaussian, drawn again where more than two `stddev` from the mean."""
    return lambda source, shape: source.truncated_normal(shape, mean, stddev)


def _scaled_uniform(source: Source, shape: Sizes, variance: float) -> Any:
    limit = sqrt(3 * variance)
    return source.uniform(shape, -limit, limit)


def _scaled_normal(source: Source, shape: Sizes, variance: float) -> Any:
    return source.normal(shape, 0.0, sqrt(variance))


def _scaled_truncated_normal(source: Source, shape: Sizes, variance: float) -> Any:
    return source.truncated_normal(shape, 0.0, sqrt(variance) / TRUNCATED_STDDEV)


DISTRIBUTIONS: dict[str, Callable[[Source, Sizes, float], Any]] = {
    "uniform": _scaled_uniform,
    "normal": _scaled_truncated_normal,  # the name that Keras 2 had for it
    "truncated_normal": _scaled_truncated_normal,
    "untruncated_normal": _scaled_normal,
}

MODES: dict[str, Callable[[float, float], float]] = {
    "fan_in": lambda fan_in, fan_out: fan_in,
    "fan_out": lambda fan_in, fan_out: fan_out,
    "fan_avg": lambda fan_in, fan_out: (fan_in + fan_out) / 2,
}


@registry.configured("VarianceScaling", "variance_scaling")
def variance_scaling(
    scale: float = 1.0,
    mode: str = "fan_in",
    distribution: str = "truncated_normal",
    seed: int | None = None,
    input_axes: Axes = None,
    output_axes: Axes = None,
) -> Draw:
    """Variance `scale / fan`, the fan counting the inputs or outputs that a weight joins.

    The axes name those over which inputs and outputs are counted; by default the last two, each
    with the spatial axes before them.
    """
    if not scale > 0:
        raise ValueError(f"scale must be positive; got {scale}")
    for argument, value, known in (
        ("mode", mode, MODES),
        ("distribution", distribution, DISTRIBUTIONS),
    ):
        if value not in known:
            raise ValueError(f"{argument} must be one of {', '.join(known)}; got {value!r}")
    if (input_axes is None) != (output_axes is None):
        raise ValueError("input_axes and output_axes go together: give both or neither")
    count = partial(fans, config.dialect(), input_axes, output_axes)

    def draw(source: Source, shape: Sizes, dim_ordering: str = "tf") -> Any:
        fan = MODES[mode](*count(shape, dim_ordering))
        return DISTRIBUTIONS[distribution](source, shape, scale / max(1.0, fan))

    return draw


def _scaling(
    name: str, alias: str, scale: float, mode: str, distributions: Config, doc: str
) -> Callable[..., Any]:
    """Declare an initializer that is `VarianceScaling` with its first arguments fixed."""

    def build(seed: int | None = None, input_axes: Axes = None, output_axes: Axes = None) -> Draw:
        distribution = distributions.get(config.dialect(), distributions["modern"])
        made = variance_scaling(scale, mode, distribution, seed, input_axes, output_axes)
        return made.function

    build.__doc__ = doc
    return registry.configured(name, alias)(build)


UNIFORM: Config = {"modern": "uniform"}
TRUNCATED: Config = {"modern": "truncated_normal"}
NORMAL: Config = {"classic": "untruncated_normal", "modern": "truncated_normal"}
"""Dialect → distribution; Keras 1 did not truncate."""

glorot_uniform = _scaling(
    "GlorotUniform",
    "glorot_uniform",
    1.0,
    "fan_avg",
    UNIFORM,
    "Uniform of variance `2 / (fan_in + fan_out)`: Glorot and Bengio 2010.",
)
glorot_normal = _scaling(
    "GlorotNormal",
    "glorot_normal",
    1.0,
    "fan_avg",
    NORMAL,
    "Normal of variance `2 / (fan_in + fan_out)`: Glorot and Bengio 2010.",
)
he_uniform = _scaling(
    "HeUniform",
    "he_uniform",
    2.0,
    "fan_in",
    UNIFORM,
    "Uniform of variance `2 / fan_in`: He et al. 2015, https://arxiv.org/abs/1502.01852.",
)
he_normal = _scaling(
    "HeNormal",
    "he_normal",
    2.0,
    "fan_in",
    NORMAL,
    "Normal of variance `2 / fan_in`: He et al. 2015, https://arxiv.org/abs/1502.01852.",
)
lecun_uniform = _scaling(
    "LecunUniform",
    "lecun_uniform",
    1.0,
    "fan_in",
    UNIFORM,
    "Uniform of variance `1 / fan_in`: LeCun et al. 1998, Efficient BackProp.",
)
lecun_normal = _scaling(
    "LecunNormal",
    "lecun_normal",
    1.0,
    "fan_in",
    TRUNCATED,
    "Normal of variance `1 / fan_in`: LeCun et al. 1998, Efficient BackProp.",
)


@registry.configured("Orthogonal", "orthogonal", "OrthogonalInitializer")
def orthogonal(gain: float = 1.0, seed: int | None = None) -> Draw:
    """`gain` times a matrix with orthonormal rows or columns, whichever there are fewer of.

    All axes but the last count as rows (in Keras 1 only the first). Saxe et al. 2014,
    https://arxiv.org/abs/1312.6120.
    """
    dialect = config.dialect()
    orthonormal = _orthonormal_by_qr if dialect == "modern" else _orthonormal_by_svd

    def draw(source: Source, shape: Sizes) -> Any:
        if len(shape) < 2:
            raise ValueError(f"Orthogonal needs a shape of at least 2 axes; got {shape}")
        split = 1 if dialect == "classic" else len(shape) - 1
        matrix = orthonormal(source, prod(shape[:split]), prod(shape[split:]))
        return gain * matrix.reshape(shape)

    return draw


def _orthonormal_by_svd(source: Source, rows: int, columns: int) -> Any:
    left, _, right = source.xp.linalg.svd(source.normal((rows, columns)), full_matrices=False)
    return left if left.shape == (rows, columns) else right


def _orthonormal_by_qr(source: Source, rows: int, columns: int) -> Any:
    q, r = source.xp.linalg.qr(source.normal((max(rows, columns), min(rows, columns))))
    q = q * source.xp.sign(source.xp.diag(r))  # without it the rotations are not evenly spread
    return q.T if rows < columns else q


@registry.configured("Identity", "identity", "IdentityInitializer")
def identity(gain: float = 1.0) -> Draw:
    """`gain` on the diagonal of a matrix, 0 elsewhere.

    In Keras 1 and 2 the square matrix is repeated along the longer axis, a multiple of the other.
    """
    repeated = config.dialect() != "modern"

    def draw(source: Source, shape: Sizes) -> Any:
        if len(shape) != 2:
            raise ValueError(f"Identity needs a shape of 2 axes; got {shape}")
        if not repeated:
            return gain * source.xp.eye(*shape)
        side = min(shape)
        if max(shape) % side:
            raise ValueError(f"Identity needs one size to be a multiple of the other; got {shape}")
        times = (shape[0] // side, shape[1] // side)
        return gain * source.xp.tile(source.xp.eye(side), times)

    return draw


@registry.configured("STFT", "stft", "STFTInitializer")
def stft(
    side: str = "real",
    window: Window = "hann",
    scaling: str | None = "density",
    periodic: bool = False,
) -> Draw:
    """The real or imaginary part of Fourier terms: `window[t] · cos(2πtf)`, or minus the sine.

    For kernels of shape (frames, 1, bins), at frequencies f from 0 to a half. They are divided by
    the window's norm (`density`) or its sum (`spectrum`).
    """
    if side not in ("real", "imag"):
        raise ValueError(f"side must be real or imag, got {side!r}")
    if scaling not in ("density", "spectrum", None):
        raise ValueError(f"scaling must be density, spectrum or None; got {scaling!r}")
    if isinstance(window, str):
        window_of(window, 1, periodic)

    def draw(source: Source, shape: Sizes) -> Any:
        frames, _, bins = shape
        turns = np.arange(frames)[:, None, None] * np.arange(bins) / (2 * (bins - 1))
        kernel = (np.cos if side == "real" else np.sin)(-2 * np.pi * turns)
        if window is None:
            return kernel
        factors = window_of(window, frames, periodic)
        size = {"density": np.linalg.norm(factors), "spectrum": np.abs(factors).sum(), None: 1}
        return kernel * factors[:, None, None] / size[scaling]

    return draw


Zeros = zero = zeros
Ones = one = ones
Constant = constant
RandomUniform = uniform = random_uniform
RandomNormal = normal = random_normal
TruncatedNormal = truncated_normal
VarianceScaling = variance_scaling
GlorotUniform = glorot_uniform
GlorotNormal = glorot_normal
HeUniform = he_uniform
HeNormal = he_normal
LecunUniform = lecun_uniform
LecunNormal = lecun_normal
Orthogonal = OrthogonalInitializer = orthogonal
Identity = IdentityInitializer = identity
STFT = STFTInitializer = stft
