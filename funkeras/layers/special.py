"""What the classes of some layers have besides their pair: inner layers of `Merge`, `adapt`."""

import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from funkeras import registry, symbolic
from funkeras.functional.adapted import mean_and_variance
from funkeras.layers.layer import Layer
from funkeras.typing import Config

__all__ = ["BASES", "CONTAINERS", "Adapted", "Applied", "Merging"]

CONTAINERS: dict[str, Any] = {}
"""Classes of models by name, which the config of a layer may hold; their package enters them."""


def _named_function(argument: str, value: Any) -> Any:
    return value if callable(value) else registry.Registry("function").find(value)


def _refused(argument: str, value: Any) -> Any:
    raise ValueError(
        f"{argument} is stored as the bytecode of a lambda, which is never run: "
        "give it a name with def, and put it into custom_objects"
    )


KINDS: dict[str, Callable[[str, Any], Any]] = {
    "raw": lambda argument, value: value,
    "function": _named_function,
    "lambda": _refused,
}
"""How Keras 1's config says what an argument is → the argument from what the config holds."""


class Merging(Layer):
    """Keras 1's `Merge([a, b], mode=...)`: it may hold the layers whose outputs it merges.

    Called on a list of inputs it merges those; what `layers` do is the model's affair.
    """

    before = ("layers",)
    after = ("node_indices", "tensor_indices")
    functions: ClassVar[tuple[str, ...]] = ("mode", "output_shape", "output_mask")

    @property
    def _output_mask(self) -> Any:
        return self._arguments["output_mask"]

    def get_config(self) -> Config:
        """The arguments, with the kind of each that may be a function, as Keras 1 has them.

        A function goes by its name where that is a custom object.
        """
        described = super().get_config()
        names = {id(thing): name for name, thing in registry.get_custom_objects().items()}
        for argument in self.functions:
            value = described[argument]
            described[argument] = names.get(id(value), value)
            described[f"{argument}_type"] = "function" if callable(value) else "raw"
        inner = self._arguments["layers"]
        described["layers"] = inner and [
            {"class_name": getattr(layer, "spelling", type(layer).__name__)}
            | {"config": layer.get_config()}
            for layer in inner
        ]
        return described

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Layer":
        """The layer that `get_config` described, in Keras 1's form too."""
        given = dict(config)
        for argument in cls.functions:
            kind = given.pop(f"{argument}_type", "raw")
            if argument in given:
                given[argument] = KINDS[kind](argument, given[argument])
        return cls(**given)


class Applied(Layer):
    """`Lambda`: any function of the inputs."""

    def __call__(self, x: Any, *others: Any, **named: Any) -> Any:
        """Run the function on arrays, or record it where `x` is symbolic.

        One that takes gradients between its inputs, of which the graph alone knows how one follows
        from the other, becomes operations of the graph in the place of this layer.
        """
        try:
            return super().__call__(x, *others, **named)
        except symbolic.NoGraphError:
            if not symbolic.is_symbolic(x):
                raise
        y = self._arguments["function"](x, **(self._arguments["arguments"] or {}))
        return y[0] if isinstance(y, list) and len(y) == 1 else y


class Adapted(Layer):
    """A layer whose state comes from a look at the data before training."""

    @property
    def mean(self) -> Any:
        """What is taken off: the argument, or what `adapt` found."""
        return self._state.get("mean", self._arguments["mean"])

    @property
    def variance(self) -> Any:
        """What is divided by, as a square: the argument, or what `adapt` found."""
        return self._state.get("variance", self._arguments["variance"])

    def adapt(self, data: Any) -> None:
        """Set mean and variance to those of the data: an array, or batches of it.

        Raises:
            ValueError: if they are arguments of the layer, or the data do not fit it.
        """
        batches: Iterable[Any] = [data] if hasattr(data, "shape") else iter(data)
        first = next(batches := iter(batches), None)
        if first is None:
            raise ValueError("adapt needs at least one batch of data, got none")
        x = first[0] if isinstance(first, tuple) else first
        self.build((None, *x.shape[1:]))
        if not self._state:
            raise ValueError(f"mean and variance of layer {self.name!r} were given: nothing to set")
        mean, variance = mean_and_variance(itertools.chain([first], batches), self.axis)
        self.assign({"mean": mean, "variance": variance})


BASES: dict[str, type[Layer]] = {
    "Lambda": Applied,
    "Merge": Merging,
    "Normalization": Adapted,
}
"""Class name → what it derives from, if not from `Layer` itself."""
