"""Long short-term memory by cuDNN's operation, where it can be had and nothing is lost by it."""

import warnings
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.experimental import rnn

from funkeras import activations
from funkeras.distribution import distribution
from funkeras.functional.cells import Cell, States, lstm_cell
from funkeras.functional.checks import one_of
from funkeras.functional.pair import Pair
from funkeras.typing import Array, Params, PyTree
from funkeras.variables import current_flow, outside

__all__ = ["with_cudnn"]

PRECISIONS = (None, "float32", "highest", "high", "tensorfloat32")
"""Values of `jax_default_matmul_precision` that the operation knows."""

SAME = 1e-3
"""How far its numbers, of about 1, may be from those of the steps in float32."""


def with_cudnn(cell: Pair, use_cudnn: str | bool, unroll: bool) -> Pair:
    """An LSTM's cell with cuDNN running whole sequences of it, where that can and may be.

    Raises:
        ValueError: for what cuDNN can't do, if it is asked for.
    """
    asked = one_of("use_cudnn", use_cudnn, ("auto", True, False)) is True
    if use_cudnn is False or not isinstance(cell, Cell) or cell.builder is not lstm_cell:
        return cell
    told = cell.config
    gate = activations.get(told["recurrent_activation"])
    needs = {
        "activation='tanh'": activations.get(told["activation"]) is activations.tanh,
        "recurrent_activation='sigmoid'": gate is activations.sigmoid,
        "recurrent_dropout=0": not told["recurrent_dropout"],
        "implementation=2 with dropout": told["implementation"] == 2 or not told["dropout"],
        "unroll=False": not unroll,
    }
    lacking = [need for need, met in needs.items() if not met]
    if asked and lacking:
        raise ValueError(f"use_cudnn=True needs {', '.join(lacking)}")
    return cell if lacking else cell.changed(whole=partial(_whole, asked))


def _whole(
    asked: bool,
    scan: Callable[[], tuple[Array, States]],
    reverse: bool,
    params: Params,
    masks: PyTree,
    x: Array,
    start: Callable[[Any], States],
) -> tuple[Array, States]:
    """`Cell.whole` by cuDNN in programs for CUDA, if all is `float32`.

    It has first derivatives backwards and no others, so who has not asked for it gets it in runs
    that take no others, where it has proven itself. A program for a CPU may be traced beside a GPU,
    so both ways are in it until it is lowered. But without a GPU not even tracing works: it asks
    cuDNN how much memory the operation needs.
    """
    precision: Any = jax.config.jax_default_matmul_precision  # pyright: ignore
    flow = current_flow()
    fits = (
        jax.default_backend() == "gpu"
        and 0 not in x.shape
        and all(a.dtype == jnp.float32 for a in (x, *params.values()))
        and precision in PRECISIONS
        and distribution() is None  # each device would compute the whole batch
        and (asked or (flow is not None and flow.first_order and _proven()))
    )
    if not fits:
        return scan()
    kept = x if masks.input is None else x * masks.input[0]
    fused = partial(_fused, reverse, params, kept, start(x.dtype))
    return lax.platform_dependent(cuda=fused, default=scan)


def _fused(reverse: bool, params: Params, x: Array, states: States) -> tuple[Array, States]:
    """What the scan gives, by cuDNN: outputs of all steps, time first, and the last states."""
    kernel, recurrent = params["kernel"], params["recurrent_kernel"]
    (features, _), (units, _) = kernel.shape, recurrent.shape
    bias = params.get("bias", jnp.zeros(4 * units))
    # Its gates are in Keras's order, but there is a second bias, of the recurrence.
    parts = (kernel.T, recurrent.T, bias, jnp.zeros_like(bias))
    weights = jnp.concatenate([part.ravel() for part in parts])
    first = jnp.swapaxes(jnp.flip(x, 0) if reverse else x, 0, 1)
    lengths = jnp.full(first.shape[0], first.shape[1], jnp.int32)
    starts = [state[None] for state in states]
    ran: Any = rnn.lstm(first, *starts, weights, lengths, features, units, 1, 0.0, False)
    y, *ended = ran
    ys = jnp.swapaxes(y, 0, 1)
    return jnp.flip(ys, 0) if reverse else ys, tuple(state[0] for state in ended)


@cache
def _proven() -> bool:
    """Whether a small sequence on this machine's GPU has the numbers and gradients of the steps.

    It is tried once; where it has not, or cannot be run, a warning says why.
    """
    cell: Any = lstm_cell(5)
    draws = np.random.default_rng(0)
    x = draws.normal(size=(4, 2, 3)).astype("float32")
    params = {
        weight.name: draws.normal(size=weight.shape).astype("float32") / 2
        for weight in cell.weights((2, 3))
    }
    states = tuple(draws.normal(size=(2, 2, 5)).astype("float32"))

    def by_steps(params: Params, x: Array, states: States) -> tuple[Array, States]:
        z = cell.project(params, cell.draw(None, False, x[0]), x)
        ys = []
        for index in range(len(x)):
            step = jax.tree.map(lambda a, index=index: a[index], z)
            y, states = cell.step(params, cell.draw(None, False, x[0]), step, states)
            ys.append(y)
        return jnp.stack(ys), states

    def outcome(run: Callable[..., tuple[Array, States]]) -> PyTree:
        def total(*args: Any) -> Any:
            outputs = run(*args)
            return sum(jnp.sum(jnp.sin(a)) for a in jax.tree.leaves(outputs)), outputs

        return jax.jit(jax.grad(total, (0, 1, 2), has_aux=True))(params, x, states)

    try:
        here, exact = jax.default_device(jax.devices()[0]), jax.default_matmul_precision("float32")
        with jax.ensure_compile_time_eval(), here, exact, outside():
            own, wanted = outcome(partial(_fused, False)), outcome(by_steps)
        apart = max(
            np.max(np.abs(a - b))
            for a, b in zip(*map(jax.tree.leaves, jax.device_get((own, wanted))), strict=True)
        )
        trouble = "" if apart <= SAME else f"its numbers are {apart:.2g} from those of the steps"
    except Exception as error:  # of the driver, the library or the compiler: the scan needs none
        trouble = f"{type(error).__name__}: {error}"
    if trouble:
        warnings.warn(f"LSTM layers run without cuDNN: {trouble}", stacklevel=2)
    return not trouble
