"""What a layer is called with, as its pair takes it: one input, a tuple, or `Arguments`."""

import inspect
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from funkeras.functional.arguments import Arguments
from funkeras.functional.shapes import Shapes, is_shape
from funkeras.symbolic import SymbolicTensor, is_symbolic
from funkeras.typing import PyTree
from funkeras.variables import Variable

__all__ = [
    "CELL",
    "INPUT_KEYWORDS",
    "RECURRENT",
    "as_list",
    "as_tuple",
    "as_users_see",
    "first_by_name",
    "first_of",
    "inputs_of_super",
    "joined",
    "joined_inputs",
    "run_as_written",
    "shapes_to_build",
    "written_inputs",
]

CELL = ("SimpleRNN", "LSTM", "GRU", "RNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D")
"""Layers that keep their arrays in a cell, which Keras 3's files show."""

RECURRENT = (*CELL, "Bidirectional")
"""Layers whose inputs after the first are states to start from."""

ATTENDING = ("MultiHeadAttention", "GroupedQueryAttention")
"""Layers each of whose inputs is an argument of its own in Keras 3."""

FIRST = ("inputs", "sequences", "sequence", "query", "x", "x1")
"""What generations name the first argument of a call."""

INPUT_KEYWORDS = ("value", "key", "initial_state", "constants", "count_weights")
"""Arguments of a call that are inputs too, in the order in which layers take them."""


def first_by_name(name: str, inputs: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
    """The inputs of a call of the layer of that name; the first is taken out of `named`."""
    if inputs:
        return inputs
    keyword = next((word for word in FIRST if word in named), None)
    if keyword is None:
        raise TypeError(f"a call of layer {name!r} needs an input")
    return (named.pop(keyword),)


def joined_inputs(name: str, x: Any, others: Sequence[Any], named: dict[str, Any]) -> Any:
    """All inputs of a call, as the pair of a built-in layer takes them: one, or a tuple."""
    unknown = [keyword for keyword in named if keyword not in INPUT_KEYWORDS]
    if unknown:
        raise TypeError(f"a call of layer {name!r} takes no argument {unknown[0]!r}")
    more = list(others)
    for keyword in INPUT_KEYWORDS:
        value = named.get(keyword)
        if value is not None:
            more.extend(value if isinstance(value, tuple | list) else [value])
    if more:
        return (*(x if isinstance(x, tuple | list) else (x,)), *more)
    return as_tuple(x)


def _following(layer: Any, others: Sequence[Any]) -> tuple[str, ...]:
    """The names of what follows the first argument of a built-in layer's `call`, by generation."""
    kind = getattr(type(layer).builder, "keras_name", "")
    modern = layer.dialect == "modern"
    if kind in RECURRENT:
        order = ("mask", "training", "initial_state", "constants")
        return ("initial_state", "mask", "training") if modern else order
    if kind in ATTENDING:
        return ("value", "key")
    if kind.endswith("Cell") or kind == "StackedRNNCells":
        return ("states", "training")
    # `call(x, mask)` in Keras 1, `call(inputs, training)` of the same layers in later ones.
    return ("training", "mask") if any(isinstance(own, bool) for own in others) else ("mask",)


def inputs_of_super(layer: Any, x: Any, *others: Any, **named: Any) -> tuple[Any, Any, bool | None]:
    """The inputs, the mask and the phase that a subclass gives to `call` of its built-in layer."""
    names = _following(layer, others)
    if len(others) > len(names):
        raise TypeError(f"call of {layer.name!r} takes {', '.join(names)} after its input")
    given = {**dict(zip(names, others, strict=False)), **named}
    mask, training = given.pop("mask", None), given.pop("training", None)
    if given.get("states") is not None:
        return (x, given["states"]), mask, training
    return joined_inputs(layer.name, x, (), given), mask, training


def written_inputs(layer: Any, args: Sequence[Any], named: dict[str, Any]) -> Any:
    """The inputs of a `call` that a user wrote: one, or all its arguments.

    Raises:
        TypeError: for arguments that it does not take.
    """
    if len(args) == 1 and not named:
        return as_tuple(args[0])
    try:
        inspect.signature(layer.call).bind_partial(*args, **named)
    except TypeError as error:
        raise TypeError(
            f"a call of layer {layer.name!r} ({type(layer).__name__}): {error}"
        ) from None
    arrays: Any = (jax.Array, np.ndarray, Variable)
    kinds = SymbolicTensor if is_symbolic((args, named)) else arrays
    return Arguments.of(args, named, lambda leaf: isinstance(leaf, kinds))


def run_as_written(layer: Any, x: PyTree, mask: PyTree, training: bool) -> PyTree:
    """Run a `call` that a user wrote, with what it takes of masks and of `training`.

    Besides `mask`, which is that of the first argument, there is `x_mask` for each argument `x`.
    """
    taken = inspect.signature(layer.call)
    several = isinstance(x, Arguments)
    args, given = (x.args, x.named) if several else ((as_list(x),), {})
    masks = mask if isinstance(mask, Arguments) else None
    offered = {"mask": masks.first if masks else as_list(mask), "training": training}
    if several and masks is not None:
        bound = taken.bind_partial(*masks.args, **masks.named).arguments
        offered |= {f"{name}_mask": own for name, own in bound.items()}
    options = {k: v for k, v in offered.items() if k in taken.parameters and k not in given}
    return jax.tree.map(_array_of, layer.call(*args, **given, **options))


def _array_of(given: Any) -> Any:
    """What a `call` gives as an array, where it is a variable or follows from some."""
    return given.__jax_array__() if isinstance(given, SymbolicTensor | Variable) else given


def shapes_to_build(layer: Any, shapes: Shapes) -> dict[str, Any]:
    """What `build` takes: an `input_shape`, or one for each argument if it asks for these."""
    if not isinstance(shapes, Arguments):
        return {"input_shape": as_users_see(shapes)}
    bound = inspect.signature(layer.call).bind_partial(*shapes.args, **shapes.named).arguments
    known = {f"{name}_shape": shape for name, shape in bound.items()}
    asked = {name for name in inspect.signature(layer.build).parameters if name in known}
    if len(asked) > 1:
        return {name: known[name] for name in known if name in asked}
    return {"input_shape": as_users_see(shapes.first)}


def first_of(x: PyTree) -> PyTree:
    """The first of several arguments."""
    return x.first if isinstance(x, Arguments) else x


def joined(x: PyTree) -> PyTree:
    """All arrays, or shapes, among arguments as a built-in layer takes them."""
    if not isinstance(x, Arguments):
        return x
    return x.leaves if len(x.leaves) > 1 else x.first


def as_users_see(shape: Any) -> Any:
    """The shape of an input, or a list of several."""
    return list(shape) if isinstance(shape, tuple) and not is_shape(shape) else shape


def as_list(x: PyTree) -> PyTree:
    """Several inputs as Keras hands them to `call`."""
    return list(x) if isinstance(x, tuple) else x


def as_tuple(x: PyTree) -> PyTree:
    """Several inputs as pairs take them."""
    return tuple(x) if isinstance(x, list) else x
