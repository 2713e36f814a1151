"""Recorded calls, traced back from tensors: the pure pair between any two sets of these."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import jax
import numpy as np
from jax.tree_util import treedef_is_leaf

from funkeras.functional.combinators import in_phase
from funkeras.functional.graphs import INSIDE, Node, graph
from funkeras.functional.pair import Pair, stateless
from funkeras.typing import Key, Params, PyTree, Shape, State
from funkeras.variables import Variable, current_flow

__all__ = ["Call", "Operation", "Tensor", "Trace", "entries", "evaluate", "place_of", "trace"]

_order = itertools.count()


@dataclass(eq=False)
class Call:
    """Something that was applied to symbolic tensors: a layer, a model or an operation.

    Fields:
        callee: has a `name` and a `functional` pair, asked for anew in each trace, so that a layer
            which is frozen later is frozen in models compiled later.
        inputs, outputs: symbolic tensors, nested as the pair takes and gives them.
        training: whether it always, or never, runs as in training; None leaves it to the model.
        order: calls with a smaller number came before.
    """

    callee: Any
    inputs: PyTree
    training: bool | None = None
    outputs: PyTree = None
    order: int = field(default_factory=lambda: next(_order))


class Tensor(Protocol):
    """A symbolic tensor, as traces know it: which output of which call it is, None for data."""

    name: str
    shape: Shape
    dtype: str
    call: Call | None
    index: int


T = TypeVar("T", bound=Tensor)


@dataclass(eq=False)
class Operation:
    """A function of arrays as something to call on symbolic tensors.

    Fields:
        within: its pair in a trace, where it needs variables of other nodes: params and state
            of all of them by their names.
        draws: whether it draws random numbers.
        reads: the variable that it stands for.
        captured: the variables that its function closes over.
        applied: the function, with the leaves and the form of its `(args, kwargs)`, among them the
            symbolic tensors.
    """

    name: str
    functional: Pair | None
    within: "Callable[[Trace], Pair] | None" = None
    draws: bool = False
    reads: Variable | None = None
    captured: frozenset[Any] = frozenset()
    applied: tuple[Callable[..., Any], Sequence[Any], Any] | None = None


def place_of(owner: Any, callees: Mapping[tuple[str, ...], Any]) -> tuple[str, ...] | None:
    """The names that lead from the variables of all callees to those of a layer in one of them."""
    for names, callee in callees.items():
        if callee is owner:
            return names
        inner = {} if isinstance(callee, Operation) else callee._within()
        if (place := place_of(owner, inner)) is not None:
            return (*names, *place)
    return None


@dataclass(eq=False)
class Trace:
    """What lies between inputs and outputs.

    Fields:
        calls: in an order in which they can run.
        names: each call → the name of its node.
        owners: each callee → the name of the node that has its variables.
    """

    inputs: Sequence[Tensor]
    outputs: PyTree
    calls: list[Call]
    names: dict[Call, str]
    owners: dict[Any, str]

    def place_of(self, owner: Any) -> tuple[str, ...] | None:
        """The names that lead to a layer's variables from those of the pair, if it has them."""
        return place_of(owner, {(name,): callee for callee, name in self.owners.items()})

    def pair(self) -> Pair:
        """The pure function between them, as its layers are at this moment."""
        given = {tensor: f"input:{index}" for index, tensor in enumerate(self.inputs)}
        return self.between(given, self.calls, self.outputs)

    def between(
        self,
        given: Mapping[Any, str],
        calls: Sequence[Call],
        outputs: PyTree,
        moved: Sequence[Tensor] = (),
    ) -> Pair:
        """The pure function of some of the calls, from named inputs to outputs.

        After the inputs come the shifts of the tensors `moved`: whatever uses one of these gets
        the sum of it and its shift.
        """
        places = dict(given)
        shifts = {tensor: f"shift:{index}" for index, tensor in enumerate(moved)}
        nodes: dict[str, Node] = {}

        def refer(tensor: Tensor) -> str:
            if tensor in places:
                return places[tensor]
            assert tensor.call is not None
            name = self.names[tensor.call]
            alone = treedef_is_leaf(jax.tree.structure(tensor.call.outputs))
            return name if alone else f"{name}[{tensor.index}]"

        def move(tensors: Sequence[Tensor]) -> None:
            for tensor in tensors:
                if tensor in shifts:
                    name = f"moved:{shifts[tensor]}"
                    ends = refer(tensor), shifts[tensor]
                    nodes[name] = Node(stateless(lambda _, x: x[0] + x[1]), ends)
                    places[tensor] = name

        callees = dict.fromkeys(call.callee for call in calls)
        reach = {c: c.within if isinstance(c, Operation) else None for c in callees}
        pairs = {c: within(self) if within else c.functional for c, within in reach.items()}
        everything = tuple(
            name
            for callee, name in self.owners.items()
            if INSIDE not in name and not isinstance(callee, Operation)
        )
        numbers = {call: number for number, call in enumerate(self.calls)}
        move(list(given))
        for call in calls:
            pair = pairs[call.callee]
            if call.training is not None:
                pair = in_phase(pair, call.training)
            inputs = jax.tree.map(refer, call.inputs)
            own = everything if reach[call.callee] else self.owners[call.callee]
            nodes[self.names[call]] = Node(pair, inputs, own, numbers[call])
            move(jax.tree.leaves(call.outputs))
        return graph([*given.values(), *shifts.values()], nodes, jax.tree.map(refer, outputs))

    def run(
        self,
        params: Params,
        state: State,
        arrays: Sequence[Any],
        *,
        training: bool,
        key: Key | None,
    ) -> PyTree:
        """What the outputs are where the inputs are those arrays.

        Where random numbers are drawn and no key is given, one is the present run's next, or
        follows from NumPy's generator.
        """
        if key is None and any(getattr(callee, "draws", True) for callee in self.owners):
            flow = current_flow()
            key = jax.random.key(np.random.randint(1 << 31)) if flow is None else flow.next_key()
        x = arrays[0] if len(arrays) == 1 else tuple(arrays)
        mask = None if arrays else ()
        y, _, _ = self.pair().run(params, state, x, training=training, key=key, mask=mask)
        return y

    def variables(self) -> tuple[Params, State]:
        """`params` and `state` of the layers, as they are at this moment."""
        layers = {
            name: callee
            for callee, name in self.owners.items()
            if INSIDE not in name and not isinstance(callee, Operation)
        }
        params = {name: layer.params for name, layer in layers.items()}
        return params, {name: layer.state for name, layer in layers.items()}


def evaluate(
    outputs: PyTree,
    values: Mapping[Tensor, Any],
    *,
    variables: tuple[Params, State] | None = None,
    training: bool = False,
    key: Key | None = None,
) -> PyTree:
    """The arrays that symbolic outputs are where the tensors of `values` are those arrays.

    `variables` are params and state of the layers between them, by name; the present ones if left
    out.
    """
    found = trace(list(values), outputs, named=False)
    params, state = found.variables() if variables is None else variables
    return found.run(params, state, list(values.values()), training=training, key=key)


def entries(tensors: Sequence[T], given: Sequence[Any] = ()) -> list[T]:
    """The tensors that data enters by on the way to these, other than through those given."""
    found: dict[T, None] = {}
    seen: set[Any] = set(given)
    waiting = list(tensors)
    while waiting:
        tensor = waiting.pop()
        node = tensor.call or tensor
        if tensor in seen or node in seen:
            continue
        seen.add(node)
        if tensor.call is None:
            found[tensor] = None
        else:
            waiting.extend(jax.tree.leaves(tensor.call.inputs))
    return list(found)


def trace(inputs: Sequence[Tensor], outputs: PyTree, named: bool = True) -> Trace:
    """The calls that lead from inputs to outputs.

    Args:
        named: whether layers must differ by name, as those of a model do.

    Raises:
        ValueError: if an output needs a tensor that no input gives, or two layers share a name.
    """
    found: set[Call] = set()
    given = set(inputs)
    waiting = [(tensor, "") for tensor in jax.tree.leaves(outputs)]
    while waiting:
        tensor, consumer = waiting.pop()
        if tensor in given or tensor.call in found:
            continue
        if tensor.call is None:
            entries = ", ".join(repr(own.name) for own in inputs)
            raise ValueError(
                f"disconnected graph: {tensor!r}, which {consumer or 'an output'} needs, follows "
                f"from none of the inputs ({entries})"
            )
        found.add(tensor.call)
        consumer = f"layer {tensor.call.callee.name!r}"
        waiting.extend((own, consumer) for own in jax.tree.leaves(tensor.call.inputs))
    calls = sorted(found, key=lambda call: call.order)
    names: dict[Call, str] = {}
    owners: dict[Any, str] = {}
    taken: dict[str, Any] = {}
    for call in calls:
        name = call.callee.name
        again = taken.setdefault(name, call.callee)
        if named and again is not call.callee and not isinstance(call.callee, Operation):
            raise ValueError(f"two layers of one model have the name {name!r}; names must differ")
        count = sum(own == name or own.startswith(f"{name}:") for own in names.values())
        names[call] = f"{name}:{count}" if count else name
        owners.setdefault(call.callee, names[call])
    for callee in list(owners):  # a layer inside of another that is there has its variables there
        others = {(name,): other for other, name in owners.items() if other is not callee}
        if not isinstance(callee, Operation) and (place := place_of(callee, others)) is not None:
            owners[callee] = INSIDE.join(place)
    return Trace(inputs, outputs, calls, names, owners)
