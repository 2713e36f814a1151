"""What scripts ask about the graph around a layer: its nodes, masks, updates and phases."""

import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp

from funkeras import symbolic
from funkeras.functional.combinators import PENALTY
from funkeras.functional.pair import Pair
from funkeras.functional.shapes import abstract, stand_in_for
from funkeras.layers.custom import as_list
from funkeras.symbolic import SymbolicTensor
from funkeras.tracing import Call, Trace, entries, trace
from funkeras.typing import Config, Key, Params, PyTree, State
from funkeras.variables import Variable

__all__ = ["Node", "Noded", "mask_of", "penalty_of", "updates_of", "uses_learning_phase"]


class Node:
    """One call of a layer, as `layer.inbound_nodes` of Keras 1 and 2 describes it."""

    def __init__(self, layer: Any, inputs: PyTree, outputs: PyTree) -> None:
        self.outbound_layer = layer
        self.input_tensors: list[SymbolicTensor] = jax.tree.leaves(inputs)
        self.output_tensors: list[SymbolicTensor] = jax.tree.leaves(outputs)

    @property
    def inbound_layers(self) -> list[Any]:
        """The layers that gave the inputs; of an `Input`, none."""
        before = [tensor._keras_history[0] for tensor in self.input_tensors]
        return [] if before == [self.outbound_layer] else before

    @property
    def node_indices(self) -> list[int]:
        """For each input the number of the call that gave it."""
        return [tensor._keras_history[1] for tensor in self.input_tensors if self.inbound_layers]

    @property
    def tensor_indices(self) -> list[int]:
        """For each input its number among the outputs of that call."""
        return [tensor._keras_history[2] for tensor in self.input_tensors if self.inbound_layers]

    @property
    def input_shapes(self) -> list[Any]:
        """Shapes of the inputs."""
        return [tensor.shape for tensor in self.input_tensors]

    @property
    def output_shapes(self) -> list[Any]:
        """Shapes of the outputs."""
        return [tensor.shape for tensor in self.output_tensors]

    @property
    def input_masks(self) -> list[Any]:
        """The mask that comes along with each input, or None."""
        return [mask_of(tensor) for tensor in self.input_tensors]

    @property
    def output_masks(self) -> list[Any]:
        """The mask that goes on with each output, or None."""
        return [mask_of(tensor) for tensor in self.output_tensors]

    def get_config(self) -> Config:
        """Names of the layers around the call, with the numbers of their calls."""
        return {
            "outbound_layer": getattr(self.outbound_layer, "name", None),
            "inbound_layers": [layer.name for layer in self.inbound_layers],
            "node_indices": self.node_indices,
            "tensor_indices": self.tensor_indices,
        }


@dataclass(eq=False)
class Derived:
    """Something else that the calls of a trace tell, as a thing to call on its inputs.

    Fields:
        pick: from the values, the state and the mask after the calls to what is told.
        training: the phase that the calls run in; None leaves it to the graph.
    """

    name: str
    found: Trace
    pick: Callable[[PyTree, State, PyTree], PyTree]
    training: bool | None = None

    def _within(self) -> dict[Any, Any]:
        return {}  # its layers have variables of their own

    @property
    def functional(self) -> Pair:
        """The calls as a pair that gives what is picked."""
        inner = self.found.pair()

        def run(
            params: Params,
            state: State,
            x: PyTree,
            *,
            training: bool,
            key: Key | None,
            mask: PyTree,
        ) -> tuple[PyTree, State, PyTree]:
            training = training if self.training is None else self.training
            told = inner.run(params, state, x, training=training, key=key, mask=mask)
            return self.pick(*told), state, None

        return replace(inner.rerun(run), shape=None)

    pair = functional

    @property
    def params(self) -> Params:
        """The variables of the layers that are called."""
        return self.found.variables()[0]

    @property
    def state(self) -> State:
        """Their other variables."""
        return self.found.variables()[1]

    def described(self) -> PyTree:
        """Shapes and dtypes of what is told."""
        pair, inputs = self.functional, self.found.inputs
        params, state = self.found.variables()

        def evaluate(size: int) -> PyTree:
            specs = [stand_in_for(tensor.shape, size, tensor.dtype) for tensor in inputs]

            def run(*arrays: Any) -> PyTree:
                return pair.run(params, state, _joined(arrays), training=False, key=None, mask=None)

            return jax.eval_shape(run, *specs)[0]

        return abstract(evaluate, any(None in tensor.shape for tensor in inputs))

    def tensors(self) -> PyTree:
        """What is told, as symbolic tensors; None where there is nothing."""
        told, form = jax.tree.flatten(self.described())
        if not told:
            return None
        call = Call(self, _joined(self.found.inputs))
        return symbolic.outputs_of(call, [(own.shape, str(own.dtype)) for own in told], form)


def _joined(parts: Sequence[Any]) -> Any:
    return parts[0] if len(parts) == 1 else tuple(parts)


def mask_of(tensor: SymbolicTensor) -> SymbolicTensor | None:
    """The mask that comes along with a tensor, if one does."""
    found = trace(entries([tensor]), tensor, named=False)
    return Derived("mask", found, lambda y, state, mask: mask).tensors()


def uses_learning_phase(tensor: SymbolicTensor, given: Sequence[SymbolicTensor] = ()) -> bool:
    """Whether a tensor has another value in training: whether the two programs differ.

    Only what follows from the tensors `given` counts, if there are some.
    """
    found = trace(given or entries([tensor]), tensor, named=False)
    variables = found.variables()

    def program(training: bool) -> Any:
        def evaluate(size: int) -> PyTree:
            specs = [stand_in_for(own.shape, size, own.dtype) for own in found.inputs]

            def run(*arrays: Any) -> PyTree:
                return found.run(*variables, arrays, training=training, key=jax.random.key(0))

            seen.append(str(jax.make_jaxpr(run)(*specs)))
            return specs

        seen: list[str] = []
        abstract(evaluate, any(None in own.shape for own in found.inputs))
        return seen

    return program(True) != program(False)


def penalty_of(layer: Any, call: Call) -> Any:
    """What the activity of the layers inside one call adds to the loss."""
    found = trace(jax.tree.leaves(call.inputs), call.outputs, named=False)

    def pick(y: PyTree, state: State, mask: PyTree) -> PyTree:
        told = jax.tree_util.tree_leaves_with_path(state)
        shares = [value for path, value in told if path[-1].key == PENALTY]
        return sum(shares, start=jnp.zeros(()))

    return Derived(f"{layer.name}_penalty", found, pick).tensors()


def updates_of(layer: Any, call: Call) -> list[tuple[Variable, SymbolicTensor]]:
    """What one call makes of the layer's other variables in training, as pairs with them."""
    still = dict(_changing(layer, ())) if call.training is not False else {}
    if not still:
        return []
    found = trace(jax.tree.leaves(call.inputs), call.outputs, named=False)
    start = found.owners[layer]

    def pick(y: PyTree, state: State, mask: PyTree) -> PyTree:
        return [_at(state[start], place) for place in still.values()]

    told = Derived(f"{layer.name}_updates", found, pick, training=True).tensors()
    return list(zip(still, told, strict=True))


def _changing(layer: Any, place: tuple[str, ...]) -> Iterator[tuple[Variable, tuple[str, ...]]]:
    """The weights that a layer changes in training by itself, and where its state has them."""
    if not layer.trainable and not getattr(layer, "stateful", False):
        return
    inner = layer.layers if hasattr(layer, "is_written") else ()
    for own in inner:
        yield from _changing(own, (*place, own.name))
    for variable in () if inner else layer.non_trainable_weights:
        if variable.owner is layer and not variable.trainable:
            yield variable, (*place, *variable.place.split("/"))


def _at(tree: Any, place: Sequence[str]) -> Any:
    for part in place:
        tree = tree[part]
    return tree


class Noded:
    """The graph around a layer, as Keras 1 and 2 show it."""

    name: str
    trainable: Any
    _calls: list[Call]
    _users: "list[weakref.ref[Call]]"
    _told_updates: list[tuple[Any, list[Any]]]
    inner_layers: Any

    def _begin_graph(self) -> None:
        self._calls, self._users, self._told_updates = [], [], []

    def _note_call(self, call: Call) -> None:
        """Know a call of this layer, and let those before it know."""
        self._calls.append(call)
        for tensor in jax.tree.leaves(call.inputs):
            before = tensor._keras_history[0]
            if isinstance(before, Noded):
                before._users.append(weakref.ref(call))

    @property
    def inbound_nodes(self) -> list[Node]:
        """The calls of this layer."""
        return [Node(self, call.inputs, call.outputs) for call in self._calls]

    _inbound_nodes = inbound_nodes

    @property
    def outbound_nodes(self) -> list[Node]:
        """The calls that got what this layer gave."""
        calls = [call for call in (user() for user in self._users) if call is not None]
        return [Node(call.callee, call.inputs, call.outputs) for call in calls]

    @outbound_nodes.setter
    def outbound_nodes(self, nodes: Sequence[Node]) -> None:
        """Know only these calls: scripts of Keras 1 that cut a model's end off give none."""
        kept = [node.output_tensors for node in nodes]
        users = [(user, user()) for user in self._users]
        self._users = [u for u, call in users if call and jax.tree.leaves(call.outputs) in kept]

    _outbound_nodes = outbound_nodes

    def _only_call(self, what: str) -> Call:
        if len(self._calls) == 1:
            return self._calls[0]
        count = len(self._calls)
        raise AttributeError(
            f"layer {self.name!r} has been called {count} times, so it has "
            + (f"no {what} yet" if not count else f"several: use get_{what}_at(index)")
        )

    @property
    def output(self) -> Any:
        """The symbolic tensor, or tensors, that the layer gave in its one call."""
        return as_list(self._only_call("output").outputs)

    @property
    def input(self) -> Any:
        """The symbolic tensor, or tensors, that the layer got in its one call."""
        return as_list(self._only_call("input").inputs)

    def _call_at(self, node_index: int) -> Call:
        if not -len(self._calls) <= node_index < len(self._calls):
            raise ValueError(
                f"layer {self.name!r} has been called {len(self._calls)} times on symbolic "
                f"tensors; asked for call {node_index} (from 0)"
            )
        return self._calls[node_index]

    def get_output_at(self, node_index: int) -> Any:
        """What the layer gave in one of its calls."""
        return as_list(self._call_at(node_index).outputs)

    def get_input_at(self, node_index: int) -> Any:
        """What the layer got in one of its calls."""
        return as_list(self._call_at(node_index).inputs)

    def get_output_shape_at(self, node_index: int) -> Any:
        """Shape of what the layer gave in one of its calls."""
        return symbolic.shapes_of(self.get_output_at(node_index))

    def get_input_shape_at(self, node_index: int) -> Any:
        """Shape of what the layer got in one of its calls."""
        return symbolic.shapes_of(self.get_input_at(node_index))

    def get_input_mask_at(self, node_index: int) -> Any:
        """The mask that came along with the input of one call, or the list of them."""
        return _bare(self.inbound_nodes[node_index].input_masks)

    def get_output_mask_at(self, node_index: int) -> Any:
        """The mask that goes on with the output of one call, or the list of them."""
        return _bare(self.inbound_nodes[node_index].output_masks)

    @property
    def input_mask(self) -> Any:
        """The mask that came along in the one call."""
        self._only_call("input")
        return self.get_input_mask_at(0)

    @property
    def output_mask(self) -> Any:
        """The mask that goes on from the one call."""
        self._only_call("output")
        return self.get_output_mask_at(0)

    @property
    def uses_learning_phase(self) -> bool:
        """Whether it computes otherwise in training, in a call so far; layers of users may say."""
        said = self.__dict__.get("uses_learning_phase")
        outputs = [(own, call) for call in self._calls for own in jax.tree.leaves(call.outputs)]
        return bool(said) or any(
            uses_learning_phase(own, jax.tree.leaves(call.inputs)) for own, call in outputs
        )

    @uses_learning_phase.setter
    def uses_learning_phase(self, value: bool) -> None:
        self.__dict__["uses_learning_phase"] = value

    @property
    def updates(self) -> list[Any]:
        """Pairs of a variable and its next value that training carries out."""
        if not self.trainable and not getattr(self, "stateful", False):
            return []
        own = [update for call in self._calls for update in updates_of(self, call)]
        return own + [update for update, _ in self._all_told()]

    def _all_told(self) -> list[tuple[Any, list[Any]]]:
        """The updates that it, and layers inside it, were told, each with what it follows from."""
        held = (self, *(own for own in self.inner_layers if isinstance(own, Noded)))
        return [told for own in held for told in own._told_updates]

    def get_updates_for(self, inputs: Any) -> list[Any]:
        """The updates that follow from those inputs; with None, those that follow from none."""
        wanted = jax.tree.leaves(inputs)
        calls = [call for call in self._calls if jax.tree.leaves(call.inputs) == wanted]
        told = [update for update, given in self._all_told() if given == wanted]
        return [update for call in calls for update in updates_of(self, call)] + told


def _bare(parts: list[Any]) -> Any:
    return parts[0] if len(parts) == 1 else parts


setattr(SymbolicTensor, "_uses_learning_phase", property(uses_learning_phase))  # noqa: B010
