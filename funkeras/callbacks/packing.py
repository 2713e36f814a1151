"""Nested plain data as named arrays, for files without code in them."""

import json
from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

__all__ = ["pack", "packable", "unpack"]

OUTLINE = "outline"
"""Name of the array that holds everything but the arrays, as JSON."""


def pack(value: Any) -> dict[str, np.ndarray]:
    """Lists, tuples, dicts, numbers, text and arrays as arrays by name.

    >>> unpack(pack({"a": [1, None, (2.5, "b")], 3: np.arange(2)}))
    {'a': [1, None, (2.5, 'b')], 3: array([0, 1])}

    Raises:
        TypeError: for anything else.
    """
    arrays: list[np.ndarray] = []

    def outline(part: Any) -> Any:
        if part is None or type(part) in (bool, int, float, str):
            return part
        if isinstance(part, np.ndarray | np.generic) and part.dtype.kind not in "OM":
            arrays.append(np.asarray(part))
            return {"array": len(arrays) - 1, "dtype": part.dtype.name}
        if type(part) is list:
            return [outline(item) for item in part]
        if type(part) is tuple:
            return {"tuple": [outline(item) for item in part]}
        if type(part) is dict:
            return {"dict": [[outline(key), outline(item)] for key, item in part.items()]}
        raise TypeError(f"cannot pack a {type(part).__name__}")

    text = json.dumps(outline(value))
    named = {str(index): array for index, array in enumerate(arrays)}
    return {OUTLINE: np.frombuffer(text.encode(), np.uint8), **named}


def unpack(named: Mapping[str, np.ndarray]) -> Any:
    """What `pack` was given."""

    def value(part: Any) -> Any:
        if isinstance(part, list):
            return [value(item) for item in part]
        if not isinstance(part, dict):
            return part
        if "tuple" in part:
            return tuple(value(item) for item in part["tuple"])
        if "dict" in part:
            return {value(key): value(item) for key, item in part["dict"]}
        array = named[str(part["array"])]
        # NumPy's files know only its own dtypes: bfloat16 comes back as two bytes.
        return array.view(jnp.dtype(part["dtype"])) if array.dtype.kind == "V" else array

    return value(json.loads(bytes(named[OUTLINE])))


def packable(value: Any) -> bool:
    """Whether `pack` takes it."""
    try:
        pack(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True
