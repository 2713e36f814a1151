"""Loops over time or over the first axis: `rnn`, `map_fn`, `foldl` and `foldr`."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from funkeras.backend.lifting import op
from funkeras.variables import value_of

__all__ = ["foldl", "foldr", "map_fn", "rnn"]


def _arrays(tree: Any) -> Any:
    return jax.tree.map(lambda leaf: jnp.asarray(value_of(leaf)), tree)


def _chosen(present: Any, new: Any, old: Any) -> Any:
    """`new` for the samples that are present, `old` for the others."""

    def one(a: Any, b: Any) -> Any:
        own = present.reshape(present.shape[:1] + (1,) * (jnp.ndim(a) - 1))
        return jnp.where(own, a, b)

    return jax.tree.map(one, new, old)


@op
def rnn(
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
    """Run a step over time: `(last output, outputs (samples, time, …), last states)`.

    A step that is masked gives the output of the one before it, zeros at the first, and leaves
    the states as they are.

    Args:
        step_function: from an input (samples, …) and a list of states and constants to an output
            and the next states.
        inputs: (samples, time, …), or several of them nested.
        go_backwards: from the last step to the first; outputs come in the order of the steps.
        mask: (samples, time), true where a step counts.
        unroll: write the steps out instead of looping.
        input_length: for backends that must be told; the inputs' shape tells.
        time_major: inputs, mask and outputs have time first.
        zero_output_for_mask: a masked step gives zeros.
        return_all_outputs: without it the outputs are the last one alone.

    Raises:
        ValueError: if the inputs have no axis of time.
    """
    steps = _arrays(inputs)
    first = jax.tree.leaves(steps)[0]
    if first.ndim < 2:
        raise ValueError(f"inputs must be (samples, time, …), got shape {first.shape}")
    present = None if mask is None else jnp.asarray(mask).astype(bool)
    if present is not None and present.ndim == 3:
        present = present[..., 0]
    if not time_major:
        steps = jax.tree.map(lambda a: a.swapaxes(0, 1), steps)
        present = None if present is None else present.swapaxes(0, 1)
    states, fixed = _arrays(list(initial_states)), _arrays(list(constants or ()))

    def run(x: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        output, new = step_function(x, [*states, *fixed])
        new = _arrays(list(new))
        return _arrays(output), [a.astype(b.dtype) for a, b in zip(new, states, strict=True)]

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


@op
def map_fn(fn: Callable[..., Any], elems: Any, name: str | None = None, dtype: Any = None) -> Any:
    """`fn` of each entry of the first axis, stacked.

    Args:
        elems: a tensor, or several nested, which `fn` gets likewise.
        dtype: of the results; as `fn` gives them if left out.
    """
    result = lax.map(lambda x: _arrays(fn(x)), _arrays(elems))
    return result if dtype is None else jax.tree.map(lambda a, d: a.astype(d), result, dtype)


def _fold(fn: Callable[[Any, Any], Any], elems: Any, initializer: Any, reverse: bool) -> Any:
    steps = _arrays(elems)
    if initializer is None:
        first, rest = (-1, slice(None, -1)) if reverse else (0, slice(1, None))
        start = jax.tree.map(lambda a: a[first], steps)
        steps = jax.tree.map(lambda a: a[rest], steps)
    else:
        start = _arrays(initializer)

    def step(total: Any, x: Any) -> Any:
        return _arrays(fn(total, x))

    kinds = jax.eval_shape(step, start, jax.tree.map(lambda a: a[0], steps))
    start = jax.tree.map(lambda a, spec: a.astype(spec.dtype), start, kinds)
    return lax.scan(lambda total, x: (step(total, x), None), start, steps, reverse=reverse)[0]


@op
def foldl(
    fn: Callable[[Any, Any], Any], elems: Any, initializer: Any = None, name: str | None = None
) -> Any:
    """`fn(… fn(fn(start, first), second) …, last)` along the first axis.

    Args:
        initializer: the start; without it the first entry is that.
    """
    return _fold(fn, elems, initializer, reverse=False)


@op
def foldr(
    fn: Callable[[Any, Any], Any], elems: Any, initializer: Any = None, name: str | None = None
) -> Any:
    """`fn(… fn(fn(start, last), last but one) …, first)` along the first axis.

    Args:
        initializer: the start; without it the last entry is that.
    """
    return _fold(fn, elems, initializer, reverse=True)
