"""`ModelCheckpoint`: the model in a file after epochs or batches."""

import os
import warnings
from typing import Any

import numpy as np

from funkeras import config
from funkeras.callbacks.base import Callback, Logs, better
from funkeras.spellings import placed
from funkeras.utils.messages import say

__all__ = ["ModelCheckpoint"]

ENDINGS = {True: (".weights.h5",), False: (".keras", ".h5")}
"""What a file's name must end with in Keras 3, for weights only and for a whole model."""


BEFORE_KERAS_3 = (
    *("filepath", "monitor", "verbose", "save_best_only", "save_weights_only"),
    *("mode", "period"),
)
"""Positional order of Keras 1 and 2."""


class ModelCheckpoint(Callback):
    """Saves the model, or its weights, after every epoch or as often as asked.

    Args:
        filepath: may contain `{epoch:02d}`, `{batch}` and the names of logs, `{val_loss:.2f}`.
            The first epoch is 0 in Keras 1 and 1 in later ones.
        save_best_only: only when the monitored number is better than ever before.
        save_weights_only: write the weights instead of the model.
        save_freq: `"epoch"`, or a number of batches.
        initial_value_threshold: what the monitored number has to beat at first.
        period: epochs between two files (Keras 1 and 2).
    """

    @placed(classic=BEFORE_KERAS_3, keras2=BEFORE_KERAS_3)
    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
        period: int = 1,
        options: Any = None,
    ) -> None:
        super().__init__()
        self.filepath = os.fspath(filepath)
        self.monitor = monitor
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self.period = period
        self.is_better = better(mode, monitor)
        self.best = initial_value_threshold
        self.dialect = config.dialect()
        self.epochs_since_last_save = 0
        self._epoch = 0
        self._batches = 0
        if save_freq != "epoch" and (not isinstance(save_freq, int) or save_freq < 1):
            raise ValueError(f'save_freq must be "epoch" or a number of batches; got {save_freq!r}')
        if self.dialect == "modern" and not self.filepath.endswith(ENDINGS[save_weights_only]):
            endings = " or ".join(ENDINGS[save_weights_only])
            raise ValueError(
                f"filepath must end in {endings} with save_weights_only={save_weights_only}, "
                f"got {self.filepath!r}"
            )
        if save_freq != "epoch":  # a batch hook only where it is needed: it slows the run
            self.on_train_batch_end = self._batch_ended

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Take the epoch's number."""
        self._epoch = epoch

    def _batch_ended(self, batch: int, logs: Logs | None = None) -> None:
        self._batches += 1
        if self._batches == self.save_freq:
            self._batches = 0
            own = {name: value for name, value in (logs or {}).items() if name != "batch"}
            self._save(self._epoch, {**own, "batch": batch + 1}, own)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Save, if it is time."""
        self.epochs_since_last_save += 1
        if self.save_freq == "epoch" and self.epochs_since_last_save >= self.period:
            self.epochs_since_last_save = 0
            self._save(epoch, dict(logs or {}), logs or {})

    def _save(self, epoch: int, names: dict[str, Any], logs: Logs) -> None:
        counted = epoch if self.dialect == "classic" else epoch + 1
        try:
            path = self.filepath.format(**{**names, "epoch": counted})
        except KeyError as error:
            raise KeyError(
                f"filepath {self.filepath!r} uses {error}, which is not among "
                f"{', '.join(['epoch', *names])}"
            ) from None
        if self.save_best_only and not self._improved(epoch, logs, path):
            return
        if self.verbose and not self.save_best_only:
            say(f"\nEpoch {epoch + 1}: saving to {path}")
        folder = os.path.dirname(path)
        if folder:
            os.makedirs(folder, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)

    def _improved(self, epoch: int, logs: Logs, path: str) -> bool:
        value = logs.get(self.monitor)
        if value is None or np.ndim(value):
            came = "the logs lack it" if value is None else f"it is no single number: {value}"
            saves = self.dialect == "modern"
            warnings.warn(
                f"ModelCheckpoint monitors {self.monitor!r}, but {came}; "
                f"{'saving anyway' if saves else 'nothing is saved'}",
                RuntimeWarning,
                stacklevel=2,
            )
            return saves
        improved = self.best is None or self.is_better(value, self.best)
        if self.verbose:
            best = "nothing" if self.best is None else f"{self.best:.5f}"
            say(
                f"\nEpoch {epoch + 1}: {self.monitor} improved from {best} to {value:.5f}, "
                f"saving to {path}"
                if improved
                else f"\nEpoch {epoch + 1}: {self.monitor} did not improve from {best}"
            )
        if improved:
            self.best = value
        return improved
