"""`split_dataset`: data to train on and data to test on."""

import random
from typing import Any

import jax
import numpy as np

from funkeras.utils.pipelines import Dataset

__all__ = ["split_dataset"]


def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[Dataset, Dataset]:
    """The first samples and the last ones, each as a `Dataset`; all are held in memory.

    Args:
        dataset: an array, a tuple or list of arrays of one length, a `Dataset`, or what gives
            samples one by one, such as a dataset of another library. Of a dataset of batches
            the samples are split, and batched again.
        left_size, right_size: numbers of samples, or shares of all; one follows from the other.
        shuffle: the samples first, by Python's generator with that seed, as Keras does.
        preferred_backend: accepted for scripts.

    >>> left, right = split_dataset(np.arange(10), left_size=0.8)
    >>> [int(sample) for sample in right]
    [8, 9]
    """
    samples = _samples(dataset)
    if not samples:
        raise ValueError("the dataset has no samples to split")
    if shuffle:
        random.Random(random.randint(0, 10**6) if seed is None else seed).shuffle(samples)
    left, right = _sizes(left_size, right_size, len(samples))
    size = dataset.batch_size if isinstance(dataset, Dataset) else None
    names = dataset.class_names if isinstance(dataset, Dataset) else None

    def part(chosen: list[Any]) -> Dataset:
        rows = [tuple(s) if isinstance(s, list) else s for s in chosen]
        made = Dataset.from_tensor_slices(jax.tree.map(lambda *same: np.stack(same), *rows))
        made.class_names = names
        return made if size is None else made.batch(size)

    return part(samples[:left]), part(samples[-right:])


def _samples(dataset: Any) -> list[Any]:
    if isinstance(dataset, Dataset):
        rows = dataset if dataset.batch_size is None else dataset.unbatch()
        return list(rows.as_numpy_iterator())
    if isinstance(dataset, list | tuple):
        if not dataset or not all(np.ndim(part) for part in dataset):
            raise ValueError("a list or tuple to split has arrays, at least one")
        if len(lengths := {len(part) for part in dataset}) > 1:
            raise ValueError(f"the arrays must be equally long; got lengths {sorted(lengths)}")
        return list(zip(*dataset, strict=True))
    if not hasattr(dataset, "__iter__") and not hasattr(dataset, "__getitem__"):
        raise TypeError(f"dataset must be arrays or give samples, got {type(dataset).__name__}")
    return list(dataset)


def _sizes(left: float | None, right: float | None, total: int) -> tuple[int, int]:
    """Samples on either side.

    Raises:
        TypeError: for sizes that are no numbers.
        ValueError: for sizes of which a side is empty, or both are more than there is.
    """
    given = {"left_size": left, "right_size": right}
    if left is None and right is None:
        raise ValueError("split_dataset needs left_size or right_size")
    for name, size in given.items():
        if size is None:
            continue
        if not isinstance(size, int | float) or isinstance(size, bool):
            raise TypeError(f"{name} must be an int, a float or None, got {size!r}")
        if not 0 < size < (1 if isinstance(size, float) else total):
            raise ValueError(
                f"{name} must be between 0 and the number of samples, {total}, or a share "
                f"between 0.0 and 1.0; got {size!r}"
            )
    first, last = (round(s * total) if isinstance(s, float) else s for s in (left, right))
    first = total - (last or 0) if first is None else first
    last = total - first if last is None else last
    if first + last > total or not first or not last:
        raise ValueError(
            f"left_size={left} and right_size={right} of {total} samples would be {first} and "
            f"{last}: neither side may be empty, nor both together more than there are"
        )
    return first, last
