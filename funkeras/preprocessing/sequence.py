"""Sequences of numbers: padding, skipgrams with their sampling table, windows of a time series."""

import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

__all__ = ["TimeseriesGenerator", "make_sampling_table", "pad_sequences", "skipgrams"]

EULER_GAMMA = 0.577
"""Rounded as in every Keras."""


def pad_sequences(
    sequences: Sequence[Any],
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Sequences of any lengths as the rows of one array of shape (sequences, maxlen, ...).

    Args:
        maxlen: length of the longest sequence by default.
        padding, truncating: whether short sequences are filled with `value`, and long ones cut,
            at the beginning (`pre`) or the end (`post`).
        dtype: `object` for strings of any length.

    >>> pad_sequences([[1], [2, 3, 4]], maxlen=2)
    array([[0, 1],
           [3, 4]], dtype=int32)
    """
    for name, side in (("padding", padding), ("truncating", truncating)):
        if side not in ("pre", "post"):
            raise ValueError(f"{name} must be 'pre' or 'post', got {side!r}")
    for index, row in enumerate(sequences):
        if not hasattr(row, "__len__"):
            raise ValueError(f"sequences must hold sequences, got {row!r} at position {index}")
    if isinstance(value, str) and not (dtype is object or np.dtype(dtype).kind in "OUS"):
        raise ValueError(f"value {value!r} needs dtype=object or a string dtype, got {dtype!r}")
    if maxlen is None:
        maxlen = max(map(len, sequences), default=0)
    entry: tuple[int, ...] = next((np.asarray(row).shape[1:] for row in sequences if len(row)), ())
    x = np.full((len(sequences), maxlen, *entry), value, dtype)
    for index, row in enumerate(sequences):
        if len(row) == 0:
            continue
        start = max(0, len(row) - maxlen) if truncating == "pre" else 0
        kept = np.asarray(row[start : start + maxlen], dtype)
        if kept.shape[1:] != entry:
            raise ValueError(
                f"all entries must have the shape {entry} of the first one, "
                f"got {kept.shape[1:]} in sequence {index}"
            )
        begin = maxlen - len(kept) if padding == "pre" else 0
        x[index, begin : begin + len(kept)] = kept
    return x


def make_sampling_table(size: int, sampling_factor: float = 1e-5) -> np.ndarray:
    """Probability with which `skipgrams` keeps the word of each rank: `min(1, sqrt(t / f))`.

    t is the sampling factor; `1 / f = r (log r + gamma) + 1/2 - 1 / (12 r)` is the frequency of
    rank r by Zipf's law. Mikolov et al. 2013, https://arxiv.org/abs/1310.4546

    >>> make_sampling_table(3).round(4)
    array([0.0032, 0.0032, 0.0055])
    """
    rank = np.maximum(np.arange(size), 1)
    inverse = rank * (np.log(rank) + EULER_GAMMA) + 0.5 - 1 / (12.0 * rank)
    share = sampling_factor * inverse
    return np.minimum(1.0, share / np.sqrt(share))


def skipgrams(
    sequence: Sequence[int],
    vocabulary_size: int,
    window_size: int = 4,
    negative_samples: float = 1.0,
    shuffle: bool = True,
    categorical: bool = False,
    sampling_table: Any = None,
    seed: int | None = None,
) -> tuple[list[list[int]], list[Any]]:
    """Pairs of a word with one near it (label 1) and with a random one (label 0).

    Word 0 is no word and is left out. Randomness is Python's own generator, which shuffling sets
    to `seed` (to a number drawn from it, by default), as in every Keras.
    Mikolov et al. 2013, https://arxiv.org/abs/1301.3781

    Args:
        window_size: how far apart, on either side, two words of a pair may be.
        negative_samples: number of random pairs for each real one.
        categorical: labels `[0, 1]` and `[1, 0]` instead of 1 and 0.
        sampling_table: probability with which a word is kept, by rank.

    >>> skipgrams([1, 2, 3], 4, window_size=1, negative_samples=0, shuffle=False)
    ([[1, 2], [2, 1], [2, 3], [3, 2]], [1, 1, 1, 1])
    """
    couples: list[list[int]] = []
    for place, word in enumerate(sequence):
        if not word:
            continue
        if sampling_table is not None and sampling_table[word] < random.random():
            continue
        start = max(0, place - window_size)
        near = sequence[start : place + window_size + 1]
        couples += [[word, other] for at, other in enumerate(near, start) if at != place and other]
    positive, negative = ([0, 1], [1, 0]) if categorical else (1, 0)
    labels: list[Any] = [positive] * len(couples)
    if negative_samples > 0 and couples:
        words = [word for word, _ in couples]
        random.shuffle(words)
        count = int(len(labels) * negative_samples)
        couples += [
            [words[index % len(words)], random.randint(1, vocabulary_size - 1)]
            for index in range(count)
        ]
        labels += [negative] * count
    if shuffle:
        seed = random.randint(0, 10_000_000) if seed is None else seed
        for values in (couples, labels):
            random.seed(seed)
            random.shuffle(values)
    return couples, labels


class TimeseriesGenerator:
    """Batches of windows of a time series, each with the target that follows its window.

    Sample i of a batch is `data[row - length : row : sampling_rate]` with `targets[row]`.

    Args:
        data, targets: of equal length; the first axis is time.
        length: of the window, in time steps of `data`.
        sampling_rate: distance between the steps within a window.
        stride: distance between windows.
        start_index, end_index: first and last step that is used.
        shuffle: draw windows by NumPy's global generator instead of taking them in order.
        reverse: whether time runs backwards within a window.

    >>> x, y = TimeseriesGenerator(np.arange(5), np.arange(5), length=2, batch_size=2)[0]
    >>> x, y
    (array([[0, 1], [1, 2]]), array([2, 3]))
    """

    def __init__(
        self,
        data: Any,
        targets: Any,
        length: int,
        sampling_rate: int = 1,
        stride: int = 1,
        start_index: int = 0,
        end_index: int | None = None,
        shuffle: bool = False,
        reverse: bool = False,
        batch_size: int = 128,
    ) -> None:
        if len(data) != len(targets):
            raise ValueError(
                f"data and targets must have the same length, got {len(data)} and {len(targets)}"
            )
        self.data = data
        self.targets = targets
        self.length = length
        self.sampling_rate = sampling_rate
        self.stride = stride
        self.start_index = start_index + length
        self.end_index = len(data) - 1 if end_index is None else end_index
        self.shuffle = shuffle
        self.reverse = reverse
        self.batch_size = batch_size
        if self.start_index > self.end_index:
            raise ValueError(
                f"no window fits: start_index + length is {self.start_index}, "
                f"beyond end_index {self.end_index}"
            )

    def __len__(self) -> int:
        span = self.batch_size * self.stride
        return (self.end_index - self.start_index + span) // span

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        if not -len(self) <= index < len(self):
            raise IndexError(f"batch {index} of {len(self)}")
        if self.shuffle:
            rows = np.random.randint(self.start_index, self.end_index + 1, size=self.batch_size)
        else:
            span = self.batch_size * self.stride
            first = self.start_index + span * (index % len(self))
            rows = np.arange(first, min(first + span, self.end_index + 1), self.stride)
        windows = [self.data[row - self.length : row : self.sampling_rate] for row in rows]
        samples = np.array(windows)
        targets = np.array([self.targets[row] for row in rows])
        return (samples[:, ::-1] if self.reverse else samples), targets

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        return (self[index] for index in range(len(self)))

    def get_config(self) -> dict[str, Any]:
        """The arguments as plain data, with the arrays as JSON text."""
        described = {name: getattr(self, name) for name in CONFIG}
        for name in ("data", "targets"):
            values = described[name]
            try:
                described[name] = json.dumps(np.asarray(values).tolist())
            except (TypeError, ValueError) as error:
                raise TypeError(f"{name} cannot be written as JSON: {error}") from error
        return described

    def to_json(self, **kwargs: Any) -> str:
        """Class name and config as JSON text; `kwargs` go to `json.dumps`."""
        described = {"class_name": type(self).__name__, "config": self.get_config()}
        return json.dumps(described, **kwargs)


CONFIG = (
    "data",
    "targets",
    "length",
    "sampling_rate",
    "stride",
    "start_index",
    "end_index",
    "shuffle",
    "reverse",
    "batch_size",
)
