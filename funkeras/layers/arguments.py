"""A layer's arguments: what they mean, how others take their place, and how files tell them."""

import inspect
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, ClassVar

from funkeras import activations, config, spellings
from funkeras.functional.pair import Pair
from funkeras.layers.cells import is_cell
from funkeras.layers.options import kind_of
from funkeras.typing import Config

__all__ = ["Argued"]

SIZES = ("kernel_size", "strides", "dilation_rate", "pool_size", "size")
"""Arguments that layers know for each axis, though one number may be given for all."""

AXES = re.compile(r"[23]D|Conv(?:olution)?1D")
"""What a name of a class tells of its axes."""

IN_ANY_FORMAT = ("Flatten",)
"""Layers for which a data format of None is not that of the configuration: they move no axis."""


class Argued:
    """What a layer does with its arguments."""

    builder: ClassVar[Callable[..., Pair] | None]
    signature: ClassVar[inspect.Signature]
    spelling: ClassVar[str]
    lookup: ClassVar[Any]
    pair: Pair
    make_pair: Callable[[], Pair]
    functional: Any
    get_config: Callable[[], Config]
    _arguments: dict[str, Any]
    _as_part: Callable[[Any], Pair]

    def _argue(self, given: Mapping[str, Any]) -> None:
        """Keep the arguments that are given, in today's spelling, and the others by default."""
        owner = type(self).spelling
        arguments = spellings.bind(owner, self.signature, (), given)
        if owner not in IN_ANY_FORMAT and arguments.get("data_format", "") is None:
            arguments["data_format"] = config.image_data_format()  # files have to tell it
        self._arguments = {name: self._meant(name, value) for name, value in arguments.items()}

    def _made(self, described: Any) -> Any:
        """An inner layer, from its config if that is what was given."""
        if isinstance(described, Argued) or not isinstance(described, Mapping):
            return described
        return self.lookup(described["class_name"]).from_config(described["config"])

    def _meant(self, name: str, value: Any) -> Any:
        """An argument as what it means; an activation may be a layer, as LeakyReLU with a slope."""
        kind = kind_of(name)
        if name in SIZES and isinstance(value, int) and (axes := AXES.search(self.spelling)):
            return (value,) * int(axes[0][-2])
        if kind is activations and isinstance(value, Mapping):
            with suppress(AttributeError):
                if issubclass(self.lookup(str(value.get("class_name"))), Argued):
                    return self._made(value)
        return kind.get(value) if kind else _each_layer(value, self._made)

    def _take(self, name: str, value: Any) -> None:
        """Take another value for an argument."""
        before = self._arguments
        if value is before[name]:
            return
        self._arguments = {**before, name: self._meant(name, value)}
        if "pair" in self.__dict__:
            try:
                self.pair = self.make_pair()
            except Exception:
                self._arguments = before
                raise

    def _passed(self, name: str, value: Any) -> Any:
        """An argument as builders take it: functions and pairs in the place of layers."""
        return _each_layer(value, _applied if kind_of(name) is activations else self._as_part)

    def _building(self) -> tuple[Any, dict[str, Any]]:
        """The function that makes its pair, and the arguments that this takes."""
        build = type(self).builder
        assert build is not None
        own = inspect.signature(build).parameters
        return build, {name: value for name, value in self._arguments.items() if name in own}

    def _described_arguments(self) -> Config:
        """The arguments as plain data."""
        described: Config = {}
        for name, value in self._arguments.items():
            kind = kind_of(name)
            described[name] = kind.serialize(value) if kind else _each_layer(value, _described)
        return described


def _each_layer(value: Any, change: Callable[[Any], Any]) -> Any:
    """An argument with each layer in it changed: the layer of a wrapper, the cells of a stack.

    Lists become tuples: sizes come as lists from JSON and from old scripts.
    """
    described = isinstance(value, Mapping) and "class_name" in value
    if isinstance(value, Argued) or described or is_cell(value):
        return change(value)
    if isinstance(value, list | tuple):
        return tuple(_each_layer(part, change) for part in value)
    return value


def _applied(layer: Any) -> Callable[[Any], Any]:
    """A layer without weights as the activation that it is."""
    pair = layer.functional
    return lambda x: pair.apply({}, {}, x)[0]


def _described(layer: Any) -> Config:
    """A layer's config with its class."""
    return {"class_name": type(layer).__name__, "config": layer.get_config()}
