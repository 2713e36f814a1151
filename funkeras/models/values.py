"""Arrays, slices and the like in configs, as Keras 3 writes them, and back."""

import operator
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from funkeras.models.functions import number_type
from funkeras.symbolic import SymbolicTensor
from funkeras.typing import Config

__all__ = ["TENSOR", "plain_value", "tensor_config", "value_config"]

TENSOR = "__tensor__"
"""The class in configs of an array of the device."""

ENDS = ("start", "stop", "step")


def value_config(value: Any) -> Any:
    """An array, a slice or bytes as a class and a config; numbers of NumPy as Python's.

    >>> value_config(slice(1, None))
    {'class_name': '__slice__', 'config': {'start': 1, 'stop': None, 'step': None}}
    """
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray | jax.Array):
        kind = TENSOR if isinstance(value, jax.Array) else "__numpy__"
        config: Config = {"value": np.asarray(value).tolist(), "dtype": str(value.dtype)}
    elif isinstance(value, slice):
        kind, config = "__slice__", {end: value_config(getattr(value, end)) for end in ENDS}
    elif isinstance(value, bytes):
        kind, config = "__bytes__", {"value": value.decode()}
    else:
        return value
    return {"class_name": kind, "config": config}


def tensor_config(tensor: SymbolicTensor, history: Sequence[Any]) -> Config:
    """A symbolic tensor, which is output `history[2]` of call `history[1]` of a layer."""
    config = {"shape": list(tensor.shape), "dtype": tensor.dtype, "keras_history": [*history]}
    return {"class_name": "__keras_tensor__", "config": config}


def plain_value(value: Mapping[str, Any]) -> Any:
    """What a config stands for, of an array (as NumPy's), a slice, bytes or an ellipsis.

    None for other dicts.
    """
    kind, config = value.get("class_name"), value.get("config")
    if kind == "__ellipsis__":
        return Ellipsis
    if isinstance(config, Mapping):
        if kind == "__slice__":
            return _slice(config)
        if kind in (TENSOR, "__numpy__"):
            return np.asarray(config["value"], number_type(config.get("dtype", "float32")))
        if kind == "__bytes__":
            return str(config["value"]).encode()
    return _slice(value) if value.keys() == {*ENDS} else None


def _slice(config: Mapping[str, Any]) -> slice:
    ends = (config.get(name) for name in ENDS)
    return slice(*(None if end is None else operator.index(end) for end in ends))
