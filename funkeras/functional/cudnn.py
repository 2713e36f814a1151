"""Long short-term memory by cuDNN's operation, for those who ask and where it can be had."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.experimental import rnn

from funkeras import activations
from funkeras.functional.cells import States, lstm_cell
from funkeras.functional.checks import one_of
from funkeras.functional.pair import Pair
from funkeras.typing import Array, Params, PyTree

__all__ = ["with_cudnn"]

PRECISIONS = (None, "float32", "highest", "high", "tensorfloat32")
"""Values of `jax_default_matmul_precision` that the operation knows."""


def with_cudnn(cell: Pair, use_cudnn: str | bool, unroll: bool) -> Pair:
    """An LSTM's cell with cuDNN running whole sequences of it, if that is asked for.

    Raises:
        ValueError: for what cuDNN can't do.
    """
    chosen = one_of("use_cudnn", use_cudnn, ("auto", True, False)) not in ("auto", False)
    if not chosen or cell.builder is not lstm_cell:
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
    if lacking := [need for need, met in needs.items() if not met]:
        raise ValueError(f"use_cudnn=True needs {', '.join(lacking)}")
    return cell.changed(whole=_whole)


def _whole(
    scan: Callable[[], tuple[Array, States]],
    reverse: bool,
    params: Params,
    masks: PyTree,
    x: Array,
    start: Callable[[Any], States],
) -> tuple[Array, States]:
    """`Cell.whole` by cuDNN in programs for CUDA, if all is `float32`.

    A program for a CPU may be traced beside a GPU, so both ways are in it until it is lowered. But
    without a GPU not even tracing works: it asks cuDNN how much memory the operation needs.
    """
    precision: Any = jax.config.jax_default_matmul_precision  # pyright: ignore
    fits = (
        jax.default_backend() == "gpu"
        and 0 not in x.shape
        and all(a.dtype == jnp.float32 for a in (x, *params.values()))
        and precision in PRECISIONS
    )

    def fused() -> tuple[Array, States]:
        kernel, recurrent = params["kernel"], params["recurrent_kernel"]
        (features, _), (units, _) = kernel.shape, recurrent.shape
        bias = params.get("bias", jnp.zeros(4 * units))
        # Its gates are in Keras's order, but there is a second bias, of the recurrence.
        parts = (kernel.T, recurrent.T, bias, jnp.zeros_like(bias))
        weights = jnp.concatenate([part.ravel() for part in parts])
        kept = x if masks.input is None else x * masks.input[0]
        first = jnp.swapaxes(jnp.flip(kept, 0) if reverse else kept, 0, 1)
        states = [state[None] for state in start(x.dtype)]
        lengths = jnp.full(first.shape[0], first.shape[1], jnp.int32)
        ran: Any = rnn.lstm(first, *states, weights, lengths, features, units, 1, 0.0, False)
        y, *states = ran
        ys = jnp.swapaxes(y, 0, 1)
        return jnp.flip(ys, 0) if reverse else ys, tuple(state[0] for state in states)

    return lax.platform_dependent(cuda=fused, default=scan) if fits else scan()
