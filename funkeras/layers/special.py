"""What the classes of some layers have besides their pair: inner layers of `Merge`, `adapt`."""

import inspect
import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from funkeras import config, initializers, registry, symbolic
from funkeras.functional.adapted import kept_axes, mean_and_variance
from funkeras.functional.pair import Pair, builders, draw_variables, is_shape, output_shape
from funkeras.functional.wrappers import folded_shape
from funkeras.layers.cells import is_cell, state_sizes, written_cell
from funkeras.layers.layer import Layer
from funkeras.typing import Config, Params, State
from funkeras.variables import current_flow

__all__ = [
    "BASES",
    "CONTAINERS",
    "Adapted",
    "Applied",
    "Attending",
    "Celled",
    "Imaging",
    "Merging",
    "Recurrent",
    "Stepping",
    "TwoWay",
    "Wrapper",
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
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> "Layer":
        """The layer that `get_config` described, in Keras 1's form too."""
        given = dict(config)
        for argument in cls.functions:
            kind = given.pop(f"{argument}_type", "raw")
            if argument in given:
                given[argument] = KINDS[kind](argument, given[argument])
        with registry.custom_object_scope(custom_objects):
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
    """A wrapper around layers: they have the same weights, whichever of them changes."""

    def layers_inside(self) -> dict[str, Layer]:
        """The layers inside, by the names that they have among the variables."""
        return {WRAPPED: self._arguments["layer"]}

    def _shapes_inside(self, input_shape: Any) -> list[Any]:
        """Shape of what each layer inside is given."""
        return [input_shape]

    def _draw(self, input_shape: Any) -> tuple[Params, State]:
        held = self.layers_inside()
        for layer, shape in zip(held.values(), self._shapes_inside(input_shape), strict=True):
            layer.ensure_built(shape)
        weights = self.pair.weights(input_shape)
        own = [weight for weight in weights if weight.name.partition("/")[0] not in held]
        return draw_variables(own, lambda index: initializers.NumpySource())

    @property
    def inner_layers(self) -> Any:
        """The layers inside, with their names among the variables."""
        return {layer: name for name, layer in self.layers_inside().items()}

    def own_variables(self) -> tuple[Params, State]:
        """The arrays in the present run, those of the layers inside among them."""
        params, state = super().own_variables()
        for name, layer in self.layers_inside().items():
            if name in params or name in state:  # a run in which arrays stand for all of them
                return params, state
            if inner := layer.params:
                params = {**params, name: inner}
            if inner := layer.state:
                state = {**state, name: inner}
        return params, state

    def adopt(self, params: Params, state: State) -> None:
        """Take over variables of the right structure: the layers inside take over their own."""
        flow = current_flow()
        bound = () if flow is None else flow.bound.get(self, ())
        held = self.layers_inside()
        if not any(name in tree for tree in bound for name in held):
            for name, layer in held.items():
                layer.adopt(params.get(name, {}), state.get(name, {}))
            params, state = (
                {name: value for name, value in tree.items() if name not in held}
                for tree in (params, state)
            )
        super().adopt(params, state)


class Wrapper(Layer):
    """Base of layers that users write around one layer: it builds that one, and has its config."""

    def __init__(self, layer: Layer, **options: Any) -> None:
        if not isinstance(layer, Layer):
            raise ValueError(f"layer must be a layer, got {layer!r}")
        super().__init__(**options)
        self.layer = layer

    def build(self, input_shape: Any = None) -> None:
        """Build the layer inside for inputs of that shape."""
        if not self.layer.built:
            self.layer.build(input_shape)

    def get_config(self) -> Config:
        """The options, and the layer inside."""
        inner = {"class_name": type(self.layer).__name__, "config": self.layer.get_config()}
        return {**super().get_config(), "layer": inner}

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> "Layer":
        """The layer that `get_config` described."""
        given = dict(config)
        inner = given.pop("layer")
        with registry.custom_object_scope(custom_objects):
            if not isinstance(inner, Layer):
                inner = cls.lookup(inner["class_name"]).from_config(inner["config"])
            return cls(inner, **given)


class Attending(Layer):
    """Attention: its calls say what is an argument here, the same in all calls within a graph."""

    said: ClassVar[tuple[str, ...]] = ("use_causal_mask", "return_attention_scores")
    masks: ClassVar[tuple[str, ...]] = ("query_mask", "value_mask", "key_mask", "attention_mask")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unsaid = {name: self._arguments[name] for name in self.said}

    def __call__(self, x: Any, *others: Any, mask: Any = None, **named: Any) -> Any:
        """As any layer. `use_causal_mask`, `return_attention_scores` are those of this call.

        Masks of arrays may be given by name: `query_mask`, `value_mask`, `key_mask` and
        `attention_mask`, (batch, queries, keys).
        """
        asked = {name: named.pop(name, unsaid) for name, unsaid in self._unsaid.items()}
        masks = tuple(named.pop(name, None) for name in self.masks)
        if any(own is not None for own in masks):
            mask = jax.tree.map(jnp.asarray, masks)
        before = {name: self._arguments[name] for name in self.said}
        if asked == before:
            return super().__call__(x, *others, mask=mask, **named)
        if symbolic.is_symbolic(x) and self._calls:
            raise ValueError(f"layer {self.name!r} is called with {before} already, not {asked}")
        self._say(asked)
        try:
            return super().__call__(x, *others, mask=mask, **named)
        finally:
            if not symbolic.is_symbolic(x):
                self._say(before)

    def _say(self, options: Mapping[str, Any]) -> None:
        self._arguments |= options
        self.pair = self.make_pair()


class Stepping(Wrapping):
    """`TimeDistributed`: the layer inside is given one step in time after the other."""

    def _shapes_inside(self, input_shape: Any) -> list[Any]:
        return [jax.tree.map(folded_shape, input_shape, is_leaf=is_shape)]


def _tell_constants(layer: Layer, named: Mapping[str, Any]) -> None:
    """Let a recurrent layer that is not built know how many constants it is called with."""
    constants = named.get("constants")
    if constants is not None and not layer.built and "num_constants" in layer._arguments:
        many = isinstance(constants, list | tuple)
        layer._arguments["num_constants"] = len(constants) if many else 1
        layer.pair = layer.make_pair()


class TwoWay(Wrapping):
    """`Bidirectional`: a layer that reads forward and one that reads backward."""

    forward_layer: Layer
    backward_layer: Layer

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        layer, backward = self._arguments["layer"], self._arguments["backward_layer"]
        turned = {"go_backwards": not layer.go_backwards}
        self.forward_layer = _copied(layer, "forward")
        self.backward_layer = backward or _copied(layer, "backward", turned)

    def __call__(self, x: Any, *others: Any, **named: Any) -> Any:
        """Run both layers, on arrays or in a graph; half of any `initial_state` is for each."""
        told = named.get("constants") is not None and not self.built
        for layer in (self._arguments["layer"], self.forward_layer, self.backward_layer):
            _tell_constants(layer, named)
        if told:
            self.pair = self.make_pair()
        return super().__call__(x, *others, **named)

    def layers_inside(self) -> dict[str, Layer]:
        """Both layers, by the names that they have among the variables."""
        return {"forward_layer": self.forward_layer, "backward_layer": self.backward_layer}

    def _shapes_inside(self, input_shape: Any) -> list[Any]:
        if is_shape(input_shape):
            return [input_shape, input_shape]
        first, *others = input_shape
        half = (len(others) - self._arguments["layer"].pair.config.get("num_constants", 0)) // 2
        states, constants = others[: 2 * half], others[2 * half :]
        return [(first, *states[:half], *constants), (first, *states[half:], *constants)]


def _copied(layer: Layer, prefix: str, changed: Mapping[str, Any] | None = None) -> Layer:
    config = {**layer.get_config(), **(changed or {}), "name": f"{prefix}_{layer.name}"}
    return type(layer).from_config(config)


class Recurrent(Layer):
    """A recurrent layer: what scripts ask about its states."""

    def __call__(self, x: Any, *others: Any, **named: Any) -> Any:
        """Run it on arrays or in a graph; `initial_state` and `constants` are further inputs."""
        _tell_constants(self, named)
        return super().__call__(x, *others, **named)

    def get_config(self) -> Config:
        """The arguments; that there are no constants goes without saying."""
        described = super().get_config()
        if not described.get("num_constants", 1):
            del described["num_constants"]
        return described

    def adopt(self, params: Params, state: State) -> None:
        """Take over variables of the right structure; a cell that a user wrote sees them too."""
        super().adopt(params, state)
        cell = self._arguments.get("cell")
        if isinstance(cell, Layer) and is_cell(cell) and current_flow() is None:
            cell.adopt(params, {})

    @property
    def cell(self) -> Any:
        """The cell of an `RNN`; several are one that has them in a chain."""
        if "cell" not in self._arguments:
            raise AttributeError(f"layer of class {type(self).__name__} has no attribute 'cell'")
        cell = self._arguments["cell"]
        return self.lookup("StackedRNNCells")(list(cell)) if isinstance(cell, tuple) else cell

    @property
    def states(self) -> list[Any]:
        """The variables that keep the states between batches; None for each if none do."""
        if kept := self._kept():
            return [self._variable(own.name, own.shape, own.trainable) for own in kept]
        if "cell" not in self._arguments:
            return [None] * (1 + ("LSTM" in type(self).__name__))
        return [None for _ in state_sizes(self.cell)]

    def reset_states(self, states: Any = None) -> None:
        """Set the states that are kept between batches back to zeros, or to those given.

        Raises:
            ValueError: for another number of states, or another shape.
        """
        if states is None:
            super().reset_states()
            return
        kept = self._kept()
        values = list(states) if isinstance(states, list | tuple) else [states]
        arrays = [np.asarray(value) for value in values]
        if [own.shape for own in kept] != [array.shape for array in arrays]:
            raise ValueError(
                f"layer {self.name!r} keeps states of the shapes {[own.shape for own in kept]}, "
                f"got {[array.shape for array in arrays]}"
            )
        new = {own.name: jnp.asarray(a, "float32") for own, a in zip(kept, arrays, strict=True)}
        self.adopt(self.params, {**self.state, **new})

    def get_initial_state(self, inputs: Any) -> list[Any]:
        """The zeros from which it starts on those inputs."""
        build: Any = type(self).builder
        told = inspect.signature(build).parameters
        present = {**self._arguments, "return_state": True}
        arguments = {name: _plain(value) for name, value in present.items() if name in told}
        _, *shapes = output_shape(build(**arguments), symbolic.shapes_of(inputs))

        def zeros(x: Any) -> list[Any]:
            dtype = config.floatx()
            return [jnp.zeros((x.shape[0], *shape[1:]), dtype) for shape in shapes]

        return symbolic.apply(zeros, inputs, name="initial_state")


def _plain(value: Any) -> Any:
    """An argument as builders take it: pairs in the place of cells."""
    if isinstance(value, tuple) and any(isinstance(part, Layer) or is_cell(part) for part in value):
        return tuple(map(_plain, value))
    if is_cell(value):
        return written_cell(value)
    return value.pair if isinstance(value, Layer) else value


class Celled(Layer):
    """A recurrent cell: what scripts ask about its states."""

    @property
    def state_size(self) -> Any:
        """The size of its state, or a tuple of those of several."""
        cell: Any = _plain(self)
        sizes = [shape[-1] for shape in cell.state_shapes((None, None))]
        return sizes[0] if len(sizes) == 1 else tuple(sizes)

    @property
    def output_size(self) -> Any:
        """The size of what a step gives."""
        cells = self._arguments.get("cells")
        if not cells:
            return self._arguments["units"]
        return getattr(cells[-1], "output_size", cells[-1].state_size)


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
    **dict.fromkeys(("SimpleRNN", "GRU", "LSTM", "RNN"), Recurrent),
    **dict.fromkeys(("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"), Recurrent),
    **dict.fromkeys(("SimpleRNNCell", "GRUCell", "LSTMCell", "StackedRNNCells"), Celled),
    "Bidirectional": TwoWay,
    "AdditiveAttention": Attending,
    "Attention": Attending,
    "GroupedQueryAttention": Attending,
    "Lambda": Applied,
    "Merge": Merging,
    "MultiHeadAttention": Attending,
    "Normalization": Adapted,
    "SpectralNormalization": Wrapping,
    "TimeDistributed": Stepping,
}
"""Class name → what it derives from, if not from `Layer` itself."""
BASES |= {
    name: Imaging
    for name, build in builders.items()
    if re.search("preprocessing_(images|random|colors|mixing|warping)$", build.__module__)
}
