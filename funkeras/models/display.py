"""What a run shows: bars and lines of an epoch, and logs in the form that Keras gives them."""

import sys
from collections.abc import Mapping
from typing import Any

from funkeras.callbacks import Callback
from funkeras.models.data import Epochs
from funkeras.models.streams import Stream
from funkeras.progress import Progbar

__all__ = ["EpochBar", "run_params", "shaped_logs", "verbosity"]


def verbosity(verbose: int | str | bool) -> int:
    """0, 1 or 2; "auto" is a bar on a terminal and a line per epoch elsewhere."""
    if verbose == "auto":
        return 1 if sys.stdout.isatty() else 2
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


class EpochBar(Callback):
    """Shows each epoch as `verbose` asks, by samples where their number is known, else by steps."""

    def __init__(self, style: int, epochs: int, source: Epochs | Stream) -> None:
        super().__init__()
        self.style = style
        self.epochs = epochs
        self.by_samples = source.samples is not None
        self.target = source.samples if self.by_samples else source.steps
        self.bar: Progbar | None = None

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Begin a bar."""
        self.done = 0
        if self.style:
            print(f"Epoch {epoch + 1}/{self.epochs}", flush=True)
            unit = "sample" if self.by_samples else "step"
            self.bar = Progbar(
                self.target, verbose=self.style, stateful_metrics="all", unit_name=unit
            )

    def look(self, seen: int, batches: int, logs: Mapping[str, Any]) -> None:
        """Move the bar; the epoch's end finishes it, when validation is known too."""
        self.done = seen if self.by_samples else batches
        if self.bar is not None and (self.target is None or self.done < self.target):
            self.bar.update(self.done, list(logs.items()))

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Finish the bar."""
        if self.bar is not None:
            done = self.target or self.done
            self.bar.update(done, list((logs or {}).items()), finalize=True)
