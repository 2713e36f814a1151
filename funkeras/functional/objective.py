"""What training minimises and counts: an `Objective`, as a pure function of a batch.

It joins a net to the losses and metrics of its outputs, and to what is asked of its weights.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from jax import lax

from funkeras import metrics
from funkeras.functional.combinators import penalty
from funkeras.functional.masks import attach, masks_of
from funkeras.functional.pair import Pair, at
from funkeras.functional.precision import at_least_single
from funkeras.losses import Loss
from funkeras.typing import Array, Key, Params, PyTree, Shape, State
from funkeras.variables import Flow, running, value_of

__all__ = [
    "Batch",
    "Objective",
    "Outcome",
    "Output",
    "Totals",
    "meeting",
    "net_input",
    "present",
]


class Batch(NamedTuple):
    """Rows to learn from: inputs, and targets and sample weights, or None, for each output."""

    x: tuple[Array, ...]
    y: tuple[Array | None, ...]
    weights: tuple[Array | None, ...]


class Totals(NamedTuple):
    """What has been seen since the epoch began, from which its logs follow.

    Fields:
        sums: of the numbers that are averaged, each times the rows that it is of.
        rows: how many those were, for each number.
        last: the numbers of the last batch.
        states: of the metrics that have one.
    """

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
        rows: how many rows each is a mean of; a share of one where weights or a mask say so.
        judged: of each output, for the metrics with a state.
        counted: states of the metrics that user code has updated.
    """

    state: State
    numbers: Array
    rows: Array
    judged: Judged
    counted: tuple[PyTree, ...]


class Output(NamedTuple):
    """How one output of the net is judged.

    Fields:
        loss: from targets and predictions to one value per sample (and per step of a sequence).
        weight: its share in the total loss, a number or a variable.
        means: functions of targets and predictions that are averaged, and whether by the weights.
        stateful: `(init, update, result)` objects that keep a state of their own, likewise.
        reduction: name of the rule that makes one number of the values.
        shape: of the output, the batch first.
    """

    loss: Callable[[Any, Array], Array] | None
    weight: Any = 1.0
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
        stand: lets params and state stand, in a run, for the variables of the net's layers, so that
            user code may read those of any layer.
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
    stand: Callable[[Flow, Params, State], None] | None = None

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
        return Totals(zeros, zeros, zeros, tuple(states))

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
            if self.stand is not None:
                self.stand(flow, params, state)
            flow.counting = dict(zip(self.counting, states, strict=True))
            came = self._judge(params, state, batch, training, key, valid)
            value, after, numbers, rows, judged = came
            counted = tuple(flow.counting.values())
            return value, Outcome(after, numbers, rows, judged, counted)

    def _judge(
        self,
        params: Params,
        state: State,
        batch: Batch,
        training: bool,
        key: Key | None,
        valid: Array | None,
    ) -> tuple[Array, State, Array, Array, Judged]:
        x = net_input(batch.x, self.input_dtypes)
        if self.inside:
            inputs = x if isinstance(x, tuple) else (x,)
            x = (*inputs, *(batch.y[number] for number in self.inside))
        y_pred, new_state, mask = self.pair.run(params, state, x, training=training, key=key)
        leaves = jax.tree.leaves(y_pred)
        predictions = leaves[: len(self.outputs)]
        rows = jnp.asarray(batch.x[0].shape[0] if valid is None else jnp.sum(valid), jnp.float32)
        inside = dict(zip(self.inside, leaves[len(self.outputs) :], strict=True))
        masks = masks_of(leaves, mask)[: len(predictions)]
        means, counts, judged = [], [], []
        cases = zip(self.outputs, predictions, batch.y, batch.weights, masks, strict=True)
        for output, pred, true, weights, own_mask in cases:
            true, pred = meeting(true, pred)
            for function, weighted in output.means:
                scores, shares = function(true, pred), weights if weighted else None
                own = own_mask if self.masked else None
                if own is not None and not self.classic:
                    shares, own = present(own, shares), None
                means.append(self._reduce(scores, shares, own, valid, "mean"))
                counts.append(_rows(scores, None if self.classic else shares, valid, rows))
            judged.append((true, pred, weights, None if self.classic else own_mask))
        losses = self.losses(predictions, batch.y, batch.weights, masks, valid, inside)
        total = self.total(params, losses, [penalty(new_state)])
        if self.rule is not None:
            attach(predictions, masks)
            total = self.rule(params, new_state, x, batch, predictions, training, key)
        shown = [total, *(losses if len(self.outputs) > 1 else []), *means]
        shown += [at(new_state, path) for path in self.reported]
        numbers = jnp.stack([jnp.asarray(number, jnp.float32) for number in shown])
        of_losses = len(shown) - len(means) - len(self.reported)
        counts = [*[rows] * of_losses, *counts, *[rows] * len(self.reported)]
        numbers, counts = lax.stop_gradient((numbers, jnp.stack(counts)))
        return jnp.asarray(total), new_state, numbers, counts, tuple(judged)

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
                if known is None and isinstance(output.loss, Loss):  # its class reduces by itself
                    found.append(output.loss(*meeting(true, pred), sample_weight=own))
                    continue
                scores = output.loss(*meeting(true, pred)) if known is None else known
                found.append(self._reduce(scores, own, mask, valid, output.reduction))
        return found

    def total(self, params: Params, losses: Sequence[Any], told: Sequence[Any]) -> Any:
        """The outputs' losses by their shares, what the net told, and penalties on weights."""
        shares = [value_of(output.weight) for output in self.outputs if output.loss is not None]
        total = sum(share * loss for share, loss in zip(shares, losses, strict=True)) + sum(told)
        return total + sum(penalize(at(params, path)) for path, penalize in self.penalties)

    @property
    def _reduce(self) -> Callable[..., Array]:
        return _reduce_classic if self.classic else _reduce_modern

    def add(self, totals: Totals, outcome: Outcome, valid: Array | None = None) -> Totals:
        """Totals with one more batch."""
        _, numbers, rows, judged, counted = outcome
        states = [*totals.states[: len(totals.states) - len(counted)], *counted]
        index = 0
        for output, (true, pred, weights, mask) in zip(self.outputs, judged, strict=True):
            for metric, by_weight in output.stateful:
                own = weights if by_weight else None
                if metric.masked and mask is not None:
                    own = present(mask, own)
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


def _rows(scores: Array, weights: Array | None, valid: Array | None, rows: Array) -> Array:
    """How many of the rows a mean of scores is of, where weights tell how much each counts."""
    if weights is None or scores.ndim == 0:
        return rows
    shares = _along(weights.astype(jnp.float32), scores)
    if valid is not None:
        shares = shares * _along(valid, scores)
    return jnp.sum(jnp.broadcast_to(shares, scores.shape)) * (scores.shape[0] / scores.size)


def _mean(values: Array, valid: Array | None) -> Array:
    """Mean over all entries of the rows that count."""
    if valid is None or values.ndim == 0:
        return jnp.mean(values)
    rows = jnp.sum(valid) * (values.size / values.shape[0])
    return jnp.sum(jnp.where(_along(valid, values) > 0, values, 0)) / rows


def _along(weights: Array, values: Array) -> Array:
    """Weights with as many axes as the values they multiply."""
    return weights.reshape(weights.shape + (1,) * (values.ndim - weights.ndim))


def present(mask: Array, weights: Array | None) -> Array:
    """Weights of what a mask leaves."""
    shown = mask.astype(jnp.float32)
    if weights is None:
        return shown
    longer = weights.ndim >= shown.ndim
    return weights * _along(shown, weights) if longer else _along(weights, shown) * shown


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
