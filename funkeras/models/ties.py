"""Layers that a model has in several places: their arrays are the same ones in each of them.

They stand in the nested arrays of the model once for each place, of which the first counts.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import jax

from funkeras.functional.pair import Pair, at
from funkeras.typing import Params, PyTree, State

__all__ = ["Ties", "owner_of", "synced", "tied", "ties_of"]

Ties: TypeAlias = dict[str, str]
"""Path of an array → the first path of the same one."""


def owner_of(holder: Any, path: str) -> tuple[Any, str]:
    """The layer whose own an array is, and its name there, by its path in a layer around that."""
    first, _, rest = path.partition("/")
    layers = getattr(holder, "layers", ())
    inner = next((own for own in layers if own.name == first), None) if rest else None
    if inner is not None:
        return owner_of(inner, rest)
    inside = holder._inside_of(path)
    return owner_of(*inside) if inside else (holder, path)


def ties_of(model: Any, trees: tuple[Params, State]) -> Ties:
    """Which paths of the arrays of a model are those of one before them."""
    first: dict[Any, str] = {}
    found: Ties = {}
    for kind, tree in enumerate(trees):
        for path in _paths(tree):
            own = (kind, *owner_of(model, path))
            if own in first:
                found[path] = first[own]
            else:
                first[own] = path
    return found


def _paths(tree: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _paths(value, f"{prefix}{name}/")
        else:
            yield f"{prefix}{name}"


def synced(tree: Mapping[str, Any], ties: Ties) -> dict[str, Any]:
    """Nested arrays with the first of each in all its places."""

    def one(path: Any, a: Any) -> Any:
        first = ties.get("/".join(part.key for part in path))
        return a if first is None else at(tree, first)

    return jax.tree_util.tree_map_with_path(one, dict(tree))


def tied(pair: Pair, ties: Ties) -> Pair:
    """The pair of a model that takes the first array of each, and hands on what becomes of that."""
    if not ties:
        return pair

    def run(params: Params, state: State, x: PyTree, **flow: Any) -> tuple[PyTree, State, PyTree]:
        given = synced(params, ties), synced(state, ties)
        y, after, mask = pair.run(*given, x, **flow)
        return y, synced(after, ties), mask

    return pair.rerun(run)
