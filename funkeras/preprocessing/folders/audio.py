"""Sounds in a folder as a dataset."""

import math
import wave
from collections.abc import Sequence
from typing import Any

import numpy as np

from funkeras.preprocessing.folders.files import Labelling, datasets
from funkeras.preprocessing.image.optional import needed
from funkeras.utils.pipelines import Dataset

__all__ = ["audio_dataset_from_directory"]


def audio_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    sampling_rate: int | None = None,
    output_sequence_length: int | None = None,
    ragged: bool = False,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    verbose: bool = True,
) -> Any:
    """A `Dataset` of the `.wav` files in a folder, with a folder within it for each class.

    Each batch is `(sounds, labels)`, or sounds alone without labels: float32 from -1 to 1, of
    shape `(batch, samples, channels)`. Shorter sounds of a batch end in zeros.

    Args:
        sampling_rate: samples per second to which every sound is brought; this takes SciPy.
        output_sequence_length: samples of every sound, cut off or filled up with zeros.
        ragged: keep the lengths: a batch is an array of arrays.
        others: as in `image_dataset_from_directory`.

    Raises:
        ValueError: for arguments that do not go together, or a folder without sounds.
    """
    asked = Labelling(
        *(directory, labels, label_mode, class_names, batch_size, shuffle, seed),
        *(validation_split, subset, follow_links, verbose),
    )
    if ragged and output_sequence_length is not None:
        raise ValueError("ragged sounds keep their lengths: output_sequence_length must be None")
    if sampling_rate is not None and (not isinstance(sampling_rate, int) or sampling_rate < 1):
        raise ValueError(f"sampling_rate must be a positive integer, got {sampling_rate!r}")
    what = "sampling_rate of audio_dataset_from_directory"
    resample = needed("scipy.signal", what).resample_poly if sampling_rate is not None else None

    def read(path: str) -> Any:
        sound, rate = _decoded(path)
        if output_sequence_length is not None:
            sound = sound[:output_sequence_length]
            sound = np.pad(sound, [(0, output_sequence_length - len(sound)), (0, 0)])
        if resample is not None and sampling_rate != rate:
            common = math.gcd(rate, sampling_rate or 0)
            sound = resample(sound, (sampling_rate or 0) // common, rate // common)
        return _boxed(sound) if ragged else sound

    return datasets(asked, read, (".wav",), Dataset.batch if ragged else Dataset.padded_batch)


def _decoded(path: str) -> tuple[np.ndarray, int]:
    """A sound as (samples, channels) in [-1, 1), and its samples per second."""
    with wave.open(path) as file:
        width, channels = file.getsampwidth(), file.getnchannels()
        data, rate = file.readframes(file.getnframes()), file.getframerate()
    if width != 2:
        raise ValueError(f"a sound must have samples of 16 bits, got {8 * width}")
    samples = np.frombuffer(data, "<i2").reshape(-1, channels)
    return samples.astype("float32") / 2**15, rate


def _boxed(sound: np.ndarray) -> np.ndarray:
    """One sound as an array without axes, which others of any length can stand beside."""
    box = np.empty((), object)
    box[()] = sound
    return box
