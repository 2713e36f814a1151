"""Between a model's layers and the arrays of files: which array is which weight.

A part is a layer without layers inside. A wrapper, or a model inside a model, has several. Files of
Keras 1 and 2 list the arrays of a layer without telling its parts; `.weights.h5` files have a
place for each part.
"""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from funkeras.formats.errors import FileFormatError
from funkeras.formats.keras1 import SPACE, Origin, array_count, rearranged
from funkeras.formats.keras3 import Arrays, layer_places, named, snake_case
from funkeras.functional.combinators import unique_names
from funkeras.functional.pair import Weight, at
from funkeras.layers.calling import CELL
from funkeras.layers.inside import bind
from funkeras.layers.layer import Layer
from funkeras.models.model import Model
from funkeras.variables import running

__all__ = [
    "Change",
    "Part",
    "check_all_used",
    "class_of",
    "flattened",
    "from_holders",
    "from_list",
    "from_place",
    "holders",
    "in_order",
    "listed",
    "merge",
    "own_part",
    "parts",
    "places_of",
    "roots",
    "stored_owners",
    "swap",
    "trainable_count",
]

INNER = {
    "Bidirectional": {"forward_layer": "layer", "backward_layer": "backward_layer"},
    "TimeDistributed": {"layer": "layer"},
}
"""Wrapper → place in it → its argument with the layer there; the first one stands in for none."""

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

AGAIN = {"SpectralNormalization": ("layer/kernel", "layer/embeddings", "layer/depthwise_kernel")}
"""Wrapper → weights of the layer inside that Keras 3's files have again before its own."""

TWICE = {"TextVectorization": "_lookup_layer"}
"""Layer → where Keras 3's files have again what it stores."""

STORING = ("save_own_variables", "load_own_variables", "save_assets", "load_assets")
"""Methods by which a user's layer stores what it has in its own way, as in Keras 3."""

WHOLE = ("JaxLayer", "FlaxLayer")
"""Layers of one part, whatever the names of their weights."""

Change: TypeAlias = dict[int, tuple[Any, dict[str, np.ndarray]]]
"""What a file puts in place of weights: by the layer's id, the layer and its arrays by name."""


NOTHING: tuple[str, Arrays] = "", []
"""What a file has in a place that it does not have."""


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
    again: tuple[Weight, ...] = ()
    """Weights of other parts that are before its own in a `.weights.h5` file."""
    layer: Any = None
    """The layer whose own weights they are, if it is a whole one: it may store these itself."""

    @property
    def stored(self) -> list[Weight]:
        """What a `.weights.h5` file has in its place, in order."""
        return [*self.again, *self.weights]

    def writes(self, method: str) -> bool:
        """Whether the class of the layer has its own `save_own_variables`, or the like."""
        own = getattr(type(self.layer), method, None) if self.layer is not None else None
        return own not in (None, getattr(Layer, method, None))


def class_of(layer: Any) -> str:
    """Today's name of a layer's class; of a user's class its base in the library.

    >>> from funkeras import layers
    >>> class_of(layers.Convolution1D(3, 2))
    'Conv1D'
    """
    if type(layer) is Model:
        return "Functional"
    build = getattr(type(layer), "builder", None)
    return getattr(build, "keras_name", type(layer).__name__)


def word_of(layer: Any) -> str:
    """The name by which Keras 3's files have a layer's class, also one that a user derived."""
    own = type(layer).__module__.partition(".")[0] != __name__.partition(".")[0]
    return type(layer).__name__ if own else class_of(layer)


def parts(layer: Any) -> list[Part]:
    """The parts of a layer or of a model in a model, in the order of files."""
    return list(_parts(layer, layer, "", "", layer.trainable))


def _parts(layer: Any, owner: Any, prefix: str, holder: str, trainable: bool) -> Iterator[Part]:
    yield from _parts_of_pair(layer, owner, prefix, holder, trainable)
    if layer.inherited is not None:  # a subclass of a built-in layer, with layers of its own
        yield from _of_attributes(layer, owner, prefix, holder, trainable)


def _of_attributes(
    layer: Any, owner: Any, prefix: str, holder: str, trainable: bool
) -> Iterator[Part]:
    for inner, place in attribute_places(layer).items():
        path, there = f"{prefix}{inner.name}/", f"{holder}{place}/"
        yield from _parts(inner, owner, path, there, inner.trainable and trainable)


def _parts_of_pair(
    layer: Any, owner: Any, prefix: str, holder: str, trainable: bool
) -> Iterator[Part]:
    kind = class_of(layer)
    if isinstance(layer, Model):
        if layer.own_weights or any(map(own_part(layer).writes, STORING)):
            yield own_part(layer, owner if prefix else layer, prefix, holder, trainable)
        for inner, place in zip(layer.layers, holders(layer), strict=True):
            # Variables belong to the inner layers, unless a wrapper around the model has them.
            own = owner if prefix else inner
            path = f"{prefix}{inner.name}/" if prefix else ""
            yield from _parts(inner, own, path, f"{holder}{place}/", inner.trainable and trainable)
    elif kind in INNER:
        arguments = layer._arguments
        for place, argument in INNER[kind].items():
            inner = arguments.get(argument) or arguments["layer"]
            path = f"{prefix}{place}/"
            yield from _parts(inner, owner, path, f"{holder}{place}/", trainable)
    elif kind == "Pipeline":
        inside = layer._arguments["layers"]
        names = unique_names([inner.pair.name for inner in inside])
        places = layer_places(map(word_of, inside))
        for inner, name, place in zip(inside, names, places, strict=True):
            yield from _parts(inner, owner, f"{prefix}{name}/", f"{holder}{place}/", trainable)
    elif getattr(type(layer), "builder", None) is None and layer.inner_layers:
        yield own_part(layer, owner, prefix, holder, trainable)
        yield from _of_attributes(layer, owner, prefix, holder, trainable)
    else:
        yield from _split(layer, kind, owner, prefix, holder, trainable)


def own_part(
    model: Any, owner: Any = None, prefix: str = "", holder: str = "", trainable: bool = True
) -> Part:
    """The weights that a model has besides those of its layers, trainable ones first."""
    ordered = sorted(model.own_weights, key=lambda weight: not weight.trainable)
    weights = [weight._replace(name=f"{prefix}{weight.name}") for weight in ordered]
    owner = model if owner is None else owner
    place = holder.rstrip("/")
    return Part(owner, class_of(model), place, "", weights, False, trainable, layer=model)


def _split(
    layer: Any, kind: str, owner: Any, prefix: str, holder: str, trainable: bool
) -> Iterator[Part]:
    """One part, or several where the names of its weights have a path of their own."""
    groups: dict[str, list[Weight]] = {"": []}
    bare = Part(owner, kind, holder.rstrip("/"), "", [], False, trainable, layer=layer)
    if kind in CELL and any(map(bare.writes, STORING)):  # beside the arrays, which are the cell's
        yield bare
    inside = () if layer.inherited is None else layer._attributes()
    others = tuple(f"{prefix}{inner.name}/" for inner in inside)
    for weight in owner.declared_weights():
        if weight.name.startswith(prefix) and not weight.name.startswith(others):
            path = weight.name.removeprefix(prefix).rpartition("/")[0]
            group = "" if kind in WHOLE else path
            groups.setdefault(group, []).append(weight)
    if not groups[""] and len(groups) > 1:
        del groups[""]
    everything = [weight for weights in groups.values() for weight in weights]
    again = [w for w in everything if w.name.removeprefix(prefix) in AGAIN.get(kind, ())]
    for group, weights in groups.items():
        place = HOLDERS.get(kind, {}).get(group, group)
        if kind in CELL:
            place = f"cell/cells/{group}" if group else "cell"
        first = getattr(layer, "_arguments", {}).get("data_format") == "channels_first"
        part = Part(
            owner,
            kind,
            f"{holder}{place}".rstrip("/"),
            f"{holder}{group}".rstrip("/"),
            weights,
            kind in SPACE and first,
            trainable and all(owner._moves(weight.name) for weight in weights),
            () if group else tuple(again),
            None if group or kind in CELL else layer,
        )
        yield part
        if kind in TWICE:
            yield part._replace(holder=f"{holder}{TWICE[kind]}")


def holders(model: Any) -> list[str]:
    """Where a `.weights.h5` file has each layer of a model."""
    if model.is_written():
        return list(attribute_places(model).values())
    return places_of(model.layers)


def places_of(layers: Sequence[Any], root: str = "layers") -> list[str]:
    """Where a `.weights.h5` file has each layer of a list."""
    return list(layer_places(map(word_of, layers), root))


def attribute_places(layer: Any) -> dict[Any, str]:
    """The layers inside one that a user wrote → where a `.weights.h5` file has them.

    That is the name of an attribute, in the order of letters, private ones after the others; in a
    list a name after the class follows: `blocks/dense_1`. Of models `layers` is such a list too.
    """
    held = {**vars(layer), "layers": layer.layers} if isinstance(layer, Model) else vars(layer)
    found: dict[Any, str] = {}
    for name in sorted(held, key=lambda name: (name.startswith("_"), name)):
        for inner, place in _held(held[name], name):
            found.setdefault(inner, place)
    inside = layer.inner_layers if layer.inherited is None else layer._attributes()
    return {inner: found[inner] for inner in inside}


def _held(value: Any, place: str) -> Iterator[tuple[Any, str]]:
    if isinstance(value, Layer):
        yield value, place
    elif isinstance(value, list | tuple | dict):
        parts = value.values() if isinstance(value, dict) else value
        held = [part for part in parts if isinstance(part, Layer | list | tuple | dict)]
        words = ["container" if not isinstance(p, Layer) else snake_case(word_of(p)) for p in held]
        for part, word in zip(held, unique_names(words), strict=True):
            yield from _held(part, f"{place}/{word}")


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
