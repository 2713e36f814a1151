"""The engine of a compiled model: its objective, optimizer and programs, and where a run is."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from funkeras import config, losses, metrics
from funkeras.distribution import distribution
from funkeras.distribution.placing import like_weights
from funkeras.functional.combinators import reports, unique_names
from funkeras.functional.objective import Objective, Output, Totals
from funkeras.functional.training import (
    TrainState,
    evaluate_steps,
    flat,
    judged_batch,
    merge,
    run_steps,
    select,
    train_step,
)
from funkeras.layers.inside import bind
from funkeras.models.data import Ask, Piece
from funkeras.models.judging import Judged
from funkeras.optimizers import Optimizer
from funkeras.programs import Program
from funkeras.tracing import trace
from funkeras.typing import PyTree

__all__ = ["Engine", "Pace", "Progress", "Source", "always_trains", "make_engine"]


TRIED = 8
"""Rows of the stand-ins that losses and metrics are tried on."""


def seed_key() -> jax.Array:
    """The data of a key that follows from NumPy's global generator, without advancing it.

    Old scripts seed that generator and then expect its next draws to shuffle their data.
    """
    generator = np.random.RandomState()
    generator.set_state(np.random.get_state())
    data = generator.randint(0, 2**32, size=2, dtype=np.uint32)
    return jnp.asarray(data)


class Pace:
    """How many steps to run in one program, so that it takes about so many seconds.

    What it learned stays with the engine, so that a second `fit` starts at full length.
    """

    def __init__(self) -> None:
        self.step_seconds: float | None = None
        self._before = 0
        self._began = 0.0

    def next(self, left: int, seconds: float) -> int:
        """The length of the next chunk, given how many steps are left."""
        self._began = time.perf_counter()
        fitting = 1 if self.step_seconds is None else max(1, int(seconds / self.step_seconds))
        # The first chunks include compilation: grow carefully until the estimate is sound.
        return min(left, fitting, max(1, 16 * self._before))

    def done(self, steps: int) -> None:
        """Learn from the chunk that just ended; one slow chunk may have been compiled first."""
        took = max(time.perf_counter() - self._began, 1e-6) / steps
        self.step_seconds = took if self.step_seconds is None else min(took, 2 * self.step_seconds)
        self._before = max(steps, self._before)


class Source(Protocol):
    """Batches to learn from or to be judged by: `Epochs` of arrays, or a `Stream`."""

    @property
    def samples(self) -> int | None:
        """Rows in an epoch, if that is known."""
        ...

    @property
    def steps(self) -> int | None:
        """Batches in an epoch, if that is known."""
        ...

    def begin(self) -> None:
        """Prepare the next epoch."""
        ...

    def pieces(self, ask: Ask, first: int = 0) -> Iterator[Piece]:
        """The batches of the epoch, from number `first` on where they have numbers."""
        ...

    def judged(self, paddable: bool, ask: Ask = ...) -> Iterator[Piece]:
        """All batches at inference, filled up to one size if they may be."""
        ...

    def close(self) -> None:
        """End what runs ahead."""
        ...


@dataclass
class Progress:
    """Where a run is: with the model's and the engine's arrays, enough to go on from there."""

    source: Source
    epoch: int = 0
    batch: int = 0
    seen: int = 0
    totals: Any = None
    reapply: Callable[[], None] | None = None


@dataclass(eq=False)
class Tally:
    """How numbers of batches become logs: their names, and whether and where each has a state."""

    names: list[str]
    sources: list[tuple[bool, int]]
    start: Callable[[], Any]
    results: Callable[[Totals], Sequence[Any]]
    hand_over: Callable[[Totals], None] = lambda totals: None
    """Gives the metrics that user code updates what they have counted."""

    own_results: Callable[[], Mapping[str, Any]] = dict
    """What the model says then of these metrics; with the names of the logs it takes their place,
    as in Keras 3."""

    def __post_init__(self) -> None:
        self.fresh = jax.jit(self.start)
        self.results = jax.jit(self.results)
        self.has_results = any(stateful for stateful, _ in self.sources)

    def logs(self, totals: Any) -> dict[str, Any]:
        """What has been averaged since the epoch began, by name."""
        own = self.results(totals) if self.has_results else []
        sums, rows, ended = jax.device_get((totals.sums, totals.rows, own))
        numbers = sums / np.where(rows, rows, 1)
        values = [ended[index] if stateful else numbers[index] for stateful, index in self.sources]
        return _shown(self.names, values)

    def end(self, totals: Any) -> dict[str, Any]:
        """The logs of a pass that is over, whose counts the metrics have from now on."""
        logs = self.logs(totals)
        self.hand_over(totals)
        own = flat(self.own_results())
        return _shown(logs, map(np.asarray, map(own.get, logs))) if {*own} == {*logs} else logs

    def last(self, totals: Any) -> dict[str, Any]:
        """The last batch's own numbers, and of metrics with a state what they are now."""
        logs = self.logs(totals)
        numbers = np.asarray(totals.last)
        own = zip(self.names, self.sources, strict=True)
        return logs | {name: numbers[i].item() for name, (stateful, i) in own if not stateful}


def _shown(names: Iterable[str], values: Iterable[Any]) -> dict[str, Any]:
    """Logs with plain numbers."""
    pairs = zip(names, values, strict=True)
    return {name: value.item() if value.ndim == 0 else value for name, value in pairs}


@dataclass(eq=False)
class Engine:
    """A compiled model: what it minimizes, how, and the programs that XLA made of it."""

    objective: Objective
    optimizer: Optimizer
    judged: Tally
    is_trainable: Callable[[str], bool]
    paddable: bool
    slots: PyTree = None
    step: int = 0
    key: jax.Array = field(default_factory=seed_key)
    pace: Pace = field(default_factory=Pace)
    progress: "Progress | None" = None
    listed: Any = None
    """Its steps as Keras 3 has them, once they were asked for."""
    uses_steps: bool = False
    """Whether the steps that a subclass writes have been looked for."""

    def __post_init__(self) -> None:
        updates = self.optimizer.functional
        first_order = self.objective.rule is None  # a user's may take any derivatives
        self.train_by(partial(train_step, self.objective, updates), self.judged, first_order)
        self.judge_by(partial(judged_batch, self.objective), self.judged, first_order)
        self.init_slots = jax.jit(updates.init)

    def train_by(self, step: Callable[..., Any], tally: Tally, first_order: bool = False) -> None:
        """Train by a step like `train_step`; whether it takes first derivatives alone."""
        self.trained = tally
        self.run = Program(partial(run_steps, step), training=True, first_order=first_order)

    def judge_by(self, judge: Callable[..., Any], tally: Tally, first_order: bool = False) -> None:
        """Evaluate by a function like `judged_batch`; whether it takes first derivatives alone."""
        self.judged = tally
        self.judge = Program(partial(evaluate_steps, judge), first_order=first_order)

    def train_state(self, params: PyTree, state: PyTree) -> TrainState:
        """Everything that the next steps change, from the model's variables as they are now."""
        trainable = select(params, self.is_trainable)
        frozen = select(params, lambda path: not self.is_trainable(path))
        if self.slots is None:
            self.slots = self.init_slots(trainable)
        if distribution() is not None:
            self.slots = like_weights(self.slots, trainable)
        step = np.asarray(self.step, np.int32)
        return TrainState(trainable, frozen, state, self.slots, step, self.key)

    def finish(self, model: Any) -> None:
        """Keep what the optimizer says to keep after training: averages of the weights, say."""
        ts = self.train_state(model.params, model.state)
        kept = self.optimizer.finalize(ts.params, ts.optimizer)
        if kept is not ts.params:
            model.adopt(merge(kept, ts.frozen), ts.state)

    def take_averages(self, model: Any, swap: bool) -> None:
        """Give a model the moving averages of its weights; `swap` keeps these in their place.

        Raises:
            ValueError: if the optimizer keeps none.
        """
        ts = self.train_state(model.params, model.state)
        averages = getattr(ts.optimizer, "slots", {}).get("average")
        if averages is None:
            raise ValueError("the optimizer keeps no averages of weights: it needs use_ema=True")
        kept = jax.tree.map(lambda p, a: a.astype(p.dtype), ts.params, averages)
        if swap:
            own = jax.tree.map(lambda p, a: p.astype(a.dtype), ts.params, averages)
            slots = {**ts.optimizer.slots, "average": own}
            self.slots = ts.optimizer._replace(slots=slots)
        model.adopt(merge(kept, ts.frozen), ts.state)

    def about(self, batch: int, size: int) -> dict[str, Any]:
        """What a batch hook is told of the batch: in Keras 1 and 2 its number and its rows."""
        return {"batch": batch, "size": size} if self.objective.classic else {}

    def last(self, totals: Any) -> dict[str, Any]:
        """What a batch hook is told: the batch's own numbers in Keras 1 and 2, averages later."""
        return self.trained.last(totals) if self.objective.classic else self.trained.logs(totals)


def always_trains(model: Any) -> bool:
    """Whether a part of the graph runs as in training everywhere: rows of a batch may mix there."""
    if model.is_written() or not model.built:
        return False
    calls = trace(model.inputs, model.outputs).calls
    inner = (call.callee for call in calls if hasattr(call.callee, "is_written"))
    return any(call.training for call in calls) or any(map(always_trains, inner))


def make_engine(
    model: Any,
    optimizer: Optimizer,
    loss: Any,
    metric_names: Sequence[Sequence[Any]],
    weighted: Sequence[Sequence[Any]],
    loss_weights: Sequence[Any],
    y_shapes: Sequence[tuple[int | None, ...] | None],
    classic: bool,
    rule: Callable[..., jax.Array] | None = None,
    counting: Sequence[metrics.Metric] = (),
) -> Engine:
    """The engine of a built model for targets of these shapes."""
    outputs, names, sources = [], [], []
    several = len(model.output_names) > 1
    paddable = (
        rule is None and not counting and not (model.penalizes_activity() or always_trains(model))
    )
    judged = [name for name, own in zip(model.output_names, loss, strict=True) if own is not None]
    per_output = [f"{name}_loss" for name in judged] if several else []
    means_before = 1 + len(per_output)
    stateful_before = 0
    for index, output in enumerate(model.output_names):
        prefix = f"{output}_" if several else ""
        shapes = y_shapes[index], model.output_shapes[index]
        means: list[tuple[Any, bool]] = []
        stateful: list[tuple[Any, bool]] = []
        for group, by_weight in ((metric_names[index], False), (weighted[index], True)):
            for identifier in group:
                found = metrics.for_training(
                    identifier, model.output_shapes[index], loss[index], y_shapes[index]
                )
                for name, metric in _parts(*found, *shapes):
                    # Keras 2 always says so, Keras 3 where the name is taken.
                    told = by_weight and (classic or prefix + name in names)
                    names.append(f"{prefix}weighted_{name}" if told else prefix + name)
                    if isinstance(metric, metrics.Metric):
                        sources.append((True, stateful_before + len(stateful)))
                        stateful.append((metric, by_weight))
                    else:
                        sources.append((False, means_before + len(means)))
                        means.append((metric, by_weight))
        function = None if loss[index] is None else losses.unreduced(loss[index])
        judges = [f for f in (function, *(mean for mean, _ in means)) if f is not None]
        paddable = paddable and all(_by_row(judge, *shapes) for judge in judges)
        paddable = paddable and all(metric.weighable for metric, _ in stateful)
        means_before += len(means)
        stateful_before += len(stateful)
        reduction = losses.reduction(loss[index]) if loss[index] is not None else None
        outputs.append(
            Output(
                function,
                loss_weights[index],
                tuple(means),
                tuple(stateful),
                reduction,
                model.output_shapes[index],
            )
        )
    compiled = {metric for output in outputs for metric, _ in output.stateful}
    counting = [metric for metric in counting if metric not in compiled]
    pair, trainable = model.settled()
    whole = model._judged or Judged(pair)
    found = reports(model.state)
    reported = {name: found[name] for name in (*model._numbers, *found) if name in found}
    objective = Objective(
        whole.pair,
        tuple(outputs),
        classic,
        penalties=tuple(model.weight_regularizers.items()),
        constraints=tuple(
            (path, rule) for path, rule in model.weight_constraints.items() if path in trainable
        ),
        input_dtypes=tuple(model.input_dtypes),
        reported=tuple(reported.values()),
        inside=whole.inside,
        masked=config.dialect() != "classic",
        rule=rule,
        counting=tuple(counting),
        stand=lambda flow, params, state: bind(flow, model, params, state),
    )
    named = [
        *unique_names(["loss", *per_output, *names, *reported]),
        *(metric.name for metric in counting),  # one of the same name takes the place, as in Keras
    ]
    kinds = [
        *((False, i) for i in range(1 + len(per_output))),
        *sources,
        *((False, means_before + i) for i in range(len(reported))),
        *((True, stateful_before + i) for i in range(len(counting))),
    ]
    shown = dict(zip(named, kinds, strict=True))
    names, sources = [*shown], [*shown.values()]
    trackers = model._trackers
    trackers.begin(objective, names, sources)

    def hand_over(totals: Totals) -> None:
        trackers.hand_over(totals)
        objective.hand_over(totals)

    return Engine(
        objective,
        optimizer,
        Tally(names, sources, objective.start, objective.results, hand_over),
        trainable.__contains__,
        paddable,
    )


def _parts(name: str, metric: Any, y_shape: Any, out_shape: Any) -> list[tuple[str, Any]]:
    """A metric with its name, or all that a function of Keras 1 gives in a dict by their names."""
    if isinstance(metric, metrics.Metric):
        return [(name, metric)]
    function = metrics.values(metric)
    names: list[str] = []

    def noted(true: Any, pred: Any) -> Any:
        given = function(true, pred)
        names.extend(given if isinstance(given, Mapping) else ())
        return given

    def entry(own: str) -> Callable[[Any, Any], Any]:
        return lambda true, pred: function(true, pred)[own]

    _tried(noted, y_shape, out_shape)
    return [(own, entry(own)) for own in names] or [(name, function)]


def _by_row(function: Callable[..., Any], y_shape: Any, out_shape: Any) -> bool:
    """Whether a loss or metric gives a value for each row, so that padding can be told apart."""
    result = _tried(function, y_shape, out_shape)
    return result is not None and result.shape[:1] == (TRIED,)


def _tried(function: Callable[..., Any], y_shape: Any, out_shape: Any) -> Any:
    """What a loss or metric gives for stand-ins of `TRIED` rows; None where they do not suit it."""

    def spec(shape: Any) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(
            (TRIED, *(3 if size is None else size for size in shape[1:])), "float32"
        )

    try:
        return jax.eval_shape(function, spec(y_shape), spec(out_shape))
    except Exception:  # the real call will say it, with real shapes
        return None
