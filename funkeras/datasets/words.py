"""What IMDB and Reuters share: texts as lists of word ranks, cut and marked."""

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["as_objects", "drop_long", "mark", "shuffled", "within_vocabulary"]


def shuffled(
    x: np.ndarray, y: np.ndarray, random: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Texts and labels in one new order."""
    order = np.arange(len(x))
    random.shuffle(order)
    return x[order], y[order]


def mark(texts: Any, start_char: int | None, index_from: int) -> list[list[int]]:
    """Move every rank up by `index_from` and put `start_char` in front.

    Without a start character and an offset the ranks stay.
    """
    front = [] if start_char is None else [start_char]
    return [front + [word + (index_from or 0) for word in text] for text in texts]


def drop_long(
    texts: list[list[int]], labels: Any, maxlen: int | None
) -> tuple[list[list[int]], np.ndarray]:
    """Only the texts shorter than `maxlen`."""
    if not maxlen:
        return texts, np.asarray(labels)
    kept = [(text, label) for text, label in zip(texts, labels, strict=True) if len(text) < maxlen]
    if not kept:
        raise ValueError(f"maxlen={maxlen} leaves no text; the shortest has {_shortest(texts)}")
    return [text for text, _ in kept], np.asarray([label for _, label in kept])


def _shortest(texts: list[list[int]]) -> int:
    return min(len(text) for text in texts)


def within_vocabulary(
    texts: list[list[int]], num_words: int | None, skip_top: int, oov_char: int | None
) -> list[list[int]]:
    """Replace words outside `skip_top … num_words - 1` by `oov_char`; drop them if it is None.

    Without `num_words` the limit is the greatest rank, which is outside as in Keras.
    """
    limit = num_words or max(max(text) for text in texts)
    if oov_char is None:
        return [[word for word in text if skip_top <= word < limit] for text in texts]
    return [[word if skip_top <= word < limit else oov_char for word in text] for text in texts]


def as_objects(texts: Sequence[list[int]]) -> np.ndarray:
    """An array of lists, also when all of them have one length."""
    array = np.empty(len(texts), dtype=object)
    array[:] = texts
    return array
