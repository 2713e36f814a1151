"""The classes of `JaxLayer` and `FlaxLayer`: functions and modules in their configs."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from funkeras import registry
from funkeras.functional.foreign import Held
from funkeras.layers.layer import Layer
from funkeras.random import SeedGenerator
from funkeras.typing import Config
from funkeras.variables import Variable

__all__ = ["OfFlax", "OfJax"]


def _function(function: Callable[..., Any] | None) -> Any:
    """A function in a config, as Keras 3 writes it."""
    if function is None:
        return None
    name = registry.get_registered_name(function)
    module, registered = getattr(function, "__module__", None), name
    if ">" in name:
        module, registered = "builtins", "function"
    named = {"config": name, "registered_name": registered}
    return {"module": module, "class_name": "function", **named}


class OfJax(Layer):
    """`JaxLayer`. Its config has no arrays: these are its weights."""

    trees: ClassVar[tuple[str, ...]] = ("params", "state")
    """Arguments that are trees of arrays."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        given = {**dict(zip(type(self).signature.parameters, args, strict=False)), **kwargs}
        for name in self.trees:
            if given.get(name) is not None:
                given[name] = Held(given[name])
        super().__init__(**given)

    def _draws(self) -> bool:
        """Whether its function is given random numbers."""
        return "rng" in inspect.signature(self._arguments["call_fn"]).parameters

    def _seed_states(self) -> list[Variable]:
        """The seed of its random numbers, if it is given any."""
        if not self._draws():
            return []
        if "_seeds" not in self.__dict__:
            self.__dict__["_seeds"] = SeedGenerator(self._arguments["seed"])
        return [self.__dict__["_seeds"].state]

    def _described(self) -> Config:
        """The arguments that are functions, as data."""
        return {name: _function(self._arguments[name]) for name in ("call_fn", "init_fn")}

    def get_config(self) -> Config:
        """The arguments but arrays and seed, as in Keras 3."""
        left_out = (*self.trees, "seed")
        plain = {k: v for k, v in super().get_config().items() if k not in left_out}
        return {**plain, **self._described()}

    @classmethod
    def _meant_by(cls, described: Config) -> Config:
        """The functions that a config describes."""
        find = registry.Registry("function").get
        return {name: find(described[name]) for name in ("call_fn", "init_fn")}

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Layer:
        """The layer that `get_config` described; its functions are custom objects."""
        with registry.custom_object_scope(custom_objects):
            return cls(**{**config, **cls._meant_by(dict(config))})


class OfFlax(OfJax):
    """`FlaxLayer`."""

    trees: ClassVar[tuple[str, ...]] = ("variables",)

    def _draws(self) -> bool:
        return True

    def _described(self) -> Config:
        module, method = self._arguments["module"], self._arguments["method"]
        if getattr(method, "__self__", None) is module:
            method = method.__name__
        elif callable(method):
            method = _function(method)
        return {"module": registry.Registry("module").serialize(module), "method": method}

    @classmethod
    def _meant_by(cls, described: Config) -> Config:
        module = registry.Registry("module").deserialize(described["module"])
        method = described["method"]
        if isinstance(method, Mapping):
            method = registry.Registry("function").get(method)
        return {"module": module, "method": method}
