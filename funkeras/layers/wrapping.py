"""Classes around other layers: they have the same weights, whichever of them changes."""

from collections.abc import Mapping
from typing import Any

from funkeras import registry
from funkeras.layers.layer import Layer
from funkeras.typing import Config

__all__ = ["Stepping", "Wrapper"]


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


class Stepping(Layer):
    """`TimeDistributed`: the layer inside is given one step in time after the other."""

    def _kernels(self) -> Any:
        return self._arguments["layer"]._kernels()
