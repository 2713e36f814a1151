"""How a run follows the current distribution: where its arrays are put, split and gathered."""

from typing import Any

import jax
import numpy as np
from jax import lax
from jax.core import Tracer
from jax.sharding import NamedSharding, PartitionSpec

from funkeras.distribution.strategies import Distribution, distribution
from funkeras.typing import PyTree

__all__ = [
    "alike",
    "divided",
    "everywhere",
    "fetched",
    "gathered",
    "in_their_place",
    "like_weights",
]


def everywhere(data: PyTree) -> PyTree:
    """Data on its way to the device, or whole to every device of the current distribution.

    Arrays that a user has laid out on several devices stay as they are.
    """
    if (current := distribution()) is None:
        return jax.device_put(data)
    whole = _whole(current)
    return jax.tree.map(lambda a: a if _laid_out(a) else jax.device_put(a, whole), data)


def alike(args: PyTree) -> PyTree:
    """What a program is given, with arrays that every device has whole laid out in one way.

    So a run's first call and those that go on from its results share a program.
    """
    if (current := distribution()) is None:
        return args
    whole = _whole(current)

    def one(a: Any) -> Any:
        if isinstance(a, Tracer) or not isinstance(a, jax.Array | np.ndarray):
            return a
        own = getattr(a, "sharding", None)
        split = isinstance(own, NamedSharding) and not own.is_fully_replicated
        return a if split or own == whole else jax.device_put(a, whole)

    return jax.tree.map(one, args)


def _whole(current: Distribution) -> NamedSharding:
    return NamedSharding(current.device_mesh.backend_mesh, PartitionSpec())


def divided(batch: PyTree) -> PyTree:
    """A batch within a program, split over the devices as the current distribution says.

    Batches of another number of rows than they can share are computed by each of them.
    """
    current = distribution()
    if current is None:
        return batch

    def part(a: Any) -> Any:
        sharding = current.get_data_layout(a.shape).backend_layout
        try:
            sharding.shard_shape(a.shape)
        except ValueError:
            return a
        return lax.with_sharding_constraint(a, sharding)

    return jax.tree.map(part, batch)


def gathered(outputs: PyTree) -> PyTree:
    """Outputs within a program, whole on every device if other processes have parts of them."""
    current = distribution()
    if current is None or current.num_processes == 1:
        return outputs
    return lax.with_sharding_constraint(outputs, _whole(current))


def fetched(a: Any) -> np.ndarray:
    """An array on the host, also one of which other processes have parts: all must ask for it."""
    if isinstance(a, jax.Array) and not (a.is_fully_addressable or a.is_fully_replicated):
        from jax.experimental import multihost_utils

        a = multihost_utils.process_allgather(a, tiled=True)
    return np.asarray(a)


def in_their_place(new: PyTree, old: PyTree) -> PyTree:
    """New arrays, laid out as those whose place they take, while there is a distribution."""
    if distribution() is None or jax.tree.structure(new) != jax.tree.structure(old):
        return new
    return jax.tree.map(
        lambda a, before: jax.device_put(a, before.sharding) if _laid_out(before) else a, new, old
    )


def like_weights(slots: PyTree, weights: PyTree) -> PyTree:
    """What an optimizer keeps of weights, laid out as the weight of that name and shape is."""
    named = {
        jax.tree_util.keystr(path): weight
        for path, weight in jax.tree_util.tree_leaves_with_path(weights)
        if _laid_out(weight)
    }

    def placed(path: Any, slot: Any) -> Any:
        ends = (jax.tree_util.keystr(path[start:]) for start in range(len(path)))
        weight = next((named[end] for end in ends if end in named), None)
        fits = weight is not None and weight.shape == np.shape(slot)
        return jax.device_put(slot, weight.sharding) if weight is not None and fits else slot

    return jax.tree_util.tree_map_with_path(placed, slots) if named else slots


def _laid_out(a: Any) -> bool:
    """Whether an array has been laid out on a mesh."""
    concrete = not isinstance(a, Tracer)  # tracers have a sharding too, of no devices
    return concrete and isinstance(getattr(a, "sharding", None), NamedSharding)
