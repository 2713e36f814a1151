"""Where a step first made a number that is not finite."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from funkeras.functional.objective import Batch
from funkeras.functional.pair import Pair
from funkeras.functional.training import TrainState, merge
from funkeras.typing import Params, PyTree, State

__all__ = ["is_finite", "origin"]


def is_finite(tree: PyTree) -> bool:
    """Whether all numbers of all arrays are finite."""
    return all(
        bool(jnp.all(jnp.isfinite(leaf)))
        for leaf in jax.tree.leaves(tree)
        if jnp.issubdtype(jnp.asarray(leaf).dtype, jnp.inexact)
    )


def origin(model: Any, engine: Any, ts: TrainState, batch: Batch) -> str:
    """What first is not finite in the step from `ts` on this batch, in the order of computing."""
    variables = {"the weights": (ts.params, ts.frozen), "the state": ts.state}
    data = {"the inputs": batch.x, "the targets": batch.y, "the sample weights": batch.weights}
    for what, tree in {**variables, **data}.items():
        if not is_finite(tree):
            return what
    found: list[str] = []
    key = ts.step_key

    def loss(params: Params) -> Any:
        value, _ = objective.judge(
            merge(params, ts.frozen), ts.state, batch, training=True, key=key
        )
        return value

    with _watched(model, found):
        objective = replace(engine.objective, pair=model.functional)
        value = loss(ts.params)
    if found:
        return f"the output of layer {found[0]!r}"
    if not is_finite(value):
        return "the loss, of outputs that are finite"
    gradients = jax.tree_util.tree_leaves_with_path(jax.grad(loss)(ts.params))
    wrong = [
        jax.tree_util.keystr(path, simple=True, separator="/")
        for path, gradient in gradients
        if not is_finite(gradient)
    ]
    return f"the gradient of {', '.join(wrong)}" if wrong else "the optimizer's update"


@contextmanager
def _watched(model: Any, found: list[str]) -> Iterator[None]:
    """Let every layer tell when its output is not finite."""
    layers = list(_leaves(model))
    pairs = [layer.pair for layer in layers]
    try:
        for layer, pair in zip(layers, pairs, strict=True):
            layer.pair = _watching(pair, layer.name, found)
        yield
    finally:
        for layer, pair in zip(layers, pairs, strict=True):
            layer.pair = pair


def _leaves(model: Any) -> Iterator[Any]:
    """The layers with a pair of their own, also those of inner models."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from _leaves(layer)
        elif "pair" in vars(layer):
            yield layer


def _watching(pair: Pair, name: str, found: list[str]) -> Pair:
    def run(params: Params, state: State, x: PyTree, **flow: Any) -> tuple[PyTree, State, PyTree]:
        y, new_state, mask = pair.run(params, state, x, **flow)
        if not is_finite(y):
            found.append(name)
        return y, new_state, mask

    return pair.rerun(run)
