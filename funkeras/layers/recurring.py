"""What the classes of recurrent layers, and of their cells, have besides their pair."""

import inspect
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from funkeras import config, symbolic
from funkeras.functional.cells import Cell, leading_shape
from funkeras.functional.cudnn import with_cudnn
from funkeras.functional.pair import Pair, output_shape
from funkeras.functional.recurrent import rnn
from funkeras.functional.shapes import freeze_shape, is_shape
from funkeras.layers.calling import as_list
from funkeras.layers.cells import (
    begins_as_written,
    is_cell,
    state_sizes,
    states_that_begin,
    written_cell,
)
from funkeras.layers.layer import Layer
from funkeras.layers.stepwise import PARTS, run_by_parts
from funkeras.typing import Config
from funkeras.variables import Flow, current_flow

__all__ = ["Celled", "Recurrent", "TwoWay"]

CELLS = {"SimpleRNNCell": "simple_rnn_cell", "GRUCell": "gru_cell", "LSTMCell": "lstm_cell"}
"""Class of the cell of a recurrent layer → its name there."""

RUNNING = [name for name in inspect.signature(rnn).parameters if name != "cell"]
"""Arguments that say how a cell is run."""


def _tell_constants(layer: Layer, named: Mapping[str, Any]) -> None:
    """Let a recurrent layer that is not built know how many constants it is called with."""
    constants = named.get("constants")
    if constants is not None and not layer.built and "num_constants" in layer._arguments:
        many = isinstance(constants, list | tuple)
        layer._arguments["num_constants"] = len(constants) if many else 1
        layer.pair = layer.make_pair()


class TwoWay(Layer):
    """`Bidirectional`: a layer that reads forward and one that reads backward."""

    forward_layer: Layer
    backward_layer: Layer

    def _building(self) -> tuple[Any, dict[str, Any]]:
        build, given = super()._building()
        if "forward_layer" not in self.__dict__:
            layer, backward = given["layer"], given["backward_layer"]
            turned = {"go_backwards": not layer.go_backwards}
            self.forward_layer = _copied(layer, "forward")
            self.backward_layer = backward or _copied(layer, "backward", turned)
        inside = {"layer": self.forward_layer, "backward_layer": self.backward_layer}
        return build, {**given, **inside}

    def _run(self, x: Any, *others: Any, **named: Any) -> Any:
        """Run both layers, on arrays or in a graph; half of any `initial_state` is for each."""
        told = named.get("constants") is not None and not self.built
        for layer in (self._arguments["layer"], self.forward_layer, self.backward_layer):
            _tell_constants(layer, named)
        if told:
            self.pair = self.make_pair()
        return super()._run(x, *others, **named)


def _copied(layer: Layer, prefix: str, changed: Mapping[str, Any] | None = None) -> Layer:
    config = {**layer.get_config(), **(changed or {}), "name": f"{prefix}_{layer.name}"}
    return type(layer).from_config(config)


class Recurrent(Layer):
    """A recurrent layer runs its cell: what scripts ask about this, and about the states."""

    inside_call = (*PARTS, "get_initial_state")
    _cell: Any = None

    def inherited_call(self, x: Any, mask: Any, training: bool | None) -> Any:
        """What the built-in layer computes, by the parts and from the states of a subclass."""
        if self._overrides(*PARTS):
            return run_by_parts(self, as_list(x), mask, training)
        alone = not isinstance(x, list | tuple)
        if alone and not self.stateful and begins_as_written(self):
            batch = x.shape[1 if self._arguments.get("time_major") else 0]
            x = [x, *states_that_begin(self, x, batch, x.dtype)]
        return super().inherited_call(x, mask, training)

    def step(self, x: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        """One step, of what `preprocess_input` gives."""
        cell = _plain(self.cell)
        count = len(cell.state_shapes((None, None)))
        rows = len(jax.tree.leaves(x)[0])
        y, after = cell.step(self.cell.params, self._masks(rows), x, tuple(states[:count]))
        return y, list(after)

    def preprocess_input(self, inputs: Any, training: Any = None) -> Any:
        """The part of each step that needs no states, for all steps at once."""
        masks, steps = self._masks(len(inputs)), jnp.swapaxes(inputs, 0, 1)
        parts = _plain(self.cell).project(self.cell.params, masks, steps)
        return jax.tree.map(lambda part: jnp.swapaxes(part, 0, 1), parts)

    def _masks(self, rows: int) -> Any:
        """Dropout masks of a step with so many rows, in the present run."""
        flow = current_flow() or Flow()
        key = flow.next_key() if flow.training else None
        step = jax.ShapeDtypeStruct((rows, leading_shape(self.input_shape)[-1]), config.floatx())
        return _plain(self.cell).draw(key, flow.training, step)

    def get_constants(self, inputs: Any, training: Any = None) -> list[Any]:
        """What each step gets after the states, before any of a subclass: two, as in Keras 1."""
        return [1.0, 1.0]

    def get_initial_states(self, inputs: Any) -> list[Any]:
        """What it starts from, by its name in Keras 1."""
        return self.get_initial_state(inputs)

    def _building(self) -> tuple[Any, dict[str, Any]]:
        build, given = super()._building()
        if self._cell is None:
            self._cell = self._own_cell(f"{build.keras_name}Cell")
        if "cell" in given:
            return build, {**given, "cell": self._cell}
        if self._cell is None:
            return build, given

        def of_cell(**arguments: Any) -> Pair:
            running = {name: arguments[name] for name in RUNNING if name in arguments}
            described = build(**arguments)
            cell = self._as_part(self._cell)
            if "use_cudnn" in arguments:
                cell = with_cudnn(cell, arguments["use_cudnn"], arguments["unroll"])
            pair = rnn(cell, **running)
            return replace(
                pair, name=described.name, config=described.config, builder=described.builder
            )

        return of_cell, given

    def _own_cell(self, kind: str) -> Any:
        """The cell of an `RNN`, or the one of that kind with the arguments of this layer."""
        cell = self._arguments.get("cell")
        if isinstance(cell, tuple):
            return self.lookup("StackedRNNCells")(list(cell), name="stacked_rnn_cells")
        if cell is not None or kind not in CELLS:
            return cell
        made = self.lookup(kind)
        known = made.signature.parameters
        shared = {name: value for name, value in self._arguments.items() if name in known}
        return made(**shared, name=CELLS[kind], dtype=self.dtype_policy)

    def _run(self, x: Any, *others: Any, **named: Any) -> Any:
        """Run it on arrays or in a graph; `initial_state` and `constants` are further inputs."""
        _tell_constants(self, named)
        return super()._run(x, *others, **named)

    def get_config(self) -> Config:
        """The arguments; that there are no constants goes without saying."""
        described = super().get_config()
        if not described.get("num_constants", 1):
            del described["num_constants"]
        return described

    @property
    def cell(self) -> Any:
        """What runs at each step, a layer; several cells are one that has them in a chain."""
        if self._cell is None:
            raise AttributeError(f"layer of class {type(self).__name__} has no attribute 'cell'")
        return self._cell

    @property
    def states(self) -> list[Any]:
        """The variables that keep the states between batches; None for each if none do."""
        if kept := self._kept():
            return [self._variable(own.name, own.shape, own.trainable) for own in kept]
        return [None] * (2 if self._cell is None else len(state_sizes(self._cell)))

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

    def get_initial_state(
        self, inputs: Any = None, batch_size: int | None = None, dtype: Any = None
    ) -> list[Any]:
        """The zeros from which it starts on those inputs, or on so many sequences."""
        if self._cell is not None:
            return initial_states(_plain(self._cell), inputs, batch_size, dtype)
        build: Any = type(self).builder
        told = inspect.signature(build).parameters
        present = {**self._arguments, "return_state": True}
        arguments = {name: value for name, value in present.items() if name in told}
        _, *shapes = output_shape(build(**arguments), symbolic.shapes_of(inputs))
        return zeros_for(inputs, [shape[1:] for shape in shapes], dtype)


def _plain(value: Any) -> Any:
    """A cell as a pair."""
    return written_cell(value) if is_cell(value) else value.pair


def initial_states(cell: Cell, inputs: Any, batch_size: int | None, dtype: Any) -> list[Any]:
    """The zeros from which a cell starts, for inputs or a number of them."""
    sizes = [shape[1:] for shape in cell.state_shapes((None, None))]
    if inputs is None or isinstance(inputs, int):
        batch = batch_size if inputs is None else inputs
        if batch is None:
            raise ValueError("get_initial_state needs the inputs or their number, batch_size")
        return [jnp.zeros((batch, *size), dtype or config.floatx()) for size in sizes]
    return zeros_for(inputs, sizes, dtype)


def zeros_for(inputs: Any, sizes: list[Any], dtype: Any) -> list[Any]:
    """Zeros of those sizes for each of the inputs, which may be symbolic."""

    def zeros(x: Any) -> list[Any]:
        return [jnp.zeros((x.shape[0], *size), dtype or config.floatx()) for size in sizes]

    return symbolic.apply(zeros, inputs, name="initial_state")


class Celled(Layer):
    """A recurrent cell: what scripts ask about its states."""

    inside_call = ("get_initial_state",)

    def build(self, input_shape: Any = None, *others: Any, **named: Any) -> None:
        """Make the variables for inputs of that shape, with or without those of states."""
        if input_shape is not None and is_shape(freeze_shape(input_shape)) and not others:
            others = _plain(self).state_shapes(freeze_shape(input_shape))
        super().build(input_shape, *others, **named)
        self.input_shape = leading_shape(self.input_shape)  # what files tell, as those of Keras 3

    def _run(self, x: Any, *others: Any, **named: Any) -> Any:
        """One step, of inputs and the list `states`: what it gives, and a list of the next states.

        With a state for each further argument all are in one list.
        """
        states = named.pop("states", others[0] if others else None)
        if not isinstance(states, list | tuple):
            return super()._run(x, *others, **named)
        flat, nested = jax.tree.flatten(list(states))
        y, *after = super()._run(x, *flat, **named)
        return y, jax.tree.unflatten(nested, after)

    def get_initial_state(
        self, inputs: Any = None, batch_size: int | None = None, dtype: Any = None
    ) -> list[Any]:
        """The zeros from which it starts; of a chain a list for each cell."""
        if cells := self._arguments.get("cells"):
            return [initial_states(_plain(own), inputs, batch_size, dtype) for own in cells]
        return initial_states(_plain(self), inputs, batch_size, dtype)

    @property
    def state_size(self) -> Any:
        """The size of its state, or a tuple of those of several."""
        cell: Any = self.inherited or self.pair
        sizes = [shape[-1] for shape in cell.state_shapes((None, None))]
        return sizes[0] if len(sizes) == 1 else tuple(sizes)

    @property
    def output_size(self) -> Any:
        """The size of what a step gives."""
        cells = self._arguments.get("cells")
        if not cells:
            return self._arguments["units"]
        return getattr(cells[-1], "output_size", cells[-1].state_size)
