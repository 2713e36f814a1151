"""Small helpers that scripts import from `keras.utils.generic_utils`."""

from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["is_all_none", "make_tuple", "slice_arrays", "to_list", "unpack_singleton"]


def to_list(x: Any, allow_tuple: bool = False) -> list[Any]:
    """`x` if it is a list, else a list of it (or of its elements, if tuples are allowed).

    >>> to_list(3), to_list([3]), to_list((3, 4)), to_list((3, 4), allow_tuple=True)
    ([3], [3], [(3, 4)], [3, 4])
    """
    if isinstance(x, list):
        return x
    return list(x) if allow_tuple and isinstance(x, tuple) else [x]


def unpack_singleton(x: Sequence[Any]) -> Any:
    """The only element of a sequence of one, else the sequence.

    >>> unpack_singleton([3]), unpack_singleton([3, 4])
    (3, [3, 4])
    """
    return x[0] if len(x) == 1 else x


def is_all_none(iterable_or_element: Any) -> bool:
    """Whether a value, or every value of a list or tuple, is None."""
    many = isinstance(iterable_or_element, list | tuple)
    values: Iterable[Any] = iterable_or_element if many else [iterable_or_element]
    return all(value is None for value in values)


def make_tuple(*args: Any) -> tuple[Any, ...]:
    """The arguments as a tuple (Keras 1)."""
    return args


def slice_arrays(arrays: Any, start: Any = None, stop: int | None = None) -> Any:
    """Rows `start … stop` of one array or of each in a list; `start` may be a list of rows.

    >>> slice_arrays([[1, 2, 3], None], 1, 3)
    [[2, 3], None]
    """
    if arrays is None:
        return [None]
    if isinstance(arrays, list):
        return [None if array is None else _rows(array, start, stop) for array in arrays]
    return _rows(arrays, start, stop)


def _rows(array: Any, start: Any, stop: int | None) -> Any:
    if hasattr(start, "__len__"):
        return array[start]
    return array[start:stop]
