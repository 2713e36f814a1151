"""A number that the host may change between compiled calls, and what values it may have."""

import math
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from funkeras import config

__all__ = ["Hyperparameter", "checked"]

_unit: tuple[Callable[[float], bool], str] = (lambda x: 0 <= x <= 1, "in [0, 1]")
_positive: tuple[Callable[[float], bool], str] = (lambda x: x > 0, "positive")
_not_negative: tuple[Callable[[float], bool], str] = (lambda x: x >= 0, "at least 0")

LIMITS: dict[str, tuple[Callable[[float], bool], str]] = {
    "learning_rate": _not_negative,
    "decay": _not_negative,
    "weight_decay": _not_negative,
    "epsilon": _not_negative,
    "clipnorm": _positive,
    "clipvalue": _positive,
    "global_clipnorm": _positive,
    "loss_scale_factor": _positive,
    "ema_momentum": _unit,
    "momentum": _unit,
    "rho": _unit,
    "beta_1": _unit,
    "beta_2": _unit,
    "learning_rate_power": (lambda x: x <= 0, "at most 0"),
    "initial_accumulator_value": _not_negative,
    "l1_regularization_strength": _not_negative,
    "l2_regularization_strength": _not_negative,
    "l2_shrinkage_regularization_strength": _not_negative,
}
"""Hyperparameter → which values it may have; the others may have any that is not NaN."""


def checked(name: str, value: Any) -> float:
    """`value` as a float that `name` may have.

    Raises:
        TypeError: when it is not one number.
        ValueError: when it is outside its range.
    """
    array = np.asarray(value)
    if array.size != 1 or (array.dtype.kind not in "iuf" and array.dtype.name != "bfloat16"):
        came = f"shape {array.shape}" if array.size != 1 else repr(value)
        raise TypeError(f"{name} must be a single number, got {came}")
    number = float(array.reshape(()))
    allowed, words = LIMITS.get(name, (lambda x: not math.isnan(x), "a number"))
    if not allowed(number):
        raise ValueError(f"{name} must be {words}, got {number}")
    return number


class Hyperparameter(NDArrayOperatorsMixin):
    """A float that can be assigned; compiled programs read it at the start of each call.

    >>> rate = Hyperparameter("learning_rate", 0.5)
    >>> rate.assign(rate / 2)
    >>> float(rate), rate < 1
    (0.25, True)
    """

    shape = ()
    ndim = 0

    def __init__(self, name: str, value: Any) -> None:
        self.name = name
        self._value = checked(name, value)

    def assign(self, value: Any) -> None:
        """Set the value."""
        self._value = checked(self.name, value)

    set_value = assign

    def numpy(self) -> np.ndarray:
        """The value as a scalar array of `floatx()`."""
        return np.asarray(self._value, jnp.dtype(config.floatx()))

    get_value = numpy

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self._value, dtype)

    def __jax_array__(self) -> Any:
        return jnp.asarray(self._value)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        values = [x._value if isinstance(x, Hyperparameter) else x for x in inputs]
        result = getattr(ufunc, method)(*values, **kwargs)
        return result.item() if isinstance(result, np.generic) else result

    def __float__(self) -> float:
        return self._value

    def __int__(self) -> int:
        return int(self._value)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __round__(self, digits: int | None = None) -> float:
        return round(self._value, digits)

    def __format__(self, spec: str) -> str:
        return format(self._value, spec)

    def __repr__(self) -> str:
        return repr(self._value)
