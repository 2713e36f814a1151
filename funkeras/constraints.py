"""Constraints: each maps a weight to the nearest one that is allowed, after every update."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import jax.numpy as jnp

from funkeras import config
from funkeras.registry import Configured, Registry, custom_object_scope
from funkeras.typing import Array, Identifier

__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "maxnorm",
    "min_max_norm",
    "non_neg",
    "nonneg",
    "serialize",
    "unit_norm",
    "unitnorm",
]

Axes: TypeAlias = int | list[int] | tuple[int, ...]
Project: TypeAlias = Callable[[Array], Array]


class Constraint(Configured):
    """Maps a weight to its projection. Subclass it with `__call__(w)`."""


registry: Registry[Any] = Registry("constraint", Constraint)


def _rescale(axis: Axes, wanted: Callable[[Array], Array | float]) -> Project:
    """Give the norms along the axes the values that `wanted` makes of them."""
    axes = tuple(axis) if isinstance(axis, list) else axis
    epsilon = config.epsilon()

    def project(w: Array) -> Array:
        norms = jnp.sqrt(jnp.sum(jnp.square(w), axis=axes, keepdims=True))
        return w * (wanted(norms) / (epsilon + norms))

    return project


@registry.configured("MaxNorm")
def max_norm(max_value: float = 2, axis: Axes = 0) -> Project:
    """Norms along the axes at most `max_value`.

    Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html.
    """
    return _rescale(axis, lambda norms: jnp.clip(norms, 0, max_value))


@registry.configured("NonNeg")
def non_neg() -> Project:
    """No entry below 0."""
    return lambda w: jnp.maximum(w, 0)


@registry.configured("UnitNorm")
def unit_norm(axis: Axes = 0) -> Project:
    """Norms along the axes 1."""
    return _rescale(axis, lambda norms: 1.0)


@registry.configured("MinMaxNorm")
def min_max_norm(
    min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Axes = 0
) -> Project:
    """Norms along the axes moved towards `[min_value, max_value]` by a share `rate` of the way."""
    return _rescale(
        axis, lambda norms: rate * jnp.clip(norms, min_value, max_value) + (1 - rate) * norms
    )


def get(identifier: Identifier, kwargs: Mapping[str, Any] | None = None) -> Any:
    """The constraint of that name or config; `kwargs` are arguments for a name (Keras 1)."""
    if kwargs and isinstance(identifier, str):
        return registry.find(identifier)(**kwargs)
    return registry.get(identifier)


def serialize(constraint: Any) -> Any:
    """A config that `get` turns back into the constraint."""
    return registry.serialize(constraint)


def deserialize(config: Identifier, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The constraint that `serialize` described."""
    with custom_object_scope(custom_objects):
        return registry.get(config)


MaxNorm = maxnorm = max_norm
NonNeg = nonneg = non_neg
UnitNorm = unitnorm = unit_norm
MinMaxNorm = min_max_norm
