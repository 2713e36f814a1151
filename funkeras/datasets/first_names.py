"""5,163 first names and how frequent they were in the United States in 1990.

Counts of the Census Bureau, in the public domain; DATA.md has the details.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from funkeras.datasets.packaged import read_rows, split_at

__all__ = ["load_data"]

Part: TypeAlias = tuple[list[str], np.ndarray]


def load_data(test_split: float = 0.2) -> tuple[Part, Part]:
    """Names and their shares (n, 2): percent of the women and percent of the men so named.

    The order is mixed and fixed; the last share `test_split` is for the test. 4,017 names are
    more frequent among women; 331 are in both lists.

    >>> (names, shares), (test_names, _) = load_data()
    >>> names[1], shares[1].tolist(), len(names), len(test_names)
    ('Marianne', [0.042, 0.0], 4130, 1033)
    """
    rows = read_rows("first_names.txt.gz")
    train, test = split_at(rows, test_split)
    return _columns(train), _columns(test)


def _columns(rows: Sequence[list[str]]) -> Part:
    return [row[0] for row in rows], np.asarray([row[1:] for row in rows], np.float64)
