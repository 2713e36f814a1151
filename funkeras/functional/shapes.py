"""Shapes as layers are asked for them: nested, None where unknown, and found by trials."""

import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import jax

from funkeras.functional.arguments import Arguments
from funkeras.typing import PyTree, Shape
from funkeras.variables import noting

__all__ = [
    "STRING",
    "Shapes",
    "Spec",
    "abstract",
    "freeze_shape",
    "has_unknown",
    "hashable",
    "is_shape",
    "stand_in_for",
    "stand_ins",
    "with_shapes",
]

Shapes: TypeAlias = Any
"""A `Shape`, or a tuple of them for a layer with several inputs."""

STRING = "string"
"""The dtype of strings, which are on the host alone."""

SHAPE = re.compile(r"\((\d+(?:, ?\d+)*),?\)")
"""Shapes in the messages of JAX."""

PROBES = (720, 1440)
"""Sizes that stand in for an unknown one. A size of the output that differs is unknown too.

Large enough for any kernel and for the strides of a deep network, and divisible by every small
factor, so that shape arithmetic which needs whole numbers finds them.
"""


@dataclass(frozen=True)
class Spec:
    """Shape and dtype of an array, where jax's `ShapeDtypeStruct` knows no unknown sizes."""

    shape: Shape
    dtype: Any


def freeze_shape(shape: Shapes) -> Shapes:
    """Shapes as hashable tuples: one, or a tuple of them.

    >>> freeze_shape([None, 3]), freeze_shape([[2, 3], (2, 4)])
    ((None, 3), ((2, 3), (2, 4)))
    """
    if isinstance(shape, Arguments):
        return shape  # made of the shapes of arrays
    if isinstance(shape, Mapping):
        return {name: freeze_shape(part) for name, part in shape.items()}
    if any(isinstance(part, tuple | list) for part in shape):
        return tuple(freeze_shape(part) for part in shape)
    return tuple(None if size is None else int(size) for size in shape)


def is_shape(shape: Any) -> bool:
    """Whether this is one shape rather than several."""
    return isinstance(shape, tuple) and all(map(_is_size, shape))


def _is_size(size: Any) -> bool:
    """Whether this is a number, unknown, or one of the symbols that `jax.export` has for sizes."""
    symbol = hasattr(size, "dimension_as_value") and not hasattr(size, "shape")
    return size is None or isinstance(size, int) or symbol


def with_shapes(typed: PyTree, shapes: Shapes) -> PyTree:
    """Specs of those shapes, with the dtypes of anything that has them, nested alike."""
    return jax.tree.map(lambda own, shape: Spec(shape, own.dtype), typed, shapes)


def hashable(input_shape: Shapes) -> Any:
    """Shapes as a key of a dict."""
    if not isinstance(input_shape, dict):
        return input_shape
    leaves, form = jax.tree.flatten(input_shape, is_leaf=is_shape)
    return tuple(leaves), form


def abstract(evaluate: Callable[[int], PyTree], unknown: bool) -> PyTree:
    """Shapes and dtypes of what `evaluate` gives, called with the sizes that stand in for None.

    Where an unknown size meets an array whose size is fixed, as the noise for a batch, it is that.
    """

    def merge(first: Any, *others: Any) -> Spec:
        sizes = tuple(
            size if all(other.shape[axis] == size for other in others) else None
            for axis, size in enumerate(first.shape)
        )
        return Spec(sizes, first.dtype)

    def trial(size: int) -> PyTree:
        with noting():  # a shape needs no key for random draws
            return evaluate(size)

    try:
        results = [trial(stand_in) for stand_in in (PROBES if unknown else PROBES[:1])]
    except (TypeError, ValueError) as error:
        fixed = _met_by_unknown(str(error)) if unknown else None
        if fixed is None:
            if unknown:
                error.args = tuple(_without_stand_ins(part) for part in error.args)
            raise
        results = [trial(fixed)]
    return jax.tree.map(merge, *results)


def _without_stand_ins(part: Any) -> Any:
    """A message with None where a size stood in for an unknown one."""
    return re.sub(rf"\b{PROBES[0]}\b", "None", part) if isinstance(part, str) else part


def _met_by_unknown(message: str) -> int | None:
    """The size that a stand-in met where shapes did not fit.

    >>> _met_by_unknown("mul got incompatible shapes for broadcasting: (720, 3), (32, 3).")
    32
    """
    found = [[int(size) for size in re.findall(r"\d+", shape)] for shape in SHAPE.findall(message)]
    for axes in itertools.zip_longest(*(reversed(shape) for shape in found), fillvalue=1):
        others = {size for size in axes if size not in (1, *PROBES)}
        if len(others) == 1 and PROBES[0] in axes:
            return others.pop()
    return None


def stand_in_for(shape: Shape, size: int, dtype: Any) -> jax.ShapeDtypeStruct:
    """An array of that shape with `size` for what is unknown."""
    return jax.ShapeDtypeStruct(tuple(size if own is None else own for own in shape), dtype)


def stand_ins(shapes: Shapes, dtypes: PyTree, size: int) -> PyTree:
    """Arrays of those shapes and dtypes, nested alike, with `size` for what is unknown."""

    def one(shape: Shape, dtype: Any) -> jax.ShapeDtypeStruct:
        return stand_in_for(shape, size, jax.dtypes.canonicalize_dtype(dtype))

    return jax.tree.map(one, shapes, dtypes, is_leaf=is_shape)


def has_unknown(shapes: Shapes) -> bool:
    """Whether any size is unknown."""
    return None in jax.tree.leaves(shapes, is_leaf=lambda size: size is None)
