"""The parts of layers, of which files have arrays, and where `.weights.h5` files have them.

A part is a layer without layers inside. A wrapper, or a model inside a model, has several.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from funkeras.formats.keras1 import SPACE
from funkeras.formats.keras3 import layer_places, snake_case
from funkeras.functional.combinators import unique_names
from funkeras.functional.pair import Weight
from funkeras.layers.calling import CELL
from funkeras.layers.layer import Layer
from funkeras.layers.storing import stored
from funkeras.models.model import Model

__all__ = ["Part", "attribute_places", "class_of", "holders", "own_part", "parts", "places_of"]

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
        """What a `.weights.h5` file has in its place, in order: kernels with what adapts them."""
        return [*self.again, *stored(self.weights)]

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
