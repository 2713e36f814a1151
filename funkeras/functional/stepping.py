"""A step that a user wrote, run over time."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from funkeras.variables import value_of

__all__ = ["as_arrays", "through_time"]


def as_arrays(tree: Any) -> Any:
    """Nested arrays and variables as arrays."""
    return jax.tree.map(lambda leaf: jnp.asarray(value_of(leaf)), tree)


def _chosen(present: Any, new: Any, old: Any) -> Any:
    """`new` for the samples that are present, `old` for the others."""

    def one(a: Any, b: Any) -> Any:
        own = present.reshape(present.shape[:1] + (1,) * (jnp.ndim(a) - 1))
        return jnp.where(own, a, b)

    return jax.tree.map(one, new, old)


def through_time(
    step_function: Callable[[Any, Any], tuple[Any, Any]],
    inputs: Any,
    initial_states: Sequence[Any],
    go_backwards: bool = False,
    mask: Any = None,
    constants: Sequence[Any] | None = None,
    unroll: bool = False,
    input_length: int | None = None,
    time_major: bool = False,
    zero_output_for_mask: bool = False,
    return_all_outputs: bool = True,
) -> tuple[Any, Any, list[Any]]:
    """The last output, all outputs (samples, time, …) and the last states, as `K.rnn` gives them.

    Raises:
        ValueError: if the inputs have no axis of time.
    """
    steps = as_arrays(inputs)
    first = jax.tree.leaves(steps)[0]
    if first.ndim < 2:
        raise ValueError(f"inputs must be (samples, time, …), got shape {first.shape}")
    present = None if mask is None else jnp.asarray(mask).astype(bool)
    if present is not None and present.ndim == 3:
        present = present[..., 0]
    if not time_major:
        steps = jax.tree.map(lambda a: a.swapaxes(0, 1), steps)
        present = None if present is None else present.swapaxes(0, 1)
    states, fixed = as_arrays(list(initial_states)), as_arrays(list(constants or ()))

    def run(x: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        output, new = step_function(x, [*states, *fixed])
        new = as_arrays(list(new))
        return as_arrays(output), [a.astype(b.dtype) for a, b in zip(new, states, strict=True)]

    start = jax.eval_shape(run, jax.tree.map(lambda a: a[0], steps), states)[0]
    start = jax.tree.map(lambda spec: jnp.zeros(spec.shape, spec.dtype), start)

    def body(carry: Any, now: Any) -> Any:
        before, states = carry
        x, here = now
        output, new = run(x, states)
        given = output
        if here is not None:
            zeros = jax.tree.map(jnp.zeros_like, output)
            given = _chosen(here, output, zeros if zero_output_for_mask else before)
            output, new = _chosen(here, output, before), _chosen(here, new, states)
        return (output, new), given if return_all_outputs else None

    if go_backwards:
        steps, present = jax.tree.map(lambda a: jnp.flip(a, 0), (steps, present))
    unrolled = jax.tree.leaves(steps)[0].shape[0] if unroll else 1
    (last, states), outputs = lax.scan(body, (start, states), (steps, present), unroll=unrolled)
    if not return_all_outputs:
        outputs = jax.tree.map(lambda a: a[None], last)
    if not time_major:
        outputs = jax.tree.map(lambda a: a.swapaxes(0, 1), outputs)
    return last, outputs, states
