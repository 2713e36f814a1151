"""Where the files of data sets come from, and how calls in any generation's spelling find them."""

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeAlias, TypeVar

import numpy as np

from funkeras import spellings
from funkeras.utils.data_utils import get_file

__all__ = ["Split", "any_spelling", "fetch", "shuffled_split"]

P = ParamSpec("P")
R = TypeVar("R")

Split: TypeAlias = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""`(x_train, y_train), (x_test, y_test)`."""

ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
OLD_NAMES = {
    "mnist.pkl.gz": "mnist.npz",
    "imdb_full.pkl": "imdb.npz",
    "imdb_word_index.pkl": "imdb_word_index.json",
    "reuters.pkl": "reuters.npz",
    "reuters_word_index.pkl": "reuters_word_index.json",
}
"""Files of Keras 1, which are published no more → those with the same content."""
DIGITS = "funkeras.datasets.mnist_5k: 5,000 real digits of MNIST"
SENTENCES = "funkeras.datasets.movie_sentences: 10,605 rated sentences of film reviews"
STAND_INS = {
    "mnist": DIGITS,
    "fashion-mnist": DIGITS,
    "cifar": DIGITS,
    "imdb": SENTENCES,
    "reuters": SENTENCES,
}
"""How a file or its folder begins → what comes with the package and can be learnt in its place."""


def any_spelling(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function take the arguments of every generation: `nb_words` as well as `num_words`."""
    signature = inspect.signature(function)
    owner = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        given: dict[str, Any] = spellings.bind(owner, signature, args, kwargs)
        return function(**given)  # pyright: ignore[reportCallIssue]  # bound above

    return call


def fetch(
    path: str,
    file_hash: str | None = None,
    origin: str | None = None,
    cache_subdir: str = "datasets",
) -> Path:
    """A data set's file in the cache, downloaded on first use; `origin` names it on the server."""
    path = OLD_NAMES.get(path, path)
    try:
        found = get_file(
            path, origin or ORIGIN + path, file_hash=file_hash, cache_subdir=cache_subdir
        )
    except ConnectionError as error:
        place = (Path(cache_subdir) / path).relative_to("datasets").as_posix()
        stand_ins = [text for start, text in STAND_INS.items() if place.startswith(start)]
        choice = "".join(f", or use {text}, which comes with this package" for text in stand_ins)
        raise ConnectionError(f"{error}{choice}") from error
    return Path(found)


def shuffled_split(x: np.ndarray, y: np.ndarray, test_split: float, seed: int) -> Split:
    """Rows in an order fixed by `seed`; the last share `test_split` of them is the test part."""
    if not 0 <= test_split < 1:
        raise ValueError(f"test_split must be in [0, 1), got {test_split}")
    order = np.arange(len(x))
    np.random.RandomState(seed).shuffle(order)
    x, y = x[order], y[order]
    cut = int(len(x) * (1 - test_split))
    return (x[:cut], y[:cut]), (x[cut:], y[cut:])
