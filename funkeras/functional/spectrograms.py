"""Sound as pictures: how strong each frequency is over time."""

from collections.abc import Callable, Iterator

import jax.numpy as jnp
import numpy as np
from jax import lax

from funkeras import config
from funkeras.functional.checks import known, one_of, positive, rank
from funkeras.functional.pair import Pair, Weight, layer, stateless
from funkeras.functional.preprocessing_changes import rows_first
from funkeras.typing import Array, Params, Shape
from funkeras.utils.windows import Window, window_of

__all__ = ["mel_spectrogram", "stft_spectrogram"]

MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")
MEL_SCALE, MEL_BREAK = 1127.0, 700.0


def mel_matrix(bands: int, bins: int, sampling_rate: float, low: float, high: float) -> np.ndarray:
    """Weights of each frequency in each of `bands` triangles, even on the mel scale (bins, bands).

    They peak at 1, and leave out frequency 0: the convention of the HTK Book, Young et al. 2006.
    """

    def mel(hertz: np.ndarray) -> np.ndarray:
        return MEL_SCALE * np.log1p(hertz / MEL_BREAK)

    own = mel(np.linspace(0, sampling_rate / 2, bins))[:, None]
    start, end = mel(np.array([low, high])).tolist()
    edges = np.linspace(start, end, bands + 2)
    left, middle, right = edges[:-2], edges[1:-1], edges[2:]
    rise, fall = (own - left) / (middle - left), (right - own) / (right - middle)
    weights = np.maximum(0, np.minimum(rise, fall))
    weights[0] = 0
    return weights


@layer("MelSpectrogram")
def mel_spectrogram(
    fft_length: int = 2048,
    sequence_stride: int = 512,
    sequence_length: int | None = None,
    window: Window = "hann",
    sampling_rate: int = 16000,
    num_mel_bins: int = 128,
    min_freq: float = 20.0,
    max_freq: float | None = None,
    power_to_db: bool = True,
    top_db: float = 80.0,
    mag_exp: float = 2.0,
    min_power: float = 1e-10,
    ref_power: float = 1.0,
) -> Pair:
    """The strength of each band of the mel scale over time, (bands, steps), of a signal.

    Pieces of `sequence_length` (`fft_length` by default) every `sequence_stride` samples, the
    signal mirrored at its ends.

    Args:
        window: `hann`, `hamming`, numbers, or None.
        max_freq: half of `sampling_rate` by default.
        power_to_db: in decibels of `ref_power`, at most `top_db` below the strongest of the batch.
        mag_exp: 2 for power, 1 for magnitude.

    >>> from funkeras.functional import output_shape
    >>> output_shape(mel_spectrogram(64, 16, num_mel_bins=10), (None, 160))
    (None, 10, 11)
    """
    length = sequence_length or fft_length
    positive("sequence_stride", sequence_stride)
    if not 0 < length <= fft_length:
        raise ValueError(
            f"sequence_length must be at most fft_length {fft_length}, got {sequence_length}"
        )
    if isinstance(window, str):
        one_of("window", window, ("hann", "hamming"))
    before = (fft_length - length) // 2
    taper = np.pad(window_of(window, length, True), (before, fft_length - length - before))
    bins = fft_length // 2 + 1
    high = float(max_freq or sampling_rate // 2)
    matrix = mel_matrix(num_mel_bins, bins, sampling_rate, min_freq, high)

    def decibels(power: Array) -> Array:
        return 10 * jnp.log10(jnp.maximum(power, min_power))

    def apply(params: Params, x: Array) -> Array:
        dtype = x.dtype if x.dtype in ("float32", "float64") else jnp.float32
        wide = jnp.asarray(x, dtype)
        edges = [(0, 0)] * (x.ndim - 1) + [(fft_length // 2, fft_length // 2)]
        wide = jnp.pad(wide, edges, mode="reflect")
        starts = np.arange(0, wide.shape[-1] - fft_length + 1, sequence_stride)
        pieces = wide[..., starts[:, None] + np.arange(fft_length)]
        spectrum = jnp.fft.rfft(pieces * jnp.asarray(taper, dtype), axis=-1)
        squares = jnp.square(spectrum.real) + jnp.square(spectrum.imag)
        power = squares if mag_exp == 2 else jnp.power(squares, mag_exp / 2)
        y = power @ jnp.asarray(matrix, dtype)
        if power_to_db:
            y = decibels(y) - decibels(jnp.abs(jnp.asarray(ref_power, dtype)))
            y = jnp.maximum(y, jnp.max(y) - top_db)
        y = jnp.swapaxes(y, -1, -2)
        return y.astype(x.dtype) if jnp.issubdtype(x.dtype, jnp.floating) else y

    return stateless(apply)


@layer("STFTSpectrogram")
def stft_spectrogram(
    mode: str = "log",
    frame_length: int = 256,
    frame_step: int | None = None,
    fft_length: int | None = None,
    window: Window = "hann",
    periodic: bool = False,
    scaling: str | None = "density",
    padding: str = "valid",
    expand_dims: bool = False,
    data_format: str | None = None,
) -> Pair:
    """The spectrum of each piece of a signal, by a convolution whose kernels may be trained.

    Inputs are (batch, steps, channels), outputs (batch, pieces, channels * frequencies).

    Args:
        mode: `log`, `magnitude`, `psd` (power), `real`, `imag`, `angle`, or `stft` (real parts,
            then imaginary ones).
        frame_step: from one piece to the next; half of `frame_length` by default.
        fft_length: the next power of 2 by default.
        window: a sum of cosines by name (`hann`, `hamming`, `blackman` …), numbers, or None.
        scaling: divide by the window's Euclidean length (`density`) or its sum (`spectrum`).
        expand_dims: give (batch, pieces, frequencies, channels).

    >>> from funkeras.functional import output_shape
    >>> output_shape(stft_spectrogram(frame_length=16), (None, 160, 2))
    (None, 19, 18)
    """
    one_of("mode", mode, MODES)
    one_of("scaling", scaling, (None, "density", "spectrum"))
    one_of("padding", padding, ("valid", "same"))
    positive("frame_length", frame_length)
    step = positive("frame_step", frame_step or frame_length // 2)
    if step > frame_length:
        raise ValueError(f"frame_step must be at most frame_length {frame_length}, got {step}")
    size = fft_length or 2 ** int(np.ceil(np.log2(frame_length)))
    if size < frame_length:
        raise ValueError(f"fft_length must be at least frame_length {frame_length}, got {size}")
    first = rows_first(data_format)
    taper = window_of(window, frame_length, periodic)
    scales = {None: 1.0, "density": np.sqrt(np.sum(taper**2)), "spectrum": np.sum(np.abs(taper))}
    bins = size // 2 + 1
    turns = np.arange(frame_length)[:, None, None] * np.arange(bins) / (2 * (bins - 1))
    scale = 1.0 if window is None else scales[scaling]

    def wave(function: Callable[[np.ndarray], np.ndarray]) -> Callable[[Shape], Array]:
        kernel = function(-2 * np.pi * turns) * taper[:, None, None] / scale
        return lambda shape: jnp.asarray(kernel, config.floatx())

    def weights(input_shape: Shape) -> Iterator[Weight]:
        known("channels", input_shape, 1 if first else -1)
        if mode != "imag":
            yield Weight("real_kernel", (frame_length, 1, bins), wave(np.cos))
        if mode != "real":
            yield Weight("imag_kernel", (frame_length, 1, bins), wave(np.sin))

    def signal(x: Array, kernel: Array) -> Array:
        """Of (batch, channels, steps): (batch, channels, pieces, frequencies)."""
        y = lax.conv_general_dilated(
            x.reshape(-1, x.shape[-1], 1),
            kernel.astype(x.dtype),
            (step,),
            padding.upper(),
            dimension_numbers=("NWC", "WIO", "NWC"),
        )
        return y.reshape(*x.shape[:2], *y.shape[1:])

    def apply(params: Params, x: Array) -> Array:
        rank(x.shape, 3)
        x = x if first else jnp.swapaxes(x, 1, 2)
        parts = {name: signal(x, kernel) for name, kernel in params.items()}
        real, imag = (parts.get(name) for name in ("real_kernel", "imag_kernel"))
        return arranged(spectrum_of(mode, real, imag), first, expand_dims)

    return stateless(apply, weights)


def spectrum_of(mode: str, real: Array | None, imag: Array | None) -> Array:
    """What a mode asks of the real and imaginary parts; frequencies are the last axis."""
    if real is None or imag is None:
        part = imag if real is None else real
        assert part is not None
        return part
    if mode == "angle":
        return jnp.arctan2(imag, real)
    if mode == "stft":
        return jnp.concatenate([real, imag], axis=-1)
    power = jnp.square(real) + jnp.square(imag)
    if mode == "psd":  # of both halves of the spectrum, which the ends are in once
        return power.at[..., 1:-1].multiply(2)
    magnitude = jnp.sqrt(jnp.maximum(power, config.epsilon()))
    if mode == "magnitude":
        return magnitude
    return jnp.log(jnp.maximum(magnitude, config.epsilon()))


def arranged(y: Array, first: bool, expand_dims: bool) -> Array:
    """Of (batch, channels, pieces, frequencies): the layout of the output."""
    if expand_dims:
        return y if first else jnp.moveaxis(y, 1, -1)
    y = jnp.swapaxes(y, 2, 3)  # channels and frequencies are one axis
    y = y.reshape(y.shape[0], -1, y.shape[3])
    return y if first else jnp.swapaxes(y, 1, 2)
