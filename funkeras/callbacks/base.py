"""`Callback`: hooks at the boundaries of runs, epochs and batches."""

import warnings
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from funkeras import config

__all__ = ["Callback", "Logs", "better", "grace", "monitored"]

Logs: TypeAlias = Mapping[str, Any]


class Callback:
    """Base of callbacks: override the hooks that you need.

    `self.model` is the model and `self.params` describes the run; in Keras 1 and 2
    `self.validation_data` lists the inputs, targets and weights to validate on. A callback with a
    batch hook makes the run go one step at a time.
    """

    model: Any = None
    validation_data: list[Any] | None = None

    stops_every: int | None = None
    """Training halts after so many batches, for `on_settled`."""

    def __init__(self) -> None:
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
        """The same as `on_batch_begin`, by its tf.keras name: it calls that one."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """The same as `on_batch_end`, by its tf.keras name: it calls that one."""
        self.on_batch_end(batch, logs)

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
