"""The host's side of training: compiled programs, chunks of steps, logs and callbacks."""

import math
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import random

from funkeras import losses, metrics
from funkeras.callbacks import CallbackList
from funkeras.functional.combinators import unique_names
from funkeras.functional.training import (
    Batch,
    Objective,
    Output,
    TrainState,
    averages,
    evaluate_steps,
    merge,
    run_steps,
    select,
)
from funkeras.models.data import Feed
from funkeras.optimizers import Optimizer
from funkeras.typing import PyTree

__all__ = ["Engine", "Pace", "make_engine", "run_epochs"]

REFRESH = 0.1
"""Seconds of training between two looks at it, while somebody is looking."""

UNSEEN = 1.0
"""Seconds of training in one program while nobody is: an interrupt waits no longer."""


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


@dataclass(eq=False)
class Engine:
    """A compiled model: what it minimizes, how, and the programs that XLA made of it."""

    objective: Objective
    optimizer: Optimizer
    names: list[str]
    sources: list[tuple[bool, int]]
    is_trainable: Callable[[str], bool]
    paddable: bool
    slots: PyTree = None
    step: int = 0
    key: jax.Array = field(default_factory=seed_key)
    pace: Pace = field(default_factory=Pace)

    def __post_init__(self) -> None:
        updates = self.optimizer.updates
        self.run = jax.jit(partial(run_steps, self.objective, updates))
        self.judge = jax.jit(partial(evaluate_steps, self.objective))
        self.average = jax.jit(partial(averages, self.objective))
        self.fresh = jax.jit(self.objective.start)
        self.init_slots = jax.jit(updates.init)

    def train_state(self, params: PyTree, state: PyTree) -> TrainState:
        """Everything that the next steps change, from the model's variables as they are now."""
        trainable = select(params, self.is_trainable)
        frozen = select(params, lambda path: not self.is_trainable(path))
        if self.slots is None:
            self.slots = self.init_slots(trainable)
        return TrainState(trainable, frozen, state, self.slots, jnp.int32(self.step), self.key)

    def finish(self, model: Any) -> None:
        """Keep what the optimizer says to keep after training: averages of the weights, say."""
        ts = self.train_state(model.params, model.state)
        kept = self.optimizer.finalize(ts.params, ts.optimizer)
        if kept is not ts.params:
            model.adopt(merge(kept, ts.frozen), ts.state)

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
        """What a batch hook is told: the batch's own numbers in Keras 1 and 2, averages later."""
        logs = self.logs(totals)
        if self.objective.classic:
            numbers = np.asarray(totals.last)
            own = zip(self.names, self.sources, strict=True)
            logs |= {name: numbers[i].item() for name, (stateful, i) in own if not stateful}
        return logs


def make_engine(
    model: Any,
    optimizer: Optimizer,
    loss: Any,
    metric_names: Sequence[Sequence[Any]],
    weighted: Sequence[Sequence[Any]],
    loss_weights: Sequence[float],
    y_shapes: Sequence[tuple[int | None, ...]],
    classic: bool,
) -> Engine:
    """The engine of a built model for targets of these shapes."""
    outputs, names, sources = [], [], []
    several = len(model.output_names) > 1
    paddable = not model.penalizes_activity()
    means_before = 1 + (len(model.output_names) if several else 0)
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
                names.append(prefix + name)
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
    per_output = [f"{name}_loss" for name in model.output_names] if several else []
    trainable = model.trainable_paths()
    objective = Objective(
        model.functional,
        tuple(outputs),
        classic,
        penalties=tuple(model.weight_rules("weight_regularizers")),
        constraints=tuple(
            (path, rule)
            for path, rule in model.weight_rules("weight_constraints")
            if path in trainable
        ),
        input_dtypes=tuple(model.input_dtypes),
    )
    return Engine(
        objective,
        optimizer,
        unique_names(["loss", *per_output, *names]),
        [(False, i) for i in range(1 + len(per_output))] + sources,
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


def batches(rows: np.ndarray, size: int) -> list[np.ndarray]:
    """Row numbers as (steps, size), and what is left over as one smaller batch."""
    full = len(rows) // size * size
    parts = [rows[:full].reshape(-1, size), rows[full:].reshape(1, -1)]
    return [part for part in parts if part.size]


def shuffled(rows: np.ndarray, how: bool | str, size: int) -> np.ndarray:
    """Row numbers in the order of the next epoch; Keras shuffles the same array again each time."""
    if how == "batch":
        full = len(rows) // size * size
        blocks = rows[:full].reshape(-1, size)
        np.random.shuffle(blocks)
        return np.concatenate([blocks.reshape(-1), rows[full:]])
    if how:
        np.random.shuffle(rows)
    return rows


def evaluate(engine: Engine, model: Any, feed: Feed, size: int) -> dict[str, float]:
    """Logs of one pass over the data, at inference."""
    params, state = model.params, model.state
    totals = engine.fresh()
    rows = np.arange(feed.rows, dtype=np.int32)
    if engine.paddable:
        padding = -len(rows) % size
        parts = [np.concatenate([rows, np.zeros(padding, np.int32)]).reshape(-1, size)]
    else:
        parts = batches(rows, size)
    for part in parts:
        left = min(feed.rows, part.size)
        for data, order, start, stop in feed.place(part, 0, len(part)):
            count = left if order.shape[0] == len(part) else min(left, stop * size)
            totals = engine.judge(params, state, totals, data, order, count, start, stop)
            left -= count
    return engine.logs(totals)


def run_epochs(
    engine: Engine,
    model: Any,
    feed: Feed,
    size: int,
    epochs: range,
    shuffle: bool | str,
    callbacks: CallbackList,
    validate: Callable[[], Mapping[str, float]] | None,
    look: Callable[[int, Mapping[str, float]], None] | None,
    validation_freq: int = 1,
) -> None:
    """Train for some epochs, calling back as Keras does.

    After every chunk the layers own the new variables, so whatever stops the run leaves the model
    at a step that was finished.
    """
    rows = np.arange(feed.rows, dtype=np.int32)
    seconds = REFRESH if look else UNSEEN
    hinted = False
    for epoch in epochs:
        callbacks.on_epoch_begin(epoch)
        rows = shuffled(rows, shuffle, size)
        totals = engine.fresh()
        batch = seen = 0
        for order in batches(rows, size):
            step = 0
            while step < len(order) and not model.stop_training:
                count = (
                    1 if callbacks.sees_batches else engine.pace.next(len(order) - step, seconds)
                )
                if callbacks.sees_batches:
                    callbacks.on_batch_begin(batch, {"batch": batch, "size": order.shape[1]})
                totals = run_chunk(engine, model, feed, totals, order, step, step + count)
                step += count
                batch += count
                seen += count * order.shape[1]
                engine.pace.done(count)
                if callbacks.sees_batches:
                    own = {"batch": batch - 1, "size": order.shape[1], **engine.last(totals)}
                    callbacks.on_batch_end(batch - 1, own)
                if look:
                    look(seen, engine.logs(totals))
        logs = engine.logs(totals)
        if not math.isfinite(logs["loss"]) and not model.stop_training and not hinted:
            hinted = True
            hint_at_nan(logs["loss"], epoch)
        if validate is not None and (epoch + 1) % validation_freq == 0:
            logs.update({f"val_{name}": value for name, value in validate().items()})
        callbacks.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    engine.finish(model)


def hint_at_nan(loss: float, epoch: int) -> None:
    """Warn that the loss is no number any more: the epochs that follow learn nothing."""
    warnings.warn(
        f"the loss is {loss} in epoch {epoch + 1}: look for NaN in the data, lower the learning "
        "rate or clip gradients; TerminateOnNaN() stops at the batch",
        RuntimeWarning,
        stacklevel=2,
    )


def run_chunk(
    engine: Engine, model: Any, feed: Feed, totals: Any, order: np.ndarray, start: int, stop: int
) -> Any:
    """Run the steps `start … stop` of `order` and hand the new variables to the layers."""
    for data, local, begin, end in feed.place(order, start, stop):
        ts = engine.train_state(model.params, model.state)
        hyper = engine.optimizer.values()
        ts, totals = engine.run(ts, hyper, totals, data, local, begin, end)
        jax.block_until_ready(totals.sums)
        model.adopt(merge(ts.params, ts.frozen), ts.state)
        engine.slots = ts.optimizer
        engine.step += end - begin
    return totals


def train_batch(engine: Engine, model: Any, batch: Batch) -> dict[str, float]:
    """One step on one batch; its logs."""
    feed = Feed(batch)
    order = np.arange(feed.rows, dtype=np.int32).reshape(1, -1)
    return engine.logs(run_chunk(engine, model, feed, engine.fresh(), order, 0, 1))


def predict(
    run: Callable[..., list[jax.Array]],
    params: PyTree,
    state: PyTree,
    inputs: tuple[Any, ...],
    size: int,
) -> list[np.ndarray]:
    """Outputs for all rows, batch by batch.

    Few rows are padded to a power of two and the last batch to the size of the others, so that
    sets of any length share a handful of programs.
    """
    count = inputs[0].shape[0]
    if count == 1:
        return [np.asarray(y) for y in run(params, state, inputs)]
    size = min(size, 1 << (count - 1).bit_length())
    parts = []
    for start in range(0, count, size):
        batch = tuple(np.asarray(a[start : start + size]) for a in inputs)
        missing = size - len(batch[0])
        if missing:
            batch = tuple(np.concatenate([a, np.repeat(a[-1:], missing, 0)]) for a in batch)
        parts.append(run(params, state, batch))
    return [
        np.concatenate([np.asarray(y) for y in column])[:count]
        for column in zip(*parts, strict=True)
    ]
