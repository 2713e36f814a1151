"""Small helpers that scripts import from `keras.utils.generic_utils`."""

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

__all__ = [
    "has_arg",
    "is_all_none",
    "make_tuple",
    "object_list_uid",
    "slice_arrays",
    "to_list",
    "transpose_shape",
    "unpack_singleton",
]


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


def has_arg(fn: Callable[..., Any], name: str, accept_all: bool = False) -> bool:
    """Whether a function takes an argument of that name, or, with `accept_all`, any keyword.

    >>> has_arg(lambda a, *, b=1: a, "b"), has_arg(lambda **any: any, "b", accept_all=True)
    (True, True)
    """
    parameters = inspect.signature(fn).parameters
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    if name in parameters and parameters[name].kind in kinds:
        return True
    return accept_all and any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values())


def object_list_uid(object_list: Any) -> str:
    """A text that tells lists of other objects apart."""
    return ", ".join(str(abs(id(thing))) for thing in to_list(object_list))


def transpose_shape(
    shape: Sequence[Any], target_format: str, spatial_axes: Iterable[int]
) -> tuple[Any, ...]:
    """A shape with its channels last, with them where `target_format` has them.

    >>> transpose_shape((16, 128, 128, 32), "channels_first", spatial_axes=(1, 2))
    (16, 32, 128, 128)
    """
    if target_format == "channels_last":
        return tuple(shape)
    if target_format != "channels_first":
        raise ValueError(
            f"target_format must be channels_first or channels_last, got {target_format!r}"
        )
    return (shape[0], shape[-1], *(shape[axis] for axis in spatial_axes))


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
