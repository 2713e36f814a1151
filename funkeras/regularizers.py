"""Regularizers: each maps a weight or an output to a penalty that joins the loss."""

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any, TypeAlias

import jax.numpy as jnp

from funkeras import spellings
from funkeras.registry import Configured, Registry, custom_object_scope
from funkeras.typing import Array, Identifier

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "ActivityRegularizer",
    "EigenvalueRegularizer",
    "L1L2Regularizer",
    "OrthogonalRegularizer",
    "Regularizer",
    "WeightRegularizer",
    "activity_l1",
    "activity_l1l2",
    "activity_l2",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l1l2",
    "l2",
    "orthogonal_regularizer",
    "serialize",
]

Penalty: TypeAlias = Callable[[Array], Array]


class Regularizer(Configured):
    """Maps an array to a scalar. Subclass it with `__call__(x)`."""

    def set_param(self, p: Any) -> None:
        """Nothing: before Keras 1.2 it told the weight."""

    def set_layer(self, layer: Any) -> None:
        """Nothing: before Keras 1.2 it told the layer."""


registry: Registry[Any] = Registry("regularizer", Regularizer)


def _check_factors(**factors: float) -> None:
    for name, value in factors.items():
        if not 0 <= value < float("inf"):
            raise ValueError(f"{name} must be finite and not negative; got {value}")


@registry.configured("L1", "activity_l1")
def l1(l1: float = 0.01) -> Penalty:
    """`l1 * sum(|x|)`."""
    _check_factors(l1=l1)
    return lambda x: l1 * jnp.sum(jnp.abs(x))


@registry.configured("L2", "activity_l2")
def l2(l2: float = 0.01) -> Penalty:
    """`l2 * sum(x²)`."""
    _check_factors(l2=l2)
    return lambda x: l2 * jnp.sum(jnp.square(x))


@registry.configured(
    "L1L2", "L1L2Regularizer", "WeightRegularizer", "ActivityRegularizer", "activity_l1l2"
)
def L1L2(l1: float = 0.0, l2: float = 0.0) -> Penalty:  # noqa: N802, its function differs
    """`l1 * sum(|x|) + l2 * sum(x²)`."""
    _check_factors(l1=l1, l2=l2)
    return lambda x: l1 * jnp.sum(jnp.abs(x)) + l2 * jnp.sum(jnp.square(x))


def l1_l2(*args: Any, **kwargs: Any) -> Any:
    """`L1L2` with the defaults of the function: 0.01 each in Keras 1 and 2, 0 in Keras 3."""
    return L1L2(**spellings.bind("l1_l2", signature(L1L2), args, kwargs))


@registry.configured("OrthogonalRegularizer", "orthogonal_regularizer")
def orthogonal_regularizer(factor: float = 0.01, mode: str = "rows") -> Penalty:
    """`factor` times the mean |cosine| between each two rows (or columns) of a matrix."""
    _check_factors(factor=factor)
    if mode not in ("rows", "columns"):
        raise ValueError(f"mode must be 'rows' or 'columns'; got {mode!r}")

    def penalty(x: Array) -> Array:
        if x.ndim != 2:
            raise ValueError(f"OrthogonalRegularizer needs a matrix; got shape {x.shape}")
        vectors = x if mode == "rows" else x.T
        square = jnp.sum(jnp.square(vectors), axis=1, keepdims=True)
        # Keras bounds the squared norm, so that a row of zeros counts as orthogonal.
        vectors = vectors / jnp.sqrt(jnp.maximum(square, 1e-12))
        cosines = jnp.triu(jnp.abs(vectors @ vectors.T), 1)
        count = len(vectors)
        return factor * jnp.sum(cosines) / (count * (count - 1) / 2)

    return penalty


@registry.configured("EigenvalueRegularizer")
def EigenvalueRegularizer(k: float) -> Penalty:  # noqa: N802, Keras 1 has no function for it
    """`k` times the largest singular value of a matrix, by nine steps of power iteration.

    The square root of the largest eigenvalue of `xᵀ x`, which Keras 1 starts to seek from ones.
    """
    _check_factors(k=k)

    def penalty(x: Array) -> Array:
        if x.ndim != 2:
            raise ValueError(f"EigenvalueRegularizer needs a matrix; got shape {x.shape}")
        gram = x.T @ x
        vector = jnp.ones(len(gram), x.dtype)
        for _ in range(9):
            vector = gram @ vector
            vector = vector / jnp.linalg.norm(vector)  # the quotient below has no scale
        return k * jnp.sqrt((vector @ gram @ vector) / (vector @ vector))

    return penalty


def get(identifier: Identifier, kwargs: Mapping[str, Any] | None = None) -> Any:
    """The regularizer of that name or config; a bare name has the function's defaults.

    `kwargs` are arguments for a name (Keras 1).
    """
    if kwargs and isinstance(identifier, str):
        return registry.find(identifier)(**kwargs)
    bare = isinstance(identifier, str) and registry.find(identifier) is L1L2
    return l1_l2() if bare else registry.get(identifier)


def serialize(regularizer: Any) -> Any:
    """A config that `get` turns back into the regularizer."""
    return registry.serialize(regularizer)


def deserialize(config: Identifier, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The regularizer that `serialize` described."""
    with custom_object_scope(custom_objects):
        return registry.get(config)


L1 = activity_l1 = l1
L2 = activity_l2 = l2
l1l2 = activity_l1l2 = l1_l2
L1L2Regularizer = WeightRegularizer = ActivityRegularizer = L1L2
OrthogonalRegularizer = orthogonal_regularizer
