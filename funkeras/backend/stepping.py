"""`optimizer.get_updates`: one step of an optimizer as updates for `function`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax

from funkeras.backend.functions import gradients
from funkeras.backend.lifting import op
from funkeras.backend.tensors import Update, variable
from funkeras.optimizers import Optimizer

__all__: list[str] = []


@op
def stepped(optimizer: Optimizer, slopes: Any, state: Any, params: Any) -> Any:
    """Parameters and state of an optimizer after one step."""
    changes, after = optimizer.functional.update(slopes, state, params)
    return jax.tree.map(lambda value, change: value + change, params, changes), after


def get_gradients(optimizer: Optimizer, loss: Any, params: Sequence[Any]) -> list[Any]:
    """The gradients of a loss, as symbolic tensors.

    Raises:
        ValueError: naming the parameters that the loss does not follow from.
    """
    found = gradients(loss, params)
    if idle := [own.name for own, slope in zip(params, found, strict=True) if slope is None]:
        raise ValueError(f"the loss does not follow from {', '.join(idle)}")
    return found


def get_updates(optimizer: Optimizer, *args: Any, **named: Any) -> list[Update]:
    """The parameters and the optimizer's own numbers after one step, as updates for `function`.

    Called `(params, constraints, loss)` as in Keras 1, or `(loss, params)` as in Keras 2.
    """
    given = {_kind(value): value for value in args} | named
    params, loss = list(given["params"]), given["loss"]
    rules: Mapping[Any, Callable[[Any], Any]] = given.get("constraints") or {}
    slopes = optimizer.get_gradients(loss, params)
    fresh = optimizer.functional.init([own.value for own in params])
    state = jax.tree.map(lambda array: variable(array, array.dtype), fresh)
    after, later = stepped(optimizer, slopes, state, params)
    changes = []
    for own, value in zip(params, after, strict=True):
        rule = rules.get(own) or getattr(own, "constraint", None)
        changes.append(Update(own, value if rule is None else rule(value)))
    numbers = zip(jax.tree.leaves(state), jax.tree.leaves(later), strict=True)
    return changes + [Update(own, value) for own, value in numbers]


def _kind(argument: Any) -> str:
    if isinstance(argument, Mapping):
        return "constraints"
    return "params" if isinstance(argument, list | tuple) else "loss"


Optimizer.symbolic.update(get_gradients=get_gradients, get_updates=get_updates)
