"""Reuters: 11,228 newswires in 46 topics as ranks of words (Reuters-21578, Lewis, 1997)."""

import json

import numpy as np

from funkeras.datasets import words
from funkeras.datasets.cache import Split, any_spelling, fetch
from funkeras.datasets.unpickle import load_npz

__all__ = ["get_label_names", "get_word_index", "load_data"]

SHA256 = "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"
WORDS_MD5 = "4d44cc38712099c9e383dc6e5f11a921"
TOPICS = """cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade
reserves ship cotton carcass crude nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold
tin strategic-metal livestock retail ipi iron-steel rubber heat jobs lei bop zinc orange pet-chem
dlr gas silver wpi hog lead"""


@any_spelling
def load_data(
    path: str = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
) -> Split:
    """Newswires as lists of word ranks, the most frequent words first, and topics 0–45.

    Args:
        num_words: words from this rank on become `oov_char`.
        skip_top: so many of the most frequent words become `oov_char` too.
        maxlen: only newswires shorter than this.
        test_split: share of the newswires that is kept for the test.
        oov_char: None to drop the words instead.
        index_from: what is added to each rank.
    """
    file = load_npz(fetch(path, SHA256))
    x, y = words.shuffled(file["x"], file["y"], np.random.RandomState(seed))
    texts, y = words.drop_long(words.mark(x, start_char, index_from), y, maxlen)
    texts = words.within_vocabulary(texts, num_words, skip_top, oov_char)
    cut = int(len(texts) * (1 - test_split))
    return (words.as_objects(texts[:cut]), y[:cut]), (words.as_objects(texts[cut:]), y[cut:])


def get_word_index(path: str = "reuters_word_index.json") -> dict[str, int]:
    """Each word's rank, from 1; `load_data` adds `index_from` to it."""
    with fetch(path, WORDS_MD5).open(encoding="utf-8") as file:
        return json.load(file)


def get_label_names() -> tuple[str, ...]:
    """The 46 topics in the order of the labels."""
    return tuple(TOPICS.split())
