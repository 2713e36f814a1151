"""The learning phase, and what depends on it or on another condition."""

import contextlib
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.core import Tracer

from funkeras import variables
from funkeras.backend.lifting import op
from funkeras.symbolic import PHASE, is_symbolic
from funkeras.variables import current_flow

__all__ = [
    "in_test_phase",
    "in_train_phase",
    "learning_phase",
    "learning_phase_scope",
    "set_learning_phase",
    "switch",
]


def learning_phase() -> Any:
    """1 in training and 0 at inference; where nothing runs yet, the tensor that will be that.

    The tensor can be among the inputs of a `function`; one without it runs as at inference.
    """
    flow = current_flow()
    fixed = variables.learning_phase() if flow is None else flow.training
    return PHASE if fixed is None else int(fixed)


def set_learning_phase(value: Any) -> None:
    """Let whatever is built from now on always run in that phase: 1 trains, 0 does not.

    Raises:
        ValueError: for anything else.
    """
    if value not in (0, 1):
        raise ValueError(f"the learning phase must be 0 or 1, got {value!r}")
    variables.set_learning_phase(bool(value))


@contextlib.contextmanager
def learning_phase_scope(value: Any) -> Iterator[None]:
    """Let whatever is built inside always run in that phase."""
    before = variables.learning_phase()
    set_learning_phase(value)
    try:
        yield
    finally:
        variables.set_learning_phase(before)


def in_train_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """`x` in training, `alt` at inference; functions give them when called."""
    return switch(learning_phase() if training is None else training, x, alt)


def in_test_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """`x` at inference, `alt` in training; functions give them when called."""
    return in_train_phase(alt, x, training)


def switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """One of two tensors, or entries of both, by a condition.

    A condition with fewer axes than the tensors holds for all of its rows. Functions give the
    tensors when called; of them only the chosen one runs, where a scalar decides within a program.
    """
    if isinstance(condition, bool | int):
        return _given(then_expression if condition else else_expression)
    lazy = callable(then_expression) and callable(else_expression)
    if lazy and not is_symbolic(condition) and jnp.ndim(condition) == 0:
        return lax.cond(jnp.asarray(condition) != 0, then_expression, else_expression)
    return select(condition, _given(then_expression), _given(else_expression))


def _given(expression: Any) -> Any:
    return expression() if callable(expression) else expression


@op
def select(condition: Any, x: Any, alt: Any) -> Any:
    if not isinstance(condition, Tracer) and jnp.ndim(condition) == 0:
        return jax.tree.map(jnp.asarray, x if condition else alt)

    def choose(own: Any, other: Any) -> Any:
        missing = max(jnp.ndim(own), jnp.ndim(other)) - jnp.ndim(condition)
        chosen = jnp.reshape(condition, jnp.shape(condition) + (1,) * max(missing, 0))
        return jnp.where(chosen != 0, own, other)

    return jax.tree.map(choose, x, alt)
