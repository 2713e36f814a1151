"""The same entries in another shape or order, and arrays put together or taken apart."""

import math
import re
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from funkeras.ops.arguments import array
from funkeras.ops.lifting import op

__all__ = [
    "append",
    "array_split",
    "broadcast_to",
    "concatenate",
    "dsplit",
    "dstack",
    "expand_dims",
    "flip",
    "fliplr",
    "flipud",
    "hsplit",
    "hstack",
    "moveaxis",
    "pad",
    "ravel",
    "rearrange",
    "repeat",
    "reshape",
    "roll",
    "rot90",
    "split",
    "squeeze",
    "stack",
    "swapaxes",
    "tile",
    "transpose",
    "unstack",
    "vsplit",
    "vstack",
]


@op
def append(x1: Any, x2: Any, axis: int | None = None) -> Any:
    """`x2` behind `x1` along an axis; both are flattened first where `axis` is None."""
    return jnp.append(array(x1), array(x2), axis)


@op
def array_split(x: Any, indices_or_sections: int, axis: int = 0) -> Any:
    """A list of that many parts along an axis, whose sizes differ by one at most."""
    if not isinstance(indices_or_sections, int) or indices_or_sections < 1:
        raise ValueError(
            f"indices_or_sections must be a positive integer, got {indices_or_sections!r}"
        )
    return jnp.array_split(array(x), indices_or_sections, axis)


@op
def broadcast_to(x: Any, shape: Any) -> Any:
    """`x` repeated along new axes in front and axes of size 1."""
    return jnp.broadcast_to(array(x), shape)


@op
def concatenate(xs: Any, axis: int = 0) -> Any:
    """Arrays one behind the other along an axis."""
    return jnp.concatenate([*map(array, xs)], axis)


@op
def dsplit(x: Any, indices_or_sections: Any) -> Any:
    """A list of the parts along the third axis: equal ones, or cut at these places."""
    return jnp.dsplit(array(x), indices_or_sections)


@op
def dstack(xs: Any) -> Any:
    """Arrays one behind the other along the third axis, which they get where they have none."""
    return jnp.dstack([*map(array, xs)])


@op
def expand_dims(x: Any, axis: Any) -> Any:
    """`x` with axes of size 1 at these places of the result."""
    return jnp.expand_dims(array(x), axis)


@op
def flip(x: Any, axis: Any = None) -> Any:
    """`x` backwards along these axes, by default along all."""
    return jnp.flip(array(x), axis)


@op
def fliplr(x: Any) -> Any:
    """`x` backwards along the second axis."""
    return jnp.fliplr(array(x))


@op
def flipud(x: Any) -> Any:
    """`x` backwards along the first axis."""
    return jnp.flipud(array(x))


@op
def hsplit(x: Any, indices_or_sections: Any) -> Any:
    """A list of the parts along the second axis, of a vector the only one."""
    return jnp.hsplit(array(x), indices_or_sections)


@op
def hstack(xs: Any) -> Any:
    """Arrays one behind the other along the second axis, vectors along the only one."""
    return jnp.hstack([*map(array, xs)])


@op
def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    """`x` with the `source` axes at the places `destination`, the others in their order."""
    return jnp.moveaxis(array(x), source, destination)


@op
def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Any:
    """`x` with `(before, after)` entries more along each axis.

    They are `constant_values`, 0 by default, or come from `x`: `edge`, `reflect` (without the
    border itself), `symmetric` (with it), `wrap` and others of `jax.numpy.pad`.
    """
    if constant_values is not None and mode != "constant":
        raise ValueError(f"constant_values go with mode 'constant' only, got mode {mode!r}")
    options = {} if constant_values is None else {"constant_values": constant_values}
    return jnp.pad(array(x), pad_width, mode, **options)


@op
def ravel(x: Any) -> Any:
    """All entries in one axis, the last axis fastest."""
    return jnp.ravel(array(x))


@op
def rearrange(tensor: Any, pattern: str, **axes_lengths: int) -> Any:
    """Axes in another order, split or joined, as a pattern of `einops` says (Rogozhnikov 2022).

    >>> rearrange(jnp.ones((2, 12, 3)), "b (h w) c -> (b h) w c", w=4).shape
    (6, 4, 3)
    """
    x = array(tensor)
    before, arrow, after = (_groups(side) for side in pattern.partition("->"))
    names, wanted = ([name for group in side for name in group] for side in (before, after))
    once = len(set(names)) == len(names) and sorted(names) == sorted(wanted)
    if not (arrow and once and len(before) == x.ndim):
        raise ValueError(
            f"pattern must name the {x.ndim} axes of an array of shape {x.shape} on its left, and "
            f"the same names once each on its right; got {pattern!r}"
        )
    sizes = dict(axes_lengths)
    for group, size in zip(before, x.shape, strict=True):
        missing = [name for name in group if name not in sizes]
        known = math.prod(sizes[name] for name in group if name in sizes)
        if len(missing) > 1 or size % known or (not missing and size != known):
            raise ValueError(
                f"an axis of size {size} can't be split as {group} of {pattern!r} by the lengths "
                f"{axes_lengths}"
            )
        sizes.update(dict.fromkeys(missing, size // known))
    y = x.reshape([sizes[name] for name in names])
    y = y.transpose([names.index(name) for name in wanted])
    return y.reshape([math.prod(sizes[name] for name in group) for group in after])


def _groups(side: str) -> list[list[str]]:
    """The names of each axis in one side of a pattern.

    >>> _groups("b (h w) c")
    [['b'], ['h', 'w'], ['c']]
    """
    return [part.strip("()").split() for part in re.findall(r"\([^)]*\)|[^\s()]+", side)]


@op
def repeat(x: Any, repeats: Any, axis: int | None = None) -> Any:
    """Each entry along an axis `repeats` times, one number for all of them or one for each."""
    repeats = np.asarray(repeats) if isinstance(repeats, list | tuple) else repeats
    return jnp.repeat(array(x), repeats, axis)


@op
def reshape(x: Any, newshape: Any) -> Any:
    """The entries, in their order, in a new shape; a size of -1 follows from the others."""
    return jnp.reshape(array(x), newshape)


@op
def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    """`x` moved on by `shift` places along these axes, what leaves at the end comes in in front."""
    return jnp.roll(array(x), shift, axis)


@op
def rot90(array: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
    """`k` quarter turns in the plane of two axes, from the first towards the second."""
    return jnp.rot90(jnp.asarray(array), k, tuple(axes))


@op
def split(x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """A list of the parts along an axis: equal ones, or cut at these places."""
    return jnp.split(array(x), indices_or_sections, axis)


@op
def squeeze(x: Any, axis: Any = None) -> Any:
    """`x` without these axes of size 1, by default without all that are."""
    return jnp.squeeze(array(x), axis)


@op
def stack(x: Any, axis: int = 0) -> Any:
    """Arrays of one shape one behind the other along a new axis."""
    return jnp.stack([*map(array, x)], axis)


@op
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """`x` with two axes at each other's place."""
    return jnp.swapaxes(array(x), axis1, axis2)


@op
def tile(x: Any, repeats: Any) -> Any:
    """Copies of `x` side by side, so many along each axis."""
    return jnp.tile(array(x), repeats)


@op
def transpose(x: Any, axes: Any = None) -> Any:
    """`x` with its axes in another order, by default the last one first."""
    return jnp.transpose(array(x), axes)


@op
def unstack(x: Any, num: int | None = None, axis: int = 0) -> Any:
    """A list of the `num` slices along an axis, which they don't have."""
    x = array(x)
    if num not in (None, x.shape[axis]):
        raise ValueError(f"num must be the size {x.shape[axis]} of axis {axis}, got {num}")
    return [lax.index_in_dim(x, place, axis, keepdims=False) for place in range(x.shape[axis])]


@op
def vsplit(x: Any, indices_or_sections: Any) -> Any:
    """A list of the parts along the first axis: equal ones, or cut at these places."""
    return jnp.vsplit(array(x), indices_or_sections)


@op
def vstack(xs: Any) -> Any:
    """Arrays one behind the other along the first axis, vectors as rows."""
    return jnp.vstack([*map(array, xs)])
