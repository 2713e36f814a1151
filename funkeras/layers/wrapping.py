"""Classes around other layers: they have the same weights, whichever of them changes."""

from collections.abc import Mapping
from typing import Any

import jax

from funkeras import initializers, registry
from funkeras.functional.pair import draw_variables, is_shape
from funkeras.functional.wrappers import folded_shape
from funkeras.layers.layer import Layer
from funkeras.typing import Config, Params, State
from funkeras.variables import current_flow

__all__ = ["Stepping", "Wrapper", "Wrapping"]

WRAPPED = "layer"
"""The name that a wrapped layer has among the variables of its wrapper."""


class Wrapping(Layer):
    """A wrapper around layers: they have the same weights, whichever of them changes."""

    def layers_inside(self) -> dict[str, Layer]:
        """The layers inside, by the names that they have among the variables."""
        return {WRAPPED: self._arguments["layer"]}

    def _within(self) -> dict[str, Layer]:
        """The layers inside, by the path before the names of their weights."""
        return {f"{name}/": layer for name, layer in self.layers_inside().items()}

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


class Stepping(Wrapping):
    """`TimeDistributed`: the layer inside is given one step in time after the other."""

    def _kernels(self) -> Any:
        return self._arguments["layer"]._kernels()

    def _shapes_inside(self, input_shape: Any) -> list[Any]:
        return [jax.tree.map(folded_shape, input_shape, is_leaf=is_shape)]
