"""Recurrent cells: one time step as a pair, laid open so that `rnn` can run it over a sequence."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from jax import random

from funkeras import activations, config, initializers
from funkeras.functional import lstm_steps
from funkeras.functional.checks import known, positive, share
from funkeras.functional.combinators import unique_names
from funkeras.functional.drawing import recurrent_start
from funkeras.functional.noise import kept
from funkeras.functional.pair import Pair, Weight, layer
from funkeras.functional.products import times_kept
from funkeras.functional.shapes import Shapes, is_shape
from funkeras.typing import Array, Identifier, Key, Params, PyTree, Shape, State

__all__ = [
    "Cell",
    "gru_cell",
    "lstm_cell",
    "make_cell",
    "simple_rnn_cell",
    "stacked_rnn_cells",
]

States: TypeAlias = tuple[Array, ...]
Gates: TypeAlias = tuple[Array, ...]
"""An array for each gate. As columns of one array, XLA's CPU backend would not vectorise the steps'
arithmetic on them, and a forward pass would take half as long again.
"""
Step: TypeAlias = Callable[[Params, PyTree, PyTree, States], tuple[Array, States]]
Draw: TypeAlias = Callable[[Key | None, bool, jax.ShapeDtypeStruct], PyTree]
Project: TypeAlias = Callable[[Params, PyTree, Array], PyTree]
Absorb: TypeAlias = Callable[[Params, PyTree, PyTree, Array, Array], PyTree]
Push: TypeAlias = Callable[[Params, PyTree, States], tuple[Array, States]]
Linearize: TypeAlias = Callable[..., tuple[tuple[Array, States], Push]]
Whole: TypeAlias = Callable[..., tuple[Array, States]]


class Masks(NamedTuple):
    """Dropout in one sequence, the same in all its steps: factors of shape (gates, batch, size).

    One gate's factors stand for all; None drops nothing.
    """

    input: Array | None = None
    recurrent: Array | None = None


def _no_states(x_shape: Shape) -> tuple[Shape, ...]:
    return ()


def _no_masks(key: Key | None, training: bool, x: jax.ShapeDtypeStruct) -> PyTree:
    return Masks()


def _as_it_is(params: Params, masks: PyTree, x: Array) -> PyTree:
    return x


def _no_step(params: Params, masks: PyTree, z: PyTree, states: States) -> tuple[Array, States]:
    raise TypeError("a Cell needs a step; make_cell makes one from it")


def _first(states: States) -> Array:
    return states[0]


@dataclass(frozen=True, eq=False)
class Cell(Pair):
    """A pair of one time step, `(x, *states)` → `(y, *states)`, and the parts it consists of.

    Fields:
        state_shapes: from the shape of a step's input to those of the states, the batch first.
        draw: `(key, training, x)` → what is random but the same in all steps, dropout masks; `x`
            has the shape and dtype of a step's input.
        project: `(params, masks, x)` → `z`, the part of a step that needs no states. It takes
            any number of steps at once, on leading axes.
        step: `(params, masks, z, states)` → `(y, states)`, the rest of a step.
        output: the output that went with given states; masked steps repeat it.
        absorb: `(params, masks, z, h, change)` → the change of `z` that does to first order what
            a change of `recurrent_kernel` does, for any number of steps at once, where `h` is the
            first state before the step. Only for cells whose output is their first state. With
            it the gradient of the recurrent kernel is one product over all steps.
        linearize: `(reverse, unroll, params, masks, z, states, present)` → what the scan over the
            steps gives, and its change as a linear function of the changes of the parameters but
            the recurrent kernel, of `z` and of the states. Only with `absorb`, for cells that
            know a better way than the scan's.
        given: from arrays that are the same in all steps, beside the sequence, to the cell that
            uses them; None for a cell that takes none. Their shapes follow that of a step's input
            where it declares its weights.
        begin: `(params, shape, dtype)` → the states from which it starts where none are given, from
            the shape of a step's input; None for zeros.
        whole: `(scan, reverse, params, masks, x, start)` → what the scan gives, for a cell that
            knows another way through a sequence without a mask; `scan()` is the usual one,
            `start(dtype)` gives the first states.
    """

    state_shapes: Callable[[Shape], tuple[Shape, ...]] = _no_states
    draw: Draw = _no_masks
    project: Project = _as_it_is
    step: Step = _no_step
    output: Callable[[States], Array] = _first
    absorb: Absorb | None = None
    linearize: Linearize | None = None
    given: "Callable[[Sequence[Array]], Cell] | None" = None
    begin: Callable[[Params, Shape, Any], States] | None = None
    whole: Whole | None = None

    def begun(self, params: Params, x_shape: Shape, dtype: Any) -> States:
        """The states from which it starts where none are given."""
        if self.begin is None:
            shapes = self.state_shapes(x_shape)
            return tuple(jnp.zeros(whole_shape(shape), dtype) for shape in shapes)
        return tuple(jnp.asarray(state, dtype) for state in self.begin(params, x_shape, dtype))


def make_cell(
    step: Step,
    weights: Callable[[Shape], Iterator[Weight]],
    state_shapes: Callable[[Shape], tuple[Shape, ...]],
    draw: Draw = _no_masks,
    project: Project = _as_it_is,
    output: Callable[[States], Array] = _first,
    absorb: Absorb | None = None,
    linearize: Linearize | None = None,
) -> Cell:
    """A cell from its parts, which `Cell` describes.

    >>> def step(params, masks, x, states):
    ...     total = states[0] + x
    ...     return total, (total,)
    >>> cell = make_cell(step, weights=lambda shape: iter(()), state_shapes=lambda shape: (shape,))
    >>> (y, state), _ = cell.apply({}, {}, (jnp.ones((2, 3)), jnp.ones((2, 3))))
    >>> y.shape, state.shape
    ((2, 3), (2, 3))
    """

    def apply(
        params: Params,
        state: State,
        x: PyTree,
        *,
        training: bool = False,
        key: Key | None = None,
        mask: PyTree = None,
    ) -> tuple[PyTree, State]:
        x, *states = x
        masks = draw(key, training, jax.ShapeDtypeStruct(x.shape, x.dtype))
        y, after = step(params, masks, project(params, masks, x), tuple(states))
        return (y, *after), state

    return Cell(
        apply,
        lambda input_shape: weights(leading_shape(input_shape)),
        state_shapes=state_shapes,
        draw=draw,
        project=project,
        step=step,
        output=output,
        absorb=absorb,
        linearize=linearize,
    )


def whole_shape(shape: Shape) -> tuple[int, ...]:
    """A shape of which all sizes are known."""
    sizes = tuple(size for size in shape if size is not None)
    if len(sizes) != len(shape):
        raise ValueError(f"all sizes of a step and its states must be known, got {shape}")
    return sizes


def leading_shape(input_shape: Shapes) -> Shape:
    """The input's shape where those of states may follow it."""
    return input_shape if is_shape(input_shape) else input_shape[0]


@layer("SimpleRNNCell")
def simple_rnn_cell(
    units: int,
    activation: Identifier = "tanh",
    use_bias: bool = True,
    kernel_initializer: Identifier = "glorot_uniform",
    recurrent_initializer: Identifier = "orthogonal",
    bias_initializer: Identifier = "zeros",
    dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    seed: int | None = None,
) -> Pair:
    """`h = activation(x @ kernel + h @ recurrent_kernel + bias)`: Elman 1990."""
    activate = activations.get(activation)

    def step(params: Params, masks: Masks, z: Gates, states: States) -> tuple[Array, States]:
        (h,) = states
        h = activate(z[0] + times_kept(h, params["recurrent_kernel"], masks.recurrent))
        return h, (h,)

    return _gated(
        step,
        _absorb_in_sums,
        units=positive("units", units),
        gates=1,
        states=1,
        bias=bias_initializer if use_bias else None,
        kernels=(kernel_initializer, recurrent_initializer),
        dropout=(dropout, recurrent_dropout),
        implementation=2,
        seed=seed,
    )


@layer("LSTMCell")
def lstm_cell(
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
    implementation: int = 2,
) -> Pair:
    """Gates `i`, `f`, candidate `g` and gate `o`; `c = f * c + i * g`, `h = o * activation(c)`.

    The four are columns of `x @ kernel + h @ recurrent_kernel + bias`, in this order. With
    `unit_forget_bias` the bias of `f` starts at 1; an initializer in its place is used for it.
    Hochreiter and Schmidhuber 1997; Gers et al. 2000.
    """
    units = positive("units", units)
    activate, gate = activations.get(activation), activations.get(recurrent_activation)

    def step(params: Params, masks: Masks, z: Gates, states: States) -> tuple[Array, States]:
        _, after = lstm_steps.advance(
            activate, gate, params["recurrent_kernel"], masks.recurrent, z, states
        )
        return after[0], after

    def linearize(
        reverse: bool,
        unroll: bool,
        params: Params,
        masks: Masks,
        z: Gates,
        states: States,
        present: Array | None,
    ) -> tuple[tuple[Array, States], Push]:
        kernel = params["recurrent_kernel"]
        outputs, push = lstm_steps.linearize(
            activate, gate, reverse, unroll, kernel, masks.recurrent, z, states, present
        )
        return outputs, lambda _, z_dot, states_dot: push(z_dot, states_dot)

    special = {True: "ones", False: bias_initializer}
    forget = special[unit_forget_bias] if isinstance(unit_forget_bias, bool) else unit_forget_bias
    return _gated(
        step,
        _absorb_in_sums,
        units=units,
        gates=4,
        states=2,
        bias=joined(bias_initializer, forget, *[bias_initializer] * 2) if use_bias else None,
        kernels=(kernel_initializer, recurrent_initializer),
        dropout=(dropout, recurrent_dropout),
        implementation=implementation,
        seed=seed,
        linearize=linearize if {activate, gate} <= lstm_steps.SLOPES.keys() else None,
    )


@layer("GRUCell")
def gru_cell(
    units: int,
    activation: Identifier = "tanh",
    recurrent_activation: Identifier = "sigmoid",
    use_bias: bool = True,
    kernel_initializer: Identifier = "glorot_uniform",
    recurrent_initializer: Identifier = "orthogonal",
    bias_initializer: Identifier = "zeros",
    dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    reset_after: bool = True,
    seed: int | None = None,
    implementation: int = 2,
) -> Pair:
    """Gates `z`, `r` and candidate `g`, columns of the kernels; `h = z * h + (1 - z) * g`.

    `g = activation(x @ kernel + (r * h) @ recurrent_kernel + bias)`: Cho et al. 2014,
    https://arxiv.org/abs/1406.1078. With `reset_after` the reset follows the product,
    `r * (h @ recurrent_kernel + bias[1])`, and the bias is (2, 3 * units).
    """
    units = positive("units", units)
    activate, gate = activations.get(activation), activations.get(recurrent_activation)

    def kernels(kernel: Array) -> tuple[Array, Array]:
        return kernel[:, : 2 * units], kernel[:, 2 * units :]

    def gates(params: Params, masks: Masks, z: Gates, h: Array) -> tuple[Array, Array]:
        kernel, _ = kernels(params["recurrent_kernel"])
        kept = jnp.split(times_kept(h, kernel, _some(masks.recurrent, 0, 2)), 2, axis=-1)
        return gate(z[0] + kept[0]), gate(z[1] + kept[1])

    def step(params: Params, masks: Masks, z: Gates, states: States) -> tuple[Array, States]:
        (h,) = states
        update, reset = gates(params, masks, z, h)
        _, kernel = kernels(params["recurrent_kernel"])
        own = _some(masks.recurrent, 2, 3)
        if reset_after:
            inner = times_kept(h, kernel, own)
            inner = inner + params["bias"][1, 2 * units :] if use_bias else inner
            inner = reset * inner
        else:
            inner = times_kept(reset * h, kernel, own)
        h = update * h + (1 - update) * activate(z[2] + inner)
        return h, (h,)

    def absorb(params: Params, masks: Masks, z: Gates, h: Array, change: Array) -> Gates:
        _, reset = gates(params, masks, z, h)
        first, second = kernels(change)
        own = _some(masks.recurrent, 2, 3)
        inner = (
            reset * times_kept(h, second, own)
            if reset_after
            else times_kept(reset * h, second, own)
        )
        sums = times_kept(h, first, _some(masks.recurrent, 0, 2))
        return (*jnp.split(sums, 2, axis=-1), inner)

    def shift(bias: Array) -> Array:
        """What can be added before the recurrence: all but the candidate's recurrent bias."""
        if not reset_after:
            return bias
        return bias[0] + bias[1] * (jnp.arange(3 * units) < 2 * units).astype(bias.dtype)

    return _gated(
        step,
        absorb,
        units=units,
        gates=3,
        states=1,
        bias=bias_initializer if use_bias else None,
        kernels=(kernel_initializer, recurrent_initializer),
        dropout=(dropout, recurrent_dropout),
        implementation=implementation,
        seed=seed,
        bias_shape=(2, 3 * units) if reset_after else None,
        shift=shift,
    )


@layer("StackedRNNCells")
def stacked_rnn_cells(cells: Sequence[Pair], reverse_state_order: bool = False) -> Pair:
    """Cells in a chain within each step; the states of all follow one another.

    With `reverse_state_order` those of the last cell come first, as before Keras 2.2.
    """
    chain = [cell for cell in cells if isinstance(cell, Cell)]
    if not chain or len(chain) < len(cells):
        raise TypeError(f"cells must be one or more recurrent cells, got {cells!r}")
    names = unique_names([cell.name for cell in chain])

    def inputs(x_shape: Shape) -> Iterator[Shape]:
        for cell in chain:
            yield x_shape
            x_shape = cell.state_shapes(x_shape)[0]

    def ordered(parts: Sequence[Any]) -> tuple[Any, ...]:
        """What there is for each cell, in the order of the states; or the other way round."""
        return tuple(reversed(parts) if reverse_state_order else parts)

    def counts(states: States) -> Sequence[States]:
        start, found = 0, []
        for cell in ordered(chain):
            size = len(cell.state_shapes((1, 1)))
            found.append(states[start : start + size])
            start += size
        return ordered(found)

    def weights(x_shape: Shape) -> Iterator[Weight]:
        for name, cell, shape in zip(names, chain, inputs(x_shape), strict=True):
            for weight in cell.weights(shape):
                yield weight._replace(name=f"{name}/{weight.name}")

    def state_shapes(x_shape: Shape) -> tuple[Shape, ...]:
        parts = zip(chain, inputs(x_shape), strict=True)
        each = [cell.state_shapes(own) for cell, own in parts]
        return tuple(shape for shapes in ordered(each) for shape in shapes)

    def draw(key: Key | None, training: bool, x: jax.ShapeDtypeStruct) -> PyTree:
        masks = []
        for index, (cell, shape) in enumerate(zip(chain, inputs(x.shape), strict=True)):
            own_key = None if key is None else random.fold_in(key, index)
            masks.append(cell.draw(own_key, training, jax.ShapeDtypeStruct(shape, x.dtype)))
        return tuple(masks)

    def project(params: Params, masks: PyTree, x: Array) -> PyTree:
        return chain[0].project(params.get(names[0], {}), masks[0], x)

    def step(params: Params, masks: PyTree, z: PyTree, states: States) -> tuple[Array, States]:
        y: Any = None
        after: list[States] = []
        parts = zip(names, chain, masks, counts(states), strict=True)
        for index, (name, cell, own_masks, own_states) in enumerate(parts):
            own = params.get(name, {})
            z = cell.project(own, own_masks, y) if index else z
            y, new_states = cell.step(own, own_masks, z, own_states)
            after.append(new_states)
        return y, tuple(state for own in ordered(after) for state in own)

    def output(states: States) -> Array:
        *_, last = counts(states)
        return chain[-1].output(last)

    def begin(params: Params, x_shape: Shape, dtype: Any) -> States:
        parts = zip(names, chain, inputs(x_shape), strict=True)
        each = [cell.begun(params.get(name, {}), shape, dtype) for name, cell, shape in parts]
        return tuple(state for states in ordered(each) for state in states)

    made = make_cell(step, weights, state_shapes, draw, project, output)
    return replace(made, begin=begin)


def _some(masks: Array | None, start: int, stop: int) -> Array | None:
    """The masks of some gates."""
    return masks if masks is None or masks.shape[0] == 1 else masks[start:stop]


def _absorb_in_sums(params: Params, masks: Masks, z: Gates, h: Array, change: Array) -> Gates:
    return tuple(jnp.split(times_kept(h, change, masks.recurrent), len(z), axis=-1))


def _gated(
    step: Callable[[Params, Masks, Gates, States], tuple[Array, States]],
    absorb: Callable[[Params, Masks, Gates, Array, Array], Gates],
    *,
    units: int,
    gates: int,
    states: int,
    bias: Identifier,
    kernels: tuple[Identifier, Identifier],
    dropout: tuple[float, float],
    implementation: int,
    seed: int | None,
    bias_shape: tuple[int, ...] | None = None,
    shift: Callable[[Array], Array] = jnp.asarray,
    linearize: Linearize | None = None,
) -> Cell:
    """A cell whose gates are the columns of fused kernels.

    Of the implementations of Keras 2 the third one, number 2, drops the same features for all
    gates. Keras 1 initialised each gate by itself, except with its third one.
    """
    by_gate = config.dialect() == "classic" and implementation != 2
    drawn = recurrent_start(kernels) if by_gate and gates > 1 else kernels
    mask_draw = dropout_masks(dropout, gates if implementation != 2 or dropout[1] else 1, seed)

    def weights(x_shape: Shape) -> Iterator[Weight]:
        features = known("last axis", x_shape, -1)
        first, second = gate_by_gate(drawn, gates) if by_gate else drawn
        yield Weight("kernel", (features, gates * units), first)
        yield Weight("recurrent_kernel", (units, gates * units), second)
        if bias is not None:
            yield Weight("bias", bias_shape or (gates * units,), bias)

    def state_shapes(x_shape: Shape) -> tuple[Shape, ...]:
        return ((x_shape[0], units),) * states

    def draw(key: Key | None, training: bool, x: jax.ShapeDtypeStruct) -> Masks:
        return mask_draw(key, training, x, (x.shape[0], units))

    def project(params: Params, masks: Masks, x: Array) -> Gates:
        z = times_kept(x, params["kernel"], masks.input)
        z = z if bias is None else z + shift(params["bias"])
        return tuple(jnp.split(z, gates, axis=-1))

    return make_cell(step, weights, state_shapes, draw, project, absorb=absorb, linearize=linearize)


def dropout_masks(rates: tuple[float, float], gates: int, seed: int | None) -> Callable[..., Masks]:
    """A function that draws the masks of inputs and states, where there is a rate to drop at.

    One draw serves all steps of a sequence: Gal and Ghahramani 2016,
    https://arxiv.org/abs/1512.05287.
    """
    for name, rate in zip(("dropout", "recurrent_dropout"), rates, strict=True):
        share(name, rate)

    def draw(
        key: Key | None, training: bool, x: jax.ShapeDtypeStruct, h_shape: tuple[int, ...]
    ) -> Masks:
        if not training or not any(rates):
            return Masks()
        if key is None:
            raise ValueError("dropout needs a key in training: apply(..., key=key)")
        key = key if seed is None else random.fold_in(key, seed)
        keys = random.split(key)
        shapes = (x.shape, h_shape)
        masks = []
        for rate, own_key, shape in zip(rates, keys, shapes, strict=True):
            stay = kept(own_key, rate, (gates, *shape))
            masks.append(stay.astype(x.dtype) / (1 - rate) if rate else None)
        return Masks(*masks)

    return draw


class _Drawn(initializers.Initializer):
    """An initializer from a function of source and shape."""

    build = staticmethod(lambda draw: draw)
    signature = inspect.signature(lambda draw: draw)


def joined(*parts: Identifier) -> _Drawn:
    """Blocks of equal size along the last axis, each by its own initializer."""

    def draw(source: initializers.Source, shape: tuple[int, ...]) -> Any:
        block = (*shape[:-1], shape[-1] // len(parts))
        drawn = [initializers.draw(part, source, block) for part in parts]
        return source.xp.concatenate(drawn, axis=-1)

    return _Drawn(draw)


def gate_by_gate(kernels: tuple[Identifier, Identifier], gates: int) -> tuple[_Drawn, _Drawn]:
    """Initializers of both kernels that draw as Keras 1: both of one gate, then of the next.

    So `np.random.seed` gives the numbers it gave. The first draw keeps the second one's part.
    """
    kept: list[Any] = []

    def draw(source: initializers.Source, shape: tuple[int, ...]) -> Any:
        units = shape[-1] // gates
        blocks = [
            [
                initializers.draw(kernel, source, (*shape[:-2], features, units))
                for kernel, features in zip(kernels, (shape[-2], units), strict=True)
            ]
            for _ in range(gates)
        ]
        first, second = (source.xp.concatenate(part, axis=-1) for part in zip(*blocks, strict=True))
        kept[:] = [second]
        return first

    def draw_recurrent(source: initializers.Source, shape: tuple[int, ...]) -> Any:
        return kept.pop() if kept else joined(*[kernels[1]] * gates).function(source, shape)

    return _Drawn(draw), _Drawn(draw_recurrent)
