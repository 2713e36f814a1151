"""How many inputs and outputs a weight joins, as each generation counts them."""

from math import prod, sqrt
from typing import Any, TypeAlias

import numpy as np

from funkeras import config
from funkeras.initializers.sources import Sizes

__all__ = ["Axes", "fans", "get_fans"]

Axes: TypeAlias = int | list[int] | tuple[int, ...] | None


def get_fans(shape: Any, dim_ordering: str = "th") -> tuple[float, float]:
    """How many inputs and outputs a weight of that shape joins, in the present dialect.

    >>> get_fans((32, 3, 5, 5))
    (75, 800)
    """
    return fans(config.dialect(), None, None, tuple(shape), dim_ordering)


def fans(
    dialect: str, input_axes: Axes, output_axes: Axes, shape: Sizes, dim_ordering: str
) -> tuple[float, float]:
    """The same in a dialect, over the axes that are given, or those of a kernel."""
    rank = len(shape)
    if input_axes is not None and output_axes is not None:
        inputs, outputs = (np.atleast_1d(axes) for axes in (input_axes, output_axes))
    elif rank < 2 or (rank == 3 and dialect == "classic"):
        both = float(prod(shape)) if dialect == "modern" else sqrt(prod(shape))
        return both, both
    elif dim_ordering == "th" and rank > 3:
        inputs, outputs = range(1, rank), (0, *range(2, rank))
    else:
        # Keras 1 forgot the third spatial axis of a channels-last kernel.
        spatial = range(min(2, rank - 2) if dialect == "classic" else rank - 2)
        inputs, outputs = (*spatial, rank - 2), (*spatial, rank - 1)
    return prod(shape[axis] for axis in inputs), prod(shape[axis] for axis in outputs)
