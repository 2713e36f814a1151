"""`graph`: pairs whose values flow along named edges instead of down a chain."""

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
from jax import random

from funkeras.functional.combinators import located
from funkeras.functional.pair import Pair, Weight, output_shape
from funkeras.functional.shapes import Shapes, is_shape
from funkeras.typing import Key, Params, PyTree, State

__all__ = ["Node", "graph"]

REFERENCE = re.compile(r"(?P<name>.+?)(?:\[(?P<index>\d+)\])?")


INSIDE = "//"
"""Between the name of a node and that of one inside it, in a path to variables."""


@dataclass(frozen=True)
class Node:
    """One application of a pair.

    Fields:
        pair: what is applied.
        inputs: the name of a value, or a tuple or dict of names.
        variables: the name of the node whose variables it uses; its own if left out. A node with
            the names of several reads theirs, as dicts by name, and has none of its own.
        draws: the number that sets its random draws apart from those of other nodes; its place if
            left out. A node that reads the variables of several may run them again, with equal
            draws: it gets the key that all of them follow from.
    """

    pair: Pair
    inputs: PyTree
    variables: str | tuple[str, ...] | None = None
    draws: int | None = None


def graph(
    inputs: str | Sequence[str],
    nodes: Mapping[str, Node | tuple[Pair, PyTree]],
    outputs: PyTree,
) -> Pair:
    """A net of pairs: `nodes` gives each value a name and says what makes it from which others.

    A node comes after those it needs. Of a node with several outputs, `name[i]` is the i-th.
    Variables are nested dicts by the names of nodes; nodes that share them have the variables of
    the first one, or those at a path within another node (`encoder//hidden`). A net of several
    inputs takes them as a tuple.

    >>> from funkeras import functional as F
    >>> net = graph(
    ...     "image",
    ...     {
    ...         "hidden": (F.dense(8, "relu"), "image"),
    ...         "skip": (F.concatenate(), ("hidden", "image")),
    ...         "logits": (F.dense(3), "skip"),
    ...     },
    ...     "logits",
    ... )
    >>> params, state = net.init(jax.random.key(0), (None, 5))
    >>> params["logits"]["kernel"].shape, output_shape(net, (None, 5))
    ((13, 3), (None, 3))

    Raises:
        ValueError: if a node needs a value that no input and no node before it gives.
    """
    entries = (inputs,) if isinstance(inputs, str) else tuple(inputs)
    steps = {name: node if isinstance(node, Node) else Node(*node) for name, node in nodes.items()}
    _check(entries, steps, outputs)

    def enter(x: PyTree) -> dict[str, Any]:
        return {entries[0]: x} if len(entries) == 1 else dict(zip(entries, x, strict=True))

    def walk(known: dict[str, Any]) -> Iterator[tuple[str, Node, Shapes]]:
        """Each node with the shape of what it gets; its output's shape becomes known after it."""
        for name, node in steps.items():
            shape = _fetch(known, node.inputs, is_shape)
            yield name, node, shape
            with located(name, shape):
                known[name] = output_shape(node.pair, shape)

    def weights(input_shape: Shapes) -> Iterator[Weight]:
        for name, node, shape in walk(enter(input_shape)):
            if node.variables in (None, name):
                with located(name, shape):
                    for weight in node.pair.weights(shape):
                        yield weight._replace(name=f"{name}/{weight.name}")

    def shape_after(input_shape: Shapes) -> Shapes:
        known = enter(input_shape)
        deque(walk(known), maxlen=0)
        return _fetch(known, outputs, is_shape)

    def run(
        params: Params, state: State, x: PyTree, *, key: Key | None, mask: PyTree, training: bool
    ) -> tuple[PyTree, State, PyTree]:
        values = enter(x)
        masks = enter((None,) * len(entries) if mask is None and len(entries) > 1 else mask)
        state = dict(state)
        for index, (name, node) in enumerate(steps.items()):
            own = name if node.variables is None else node.variables
            params_here, state_here = _variables(own, params), _variables(own, state)
            own_key = key
            if key is not None and isinstance(own, str):
                own_key = random.fold_in(key, index if node.draws is None else node.draws)
            given = _fetch(values, node.inputs)
            with located(name, given):
                values[name], after, masks[name] = node.pair.run(
                    params_here,
                    state_here,
                    given,
                    training=training,
                    key=own_key,
                    mask=_masks(masks, node.inputs),
                )
            if after and isinstance(own, str):
                state = _with(state, own.split(INSIDE), after)
        return _fetch(values, outputs), state, _masks(masks, outputs)

    return Pair.running(run, weights=weights, shape=shape_after, name="graph")


def _variables(owner: str | tuple[str, ...], tree: Mapping[str, Any]) -> dict[str, Any]:
    """The variables of one node, or those of several by name."""
    if isinstance(owner, tuple):
        return {name: tree.get(name, {}) for name in owner}
    for name in owner.split(INSIDE):
        tree = tree.get(name, {})
    return dict(tree)


def _with(tree: Mapping[str, Any], path: Sequence[str], value: Any) -> dict[str, Any]:
    """The tree with another value at that path."""
    name, *rest = path
    return {**tree, name: _with(tree.get(name, {}), rest, value) if rest else value}


def _fetch(values: Mapping[str, Any], names: PyTree, leaf: Any = None) -> PyTree:
    """The values of those names."""

    def one(name: str) -> Any:
        found = REFERENCE.fullmatch(name)
        assert found is not None
        value = values[found["name"]]
        index = found["index"]
        return value if index is None else jax.tree.leaves(value, is_leaf=leaf)[int(index)]

    return jax.tree.map(one, names)


def _masks(masks: Mapping[str, Any], names: PyTree) -> PyTree:
    """The masks of those names; None where there is not one."""

    def one(name: str) -> Any:
        found = REFERENCE.fullmatch(name)
        assert found is not None
        mask = masks.get(found["name"])
        several = isinstance(mask, tuple | list)
        if found["index"] is None:
            return mask
        return mask[int(found["index"])] if several else mask if found["index"] == "0" else None

    chosen = jax.tree.map(one, names)
    return None if not jax.tree.leaves(chosen) else chosen


def _check(entries: tuple[str, ...], steps: Mapping[str, Node], outputs: PyTree) -> None:
    known = set(entries)

    def need(names: PyTree, what: str) -> None:
        for name in jax.tree.leaves(names):
            found = REFERENCE.fullmatch(name)
            if found is None or found["name"] not in known:
                raise ValueError(
                    f"{what} needs {name!r}, which no input and no node before gives; "
                    f"known here: {', '.join(sorted(known))}"
                )

    for name, node in steps.items():
        need(node.inputs, f"node {name!r}")
        if name in known:
            raise ValueError(f"two values are named {name!r}")
        known.add(name)
    need(outputs, "the output")
