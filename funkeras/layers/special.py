"""What the classes of some layers have besides their pair, and which layers these are."""

import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from funkeras import registry, symbolic
from funkeras.functional.adapted import NOTHING, Moments, kept_axes, merged
from funkeras.functional.pair import builders
from funkeras.layers.calling import INPUT_KEYWORDS, joined_inputs
from funkeras.layers.convolving import Convolving
from funkeras.layers.custom import run_inherited
from funkeras.layers.foreign import OfFlax, OfJax
from funkeras.layers.imaging import Elastic, Imaging, Preparing, Shifting, Zooming
from funkeras.layers.layer import Layer
from funkeras.layers.normalizing import Normalizing
from funkeras.layers.quantizing import Quantizing
from funkeras.layers.recurring import Celled, Recurrent, TwoWay
from funkeras.layers.reversible import Reversible
from funkeras.layers.wrapping import Stepping
from funkeras.typing import Config

__all__ = ["BASES", "CONTAINERS", "Adapted", "Applied", "Attending", "Merging"]

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


class Applied(Layer):
    """`Lambda`: any function of the inputs."""

    is_function = True
    function_argument: ClassVar[str] = "function"

    def _run(self, x: Any, *others: Any, **named: Any) -> Any:
        """Run the function on arrays, or record it where `x` is symbolic.

        One that takes gradients between its inputs, of which the graph alone knows how one follows
        from the other, becomes operations of the graph in the place of this layer.
        """
        try:
            return super()._run(x, *others, **named)
        except symbolic.NoGraphError:
            if not symbolic.is_symbolic(x):
                raise
        function = self._arguments[self.function_argument]
        y = function(x, **(self._arguments["arguments"] or {}))
        return y[0] if isinstance(y, list) and len(y) == 1 else y


class Merging(Applied):
    """Keras 1's `Merge([a, b], mode=...)`: it may hold the layers whose outputs it merges.

    Called on a list of inputs it merges those; what `layers` do is the model's affair.
    """

    before = ("layers",)
    after = ("node_indices", "tensor_indices")
    function_argument = "mode"
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


class Attending(Layer):
    """Attention: its calls say what is an argument here, the same in all calls within a graph."""

    said: ClassVar[tuple[str, ...]] = ("use_causal_mask", "return_attention_scores")
    masks: ClassVar[tuple[str, ...]] = ("query_mask", "value_mask", "key_mask", "attention_mask")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unsaid = {name: self._arguments[name] for name in self.said}

    def _run(self, x: Any, *others: Any, mask: Any = None, **named: Any) -> Any:
        """As any layer. `use_causal_mask`, `return_attention_scores` are those of this call.

        Masks of arrays may be given by name: `query_mask`, `value_mask`, `key_mask` and
        `attention_mask`, (batch, queries, keys).
        """
        asked = {name: named.pop(name, unsaid) for name, unsaid in self._unsaid.items()}
        masks = tuple(named.pop(name, None) for name in self.masks)
        if symbolic.is_symbolic(masks[3]):  # (batch, queries, keys): an input like the others
            further = {word: named.pop(word) for word in INPUT_KEYWORDS if word in named}
            given = joined_inputs(self.name, x, others, further)
            x, others = (*(*given, given[1])[:3], masks[3]), ()
            masks = (*masks[:3], None)
        if any(own is not None for own in masks):
            mask = jax.tree.map(
                lambda own: own if symbolic.is_symbolic(own) else jnp.asarray(own), masks
            )
        before = {name: self._arguments[name] for name in self.said}
        if asked == before:
            return super()._run(x, *others, mask=mask, **named)
        if symbolic.is_symbolic(x) and self._calls:
            raise ValueError(f"layer {self.name!r} is called with {before} already, not {asked}")
        self._say(asked)
        try:
            return super()._run(x, *others, mask=mask, **named)
        finally:
            if not symbolic.is_symbolic(x):
                self._say(before)

    def compute_output_shape(self, input_shape: Any, *others: Any) -> Any:
        """Shape of the output for the shapes of all inputs, together or one by one."""
        return super().compute_output_shape((input_shape, *others) if others else input_shape)

    def _say(self, options: Mapping[str, Any]) -> None:
        self._arguments |= options
        self.pair = self.make_pair()


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

    _seen: Moments = NOTHING

    @property
    def adapts(self) -> bool:
        """Whether `adapt` sets them, as they are no arguments."""
        return self._arguments["mean"] is None

    def adapt(self, data: Any) -> None:
        """Set mean and variance to those of the data: an array, or batches of it.

        Raises:
            ValueError: if they are arguments of the layer, or the data do not fit it.
        """
        self.reset_state()
        for batch in [data] if hasattr(data, "shape") else data:
            self.update_state(batch)
        if not self._seen.number:
            raise ValueError("adapt needs at least one batch of data, got none")
        self.finalize_state()

    def reset_state(self) -> None:
        """Forget the batches seen; mean and variance stay until `finalize_state`."""
        self._seen = NOTHING

    def update_state(self, data: Any) -> None:
        """Look at a batch."""
        if not self.adapts:
            raise ValueError(f"mean and variance of layer {self.name!r} were given: nothing to set")
        x = data[0] if isinstance(data, tuple) else data
        batched = 0 not in kept_axes(self.axis, x.ndim)
        self.build((None if batched else x.shape[0], *x.shape[1:]))
        self._seen = merged(self._seen, x, self.axis)

    def finalize_state(self) -> None:
        """Set mean and variance to those of the batches seen, if there were any."""
        if self._seen.number:
            self.assign({"mean": self._seen.mean, "variance": self._seen.variance})


class Joining(Layer):
    """A layer that merges its inputs, of which a subclass may write how."""

    inside_call = ("_merge_function",)

    def _merge_function(self, inputs: list[Any]) -> Any:
        return run_inherited(self, inputs, None)

    def inherited_call(self, x: Any, mask: Any, training: bool | None) -> Any:
        """What the built-in layer computes, by the `_merge_function` of a subclass."""
        if self._overrides("_merge_function"):
            return self._merge_function(list(x))
        return super().inherited_call(x, mask, training)


BASES: dict[str, type[Layer]] = {
    **{
        name: Imaging
        for name, build in builders.items()
        if re.search("preprocessing_(images|random|colors|mixing|warping)$", build.__module__)
    },
    **dict.fromkeys(("SimpleRNN", "GRU", "LSTM", "RNN"), Recurrent),
    **dict.fromkeys(("Conv1D", "Conv2D", "Conv3D"), Convolving),
    **dict.fromkeys(("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"), Recurrent),
    **dict.fromkeys(("SimpleRNNCell", "GRUCell", "LSTMCell", "StackedRNNCells"), Celled),
    **dict.fromkeys(("Add", "Average", "Concatenate", "Dot", "Maximum"), Joining),
    **dict.fromkeys(("Minimum", "Multiply", "Subtract"), Joining),
    "Bidirectional": TwoWay,
    **dict.fromkeys(("Pipeline", "Rescaling"), Preparing),
    **dict.fromkeys(("RandomShear", "RandomTranslation"), Shifting),
    **dict.fromkeys(("Dense", "EinsumDense", "Embedding"), Quantizing),
    "AdditiveAttention": Attending,
    "Attention": Attending,
    "GroupedQueryAttention": Attending,
    "FlaxLayer": OfFlax,
    "JaxLayer": OfJax,
    "Lambda": Applied,
    "Merge": Merging,
    "MultiHeadAttention": Attending,
    "Normalization": Adapted,
    "RandomElasticTransform": Elastic,
    "RandomZoom": Zooming,
    "ReversibleEmbedding": Reversible,
    "SpectralNormalization": Normalizing,
    "TimeDistributed": Stepping,
}
"""Class name → what it derives from, if not from `Layer` itself."""
