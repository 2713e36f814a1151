"""Texts that come with the package, compressed, and how they are cut into two parts."""

import gzip
from collections.abc import Sequence
from importlib.resources import files
from typing import TypeVar

__all__ = ["read_rows", "split_at"]

T = TypeVar("T")


def read_rows(name: str) -> list[list[str]]:
    """The lines of `name` in this folder (gzip, UTF-8), each cut at its tabs."""
    content = gzip.decompress((files("funkeras.datasets") / name).read_bytes())
    return [line.split("\t") for line in content.decode("utf-8").splitlines()]


def split_at(rows: Sequence[T], test_split: float) -> tuple[Sequence[T], Sequence[T]]:
    """All but the last share `test_split` of the rows, and that share."""
    if not 0 <= test_split <= 1:
        raise ValueError(f"test_split must be in [0, 1], got {test_split}")
    cut = round(len(rows) * (1 - test_split))
    return rows[:cut], rows[cut:]
