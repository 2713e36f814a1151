"""Optimizers with an `apply` that users write around each step (Keras 3), as pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from funkeras.optimizers.updates import OptimizerState, laid_out
from funkeras.typing import Params, PyTree
from funkeras.variables import Flow, Variable, flowing

__all__ = ["AROUND", "Around"]

AROUND = ("apply", "apply_gradients")
"""What it writes around a whole step, in Keras 3."""


class Taking:
    """What the step of an optimizer does to variables, for an `apply` that a user wrote around it.

    Fields:
        state: the optimizer's, before the step and after it.
    """

    def __init__(self, updates: Any, state: OptimizerState, form: Any) -> None:
        self.updates, self.state, self.form = updates, state, form

    def take(self, gradients: Sequence[Any], variables: Sequence[Variable]) -> None:
        """Give the variables their next values, by these gradients."""
        values = [variable.value for variable in variables]
        slopes = [jnp.asarray(g, p.dtype) for g, p in zip(gradients, values, strict=True)]
        given = self.form.unflatten(slopes), self.state, self.form.unflatten(values)
        changes, self.state = self.updates.update(*given)
        for variable, p, change in zip(variables, values, jax.tree.leaves(changes), strict=True):
            variable.assign(p + change)


@dataclass(frozen=True)
class Around:
    """The steps of an optimizer, with an `apply` around each that a user wrote."""

    inner: Any
    optimizer: Any

    def init(self, params: Params) -> OptimizerState:
        """The state before the first step."""
        return self.inner.init(params)

    def update(
        self, gradients: PyTree, state: OptimizerState, params: Params | None = None
    ) -> tuple[PyTree, OptimizerState]:
        """The changes to add to the parameters, and the next state."""
        form, paths, _, slopes = laid_out(gradients, params)
        values = jax.tree.leaves(params)
        taking = Taking(self.inner, state, form)
        before = dict(self.optimizer.__dict__)
        flow = Flow(training=True)
        flow.assigned = flow.bound
        try:
            with flowing(flow):
                pairs = zip(values, paths, strict=True)
                standing = [Variable(value, name=path) for value, path in pairs]
                state_of_step = {"_taking": taking, "_trainable_variables": standing}
                self.optimizer.__dict__.update(state_of_step)
                if self.optimizer.writes("apply_gradients"):
                    self.optimizer.apply_gradients(zip(slopes, standing, strict=True))
                else:
                    self.optimizer.apply(slopes, standing)
                after = [variable.value for variable in standing]
        finally:
            self.optimizer.__dict__.clear()
            self.optimizer.__dict__.update(before)
        return form.unflatten([new - p for new, p in zip(after, values, strict=True)]), taking.state
