"""What the classes of recurrent layers, and of their cells, have besides their pair."""

import inspect
from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from funkeras import config, symbolic
from funkeras.functional.pair import is_shape, output_shape
from funkeras.layers.cells import is_cell, state_sizes, written_cell
from funkeras.layers.layer import Layer
from funkeras.layers.wrapping import Wrapping
from funkeras.typing import Config, Params, State
from funkeras.variables import current_flow

__all__ = ["Celled", "Recurrent", "TwoWay"]


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
