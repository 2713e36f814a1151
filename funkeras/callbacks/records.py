"""Callbacks that write down what happens: in memory, a file, a terminal or over the network."""

import csv
import json
import math
import os
import urllib.error
import urllib.parse
import urllib.request
import warnings
from collections.abc import Callable, Iterable, Mapping
from numbers import Number
from typing import Any

import numpy as np

from funkeras import config
from funkeras.callbacks.base import Callback, Logs
from funkeras.progress import Progbar
from funkeras.utils.messages import say
from funkeras.utils.plotting import plot_history

__all__ = [
    "BaseLogger",
    "CSVLogger",
    "History",
    "LambdaCallback",
    "ProgbarLogger",
    "RemoteMonitor",
]


class History(Callback):
    """Records the logs of every epoch; `fit` returns it."""

    def __init__(self) -> None:
        super().__init__()
        self.epoch: list[int] = []
        self.history: dict[str, list[Any]] = {}

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget an earlier run."""
        self.epoch = []
        self.history = {}

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Append what the epoch gave."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)

    def plot(self, title: str = "") -> Any:
        """The learning curves as a matplotlib figure: `funkeras.utils.plotting.plot_history`."""
        return plot_history(self, title=title)


class LambdaCallback(Callback):
    """Hooks as functions: `LambdaCallback(on_epoch_end=lambda epoch, logs: ...)`."""

    ORDER = {
        False: (
            *("on_epoch_begin", "on_epoch_end", "on_batch_begin", "on_batch_end"),
            *("on_train_begin", "on_train_end"),
        ),
        True: (
            *("on_epoch_begin", "on_epoch_end", "on_train_begin", "on_train_end"),
            *("on_train_batch_begin", "on_train_batch_end"),
        ),
    }
    """Positional order in Keras 3 (True) and before."""

    def __init__(
        self, *args: Callable[..., Any] | None, **hooks: Callable[..., Any] | None
    ) -> None:
        super().__init__()
        order = self.ORDER[config.dialect() == "modern"]
        if len(args) > len(order):
            raise TypeError(f"LambdaCallback() takes at most {len(order)} positional arguments")
        for name, hook in {**dict(zip(order, args, strict=False)), **hooks}.items():
            if not name.startswith("on_") or not hasattr(Callback, name):
                known = ", ".join(n for n in vars(Callback) if n.startswith("on_"))
                raise TypeError(f"LambdaCallback() has no hook {name!r}; there are {known}")
            if hook is not None:
                setattr(self, name, hook)


class BaseLogger(Callback):
    """Averages the batches' numbers over an epoch, by their sizes, into the epoch's logs.

    `fit` does so by itself; this class serves loops that call the hooks of callbacks.

    Args:
        stateful_metrics: names whose last value is taken instead.
    """

    def __init__(self, stateful_metrics: Iterable[str] | None = None) -> None:
        super().__init__()
        self.stateful_metrics = set(stateful_metrics or ())

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Begin anew."""
        self.seen = 0
        self.totals: dict[str, Any] = {}

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Add a batch."""
        logs = logs or {}
        size = logs.get("size", 0)
        self.seen += size
        for name, value in logs.items():
            if name in self.stateful_metrics:
                self.totals[name] = value
            else:
                self.totals[name] = self.totals.get(name, 0) + value * size

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Give the averages."""
        if not isinstance(logs, dict):
            return
        for name in self.params.get("metrics", ()):
            if name in self.totals:
                stateful = name in self.stateful_metrics
                logs[name] = self.totals[name] / (1 if stateful else max(self.seen, 1))


class ProgbarLogger(Callback):
    """A progress bar for each epoch, as `fit(verbose=1)` shows one.

    Args:
        count_mode: what is counted, `samples` or `steps`; in the dialect of Keras 3 steps.
        stateful_metrics: names that are shown as they are instead of averaged.
    """

    def __init__(
        self, count_mode: str = "samples", stateful_metrics: Iterable[str] | None = None
    ) -> None:
        super().__init__()
        if count_mode not in ("samples", "steps"):
            raise ValueError(f"count_mode must be samples or steps, got {count_mode!r}")
        self.averages = config.dialect() != "modern"
        self.use_steps = count_mode == "steps" or not self.averages
        self.stateful_metrics = set(stateful_metrics or ())

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Take the number of epochs."""
        self.epochs = self.params.get("epochs", 1)
        self.verbose = self.params.get("verbose", 1)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Begin a bar."""
        self.seen = 0
        self.target = self.params.get("steps" if self.use_steps else "samples")
        if not self.target:
            self.use_steps, self.target = True, self.params.get("steps")
        if self.verbose:
            say(f"Epoch {epoch + 1}/{self.epochs}")
            stateful: Any = self.stateful_metrics if self.averages else "all"
            self.progbar = Progbar(self.target, verbose=self.verbose, stateful_metrics=stateful)

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Move the bar."""
        logs = logs or {}
        self.seen += 1 if self.use_steps else logs.get("size", 0)
        if self.verbose and (self.target is None or self.seen < self.target):
            self.progbar.update(self.seen, self._shown(logs))

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Finish the bar."""
        if self.verbose:
            self.progbar.update(self.seen, self._shown(logs or {}), finalize=True)

    def _shown(self, logs: Logs) -> list[tuple[str, Any]]:
        shown = [(name, value) for name, value in logs.items() if name not in ("batch", "size")]
        return shown if self.averages else sorted(shown)


class CSVLogger(Callback):
    """Writes a line of comma-separated numbers for every epoch, the epoch first.

    Args:
        append: go on in a file that exists; its header is not written again.
    """

    def __init__(
        self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False
    ) -> None:
        super().__init__()
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = append
        self.modern = config.dialect() == "modern"
        self.keys: list[str] | None = None
        self._file: Any = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Open the file."""
        self.keys = None
        self.has_header = False
        if self.append and os.path.exists(self.filename):
            self.has_header = os.path.getsize(self.filename) > 0
        self._file = open(self.filename, "a" if self.append else "w", newline="")  # noqa: SIM115
        self.append = True  # another run of this object goes on

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write a line."""
        logs = logs or {}
        if self.keys is None:
            self.keys = sorted(logs)
            # Keras 3 keeps columns for a validation that comes later.
            if self.modern and not any(name.startswith("val_") for name in self.keys):
                self.keys += [f"val_{name}" for name in self.keys]
        writer = csv.writer(self._file, delimiter=self.sep)
        if not self.has_header:
            writer.writerow(["epoch", *self.keys])
            self.has_header = True
        writer.writerow([epoch, *(_cell(logs.get(name, "NA")) for name in self.keys)])
        self._file.flush()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Close the file."""
        self.release()

    def release(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _cell(value: Any) -> Any:
    """A value as one cell: several numbers as a list in quotes."""
    if isinstance(value, str) or np.ndim(value) == 0:
        return value
    return f"[{', '.join(map(str, np.asarray(value).tolist()))}]"


class RemoteMonitor(Callback):
    """Sends every epoch's logs to a server, by POST to `root + path`.

    Args:
        field: the form's field that holds the JSON.
        send_as_json: send the JSON itself instead of a form.
    """

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: Mapping[str, str] | None = None,
        send_as_json: bool = False,
    ) -> None:
        super().__init__()
        self.root = root
        self.path = path
        self.field = field
        self.headers = dict(headers or {})
        self.send_as_json = send_as_json

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Send the logs; a server that can't be reached is warned of."""
        told = {"epoch": epoch, **{name: _plain(value) for name, value in (logs or {}).items()}}
        text = json.dumps(told)
        body = text if self.send_as_json else urllib.parse.urlencode({self.field: text})
        kind = "application/json" if self.send_as_json else "application/x-www-form-urlencoded"
        request = urllib.request.Request(
            self.root + self.path, body.encode(), {"Content-Type": kind, **self.headers}
        )
        try:
            urllib.request.urlopen(request, timeout=10).close()
        except (OSError, urllib.error.URLError) as error:
            warnings.warn(
                f"RemoteMonitor cannot reach {self.root}: {error}", RuntimeWarning, stacklevel=2
            )


def _plain(value: Any) -> Any:
    """A value as JSON takes it; what is no finite number as text."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, Number) and not math.isfinite(float(value)):  # pyright: ignore[reportArgumentType]: a real number
        return str(value)
    return value
