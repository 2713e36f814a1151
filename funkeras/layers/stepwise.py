"""Recurrent layers by their parts, as scripts of Keras 1 and 2 write them: a `step` and others.

`K.rnn` runs the step over what `preprocess_input` makes of a sequence, from the initial states; the
constants come after the states that the step gets.
"""

import inspect
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from funkeras.functional.stepping import through_time
from funkeras.layers.layer import Layer
from funkeras.spellings import spelled
from funkeras.typing import Config

__all__ = ["PARTS", "Recurrent", "run_by_parts"]

PARTS = ("step", "get_initial_states", "get_constants", "preprocess_input")
"""What says how a layer runs, besides where it begins."""


class Recurrent(Layer):
    """Base of recurrent layers that users write by a `step(x, states)` and the `states` it has.

    Args:
        return_sequences: give the outputs of all steps, not that of the last one alone.
        return_state: give the last states too.
        go_backwards: begin with the last step.
        unroll: write the steps out instead of looping.
        implementation, consume_less: accepted for old scripts.
        input_dim, input_length: of a first layer's input.
    """

    def __init__(
        self,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        implementation: int = 0,
        consume_less: str | None = None,
        input_dim: int | None = None,
        input_length: int | None = None,
        **options: Any,
    ) -> None:
        if stateful:
            raise ValueError("a Recurrent layer keeps no states between batches: use RNN(cell)")
        if input_dim is not None:
            options["input_shape"] = (input_length, input_dim)
        super().__init__(**options)
        self.return_sequences, self.return_state = return_sequences, return_state
        self.go_backwards, self.stateful, self.unroll = go_backwards, stateful, unroll
        self.states: list[Any] = [None]
        self.supports_masking = True

    @spelled
    def step(self, inputs: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        """From a step of the input, states and constants to an output and the next states."""
        raise NotImplementedError(f"{type(self).__name__} needs a step(self, inputs, states)")

    @spelled
    def preprocess_input(self, inputs: Any, training: Any = None) -> Any:
        """What the steps get of the inputs."""
        return inputs

    @spelled
    def get_constants(self, inputs: Any, training: Any = None) -> list[Any]:
        """What every step gets after the states."""
        return []

    def get_initial_state(self, inputs: Any) -> list[Any]:
        """Zeros, as many as the layer has `units`, for each of the `states`."""
        told: Any = self
        units = told.units if hasattr(told, "units") else told.output_dim
        return [jnp.zeros((len(inputs), units), inputs.dtype) for _ in self.states]

    @spelled
    def get_initial_states(self, inputs: Any) -> list[Any]:
        """The same, by its name in Keras 1."""
        return self.get_initial_state(inputs)

    @spelled
    def call(
        self, inputs: Any, mask: Any = None, training: Any = None, initial_state: Any = None
    ) -> Any:
        """The steps run over the inputs."""
        return run_by_parts(self, inputs, mask, training, initial_state)

    @spelled
    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask goes on with a sequence; a last step and states have none."""
        mask = mask[0] if isinstance(mask, list) else mask
        after = mask if self.return_sequences else None
        return [after, *(None for _ in self.states)] if self.return_state else after

    def reset_states(self, states: Any = None) -> None:
        """Nothing is to be set back: no states go from one batch into the next."""

    def get_config(self) -> Config:
        """The options and how it runs."""
        names = ("return_sequences", "return_state", "go_backwards", "stateful", "unroll")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def run_by_parts(
    layer: Any, inputs: Any, mask: Any, training: Any, initial_state: Any = None
) -> Any:
    """What a recurrent layer gives whose parts say what it computes."""
    inputs, *given = inputs if isinstance(inputs, list | tuple) else [inputs]
    mask = mask[0] if isinstance(mask, list | tuple) else mask
    states = given or initial_state
    if states is None:
        states = layer.get_initial_states(inputs)
    last, outputs, states = through_time(
        layer.step,
        _told(layer.preprocess_input, inputs, training),
        states if isinstance(states, list | tuple) else [states],
        go_backwards=layer.go_backwards,
        mask=mask,
        constants=_told(layer.get_constants, inputs, training),
        unroll=layer.unroll,
    )
    y = outputs if layer.return_sequences else last
    return [y, *states] if layer.return_state else y


def _told(part: Callable[..., Any], inputs: Any, training: Any) -> Any:
    """What a part makes of the inputs; since Keras 2 it is told whether the run trains."""
    takes = "training" in inspect.signature(part).parameters
    return part(inputs, training=training) if takes else part(inputs)
