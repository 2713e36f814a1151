"""Training as pure functions: a `TrainState`, its steps, and loops that run on the device.

`run_steps` takes any number of steps in one compiled program: the bounds of its loop are values, so
a chunk of one step and a chunk of an epoch are the same program.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax, random

from funkeras import optimizers
from funkeras.distribution.placing import divided
from funkeras.functional.objective import Batch, Objective, Totals
from funkeras.functional.pair import at
from funkeras.optimizers import OptimizerState
from funkeras.typing import Array, ArrayLike, Key, Params, PyTree, State

__all__ = [
    "TrainState",
    "evaluate_steps",
    "flat",
    "judged_batch",
    "merge",
    "run_steps",
    "scaled_gradients",
    "select",
    "told",
    "train_step",
    "updated",
    "written_step",
]


class TrainState(NamedTuple):
    """Everything that training changes. A plain pytree: saving it resumes exactly.

    `params` are the trainable arrays, `frozen` the others of the same nested dicts. `key` is a key
    or its data, with which JAX starts a program sooner.
    """

    params: Params
    frozen: Params
    state: State
    optimizer: OptimizerState
    step: ArrayLike
    key: Key

    @property
    def step_key(self) -> Key:
        """The key of the present step."""
        typed = jnp.issubdtype(self.key.dtype, jax.dtypes.prng_key)
        key = self.key if typed else random.wrap_key_data(self.key, impl="threefry2x32")
        return random.fold_in(key, self.step)


def select(tree: Params, keep: Callable[[str], bool], prefix: str = "") -> Params:
    """The entries of nested dicts whose path `keep` accepts."""
    chosen: Params = {}
    for name, value in tree.items():
        path = f"{prefix}{name}"
        if isinstance(value, dict):
            inner = select(value, keep, f"{path}/")
            if inner:
                chosen[name] = inner
        elif keep(path):
            chosen[name] = value
    return chosen


def merge(first: Params, second: Params) -> Params:
    """Nested dicts with the entries of both."""
    both = dict(first)
    for name, value in second.items():
        inner = isinstance(value, dict) and name in both
        both[name] = merge(both[name], value) if inner else value
    return both


def replaced(tree: Params, path: str, value: Any) -> Params:
    """Nested dicts with another entry at `a/b/c`."""
    name, _, rest = path.partition("/")
    return {**tree, name: replaced(tree[name], rest, value) if rest else value}


def train_step(
    objective: Objective,
    updates: Any,
    ts: TrainState,
    batch: Batch,
    totals: Totals,
) -> tuple[TrainState, Totals]:
    """One update by the gradient of the loss, then each constraint, then the logs.

    `updates` has the optimizer's pure functions `init` and `update`.
    """

    def loss(params: Params) -> Any:
        everything = merge(params, ts.frozen)
        key = ts.step_key
        return objective.judge(everything, ts.state, batch, training=True, key=key, totals=totals)

    gradients, outcome = scaled_gradients(loss, ts)
    after = updated(objective, updates, ts, gradients, outcome.state)
    return after, objective.add(totals, outcome)


def scaled_gradients(loss: Callable[[Params], Any], ts: TrainState) -> tuple[Params, Any]:
    """Gradients of `loss(params)`, which gives a number and anything else, and what else it gave.

    They are multiplied by the scale that the optimizer asks for, whose update divides it out.
    """
    scale = {**ts.optimizer.hyperparameters, **ts.optimizer.scalars}.get(
        "dynamic_scale", ts.optimizer.hyperparameters.get("loss_scale_factor")
    )

    def scaled(params: Params) -> Any:
        value, rest = loss(params)
        return value if scale is None else value * scale, rest

    return jax.grad(scaled, has_aux=True)(ts.params)


def updated(
    objective: Objective, updates: Any, ts: TrainState, gradients: Params, state: State
) -> TrainState:
    """The train state after one update of the optimizer, and then of each constraint."""
    changes, optimizer = updates.update(gradients, ts.optimizer, ts.params)
    params = jax.tree.map(lambda p, change: (p + change).astype(p.dtype), ts.params, changes)
    for path, project in objective.constraints:
        params = replaced(params, path, project(at(params, path)))
    return ts._replace(params=params, state=state, optimizer=optimizer, step=ts.step + 1)


def judged_batch(
    objective: Objective,
    params: Params,
    state: State,
    totals: Totals,
    batch: Batch,
    key: Key | None,
    valid: Array,
) -> tuple[Totals, State]:
    """The totals with one more batch at inference, and the state that follows."""
    _, outcome = objective.judge(
        params, state, batch, training=False, key=key, valid=valid, totals=totals
    )
    return objective.add(totals, outcome, valid), outcome.state


def written_step(
    step: Callable[..., tuple[TrainState, Mapping[str, Any], Sequence[PyTree]]],
    names: Sequence[str],
    ts: TrainState,
    batch: Batch,
    totals: Totals,
) -> tuple[TrainState, Totals]:
    """A step that a user wrote, and the totals with the numbers that it gives for the logs.

    `step(ts, batch, states)` goes on from the states of metrics that it counts in.
    """
    after, logs, states = step(ts, batch, totals.states)
    like = jax.tree.map(lambda new, old: jnp.asarray(new, jnp.result_type(old)), after, ts)
    return like, told(totals, names, logs, states, batch)


def told(
    totals: Totals,
    names: Sequence[str],
    logs: Mapping[str, Any],
    states: Sequence[PyTree],
    batch: Batch,
) -> Totals:
    """The totals with the numbers that a user's step gives for the logs of one more batch."""
    known = flat(logs)
    numbers = jnp.stack([jnp.asarray(known[name], jnp.float32) for name in names])
    rows = jnp.asarray(batch.x[0].shape[0], jnp.float32)
    return Totals(totals.sums + numbers * rows, totals.rows + rows, numbers, tuple(states))


def flat(logs: Mapping[str, Any]) -> dict[str, Any]:
    """Logs without the dicts in them, whose entries have names of their own."""
    found: dict[str, Any] = {}
    for name, value in logs.items():
        found |= flat(value) if isinstance(value, Mapping) else {name: value}
    return found


def _rows(data: PyTree, index: Array) -> PyTree:
    return divided(
        jax.tree.map(
            lambda a: a.at[index].get(mode="promise_in_bounds", unique_indices=False), data
        )
    )


def run_steps(
    step: Callable[[TrainState, Batch, Totals], tuple[TrainState, Totals]],
    ts: TrainState,
    hyperparameters: Mapping[str, Any],
    totals: Totals,
    data: Batch,
    order: Array,
    start: Array | int,
    stop: Array | int,
) -> tuple[TrainState, Totals]:
    """Train by `step` on the batches `start … stop` of an order of the rows of `data`.

    `order` holds row numbers, (steps, batch size). One compiled program serves all bounds.
    """
    ts = ts._replace(optimizer=optimizers.with_hyperparameters(ts.optimizer, hyperparameters))

    def body(index: Array, carry: tuple[TrainState, Totals]) -> tuple[TrainState, Totals]:
        return step(carry[0], _rows(data, order[index]), carry[1])

    return lax.fori_loop(start, stop, body, (ts, totals))


def evaluate_steps(
    judge: Callable[..., tuple[Totals, State]],
    params: Params,
    state: State,
    totals: Totals,
    data: Batch,
    order: Array,
    rows: Array | int,
    start: Array | int,
    stop: Array | int,
    *,
    key: Key | None = None,
) -> tuple[Totals, State]:
    """Add the batches `start … stop` of an order to the totals; its first `rows` entries count.

    `judge` does so for a batch, as `judged_batch`. Recurrent states go on from batch to batch.
    A key is needed where user code draws random numbers at inference too.
    """

    def body(index: Array, carry: tuple[Totals, State]) -> tuple[Totals, State]:
        totals, state = carry
        at, batch = index * order.shape[1], order[index]
        valid = (at + jnp.arange(len(batch)) < rows).astype(jnp.float32)
        own = None if key is None else random.fold_in(key, at)
        return judge(params, state, totals, _rows(data, batch), own, valid)

    return lax.fori_loop(start, stop, body, (totals, state))
