"""Recurrent layers: `rnn` runs a cell over the steps of a sequence, the others are `rnn` of one."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from funkeras import config
from funkeras.functional.cells import (
    Cell,
    Gates,
    States,
    gru_cell,
    leading_shape,
    lstm_cell,
    simple_rnn_cell,
    stacked_rnn_cells,
    whole_shape,
)
from funkeras.functional.combinators import CARRIED
from funkeras.functional.cudnn import with_cudnn
from funkeras.functional.pair import Pair, Weight, layer
from funkeras.functional.shapes import Shapes, is_shape
from funkeras.typing import Array, Identifier, Key, Params, PyTree, Shape, State

__all__ = ["gru", "lstm", "rnn", "simple_rnn"]

KERNEL = "recurrent_kernel"


@layer("RNN")
def rnn(
    cell: Pair | Sequence[Pair],
    return_sequences: bool = False,
    return_state: bool = False,
    go_backwards: bool = False,
    stateful: bool = False,
    unroll: bool = False,
    zero_output_for_mask: bool = False,
    time_major: bool = False,
    num_constants: int = 0,
) -> Pair:
    """A cell run over the time steps of `x`, (batch, time, ...): the last output, or all.

    `x` may be a tuple of the sequence, the states to start from, and `num_constants` arrays that
    are the same in all steps, for a cell that takes some; `return_state` adds the last states to
    the output. A stateful layer starts where the batch before it ended. Steps that are
    masked leave the states alone and repeat the output before them, or give 0
    (`zero_output_for_mask`). Backwards, outputs come in the order in which they are computed.

    >>> from funkeras.functional import lstm_cell, output_shape
    >>> output_shape(rnn([lstm_cell(4), lstm_cell(2)], return_sequences=True), (None, 5, 3))
    (None, 5, 2)
    """
    cell = cell if isinstance(cell, Pair) else stacked_rnn_cells(cell)
    if not isinstance(cell, Cell):
        raise TypeError(f"cell must be a recurrent cell or several, got the layer {cell.name!r}")
    run = cell
    axis = 0 if time_major else 1

    def step_shape(input_shape: Shapes) -> Shape:
        shape = leading_shape(input_shape)
        if len(shape) < 3:
            raise ValueError(f"expected an input of (batch, time, ...), got shape {shape}")
        return (*shape[:axis], *shape[axis + 1 :])

    if num_constants and cell.given is None:
        raise TypeError(f"the cell {cell.name!r} takes no constants")

    def parted(parts: Any) -> tuple[Any, list[Any], list[Any]]:
        """The sequence, the states and the constants, or the shapes of them."""
        first, *rest = (parts,) if hasattr(parts, "dtype") or is_shape(parts) else parts
        count = len(rest) - num_constants
        return first, rest[:count], rest[count:]

    def weights(input_shape: Shapes) -> Iterator[Weight]:
        shape = step_shape(input_shape)
        *_, constants = parted(input_shape)
        yield from run.weights((shape, *constants) if constants else shape)
        if stateful:
            if shape[0] is None:
                raise ValueError("a stateful layer needs a known batch size: give batch_shape")
            for name, sizes in _named_states(run.state_shapes(shape)):
                yield Weight(name, whole_shape(sizes), "zeros", trainable=False, saved=False)

    def apply(
        params: Params,
        state: State,
        x: PyTree,
        *,
        training: bool = False,
        key: Key | None = None,
        mask: PyTree = None,
    ) -> tuple[PyTree, State]:
        x, given, constants = parted(jax.tree.map(jnp.asarray, x))
        run = cell if cell.given is None else cell.given(constants)
        shape = whole_shape(step_shape(x.shape))
        x = x if time_major else jnp.swapaxes(x, 0, 1)
        masks = run.draw(key, training, jax.ShapeDtypeStruct(shape, _floating(x.dtype)))
        start = partial(_start, run, params, shape, given, state if stateful else {})
        present = _present(_first_mask(mask), x, time_major)

        def scan() -> tuple[Array, States]:
            z = run.project(params, masks, x)
            states = start(_floating(jnp.result_type(*jax.tree.leaves(z))))
            return _unfold(run, go_backwards, unroll, params, masks, z, states, present)

        if run.whole is None or present is not None:
            ys, states = scan()
        else:
            ys, states = run.whole(scan, go_backwards, params, masks, x, start)
        if zero_output_for_mask and present is not None:
            ys = _where(present, ys, jnp.zeros_like(ys))
        if return_sequences:
            y = jnp.flip(ys, 0) if go_backwards else ys
            y = y if time_major else jnp.swapaxes(y, 0, 1)
        else:
            y = ys[0 if go_backwards else -1]
        if stateful:
            names = (name for name, _ in _named_states(states))
            ended = {
                name: value.astype(state[name].dtype)
                for name, value in zip(names, states, strict=True)
            }
            state = {**state, **ended}
        return ((y, *states) if return_state else y), state

    def mask_after(x: PyTree, mask: PyTree) -> PyTree:
        after = _first_mask(mask) if return_sequences else None
        if not return_state or after is None:
            return after
        shape = jax.tree.leaves(x)[0].shape
        return (after, *(None for _ in run.state_shapes(step_shape(shape))))

    return Pair(apply, weights, mask_after)


@layer("SimpleRNN")
def simple_rnn(
    units: int,
    activation: Identifier = "tanh",
    use_bias: bool = True,
    kernel_initializer: Identifier = "glorot_uniform",
    recurrent_initializer: Identifier = "orthogonal",
    bias_initializer: Identifier = "zeros",
    dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    return_sequences: bool = False,
    return_state: bool = False,
    go_backwards: bool = False,
    stateful: bool = False,
    unroll: bool = False,
    seed: int | None = None,
    zero_output_for_mask: bool = False,
    time_major: bool = False,
    implementation: int = 2,
) -> Pair:
    """`h = activation(x @ kernel + h @ recurrent_kernel + bias)` over the steps of a sequence.

    >>> from funkeras.functional import output_shape
    >>> output_shape(simple_rnn(4, return_state=True), (None, 5, 3))
    ((None, 4), (None, 4))
    """
    cell = simple_rnn_cell(
        units,
        activation,
        use_bias,
        kernel_initializer,
        recurrent_initializer,
        bias_initializer,
        dropout,
        recurrent_dropout,
        seed,
    )
    return rnn(
        cell,
        return_sequences,
        return_state,
        go_backwards,
        stateful,
        unroll,
        zero_output_for_mask,
        time_major,
    )


@layer("LSTM")
def lstm(
    units: int,
    activation: Identifier = "tanh",
    recurrent_activation: Identifier = "sigmoid",
    use_bias: bool = True,
    kernel_initializer: Identifier = "glorot_uniform",
    recurrent_initializer: Identifier = "orthogonal",
    bias_initializer: Identifier = "zeros",
    unit_forget_bias: bool | Identifier = True,
    dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    seed: int | None = None,
    return_sequences: bool = False,
    return_state: bool = False,
    go_backwards: bool = False,
    stateful: bool = False,
    unroll: bool = False,
    use_cudnn: str | bool = "auto",
    zero_output_for_mask: bool = False,
    time_major: bool = False,
    implementation: int = 2,
) -> Pair:
    """Long short-term memory over the steps of a sequence, by the formula of `lstm_cell`.

    `use_cudnn=True` runs it by cuDNN's operation where the program runs on an NVIDIA GPU, all is
    `float32` and there is no mask; else it runs as a scan. That has derivatives forwards and of
    any order, and `jax.vmap`, of which cuDNN's has none: so by default ("auto") it is cuDNN's in
    `fit`, `evaluate` and `predict`, but not where a model is applied as a function, nor in steps
    and losses of a subclass. A layer of one's own that takes such derivatives of an LSTM inside
    needs `use_cudnn=False`.

    >>> from funkeras.functional import output_shape
    >>> output_shape(lstm(4, return_sequences=True), (None, 5, 3))
    (None, 5, 4)
    """
    cell = lstm_cell(
        units,
        activation,
        recurrent_activation,
        use_bias,
        kernel_initializer,
        recurrent_initializer,
        bias_initializer,
        unit_forget_bias,
        dropout,
        recurrent_dropout,
        seed,
        implementation,
    )
    return rnn(
        with_cudnn(cell, use_cudnn, unroll),
        return_sequences,
        return_state,
        go_backwards,
        stateful,
        unroll,
        zero_output_for_mask,
        time_major,
    )


@layer("GRU")
def gru(
    units: int,
    activation: Identifier = "tanh",
    recurrent_activation: Identifier = "sigmoid",
    use_bias: bool = True,
    kernel_initializer: Identifier = "glorot_uniform",
    recurrent_initializer: Identifier = "orthogonal",
    bias_initializer: Identifier = "zeros",
    dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    seed: int | None = None,
    return_sequences: bool = False,
    return_state: bool = False,
    go_backwards: bool = False,
    stateful: bool = False,
    unroll: bool = False,
    reset_after: bool = True,
    use_cudnn: str | bool = "auto",
    zero_output_for_mask: bool = False,
    time_major: bool = False,
    implementation: int = 2,
) -> Pair:
    """Gated recurrent units over the steps of a sequence, by the formula of `gru_cell`.

    `use_cudnn` changes nothing: JAX offers no such operation of cuDNN.

    >>> from funkeras.functional import output_shape
    >>> output_shape(gru(4), (None, 5, 3))
    (None, 4)
    """
    cell = gru_cell(
        units,
        activation,
        recurrent_activation,
        use_bias,
        kernel_initializer,
        recurrent_initializer,
        bias_initializer,
        dropout,
        recurrent_dropout,
        reset_after,
        seed,
        implementation,
    )
    return rnn(
        with_cudnn(cell, use_cudnn, unroll),
        return_sequences,
        return_state,
        go_backwards,
        stateful,
        unroll,
        zero_output_for_mask,
        time_major,
    )


def _floating(dtype: Any) -> Any:
    return dtype if jnp.issubdtype(dtype, jnp.floating) else jnp.dtype(config.floatx())


def _named_states(states: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    return ((f"{CARRIED}{index}", value) for index, value in enumerate(states))


def _start(
    cell: Cell, params: Params, shape: Shape, given: Sequence[Array], kept: State, dtype: Any
) -> States:
    """The states before the first step: those given, those kept, or what the cell begins with."""
    shapes = cell.state_shapes(shape)
    if given and len(given) != len(shapes):
        raise ValueError(f"expected {len(shapes)} initial states, got {len(given)}")
    values = given or [kept[name] for name, _ in _named_states(shapes) if name in kept]
    if not values:
        return cell.begun(params, shape, dtype)
    return tuple(value.astype(dtype) for value in values)


def _first_mask(mask: PyTree) -> Array | None:
    """The sequence's mask where those of states may follow it."""
    mask = mask[0] if isinstance(mask, tuple | list) else mask
    return None if mask is None else jnp.asarray(mask)


def _present(mask: Array | None, x: Array, time_major: bool) -> Array | None:
    """Which steps count, (time, batch)."""
    if mask is None:
        return None
    present = jnp.asarray(mask, bool)
    present = present if time_major else jnp.swapaxes(present, 0, 1)
    if present.shape != x.shape[:2]:
        raise ValueError(f"a mask of shape {mask.shape} does not fit steps of shape {x.shape[:2]}")
    return present


def _where(present: Array, a: Array, b: Array) -> Array:
    return jnp.where(present.reshape(present.shape + (1,) * (a.ndim - present.ndim)), a, b)


CHEAP = {"add", "add_any", "integer_pow", "mul", "neg", "select_n", "sub"}
"""Primitives that take no longer than to read their result from memory."""


def _scan(
    cell: Cell,
    reverse: bool,
    unroll: bool,
    params: Params,
    masks: PyTree,
    z: PyTree,
    states: States,
    present: Array | None,
) -> tuple[Array, States]:
    """Outputs of all steps, time first, and the states after the last one."""

    def body(states: States, step: tuple[PyTree, Array | None]) -> tuple[States, Array]:
        z, present = step
        y, after = cell.step(params, masks, z, states)
        if present is not None:
            y = _where(present, y, cell.output(states))
            after = tuple(_where(present, new, old) for new, old in zip(after, states, strict=True))
        return after, y

    kept = jax.checkpoint(body, prevent_cse=False, policy=_costly)
    states, ys = lax.scan(kept, states, (z, present), reverse=reverse, unroll=unroll or 1)
    return ys, states


def _costly(primitive: Any, *_: Any, **__: Any) -> bool:
    """Whether a step's result is kept for the gradient, rather than computed from others again.

    What the steps keep fills memory that is written and read once: with products and sums of the
    gates left out, an epoch of an LSTM takes 6 % less (`python -m benchmarks char_lstm`).
    """
    return primitive.name not in CHEAP


_scan_absorbing = jax.custom_jvp(_scan, nondiff_argnums=(0, 1, 2))


@_scan_absorbing.defjvp
def _change(
    cell: Cell, reverse: bool, unroll: bool, primals: tuple[Any, ...], tangents: tuple[Any, ...]
) -> Any:
    """The derivative of `_scan`, with what the recurrent kernel does taken out of the loop.

    In every step a change of that kernel acts like a change of the projected inputs, so one
    product over all steps before the scan replaces one in each step; backwards, likewise.
    """
    params, masks, z, states, present = primals
    params_dot, _, z_dot, states_dot, _ = tangents
    linearize = cell.linearize or partial(_linearize, cell)
    outputs, push = linearize(reverse, unroll, params, masks, z, states, present)
    ys, _ = outputs
    before = [ys[1:], states[0][None]] if reverse else [states[0][None], ys[:-1]]
    assert cell.absorb is not None
    absorbed = cell.absorb(params, masks, z, jnp.concatenate(before), params_dot[KERNEL])
    z_dot = jax.tree.map(jnp.add, z_dot, absorbed)
    return outputs, push(_without_kernel(params_dot), z_dot, states_dot)


def _linearize(
    cell: Cell,
    reverse: bool,
    unroll: bool,
    params: Params,
    masks: PyTree,
    z: Gates,
    states: States,
    present: Array | None,
) -> Any:
    """`Cell.linearize` as the scan has it."""

    def scan(others: Params, z: Gates, states: States) -> tuple[Array, States]:
        own = {**others, KERNEL: params[KERNEL]}
        return _scan(cell, reverse, unroll, own, masks, z, states, present)

    return jax.linearize(scan, _without_kernel(params), z, states)


def _without_kernel(params: Params) -> Params:
    return {name: value for name, value in params.items() if name != KERNEL}


def _unfold(cell: Cell, *args: Any) -> tuple[Array, States]:
    return (_scan if cell.absorb is None else _scan_absorbing)(cell, *args)
