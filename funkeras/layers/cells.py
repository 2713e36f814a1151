"""Recurrent cells that users write, layers or plain objects with `state_size` and `call`."""

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import jax

from funkeras.functional.cells import Cell, States, make_cell
from funkeras.functional.pair import Weight
from funkeras.functional.shapes import Shapes
from funkeras.layers.custom import Written, bind, declared
from funkeras.typing import Array, Key, Params, PyTree, Shape
from funkeras.variables import running

__all__ = ["begins_as_written", "is_cell", "state_sizes", "states_that_begin", "written_cell"]


def is_cell(thing: Any) -> bool:
    """Whether it is a cell that a user wrote: its `call` takes states beside the inputs.

    It may be a subclass of a built-in one.
    """
    call: Any = getattr(thing, "call", None)
    builtin = getattr(type(thing), "builder", None) is not None
    methods = ("call", "get_initial_state")
    written = thing._overrides(*methods) if builtin else callable(call)
    known = written and hasattr(type(thing) if builtin else thing, "state_size")
    return known and len(inspect.signature(call).parameters) > 1


def state_sizes(cell: Any) -> list[tuple[int, ...]]:
    """Shapes of a cell's states without the batch, from the numbers or shapes it tells."""
    told = cell.state_size
    many = told if isinstance(told, tuple | list) else (told,)
    return [tuple(size) if isinstance(size, tuple | list) else (size,) for size in many]


def begins_as_written(thing: Any) -> bool:
    """Whether a user says by `get_initial_state` from which states a cell or layer starts."""
    if getattr(type(thing), "builder", None) is None:
        return callable(getattr(thing, "get_initial_state", None))
    return thing._overrides("get_initial_state")


def states_that_begin(thing: Any, inputs: Any, batch_size: Any, dtype: Any) -> list[Any]:
    """What its `get_initial_state` gives, called with as much as it takes."""
    offered = {"inputs": inputs, "batch_size": batch_size, "dtype": dtype}
    taken = inspect.signature(thing.get_initial_state).parameters
    named = {name: value for name, value in offered.items() if name in taken}
    found = thing.get_initial_state(**named) if named else thing.get_initial_state(inputs)
    return list(found) if isinstance(found, list | tuple) else [found]


def written_cell(cell: Any, constants: Sequence[Array] = ()) -> Cell:
    """Its `call(inputs, states, [constants], [training])` as a step, its weights as declared."""
    taken = inspect.signature(cell.call).parameters
    layer: Any = cell if isinstance(cell, Written) else None
    plain: Any = cell

    def weights(input_shape: Shapes) -> Iterator[Weight]:
        if layer is not None:
            layer.ensure_built(input_shape)
            inherits = layer.inherited is not None
            yield from layer.pair.weights(input_shape) if inherits else declared(layer)

    def state_shapes(x_shape: Shape) -> tuple[Shape, ...]:
        return tuple((x_shape[0], *size) for size in state_sizes(cell))

    def draw(key: Key | None, training: bool, x: jax.ShapeDtypeStruct) -> PyTree:
        return training, key

    def step(params: Params, flow: PyTree, z: PyTree, states: States) -> tuple[Array, States]:
        offered = {"training": flow[0], **({"constants": list(constants)} if constants else {})}
        options = {name: value for name, value in offered.items() if name in taken}
        with running(*flow) as run:
            if layer is not None:
                bind(run, layer, params, {})
            y, after = plain.call(z, list(states), **options)
        return y, tuple(after)

    def begin(params: Params, x_shape: Shape, dtype: Any) -> States:
        with running(False, None) as run:
            if layer is not None:
                bind(run, layer, params, {})
            return tuple(states_that_begin(cell, None, x_shape[0], dtype))

    made = make_cell(step, weights, state_shapes, draw)
    name = getattr(cell, "name", type(cell).__name__)
    fields = {"weights": weights, "name": name, "given": lambda given: written_cell(cell, given)}
    fields |= {"begin": begin} if begins_as_written(cell) else {}
    return replace(made, **fields)
