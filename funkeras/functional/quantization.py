"""Quantization for inference: the kernels of a pair in eight bits instead of 32."""

from collections.abc import Iterator
from typing import Any

import jax.numpy as jnp
import numpy as np

from funkeras.functional.low_rank import factors
from funkeras.functional.pair import Pair, Weight, at, nest
from funkeras.functional.quantized import Quantized, whole_numbers
from funkeras.functional.shapes import Shapes, freeze_shape
from funkeras.quantizers import AbsMaxQuantizer
from funkeras.typing import Params, PyTree, State

__all__ = ["quantize", "quantized"]

SCALE = "_scale"
"""How the name of a kernel's scale ends."""


def quantized(pair: Pair, inputs: Any = AbsMaxQuantizer()) -> Pair:  # noqa: B008, it is frozen
    """The pair, a layer or a whole net, with kernels of eight bits and their scales in the state.

    Products are of whole numbers: inputs become such by the way. `quantize` makes its variables.
    Training leaves the kernels alone; what else there is learns by the derivatives of real numbers.

    Args:
        inputs: the quantizer of inputs; None leaves them as they are.

    >>> import jax
    >>> from funkeras import functional as F
    >>> params, state = quantized(F.dense(4)).init(jax.random.key(0), (None, 3))
    >>> jax.tree.map(lambda a: (a.shape, a.dtype.name), state)
    {'kernel': ((3, 4), 'int8'), 'kernel_scale': ((4,), 'float32')}
    """

    def weights(input_shape: Shapes) -> Iterator[Weight]:
        scales: list[Weight] = []
        for weight in pair.weights(input_shape):
            if weight.channels is None:
                yield weight
                continue
            yield from scales
            shape = [1 if axis is None else weight.shape[axis] for axis in weight.channels]
            name, own = f"{weight.name}{SCALE}", weight.dtype
            scales = [Weight(name, tuple(shape), "ones", trainable=False, dtype=own)]
            yield weight._replace(initializer="zeros", trainable=False, dtype="int8")
        yield from scales

    def run(params: Params, state: State, x: PyTree, **flow: Any) -> tuple[PyTree, State, PyTree]:
        y, after, mask = pair.run(*_joined(params, state, inputs), x, **flow)
        return y, _renewed(state, after), mask

    return pair.rerun(run, weights=weights)


def quantize(
    pair: Pair, params: Params, state: State, input_shape: Shapes, quantizer: Any = None
) -> tuple[Params, State]:
    """Variables of `quantized(pair)` from those of the pair.

    Args:
        quantizer: of the kernels; by the largest size of each channel when left out.

    Raises:
        ValueError: if no kernel of the pair can be in eight bits.

    >>> import jax
    >>> from funkeras import functional as F
    >>> dense = F.dense(4)
    >>> variables = dense.init(jax.random.key(0), (None, 3))
    >>> params, state = quantize(dense, *variables, (None, 3))
    >>> sorted(params), sorted(state)
    (['bias'], ['kernel', 'kernel_scale'])
    """
    declared = list(pair.weights(freeze_shape(input_shape)))
    new_params: Params = {}
    new_state: State = {}
    for weight in declared:
        value = at(params if weight.trainable else state, weight.name)
        if weight.channels is None:
            nest(new_params if weight.trainable else new_state, weight.name, value)
            continue
        values, scale = whole_numbers(np.asarray(value), weight.channels, quantizer)
        nest(new_state, weight.name, jnp.asarray(values))
        nest(new_state, f"{weight.name}{SCALE}", jnp.asarray(scale))
    if all(weight.channels is None for weight in declared):
        raise ValueError(f"{pair.name} has no kernel that can be in eight bits")
    return new_params, new_state


def _joined(params: Params, state: State, inputs: Any) -> tuple[Params, State]:
    """The variables of the pair itself: kernels with their scales, where it looks for them."""
    params, given, state = dict(params), state, dict(state)
    for name, value in given.items():
        if isinstance(value, dict):
            params[name], state[name] = _joined(params.get(name, {}), value, inputs)
        elif value.dtype == "int8" and f"{name}{SCALE}" in given:
            del state[name]
            kernel = Quantized(value, state.pop(f"{name}{SCALE}"), inputs)
            (state if factors(name)[0] in params else params)[name] = kernel
    return params, state


def _renewed(state: State, after: State) -> State:
    """The state with what a run has changed of it, which are no kernels."""
    new = {
        name: _renewed(state[name], own) if isinstance(own, dict) and name in state else own
        for name, own in after.items()
        if not isinstance(own, Quantized)
    }
    return {**state, **new}
