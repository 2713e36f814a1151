"""`clone_model`: the same layers with weights of their own."""

from typing import Any

from funkeras.backend import is_keras_tensor
from funkeras.layers.input import Input
from funkeras.models.model import Model

__all__ = ["clone_model"]


def clone_model(model: Model, input_tensors: Any = None) -> Model:
    """A model of equal layers, newly initialized, on other inputs if these are given.

    Variables and what follows from them can be inputs too: they are not fed.
    """
    clone = type(model).from_config(model.get_config())
    if input_tensors is None:
        return clone
    given = list(input_tensors) if isinstance(input_tensors, list | tuple) else [input_tensors]
    tensors = [own if is_keras_tensor(own) else Input(tensor=own) for own in given]
    return Model(tensors, clone(tensors if len(tensors) > 1 else tensors[0]))
