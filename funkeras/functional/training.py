"""Training as pure functions: an `Objective`, its `TrainState`, and loops that run on the device.

`run_steps` takes any number of steps in one compiled program: the bounds of its loop are values, so
a chunk of one step and a chunk of an epoch are the same program.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from jax import lax, random

from funkeras import metrics, optimizers
from funkeras.functional.combinators import penalty
from funkeras.functional.pair import Pair, at
from funkeras.functional.precision import at_least_single
from funkeras.optimizers import OptimizerState
from funkeras.typing import Array, ArrayLike, Key, Params, PyTree, Shape, State
from funkeras.variables import running

__all__ = [
    "Batch",
    "Objective",
    "Outcome",
    "Output",
    "Totals",
    "TrainState",
    "evaluate_steps",
    "flat",
    "judged_batch",
    "meeting",
    "merge",
    "net_input",
    "run_steps",
    "scaled_gradients",
    "select",
    "told",
    "train_step",
    "updated",
    "written_step",
]


class Batch(NamedTuple):
    """Rows to learn from: inputs, and targets and sample weights, or None, for each output."""

    x: tuple[Array, ...]
    y: tuple[Array | None, ...]
    weights: tuple[Array | None, ...]


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


class Totals(NamedTuple):
    """What has been seen since the epoch began, from which its logs follow."""

    sums: Array
    rows: Array
    last: Array
    states: tuple[PyTree, ...]


Judged: TypeAlias = tuple[tuple[Array | None, Array, Array | None, Array | None], ...]
"""Targets, predictions, weights and mask of each output, for the metrics with a state."""


class Outcome(NamedTuple):
    """What comes of a batch besides its loss.

    Fields:
        state: the net's, that follows.
        numbers: all that are averaged, the loss first.
        judged: of each output, for the metrics with a state.
        counted: states of the metrics that user code has updated.
    """

    state: State
    numbers: Array
    judged: Judged
    counted: tuple[PyTree, ...]


class Output(NamedTuple):
    """How one output of the net is judged.

    Fields:
        loss: from targets and predictions to one value per sample (and per step of a sequence).
        weight: its share in the total loss.
        means: functions of targets and predictions that are averaged, and whether by the weights.
        stateful: `(init, update, result)` objects that keep a state of their own, likewise.
        reduction: name of the rule that makes one number of the values.
        shape: of the output, the batch first.
    """

    loss: Callable[[Any, Array], Array] | None
    weight: float = 1.0
    means: tuple[tuple[Callable[[Any, Array], Array], bool], ...] = ()
    stateful: tuple[tuple[metrics.Metric, bool], ...] = ()
    reduction: str | None = "sum_over_batch_size"
    shape: Shape = ()


@dataclass(frozen=True, eq=False)
class Objective:
    """A net, what is asked of its outputs, and what is asked of its weights.

    Fields:
        classic: reduce losses as Keras 1 and 2.2.4 do, dividing by the share of non-zero weights.
        masked: metrics leave out what a mask hides, as in all Kerases but the first.
        penalties, constraints: (path of a weight, function) pairs.
        input_dtypes: dtypes that inputs are cast to, in the order of their leaves.
        reported: paths of the numbers in the state that go to the logs.
        inside: numbers of the outputs whose loss the pair computes: it takes their targets after
            the inputs, and gives their scores after the outputs.
        rule: what gives the loss in the place of `total`, from the parameters, the state that
            follows, the input, the batch, the predictions, whether it trains, and a key.
        counting: metrics that user code updates while it runs.
    """

    pair: Pair
    outputs: tuple[Output, ...]
    classic: bool
    penalties: tuple[tuple[str, Callable[[Array], Array]], ...] = ()
    constraints: tuple[tuple[str, Callable[[Array], Array]], ...] = ()
    input_dtypes: tuple[str, ...] = ("float32",)
    reported: tuple[str, ...] = ()
    inside: tuple[int, ...] = ()
    masked: bool = True
    rule: Callable[..., Array] | None = None
    counting: tuple[metrics.Metric, ...] = ()

    @property
    def width(self) -> int:
        """How many numbers are averaged: the loss, each output's if there are several, metrics."""
        own = [output for output in self.outputs if output.loss is not None]
        several = len(own) if len(self.outputs) > 1 else 0
        means = sum(len(output.means) for output in self.outputs)
        return 1 + several + means + len(self.reported)

    def start(self) -> Totals:
        """Totals of nothing."""
        states = [
            metric.init(output.shape) for output in self.outputs for metric, _ in output.stateful
        ]
        states += [metric.fresh_state for metric in self.counting]
        zeros = jnp.zeros(self.width, jnp.float32)
        return Totals(zeros, jnp.zeros((), jnp.float32), zeros, tuple(states))

    def results(self, totals: Totals) -> list[Any]:
        """What the metrics with a state have come to."""
        own = [metric for output in self.outputs for metric, _ in output.stateful]
        every = zip([*own, *self.counting], totals.states, strict=True)
        return [metric.result(state) for metric, state in every]

    def hand_over(self, totals: Totals) -> None:
        """Give the metrics that user code updates what they have counted."""
        for metric, state in zip(self.counting, self.counted(totals), strict=True):
            metric.state = state

    def counted(self, totals: Totals) -> tuple[PyTree, ...]:
        """The states of the metrics that user code updates."""
        return totals.states[len(totals.states) - len(self.counting) :]

    def judge(
        self,
        params: Params,
        state: State,
        batch: Batch,
        *,
        training: bool,
        key: Key | None,
        valid: Array | None = None,
        totals: Totals | None = None,
    ) -> tuple[Array, Outcome]:
        """The loss of a batch, and what else comes of it.

        `valid` marks the rows that count, where a batch was padded to a fixed size. The metrics
        that user code updates go on from `totals`.
        """
        states = self.counted(self.start() if totals is None else totals)
        with running(training, key) as flow:  # user code in losses and regularizers takes part
            flow.counting = dict(zip(self.counting, states, strict=True))
            value, after, numbers, judged = self._judge(params, state, batch, training, key, valid)
            return value, Outcome(after, numbers, judged, tuple(flow.counting.values()))

    def _judge(
        self,
        params: Params,
        state: State,
        batch: Batch,
        training: bool,
        key: Key | None,
        valid: Array | None,
    ) -> tuple[Array, State, Array, Judged]:
        x = net_input(batch.x, self.input_dtypes)
        if self.inside:
            inputs = x if isinstance(x, tuple) else (x,)
            x = (*inputs, *(batch.y[number] for number in self.inside))
        y_pred, new_state, mask = self.pair.run(params, state, x, training=training, key=key)
        leaves = jax.tree.leaves(y_pred)
        predictions = leaves[: len(self.outputs)]
        inside = dict(zip(self.inside, leaves[len(self.outputs) :], strict=True))
        masks = (
            jax.tree.leaves(mask, is_leaf=lambda leaf: leaf is None) if mask is not None else [None]
        )
        masks = masks if len(masks) == len(leaves) else [None] * len(leaves)
        masks = masks[: len(predictions)]
        means, judged = [], []
        cases = zip(self.outputs, predictions, batch.y, batch.weights, masks, strict=True)
        for output, pred, true, weights, own_mask in cases:
            true, pred = meeting(true, pred)
            for function, weighted in output.means:
                shares = weights if weighted else None
                own = own_mask if self.masked else None
                means.append(self._reduce(function(true, pred), shares, own, valid, "mean"))
            judged.append((true, pred, weights, None if self.classic else own_mask))
        losses = self.losses(predictions, batch.y, batch.weights, masks, valid, inside)
        total = self.total(params, losses, [penalty(new_state)])
        if self.rule is not None:
            total = self.rule(params, new_state, x, batch, predictions, training, key)
        shown = [total, *(losses if len(self.outputs) > 1 else []), *means]
        shown += [at(new_state, path) for path in self.reported]
        numbers = jnp.stack([jnp.asarray(number, jnp.float32) for number in shown])
        return jnp.asarray(total), new_state, lax.stop_gradient(numbers), tuple(judged)

    def losses(
        self,
        predictions: Sequence[Array],
        targets: Sequence[Array | None],
        weights: Sequence[Array | None],
        masks: Sequence[Array | None],
        valid: Array | None = None,
        inside: Mapping[int, Array] | None = None,
    ) -> list[Array]:
        """The loss of each output that has one; `inside` are scores that are known, by number."""
        found = []
        cases = zip(self.outputs, predictions, targets, weights, masks, strict=True)
        for number, (output, pred, true, own, mask) in enumerate(cases):
            if output.loss is not None:
                known = (inside or {}).get(number)
                scores = output.loss(*meeting(true, pred)) if known is None else known
                found.append(self._reduce(scores, own, mask, valid, output.reduction))
        return found

    def total(self, params: Params, losses: Sequence[Any], told: Sequence[Any]) -> Any:
        """The outputs' losses by their shares, what the net told, and penalties on weights."""
        shares = [output.weight for output in self.outputs if output.loss is not None]
        total = sum(share * loss for share, loss in zip(shares, losses, strict=True)) + sum(told)
        return total + sum(penalize(at(params, path)) for path, penalize in self.penalties)

    @property
    def _reduce(self) -> Callable[..., Array]:
        return _reduce_classic if self.classic else _reduce_modern

    def add(self, totals: Totals, outcome: Outcome, valid: Array | None = None) -> Totals:
        """Totals with one more batch."""
        _, numbers, judged, counted = outcome
        size = judged[0][1].shape[0] if judged else 0
        rows = jnp.asarray(size, jnp.float32) if valid is None else jnp.sum(valid)
        states = [*totals.states[: len(totals.states) - len(counted)], *counted]
        index = 0
        for output, (true, pred, weights, mask) in zip(self.outputs, judged, strict=True):
            for metric, by_weight in output.stateful:
                own = weights if by_weight else None
                if metric.masked and mask is not None:
                    own = _present(mask, own)
                if valid is not None:
                    own = valid if own is None else own * _along(valid, own)
                states[index] = metric.update(states[index], true, pred, weights=own)
                index += 1
        sums = totals.sums + numbers * rows
        return Totals(sums, totals.rows + rows, numbers, tuple(states))


def net_input(inputs: tuple[Array, ...], dtypes: tuple[str, ...]) -> PyTree:
    """What a net is applied to: the arrays in the dtypes it takes; one array stands alone.

    Where 64 bits are switched off, an input of `int64` is one of `int32`.
    """
    known = map(jax.dtypes.canonicalize_dtype, dtypes)
    cast = tuple(a.astype(dtype) for a, dtype in zip(inputs, known, strict=True))
    return cast[0] if len(cast) == 1 else cast


def meeting(true: Any, pred: Array) -> tuple[Any, Array]:
    """A target and its prediction, of equal ranks and enough precision for functions of users."""
    pred = pred.astype(at_least_single(pred.dtype))
    if true is not None and true.ndim == 1 and pred.ndim > 1:
        true = true[:, None]
    return true, pred


def _mean(values: Array, valid: Array | None) -> Array:
    """Mean over all entries of the rows that count."""
    if valid is None or values.ndim == 0:
        return jnp.mean(values)
    rows = jnp.sum(valid) * (values.size / values.shape[0])
    return jnp.sum(jnp.where(_along(valid, values) > 0, values, 0)) / rows


def _along(weights: Array, values: Array) -> Array:
    """Weights with as many axes as the values they multiply."""
    return weights.reshape(weights.shape + (1,) * (values.ndim - weights.ndim))


def _present(mask: Array, weights: Array | None) -> Array:
    """Weights of what a mask leaves."""
    present = mask.astype(jnp.float32)
    if weights is None:
        return present
    longer = weights.ndim >= present.ndim
    return weights * _along(present, weights) if longer else _along(weights, present) * present


def _reduce_classic(
    scores: Array, weights: Array | None, mask: Array | None, valid: Array | None, rule: str | None
) -> Array:
    """Keras 1 and 2.2.4: the mean of weighted scores over the share of non-zero weights."""
    if scores.ndim == 0:
        return scores
    if mask is not None:
        present = mask.astype(scores.dtype)
        scores = scores * present / _mean(present, valid)
    if weights is not None:
        scores = jnp.mean(scores, axis=tuple(range(weights.ndim, scores.ndim)))
        scores = scores * weights / _mean((weights != 0).astype(scores.dtype), valid)
    return _mean(scores, valid)


def _reduce_modern(
    scores: Array, weights: Array | None, mask: Array | None, valid: Array | None, rule: str | None
) -> Array:
    """tf.keras and Keras 3: the weighted sum over the number of scores, however they weigh."""
    if scores.ndim == 0:
        return scores
    if mask is not None:
        present = mask.astype(scores.dtype)
        scores = scores * _along(present, scores) / _mean(present, valid)
    shares = jnp.ones((), scores.dtype)
    if weights is not None:
        shares = _along(weights.astype(scores.dtype), scores)
    if valid is not None:
        shares = shares * _along(valid, scores)
        scores = jnp.where(_along(valid, scores) > 0, scores, 0)
    total = jnp.sum(scores * shares)
    if rule in ("sum", None):
        return total
    if rule in ("mean_with_sample_weight", "mean") and weights is not None:
        return total / jnp.sum(jnp.broadcast_to(shares, scores.shape))
    return _mean(scores * shares, valid)


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
    return jax.tree.map(
        lambda a: a.at[index].get(mode="promise_in_bounds", unique_indices=False), data
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
