"""40,000 English words and how Americans say them; no network is needed.

From the Carnegie Mellon Pronouncing Dictionary (BSD-2-Clause); DATA.md has the details.
"""

from collections.abc import Sequence
from typing import TypeAlias

from funkeras.datasets.packaged import read_rows, split_at

__all__ = ["load_data"]

Part: TypeAlias = tuple[list[str], list[list[str]]]


def load_data(test_split: float = 0.1) -> tuple[Part, Part]:
    """Words (3 to 12 small letters) and their sounds (at most 12), for training and testing.

    Vowels carry their stress: 0 none, 1 main, 2 second. The order is mixed and fixed; the last
    share `test_split` is for the test.

    >>> (words, sounds), (test_words, _) = load_data()
    >>> words[3], sounds[3], len(words), len(test_words)
    ('silkworm', ['S', 'IH1', 'L', 'K', 'W', 'ER0', 'M'], 36000, 4000)
    """
    rows = [row[0].split(" ") for row in read_rows("letters_to_sounds.txt.gz")]
    train, test = split_at(rows, test_split)
    return _columns(train), _columns(test)


def _columns(rows: Sequence[list[str]]) -> Part:
    return [row[0] for row in rows], [row[1:] for row in rows]
