"""Gradients between the tensors of a graph, as a node of the graph."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from funkeras.functional.pair import Pair
from funkeras.symbolic import NoGraphError, SymbolicTensor, outputs_of, symbol
from funkeras.tracing import Call, Operation, Trace, place_of
from funkeras.typing import Key, Params, PyTree, Shape, State
from funkeras.variables import Variable, in_any_order, running

__all__ = ["gradient_tensors"]


def gradient_tensors(loss: Any, wanted: Sequence[Any]) -> list[Any]:
    """The gradient of the sum of `loss` with respect to each tensor or variable, or None."""
    for tensor in (loss, *wanted):
        if not isinstance(tensor, SymbolicTensor | Variable):
            raise NoGraphError(
                "gradients are taken between symbolic tensors and variables, got "
                f"{type(tensor).__name__}: of functions of arrays use jax.grad"
            )
    loss = symbol(loss) if isinstance(loss, Variable) else loss
    wanted = [_unread(own) for own in wanted]
    path = _path(loss, wanted)
    reached = [_connected(own, loss, path) for own in wanted]
    if not any(reached):
        return [None] * len(wanted)
    kept = [own for own, connected in zip(wanted, reached, strict=True) if connected]
    found = iter(_record(loss, kept, path))
    return [next(found) if connected else None for connected in reached]


def _unread(own: Any) -> Any:
    """The variable that a tensor stands for, if it does; anything else as it is."""
    callee = None if own.__class__ is Variable or own.call is None else own.call.callee
    return getattr(callee, "reads", None) or own


def _reads(call: Call, variable: Variable) -> bool:
    """Whether a call may use a variable."""
    callee = call.callee
    if isinstance(callee, Operation):
        reads = callee.reads is not None and _same(callee.reads, variable)
        return reads or variable in callee.captured
    if variable.owner is None:
        return True  # user code in layers may close over it
    return place_of(variable.owner, {(callee.name,): callee}) is not None


def _same(one: Variable, other: Variable) -> bool:
    if one.owner is None:
        return one is other
    return (one.owner, one.place) == (other.owner, other.place)


def _path(loss: SymbolicTensor, wanted: Sequence[Any]) -> list[Call]:
    """The calls that lead to the loss from anything that is wanted, in their order."""
    found: set[Call] = set()
    waiting = [loss]
    while waiting:
        call = waiting.pop().call
        if call is not None and call not in found:
            found.add(call)
            waiting.extend(jax.tree.leaves(call.inputs))
    touched = {own for own in wanted if isinstance(own, SymbolicTensor)}
    variables = [own for own in wanted if isinstance(own, Variable)]
    path = []
    for call in sorted(found, key=lambda call: call.order):
        reached = not touched.isdisjoint(jax.tree.leaves(call.inputs))
        if reached or any(_reads(call, variable) for variable in variables):
            path.append(call)
            touched.update(jax.tree.leaves(call.outputs))
    return path


def _connected(own: Any, loss: SymbolicTensor, path: Sequence[Call]) -> bool:
    if isinstance(own, Variable):
        return any(_reads(call, own) for call in path)
    return own is loss or any(own in jax.tree.leaves(call.inputs) for call in path)


def _record(
    loss: SymbolicTensor, wanted: Sequence[Any], path: Sequence[Call]
) -> Sequence[SymbolicTensor]:
    made = {tensor for call in path for tensor in jax.tree.leaves(call.outputs)}
    used = [tensor for call in path for tensor in jax.tree.leaves(call.inputs)]
    tensors = tuple(own for own in wanted if isinstance(own, SymbolicTensor))
    entries = tuple(dict.fromkeys(own for own in (*used, *tensors, loss) if own not in made))

    def described(shapes: Any) -> tuple[Shape, ...]:
        given = iter(shapes[1])
        return tuple(own.shape if isinstance(own, Variable) else next(given) for own in wanted)

    def within(found: Trace) -> Pair:
        return _pair(found, loss, wanted, tensors, entries, path, described)

    call = Call(Operation("gradients", None, within), (loss, tensors, entries))
    shapes = [(tuple(own.shape), jnp.dtype(own.dtype).name) for own in wanted]
    return outputs_of(call, shapes, jax.tree.structure([0] * len(wanted)))


def _pair(
    found: Trace,
    loss: SymbolicTensor,
    wanted: Sequence[Any],
    tensors: Sequence[SymbolicTensor],
    entries: Sequence[SymbolicTensor],
    path: Sequence[Call],
    described: Any,
) -> Pair:
    """The pair of one record of gradients, in a graph that has the calls on the path.

    It runs them again, with the draws that they have there, as a function of shifts of the tensors
    and of the variables; the compiler finds that it is the same computation.
    """
    given = {tensor: f"entry:{index}" for index, tensor in enumerate(entries)}
    calls = [call for call in path if call in found.names]
    inner = found.between(given, calls, loss, tensors)
    variables = [own for own in wanted if isinstance(own, Variable)]

    def run(
        params: Params, state: State, x: PyTree, *, training: bool, key: Key | None, mask: PyTree
    ) -> tuple[PyTree, State, PyTree]:
        _, here, arrays = x
        masks = (None,) * len(arrays) if mask is None else mask[2]
        masks = _one_or_all((*masks, *(None for _ in here)))
        places = [_place(variable, found) for variable in variables]

        def total(shifts: Sequence[Any], values: Sequence[Any]) -> Any:
            moved = [params, state]
            with running(training, key) as flow, in_any_order():
                for variable, place, value in zip(variables, places, values, strict=True):
                    if place is None:
                        flow.bound[variable] = value
                    else:
                        kind = not variable.trainable
                        moved[kind] = _with(moved[kind], place, value)
                x = _one_or_all((*arrays, *shifts))
                y, _, _ = inner.run(moved[0], moved[1], x, training=training, key=key, mask=masks)
            return jnp.sum(y)

        shifts = [jnp.zeros_like(array) for array in here]
        values = [
            variable.value if place is None else _at((params, state)[not variable.trainable], place)
            for variable, place in zip(variables, places, strict=True)
        ]
        of_tensors, of_variables = map(iter, jax.grad(total, (0, 1))(shifts, values))
        gradients = [
            next(of_variables if isinstance(own, Variable) else of_tensors) for own in wanted
        ]
        return gradients, state, None

    return Pair.running(run, shape=described, name="gradients")


def _one_or_all(parts: Sequence[Any]) -> Any:
    return parts[0] if len(parts) == 1 else tuple(parts)


def _place(variable: Variable, found: Trace) -> tuple[str, ...] | None:
    """Where the variables of the whole graph have this one, if a layer owns it."""
    if variable.owner is None:
        return None
    place = found.place_of(variable.owner)
    return None if place is None else (*place, *variable.place.split("/"))


def _at(tree: Any, place: Sequence[str]) -> Any:
    for name in place:
        tree = tree[name]
    return tree


def _with(tree: Any, place: Sequence[str], value: Any) -> Any:
    """Nested dicts with another entry at a place."""
    name, *rest = place
    return {**tree, name: _with(tree[name], rest, value) if rest else value}
