"""`Callback` and `CallbackList`: hooks at the boundaries of runs, epochs and batches."""

import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from funkeras import config

__all__ = ["Callback", "CallbackList", "Logs", "better", "grace", "monitored"]

Logs: TypeAlias = Mapping[str, Any]

TRAIN_HOOKS = (
    "on_batch_begin",
    "on_batch_end",
    "on_train_batch_begin",
    "on_train_batch_end",
)
TEST_HOOKS = ("on_test_batch_begin", "on_test_batch_end")
PREDICT_HOOKS = ("on_predict_batch_begin", "on_predict_batch_end")


class Callback:
    """Base of callbacks: override the hooks that you need.

    `self.model` is the model and `self.params` describes the run. A callback with a batch hook
    makes the run go one step at a time.
    """

    stops_every: int | None = None
    """Training halts after so many batches, for `on_settled`."""

    def __init__(self) -> None:
        self.model: Any = None
        self.params: dict[str, Any] = {}

    def set_params(self, params: dict[str, Any]) -> None:
        """Take the description of the run."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Take the model."""
        self.model = model

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Before an epoch."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """After an epoch and its validation; `logs` holds their averages."""

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a training step; in Keras 1 and 2 `logs` holds `batch` and `size`."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a training step.

        In Keras 1 and 2 `logs` holds `batch`, `size` and this batch's numbers; in Keras 3 the
        averages since the epoch began.
        """

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """The same as `on_batch_begin`, by its tf.keras name."""

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """The same as `on_batch_end`, by its tf.keras name."""

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Before the first epoch."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """After the last epoch; in Keras 3 `logs` are that epoch's."""

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Before an evaluation, also of the validation data."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """After an evaluation; `logs` are its results."""

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a batch is evaluated."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a batch; `logs` holds the averages so far."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Before a prediction."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """After a prediction."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before the outputs of a batch are computed."""

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a batch; `logs` holds its `outputs`."""

    # Beyond Keras's

    def on_ready(self, run: Any) -> None:
        """After every callback's `on_train_begin`; `run` can be captured and restored."""

    def on_settled(self) -> None:
        """After every callback heard of the last steps, or of the epoch's end."""

    def release(self) -> None:
        """Give back what the run held, however it ended."""


def overrides(callback: Any, hooks: Iterable[str]) -> bool:
    """Whether a callback has hooks of its own among these."""
    return any(
        getattr(getattr(callback, hook), "__func__", None) is not getattr(Callback, hook)
        for hook in hooks
        if hasattr(callback, hook)
    )


class CallbackList:
    """Callbacks as one, told what the generation tells them.

    Args:
        classic: logs as in Keras 1 and 2.
    """

    def __init__(
        self,
        callbacks: Iterable[Any],
        model: Any = None,
        params: dict[str, Any] | None = None,
        classic: bool = True,
    ) -> None:
        self.callbacks = list(callbacks)
        self.classic = classic
        for callback in self.callbacks:
            callback.set_params(dict(params or {}))
            callback.set_model(model)
        self.sees_batches = any(overrides(callback, TRAIN_HOOKS) for callback in self.callbacks)
        self.sees_tests = any(overrides(callback, TEST_HOOKS) for callback in self.callbacks)
        self.sees_predictions = any(overrides(c, PREDICT_HOOKS) for c in self.callbacks)
        self._stops = [c.stops_every for c in self.callbacks if getattr(c, "stops_every", None)]

    def _each(self, hook: str, *args: Any) -> None:
        for callback in self.callbacks:
            run = getattr(callback, hook, None)
            if run is not None:
                run(*args)

    def room(self, batch: int) -> int:
        """How many batches may be trained at once after so many of the epoch."""
        return min((stop - batch % stop for stop in self._stops), default=1 << 30)

    def on_train_begin(self) -> None:
        """Before the first epoch."""
        self._each("on_train_begin", {})

    def on_ready(self, run: Any) -> None:
        """After every `on_train_begin`."""
        self._each("on_ready", run)

    def on_train_end(self, logs: Logs) -> None:
        """After the last epoch."""
        self._each("on_train_end", {} if self.classic else logs)

    def on_epoch_begin(self, epoch: int) -> None:
        """Before an epoch."""
        self._each("on_epoch_begin", epoch, {})

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        """After an epoch. Callbacks share `logs` and may add to it."""
        self._each("on_epoch_end", epoch, logs)

    def on_batch_begin(self, batch: int, size: int) -> None:
        """Before a training step."""
        if self.sees_batches:
            logs = {"batch": batch, "size": size} if self.classic else {}
            self._each("on_batch_begin", batch, logs)
            self._each("on_train_batch_begin", batch, logs)

    def on_batch_end(self, batch: int, size: int, logs: dict[str, Any]) -> None:
        """After a training step."""
        if self.classic:
            logs = {"batch": batch, "size": size, **logs}
        self._each("on_batch_end", batch, logs)
        self._each("on_train_batch_end", batch, logs)

    def on_test_begin(self) -> None:
        """Before an evaluation."""
        self._each("on_test_begin", {})

    def on_test_batch_begin(self, batch: int) -> None:
        """Before a batch is evaluated."""
        self._each("on_test_batch_begin", batch, {})

    def on_test_batch_end(self, batch: int, logs: dict[str, Any]) -> None:
        """After a batch was evaluated."""
        self._each("on_test_batch_end", batch, logs)

    def on_test_end(self, logs: dict[str, Any]) -> None:
        """After an evaluation."""
        self._each("on_test_end", logs)

    def on_predict_begin(self) -> None:
        """Before a prediction."""
        self._each("on_predict_begin", {})

    def on_predict_batch_begin(self, batch: int) -> None:
        """Before a batch is predicted."""
        self._each("on_predict_batch_begin", batch, {})

    def on_predict_batch_end(self, batch: int, outputs: Any) -> None:
        """After a batch was predicted."""
        self._each("on_predict_batch_end", batch, {"outputs": outputs})

    def on_predict_end(self) -> None:
        """After a prediction."""
        self._each("on_predict_end", {})

    def settled(self) -> None:
        """After every callback heard of the last steps."""
        self._each("on_settled")

    def release(self) -> None:
        """However the run ended."""
        self._each("release")


def better(mode: str, monitor: str) -> Callable[[float, float], bool]:
    """Whether a first value is better than a second, by `min`, `max` or the name's meaning."""
    if mode not in ("auto", "min", "max"):
        raise ValueError(f"mode must be auto, min or max; got {mode!r}")
    larger = mode == "max" or (mode == "auto" and is_larger_better(monitor))
    return (lambda new, old: new > old) if larger else (lambda new, old: new < old)


RISING = ("acc", "fmeasure", "auc", "precision", "recall", "f1", "fbeta", "iou", "r2", "true_")
"""Parts of the names of metrics that rise; Keras 1 and 2 know the first two."""


def is_larger_better(monitor: str) -> bool:
    """Whether a metric of that name is better when larger.

    >>> is_larger_better("val_acc"), is_larger_better("val_loss")
    (True, False)
    """
    known = RISING if config.dialect() == "modern" else RISING[:2]
    return any(part in monitor for part in known)


def grace() -> int:
    """Epochs beyond `patience` that pass without an improvement: Keras 1 counts one fewer."""
    return int(config.dialect() == "classic")


def monitored(callback: Any, logs: Logs | None) -> float | None:
    """The number that a callback watches, with a warning where the logs lack it."""
    value = (logs or {}).get(callback.monitor)
    if value is None:
        warnings.warn(
            f"{type(callback).__name__} monitors {callback.monitor!r}, which is not among "
            f"{', '.join(logs or {})}",
            RuntimeWarning,
            stacklevel=2,
        )
    return value
