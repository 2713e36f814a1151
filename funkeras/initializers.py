"""Where weights start: each initializer is one function of a source of randomness and a shape."""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from math import prod, sqrt
from typing import Any, Protocol, Self, TypeAlias, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jax import random

from funkeras import config
from funkeras.registry import Configured, Registry, custom_object_scope
from funkeras.typing import Config, Identifier, Key
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
    "Initializer",
    "KeySource",
    "LecunNormal",
    "LecunUniform",
    "NumpySource",
    "Ones",
    "Orthogonal",
    "OrthogonalInitializer",
    "RandomNormal",
    "RandomUniform",
    "STFTInitializer",
    "Source",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "constant",
    "deserialize",
    "draw",
    "get",
    "get_fans",
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
    "serialize",
    "stft",
    "truncated_normal",
    "uniform",
    "variance_scaling",
    "zero",
    "zeros",
]

Sizes: TypeAlias = tuple[int, ...]
"""A weight's shape: every size is known."""
Axes: TypeAlias = int | list[int] | tuple[int, ...] | None
Draw: TypeAlias = Callable[..., Any]
"""`draw(source, shape)` gives the starting values, as an array of the source's kind."""

TRUNCATED_STDDEV = 0.87962566103423978
"""Standard deviation of a unit normal cut off at two standard deviations."""


@runtime_checkable
class Source(Protocol):
    """Randomness, and the array library (`numpy` or `jax.numpy`) that its draws belong to."""

    xp: Any

    def uniform(self, shape: Sizes, low: float = 0.0, high: float = 1.0) -> Any:
        """Values spread evenly over `[low, high)`."""
        ...

    def normal(self, shape: Sizes, mean: float = 0.0, stddev: float = 1.0) -> Any:
        """Values with the Gaussian density."""
        ...

    def truncated_normal(self, shape: Sizes, mean: float = 0.0, stddev: float = 1.0) -> Any:
        """Gaussian values of which none is more than two `stddev` from the mean."""
        ...

    def seeded(self, seed: int) -> "Source":
        """A source of the same kind that starts from `seed`."""
        ...

    def key(self) -> Key:
        """A JAX key, for draws that JAX alone can make."""
        ...


class KeySource:
    """Draws from a JAX key, split once for each draw; works inside `jax.jit` and `jax.vmap`."""

    xp: Any = jnp

    def __init__(self, key: Key) -> None:
        self._key = key

    def key(self) -> Key:
        """A key of its own for each draw."""
        self._key, key = random.split(self._key)
        return key

    def uniform(self, shape: Sizes, low: float = 0.0, high: float = 1.0) -> jax.Array:
        """Values spread evenly over `[low, high)`."""
        return random.uniform(self.key(), shape, minval=low, maxval=high)

    def normal(self, shape: Sizes, mean: float = 0.0, stddev: float = 1.0) -> jax.Array:
        """Values with the Gaussian density."""
        return mean + stddev * random.normal(self.key(), shape)

    def truncated_normal(self, shape: Sizes, mean: float = 0.0, stddev: float = 1.0) -> jax.Array:
        """Gaussian values of which none is more than two `stddev` from the mean."""
        return mean + stddev * random.truncated_normal(self.key(), -2.0, 2.0, shape)

    def seeded(self, seed: int) -> "KeySource":
        """A source that starts from `seed`."""
        return KeySource(random.key(seed))


class NumpySource:
    """Draws from a NumPy generator, by default the global one; its arrays never touch JAX.

    The draws are those of Keras 1 on Theano: `np.random.seed` makes an old script repeatable.
    """

    xp: Any = np

    def __init__(
        self, generator: np.random.RandomState | np.random.Generator | None = None
    ) -> None:
        self._generator: Any = np.random if generator is None else generator

    def uniform(self, shape: Sizes, low: float = 0.0, high: float = 1.0) -> np.ndarray:
        """Values spread evenly over `[low, high)`."""
        return np.asarray(self._generator.uniform(low, high, shape))

    def normal(self, shape: Sizes, mean: float = 0.0, stddev: float = 1.0) -> np.ndarray:
        """Values with the Gaussian density."""
        return np.asarray(self._generator.normal(mean, stddev, shape))

    def truncated_normal(self, shape: Sizes, mean: float = 0.0, stddev: float = 1.0) -> np.ndarray:
        """Gaussian values of which none is more than two `stddev` from the mean."""
        values = self.normal(shape)
        while (outside := np.abs(values) > 2).any():
            values[outside] = self.normal((int(outside.sum()),))
        return mean + stddev * values

    def seeded(self, seed: int) -> "NumpySource":
        """A source that starts from `seed`."""
        return NumpySource(np.random.RandomState(seed))

    def key(self) -> Key:
        """A JAX key that follows from the next draw."""
        return random.key(int(self.uniform((), 0, 2**32)))


class Initializer(Configured):
    """Gives a weight its first values. Subclass it with `__call__(shape, dtype=None)`."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """An initializer, or the values themselves for the call `glorot_uniform(shape)` of Keras 1.

        Its other arguments were `name` and `dim_ordering`, after `scale` where there was one.
        """
        if cls.build is None or cls.__name__ == "Constant" or not args:
            return super().__new__(cls)
        shape, *rest = args
        if not isinstance(shape, tuple | list):
            return super().__new__(cls)
        order = ("name", "dim_ordering")
        if cls.__name__ in SCALES:
            order = ("scale", *order)
        options = {"dim_ordering": "th", **dict(zip(order, rest, strict=False)), **kwargs}
        return cls()(shape, **options)  # not an instance, so Python leaves out `__init__`

    def __call__(
        self,
        shape: Any,
        dtype: Any = None,
        key: Key | None = None,
        *,
        scale: float | None = None,
        name: str | None = None,
        dim_ordering: str | None = None,
    ) -> Any:
        """Values of that shape, from NumPy's global generator or, if given, from a JAX key.

        `scale` and `dim_ordering` (where a 4- or 5-D kernel has its channels: `tf`, the default,
        or `th`) are the options that Keras 1 had in this call; it wrote `name` on its variables.
        """
        initializer = self
        if scale is not None:
            if type(self).__name__ not in SCALES:
                raise TypeError(f"{type(self).__name__} takes no scale; {', '.join(SCALES)} do")
            initializer = type(self)(**{**self._config, **SCALES[type(self).__name__](scale)})
        source = NumpySource() if key is None else KeySource(key)
        return _cast(initializer, initializer._values, source, shape, dtype, dim_ordering)

    def _values(self, source: Source, shape: Sizes, dtype: str, dim_ordering: str) -> Any:
        if self.build is None:
            raise NotImplementedError(f"{type(self).__name__} must define __call__")
        seed = self.get_config().get("seed")
        source = source if seed is None else source.seeded(seed)
        options = {"dim_ordering": dim_ordering} if "input_axes" in self._config else {}
        return self.function(source, shape, **options)


class Drawn(Initializer):
    """Values that `draw(source, shape)` gives: what a weight has that is not declared by a name."""

    def __init__(self, draw: Draw) -> None:
        super().__init__()
        self.draw = draw

    def _values(self, source: Source, shape: Sizes, dtype: str, dim_ordering: str) -> Any:
        return self.draw(source, shape)


SCALES: dict[str, Callable[[float], Config]] = {
    "RandomUniform": lambda scale: {"minval": -scale, "maxval": scale},
    "RandomNormal": lambda scale: {"stddev": scale},
    "Orthogonal": lambda scale: {"gain": scale},
    "Identity": lambda scale: {"gain": scale},
}
"""What the argument `scale` of a Keras 1 initializer sets today."""

registry: Registry[Any] = Registry("initializer", Initializer)


def draw(
    initializer: Identifier,
    source: Source,
    shape: Any,
    dtype: Any = None,
    *,
    dim_ordering: str | None = None,
) -> Any:
    """First values of a weight, whatever the initializer is: ours, a user's class or function.

    NumPy arrays from a `NumpySource`, JAX arrays from a `KeySource`. A user's function is called
    with the shape and with those of `dtype`, `name` and `dim_ordering` that it names; its own
    randomness is its own affair.

    Raises:
        ValueError: for values of another shape.
    """
    found = registry.get(initializer)
    if found is None:
        raise TypeError("an initializer is a name, a config or a function; got None")
    ours = isinstance(found, Initializer) and type(found).__call__ is Initializer.__call__
    draw = found._values if ours else partial(_call_of_user, found)
    return _cast(found, draw, source, shape, dtype, dim_ordering)


def _cast(
    initializer: Any,
    draw: Draw,
    source: Source,
    shape: Any,
    dtype: Any,
    dim_ordering: str | None,
) -> Any:
    """What `draw` gives, as an array of the source's kind, checked."""
    if dim_ordering not in (None, "tf", "th"):
        raise ValueError(f"dim_ordering must be 'tf' or 'th'; got {dim_ordering!r}")
    shape = tuple(int(size) for size in shape)
    dtype = np.dtype(dtype or config.floatx())
    values = source.xp.asarray(draw(source, shape, dtype.name, dim_ordering or "tf"), dtype)
    if values.shape != shape:
        raise ValueError(f"{initializer!r} must give an array of shape {shape}; got {values.shape}")
    return values


def _call_of_user(
    function: Callable[..., Any], source: Source, shape: Sizes, dtype: str, dim_ordering: str
) -> Any:
    options = {"dtype": dtype, "name": None, "dim_ordering": dim_ordering}
    try:
        parameters = inspect.signature(function).parameters
    except ValueError:  # some compiled functions have no signature
        parameters = {}
    return function(shape, **{name: options[name] for name in options if name in parameters})


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
    count = partial(_fans, config.dialect(), input_axes, output_axes)

    def draw(source: Source, shape: Sizes, dim_ordering: str = "tf") -> Any:
        fan = MODES[mode](*count(shape, dim_ordering))
        return DISTRIBUTIONS[distribution](source, shape, scale / max(1.0, fan))

    return draw


def get_fans(shape: Any, dim_ordering: str = "th") -> tuple[float, float]:
    """How many inputs and outputs a weight of that shape joins, in the present dialect.

    >>> get_fans((32, 3, 5, 5))
    (75, 800)
    """
    return _fans(config.dialect(), None, None, tuple(shape), dim_ordering)


def _fans(
    dialect: str, input_axes: Axes, output_axes: Axes, shape: Sizes, dim_ordering: str
) -> tuple[float, float]:
    rank = len(shape)
    if input_axes is not None and output_axes is not None:
        inputs, outputs = (np.atleast_1d(axes) for axes in (input_axes, output_axes))
    elif rank < 2 or (rank == 3 and dialect == "classic"):
        both = float(prod(shape)) if dialect == "modern" else sqrt(prod(shape))
        return both, both
    elif dim_ordering == "th" and rank > 3:
        inputs, outputs = range(1, rank), (0, *range(2, rank))
    else:
        # Keras 1 forgot the third spatial axis of a channels-last kernel.
        spatial = range(min(2, rank - 2) if dialect == "classic" else rank - 2)
        inputs, outputs = (*spatial, rank - 2), (*spatial, rank - 1)
    return prod(shape[axis] for axis in inputs), prod(shape[axis] for axis in outputs)


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


def get(identifier: Identifier, **options: Any) -> Any:
    """The initializer of that name or config. Options (Keras 1) are kept for its later calls."""
    found = registry.get(identifier)
    return partial(found, **options) if options else found


def serialize(initializer: Any) -> Any:
    """A config that `get` turns back into the initializer."""
    return registry.serialize(initializer)


def deserialize(config: Identifier, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The initializer that `serialize` described."""
    with custom_object_scope(custom_objects):
        return registry.get(config)


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
