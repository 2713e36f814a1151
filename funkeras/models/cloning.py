"""`clone_model`: the same layers with weights of their own."""

from typing import Any

from funkeras.models.model import Model

__all__ = ["clone_model"]


def clone_model(model: Model, input_tensors: Any = None) -> Model:
    """A model of equal layers, newly initialized, on other inputs if these are given."""
    clone = type(model).from_config(model.get_config())
    if input_tensors is None:
        return clone
    tensors = list(input_tensors) if isinstance(input_tensors, list | tuple) else [input_tensors]
    return Model(input_tensors, clone(tensors if len(tensors) > 1 else tensors[0]))
