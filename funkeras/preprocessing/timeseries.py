"""Windows of a series as a dataset."""

from typing import Any

import numpy as np

from funkeras.utils.pipelines import Dataset

__all__ = ["timeseries_dataset_from_array"]

FORMATS = ("tf", "grain")


def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    format: str = "tf",  # noqa: A002  Keras calls it so
) -> Dataset:
    """A `Dataset` of windows that slide along a series: batches `(windows, targets)`.

    Window `i` is `data[i], data[i + r], data[i + 2r] …` with `r = sampling_rate`, and its target
    `targets[i]`; the next one begins `sequence_stride` later.

    Args:
        data: an array whose first axis is time.
        targets: an array, or None for windows alone.
        batch_size: None for single windows.
        shuffle: by `seed`, anew in each pass.
        start_index, end_index: the part of the data that is used.
        format: `tf` or `grain`, accepted for scripts: what comes is the same.

    >>> [(x, y)] = timeseries_dataset_from_array(np.arange(6), np.arange(6) * 10, 3)
    >>> x.tolist(), y.tolist()
    ([[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5]], [0, 10, 20, 30])
    """
    count = len(data)
    if format not in FORMATS:
        raise ValueError(f"format must be one of {FORMATS}, got {format!r}")
    if start_index and not 0 <= start_index < count:
        raise ValueError(f"start_index must be in [0, {count}), got {start_index}")
    if end_index and not (start_index or 0) < end_index < count:
        raise ValueError(
            f"end_index must be between start_index, {start_index or 0}, and {count}, "
            f"got {end_index}"
        )
    for name, step in (("sampling_rate", sampling_rate), ("sequence_stride", sequence_stride)):
        if not 0 < step < count:
            raise ValueError(f"{name} must be in [1, {count}), got {step}")
    used = slice(start_index or 0, end_index)
    series = np.asarray(data)[used]
    wanted = None if targets is None else np.asarray(targets)[used]
    windows = len(series) - (sequence_length - 1) * sampling_rate
    if targets is not None:
        windows = min(windows, len(targets))
    starts = np.arange(0, windows, sequence_stride)
    offsets = np.arange(sequence_length) * sampling_rate
    if shuffle:
        seed = int(np.random.randint(10**6)) if seed is None else seed
        np.random.RandomState(seed).shuffle(starts)

    def cut(begin: np.ndarray) -> Any:
        x = series[begin[..., None] + offsets]
        return x if wanted is None else (x, wanted[begin])

    dataset = Dataset.from_tensor_slices(starts)
    if shuffle:
        dataset = dataset.shuffle(1024 if batch_size is None else 8 * batch_size, seed)
    return (dataset if batch_size is None else dataset.batch(batch_size)).map(cut)
