"""Layers that make one array of several: their inputs come as a tuple."""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any

import jax.numpy as jnp
from jax import lax

from funkeras import config
from funkeras.functional.checks import one_of
from funkeras.functional.pair import Pair, layer, stateless
from funkeras.functional.precision import at_unit_length
from funkeras.typing import Array, Key, Mask, Params, PyTree, State

__all__ = [
    "add",
    "average",
    "concatenate",
    "dot",
    "maximum",
    "merge",
    "minimum",
    "multiply",
    "subtract",
]


@layer("Add")
def add() -> Pair:
    """Sum of the inputs.

    Inputs with fewer axes get axes of size 1 after the batch; sizes of 1 are repeated.

    >>> from funkeras.functional import output_shape
    >>> output_shape(add(), ((None, 4, 3), (None, 3)))
    (None, 4, 3)
    """
    return _elementwise(lambda arrays: reduce(jnp.add, arrays))


@layer("Subtract")
def subtract() -> Pair:
    """The first input minus the second, in shapes as `add` takes them."""

    def difference(arrays: list[Array]) -> Array:
        return arrays[0] - arrays[1]

    return _elementwise(difference, exactly=2)


@layer("Multiply")
def multiply() -> Pair:
    """Product of the inputs, entry by entry, in shapes as `add` takes them.

    In Keras 3 what the mask of an input hides counts as 1, and where all are hidden it is 0.
    """

    def product(arrays: list[Array], shown: list[Mask]) -> Array:
        pairs = zip(arrays, shown, strict=True)
        y = reduce(jnp.multiply, [x if own is None else jnp.where(own, x, 1) for x, own in pairs])
        known = [own for own in shown if own is not None]
        return jnp.where(reduce(jnp.logical_or, known), y, 0) if len(known) == len(shown) else y

    return _elementwise(lambda arrays: reduce(jnp.multiply, arrays), heeding=product)


@layer("Average")
def average() -> Pair:
    """Mean of the inputs, entry by entry, in shapes as `add` takes them."""
    return _elementwise(lambda arrays: reduce(jnp.add, arrays) / len(arrays))


@layer("Maximum")
def maximum() -> Pair:
    """The largest of the inputs, entry by entry, in shapes as `add` takes them.

    In Keras 3 what the mask of an input hides does not count.
    """
    return _elementwise(lambda arrays: reduce(jnp.maximum, arrays), heeding=_of_shown(jnp.maximum))


@layer("Minimum")
def minimum() -> Pair:
    """The smallest of the inputs, entry by entry, in shapes as `add` takes them.

    In Keras 3 what the mask of an input hides does not count.
    """
    return _elementwise(lambda arrays: reduce(jnp.minimum, arrays), heeding=_of_shown(jnp.minimum))


def _of_shown(
    choose: Callable[[Array, Array], Array],
) -> Callable[[list[Array], list[Mask]], Array]:
    """One entry of those that masks show: a hidden one is taken as that of the other inputs."""

    def further(before: tuple[Array, Mask], given: tuple[Array, Mask]) -> tuple[Array, Mask]:
        (y, seen), (x, own) = before, given
        x = x if own is None else jnp.where(own, x, y)
        y = y if seen is None else jnp.where(seen, y, x)
        return choose(y, x), None if seen is None or own is None else seen | own

    def chosen(arrays: list[Array], shown: list[Mask]) -> Array:
        return reduce(further, zip(arrays, shown, strict=True))[0]

    return chosen


@layer("Concatenate")
def concatenate(axis: int = -1) -> Pair:
    """The inputs one after another along an axis.

    >>> from funkeras.functional import output_shape
    >>> output_shape(concatenate(), ((None, 4, 3), (None, 4, 5)))
    (None, 4, 8)
    """
    join, least = jnp.any if config.dialect() == "modern" else jnp.all, _least()

    def apply(params: Params, x: Sequence[Array]) -> Array:
        arrays = _several(x, least)
        ranks = {array.ndim for array in arrays}
        others = {_without(array.shape, axis) for array in arrays}
        if len(ranks) > 1 or len(others) > 1:
            raise ValueError(
                f"inputs may differ along axis {axis} only, got shapes {_shapes(arrays)}"
            )
        return jnp.concatenate(arrays, axis)

    def mask(x: Sequence[Array], mask: PyTree) -> Mask:
        masks = _masks(x, mask)
        present = [own for own in masks if own is not None]
        if not present:
            return None
        wide = [_widened(own, array) for own, array in zip(masks, x, strict=True)]
        rank = max(own.ndim for own in present)
        # A mask of whole entries says for each step whether any of them counts: all do in Keras 1
        # and 2, one is enough in Keras 3.
        rank = min(rank, x[0].ndim - 1)
        return join(jnp.concatenate(wide, axis), axis=tuple(range(rank, x[0].ndim)))

    return stateless(apply, mask=mask)


@layer("Dot")
def dot(axes: int | Sequence[int], normalize: bool = False) -> Pair:
    """Sums of products of two inputs along an axis of each, sample by sample.

    The other axes of the first input come first, then those of the second; of two matrices it
    makes (batch, 1). With `normalize` they are scaled to length 1 along `axes` before: cosines.

    >>> from funkeras.functional import output_shape
    >>> output_shape(dot(axes=(2, 2)), ((None, 3, 4), (None, 5, 4)))
    (None, 3, 5)
    """
    _pair_of_axes("axes", axes)

    def apply(params: Params, x: Sequence[Array]) -> Array:
        first, second = _several(x, 2, exactly=2)
        own = _dot_axes("axes", axes, first, second)
        if normalize:
            first, second = at_unit_length(first, own[0]), at_unit_length(second, own[1])
        return _batch_dot(first, second, own)

    return stateless(apply, mask=_nothing)


@layer("Merge")
def merge(
    mode: str | Callable[..., Any] = "sum",
    concat_axis: int = -1,
    dot_axes: int | Sequence[int] = -1,
    output_shape: Any = None,
    output_mask: Any = None,
    arguments: Mapping[str, Any] | None = None,
) -> Pair:
    """Keras 1's layer of several inputs: `sum`, `mul`, `ave`, `max`, `concat`, `dot` or `cos`.

    `mode` may also be a function of the list of inputs, which gets `arguments` too; `output_mask`
    is then the mask that goes on, or makes it of the list of masks. `output_shape` is taken for
    the sake of old scripts; the shape follows from the function.

    >>> from funkeras.functional import output_shape
    >>> output_shape(merge("cos"), ((None, 3), (None, 3)))
    (None, 1, 1)
    """
    if callable(mode):
        return _function(mode, dict(arguments or {}), output_mask)
    modes: dict[str, Callable[[], Pair]] = {
        "sum": add,
        "mul": multiply,
        "ave": average,
        "max": maximum,
        "concat": lambda: concatenate(concat_axis),
        "dot": lambda: dot(dot_axes),
        "cos": lambda: _cosine(dot_axes),
    }
    return modes[one_of("mode", mode, tuple(modes))]()


def _function(mode: Callable[..., Any], arguments: dict[str, Any], output_mask: Any) -> Pair:
    def apply(params: Params, x: Sequence[Array]) -> PyTree:
        return mode(list(x), **arguments)

    def mask(x: Sequence[Array], mask: PyTree) -> PyTree:
        return output_mask(_masks(x, mask)) if callable(output_mask) else output_mask

    return stateless(apply, mask=mask)


def _cosine(axes: int | Sequence[int]) -> Pair:
    """Keras 1's `cos`: products over the roots of both inputs' products with themselves.

    Of matrices these are cosines. Of more axes, entry (i, j) is divided by the root of the
    products of i with j in each input, or by epsilon where that is negative, as Keras 1 has it.
    """

    def apply(params: Params, x: Sequence[Array]) -> Array:
        first, second = _several(x, 2, exactly=2)
        own = _dot_axes("dot_axes", axes, first, second)
        norms = _batch_dot(first, first, (own[0], own[0])) * _batch_dot(
            second, second, (own[1], own[1])
        )
        least = config.epsilon()
        # Bounded before the root, whose slope at 0 is infinite.
        norm = jnp.sqrt(jnp.maximum(norms, least**2))
        return (_batch_dot(first, second, own) / norm)[:, None]

    return stateless(apply, mask=_nothing)


def _nothing(x: PyTree, mask: PyTree) -> None:
    """The mask rule of layers whose output has no time steps of its inputs."""
    return


def _elementwise(
    combine: Callable[[list[Array]], Array],
    exactly: int | None = None,
    heeding: Callable[[list[Array], list[Mask]], Array] | None = None,
) -> Pair:
    """A layer that combines entries; `heeding` does it in Keras 3 where an input has a mask."""
    modern, least = config.dialect() == "modern", _least()

    def apply(
        params: Params,
        state: State,
        x: Sequence[Array],
        *,
        training: bool = False,
        key: Key | None = None,
        mask: PyTree = None,
    ) -> tuple[Array, State]:
        arrays = _aligned(_several(x, least, exactly))
        if heeding is None or not modern or mask is None:
            return combine(arrays), state
        pairs = zip(_masks(x, mask), arrays, strict=True)
        shown = [own if own is None else _widened(own, array) for own, array in pairs]
        return heeding(arrays, shown), state

    def mask(x: Sequence[Array], mask: PyTree) -> Mask:
        # Keras 1 and 2 mask what any input masks; Keras 3 what all of them do.
        masks = _masks(x, mask)
        present = [own for own in masks if own is not None]
        if not present or (modern and len(present) < len(masks)):
            return None
        return reduce(jnp.logical_or if modern else jnp.logical_and, present)

    return Pair(apply, mask=mask)


def _several(x: Any, least: int, exactly: int | None = None) -> list[Array]:
    several = isinstance(x, tuple | list)
    count = len(x) if several else 1
    if not several or count < least or (exactly and count != exactly):
        wanted = exactly or f"at least {least}"
        came = f"{count} input{'s' * (count != 1)}" if several else f"one of shape {jnp.shape(x)}"
        raise ValueError(f"expected a tuple of {wanted} inputs, got {came}")
    return list(x)


def _least() -> int:
    """How few inputs there may be: one in Keras 3, two before."""
    return 1 if config.dialect() == "modern" else 2


def _shapes(arrays: Sequence[Array]) -> str:
    return ", ".join(str(tuple(array.shape)) for array in arrays)


def _aligned(arrays: list[Array]) -> list[Array]:
    """Inputs of one rank: axes of size 1 are put after the batch."""
    rank = max(array.ndim for array in arrays)
    wide = [
        array.reshape(array.shape[:1] + (1,) * (rank - array.ndim) + array.shape[1:])
        for array in arrays
    ]
    sizes = [
        {size for size in column if size != 1}
        for column in zip(*(a.shape for a in wide), strict=True)
    ]
    if len({array.shape[0] for array in wide if array.ndim}) > 1 or any(len(s) > 1 for s in sizes):
        raise ValueError(f"inputs do not fit together: shapes {_shapes(arrays)}")
    return wide


def _without(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    """The sizes of the other axes."""
    if not -len(shape) <= axis < len(shape):
        raise ValueError(f"the input of shape {shape} has no axis {axis}")
    place = axis % len(shape)
    return shape[:place] + shape[place + 1 :]


def _masks(x: Sequence[Array], mask: PyTree) -> list[Mask]:
    """One mask, or None, for each input."""
    masks: list[Mask] = [None] * len(x) if mask is None else list(mask)
    if len(masks) != len(x):
        raise ValueError(f"expected one mask for each of {len(x)} inputs, got {len(masks)}")
    return masks


def _widened(mask: Mask, x: Array) -> Array:
    """A mask of every entry."""
    if mask is None:
        return jnp.ones(x.shape, bool)
    return jnp.broadcast_to(mask.reshape(mask.shape + (1,) * (x.ndim - mask.ndim)), x.shape)


def _pair_of_axes(name: str, axes: int | Sequence[int]) -> tuple[int, int]:
    pair = (axes, axes) if isinstance(axes, int) else tuple(axes)
    if len(pair) != 2 or not all(isinstance(axis, int) for axis in pair):
        raise ValueError(f"{name} must be one integer or two, got {axes!r}")
    return pair


def _dot_axes(name: str, axes: int | Sequence[int], first: Array, second: Array) -> tuple[int, int]:
    """The axis of each input, counted from the left, that a product sums over."""
    wanted = _pair_of_axes(name, axes)
    for axis, array in zip(wanted, (first, second), strict=True):
        if not -array.ndim < axis < array.ndim or axis == 0:
            raise ValueError(
                f"{name} {axes} do not fit inputs of shapes {_shapes([first, second])}"
            )
    own = wanted[0] % first.ndim, wanted[1] % second.ndim
    if first.shape[own[0]] != second.shape[own[1]] or first.shape[0] != second.shape[0]:
        raise ValueError(
            f"the sizes along {name} {axes} must be equal, got shapes {_shapes([first, second])}"
        )
    return own


def _batch_dot(first: Array, second: Array, axes: tuple[int, int]) -> Array:
    y = lax.dot_general(first, second, (([axes[0]], [axes[1]]), ([0], [0])))
    return y[:, None] if y.ndim == 1 else y
