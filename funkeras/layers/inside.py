"""The arrays of a layer and of the layers inside it: where they stand in nested dicts."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from funkeras.functional.pair import Weight
from funkeras.typing import Params, State
from funkeras.variables import Flow

__all__ = ["bind", "collected", "declared", "parted"]


def declared(layer: Any) -> Iterator[Weight]:
    """The weights that a user added to a layer, and those of the layers that are attributes."""
    yield from layer.own_weights
    for inner in layer._attributes():
        if inner.built:
            for weight in inner.pair.weights(inner.input_shape):
                part = (inner, weight.name)
                yield weight._replace(name=f"{inner.name}/{weight.name}", part=part)


def bind(flow: Flow, layer: Any, params: Params, state: State) -> None:
    """Let arrays stand for the variables of a layer and of those inside it."""
    within = layer._within()
    (params, of_params), (state, of_state) = (parted(within, tree) for tree in (params, state))
    places = layer._places()
    flow.bound[layer] = (params, {name: state[name] for name in state if name not in places})
    for names, inner in within.items():
        # For one that is built within this run nothing stands yet: its arrays are read as they are.
        if of_params[names] or of_state[names] or (inner.built and not any(collected(inner))):
            bind(flow, inner, of_params[names], of_state[names])


def collected(layer: Any) -> tuple[Params, State]:
    """The variables of a layer and of those inside it, as they are in the present run."""
    params, state = layer.own_variables()
    for names, inner in layer._within().items():
        params = _joined(params, names, inner.params)
        state = _joined(state, names, inner.state)
    return params, state


def parted(
    within: Mapping[Any, Any], tree: dict[str, Any]
) -> tuple[dict[str, Any], dict[Any, dict[str, Any]]]:
    """Of the nested arrays of a layer its own, and by their places those of the layers `within`."""
    own, parts = tree, {}
    for names, inner in within.items():
        part = tree
        for name in names:
            part = part.get(name, {})
        if not names:  # its arrays stand among those of the layer
            known = {w.name.partition("/")[0] for w in inner.pair.weights(inner.input_shape)}
            part = {name: part[name] for name in part if name in known}
        for place in [names] if names else [(name,) for name in part]:
            own = _without(own, place)
        parts[names] = part
    return own, parts


def _without(tree: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Nested arrays but those at a place, without dicts that this leaves empty."""
    first, *others = names
    if first not in tree:
        return tree
    left = _without(tree[first], others) if others else {}
    rest = {name: value for name, value in tree.items() if name != first}
    return {**rest, first: left} if left else rest


def _joined(tree: dict[str, Any], names: Sequence[str], part: Any) -> dict[str, Any]:
    """Nested arrays with others at a place among them, if there are any."""
    if not part:
        return tree
    if not names:
        return {**tree, **part}
    return {**tree, names[0]: _joined(tree.get(names[0], {}), names[1:], part)}
