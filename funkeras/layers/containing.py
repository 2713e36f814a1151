"""The layers inside a layer: which they are, and what they say of its weights."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, ClassVar

import jax

from funkeras.functional.cells import Cell
from funkeras.functional.pair import Pair, Weight
from funkeras.layers.cells import is_cell, written_cell
from funkeras.layers.weights import dtypes_of
from funkeras.typing import Shape
from funkeras.utils.naming import makers, making

__all__ = ["Containing"]

Names = tuple[str, ...]
"""What leads to an array through nested dicts."""


INTERNAL = ("_arguments", "_parts", "_inside")
"""Attributes in which a layer keeps what it is made of."""


class Containing:
    """A layer with others inside: of these each owns the arrays of its weights."""

    name: str
    builder: ClassVar[Any]
    inherited: Pair | None
    _made_in: tuple[str, ...] | None = None
    """The names of the layers around it when it was built."""
    pair: Pair
    built: bool
    input_shape: Any
    activity_regularizer: Any
    declared_weights: Callable[[], list[Weight]]
    _arguments: dict[str, Any]
    _own_rules: dict[str, Any]
    _places: Callable[[], list[str]]
    _trainable: bool

    def _begin_inside(self) -> None:
        self._parts: dict[Any, Shape | None] = {}
        """Layers of which the pair is made → the shape of what each is given, once that is known"""
        self._inside: dict[Names, Any] = {}
        """Those that own arrays, by the names that lead there."""

    def _as_part(self, layer: Any) -> Pair:
        """A layer inside as a pair. Its weights are marked as its own, wherever that is used."""
        cell = written_cell(layer) if is_cell(layer) else None
        pair = cell or layer.pair
        if not isinstance(layer, Containing):
            return pair
        own: Any = layer
        if not isinstance(pair, Cell):
            pair = pair.rerun(lambda *args, **flow: own.functional.run(*args, **flow))
        dtype = dtypes_of(own.dtype_policy)[0]

        def weights(input_shape: Any) -> Iterator[Weight]:
            self._parts[layer] = input_shape
            for weight in (cell or own.pair).weights(input_shape):  # as they are now
                part = (layer, weight.name)
                yield weight._replace(part=part, dtype=weight.dtype or dtype)

        self._parts[layer] = None
        return pair.changed(weights=weights)

    def _build_inside(self, declared: Iterable[Weight]) -> list[Weight]:
        """Build the layers inside for the shapes that they are given; what is left is its own."""
        weights = list(declared)
        for layer, shape in self._parts.items():
            if shape is not None:
                layer.ensure_built(shape)
        found = {_place_of(own): own.part[0] for own in weights if own.part is not None}
        uses = Counter(found.values())
        self._inside = {
            place: layer
            for place, layer in found.items()
            if place is not None and uses[layer] == 1  # or the same arrays would stand in two
        }
        return [weight for weight in weights if _place_of(weight) not in self._inside]

    @property
    def inner_layers(self) -> list[Any]:
        """The layers inside: parts of its pair, and attributes where a user wrote the `call`."""
        return list(dict.fromkeys([*self._parts, *self._attributes()]))

    def _attributes(self) -> list[Any]:
        """The layers in attributes, also in lists and dicts there, where a user wrote `call`."""
        if type(self).builder is not None and self.inherited is None:
            return []
        held = {name: value for name, value in self.__dict__.items() if name not in INTERNAL}
        return [own for own in dict.fromkeys(_layers_in(held)) if own not in self._parts]

    def _has_inside(self, layer: Any) -> bool:
        """Whether a layer is inside, at any depth."""
        inside = [own for own in self.inner_layers if isinstance(own, Containing)]
        return layer in inside or any(own._has_inside(layer) for own in inside)

    def _within(self) -> dict[Names, Any]:
        """The layers inside whose arrays are among its own, by the names that lead there."""
        return {**self._inside, **{(inner.name,): inner for inner in self._attributes()}}

    def within_makers(self) -> AbstractContextManager[None]:
        """Inside, layers that are built are those of this layer: their paths begin with its own."""
        if self._made_in is None:
            self._made_in = makers()
        return making((*self._made_in, self.name))

    def path_of(self, weight: str) -> str:
        """The path of a weight of it, by the name that this has here.

        It has the names of the layers that were around when the weight's own layer was built.
        """
        if inside := self._inside_of(weight):
            inner, name = inside
            return inner.path_of(name)
        return "/".join((*(self._made_in or ()), self.name, weight))

    def _inside_of(self, weight: str) -> tuple[Any, str] | None:
        """The layer inside whose a weight is, with its name there, if it is of one."""
        for names, inner in self._within().items():
            prefix = "/".join([*names, ""])
            if weight.startswith(prefix):
                return inner, weight.removeprefix(prefix)
        return None

    # What training asks

    def _rule(self, weight: str, suffix: str) -> Any:
        """The penalty or constraint of a weight, asked of the layer inside that owns it."""
        if f"{weight}{suffix}" in self._own_rules:
            return self._own_rules[f"{weight}{suffix}"]
        if inside := self._inside_of(weight):
            inner, name = inside
            return inner._rule(name, suffix)
        last = weight.rpartition("/")[2]  # the projections of attention share their arguments
        stems = (last, last.removesuffix("_kernel"))
        found = (self._arguments.get(f"{stem}{suffix}") for stem in stems)
        return next((rule for rule in found if rule is not None), None)

    def _rules(self, suffix: str) -> dict[str, Callable[[Any], Any]]:
        rules = {w.name: self._rule(w.name, suffix) for w in self.declared_weights() if w.trainable}
        return {name: rule for name, rule in rules.items() if rule is not None}

    @property
    def trainable(self) -> bool:
        """Whether training changes its weights; assigning it tells the layers inside too."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for inner in self.inner_layers:
            inner.trainable = value

    def _moves(self, weight: str) -> bool:
        """Whether training may change a weight: neither its layer nor one around that is frozen."""
        if not self.trainable:
            return False
        inside = self._inside_of(weight)
        return inside is None or inside[0]._moves(inside[1])

    def trainable_paths(self) -> set[str]:
        """Names of the weights that training changes."""
        declared = self.pair.weights(self.input_shape) if self.built else ()
        return {own.name for own in declared if own.trainable and self._moves(own.name)}

    def penalizes_activity(self) -> bool:
        """Whether it, or a layer inside it, adds a penalty on its outputs to the loss."""
        inner = jax.tree.leaves([*self._arguments.values(), *self.inner_layers])
        return (
            self.activity_regularizer is not None
            or bool(self._places())
            or any(layer.penalizes_activity() for layer in inner if isinstance(layer, Containing))
        )


def _layers_in(value: Any) -> Iterator[Any]:
    """The layers among the values of nested lists and dicts, in their order."""
    for part in value.values() if isinstance(value, dict) else value:
        if isinstance(part, Containing):
            yield part
        elif isinstance(part, list | tuple | dict):
            yield from _layers_in(part)


def _place_of(weight: Weight) -> Names | None:
    """The names before the one that a weight has in the layer inside whose it is."""
    if weight.part is None or not f"/{weight.name}".endswith(f"/{weight.part[1]}"):
        return None
    return tuple(weight.name.removesuffix(weight.part[1]).split("/")[:-1])
