"""What every layer takes besides the arguments of its builder, and what arguments mean."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from funkeras import activations, config, constraints, initializers, quantizers, regularizers
from funkeras.functional.shapes import freeze_shape
from funkeras.typing import Shape
from funkeras.utils.naming import next_number, numbered

__all__ = [
    "OPTIONS",
    "SEQUENCES",
    "automatic_name",
    "declared_shape",
    "is_rematerialized",
    "kind_of",
    "rematerializing",
]

OPTIONS: dict[str, Any] = {
    "name": None,
    "trainable": True,
    "dtype": None,
    "autocast": True,
    "activity_regularizer": None,
    "weights": None,
    "input_shape": None,
    "batch_shape": None,
    "input_dim": None,
    "input_length": None,
    "input_dtype": None,
    "batch_size": None,
    "remat": False,
}
"""What every layer takes besides the arguments of its builder."""

_rematerialized: ContextVar[Callable[[str], bool]] = ContextVar(
    "rematerialized", default=lambda name: False
)


@contextmanager
def rematerializing(chosen: Callable[[str], bool]) -> Iterator[None]:
    """Let layers that are made here, of names that are chosen, have `remat`."""
    token = _rematerialized.set(chosen)
    try:
        yield
    finally:
        _rematerialized.reset(token)


def is_rematerialized(name: str) -> bool:
    """Whether a layer of that name, made now, has `remat` without asking for it."""
    return _rematerialized.get()(name)


SEQUENCES = (
    *("SimpleRNN", "GRU", "LSTM", "CuDNNGRU", "CuDNNLSTM", "RNN", "TimeDistributedDense"),
    *("Conv1D", "Convolution1D", "AtrousConvolution1D", "AtrousConv1D", "LocallyConnected1D"),
)
"""Layers of which `input_dim` alone means sequences of any length."""

KINDS: dict[str, Any] = {
    "activation": activations,
    "initializer": initializers,
    "regularizer": regularizers,
    "constraint": constraints,
    "config": quantizers,
}
"""Last word of an argument's name → the module that knows what its value means."""


def automatic_name(class_name: str) -> str:
    """The next free name: `dense_1` in Keras 1 and 2, `dense`, then `dense_1` in Keras 3."""
    word = class_name.lower()
    if config.dialect() != "classic":
        word = re.sub(r"(?<=[a-z0-9])([A-Z])|(?<=[A-Z])([A-Z])(?=[a-z])", r"_\1\2", class_name)
        word = re.sub(r"(\d)_d\b", r"\1d", word.lower())
    if config.dialect() == "modern":
        return numbered(word)
    return f"{word}_{next_number(word) + 1}"


def kind_of(argument: str) -> Any:
    """The module that gives meaning to an argument such as `recurrent_initializer`."""
    return KINDS.get(argument.rpartition("_")[2])


def declared_shape(
    options: Mapping[str, Any], whole_numbers: bool, sequences: bool
) -> Shape | None:
    """The batch shape that a first layer's arguments describe, if they do.

    Where `input_dim` is the layer's own argument, how many whole numbers there are, inputs have no
    feature axis.

    Raises:
        ValueError: if the lengths of whole numbers are not those of `input_shape`.
    """
    if options["batch_shape"] is not None:
        return freeze_shape(options["batch_shape"])
    shape, dim, length = (options[n] for n in ("input_shape", "input_dim", "input_length"))
    if whole_numbers:
        lengths = tuple(length) if isinstance(length, tuple | list) else (length,)
        shape = lengths if shape is None else tuple(shape)
        pairs = zip(lengths, shape, strict=False)
        if length is not None and (
            len(lengths) != len(shape)
            or any(None not in both and both[0] != both[1] for both in pairs)
        ):
            raise ValueError(f"input_length {length} is not that of input_shape {shape}")
    elif shape is None and dim is not None:
        shape = (length, dim) if sequences or length is not None else (dim,)
    if shape is None:
        return None
    return (options["batch_size"], *freeze_shape(shape))
