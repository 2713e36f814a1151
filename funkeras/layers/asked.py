"""What scripts ask a layer about its penalties and constraints."""

from collections.abc import Callable, Iterator
from typing import Any

import jax

from funkeras import spellings, symbolic
from funkeras.layers.nodes import penalty_of
from funkeras.layers.spec import check_shapes
from funkeras.tracing import Call
from funkeras.variables import Variable

__all__ = ["Asked"]


GATES = {"GRU": 3, "LSTM": 4}
"""Layers whose weights Keras 1 keeps apart for each gate."""


class Asked:
    """The penalties, constraints and shapes of a layer, as Keras 1 and 2 show them."""

    input_spec: Any = None
    """What inputs must be like: an `InputSpec`, or one for each input."""
    input_shape: Any = None
    output_shape: Any = None
    built: bool = False
    dialect: str
    inner_layers: Any
    activity_regularizer: Callable[[Any], Any] | None = None
    _calls: list[Call]
    _told_losses: list[tuple[Any, list[Any]]]

    @spellings.spelled
    def assert_input_compatibility(self, inputs: Any) -> None:
        """See that inputs fit `input_spec`.

        Raises:
            ValueError: naming the layer, what it expects and what came.
        """
        check_shapes(self, symbolic.shapes_of(inputs))

    def penalizes_activity(self) -> bool:
        """Whether it, or a layer inside it, adds a penalty on its outputs to the loss."""
        raise NotImplementedError

    def _rules(self, suffix: str) -> dict[str, Callable[[Any], Any]]:
        raise NotImplementedError

    @property
    def weight_regularizers(self) -> dict[str, Callable[[Any], Any]]:
        """Weight name → penalty."""
        return self._rules("_regularizer")

    @property
    def weight_constraints(self) -> dict[str, Callable[[Any], Any]]:
        """Weight name → projection after each update."""
        return self._rules("_constraint")

    def _by_weight(self: Any, suffix: str) -> list[tuple[Variable, Any]]:
        own = {variable.place: variable for variable in self.weights}
        return [(own[path], rule) for path, rule in self._rules(suffix).items()]

    @property
    def regularizers(self) -> list[Callable[[Any], Any]]:
        """The penalties on weights, then the one on the output."""
        activity = [] if self.activity_regularizer is None else [self.activity_regularizer]
        return [rule for _, rule in self._by_weight("_regularizer")] + activity

    @property
    def constraints(self) -> dict[Variable, Callable[[Any], Any]]:
        """Weight → its projection after each update."""
        return dict(self._by_weight("_constraint"))

    def _penalized(self) -> Iterator[tuple[Any, Any]]:
        """Weights and their penalties; in Keras 1 each gate has its own."""
        count = GATES.get(type(self).__name__, 1) if self.dialect == "classic" else 1
        for variable, rule in self._by_weight("_regularizer"):
            whole: Any = variable
            size = whole.shape[-1] // count
            for start in range(0, count * size, size):
                yield whole if count == 1 else whole[..., start : start + size], rule

    @property
    def losses(self) -> list[Any]:
        """The penalties that the layer adds to a loss, as tensors."""
        activity = [loss for call in self._calls for loss in self.get_losses_for(call.inputs)]
        return [*self.get_losses_for(None), *activity]

    def get_losses_for(self, inputs: Any) -> list[Any]:
        """The penalties that follow from those inputs; with None, from weights alone."""
        wanted = jax.tree.leaves(inputs)
        held = [self, *(own for own in self.inner_layers if isinstance(own, Asked))]
        told = [loss for own in held for loss, given in own._told_losses if given == wanted]
        if inputs is None:
            return [symbolic.apply(rule, own) for own, rule in self._penalized()] + told
        if self.activity_regularizer is None:
            inside = self.penalizes_activity()
            calls = [call for call in self._calls if jax.tree.leaves(call.inputs) == wanted]
            return told + [penalty_of(self, call) for call in calls if inside]
        return told + [
            symbolic.apply(self.activity_regularizer, output)
            for call in self._calls
            if jax.tree.leaves(call.inputs) == wanted
            for output in jax.tree.leaves(call.outputs)
        ]
