"""10,605 sentences of film reviews, each rated by 20 people; no network is needed.

From Hutto and Gilbert, VADER (ICWSM 2014), MIT licence, after the reviews of Pang and Lee (2004);
DATA.md has the details.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from funkeras.datasets.packaged import read_rows, split_at

__all__ = ["load_data"]

Part: TypeAlias = tuple[list[str], np.ndarray]


def load_data(test_split: float = 0.2, least: float = 0.0) -> tuple[Part, Part]:
    """Sentences and their mean ratings, -4 (very bad) to 4 (very good), for training and testing.

    The order is mixed and fixed; the last share `test_split` is for the test.

    Args:
        least: leave out sentences whose rating is nearer to 0: 0.5 leaves 10,072, of which 50.4 %
            are bad. At 0 all stay.

    >>> (texts, ratings), (test_texts, _) = load_data()
    >>> len(texts), len(test_texts), ratings.dtype
    (8484, 2121, dtype('float32'))
    """
    kept = [(text, float(r)) for r, text in read_rows("movie_sentences.txt.gz")]
    kept = [row for row in kept if abs(row[1]) >= least]
    train, test = split_at(kept, test_split)
    return _columns(train), _columns(test)


def _columns(rows: Sequence[tuple[str, float]]) -> Part:
    return [text for text, _ in rows], np.asarray([rating for _, rating in rows], np.float32)
