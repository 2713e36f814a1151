"""Masks that go with arrays: whoever is given what a layer gave knows which steps count in it."""

import weakref
from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import numpy as np

from funkeras.typing import Array, PyTree

__all__ = ["attach", "mask_of", "masks_among", "masks_of", "masks_that_go_on", "nested_masks"]

_known: dict[int, tuple[weakref.ref[Any], Any]] = {}
"""id of an array → the array, which this does not keep alive, and its mask."""


def attach(x: PyTree, mask: PyTree) -> None:
    """Let masks go with arrays, one with each or one for a single array; None tells nothing."""
    leaves = jax.tree.leaves(x)
    for leaf, own in zip(leaves, masks_of(leaves, mask), strict=True):
        if own is not None and isinstance(leaf, jax.Array | np.ndarray):
            forget = partial(_known.pop, id(leaf))  # which is called with the dead reference
            _known[id(leaf)] = weakref.ref(leaf, forget), own


def mask_of(x: Any) -> Any:
    """The mask that goes with an array, if one does.

    >>> x, mask = jax.numpy.ones((1, 2)), jax.numpy.array([[True, False]])
    >>> attach(x, mask)
    >>> mask_of(x) is mask, mask_of(x + 1)
    (True, None)
    """
    found = _known.get(id(x))
    return None if found is None else found[1]


def masks_among(x: PyTree) -> PyTree:
    """The masks that go with arrays, nested alike; None if there are none."""
    found = jax.tree.map(mask_of, x) if _known else None
    return found if jax.tree.leaves(found) else None


def masks_of(leaves: Sequence[Any], mask: PyTree) -> list[Array | None]:
    """The mask of each output of a net, from the one that its pair gives."""
    masks = jax.tree.leaves(mask, is_leaf=lambda leaf: leaf is None)
    return masks if len(masks) == len(leaves) else [None] * len(leaves)


def nested_masks(form: Any, masks: Sequence[Array | None]) -> PyTree:
    """Masks in the form of the arrays that they go with; None if there are none."""
    return None if all(own is None for own in masks) else jax.tree.unflatten(form, masks)


def masks_that_go_on(y: PyTree, mask: PyTree) -> PyTree:
    """The masks of outputs: that which goes with each already, else what the layer says."""
    leaves, form = jax.tree.flatten(y)
    said = masks_of(leaves, mask)
    pairs = zip(map(mask_of, leaves), said, strict=True)
    found = [other if own is None else own for own, other in pairs]
    return nested_masks(form, found)
