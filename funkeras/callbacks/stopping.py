"""Callbacks that end a run early."""

import math
from typing import Any

from funkeras import config
from funkeras.callbacks.base import Callback, Logs, better, grace, monitored
from funkeras.utils.messages import say

__all__ = ["EarlyStopping", "TerminateOnNaN"]


class TerminateOnNaN(Callback):
    """Stops training at the batch whose loss is not finite.

    Args:
        raise_error: raise a RuntimeError instead.
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Look at the batch's loss."""
        loss = (logs or {}).get("loss")
        if loss is not None and not math.isfinite(loss):
            if self.raise_error:
                raise RuntimeError(f"the loss is {loss} in batch {batch}")
            say(f"Batch {batch}: the loss is {loss}, terminating training")
            self.model.stop_training = True


class EarlyStopping(Callback):
    """Stops when a number has not improved by `min_delta` for more than `patience` epochs.

    Args:
        baseline: a value that has to be beaten first.
        restore_best_weights: go back to the weights of the best epoch: in Keras 2 when the run was
            stopped, in Keras 3 always.
        start_from_epoch: epochs to wait before looking.
    """

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
        self.modern = config.dialect() == "modern"
        self.is_better = better(mode, monitor)
        self.stopped_epoch = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget an earlier run."""
        self.wait = 0
        self.stopped_epoch = 0
        self.best: float | None = None if self.modern else self.baseline
        self.best_epoch = 0
        self.best_weights: Any = None

    def improves(self, value: float, reference: float | None) -> bool:
        """Whether a value is better than another by more than `min_delta`."""
        sign = 1 if self.is_better(1, 0) else -1
        return reference is None or self.is_better(value - sign * self.min_delta, reference)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare with the best epoch."""
        value = self.get_monitor_value(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        keeps = self.restore_best_weights
        if keeps and self.modern and self.best_weights is None:
            self.best_weights, self.best_epoch = self.model.get_weights(), epoch
        if self.improves(value, self.best):
            self.best, self.best_epoch = value, epoch
            if keeps:
                self.best_weights = self.model.get_weights()
            if not self.modern or self.baseline is None or self.improves(value, self.baseline):
                self.wait = 0
            else:
                self.wait += 1
            return
        self.wait += 1
        if self.wait - self.grace >= self.patience and (epoch > 0 or not self.modern):
            self.stopped_epoch = epoch
            self.model.stop_training = True
            if keeps and not self.modern and self.best_weights is not None:
                self._restore()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Put the best weights back, where Keras 3 does."""
        if self.stopped_epoch > 0 and self.verbose:
            say(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.modern and self.best_weights is not None:
            self._restore()

    def _restore(self) -> None:
        if self.verbose:
            say(f"Restoring the weights of epoch {self.best_epoch + 1}, the best one")
        self.model.set_weights(self.best_weights)

    def get_monitor_value(self, logs: Logs | None) -> float | None:
        """The number that is watched."""
        return monitored(self, logs)
