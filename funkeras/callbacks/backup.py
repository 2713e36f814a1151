"""`BackupAndRestore`: a run that goes on where it was, whatever ended it."""

import os
import signal
import threading
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from funkeras.callbacks.base import Callback, Logs
from funkeras.callbacks.packing import pack, unpack
from funkeras.utils.io import atomic_write

__all__ = ["BackupAndRestore"]

NAME = "run.npz"


class BackupAndRestore(Callback):
    """Saves the whole run, and goes on from there when the same script is run again.

    The file holds weights, optimizer, random key, order of the data, metrics, history and the
    other callbacks' attributes, so that the end is bit for bit that of a run never interrupted. It
    is wholly old or wholly new at any moment. At SIGTERM the run is saved before the process ends.

    A generator is run again from its beginning up to where it was.

    Args:
        backup_dir: folder of the backup; one for each run.
        save_freq: `"epoch"`, or a number of batches; False saves at SIGTERM only.
        double_checkpoint: keep the backup before the last one too.
        delete_checkpoint: remove the backup when the run has ended well.
    """

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: str | int | bool = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        super().__init__()
        if not os.fspath(backup_dir):
            raise ValueError("backup_dir must name a folder, got an empty path")
        batches = not isinstance(save_freq, str | bool) and save_freq > 0
        if not (batches or save_freq == "epoch" or save_freq is False):
            raise ValueError(
                f'save_freq must be "epoch", a number of batches or False; got {save_freq!r}'
            )
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self.stops_every = int(save_freq) if batches else None
        self._terminated = threading.Event()
        self._run: Any = None
        self._handler: Any = None

    @property
    def path(self) -> Path:
        """The backup's file."""
        return Path(self.backup_dir) / NAME

    @property
    def _previous(self) -> Path:
        return self.path.with_suffix(".previous.npz")

    def on_ready(self, run: Any) -> None:
        """Go on from a backup, and wait for signals."""
        self._run = run
        self._terminated.clear()
        if saved := self._read():
            run.restore(saved)
        if threading.current_thread() is threading.main_thread():
            self._handler = signal.signal(signal.SIGTERM, self._on_signal)

    def _on_signal(self, number: int, frame: Any) -> None:
        self._terminated.set()

    def _read(self) -> Any:
        """The last backup, or the one before it if that is kept and the last is damaged."""
        for path in (self.path, self._previous):
            if not path.exists():
                continue
            try:
                with path.open("rb") as file:
                    return unpack(dict(np.load(file, allow_pickle=False)))
            except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
                if path == self.path and self._previous.exists():
                    continue
                raise ValueError(f"{path} is no backup: {error}; remove it to begin anew") from None
        return None

    def on_settled(self) -> None:
        """Save, if it is time."""
        progress = self._run.progress
        at_end = progress.batch == 0
        due = at_end if self.stops_every is None else progress.batch % self.stops_every == 0
        if self._terminated.is_set() or (due and self.save_freq is not False):
            self.save()
        if self._terminated.is_set():
            self._terminated.clear()
            self.release()
            os.kill(os.getpid(), signal.SIGTERM)

    def save(self) -> None:
        """Write the backup now."""
        Path(self.backup_dir).mkdir(parents=True, exist_ok=True)
        if self.double_checkpoint and self.path.exists():
            self._previous.unlink(missing_ok=True)
            os.link(self.path, self._previous)
        with atomic_write(self.path) as temporary, temporary.open("wb") as file:
            np.savez(file, **pack(self._run.capture()))  # pyright: ignore[reportArgumentType]: named arrays

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Remove the backup: there is nothing to go on with."""
        if self.delete_checkpoint:
            for path in (self.path, self._previous):
                path.unlink(missing_ok=True)

    def release(self) -> None:
        """Leave the signal to whoever had it."""
        if self._handler is not None:
            signal.signal(signal.SIGTERM, self._handler)
            self._handler = None
