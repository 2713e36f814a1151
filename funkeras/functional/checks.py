"""Checks of builders' arguments and of input shapes, with one wording for all layers."""

from collections.abc import Sequence
from typing import Any

from funkeras import config
from funkeras.typing import PyTree, Shape

__all__ = [
    "known",
    "no_mask",
    "one_of",
    "positive",
    "rank",
    "share",
    "strides_or_dilation",
    "tuple_of",
]


def positive(name: str, value: int) -> int:
    """`value` as an int, if it is a whole number of at least 1."""
    if isinstance(value, bool) or int(value) != value or value < 1:
        raise ValueError(f"{name} must be a positive integer, got {value!r}")
    return int(value)


def share(name: str, value: float) -> float:
    """`value`, if it lies in [0, 1)."""
    if not 0 <= value < 1:
        raise ValueError(f"{name} must be in [0, 1), got {value}")
    return value


def one_of(name: str, value: Any, allowed: Sequence[Any]) -> Any:
    """`value`, if it is one of `allowed`."""
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(str, allowed))}; got {value!r}")
    return value


def tuple_of(name: str, value: int | Sequence[int], count: int, least: int = 1) -> tuple[int, ...]:
    """One whole number per axis, each at least `least`; a single one serves all axes.

    >>> tuple_of("strides", 2, 3), tuple_of("kernel_size", [3, 5], 2)
    ((2, 2, 2), (3, 5))
    """
    sizes = (value,) * count if isinstance(value, int) else tuple(value)
    if len(sizes) != count or not all(int(size) == size and size >= least for size in sizes):
        raise ValueError(f"{name} must be {count} integers of at least {least}, got {value!r}")
    return tuple(int(size) for size in sizes)


def strides_or_dilation(strides: Sequence[int], dilation: Sequence[int]) -> None:
    """Refuse strides beside dilation, as Keras does; of its backends Theano alone has both."""
    if max(strides) > 1 and max(dilation) > 1 and config.backend() != "theano":
        raise ValueError(
            "of strides and dilation_rate one must be 1; "
            f"got strides {tuple(strides)} and dilation_rate {tuple(dilation)}"
        )


def rank(x_shape: Shape, expected: int) -> None:
    """Refuse an input with another number of axes."""
    if len(x_shape) != expected:
        raise ValueError(f"expected an input of rank {expected}, got shape {tuple(x_shape)}")


def known(name: str, shape: Shape, axis: int) -> int:
    """The size of an axis that weights depend on."""
    if not shape or (axis >= 0 and axis >= len(shape)):
        raise ValueError(f"the input has no {name}: its shape is {shape}")
    size = shape[axis]
    if size is None:
        raise ValueError(f"the {name} of the input must be known, got shape {shape}")
    return size


def no_mask(x: PyTree, mask: PyTree) -> None:
    """The mask rule of layers after which time steps are no more: nothing goes on."""
    return
