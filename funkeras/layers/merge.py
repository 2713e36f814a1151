"""Keras's import path of the layers with several inputs, and each of them as a function.

The module itself can be called: it is Keras 1's `merge([a, b], mode="sum")` too.
"""

import sys
from collections.abc import Sequence
from functools import reduce
from types import ModuleType
from typing import Any

import jax.numpy as jnp

from funkeras.layers.facade import layer_class
from funkeras.layers.layer import Layer

__all__ = [
    "add",
    "average",
    "concatenate",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "subtract",
]


def add(inputs: Sequence[Any], **options: Any) -> Any:
    """Sum of the inputs, by the layer `Add`.

    >>> import numpy as np
    >>> add([np.ones(2), np.ones(2)]).tolist()
    [2.0, 2.0]
    """
    return layer_class("Add")(**options)(inputs)


def subtract(inputs: Sequence[Any], **options: Any) -> Any:
    """The first input minus the second, by the layer `Subtract`."""
    return layer_class("Subtract")(**options)(inputs)


def multiply(inputs: Sequence[Any], **options: Any) -> Any:
    """Product of the inputs, by the layer `Multiply`."""
    return layer_class("Multiply")(**options)(inputs)


def average(inputs: Sequence[Any], **options: Any) -> Any:
    """Mean of the inputs, by the layer `Average`."""
    return layer_class("Average")(**options)(inputs)


def maximum(inputs: Sequence[Any], **options: Any) -> Any:
    """The largest of the inputs, by the layer `Maximum`."""
    return layer_class("Maximum")(**options)(inputs)


def minimum(inputs: Sequence[Any], **options: Any) -> Any:
    """The smallest of the inputs, by the layer `Minimum`."""
    return layer_class("Minimum")(**options)(inputs)


def concatenate(inputs: Sequence[Any], axis: int = -1, **options: Any) -> Any:
    """The inputs one after another along an axis, by the layer `Concatenate`."""
    return layer_class("Concatenate")(axis=axis, **options)(inputs)


def dot(
    inputs: Sequence[Any], axes: int | Sequence[int], normalize: bool = False, **options: Any
) -> Any:
    """Sums of products along an axis of each input, by the layer `Dot`."""
    return layer_class("Dot")(axes=axes, normalize=normalize, **options)(inputs)


class _Merge(Layer):
    """Base of layers that users write to merge inputs: they say how in `_merge_function`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.supports_masking = True

    def _merge_function(self, inputs: list[Any]) -> Any:
        raise NotImplementedError(f"{type(self).__name__} needs a _merge_function(self, inputs)")

    def call(self, inputs: list[Any]) -> Any:
        """The inputs merged; those with fewer axes get new ones after the batch."""
        most = max(jnp.ndim(x) for x in inputs)
        return self._merge_function(
            [jnp.expand_dims(x, tuple(range(1, 1 + most - jnp.ndim(x)))) for x in inputs]
        )

    def compute_mask(self, inputs: list[Any], mask: Any = None) -> Any:
        """Where all the masks that there are agree."""
        masks = [own for own in mask or () if own is not None]
        return reduce(jnp.logical_and, masks) if masks else None


class _Callable(ModuleType):
    """This module, callable."""

    def __call__(self, inputs: Sequence[Any], *args: Any, **kwargs: Any) -> Any:
        """The inputs merged as the layer `Merge` does it, whose other arguments follow."""
        return layer_class("Merge")(None, *args, **kwargs)(inputs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return layer_class(name)


sys.modules[__name__].__class__ = _Callable
