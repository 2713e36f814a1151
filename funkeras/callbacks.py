"""Hooks at epoch and batch boundaries. They see a model and import none."""

import inspect
import math
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from funkeras import config

__all__ = [
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ReduceLROnPlateau",
    "TerminateOnNaN",
]

Logs = Mapping[str, Any]

BATCH_HOOKS = (
    "on_batch_begin",
    "on_batch_end",
    "on_train_batch_begin",
    "on_train_batch_end",
)


class Callback:
    """Base of callbacks: override the hooks that you need.

    `self.model` is the model and `self.params` describes the run. A callback with a batch hook
    makes training go one step at a time.
    """

    def __init__(self) -> None:
        self.model: Any = None
        self.params: dict[str, Any] = {}

    def set_params(self, params: dict[str, Any]) -> None:
        """Take the description of the run: epochs, samples, metrics, verbose."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Take the model."""
        self.model = model

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Before an epoch."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """After an epoch and its validation; `logs` holds their averages."""

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a training step; `logs` holds `batch` and `size`."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a training step; `logs` holds `batch`, `size` and this batch's numbers."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """The same as `on_batch_begin`, by its tf.keras name."""

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """The same as `on_batch_end`, by its tf.keras name."""

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Before the first epoch."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """After the last epoch."""


def sees_batches(callback: Callback) -> bool:
    """Whether a callback overrides a batch hook."""
    return any(
        getattr(getattr(callback, hook), "__func__", None) is not getattr(Callback, hook)
        for hook in BATCH_HOOKS
        if hasattr(callback, hook)
    )


class CallbackList:
    """Callbacks as one."""

    def __init__(self, callbacks: Iterable[Callback], model: Any, params: dict[str, Any]) -> None:
        self.callbacks = list(callbacks)
        for callback in self.callbacks:
            callback.set_params(params)
            callback.set_model(model)
        self.sees_batches = any(sees_batches(callback) for callback in self.callbacks)

    def _each(self, hook: str, *args: Any) -> None:
        for callback in self.callbacks:
            run = getattr(callback, hook, None)
            if run is not None:
                run(*args)

    def on_train_begin(self) -> None:
        """Before the first epoch."""
        self._each("on_train_begin", {})

    def on_train_end(self) -> None:
        """After the last epoch."""
        self._each("on_train_end", {})

    def on_epoch_begin(self, epoch: int) -> None:
        """Before an epoch."""
        self._each("on_epoch_begin", epoch, {})

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        """After an epoch. Callbacks share `logs` and may add to it."""
        self._each("on_epoch_end", epoch, logs)

    def on_batch_begin(self, batch: int, logs: dict[str, Any]) -> None:
        """Before a training step."""
        self._each("on_batch_begin", batch, logs)
        self._each("on_train_batch_begin", batch, logs)

    def on_batch_end(self, batch: int, logs: dict[str, Any]) -> None:
        """After a training step."""
        self._each("on_batch_end", batch, logs)
        self._each("on_train_batch_end", batch, logs)


class History(Callback):
    """Records the logs of every epoch; `fit` returns it."""

    def __init__(self) -> None:
        super().__init__()
        self.epoch: list[int] = []
        self.history: dict[str, list[Any]] = {}

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Append what the epoch gave."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)


class LambdaCallback(Callback):
    """Hooks as functions: `LambdaCallback(on_epoch_end=lambda epoch, logs: ...)`."""

    def __init__(self, **hooks: Callable[..., Any] | None) -> None:
        super().__init__()
        for name, hook in hooks.items():
            if not hasattr(Callback, name):
                raise TypeError(f"LambdaCallback() has no hook {name!r}")
            if hook is not None:
                setattr(self, name, hook)


class TerminateOnNaN(Callback):
    """Stops training at the batch whose loss is not finite."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Look at the batch's loss."""
        loss = (logs or {}).get("loss")
        if loss is not None and not math.isfinite(loss):
            print(f"Batch {batch}: the loss is {loss}, terminating training")
            self.model.stop_training = True


class LearningRateScheduler(Callback):
    """Sets the learning rate of each epoch by `schedule(epoch)` or `schedule(epoch, rate)`."""

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Ask the schedule."""
        # A schedule of Keras 1 knows the epoch only.
        known = (epoch, float(self.model.optimizer.learning_rate))
        rate = self.schedule(*known[: len(inspect.signature(self.schedule).parameters)])
        self.model.optimizer.learning_rate = float(rate)
        if self.verbose:
            print(f"\nEpoch {epoch + 1}: learning rate {float(rate):g}")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Leave the rate in the history."""
        if isinstance(logs, dict):
            logs["lr"] = float(self.model.optimizer.learning_rate)


def better(mode: str, monitor: str) -> Callable[[float, float], bool]:
    """Whether a first value is better than a second, by `min`, `max` or the name's meaning."""
    if mode not in ("auto", "min", "max"):
        raise ValueError(f"mode must be auto, min or max; got {mode!r}")
    larger = mode == "max" or (mode == "auto" and ("acc" in monitor or "fmeasure" in monitor))
    return (lambda new, old: new > old) if larger else (lambda new, old: new < old)


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


class EarlyStopping(Callback):
    """Stops when a number has not improved by `min_delta` for more than `patience` epochs."""

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__()
        self.monitor = monitor
        self.min_delta = abs(min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self.grace = grace()
        self.is_better = better(mode, monitor)
        self.stopped_epoch = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget an earlier run."""
        self.wait = 0
        self.stopped_epoch = 0
        self.best: float | None = self.baseline
        self.best_weights: Any = None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare with the best epoch."""
        value = monitored(self, logs)
        if value is None or epoch < self.start_from_epoch:
            return
        sign = 1 if self.is_better(1, 0) else -1
        if self.best is None or self.is_better(value - sign * self.min_delta, self.best):
            self.best = value
            self.wait = 0
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights = self.model.get_weights()
        self.wait += 1
        if self.wait - self.grace >= self.patience:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Put the best weights back, if that was asked."""
        if self.stopped_epoch and self.verbose:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights is not None:
            self.model.set_weights(self.best_weights)


class ReduceLROnPlateau(Callback):
    """Multiplies the learning rate by `factor` when a number stops improving."""

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0,
        epsilon: float | None = None,
    ) -> None:
        super().__init__()
        if factor >= 1:
            raise ValueError(f"factor must be below 1, got {factor}")
        self.monitor = monitor
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.min_delta = min_delta if epsilon is None else epsilon
        self.cooldown = cooldown
        self.min_lr = min_lr
        self.grace = grace()
        self.is_better = better(mode, monitor)
        self.reset()

    def reset(self) -> None:
        """Forget what was seen."""
        self.wait = 0
        self.resting = 0
        self.best: float | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget an earlier run."""
        self.reset()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare with the best epoch, and lower the rate if it is time."""
        rate = float(self.model.optimizer.learning_rate)
        if isinstance(logs, dict):
            logs["lr"] = rate
        value = monitored(self, logs)
        if value is None:
            return
        if self.resting > 0:
            self.resting -= 1
            self.wait = 0
        sign = 1 if self.is_better(1, 0) else -1
        if self.best is None or self.is_better(value - sign * self.min_delta, self.best):
            self.best = value
            self.wait = 0
        elif self.resting <= 0:
            self.wait += 1
            if self.wait - self.grace >= self.patience and rate > self.min_lr:
                rate = max(rate * self.factor, self.min_lr)
                self.model.optimizer.learning_rate = rate
                if self.verbose:
                    print(f"\nEpoch {epoch + 1}: learning rate reduced to {rate:g}")
                self.resting = self.cooldown
                self.wait = self.grace
