"""Fourier transforms, whose complex numbers are pairs of a real and an imaginary array."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from funkeras.functional.checks import one_of, positive
from funkeras.functional.spectrograms import window_of
from funkeras.ops.arguments import array
from funkeras.ops.lifting import op

__all__ = [
    "extract_sequences",
    "fft",
    "fft2",
    "ifft2",
    "irfft",
    "istft",
    "rfft",
    "stft",
]

LEAST = 1e-10
"""Squares of a window add up to more than this where a signal can be told from its pieces."""


def _complex(x: Any) -> Any:
    if not isinstance(x, list | tuple) or len(x) != 2:
        raise ValueError(f"x must be a tuple (real, imaginary) of two arrays, got {x!r}")
    real, imag = map(array, x)
    floating = all(jnp.issubdtype(part.dtype, jnp.floating) for part in (real, imag))
    if real.shape != imag.shape or not floating:
        raise ValueError(
            "the real and imaginary parts of x must be floats of one shape; got "
            f"{real.dtype} {real.shape} and {imag.dtype} {imag.shape}"
        )
    return lax.complex(real, imag)


def _parts(y: Any) -> tuple[Any, Any]:
    return jnp.real(y), jnp.imag(y)


@op
def extract_sequences(x: Any, sequence_length: int, sequence_stride: int) -> Any:
    """Pieces of the last axis, (..., pieces, length), one every `sequence_stride` entries."""
    positive("sequence_length", sequence_length)
    return _pieces(array(x), sequence_length, positive("sequence_stride", sequence_stride))


def _pieces(x: Any, length: int, stride: int) -> Any:
    starts = np.arange(0, x.shape[-1] - length + 1, stride)
    return x[..., starts[:, None] + np.arange(length)]


@op
def fft(x: Any) -> Any:
    """The discrete Fourier transform along the last axis."""
    return _parts(jnp.fft.fft(_complex(x)))


@op
def fft2(x: Any) -> Any:
    """The discrete Fourier transform along the last two axes."""
    return _parts(jnp.fft.fft2(_complex(x)))


@op
def ifft2(x: Any) -> Any:
    """The inverse of the discrete Fourier transform along the last two axes."""
    return _parts(jnp.fft.ifft2(_complex(x)))


@op
def rfft(x: Any, fft_length: int | None = None) -> Any:
    """The first half of the Fourier transform of real numbers: `fft_length // 2 + 1` frequencies.

    The last axis is cut off or filled up with zeros to `fft_length`.
    """
    return _parts(jnp.fft.rfft(array(x), fft_length))


@op
def irfft(x: Any, fft_length: int | None = None) -> Any:
    """The `fft_length` real numbers, by default an even number, that `rfft` gives `x` for."""
    return jnp.fft.irfft(_complex(x), fft_length)


@op
def stft(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: str | Sequence[float] | None = "hann",
    center: bool = True,
) -> Any:
    """Fourier transforms of pieces of a signal, (..., pieces, `fft_length // 2 + 1`).

    Args:
        sequence_length: of the window, in the middle of `fft_length` entries.
        sequence_stride: from one piece to the next.
        window: `hann`, `hamming`, numbers, or None for pieces as they are.
        center: mirror the signal at its ends, so that pieces have their middles from its start on.
    """
    x = array(x)
    if x.dtype not in (jnp.float32, jnp.float64):
        raise TypeError(f"x must be float32 or float64, got {x.dtype}")
    positive("sequence_stride", sequence_stride)
    taper = _taper(window, sequence_length, fft_length, x.dtype)
    if center:
        edges = [(0, 0)] * (x.ndim - 1) + [(fft_length // 2, fft_length // 2)]
        x = jnp.pad(x, edges, mode="reflect")
    return _parts(jnp.fft.rfft(_pieces(x, fft_length, sequence_stride) * taper))


@op
def istft(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: str | Sequence[float] | None = "hann",
    center: bool = True,
) -> Any:
    """The signal whose `stft` is closest to `x` (Griffin and Lim 1984), its first `length` entries.

    With no window it is `fft_length / sequence_stride` times as large, as it is in Keras.
    """
    spectrum = _complex(x)
    if spectrum.ndim < 2:
        raise ValueError(f"x must be (..., pieces, frequencies), got shape {spectrum.shape}")
    positive("sequence_stride", sequence_stride)
    pieces = jnp.fft.irfft(spectrum, fft_length)
    taper = _taper(window, sequence_length, fft_length, pieces.dtype)
    count = pieces.shape[-2]
    whole = fft_length + sequence_stride * (count - 1)
    places = np.arange(count)[:, None] * sequence_stride + np.arange(fft_length)
    total = jnp.zeros((*pieces.shape[:-2], whole), pieces.dtype)
    total = total.at[..., places].add(pieces * taper)
    weight = jnp.zeros(whole, pieces.dtype).at[places].add(jnp.square(taper))
    y = total / jnp.where(weight > LEAST, weight, 1)
    if window is None:
        y = y * (fft_length / sequence_stride)
    start = fft_length // 2 if center else 0
    return y[..., start : whole - start if length is None else start + length]


def _taper(window: Any, sequence_length: int, fft_length: int, dtype: Any) -> Any:
    """A window amid zeros, `fft_length` entries; ones for None."""
    positive("sequence_length", sequence_length)
    if fft_length < sequence_length:
        raise ValueError(
            f"fft_length must be at least sequence_length {sequence_length}, got {fft_length}"
        )
    if window is None:
        return jnp.ones(fft_length, dtype)
    if isinstance(window, str):
        one_of("window", window, ("hann", "hamming"))
        window = window_of(window, sequence_length, True)
    values = jnp.asarray(window, dtype)
    if values.shape != (sequence_length,):
        raise ValueError(f"window must have {sequence_length} entries, got shape {values.shape}")
    before = (fft_length - sequence_length) // 2
    return jnp.pad(values, (before, fft_length - sequence_length - before))
