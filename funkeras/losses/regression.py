"""Losses of real-valued predictions."""

import jax
import jax.numpy as jnp

from funkeras import config
from funkeras.losses.base import aligned, loss, loss_class
from funkeras.typing import Array, ArrayLike

__all__ = [
    "MAE",
    "MAPE",
    "MSE",
    "MSLE",
    "CosineSimilarity",
    "Huber",
    "LogCosh",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "cosine",
    "cosine_proximity",
    "cosine_similarity",
    "huber",
    "log_cosh",
    "logcosh",
    "mae",
    "mape",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "mse",
    "msle",
]


@loss("mse")
def mean_squared_error(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Mean of `(y_true - y_pred)²` over the last axis."""
    y_true, y_pred = aligned(y_true, y_pred)
    return jnp.mean(jnp.square(y_pred - y_true), axis=-1)


@loss("mae")
def mean_absolute_error(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Mean of `|y_true - y_pred|` over the last axis."""
    y_true, y_pred = aligned(y_true, y_pred)
    return jnp.mean(jnp.abs(y_pred - y_true), axis=-1)


@loss("mape")
def mean_absolute_percentage_error(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Mean of `100·|y_true - y_pred| / max(|y_true|, epsilon)` over the last axis."""
    y_true, y_pred = aligned(y_true, y_pred)
    scale = jnp.maximum(jnp.abs(y_true), config.epsilon())
    return 100 * jnp.mean(jnp.abs((y_true - y_pred) / scale), axis=-1)


@loss("msle")
def mean_squared_logarithmic_error(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Mean of `(log(y_true + 1) - log(y_pred + 1))²`; negative values count as epsilon."""
    y_true, y_pred = aligned(y_true, y_pred)
    log_true, log_pred = (jnp.log(jnp.maximum(y, config.epsilon()) + 1) for y in (y_true, y_pred))
    return jnp.mean(jnp.square(log_pred - log_true), axis=-1)


@loss()
def huber(y_true: ArrayLike, y_pred: ArrayLike, delta: float = 1.0) -> Array:
    """Mean of `e²/2` where `e = |y_true - y_pred| <= delta`, else `delta·e - delta²/2`.

    Huber 1964, https://doi.org/10.1214/aoms/1177703732
    """
    y_true, y_pred = aligned(y_true, y_pred)
    error = y_pred - y_true
    size = jnp.abs(error)
    linear = delta * size - 0.5 * delta**2
    return jnp.mean(jnp.where(size <= delta, 0.5 * jnp.square(error), linear), axis=-1)


@loss("logcosh")
def log_cosh(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Mean of `log(cosh(y_pred - y_true))`, written so that large errors do not overflow."""
    y_true, y_pred = aligned(y_true, y_pred)
    error = y_pred - y_true
    return jnp.mean(error + jax.nn.softplus(-2 * error) - jnp.log(2.0), axis=-1)


def unit_product(y_true: Array, y_pred: Array, axis: int) -> Array:
    """Product of the two vectors, each scaled to length 1; zero vectors stay zero."""

    def unit(x: Array) -> Array:
        squares = jnp.sum(jnp.square(x), axis=axis, keepdims=True)
        return x * jax.lax.rsqrt(jnp.maximum(squares, 1e-12))

    return unit(y_true) * unit(y_pred)


@loss()
def cosine_similarity(y_true: ArrayLike, y_pred: ArrayLike, axis: int = -1) -> Array:
    """Minus the cosine of the angle between the two vectors along `axis`."""
    return -jnp.sum(unit_product(*aligned(y_true, y_pred), axis), axis=axis)


@loss("cosine")
def cosine_proximity(
    y_true: ArrayLike, y_pred: ArrayLike, axis: int = -1, *, dialect: str | None = None
) -> Array:
    """`cosine_similarity` by its name in Keras 1 and 2; Keras 1 divides by the vectors' size."""
    reduction = jnp.mean if (dialect or config.dialect()) == "classic" else jnp.sum
    return -reduction(unit_product(*aligned(y_true, y_pred), axis), axis=axis)


MeanSquaredError = loss_class("MeanSquaredError", mean_squared_error)
MeanAbsoluteError = loss_class("MeanAbsoluteError", mean_absolute_error)
MeanAbsolutePercentageError = loss_class(
    "MeanAbsolutePercentageError", mean_absolute_percentage_error
)
MeanSquaredLogarithmicError = loss_class(
    "MeanSquaredLogarithmicError", mean_squared_logarithmic_error
)
Huber = loss_class("Huber", huber, log_name="huber_loss")
LogCosh = loss_class("LogCosh", log_cosh)
CosineSimilarity = loss_class("CosineSimilarity", cosine_similarity)

mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
logcosh = log_cosh
cosine = cosine_proximity
