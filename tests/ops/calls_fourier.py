"""Calls of Fourier transforms: by name, inputs and what to do with them."""

import numpy as np

A = np.linspace(-2, 2, 12, dtype="float32").reshape(3, 4) ** 2
B = np.cos(np.arange(12, dtype="float32")).reshape(3, 4)
N = np.asarray([[1, -2, 3, 5], [4, 5, -6, 0]], "int32")
T = np.sin(np.arange(48, dtype="float32") ** 1.5).reshape(2, 24)
TAPER = np.asarray([0.1, 0.5, 1, 0.6, 0.2, 0.3], "float32")


def wave(**options):
    return lambda ops, x: ops.stft(x, **options)


def back(whole=None, **options):
    """What the transform of a signal stands for."""

    def call(ops, x):
        return ops.istft(ops.stft(x, **options), **options, length=whole)

    return call


def inverse(**options):
    return lambda ops, x, y: ops.istft((x, y), **options)


PLAIN = {"sequence_length": 8, "sequence_stride": 4, "fft_length": 8}
WIDER = {"sequence_length": 6, "sequence_stride": 2, "fft_length": 9}

CALLS = {
    "extract_sequences": [
        ((T,), lambda ops, x: ops.extract_sequences(x, 6, 4)),
        ((T[0],), lambda ops, x: ops.extract_sequences(x, 5, 7)),
        ((N,), lambda ops, x: ops.extract_sequences(x, 2, 1)),
        ((T.reshape(2, 3, 8),), lambda ops, x: ops.extract_sequences(x, 3, 3)),
    ],
    "fft": [
        ((A, B), lambda ops, x, y: ops.fft((x, y))),
        ((A[0], B[0]), lambda ops, x, y: ops.fft([x, y])),
    ],
    "fft2": [((A, B), lambda ops, x, y: ops.fft2((x, y)))],
    "ifft2": [((A, B), lambda ops, x, y: ops.ifft2((x, y)))],
    "irfft": [
        ((A, B), lambda ops, x, y: ops.irfft((x, y))),
        ((A, B), lambda ops, x, y: ops.irfft((x, y), fft_length=7)),
        ((A, B), lambda ops, x, y: ops.irfft((x, y), 4)),
    ],
    "istft": [
        ((T,), back(**PLAIN)),
        ((T,), back(20, **PLAIN)),
        ((T,), back(window="hamming", **WIDER)),
        ((T,), back(window=TAPER, **WIDER)),
        ((T,), back(window="hamming", center=False, **PLAIN)),
        ((T,), back(15, window="hamming", center=False, **WIDER)),
        ((T,), back(window=None, **PLAIN)),
        ((T[0],), back(24, window=None, center=False, **WIDER)),
        ((A, B), inverse(sequence_length=6, sequence_stride=3, fft_length=6)),
    ],
    "rfft": [
        ((A,), lambda ops, x: ops.rfft(x)),
        ((A,), lambda ops, x: ops.rfft(x, fft_length=7)),
        ((A,), lambda ops, x: ops.rfft(x, 3)),
        ((N,), lambda ops, x: ops.rfft(x)),
    ],
    "stft": [
        ((T,), wave(**PLAIN)),
        ((T,), wave(**WIDER)),
        ((T,), wave(window="hamming", **PLAIN)),
        ((T,), wave(window=TAPER, **WIDER)),
        ((T,), wave(window=TAPER.tolist(), center=False, **WIDER)),
        ((T[0],), wave(window=None, **WIDER)),
        ((T.reshape(2, 2, 12),), wave(center=False, **PLAIN)),
    ],
}
EAGER = set()
"""Operations that take no symbolic tensors here."""
