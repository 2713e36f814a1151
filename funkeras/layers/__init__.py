"""One Keras class for each functional layer, derived from its builder; found by name."""

from typing import Any

from funkeras.layers.facade import class_names, deserialize, layer_class, serialize
from funkeras.layers.input import Input, InputLayer
from funkeras.layers.layer import Layer, Variable
from funkeras.layers.lookup import StringLookup, TextVectorization
from funkeras.layers.merge import (
    add,
    average,
    concatenate,
    dot,
    maximum,
    minimum,
    multiply,
    subtract,
)
from funkeras.layers.spec import InputSpec
from funkeras.layers.special import CONTAINERS
from funkeras.layers.stepwise import Recurrent
from funkeras.layers.wrapping import Wrapper

__all__ = [
    "Input",
    "InputLayer",
    "InputSpec",
    "Layer",
    "Recurrent",
    "StringLookup",
    "TextVectorization",
    "Variable",
    "Wrapper",
    "add",
    "average",
    "concatenate",
    "deserialize",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "serialize",
    "subtract",
    *class_names(),
]

CONTAINERS |= {"InputLayer": InputLayer, "Recurrent": Recurrent, "Wrapper": Wrapper}


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return layer_class(name)


def __dir__() -> list[str]:
    return __all__
