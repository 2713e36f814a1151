"""Switches of Keras 3: limits that try a script out, where messages go, how errors look."""

import os
import warnings
from dataclasses import dataclass

__all__ = [
    "disable_flash_attention",
    "disable_interactive_logging",
    "disable_traceback_filtering",
    "enable_flash_attention",
    "enable_interactive_logging",
    "enable_traceback_filtering",
    "enable_unsafe_deserialization",
    "is_flash_attention_enabled",
    "is_interactive_logging_enabled",
    "is_nnx_enabled",
    "is_traceback_filtering_enabled",
    "max_epochs",
    "max_steps_per_epoch",
    "set_max_epochs",
    "set_max_steps_per_epoch",
]


@dataclass
class _Switches:
    max_epochs: int | None = None
    max_steps_per_epoch: int | None = None
    interactive_logging: bool = True
    traceback_filtering: bool = True
    flash_attention: bool = True


def _limit(name: str, value: int | str | None) -> int | None:
    if value is None:
        return None
    number = int(value)
    if number != float(value) or number < 1:
        raise ValueError(f"{name} must be a positive integer or None, got {value!r}")
    return number


def _read(variable: str) -> int | None:
    return _limit(variable, os.environ.get(variable))


_switches = _Switches(_read("KERAS_MAX_EPOCHS"), _read("KERAS_MAX_STEPS_PER_EPOCH"))


def max_epochs() -> int | None:
    """How many epochs `fit` runs at most; None for no limit."""
    return _switches.max_epochs


def set_max_epochs(max_epochs: int | None) -> None:
    """Let `fit` run no more epochs, as `KERAS_MAX_EPOCHS` does: to try a script out."""
    _switches.max_epochs = _limit("max_epochs", max_epochs)


def max_steps_per_epoch() -> int | None:
    """How many batches `fit`, `evaluate` and `predict` take at most; None for no limit."""
    return _switches.max_steps_per_epoch


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Let an epoch of `fit`, an `evaluate` and a `predict` take no more batches.

    `KERAS_MAX_STEPS_PER_EPOCH` does the same, to try a script out without a change.
    """
    _switches.max_steps_per_epoch = _limit("max_steps_per_epoch", max_steps_per_epoch)


def enable_interactive_logging() -> None:
    """Write progress and messages to the standard output, as by default."""
    _switches.interactive_logging = True


def disable_interactive_logging() -> None:
    """Give progress and messages to the logger `funkeras` instead, at the level INFO.

    Of a bar there is one line, when it is finished.
    """
    _switches.interactive_logging = False


def is_interactive_logging_enabled() -> bool:
    """Whether progress and messages go to the standard output."""
    return _switches.interactive_logging


def enable_traceback_filtering() -> None:
    """Leave the frames within this library out of the traceback of an error, as by default."""
    _switches.traceback_filtering = True


def disable_traceback_filtering() -> None:
    """Show all frames in the traceback of an error."""
    _switches.traceback_filtering = False


def is_traceback_filtering_enabled() -> bool:
    """Whether the frames within this library are left out of the traceback of an error."""
    return _switches.traceback_filtering


def enable_flash_attention() -> None:
    """Let attention run by cuDNN's kernel where that can, as by default."""
    _switches.flash_attention = True


def disable_flash_attention() -> None:
    """Compute attention by XLA's products; what is compiled already stays as it is."""
    _switches.flash_attention = False


def is_flash_attention_enabled() -> bool:
    """Whether attention may run by cuDNN's kernel."""
    return _switches.flash_attention


def is_nnx_enabled() -> bool:
    """Whether variables are those of Flax's nnx: never, they are plain arrays here."""
    return False


def enable_unsafe_deserialization() -> None:
    """Warn that nothing in a file is run, whatever a script allows.

    Python code in a file stays data: the functions of such layers come by `custom_objects`.
    """
    warnings.warn(
        "code in a file is never run here: give the functions by custom_objects when you load it",
        stacklevel=2,
    )
