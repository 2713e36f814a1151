"""The host's side of training: compiled programs, chunks of steps, logs and callbacks."""

import math
import time
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import random

from funkeras import config, losses, metrics
from funkeras.callbacks import CallbackList
from funkeras.functional.combinators import reports, unique_names
from funkeras.functional.training import (
    Batch,
    Objective,
    Output,
    Totals,
    TrainState,
    averages,
    evaluate_steps,
    merge,
    run_steps,
    select,
    train_step,
    written_step,
)
from funkeras.models.data import Ask, Epochs, Feed, Piece, on_host
from funkeras.models.diagnosis import is_finite, origin
from funkeras.models.judging import Judged
from funkeras.models.snapshots import Run
from funkeras.optimizers import Optimizer
from funkeras.programs import Program
from funkeras.symbolic import trace
from funkeras.typing import PyTree

__all__ = ["Engine", "Pace", "Progress", "Source", "make_engine", "run_epochs"]

REFRESH = 0.1
"""Seconds of training between two looks at it, while somebody is looking."""

UNSEEN = 1.0
"""Seconds of training in one program while nobody is: an interrupt waits no longer."""


Look: TypeAlias = Callable[[int, int, Mapping[str, Any]], None]
"""Is shown rows, batches and logs so far."""


def seed_key() -> jax.Array:
    """A key that follows from NumPy's global generator, without advancing it.

    Old scripts seed that generator and then expect its next draws to shuffle their data.
    """
    generator = np.random.RandomState()
    generator.set_state(np.random.get_state())
    data = generator.randint(0, 2**32, size=2, dtype=np.uint32)
    return random.wrap_key_data(jnp.asarray(data), impl="threefry2x32")


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
    outputs: tuple[Output, ...] = ()

    def __post_init__(self) -> None:
        self.fresh = jax.jit(self.start)
        self.average = jax.jit(partial(averages, self.outputs))

    @classmethod
    def of_step(cls, step: Callable[..., Any], ts: TrainState, data: Batch) -> "Tally":
        """That of a step which a user wrote: it is tried on stand-ins for two rows.

        Raises:
            TypeError: unless it gives a train state like the one it got, and a dict of numbers.
        """
        batch = jax.tree.map(
            lambda a: jax.ShapeDtypeStruct((2, *a.shape[1:]), jnp.asarray(a[:1]).dtype),
            data,
            is_leaf=lambda a: hasattr(a, "shape"),
        )
        given = jax.eval_shape(step, ts, batch)
        if not (
            isinstance(given, tuple)
            and len(given) == 2
            and isinstance(given[0], TrainState)
            and isinstance(given[1], Mapping)
            and given[1]
        ):
            raise TypeError(
                "train_step(ts, batch) gives the next TrainState and a dict of numbers for the "
                f"logs; got {given!r:.200}"
            )
        wrong = [name for name, value in given[1].items() if value.shape]
        if wrong:
            raise TypeError(f"the logs of train_step are numbers; {wrong[0]!r} is an array")
        if jax.tree.structure(given[0]) != jax.tree.structure(ts):
            raise TypeError("the TrainState that train_step gives must have the parts it got")
        names = list(given[1])

        def start() -> Totals:
            zeros = jnp.zeros(len(names), jnp.float32)
            return Totals(zeros, jnp.zeros((), jnp.float32), zeros, ())

        return cls(names, [(False, index) for index in range(len(names))], start)

    def logs(self, totals: Any) -> dict[str, Any]:
        """What has been averaged since the epoch began, by name."""
        numbers, results = jax.device_get(self.average(totals))
        values = [
            results[index] if stateful else numbers[index] for stateful, index in self.sources
        ]
        return {
            name: value.item() if value.ndim == 0 else value
            for name, value in zip(self.names, values, strict=True)
        }

    def last(self, totals: Any) -> dict[str, Any]:
        """The last batch's own numbers, and of metrics with a state what they are now."""
        logs = self.logs(totals)
        numbers = np.asarray(totals.last)
        own = zip(self.names, self.sources, strict=True)
        return logs | {name: numbers[i].item() for name, (stateful, i) in own if not stateful}


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

    def __post_init__(self) -> None:
        updates = self.optimizer.updates
        self.trained = self.judged
        step = partial(train_step, self.objective, updates)
        self.run = Program(partial(run_steps, step), training=True)
        self.judge = Program(partial(evaluate_steps, self.objective))
        self.init_slots = jax.jit(updates.init)

    def use(self, step: Callable[..., Any], model: Any, data: Batch) -> None:
        """Train by a step that a user wrote, on such data."""
        if self.trained is self.judged:
            self.trained = Tally.of_step(step, self.train_state(*model.variables_now), data)
            self.run = Program(partial(run_steps, partial(written_step, step)), training=True)

    def train_state(self, params: PyTree, state: PyTree) -> TrainState:
        """Everything that the next steps change, from the model's variables as they are now."""
        trainable = select(params, self.is_trainable)
        frozen = select(params, lambda path: not self.is_trainable(path))
        if self.slots is None:
            self.slots = self.init_slots(trainable)
        step = np.asarray(self.step, np.int32)
        return TrainState(trainable, frozen, state, self.slots, step, self.key)

    def finish(self, model: Any) -> None:
        """Keep what the optimizer says to keep after training: averages of the weights, say."""
        ts = self.train_state(model.params, model.state)
        kept = self.optimizer.finalize(ts.params, ts.optimizer)
        if kept is not ts.params:
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
    loss_weights: Sequence[float],
    y_shapes: Sequence[tuple[int | None, ...] | None],
    classic: bool,
) -> Engine:
    """The engine of a built model for targets of these shapes."""
    outputs, names, sources = [], [], []
    several = len(model.output_names) > 1
    paddable = not (model.penalizes_activity() or always_trains(model))
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
                name, metric = metrics.for_training(
                    identifier, model.output_shapes[index], loss[index], y_shapes[index]
                )
                # Keras 2 always says so, Keras 3 where the name is taken.
                told = by_weight and (classic or prefix + name in names)
                names.append(f"{prefix}weighted_{name}" if told else prefix + name)
                if isinstance(metric, metrics.Metric):
                    sources.append((True, stateful_before + len(stateful)))
                    stateful.append((metric, by_weight))
                else:
                    sources.append((False, means_before + len(means)))
                    means.append((metrics.values(metric), by_weight))
        function = None if loss[index] is None else losses.unreduced(loss[index])
        judges = [f for f in (function, *(mean for mean, _ in means)) if f is not None]
        paddable = paddable and all(_by_row(judge, *shapes) for judge in judges)
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
    pair, trainable = model.settled()
    whole = model._judged or Judged(pair)
    reported = reports(model.state)
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
    )
    return Engine(
        objective,
        optimizer,
        Tally(
            unique_names(["loss", *per_output, *names, *reported]),
            [
                *((False, i) for i in range(1 + len(per_output))),
                *sources,
                *((False, means_before + i) for i in range(len(reported))),
            ],
            objective.start,
            objective.outputs,
        ),
        trainable.__contains__,
        paddable,
    )


def _by_row(function: Callable[..., Any], y_shape: Any, out_shape: Any) -> bool:
    """Whether a loss or metric gives a value for each row, so that padding can be told apart."""

    def spec(shape: Any) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(
            (8, *(3 if size is None else size for size in shape[1:])), "float32"
        )

    try:
        result = jax.eval_shape(function, spec(y_shape), spec(out_shape))
    except Exception:  # the real call will say it, with real shapes
        return False
    return bool(result.shape) and result.shape[0] == 8


def evaluate(
    engine: Engine,
    model: Any,
    source: Source,
    callbacks: CallbackList | None = None,
    look: Look | None = None,
) -> dict[str, Any]:
    """Logs of one pass over the data, at inference."""
    params, state = model.variables_now
    totals = engine.judged.fresh()
    sees = callbacks is not None and callbacks.sees_tests
    if callbacks is not None:
        callbacks.on_test_begin()
    batch, seen, pace = 0, 0, Pace()

    def ask(left: int) -> int:
        return 1 if sees else pace.next(left, REFRESH) if look else left

    source.begin()
    with closing(source.judged(engine.paddable, ask)) as pieces:  # pyright: ignore[reportArgumentType]: a generator
        for piece in pieces:
            if sees and callbacks is not None:
                callbacks.on_test_batch_begin(batch)
            rows = np.int32(piece.rows)
            data, order, start, stop = piece[:4]
            totals, state = engine.judge(params, state, totals, data, order, rows, start, stop)
            batch += stop - start
            if sees and callbacks is not None:
                callbacks.on_test_batch_end(batch - 1, engine.judged.logs(totals))
            if look:
                seen += (stop - start) * piece.size
                look(seen, batch, engine.judged.logs(totals))
                pace.done(stop - start)
    if model.keeps_states:
        model.state = state
    logs = engine.judged.logs(totals)
    if callbacks is not None:
        callbacks.on_test_end(logs)
    return logs


def _all(left: int) -> int:
    return left


def run_epochs(
    engine: Engine,
    model: Any,
    progress: Progress,
    epochs: int,
    callbacks: CallbackList,
    validate: Callable[[], Mapping[str, float]] | None,
    look: Look | None,
    validation_freq: int | Collection[int] = 1,
) -> dict[str, Any]:
    """Train up to epoch `epochs`, calling back as Keras does; the last epoch's logs.

    After every chunk the layers own the new variables, so whatever stops the run leaves the model
    at a step that was finished.
    """
    source = progress.source
    logs: dict[str, Any] = {}
    hinted = False
    callbacks.on_ready(Run(engine, model, progress, callbacks))
    while progress.epoch < epochs and not model.stop_training:
        epoch = progress.epoch
        callbacks.on_epoch_begin(epoch)
        if progress.reapply is not None and progress.batch:
            progress.reapply()
        progress.reapply = None
        if progress.totals is None:
            source.begin()
            progress.totals = engine.trained.fresh()
        whole = run_epoch(engine, model, progress, callbacks, look)
        logs = engine.trained.logs(progress.totals)
        loss = logs.get("loss", 0.0)
        if not math.isfinite(loss) and not model.stop_training and not hinted:
            hinted = True
            hint_at_nan(loss, epoch)
        due = _due(epoch + 1, validation_freq) and (whole or not engine.objective.classic)
        if validate is not None and due:
            logs.update({f"val_{name}": value for name, value in validate().items()})
        callbacks.on_epoch_end(epoch, logs)
        progress.epoch, progress.batch, progress.seen, progress.totals = epoch + 1, 0, 0, None
        callbacks.on_settled()
    engine.finish(model)
    return logs


def _due(epoch: int, freq: int | Collection[int]) -> bool:
    return epoch % freq == 0 if isinstance(freq, int) else epoch in freq


def run_epoch(
    engine: Engine,
    model: Any,
    progress: Progress,
    callbacks: CallbackList,
    look: Look | None,
) -> bool:
    """The batches of an epoch that are left; whether all were used."""
    seconds = REFRESH if look else UNSEEN
    paced = 0
    looked = time.perf_counter()

    def ask(left: int) -> int:
        nonlocal paced
        left = min(left, callbacks.room(progress.batch))
        paced = 1 if callbacks.sees_batches else engine.pace.next(left, seconds)
        return paced

    with closing(progress.source.pieces(ask, progress.batch)) as pieces:  # pyright: ignore[reportArgumentType]: a generator
        for piece in pieces:
            count = piece.stop - piece.start
            if callbacks.sees_batches:
                told = engine.about(progress.batch, piece.size)
                callbacks.on_train_batch_begin(progress.batch, told)
            progress.totals = run_piece(engine, model, progress.totals, piece)
            progress.batch += count
            progress.seen += count * piece.size
            if paced and not callbacks.sees_batches:
                engine.pace.done(count)
            if callbacks.sees_batches:
                told = engine.about(progress.batch - 1, piece.size) | engine.last(progress.totals)
                callbacks.on_train_batch_end(progress.batch - 1, told)
            callbacks.on_settled()
            now = time.perf_counter()
            if look and (paced or now - looked > REFRESH):
                looked = now
                look(progress.seen, progress.batch, engine.trained.logs(progress.totals))
            if model.stop_training:
                return progress.batch == progress.source.steps
    return True


def hint_at_nan(loss: float, epoch: int) -> None:
    """Warn that the loss is no number any more: the epochs that follow learn nothing."""
    warnings.warn(
        f"the loss is {loss} in epoch {epoch + 1}: look for NaN in the data, lower the learning "
        "rate or clip gradients; TerminateOnNaN() stops at the batch, and "
        'jax.config.update("jax_debug_nans", True) tells the layer',
        RuntimeWarning,
        stacklevel=2,
    )


def run_piece(engine: Engine, model: Any, totals: Any, piece: Piece) -> Any:
    """Run some steps and hand the new variables to the layers; the totals that follow."""
    ts = engine.train_state(*model.variables_now)
    data, order, start, stop = piece[:4]
    values = engine.optimizer.values()
    if jax.config.jax_debug_nans:  # pyright: ignore[reportAttributeAccessIssue]: made at run time
        find_origin(engine, model, ts, totals, piece)
    ts, totals = engine.run(ts, values, totals, data, order, start, stop)
    jax.block_until_ready(totals.sums)
    step = engine.step + stop - start

    def keep() -> None:
        model.adopt(merge(ts.params, ts.frozen), ts.state)
        engine.slots, engine.step = ts.optimizer, step
        engine.optimizer.iterations = int(ts.optimizer.iterations)

    try:
        keep()
    except BaseException:  # an interrupt between two layers: all of them are at the same step
        keep()
        raise
    return totals


def find_origin(engine: Engine, model: Any, ts: TrainState, totals: Any, piece: Piece) -> None:
    """Run the steps one by one first, in the mode `jax_debug_nans`.

    Raises:
        FloatingPointError: at the first step whose numbers are not all finite; it says where they
            come from. The model stays as it was before the piece.
    """
    data, order, start, stop = piece[:4]
    values = engine.optimizer.values()
    with jax.debug_nans(False):
        for index in range(start, stop):
            after, totals = engine.run(ts, values, totals, data, order, index, index + 1)
            if not is_finite((totals.last[0], after.params, after.state)):
                batch = jax.tree.map(lambda a: a[order[index]], data)  # noqa: B023
                raise FloatingPointError(
                    f"step {engine.step + index - start} (from 0) gives numbers that are not "
                    f"finite; the first ones are {origin(model, engine, ts, batch)}"
                )
            ts = after


def train_batch(engine: Engine, model: Any, batch: Batch) -> dict[str, Any]:
    """One step on one batch; its logs."""
    source = Epochs(Feed(batch), len(batch.x[0]), False)
    totals = engine.trained.fresh()
    for piece in source.pieces(_all):
        totals = run_piece(engine, model, totals, piece)
    return engine.trained.logs(totals)


def predict_stream(
    run: Callable[..., tuple[list[jax.Array], PyTree]],
    model: Any,
    source: Any,
    callbacks: CallbackList | None,
    look: Look | None = None,
) -> list[np.ndarray]:
    """Outputs for the batches of one pass over a source."""
    parts: list[list[np.ndarray]] = []
    seen = 0
    if callbacks is not None:
        callbacks.on_predict_begin()
    for index, inputs in enumerate(source.batches()):
        if callbacks is not None:
            callbacks.on_predict_batch_begin(index)
        outputs = predict(run, model, inputs, inputs[0].shape[0])
        parts.append(outputs)
        if look:
            seen += len(outputs[0])
            look(seen, len(parts), {})
        if callbacks is not None:
            shown = outputs[0] if len(outputs) == 1 else outputs
            callbacks.on_predict_batch_end(index, {"outputs": shown})
    if callbacks is not None:
        callbacks.on_predict_end()
    return [np.concatenate(column) for column in zip(*parts, strict=True)]


def predict(
    run: Callable[..., tuple[list[jax.Array], PyTree]],
    model: Any,
    inputs: tuple[Any, ...],
    size: int,
    look: Look | None = None,
) -> list[np.ndarray]:
    """Outputs for all rows, batch by batch.

    Few rows are padded to a power of two and the last batch to the size of the others, so that
    sets of any length share a handful of programs. `run` gives the state that follows too, if the
    model keeps states.
    """
    count = inputs[0].shape[0]
    params, state = model.variables_now
    if count == 1 and all(type(a) is np.ndarray or isinstance(a, jax.Array) for a in inputs):
        outputs, after = run(params, state, inputs)
        columns = [np.asarray(y) for y in outputs]
    else:
        size, after = min(size, 1 << (count - 1).bit_length()), None
        parts = []
        for start in range(0, count, size):
            batch = tuple(on_host(np.asarray(a[start : start + size])) for a in inputs)
            missing = size - len(batch[0])
            if missing and not model.mixes_rows:
                batch = tuple(np.concatenate([a, np.repeat(a[-1:], missing, 0)]) for a in batch)
            outputs, after = run(params, state if after is None else after, batch)
            parts.append(outputs)
            if look:
                jax.block_until_ready(outputs)
                look(min(start + size, count), len(parts), {})
        columns = [
            np.concatenate([np.asarray(y) for y in column])[:count]
            for column in zip(*parts, strict=True)
        ]
    if after is not None:
        model.state = after
    return columns
