"""Keras 3's functions of nested structures: dicts, by their sorted keys, lists and tuples.

Whatever JAX knows as a pytree is a structure; None is a leaf.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax

__all__ = [
    "MAP_TO_NONE",
    "assert_same_paths",
    "assert_same_structure",
    "flatten",
    "flatten_with_path",
    "is_nested",
    "lists_to_tuples",
    "map_shape_structure",
    "map_structure",
    "map_structure_up_to",
    "pack_sequence_as",
    "traverse",
]


class MAP_TO_NONE:  # noqa: N801  Keras 3's name
    """What a function of `traverse` returns to put None in a structure's place."""


def _is_none(value: Any) -> bool:
    return value is None


def is_nested(structure: Any) -> bool:
    """Whether it is a structure rather than a leaf.

    >>> is_nested((1, 2)), is_nested({}), is_nested("text")
    (True, True, False)
    """
    return not jax.tree_util.all_leaves([structure], is_leaf=_is_none)


def flatten(structure: Any) -> list[Any]:
    """The leaves in order.

    >>> flatten({"b": [1, None], "a": 3})
    [3, 1, None]
    """
    return jax.tree.leaves(structure, is_leaf=_is_none)


def flatten_with_path(structure: Any) -> list[tuple[tuple[Any, ...], Any]]:
    """Pairs of the path to a leaf, of keys and places, and the leaf.

    >>> flatten_with_path({"a": [5]})
    [(('a', 0), 5)]
    """
    if not is_nested(structure):
        return [((), structure)]
    parts, _ = _parts(structure)
    steps = sorted(structure) if isinstance(structure, Mapping) else range(len(parts))
    inner = ((step, flatten_with_path(part)) for step, part in zip(steps, parts, strict=True))
    return [((step, *path), leaf) for step, pairs in inner for path, leaf in pairs]


def _parts(structure: Any) -> tuple[list[Any], Any]:
    """What a container holds, and its kind."""
    return jax.tree.flatten(structure, is_leaf=lambda part: part is not structure)


def map_structure(func: Callable[..., Any], *structures: Any, none_is_leaf: bool = True) -> Any:
    """The structure of the results for the leaves; those in the same place of all are joined.

    Without `none_is_leaf` None stays None.

    Raises:
        ValueError: if there is no structure, or they are not alike.

    >>> map_structure(lambda x, y: x + y, [1, (2,)], [10, (20,)])
    [11, (22,)]
    """
    if not structures:
        raise ValueError("map_structure needs at least one structure")
    first, *others = structures
    for other in others:
        assert_same_structure(first, other)
    leaf = _is_none if none_is_leaf else None
    return jax.tree.map(func, *structures, is_leaf=leaf)


def map_structure_up_to(shallow_structure: Any, func: Callable[..., Any], *structures: Any) -> Any:
    """As `map_structure`, with what is in the places of the shallow structure's leaves as leaves.

    >>> map_structure_up_to((None, None), len, ([1, 2], "abc"))
    (2, 3)
    """
    form = jax.tree.structure(shallow_structure, is_leaf=_is_none)
    parts = [form.flatten_up_to(structure) for structure in structures]
    return form.unflatten(map(func, *parts))


def assert_same_structure(a: Any, b: Any, check_types: Any = None) -> None:
    """Nothing, if both have the same containers with the same keys.

    Raises:
        ValueError: otherwise.
    """
    one, other = (jax.tree.structure(part, is_leaf=_is_none) for part in (a, b))
    if one != other:
        raise ValueError(f"the structures differ: {one} and {other}")


def assert_same_paths(a: Any, b: Any) -> None:
    """Nothing, if both have leaves at the same paths, whatever their containers are.

    Raises:
        ValueError: otherwise.
    """
    one, other = ({path for path, _ in flatten_with_path(part)} for part in (a, b))
    if one != other:
        raise ValueError(f"the paths differ: only one has {sorted(map(str, one ^ other))}")


def pack_sequence_as(structure: Any, flat_sequence: Sequence[Any]) -> Any:
    """A structure like the given one with these leaves.

    Raises:
        ValueError: for another number of leaves.

    >>> pack_sequence_as({"a": 0, "b": (0, 0)}, [1, 2, 3])
    {'a': 1, 'b': (2, 3)}
    """
    form = jax.tree.structure(structure, is_leaf=_is_none)
    if form.num_leaves != len(flat_sequence):
        raise ValueError(f"the structure has {form.num_leaves} leaves, got {len(flat_sequence)}")
    return form.unflatten(flat_sequence)


def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """The structure with each part replaced for which the function gives something but None.

    From the top down what was replaced is not entered; otherwise parts come before their whole.
    """
    if top_down:
        found = func(structure)
        if found is not None:
            return None if found is MAP_TO_NONE else found
    if not is_nested(structure):
        changed = structure
    else:
        parts, form = _parts(structure)
        changed = form.unflatten([traverse(func, part, top_down) for part in parts])
    if top_down:
        return changed
    found = func(changed)
    return changed if found is None else None if found is MAP_TO_NONE else found


def lists_to_tuples(structure: Any) -> Any:
    """The structure with tuples in place of lists.

    >>> lists_to_tuples([1, {"a": [2]}])
    (1, {'a': (2,)})
    """
    return traverse(
        lambda part: tuple(part) if isinstance(part, list) else None, structure, top_down=False
    )


def map_shape_structure(func: Callable[[Any], Any], structure: Any) -> Any:
    """As `map_structure`, with shapes, tuples of sizes or None, as leaves.

    >>> map_shape_structure(len, {"a": (None, 3), "b": [(2,)]})
    {'a': 2, 'b': [1]}
    """

    def is_shape(part: Any) -> bool:
        sizes = isinstance(part, list | tuple) and not isinstance(part, Mapping)
        return sizes and all(size is None or isinstance(size, int) for size in part)

    return jax.tree.map(func, structure, is_leaf=is_shape)
