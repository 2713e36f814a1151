"""What the classes of some layers have besides their pair: inner layers of `Merge`, `adapt`."""

import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from funkeras import initializers, registry, symbolic
from funkeras.functional.adapted import kept_axes, mean_and_variance
from funkeras.functional.pair import Pair, builders, draw_variables, is_shape
from funkeras.functional.wrappers import folded_shape
from funkeras.layers.layer import Layer
from funkeras.typing import Config, Params, State
from funkeras.variables import current_flow

__all__ = [
    "BASES",
    "CONTAINERS",
    "Adapted",
    "Applied",
    "Imaging",
    "Merging",
    "Stepping",
    "Wrapping",
]

WRAPPED = "layer"
"""The name that a wrapped layer has among the variables of its wrapper."""

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


class Wrapping(Layer):
    """A wrapper around one layer: they have the same weights, whichever of them changes."""

    def _step_shape(self, input_shape: Any) -> Any:
        """Shape of what the layer inside is given."""
        return input_shape

    def _draw(self, input_shape: Any) -> tuple[Params, State]:
        self.layer.ensure_built(self._step_shape(input_shape))
        own = [w for w in self.pair.weights(input_shape) if not w.name.startswith(f"{WRAPPED}/")]
        return draw_variables(own, lambda index: initializers.NumpySource())

    @property
    def inner_layers(self) -> Any:
        """The layer inside, with its name among the variables."""
        return {self._arguments["layer"]: WRAPPED}

    def own_variables(self) -> tuple[Params, State]:
        """The arrays in the present run, those of the layer inside among them."""
        params, state = super().own_variables()
        if WRAPPED in params or WRAPPED in state:  # a run in which arrays stand for all of them
            return params, state
        inner = self._arguments["layer"]
        if inner.params:
            params = {**params, WRAPPED: inner.params}
        return params, {**state, WRAPPED: inner.state} if inner.state else state

    def adopt(self, params: Params, state: State) -> None:
        """Take over variables of the right structure: the layer inside takes over its own."""
        flow = current_flow()
        held = () if flow is None else flow.bound.get(self, ())
        if not any(WRAPPED in tree for tree in held):
            inner = self._arguments["layer"]
            inner.adopt(params.get(WRAPPED, {}), state.get(WRAPPED, {}))
            params, state = (
                {name: value for name, value in tree.items() if name != WRAPPED}
                for tree in (params, state)
            )
        super().adopt(params, state)


class Stepping(Wrapping):
    """`TimeDistributed`: the layer inside is given one step in time after the other."""

    def _step_shape(self, input_shape: Any) -> Any:
        return jax.tree.map(folded_shape, input_shape, is_leaf=is_shape)


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
        batched = 0 not in kept_axes(self.axis, x.ndim)
        self.build((None if batched else x.shape[0], *x.shape[1:]))
        if not self._state:
            raise ValueError(f"mean and variance of layer {self.name!r} were given: nothing to set")
        mean, variance = mean_and_variance(itertools.chain([first], batches), self.axis)
        self.assign({"mean": mean, "variance": variance})


class Imaging(Layer):
    """A layer that changes images. Its `dtype` may be one of whole numbers, to which it rounds."""

    def make_pair(self) -> Pair:
        """The pair of this layer's arguments."""
        pair = super().make_pair()
        dtype = whole_dtype(self.dtype_policy)
        if dtype is None:
            return pair

        def rounded(y: Any) -> Any:
            limits = jnp.iinfo(dtype)
            return jnp.clip(jnp.round(y), limits.min, limits.max).astype(dtype)

        def apply(params: Params, state: State, x: Any, **flow: Any) -> tuple[Any, State]:
            y, state = pair.apply(params, state, x, **flow)
            return jax.tree.map(rounded, y), state

        return replace(pair, apply=apply, _shapes={})

    def __call__(self, x: Any, *others: Any, training: bool | None = None, **named: Any) -> Any:
        """As any layer. In Keras 3 one that is called on images by itself changes them."""
        if not symbolic.is_symbolic(x) and current_flow() is None and self.dialect == "modern":
            training = True if training is None else training
        return super().__call__(x, *others, training=training, **named)


def whole_dtype(policy: Any) -> str | None:
    """The dtype of a policy, if it is one of whole numbers."""
    name = policy["config"]["name"] if isinstance(policy, Mapping) else str(policy)
    return name if re.fullmatch(r"u?int(8|16|32|64)", name) else None


BASES: dict[str, type[Layer]] = {
    "Lambda": Applied,
    "Merge": Merging,
    "Normalization": Adapted,
    "SpectralNormalization": Wrapping,
    "TimeDistributed": Stepping,
}
"""Class name → what it derives from, if not from `Layer` itself."""
BASES |= {
    name: Imaging
    for name, build in builders.items()
    if re.search("preprocessing_(images|random|colors|mixing)$", build.__module__)
}
