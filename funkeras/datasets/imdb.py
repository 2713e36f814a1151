"""IMDB: 50,000 film reviews, good or bad, as ranks of words (Maas et al., 2011)."""

import json

import numpy as np

from funkeras.datasets import words
from funkeras.datasets.cache import Split, any_spelling, fetch
from funkeras.datasets.unpickle import load_npz

__all__ = ["get_word_index", "load_data"]

SHA256 = "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
WORDS_MD5 = "bfafd718b763782e994055a2d397834f"


@any_spelling
def load_data(
    path: str = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
) -> Split:
    """Reviews as lists of word ranks, the most frequent words first, and labels 0 (bad) or 1.

    Args:
        num_words: words from this rank on become `oov_char`.
        skip_top: so many of the most frequent words become `oov_char` too.
        maxlen: only reviews shorter than this.
        oov_char: None to drop the words instead.
        index_from: what is added to each rank.
    """
    file = load_npz(fetch(path, SHA256))
    random = np.random.RandomState(seed)
    parts = []
    for part in ("train", "test"):
        x, y = words.shuffled(file[f"x_{part}"], file[f"y_{part}"], random)
        parts.append(words.drop_long(words.mark(x, start_char, index_from), y, maxlen))
    (x_train, y_train), (x_test, y_test) = parts
    texts = words.within_vocabulary(x_train + x_test, num_words, skip_top, oov_char)
    cut = len(x_train)
    return (
        (words.as_objects(texts[:cut]), y_train),
        (words.as_objects(texts[cut:]), y_test),
    )


def get_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """Each word's rank, from 1; `load_data` adds `index_from` to it."""
    with fetch(path, WORDS_MD5).open(encoding="utf-8") as file:
        return json.load(file)
