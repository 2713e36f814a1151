"""The host's side of training, judging and predicting: chunks of steps, logs and callbacks."""

import math
import time
import warnings
from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from typing import Any, TypeAlias

import jax
import numpy as np

from funkeras.callbacks import CallbackList
from funkeras.functional.objective import Batch
from funkeras.functional.training import TrainState, merge
from funkeras.models.checking import on_host
from funkeras.models.data import Epochs, Feed, Piece
from funkeras.models.diagnosis import is_finite, origin
from funkeras.models.engine import Engine, Pace, Progress, Source
from funkeras.models.snapshots import Run
from funkeras.typing import PyTree

__all__ = ["run_epochs"]

REFRESH = 0.1
"""Seconds of training between two looks at it, while somebody is looking."""

UNSEEN = 1.0
"""Seconds of training in one program while nobody is: an interrupt waits no longer."""


Look: TypeAlias = Callable[[int, int, Mapping[str, Any]], None]
"""Is shown rows, batches and logs so far."""


def evaluate(
    engine: Engine,
    model: Any,
    source: Source,
    callbacks: CallbackList | None = None,
    look: Look | None = None,
) -> dict[str, Any]:
    """Logs of one pass over the data, at inference."""
    totals = engine.judged.fresh()
    sees = callbacks is not None and callbacks.sees_tests
    if callbacks is not None:
        callbacks.on_test_begin()
    params, state = model.variables_now  # which a callback may have exchanged
    batch, seen, pace = 0, 0, Pace()

    def ask(left: int) -> int:
        return 1 if sees else pace.next(left, REFRESH) if look else left

    source.begin()
    with closing(source.judged(engine.paddable, ask)) as pieces:  # pyright: ignore[reportArgumentType]: a generator
        for piece in pieces:
            if sees and callbacks is not None:
                callbacks.on_test_batch_begin(batch)
            for order, start, stop, rows in piece.calls():
                given = piece.data, order, np.int32(rows), start, stop
                totals, state = engine.judge(params, state, totals, *given)
            batch += piece.stop - piece.start
            if sees and callbacks is not None:
                callbacks.on_test_batch_end(batch - 1, engine.judged.logs(totals))
            if look:
                seen += piece.size
                look(seen, batch, engine.judged.logs(totals))
                pace.done(piece.stop - piece.start)
    if model.keeps_states:
        model.state = state
    logs = engine.judged.end(totals)
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
        logs = engine.trained.end(progress.totals)
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
            progress.seen += piece.size
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
    values = engine.optimizer.values()
    if jax.config.jax_debug_nans:  # pyright: ignore[reportAttributeAccessIssue]: made at run time
        find_origin(engine, model, ts, totals, piece)
    ts, totals = run_steps(engine, ts, values, totals, piece)
    jax.block_until_ready(totals.sums)
    step = engine.step + piece.stop - piece.start

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


def run_steps(
    engine: Engine, ts: TrainState, values: Mapping[str, float], totals: Any, piece: Piece
) -> tuple[TrainState, Any]:
    """The train state and the totals after the steps of a piece."""
    for order, start, stop, _ in piece.calls():
        ts, totals = engine.run(ts, values, totals, piece.data, order, start, stop)
    return ts, totals


def find_origin(engine: Engine, model: Any, ts: TrainState, totals: Any, piece: Piece) -> None:
    """Run the steps one by one first, in the mode `jax_debug_nans`.

    Raises:
        FloatingPointError: at the first step whose numbers are not all finite; it says where they
            come from. The model stays as it was before the piece.
    """
    values = engine.optimizer.values()
    with jax.debug_nans(False):
        for index in range(piece.start, piece.stop):
            step = piece._replace(start=index, stop=index + 1)
            after, totals = run_steps(engine, ts, values, totals, step)
            if not is_finite((totals.last[0], after.params, after.state)):
                raise FloatingPointError(
                    f"step {engine.step + index - piece.start} (from 0) gives numbers that are not "
                    f"finite; the first ones are {origin(model, engine, ts, piece.batch(index))}"
                )
            ts = after


def train_batch(engine: Engine, model: Any, batch: Batch) -> dict[str, Any]:
    """One step on one batch; its logs."""
    source = Epochs(Feed(batch), len(batch.x[0]), False)
    totals = engine.trained.fresh()
    for piece in source.pieces(_all):
        totals = run_piece(engine, model, totals, piece)
    engine.trained.hand_over(totals)
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
