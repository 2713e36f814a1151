"""`Sequential`: layers in a chain."""

from collections.abc import Iterable, Mapping
from typing import Any

from funkeras import config
from funkeras.functional.combinators import serial
from funkeras.functional.pair import Pair
from funkeras.layers import layer_class
from funkeras.layers.input import InputLayer
from funkeras.layers.layer import Layer, automatic_name
from funkeras.models.model import Model
from funkeras.symbolic import SymbolicTensor
from funkeras.typing import Config, Shape

__all__ = ["Sequential"]


class Sequential(Model):
    """Layers in a chain: `Sequential([Dense(32, input_dim=784), Activation("relu")])`.

    Without an input shape the weights are made when data is first seen.
    """

    keras_1_order = {"train_on_batch": ("x", "y", "class_weight", "sample_weight")}

    def __init__(self, layers: Iterable[Any] | None = None, name: str | None = None) -> None:
        super().__init__()
        self.name = name or automatic_name("Sequential")
        self.layers = []
        self._input: SymbolicTensor | None = None
        for layer in layers or ():
            self.add(layer)

    def add(self, layer: Any) -> None:
        """Put a layer at the end of the chain."""
        if isinstance(layer, InputLayer | SymbolicTensor):
            if self.layers:
                raise ValueError("an input must come before all layers")
            self._input = layer if isinstance(layer, SymbolicTensor) else layer.tensor
            return
        if not isinstance(layer, Layer):
            raise TypeError(f"expected a layer, got {type(layer).__name__}: {layer!r}")
        if any(known.name == layer.name for known in self.layers):
            raise ValueError(f"{self.name!r} has a layer named {layer.name!r} already")
        if not self.layers and self._input is None and layer.batch_shape is not None:
            dtype = layer.input_dtype or default_input_dtype(layer)
            self._input = SymbolicTensor(layer.batch_shape, dtype, f"{layer.name}_input")
        if self._input is not None:
            shape = self.layers[-1].output_shape if self.layers else self._input.shape
            layer.build(shape)
        self.layers.append(layer)
        self._reset()

    def pop(self) -> Layer:
        """Take the last layer off and return it."""
        if not self.layers:
            raise TypeError(f"{self.name!r} has no layers to pop")
        self._reset()
        return self.layers.pop()

    def _reset(self) -> None:
        self._engine = None
        self._predict = None
        self._gathered = (-1, {}, {})

    def build(self, input_shape: Any = None) -> None:
        """Make the weights, for inputs of that shape (the batch first)."""
        if self._input is None:
            if input_shape is None:
                raise ValueError(f"{self.name!r} needs an input shape to be built")
            dtype = default_input_dtype(self.layers[0]) if self.layers else config.floatx()
            self._input = SymbolicTensor(tuple(input_shape), dtype, f"{self.name}_input")
        shape: Any = self._input.shape
        for layer in self.layers:
            layer.build(shape)
            shape = layer.output_shape

    @property
    def built(self) -> bool:
        """Whether the weights exist."""
        return bool(self.layers) and self._input is not None

    @property
    def functional(self) -> Pair:
        """This model as a pure pair: the chain of its layers' pairs."""
        return serial(*(layer.functional for layer in self.layers))

    def _known_input(self) -> SymbolicTensor:
        if self._input is None:
            raise RuntimeError(f"the input shape of {self.name!r} is not known yet")
        return self._input

    @property
    def input_shape(self) -> Shape:
        """Shape of the input, the batch first."""
        return self._known_input().shape

    @property
    def output_shape(self) -> Shape:
        """Shape of the output, the batch first."""
        return self.output_shapes[0]

    @property
    def input_shapes(self) -> list[Shape]:
        """Shape of the one input, as a list."""
        return [self._known_input().shape]

    @property
    def input_names(self) -> list[str]:
        """Name of the one input, as a list."""
        return [self._known_input().name]

    @property
    def input_dtypes(self) -> list[str]:
        """Dtype that the input is cast to, as a list."""
        return [self._known_input().dtype]

    @property
    def output_names(self) -> list[str]:
        """Name of the last layer, as a list."""
        return [self.layers[-1].name]

    @property
    def output_shapes(self) -> list[Shape]:
        """Shape of the one output, as a list."""
        return [self.layers[-1].output_shape if self.layers else self._known_input().shape]

    def get_config(self) -> Config:
        """The layers' configs, as Keras 2.2 writes them."""
        described = [
            {"class_name": type(layer).spelling, "config": layer.get_config()}
            for layer in self.layers
        ]
        if self._input is not None and described:
            described[0]["config"].setdefault("batch_input_shape", self._input.shape)
        return {"name": self.name, "layers": described}

    @classmethod
    def from_config(
        cls, config: Any, custom_objects: Mapping[str, Any] | None = None
    ) -> "Sequential":
        """The model that `get_config` described; also the bare list of Keras 1 and 2.0."""
        described = config if isinstance(config, list) else config["layers"]
        model = cls(name=None if isinstance(config, list) else config.get("name"))
        for item in described:
            if item["class_name"] == "InputLayer":
                model.add(InputLayer(**item["config"]))
            else:
                model.add(layer_class(item["class_name"]).from_config(item["config"]))
        return model


def default_input_dtype(layer: Layer) -> str:
    """The dtype of a first layer's input, as Keras sets it: whole numbers for an embedding."""
    return "int32" if type(layer).__name__ == "Embedding" else config.floatx()
