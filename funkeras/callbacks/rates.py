"""Callbacks that change the learning rate."""

import inspect
from collections.abc import Callable

from funkeras import config
from funkeras.callbacks.base import Callback, Logs, better, grace, monitored
from funkeras.utils.messages import say

__all__ = ["LearningRateScheduler", "ReduceLROnPlateau"]


def rate_name() -> str:
    """The learning rate's name in the logs: `lr`, in Keras 3 `learning_rate`."""
    return "learning_rate" if config.dialect() == "modern" else "lr"


class LearningRateScheduler(Callback):
    """Sets the learning rate of each epoch by `schedule(epoch)` or `schedule(epoch, rate)`."""

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose
        self.rate_name = rate_name()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Ask the schedule."""
        known = (epoch, float(self.model.optimizer.learning_rate))
        rate = self.schedule(*known[: self._arguments()])
        try:
            number = float(rate)
        except (TypeError, ValueError):
            raise ValueError(f"schedule must give a number, got {rate!r}") from None
        self.model.optimizer.learning_rate = number
        if self.verbose:
            say(f"\nEpoch {epoch + 1}: learning rate {number:g}")

    def _arguments(self) -> int:
        """How many arguments the schedule takes: one of Keras 1 knows the epoch only."""
        try:
            signature = inspect.signature(self.schedule)
        except (TypeError, ValueError):
            return 1
        try:
            signature.bind(0, 0.0)
        except TypeError:
            return 1
        return 2

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Leave the rate in the history."""
        if isinstance(logs, dict):
            logs[self.rate_name] = float(self.model.optimizer.learning_rate)


class ReduceLROnPlateau(Callback):
    """Multiplies the learning rate by `factor` when a number stops improving.

    Args:
        patience: epochs without an improvement by `min_delta` (`epsilon` in Keras 1).
        cooldown: epochs to wait after a reduction.
        min_lr: the rate does not go below it.
    """

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
        self.rate_name = rate_name()
        self.is_better = better(mode, monitor)
        self.reset()

    def reset(self) -> None:
        """Forget what was seen."""
        self.wait = 0
        self.cooldown_counter = 0
        self.best: float | None = None

    def in_cooldown(self) -> bool:
        """Whether the last reduction was just now."""
        return self.cooldown_counter > 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget an earlier run."""
        self.reset()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare with the best epoch, and lower the rate if it is time."""
        rate = float(self.model.optimizer.learning_rate)
        if isinstance(logs, dict):
            logs[self.rate_name] = rate
        value = monitored(self, logs)
        if value is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        sign = 1 if self.is_better(1, 0) else -1
        if self.best is None or self.is_better(value - sign * self.min_delta, self.best):
            self.best = value
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait - self.grace >= self.patience and rate > self.min_lr:
                rate = max(rate * self.factor, self.min_lr)
                self.model.optimizer.learning_rate = rate
                if self.verbose:
                    say(f"\nEpoch {epoch + 1}: learning rate reduced to {rate:g}")
                self.cooldown_counter = self.cooldown
                self.wait = self.grace
