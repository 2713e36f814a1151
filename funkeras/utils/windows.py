"""Windows: how much each sample of a piece of a signal counts."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

__all__ = ["WINDOWS", "Window", "window_of"]

Window: TypeAlias = str | Sequence[float] | None

WINDOWS = {
    "boxcar": (1.0,),
    "hann": (0.5, 0.5),
    "hamming": (0.54, 0.46),
    "blackman": (0.42, 0.5, 0.08),
    "nuttall": (0.3635819, 0.4891775, 0.1365995, 0.0106411),
    "blackmanharris": (0.35875, 0.48829, 0.14128, 0.01168),
    "flattop": (0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368),
}
"""Name of a window → the weights of its cosines, which alternate in sign."""


def window_of(window: Window, length: int, periodic: bool) -> np.ndarray:
    """A window by name, or the numbers themselves, in float64.

    >>> window_of("hann", 4, True).round(3).tolist()
    [0.0, 0.5, 1.0, 0.5]
    """
    if window is None:
        return np.ones(length)
    if not isinstance(window, str):
        values = np.asarray(window, "float64")
        if values.shape != (length,):
            raise ValueError(f"window must have {length} entries, got shape {values.shape}")
        return values
    if window not in WINDOWS:
        raise ValueError(f"window must be one of {', '.join(WINDOWS)}; got {window!r}")
    weights = WINDOWS[window]
    turns = np.arange(length) / max(1, length if periodic else length - 1)
    terms = [w * (-1) ** k * np.cos(2 * np.pi * k * turns) for k, w in enumerate(weights)]
    return np.sum(terms, axis=0) if length > 1 else np.ones(1)
