"""Loops over time or over the first axis: `rnn`, `map_fn`, `foldl` and `foldr`."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax import lax

from funkeras.backend.lifting import op
from funkeras.functional.stepping import as_arrays, through_time

__all__ = ["foldl", "foldr", "map_fn", "rnn"]


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
    return through_time(
        step_function,
        inputs,
        initial_states,
        go_backwards,
        mask,
        constants,
        unroll,
        input_length,
        time_major,
        zero_output_for_mask,
        return_all_outputs,
    )


@op
def map_fn(fn: Callable[..., Any], elems: Any, name: str | None = None, dtype: Any = None) -> Any:
    """`fn` of each entry of the first axis, stacked.

    Args:
        elems: a tensor, or several nested, which `fn` gets likewise.
        dtype: of the results; as `fn` gives them if left out.
    """
    result = lax.map(lambda x: as_arrays(fn(x)), as_arrays(elems))
    return result if dtype is None else jax.tree.map(lambda a, d: a.astype(d), result, dtype)


def _fold(fn: Callable[[Any, Any], Any], elems: Any, initializer: Any, reverse: bool) -> Any:
    steps = as_arrays(elems)
    if initializer is None:
        first, rest = (-1, slice(None, -1)) if reverse else (0, slice(1, None))
        start = jax.tree.map(lambda a: a[first], steps)
        steps = jax.tree.map(lambda a: a[rest], steps)
    else:
        start = as_arrays(initializer)

    def step(total: Any, x: Any) -> Any:
        return as_arrays(fn(total, x))

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
