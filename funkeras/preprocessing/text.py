"""Texts as numbers: splitting into words, hashing them, and the `Tokenizer` that counts them."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from funkeras import config
from funkeras.preprocessing.spelling import any_spelling

__all__ = [
    "Tokenizer",
    "base_filter",
    "hashing_trick",
    "one_hot",
    "text_to_word_sequence",
    "tokenizer_from_json",
]

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
"""Characters that separate words: punctuation but the apostrophe, tabs and ends of lines."""


def base_filter() -> str:
    """The default of `filters`, as a function (Keras 0.3 to 1.1)."""
    return FILTERS


@any_spelling()
def text_to_word_sequence(
    text: str, filters: Iterable[str] = FILTERS, lower: bool = True, split: str = " "
) -> list[str]:
    """The words of a text: each character of `filters` becomes `split`, which then separates.

    >>> text_to_word_sequence("It's a fox-trot.")
    ["it's", 'a', 'fox', 'trot']
    """
    return _words(text, filters, lower, split)


def _words(text: str, filters: Iterable[str], lower: bool, split: str) -> list[str]:
    text = text.lower() if lower else text
    text = text.translate(str.maketrans(dict.fromkeys(filters, split)))
    return [word for word in text.split(split) if word]


@any_spelling()
def one_hot(
    text: str,
    n: int,
    filters: Iterable[str] = FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable[[str], Iterable[str]] | None = None,
) -> list[int]:
    """A number from 1 to n - 1 for each word, by Python's `hash`; words may share one.

    Python salts that hash anew in each process; `hashing_trick` with `md5` is always the same.
    Keras 1 takes the hash without its sign.
    """
    absolute = config.dialect() == "classic"
    words = analyzer(text) if analyzer else _words(text, filters, lower, split)
    return _hashed(words, n, (lambda word: abs(hash(word))) if absolute else hash)


@any_spelling()
def hashing_trick(
    text: str,
    n: int,
    hash_function: str | Callable[[str], int] | None = None,
    filters: Iterable[str] = FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable[[str], Iterable[str]] | None = None,
) -> list[int]:
    """A number from 1 to n - 1 for each word, by a hash; words may share one.

    Args:
        hash_function: `md5`, a function from a word to an integer, or None for Python's `hash`.

    >>> hashing_trick("the cat and the hat", 50, "md5")
    [43, 32, 14, 43, 39]
    """
    if isinstance(hash_function, str):
        if hash_function != "md5":
            raise ValueError(
                f"hash_function must be 'md5', a function or None; got {hash_function!r}"
            )
        hash_function = _md5
    words = analyzer(text) if analyzer else _words(text, filters, lower, split)
    return _hashed(words, n, hash_function or hash)


def _md5(word: str) -> int:
    return int(hashlib.md5(word.encode(), usedforsecurity=False).hexdigest(), 16)


def _hashed(words: Iterable[str], n: int, hash_function: Callable[[str], int]) -> list[int]:
    if n < 2:
        raise ValueError(f"n must be at least 2, for 0 stands for no word; got {n}")
    return [hash_function(word) % (n - 1) + 1 for word in words]


MODES: dict[str, Callable[[np.ndarray, int, np.ndarray], Any]] = {
    "binary": lambda counts, length, idf: 1,
    "count": lambda counts, length, idf: counts,
    "freq": lambda counts, length, idf: counts / length,
    "tfidf": lambda counts, length, idf: (1 + np.log(counts)) * idf,
}
"""Entry of a word in `sequences_to_matrix`, from its count, the text's length and its rarity."""


class Tokenizer:
    """Numbers words by frequency, from 1 for the most frequent; 0 stands for none.

    Args:
        num_words: only numbers below this one are used; Keras 1 calls it `nb_words`.
        filters, lower, split: as in `text_to_word_sequence`.
        char_level: characters are the words. Keras 1 keeps their case then.
        oov_token: stands, as number 1, for each word that is unknown or beyond `num_words`.
        analyzer: a function from a text to its words, instead of the arguments before.
        document_count: texts that were counted before.

    A text may also be a list of words. `word_index` has the numbers, `word_counts` the counts,
    `word_docs` (by word) and `index_docs` (by number) how many texts hold a word.

    >>> tokenizer = Tokenizer(num_words=3)
    >>> tokenizer.fit_on_texts(["the cat and the hat", "a cat"])
    >>> tokenizer.texts_to_sequences(["the cat in the hat"])
    [[1, 2, 1]]
    """

    @any_spelling()
    def __init__(
        self,
        num_words: int | None = None,
        filters: Iterable[str] = FILTERS,
        lower: bool = True,
        split: str = " ",
        char_level: bool = False,
        oov_token: str | None = None,
        analyzer: Callable[[str], Iterable[str]] | None = None,
        document_count: int = 0,
    ) -> None:
        self.num_words = num_words
        self.filters = filters
        self.lower = lower
        self.split = split
        self.char_level = char_level
        self.oov_token = oov_token
        self.analyzer = analyzer
        self.document_count = document_count
        self.word_counts: dict[str, int] = {}
        self.word_docs: dict[str, int] = {}
        self.word_index: dict[str, int] = {}
        self.index_word: dict[int, str] = {}
        self.index_docs: dict[int, int] = {}
        self.dialect = config.dialect()

    @property
    def nb_words(self) -> int | None:
        """`num_words`, as Keras 1 calls it."""
        return self.num_words

    def _words(self, text: str | Sequence[str]) -> list[str]:
        """The words of one text."""
        if not isinstance(text, str):
            return [word.lower() for word in text] if self.lower else list(text)
        if self.char_level:
            return list(text.lower() if self.lower and self.dialect != "classic" else text)
        if self.analyzer is not None:
            return list(self.analyzer(text))
        return _words(text, self.filters, self.lower, self.split)

    def fit_on_texts(self, texts: Iterable[str | Sequence[str]]) -> None:
        """Count words and number them. Counts add up over calls; words of equal count keep order.

        Keras 1 starts to count texts anew in each call.
        """
        if self.dialect == "classic":
            self.document_count, self.index_docs = 0, {}
        for text in texts:
            words = self._words(text)
            self.document_count += 1
            for word in words:
                self.word_counts[word] = self.word_counts.get(word, 0) + 1
            for word in dict.fromkeys(words):
                self.word_docs[word] = self.word_docs.get(word, 0) + 1
        by_count = sorted(self.word_counts, key=lambda word: -self.word_counts[word])
        words = by_count if self.oov_token is None else [self.oov_token, *by_count]
        self.word_index = {word: number for number, word in enumerate(words, 1)}
        self.index_word = {number: word for word, number in self.word_index.items()}
        self.index_docs.update({self.word_index[w]: count for w, count in self.word_docs.items()})

    def fit_on_sequences(self, sequences: Sequence[Iterable[int]]) -> None:
        """Count in how many sequences each number is, for `tfidf` without texts.

        Keras 1 starts to count anew in each call.
        """
        if self.dialect == "classic":
            self.document_count, self.index_docs = 0, {}
        self.document_count += len(sequences)
        for sequence in sequences:
            for number in dict.fromkeys(sequence):
                self.index_docs[number] = self.index_docs.get(number, 0) + 1

    def texts_to_sequences(self, texts: Iterable[str | Sequence[str]]) -> list[list[int]]:
        """The numbers of each text's words; unknown words are left out, or become `oov_token`."""
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(
        self, texts: Iterable[str | Sequence[str]]
    ) -> Iterator[list[int]]:
        """`texts_to_sequences`, text by text."""
        unknown = self._unknown()
        for text in texts:
            numbers = (self.word_index.get(word) for word in self._words(text))
            usable = (n if self._used(n) else unknown for n in numbers)
            yield [n for n in usable if n is not None]

    def sequences_to_texts(self, sequences: Iterable[Iterable[int]]) -> list[str]:
        """The words of each sequence's numbers, separated by spaces."""
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences: Iterable[Iterable[int]]) -> Iterator[str]:
        """`sequences_to_texts`, sequence by sequence."""
        unknown = self._unknown()
        for sequence in sequences:
            known = (n if n in self.index_word and self._used(n) else unknown for n in sequence)
            yield " ".join(self.index_word[n] for n in known if n is not None)

    def _used(self, number: int | None) -> bool:
        return number is not None and not (self.num_words and number >= self.num_words)

    def _unknown(self) -> int | None:
        return None if self.oov_token is None else self.word_index.get(self.oov_token)

    def texts_to_matrix(
        self, texts: Iterable[str | Sequence[str]], mode: str = "binary"
    ) -> np.ndarray:
        """`sequences_to_matrix` of `texts_to_sequences`."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(
        self, sequences: Sequence[Sequence[int]], mode: str = "binary"
    ) -> np.ndarray:
        """One row per sequence, one column per number.

        Args:
            mode: `binary` (1 where the number occurs), `count`, `freq` (count over length), or
                `tfidf`: `(1 + log count) * log(1 + texts / (1 + texts that hold the word))`.
        """
        if mode not in MODES:
            raise ValueError(f"mode must be one of {', '.join(MODES)}; got {mode!r}")
        if not self.num_words and not self.word_index:
            raise ValueError("the number of columns is unknown: give num_words, or fit on texts")
        if mode == "tfidf" and not self.document_count:
            raise ValueError("tfidf needs counts: fit on texts or sequences first")
        columns = self.num_words or len(self.word_index) + 1
        docs = np.array([self.index_docs.get(number, 0) for number in range(columns)])
        rarity = np.log(1 + self.document_count / (1 + docs))
        matrix = np.zeros((len(sequences), columns))
        for row, sequence in zip(matrix, sequences, strict=True):
            numbers = np.asarray([n for n in sequence if n < columns], "int64")
            found, counts = np.unique(numbers, return_counts=True)
            row[found] = MODES[mode](counts, len(sequence), rarity[found])
        return matrix

    def get_config(self) -> dict[str, Any]:
        """Arguments and counts as plain data, the counts as JSON text, as Keras 2 writes them."""
        arguments = {name: getattr(self, name) for name in ARGUMENTS}
        return arguments | {name: json.dumps(getattr(self, name)) for name in COUNTS}

    def to_json(self, **kwargs: Any) -> str:
        """Class name and config as JSON text; `kwargs` go to `json.dumps`."""
        described = {"class_name": type(self).__name__, "config": self.get_config()}
        return json.dumps(described, **kwargs)


ARGUMENTS = ("num_words", "filters", "lower", "split", "char_level", "oov_token", "document_count")
COUNTS = ("word_counts", "word_docs", "index_docs", "index_word", "word_index")


def tokenizer_from_json(json_string: str) -> Tokenizer:
    """The tokenizer that `to_json` described, here or in genuine Keras."""
    described = dict(json.loads(json_string)["config"])
    counts = {name: json.loads(described.pop(name)) for name in COUNTS}
    tokenizer = Tokenizer(**described)
    for name, values in counts.items():
        if name.startswith("index_"):  # JSON has text for keys
            values = {int(number): value for number, value in values.items()}
        setattr(tokenizer, name, values)
    return tokenizer
