"""Learning rates as functions of the number of updates made so far."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import jax.numpy as jnp

from funkeras.registry import Configured, Registry, custom_object_scope
from funkeras.typing import Array, ArrayLike

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "get",
    "registry",
    "serialize",
]

Schedule: TypeAlias = Callable[[ArrayLike], Array]


class LearningRateSchedule(Configured):
    """A learning rate for each step: `schedule(step)` is a scalar.

    Users subclass with a `__call__(step)` made of JAX operations and, to be saved, `get_config`.
    """


registry: Registry[type[LearningRateSchedule]] = Registry(
    "learning rate schedule", LearningRateSchedule
)


def get(identifier: Any) -> Any:
    """A schedule from its config, or the schedule itself."""
    return registry.get(identifier)


def serialize(learning_rate_schedule: Any) -> Any:
    """A `{"class_name", "config"}` dict that `deserialize` turns back into the schedule."""
    return registry.serialize(learning_rate_schedule)


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The schedule that `serialize` described."""
    with custom_object_scope(custom_objects):
        return registry.deserialize(config)


def _positive(name: str, value: float) -> None:
    if not value > 0:
        raise ValueError(f"{name} must be positive, got {value!r}")


def _as_float(step: ArrayLike) -> Array:
    return jnp.asarray(step, jnp.result_type(float))


@registry.configured("ExponentialDecay")
def exponential_decay(
    initial_learning_rate: float,
    decay_steps: int,
    decay_rate: float,
    staircase: bool = False,
    name: str = "ExponentialDecay",
) -> Schedule:
    """`initial · rate^(step / steps)`; a staircase rounds the exponent down.

    >>> float(ExponentialDecay(0.5, decay_steps=10, decay_rate=0.5)(20))
    0.125
    """
    _positive("decay_steps", decay_steps)

    def schedule(step: ArrayLike) -> Array:
        exponent = _as_float(step) / decay_steps
        exponent = jnp.floor(exponent) if staircase else exponent
        return initial_learning_rate * decay_rate**exponent

    return schedule


@registry.configured("InverseTimeDecay")
def inverse_time_decay(
    initial_learning_rate: float,
    decay_steps: int,
    decay_rate: float,
    staircase: bool = False,
    name: str = "InverseTimeDecay",
) -> Schedule:
    """`initial / (1 + rate · step / steps)`; a staircase rounds the quotient down.

    >>> float(InverseTimeDecay(1.0, decay_steps=10, decay_rate=1.0)(30))
    0.25
    """
    _positive("decay_steps", decay_steps)

    def schedule(step: ArrayLike) -> Array:
        periods = _as_float(step) / decay_steps
        periods = jnp.floor(periods) if staircase else periods
        return initial_learning_rate / (1 + decay_rate * periods)

    return schedule


@registry.configured("PiecewiseConstantDecay")
def piecewise_constant_decay(
    boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant"
) -> Schedule:
    """`values[i]` where `i` is the number of boundaries that lie before the step.

    >>> float(PiecewiseConstantDecay([10, 20], [1.0, 0.5, 0.25])(10))
    1.0
    """
    if len(values) != len(boundaries) + 1:
        raise ValueError(
            f"values must have one entry more than boundaries ({len(boundaries)}), "
            f"got {len(values)}"
        )

    def schedule(step: ArrayLike) -> Array:
        edges = jnp.asarray(boundaries, jnp.result_type(float))
        passed = jnp.sum(_as_float(step) > edges)
        return jnp.asarray(values, jnp.result_type(float))[passed]

    return schedule


@registry.configured("PolynomialDecay")
def polynomial_decay(
    initial_learning_rate: float,
    decay_steps: int,
    end_learning_rate: float = 0.0001,
    power: float = 1.0,
    cycle: bool = False,
    name: str = "PolynomialDecay",
) -> Schedule:
    """`(initial - end) · (1 - step / steps)^power + end`.

    A cycle lengthens `steps` to its next multiple instead of staying at the end.

    >>> float(PolynomialDecay(1.0, decay_steps=10, end_learning_rate=0.5)(5))
    0.75
    """
    _positive("decay_steps", decay_steps)

    def schedule(step: ArrayLike) -> Array:
        periods = _as_float(step) / decay_steps
        whole = jnp.maximum(jnp.ceil(periods), 1)
        done = periods / whole if cycle else jnp.minimum(periods, 1)
        return (initial_learning_rate - end_learning_rate) * (1 - done) ** power + end_learning_rate

    return schedule


def _half_cosine(done: Array) -> Array:
    return 0.5 * (1 + jnp.cos(math.pi * done))


@registry.configured("CosineDecay")
def cosine_decay(
    initial_learning_rate: float,
    decay_steps: int,
    alpha: float = 0.0,
    name: str = "CosineDecay",
    warmup_target: float | None = None,
    warmup_steps: int = 0,
) -> Schedule:
    """Half a cosine from the highest rate down to `alpha` times it, after a linear warm-up.

    The highest rate is `warmup_target`, or `initial_learning_rate` when that is None.
    Loshchilov and Hutter 2016, https://arxiv.org/abs/1608.03983

    >>> float(CosineDecay(1.0, decay_steps=10, alpha=0.5)(10))
    0.5
    """
    _positive("decay_steps", decay_steps)
    warm = warmup_target is not None and warmup_steps > 0
    highest = initial_learning_rate if warmup_target is None else warmup_target

    def schedule(step: ArrayLike) -> Array:
        step = _as_float(step)
        after = step - warmup_steps if warm else step
        done = jnp.clip(after / decay_steps, 0, 1)
        rate = highest * ((1 - alpha) * _half_cosine(done) + alpha)
        if not warm:
            return rate
        rising = initial_learning_rate + (highest - initial_learning_rate) * step / warmup_steps
        return jnp.where(step < warmup_steps, rising, rate)

    return schedule


@registry.configured("CosineDecayRestarts")
def cosine_decay_restarts(
    initial_learning_rate: float,
    first_decay_steps: int,
    t_mul: float = 2.0,
    m_mul: float = 1.0,
    alpha: float = 0.0,
    name: str = "SGDRDecay",
) -> Schedule:
    """Cosine decays, each `t_mul` times as long as and `m_mul` times as high as the last.

    Loshchilov and Hutter 2016, https://arxiv.org/abs/1608.03983

    >>> schedule = CosineDecayRestarts(1.0, first_decay_steps=10)
    >>> [round(float(schedule(step)), 6) for step in (0, 5, 20, 30)]
    [1.0, 0.5, 0.5, 1.0]
    """
    _positive("first_decay_steps", first_decay_steps)
    _positive("t_mul", t_mul)

    def begins(period: Array) -> Array:
        """Where a period begins, in lengths of the first: `1 + t + t² + …`."""
        return period if t_mul == 1 else (1 - t_mul**period) / (1 - t_mul)

    def schedule(step: ArrayLike) -> Array:
        periods = _as_float(step) / first_decay_steps
        if t_mul == 1:
            period = jnp.floor(periods)
        else:
            period = jnp.floor(jnp.log(1 - periods * (1 - t_mul)) / math.log(t_mul))
            # The quotient of two logarithms may fall just short of the whole number.
            period = jnp.where(periods >= begins(period + 1), period + 1, period)
        done = (periods - begins(period)) / t_mul**period
        height = m_mul**period * _half_cosine(done)
        return initial_learning_rate * ((1 - alpha) * height + alpha)

    return schedule


ExponentialDecay = exponential_decay
InverseTimeDecay = inverse_time_decay
PiecewiseConstantDecay = piecewise_constant_decay
PolynomialDecay = polynomial_decay
CosineDecay = cosine_decay
CosineDecayRestarts = cosine_decay_restarts
