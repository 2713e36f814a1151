"""Between a model's layers and the arrays of files: which array is which weight.

A part is a layer without layers inside. A wrapper, or a model inside a model, has several. Files of
Keras 1 and 2 list the arrays of a layer without telling its parts; `.weights.h5` files have a
place for each part.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from funkeras.formats.errors import FileFormatError
from funkeras.formats.keras1 import SPACE, Origin, array_count, rearranged
from funkeras.formats.keras3 import snake_case
from funkeras.functional.pair import Weight
from funkeras.layers.layer import Layer

__all__ = ["Change", "Part", "class_of", "from_list", "holders", "parts", "swap"]

INNER = {
    "Bidirectional": {"forward_layer": "layer", "backward_layer": "backward_layer"},
    "TimeDistributed": {"layer": "layer"},
}
"""Wrapper → place in it → its argument with the layer there; the first one stands in for none."""

CELL = ("SimpleRNN", "LSTM", "GRU", "RNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D")
"""Layers that keep their arrays in a cell, which Keras 3's files show."""

HOLDERS = {
    "MultiHeadAttention": {
        "query": "query_dense",
        "key": "key_dense",
        "value": "value_dense",
        "attention_output": "output_dense",
    },
    "GroupedQueryAttention": {
        "query": "_query_dense",
        "key": "_key_dense",
        "value": "_value_dense",
        "attention_output": "_output_dense",
    },
}
"""Layer → part of its weights' names → where Keras 3's files have that part."""

Change: TypeAlias = dict[int, tuple[Any, dict[str, np.ndarray]]]
"""What a file puts in place of weights: by the layer's id, the layer and its arrays by name."""


class Part(NamedTuple):
    """A layer without layers inside, in the layer that owns its variables."""

    owner: Any
    kind: str
    """Today's name of its class, which says how files arrange its arrays."""
    holder: str
    """Where a `.weights.h5` file has its arrays, as seen from the outer layer."""
    name: str
    weights: list[Weight]
    channels_first: bool
    trainable: bool


def class_of(layer: Any) -> str:
    """Today's name of a layer's class; of a user's class its base in the library.

    >>> from funkeras import layers
    >>> class_of(layers.Convolution1D(3, 2))
    'Conv1D'
    """
    build = getattr(type(layer), "builder", None)
    return getattr(build, "keras_name", type(layer).__name__)


def parts(layer: Any) -> list[Part]:
    """The parts of a layer or of a model in a model, in the order of files."""
    return list(_parts(layer, layer, "", "", layer.trainable))


def _parts(layer: Any, owner: Any, prefix: str, holder: str, trainable: bool) -> Iterator[Part]:
    kind = class_of(layer)
    if hasattr(layer, "layers"):
        for (name, inner), place in zip(_named(layer), holders(layer), strict=True):
            # Variables belong to the inner layers, unless a wrapper around the model has them.
            own = inner if not prefix else owner
            path = f"{prefix}{name}/" if prefix else ""
            yield from _parts(inner, own, path, f"{holder}{place}/", inner.trainable and trainable)
    elif kind in INNER:
        arguments = layer._arguments
        for place, argument in INNER[kind].items():
            inner = arguments.get(argument) or arguments["layer"]
            path = f"{prefix}{place}/"
            yield from _parts(inner, owner, path, f"{holder}{place}/", trainable)
    else:
        yield from _split(layer, kind, owner, prefix, holder, trainable)


def _named(model: Any) -> list[tuple[str, Any]]:
    return [(layer.name, layer) for layer in model.layers]


def _split(
    layer: Any, kind: str, owner: Any, prefix: str, holder: str, trainable: bool
) -> Iterator[Part]:
    """One part, or several where the names of its weights have a path of their own."""
    groups: dict[str, list[Weight]] = {"": []}
    for weight in owner.declared_weights():
        if weight.name.startswith(prefix):
            group = weight.name[len(prefix) :].rpartition("/")[0]
            groups.setdefault(group, []).append(weight)
    if not groups[""] and len(groups) > 1:
        del groups[""]
    for group, weights in groups.items():
        place = HOLDERS.get(kind, {}).get(group, group)
        if kind in CELL:
            place = f"cell/cells/{group}" if group else "cell"
        first = getattr(layer, "_arguments", {}).get("data_format") == "channels_first"
        yield Part(
            owner,
            kind,
            f"{holder}{place}".rstrip("/"),
            f"{holder}{group}".rstrip("/"),
            weights,
            kind in SPACE and first,
            trainable,
        )


def holders(model: Any) -> list[str]:
    """Where a `.weights.h5` file has each layer of a model: its class, and a number if needed."""
    seen: Counter[str] = Counter()
    places = []
    for layer in model.layers:
        word = snake_case(class_of(layer))
        places.append(f"layers/{word}_{seen[word]}" if seen[word] else f"layers/{word}")
        seen[word] += 1
    return places


def shape_error(where: str, weight: str, expected: Any, found: Any) -> FileFormatError:
    """The error of an array that does not fit."""
    return FileFormatError(
        f"{where}: weight {weight!r} must have shape {tuple(expected)}, the file has {tuple(found)}"
    )


def from_list(
    layer: Any, stored: Sequence[tuple[str, np.ndarray]], origin: Origin, where: str
) -> Change:
    """The weights of one layer of the model from the list that a file has for it.

    Raises:
        FileFormatError: when they do not fit; it says file, layer, weight, expected and found.
    """
    owned = parts(layer)
    # Trainable arrays of all parts come first, then the others; a frozen part is among the latter.
    order = [
        (part, [w for w in part.weights if (w.trainable and part.trainable) == wanted])
        for wanted in (True, False)
        for part in owned
    ]
    if not layer.trainable:
        order = [
            (part, [w for w in part.weights if w.trainable == wanted])
            for wanted in (True, False)
            for part in owned
        ]
    arrays = [array for _, array in stored]
    change: Change = {}
    for part, weights in order:
        shapes = [weight.shape for weight in weights]
        count = array_count(part.kind, arrays, shapes)
        taken, arrays = arrays[:count], arrays[count:]
        if len(taken) < count:
            raise _count_error(layer, stored, where)
        made = rearranged(part.kind, taken, shapes, part.channels_first, origin)
        values = change.setdefault(id(part.owner), (part.owner, {}))[1]
        for weight, array in zip(weights, made, strict=True):
            if array.shape != weight.shape:
                raise shape_error(where, weight.name, weight.shape, array.shape)
            values[weight.name] = array
    if arrays:
        raise _count_error(layer, stored, where)
    return change


def _count_error(
    layer: Any, stored: Sequence[tuple[str, np.ndarray]], where: str
) -> FileFormatError:
    names = [weight.name for part in parts(layer) for weight in part.weights]
    return FileFormatError(
        f"{where}: {len(names)} weights are expected ({', '.join(names)}), "
        f"the file has {len(stored)} arrays ({', '.join(name for name, _ in stored)})"
    )


def swap(change: Mapping[int, tuple[Layer, dict[str, np.ndarray]]]) -> None:
    """Put arrays, all checked, in the place of weights."""
    for owner, values in change.values():
        if values:
            owner.assign(values)
