"""`Sequential`: layers in a chain."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import jax

from funkeras import config
from funkeras.functional.combinators import serial, unique_names
from funkeras.functional.pair import Pair
from funkeras.functional.shapes import STRING, freeze_shape
from funkeras.layers.input import InputLayer
from funkeras.layers.layer import Layer
from funkeras.layers.lookup import StringsLookup
from funkeras.layers.special import Merging
from funkeras.models.model import Model
from funkeras.models.structure import layer_from_entry
from funkeras.registry import custom_object_scope
from funkeras.symbolic import SymbolicTensor
from funkeras.typing import Config

__all__ = ["Sequential"]


class Sequential(Model):
    """Layers in a chain: `Sequential([Dense(32, input_dim=784), Activation("relu")])`.

    Without an input shape the weights are made when data is first seen.
    """

    keras_1_order = {"train_on_batch": ("x", "y", "class_weight", "sample_weight")}

    spelling = "Sequential"

    def __init__(
        self,
        layers: Iterable[Any] | None = None,
        name: str | None = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(name=name, trainable=trainable)
        self._layers: list[Layer] = []
        self._input: Any = None  # a symbolic tensor, or a list of them
        self._tensors: list[Any] = []
        for layer in layers or ():
            self.add(layer)

    @property
    def layers(self) -> list[Layer]:
        """The layers of the chain; scripts of Keras 1 take some off the end of this very list."""
        if len(self._tensors) > len(self._layers):
            del self._tensors[len(self._layers) :]
            self._changed_graph()
        return self._layers

    def _attributes(self) -> list[Any]:
        return super()._attributes() if self.is_written() else self._layers

    def _has_graph(self) -> bool:
        return bool(self._layers)

    @property
    def model(self) -> "Sequential":
        """The model itself: in Keras 1 and 2 it had another inside."""
        return self

    @property
    def flattened_layers(self) -> list[Layer]:
        """The layers, those of models among them in the place of these (Keras 1)."""
        found: list[Layer] = []
        for layer in self.layers:
            found += layer.flattened_layers if isinstance(layer, Sequential) else [layer]
        return found

    def add(self, layer: Any) -> None:
        """Put a layer at the end of the chain."""
        if isinstance(layer, InputLayer | SymbolicTensor):
            if self.layers:
                raise ValueError("an input must come before all layers")
            self._input = layer if isinstance(layer, SymbolicTensor) else layer.tensor
            return
        if not isinstance(layer, Layer):
            raise TypeError(f"expected a layer, got {type(layer).__name__}: {layer!r}")
        if isinstance(layer, Merging) and layer.layers:
            layer = joined(layer)
        if any(known.name == layer.name for known in self.layers):
            raise ValueError(f"{self.name!r} has a layer named {layer.name!r} already")
        if not self.layers and self._input is None and layer.batch_shape is not None:
            self._begin_with(layer.batch_shape, layer, f"{layer.name}_input")
        if self._input is not None:
            self._extend(layer)
        self._layers.append(layer)
        self._changed_graph()

    def _begin_with(self, shape: Any, first: Layer | None, name: str) -> None:
        if isinstance(first, Model) and first.built and len(first.inputs) > 1:
            self._input = first.inputs
            return
        dtype = config.floatx() if first is None else default_input_dtype(first)
        self._input = InputLayer(batch_shape=shape, dtype=dtype, name=name).tensor

    def _extend(self, layer: Layer) -> None:
        """Call the layer on what the chain gives so far."""
        before = self._tensors[-1] if self._tensors else self._input
        with self.within_makers():
            self._tensors.append(layer(before))

    def pop(self) -> Layer:
        """Take the last layer off and return it."""
        if not self.layers:
            raise TypeError(f"{self.name!r} has no layers to pop")
        self._changed_graph()
        del self._tensors[-1:]
        return self.layers.pop()

    def build(self, input_shape: Any = None) -> None:
        """Make the weights, for inputs of that shape (the batch first)."""
        if self._input is None:
            if input_shape is None:
                raise ValueError(f"{self.name!r} needs an input shape to be built")
            first = self.layers[0] if self.layers else None
            self._begin_with(freeze_shape(input_shape), first, f"{self.name}_input")
        for layer in self.layers[len(self._tensors) :]:
            self._extend(layer)

    def _is_known(self) -> bool:
        return bool(self.layers) and self._input is not None

    def _plain_pair(self) -> Pair:
        return serial(*(layer.functional for layer in self.layers[self._on_host() :]))

    def _on_host(self) -> int:
        """How many of the first layers run on strings, before the compiled step."""
        if not isinstance(self._input, SymbolicTensor):
            return 0
        chain = [self._input, *self._tensors]
        return next((i for i, x in enumerate(chain) if getattr(x, "dtype", "") != STRING), 0)

    @property
    def fed(self) -> list[SymbolicTensor]:
        """The tensors that arrays enter by: the inputs, or what is looked up for strings."""
        return (
            jax.tree.leaves(self._tensors[count - 1]) if (count := self._on_host()) else self.inputs
        )

    def numbers_of(self, parts: Sequence[Any]) -> tuple[Any, ...]:
        """Arrays, or symbolic tensors, for `fed` from those of the inputs."""
        for layer in self.layers[: self._on_host()]:
            parts = [layer(*parts)]
        return tuple(parts)

    @property
    def inputs(self) -> list[SymbolicTensor]:
        """The symbolic tensor that data enters by, in a list; several before a `Merge`."""
        if self._input is None:
            raise RuntimeError(f"the input shape of {self.name!r} is not known yet")
        return jax.tree.leaves(self._input)

    @property
    def outputs(self) -> list[SymbolicTensor]:
        """The symbolic tensor that comes out of the last layer, in a list."""
        known = self._tensors[: len(self.layers)]
        return jax.tree.leaves(known[-1]) if known else self.inputs

    @outputs.setter
    def outputs(self, tensors: Sequence[SymbolicTensor]) -> None:
        given = [jax.tree.leaves(own) for own in self._tensors]
        if list(tensors) not in given:
            raise ValueError(f"outputs of {self.name!r} must be those of one of its layers")
        del self._layers[given.index(list(tensors)) + 1 :]

    @property
    def input_names(self) -> list[str]:
        """Name of each input."""
        return [tensor.name for tensor in self.inputs]

    @property
    def output_names(self) -> list[str]:
        """Name of the last layer, as a list."""
        return unique_names([self.layers[-1].name for _ in self.outputs])

    def get_config(self) -> Config:
        """The layers' configs, as Keras 2.2 writes them."""
        described = [
            {"class_name": type(layer).__name__, "config": layer.get_config()}
            for layer in self.layers
        ]
        if isinstance(self._input, SymbolicTensor) and described:
            described[0]["config"].setdefault("batch_input_shape", self._input.shape)
        return {"name": self.name, "layers": described}

    @classmethod
    def from_config(
        cls,
        config: Any,
        custom_objects: Mapping[str, Any] | None = None,
        make: Callable[[Mapping[str, Any]], Layer] | None = None,
        layer_cache: Any = None,
    ) -> "Sequential":
        """The model that `get_config` described; also the bare list of Keras 1 and 2.0.

        `layer_cache` of Keras 1 is accepted: layers that are shared have one entry.
        """
        described = config if isinstance(config, list) else config["layers"]
        model = cls(name=None if isinstance(config, list) else config.get("name"))
        with custom_object_scope(custom_objects):
            for entry in described:
                model.add((make or layer_from_entry)(entry))
        return model


def joined(merge: Layer) -> Model:
    """The layers or models that Keras 1's `Merge` holds, and their merging, as one model."""
    chains = [own if isinstance(own, Model) else Sequential([own]) for own in merge.layers]
    options = {key: value for key, value in merge.get_config().items() if key != "layers"}
    plain = type(merge).from_config(options)
    outputs = [chain(chain.input) for chain in chains]
    inputs = dict.fromkeys(tensor for chain in chains for tensor in chain.inputs)
    return Model(list(inputs), plain(outputs), name=merge.name)


def default_input_dtype(layer: Layer) -> str:
    """The dtype of a first layer's input, as Keras sets it: whole numbers for an embedding."""
    if isinstance(layer, Model):
        return layer.inputs[0].dtype if layer.built else config.floatx()
    if isinstance(layer, StringsLookup) and not layer._arguments.get("invert"):
        return STRING
    whole = type(layer).__name__ == "Embedding"
    return layer.input_dtype or ("int32" if whole else config.floatx())
