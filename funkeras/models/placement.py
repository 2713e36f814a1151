"""Between a model's layers and the arrays of files: which array is which weight.

Files of Keras 1 and 2 list the arrays of a layer without telling its parts; `.weights.h5` files
have a place for each part.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from funkeras.formats.errors import FileFormatError
from funkeras.formats.keras1 import Origin, array_count, rearranged
from funkeras.formats.keras3 import Arrays, layer_places, named
from funkeras.functional.pair import Weight, at
from funkeras.layers.inside import bind
from funkeras.layers.layer import Layer
from funkeras.layers.storing import unchanging
from funkeras.models.model import Model
from funkeras.models.places import Part, class_of, holders, parts
from funkeras.variables import running

__all__ = [
    "Change",
    "check_all_used",
    "flattened",
    "from_holders",
    "from_list",
    "from_place",
    "in_order",
    "listed",
    "merge",
    "roots",
    "stored_owners",
    "swap",
    "trainable_count",
]

Change: TypeAlias = dict[int, tuple[Any, dict[str, np.ndarray]]]
"""What a file puts in place of weights: by the layer's id, the layer and its arrays by name."""


NOTHING: tuple[str, Arrays] = "", []
"""What a file has in a place that it does not have."""


def shape_error(where: str, weight: str, expected: Any, found: Any) -> FileFormatError:
    """The error of an array that does not fit."""
    return FileFormatError(
        f"{where}: weight {weight!r} must have shape {tuple(expected)}, the file has {tuple(found)}"
    )


def _in_file_order(layer: Any) -> list[tuple[Part, list[Weight]]]:
    """The weights as a list of a file has them, and which part each group of them belongs to.

    Trainable ones of all parts come first, then the others; those of a frozen part are among the
    others, unless the whole layer is frozen.
    """
    owned = parts(layer)
    return [
        (part, [w for w in part.weights if (w.trainable and _counts(part, layer)) == wanted])
        for wanted in (True, False)
        for part in owned
    ]


def listed(layer: Any) -> list[tuple[Any, Weight]]:
    """The weights as a list of a file has them, each with the layer that owns it."""
    return [(part.owner, weight) for part, own in _in_file_order(layer) for weight in own]


def _counts(part: Part, layer: Any) -> bool:
    return part.trainable or not layer.trainable


def trainable_count(layer: Any, stored: Sequence[tuple[str, np.ndarray]]) -> int:
    """How many of the arrays that a file has for a layer are of trainable weights."""
    if not layer.trainable:
        return 0
    arrays = [array for _, array in stored]
    count = 0
    for part, weights in _in_file_order(layer):
        if weights and weights[0].trainable and part.trainable:
            count += array_count(part.kind, arrays[count:], [w.shape for w in weights])
    return count


def from_list(
    layer: Any,
    stored: Sequence[tuple[str, np.ndarray]],
    origin: Origin,
    where: str,
    trainable_only: bool = False,
) -> Change:
    """The weights of one layer of the model from the list that a file has for it.

    Raises:
        FileFormatError: when they do not fit; it says file, layer, weight, expected and found.
    """
    arrays = [array for _, array in stored]
    change: Change = {}
    for part, weights in _in_file_order(layer):
        if trainable_only and not all(w.trainable and part.trainable for w in weights):
            continue
        shapes = [weight.shape for weight in weights]
        count = array_count(part.kind, arrays, shapes)
        taken, arrays = arrays[:count], arrays[count:]
        if len(taken) < count:
            raise _count_error(layer, stored, where)
        try:
            made = rearranged(part.kind, taken, shapes, part.channels_first, origin)
        except (ValueError, IndexError) as error:
            found = ", ".join(str(array.shape) for array in taken)
            raise FileFormatError(
                f"{where}: {part.kind} cannot have arrays of the shapes {found}"
            ) from error
        _enter(change, part, weights, made, where)
    if arrays:
        raise _count_error(layer, stored, where)
    return change


def _enter(
    change: Change, part: Part, weights: Sequence[Weight], arrays: Sequence[np.ndarray], where: str
) -> None:
    values = change.setdefault(id(part.owner), (part.owner, {}))[1]
    for weight, array in zip(weights, arrays, strict=True):
        if array.shape != weight.shape:
            raise shape_error(where, weight.name, weight.shape, array.shape)
        values[weight.name] = array


def in_order(layer: Any, change: Change) -> list[np.ndarray]:
    """The arrays of a change in the order of the layer's trainable weights."""
    return [
        change[id(part.owner)][1][weight.name]
        for part in parts(layer)
        for weight in part.weights
        if weight.trainable and part.trainable
    ]


def merge(changes: Change, change: Change) -> None:
    """Add a change to others."""
    for key, (owner, values) in change.items():
        changes.setdefault(key, (owner, {}))[1].update(values)


def flattened(model: Any) -> list[Any]:
    """The layers of a model with those of the models in it, as Keras 1 lists some."""
    found: list[Any] = []
    for layer in model.layers:
        inner = [layer] if isinstance(layer, Model) else layer._arguments.get("layers") or []
        for nested in inner:
            found += flattened(nested) if isinstance(nested, Model) else [nested]
        if layer not in inner:
            found.append(layer)
    return found


def roots(
    model: Any, stored: Mapping[str, tuple[str, Any]], by_name: bool
) -> list[tuple[Any, str]]:
    """Each layer of a model and where a `.weights.h5` file has it."""
    if not by_name:
        told = holders(model)
        if not model.is_written() and not all(map(_is_in(stored), model.layers, told)):
            # Once this library had users' layers by the built-in classes that these derive from.
            older = list(layer_places(map(class_of, model.layers)))
            told = older if all(map(_is_in(stored), model.layers, older)) else told
        return list(zip(model.layers, told, strict=True))
    own = {layer.name: layer for layer in model.layers}
    found: dict[str, str] = {}
    for place in sorted(filter(None, stored), key=lambda place: place.count("/")):
        if model.is_written() or place.count("/") == 1:
            found.setdefault(stored[place][0], place)
    return [(own[name], place) for name, place in found.items() if name in own]


def _is_in(stored: Mapping[str, Any]) -> Callable[[Any, str], bool]:
    """Whether a file has something of a layer in a place, if the layer has weights."""

    def known(layer: Any, root: str) -> bool:
        has = any(place == root or place.startswith(f"{root}/") for place in stored)
        return has or not layer.weights

    return known


def from_holders(
    layer: Any,
    stored: Mapping[str, tuple[str, Arrays]],
    root: str,
    where: str,
    elsewhere: Container[int] = (),
) -> Change:
    """The weights of one layer of the model from the places of a `.weights.h5` file.

    Args:
        elsewhere: layers, by id, that may be missing here, as the file has them in another place.

    Raises:
        FileFormatError: when they do not fit; it says file, layer, weight, expected and found.
    """
    change: Change = {}
    for part in parts(layer):
        place = _place(part, root, stored)
        if place not in stored and id(part.owner) in elsewhere:
            continue
        arrays = stored.get(place, NOTHING)[1]
        here = f"{where}, layer {layer.name!r} (in the file {place!r})"
        merge(change, from_place(part, arrays, here))
    return change


def stored_owners(stored: Mapping[str, Any], places: Sequence[tuple[Any, str]]) -> set[int]:
    """The layers, by id, whose weights a file has in at least one of their places.

    Keras 3 stores a layer that two models share once.
    """
    return {
        id(part.owner)
        for layer, root in places
        for part in parts(layer)
        if _place(part, root, stored) in stored
    }


def from_place(part: Part, arrays: Arrays, where: str) -> Change:
    """The weights of a part from the arrays in its place.

    Raises:
        FileFormatError: when they do not fit; it says `where`, weight, expected and found.
    """
    if part.writes("load_own_variables"):
        return _loaded(part, named(arrays), where)
    if isinstance(arrays, dict):
        raise FileFormatError(
            f"{where}: the file has arrays by the names {', '.join(arrays)}, which only a layer "
            "with a load_own_variables of its own takes"
        )
    if len(arrays) != len(part.stored):
        names = ", ".join(weight.name for weight in part.stored)
        raise FileFormatError(
            f"{where}: {len(part.stored)} weights are expected ({names}), "
            f"the file has {len(arrays)} arrays"
        )
    change: Change = {}
    _enter(change, part, part.stored, arrays, where)
    change[id(part.owner)][1].update(unchanging(part.weights))
    return change


def _loaded(part: Part, store: dict[str, np.ndarray], where: str) -> Change:
    """What the `load_own_variables` of a user's layer assigns; its variables stay as they are."""
    layer = part.layer
    with running(training=False, key=None) as flow:
        bind(flow, layer, layer.params, layer.state)
        try:
            layer.load_own_variables(store)
        except (KeyError, TypeError, ValueError) as error:
            raise FileFormatError(f"{where}: load_own_variables fails: {error!r}") from error
        own = [np.asarray(at(_both(layer), _last(weight))) for weight in part.weights]
    change: Change = {}
    _enter(change, part, part.weights, own, where)
    return change


def _both(layer: Any) -> dict[str, Any]:
    params, state = layer.own_variables()
    return {**params, **state}


def _last(weight: Weight) -> str:
    return weight.name.rpartition("/")[2]


def _place(part: Part, root: str, stored: Mapping[str, Any]) -> str:
    """Where a file has a part's arrays."""
    place = f"{root}/{part.holder}".rstrip("/")
    head, _, tail = place.rpartition("/")
    private = f"{head}/_{tail}"  # as tf.keras names parts of attention
    return private if place not in stored and private in stored else place


def check_all_used(
    stored: Mapping[str, tuple[str, Arrays]],
    places: Sequence[tuple[Any, str]],
    where: str,
) -> None:
    """Refuse a file that has arrays for layers that the model does not have."""
    used = {_place(part, root, stored) for layer, root in places for part in parts(layer)}
    tops = {"layers", *(root.partition("/")[0] for _, root in places)}
    unused = [
        place
        for place, (_, arrays) in stored.items()
        if arrays and place.partition("/")[0] in tops and place not in used
        # What random layers draw from is no weight.
        if "seed_generator" not in place
    ]
    if unused:
        raise FileFormatError(
            f"{where}: the file has weights for {', '.join(unused)}, where the model has none"
        )


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
