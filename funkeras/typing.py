"""Type names that every module shares."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import jax
import numpy as np

__all__ = [
    "Array",
    "ArrayLike",
    "Config",
    "Identifier",
    "Key",
    "Mask",
    "Params",
    "PyTree",
    "Shape",
    "State",
]

Array: TypeAlias = jax.Array
ArrayLike: TypeAlias = jax.Array | np.ndarray | float | int
Key: TypeAlias = jax.Array
Shape: TypeAlias = tuple[int | None, ...]
"""Sizes with the batch first; `None` is a size that is not known yet."""
PyTree: TypeAlias = Any
Params: TypeAlias = dict[str, Any]
"""Trainable arrays by name; a combinator nests the dicts of its parts."""
State: TypeAlias = dict[str, Any]
"""Arrays that change outside the gradient: moving averages, recurrent states."""
Mask: TypeAlias = jax.Array | None
Config: TypeAlias = dict[str, Any]
Identifier: TypeAlias = str | Mapping[str, Any] | Callable[..., Any] | None
"""What a Keras argument such as `activation=` takes: a name, a config, the thing, or nothing."""
