"""What a run shows: bars and lines of an epoch, and logs in the form that Keras gives them."""

import sys
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from funkeras import config
from funkeras.callbacks import Callback
from funkeras.models.data import Epochs
from funkeras.models.streams import Stream
from funkeras.progress import Progbar
from funkeras.utils.messages import say

__all__ = ["Bar", "EpochBar", "run_params", "shaped_logs", "validation_arrays", "verbosity"]


def verbosity(verbose: int | str | bool, elsewhere: int = 2) -> int:
    """0, 1 or 2; "auto" is a bar on a terminal, and elsewhere a line or what is said."""
    if verbose == "auto":
        return 1 if sys.stdout.isatty() else elsewhere
    if verbose not in (0, 1, 2):
        raise ValueError(f'verbose must be 0, 1, 2 or "auto"; got {verbose!r}')
    return int(verbose)


def shaped_logs(logs: Mapping[str, float], as_dict: bool) -> Any:
    """Logs as Keras returns them: a dict, a list, or the loss alone."""
    if as_dict:
        return dict(logs)
    values = list(logs.values())
    return values[0] if len(values) == 1 else values


def run_params(
    epochs: int, style: int, size: int, source: Epochs | Stream, names: list[str], validates: bool
) -> dict[str, Any]:
    """What Keras 1 and 2 tell callbacks of a run, by the names of both."""
    return {
        "batch_size": size,
        "epochs": epochs,
        "nb_epoch": epochs,
        "samples": source.samples,
        "nb_sample": source.samples,
        "steps": source.steps,
        "verbose": style,
        "do_validation": validates,
        "metrics": names,
    }


def validation_arrays(source: Epochs | Stream | None) -> list[Any] | None:
    """What Keras 1 and 2 give callbacks as `validation_data`: inputs, targets and weights."""
    if not isinstance(source, Epochs):
        return None
    x, y, weights = source.feed.data
    shares = [np.ones(source.feed.rows, "float32") if w is None else w for w in weights]
    return [np.asarray(a) if isinstance(a, jax.Array) else a for a in (*x, *y, *shares)]


class Bar:
    """One pass over data as `verbose` asks.

    It counts samples where their number is known; in the dialect of Keras 3 batches, and the
    numbers are in the order of their names.
    """

    def __init__(self, style: int, samples: int | None, steps: int | None = None) -> None:
        self.modern = config.dialect() == "modern"
        self.by_samples = samples is not None and not self.modern
        self.target = samples if self.by_samples else steps
        self.done = 0
        unit = "sample" if self.by_samples else "step"
        self.bar = Progbar(self.target, verbose=style, stateful_metrics="all", unit_name=unit)

    def look(self, seen: int, batches: int, logs: Mapping[str, Any]) -> None:
        """Move the bar; the end of the pass finishes it, when all numbers are known."""
        self.done = seen if self.by_samples else batches
        if self.target is None or self.done < self.target:
            self.bar.update(self.done, self._shown(logs))

    def finish(self, logs: Mapping[str, Any]) -> None:
        """Finish the bar."""
        self.bar.update(self.target or self.done, self._shown(logs), finalize=True)

    def _shown(self, logs: Mapping[str, Any]) -> list[tuple[str, Any]]:
        return sorted(logs.items()) if self.modern else list(logs.items())


class EpochBar(Callback):
    """Shows each epoch as `verbose` asks."""

    def __init__(self, style: int, epochs: int, source: Epochs | Stream) -> None:
        super().__init__()
        self.style = style
        self.epochs = epochs
        self.source = source

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Begin a bar."""
        if self.style:
            say(f"Epoch {epoch + 1}/{self.epochs}")
        self.bar = Bar(self.style, self.source.samples, self.source.steps)

    def look(self, seen: int, batches: int, logs: Mapping[str, Any]) -> None:
        """Move the bar."""
        self.bar.look(seen, batches, logs)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Finish the bar."""
        self.bar.finish(logs or {})
