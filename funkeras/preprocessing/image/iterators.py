"""Endless batches of transformed images, from an array or what derived classes read.

All iterators may be used from several threads: what is drawn and counted is under a lock, reading
and transforming is not. With a `seed`, batch b of epoch e follows from `seed + e * batches + b`
alone, so neither the order of access nor other users of NumPy's global generator change it.
"""

import os
import threading
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from funkeras import config
from funkeras.preprocessing.image.pictures import array_to_img, channels_first, one_of
from funkeras.preprocessing.spelling import any_spelling

__all__ = ["Iterator", "NumpyArrayIterator"]

SUBSETS = ("training", "validation")


class Iterator:
    """Base of iterators: which samples are in which batch.

    It is both an endless iterator and a sequence of `len(self)` batches. Derived classes have an
    `image_shape` and `_image(row)`; they may have `_targets(rows, images)`.

    Args:
        n: number of samples.
        shuffle: draw another order for each epoch.
    """

    image_shape: tuple[int, ...]
    image_data_generator: Any
    dtype: str = "float32"
    data_format: str = "channels_last"
    save_to_dir: Any = None
    save_prefix: str = ""
    save_format: str = "png"

    def __init__(self, n: int, batch_size: int, shuffle: bool, seed: int | None) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}")
        self.n = n
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = seed
        self.batch_index = 0
        self.total_batches_seen = 0
        self.index_array: np.ndarray | None = None
        self.lock = threading.Lock()
        self.dialect = config.dialect()
        self._epoch = 0

    @property
    def dim_ordering(self) -> str:
        """`data_format` in the words of Keras 1."""
        return {new: old for old, new in config.ORDERINGS.items()}[self.data_format]

    def __len__(self) -> int:
        return -(-self.n // self.batch_size)

    def __iter__(self) -> "Iterator":
        return self

    def reset(self) -> None:
        """Begin an epoch with the next batch."""
        self.batch_index = 0

    def on_epoch_end(self) -> None:
        """Draw a new order for access by index."""
        with self.lock:
            self._epoch += 1
            self.index_array = None

    def __getitem__(self, index: int) -> Any:
        count = len(self)
        if not -count <= index < count:
            raise IndexError(f"batch {index} of {count}")
        index %= count
        with self.lock:
            first = self._epoch * count
            if self.index_array is None:
                self.index_array = self._order(self._source(first))
            source = self._source(first + index)
            if index == 0 and self.seed is not None:
                self._order(source)  # the epoch's first batch draws on after its order
            rows, draws = self._draw(index, source)
        return self._batch(rows, draws)

    def __next__(self) -> Any:
        if self.n == 0:
            raise ValueError("there are no samples to iterate over")
        with self.lock:
            source = self._source(self.total_batches_seen)
            if self.batch_index == 0 or self.index_array is None:
                self.index_array = self._order(source)
            rows, draws = self._draw(self.batch_index, source)
            self.batch_index = (self.batch_index + 1) % len(self)
            self.total_batches_seen += 1
        return self._batch(rows, draws)

    next = __next__

    def _source(self, position: int) -> Any:
        return np.random if self.seed is None else np.random.RandomState(self.seed + position)

    def _order(self, source: Any) -> np.ndarray:
        return source.permutation(self.n) if self.shuffle else np.arange(self.n)

    def _draw(self, index: int, source: Any) -> tuple[np.ndarray, list[Any]]:
        """The samples of a batch, and how each is to be transformed."""
        assert self.index_array is not None
        rows = self.index_array[index * self.batch_size : (index + 1) * self.batch_size]
        generator = self.image_data_generator
        if generator is None:
            return rows, [None] * len(rows)
        seed = None if source is np.random else source
        return rows, [generator.get_random_transform(self.image_shape, seed) for _ in rows]

    def _batch(self, rows: np.ndarray, draws: Sequence[Any]) -> Any:
        images = np.zeros((len(rows), *self.image_shape), self.dtype)
        with config.using_dialect(self.dialect):
            for place, (row, drawn) in enumerate(zip(rows, draws, strict=True)):
                image = self._image(row)
                if drawn is not None:
                    image = self.image_data_generator.apply_transform(image, drawn)
                    image = self.image_data_generator.standardize(image)
                images[place] = image
            if self.save_to_dir:
                self._save(rows, images)
        return self._targets(rows, images)

    def _image(self, row: int) -> np.ndarray:
        raise NotImplementedError(f"{type(self).__name__} must define _image(row)")

    def _targets(self, rows: np.ndarray, images: np.ndarray) -> Any:
        """What is given out for a batch of images."""
        return images

    def _save(self, rows: np.ndarray, images: np.ndarray) -> None:
        for row, image in zip(rows, images, strict=True):
            name = f"{self.save_prefix}_{row}_{np.random.randint(10**7)}.{self.save_format}"
            array_to_img(image, self.data_format).save(os.path.join(self.save_to_dir, name))


def share_of(subset: str | None, generator: Any) -> tuple[float, float]:
    """From where to where a subset goes; the validation samples are the first ones."""
    if subset is None:
        return 0.0, 1.0
    split = generator.validation_split
    return (0.0, split) if one_of("subset", subset, SUBSETS) == "validation" else (split, 1.0)


class NumpyArrayIterator(Iterator):
    """Batches of images from an array: `x`, `(x, y)` or `(x, y, sample_weight)`.

    Args:
        x: of rank 4; or a list of that and of further arrays, which pass unchanged.
        subset: `training` or `validation`, by the generator's `validation_split`.
        ignore_class_split: allow subsets with different labels.
    """

    @any_spelling(
        "x",
        "y",
        "image_data_generator",
        "batch_size",
        "shuffle",
        "seed",
        "data_format",
        "save_to_dir",
        "save_prefix",
        "save_format",
    )
    def __init__(
        self,
        x: Any,
        y: Any,
        image_data_generator: Any,
        batch_size: int = 32,
        shuffle: bool = False,
        sample_weight: Any = None,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        ignore_class_split: bool = False,
        dtype: str | None = None,
    ) -> None:
        self.dtype = dtype or config.floatx()
        self.data_format = "channels_first" if channels_first(data_format) else "channels_last"
        others: Any = ()
        if isinstance(x, list | tuple):
            x, others = x
            others = others if isinstance(others, list) else [others]
        parts = {"y": y, "sample_weight": sample_weight}
        parts |= {f"x[1][{place}]": other for place, other in enumerate(others)}
        arrays = {name: np.asarray(part) for name, part in parts.items() if part is not None}
        for name, part in arrays.items():
            if len(part) != len(x):
                raise ValueError(
                    f"x and {name} must have the same length, got {len(x)} and {len(part)}"
                )
        start, stop = (int(len(x) * edge) for edge in share_of(subset, image_data_generator))
        if subset is not None and "y" in arrays and not ignore_class_split:
            edge = stop if subset == "validation" else start
            _same_labels(arrays["y"], edge)
        self.x = np.asarray(x[start:stop], self.dtype)
        # Keras 2 and 3 leave the sample weights whole, which gives rows the weights of others.
        arrays = {name: part[start:stop] for name, part in arrays.items()}
        self.y = arrays.pop("y", None)
        self.sample_weight = arrays.pop("sample_weight", None)
        self.x_misc = list(arrays.values())
        check_images(self.x, self.data_format)
        self.image_shape = self.x.shape[1:]
        self.image_data_generator = image_data_generator
        self.save_to_dir = save_to_dir
        self.save_prefix = save_prefix
        self.save_format = save_format
        super().__init__(len(self.x), batch_size, shuffle, seed)

    def _image(self, row: int) -> np.ndarray:
        return self.x[row]

    def _targets(self, rows: np.ndarray, images: np.ndarray) -> Any:
        inputs = [images, *(part[rows] for part in self.x_misc)] if self.x_misc else images
        if self.y is None:
            return inputs
        weights = () if self.sample_weight is None else (self.sample_weight[rows],)
        return (inputs, self.y[rows], *weights)


def _same_labels(y: np.ndarray, edge: int) -> None:
    if not np.array_equal(np.unique(y[:edge]), np.unique(y[edge:])):
        raise ValueError(
            "training and validation subsets have different labels: shuffle the arrays first, "
            "or give ignore_class_split=True"
        )


def check_images(x: np.ndarray, data_format: str) -> None:
    """Refuse what is no batch of images, and warn of an unlikely number of channels.

    As all Kerases but the first, which refused two channels, or five.
    """
    if x.ndim != 4:
        raise ValueError(f"images must have rank 4, got an array of shape {x.shape}")
    axis = 1 if data_format == "channels_first" else 3
    if x.shape[axis] not in (1, 3, 4):
        warnings.warn(
            f"images with {data_format} usually have 1, 3 or 4 channels on axis {axis}; "
            f"got shape {x.shape}",
            stacklevel=4,
        )
