"""Texts of variable length in HDF5 files, looked at before HDF5 reads them.

HDF5 keeps such texts in heaps ("global heap collections"), and where a text is meant, the size of
the text, the address of the heap and a number. It believes all of these: on a damaged heap it runs
in a circle, and for a damaged reference it takes up to 4 GB of memory. The layouts are those of the
HDF5 file format specification, version 3.0.
"""

import math
import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeAlias

from funkeras.formats.errors import FileFormatError

__all__ = ["Data", "check_heaps", "check_text"]

Data: TypeAlias = bytes | mmap.mmap

HEAP = b"GCOL\x01\0\0\0"
REFERENCE = 16
"""Bytes of a size, an address and a number."""
VARIABLE_LENGTH = 9
"""The class of a type whose values are references."""


class Version(NamedTuple):
    """How a version of the message of an attribute is laid out."""

    header: int
    """Bytes before the name."""
    multiple: int
    """Name, type and space each fill up to a multiple of so many bytes."""


VERSIONS = {1: Version(8, 8), 2: Version(8, 1), 3: Version(9, 1)}
SPACES = {1: 8, 2: 4}
"""Version of a dataspace → bytes before its sizes."""


def _number(data: Data, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "little")


def check_heaps(path: Path, data: Data) -> None:
    """Refuse a file in which the objects of a heap of strings do not lie end to end.

    HDF5 runs in a circle on such a heap. It consists of a signature, its size, and objects: number,
    count of references, size, and data up to a multiple of 8 bytes; number 0 is the free rest,
    whose size includes its header.
    """
    start = data.find(HEAP)
    while start >= 0:
        end = start + _number(data, start + 8, 8)
        at = start + 16
        sound = end <= len(data)
        while sound and at + 16 <= end:
            number = _number(data, at, 2)
            size = _number(data, at + 8, 8)
            step = 16 + -(-size // 8) * 8 if number else size
            sound = 16 <= step <= end - at
            at += step
        if not sound:
            raise FileFormatError(f"{path} is damaged: a heap of strings at byte {start}")
        start = data.find(HEAP, start + len(HEAP))


def check_text(path: Path, data: Data, name: str, base: int = 0) -> None:
    """Refuse a file in which an attribute of that name refers to what is no text of the file.

    `base` is where HDF5's addresses begin, after a user block.
    """
    references = [own for found in _messages(data, name) for own in found]
    if not references or not all(_is_sound(data, at, base) for at in references):
        raise FileFormatError(f"{path} is damaged: no text for the attribute {name!r}")


def _messages(data: Data, name: str) -> Iterator[list[int]]:
    """Of each attribute of that name whose value is text of variable length: its references."""
    sought = name.encode() + b"\0"
    at = data.find(sought)
    while at >= 0:
        for number, version in VERSIONS.items():
            start = at - version.header
            sizes = [_number(data, start + place, 2) for place in (2, 4, 6)]
            if start < 0 or data[start] != number or sizes[0] != len(sought):
                continue
            name_size, type_size, space_size = (
                -(-size // version.multiple) * version.multiple for size in sizes
            )
            kind, space = at + name_size, at + name_size + type_size
            values = space + space_size
            if values < len(data) and data[kind] & 15 == VARIABLE_LENGTH:
                yield [values + REFERENCE * i for i in range(_entries(data, space, values))]
        at = data.find(sought, at + 1)


def _entries(data: Data, space: int, values: int) -> int:
    """How many values a dataspace has; at most one more than the file has room for."""
    before = SPACES.get(data[space], 4)
    sizes = (_number(data, space + before + 8 * axis, 8) for axis in range(data[space + 1]))
    return min(math.prod(sizes), (len(data) - values) // REFERENCE + 1)


def _is_sound(data: Data, at: int, base: int) -> bool:
    """Whether a reference is to a heap of the file, and to no more than that heap has."""
    size, heap = _number(data, at, 4), base + _number(data, at + 4, 8)
    if not size:
        return at + REFERENCE <= len(data)
    return data[heap : heap + 8] == HEAP and size <= _number(data, heap + 8, 8)
