"""What a graph model consists of: its inputs, outputs and layers, and the configs that say so."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import jax

from funkeras.functional.arguments import Arguments
from funkeras.functional.combinators import unique_names
from funkeras.functional.pair import Pair, output_shape
from funkeras.functional.shapes import STRING, with_shapes
from funkeras.layers.facade import layer_class
from funkeras.layers.input import InputLayer
from funkeras.layers.layer import Layer
from funkeras.models.operations import (
    Recorded,
    as_argument,
    described,
    is_operation,
    operation_config,
)
from funkeras.models.values import plain_value
from funkeras.symbolic import SymbolicTensor
from funkeras.tracing import Call, Operation, Trace, trace
from funkeras.typing import Config, PyTree

__all__ = ["Structure", "layer_from_entry", "structure_from_config"]


CONSTANT = "_CONSTANT_VALUE"
"""What tf.keras has in the place of a layer's name before a number that a call takes."""


class Structure:
    """The layers between symbolic inputs and outputs, in the order in which Keras lists them.

    Fields:
        inputs: symbolic tensors; outputs: likewise, nested as they were given.
        given: the inputs, nested as they were given.
        input_keys: what data have for each input, in a dict: its key there, or its layer's name.
        output_names: of losses and metrics: the keys of a dict of outputs, or their layers' names.
        entries: each input → the layer that data enters by; one of its own, as in Keras 3, where
            the tensor comes out of a layer that is not in the model.
        fed: the tensors that arrays enter the computation by: the inputs, but for strings what the
            layers that look them up make of them, on the host.
        layers: those furthest from the outputs first, as in files of Keras models.
    """

    def __init__(self, inputs: PyTree, outputs: PyTree) -> None:
        self.given = inputs
        self.inputs = _flat("inputs", inputs)
        if len(set(self.inputs)) < len(self.inputs):
            names = ", ".join(repr(tensor.name) for tensor in self.inputs)
            raise ValueError(f"each input of a model must be given once, got {names}")
        single = isinstance(outputs, list | tuple) and len(outputs) == 1
        self.outputs = outputs[0] if single else outputs
        flat = _flat("outputs", self.outputs)
        self.trace: Trace = trace(self.inputs, self.outputs)
        self.looked_up, self.fed = _from_strings(self.inputs, self.trace)
        self._computed = self.trace if not self.looked_up else trace(self.fed, self.outputs)
        self.entries = {tensor: tensor.source or _entry(tensor) for tensor in self.inputs}
        self.layers = _by_depth(self.entries, flat, self.trace)
        self.input_names = [layer.name for layer in self.entries.values()]
        self.input_keys = _keys(inputs) or self.input_names
        own_names = unique_names([self._source(tensor).name for tensor in flat])
        self.output_names = _keys(self.outputs) or own_names
        self.output_shapes = [tensor.shape for tensor in flat]

    def _source(self, tensor: SymbolicTensor) -> Any:
        """The layer, or operation, that a tensor comes from."""
        return self.entries.get(tensor) or tensor._keras_history[0]

    def pair(self) -> Pair:
        """The pure function between inputs and outputs, as the layers are at this moment."""
        pair = self._computed.pair()

        def specs(input_shape: PyTree, dtypes: PyTree) -> PyTree:
            return with_shapes(self.outputs, output_shape(pair, input_shape))

        return replace(pair, specs=specs)

    def numbers_of(self, parts: Sequence[Any]) -> tuple[Any, ...]:
        """What the inputs are as arrays for `fed`: strings looked up; symbolic ones alike."""
        if not self.looked_up:
            return tuple(parts)
        values = dict(zip(self.inputs, parts, strict=True))
        for call in self.looked_up:
            given = jax.tree.map(values.__getitem__, call.inputs)
            made = call.callee(list(given) if isinstance(given, tuple) else given)
            values |= zip(jax.tree.leaves(call.outputs), jax.tree.leaves(made), strict=True)
        return tuple(values[tensor] for tensor in self.fed)

    def get_config(self, name: str) -> Config:
        """Layers with the calls between them, as Keras 2 writes them; operations as Keras 3 does.

        Raises:
            ValueError: for operations that are not in the table of `operations`.
        """
        kept = dict(_layer_calls(self.trace.calls))
        between = [call for call in self.trace.calls if isinstance(call.callee, Operation)]
        taken = {layer.name for layer in self.layers}
        named: dict[Call, str] = {}
        for call in between:
            word = call.callee.name
            numbered = (f"{word}_{number}" for number in itertools.count(1))
            named[call] = next(n for n in itertools.chain([word], numbered) if n not in taken)
            taken.add(named[call])

        def refer(tensor: SymbolicTensor) -> list[Any]:
            if tensor in self.entries:
                return [self.entries[tensor].name, 0, 0]
            assert tensor.call is not None
            if tensor.call in named:
                return [named[tensor.call], 0, tensor.index]
            return [tensor.call.callee.name, kept[tensor.call], tensor.index]

        entries = []
        for layer in self.layers:
            nodes = []
            for call in self.trace.calls:
                if call.callee is layer:
                    options = {} if call.training is None else {"training": call.training}
                    nodes.append(_node(call.inputs, options, refer))
            entries.append(
                {
                    "name": layer.name,
                    "class_name": type(layer).__name__,
                    "config": layer.get_config(),
                    "inbound_nodes": nodes,
                }
            )
        entries += [described(call, call_name, refer) for call, call_name in named.items()]
        return {
            "name": name,
            "layers": entries,
            "input_layers": _ends(self.given, refer),
            "output_layers": _ends(self.outputs, refer),
        }


def _from_strings(
    inputs: Sequence[SymbolicTensor], traced: Trace
) -> tuple[list[Call], list[SymbolicTensor]]:
    """The calls that take strings, and what is computed with in the place of these.

    Raises:
        TypeError: where they take beside the strings what the model computes.
    """
    known = set(inputs)
    strings = {tensor for tensor in inputs if tensor.dtype == STRING}
    fed = [tensor for tensor in inputs if tensor not in strings]
    calls = []
    for call in traced.calls if strings else ():
        given = set(jax.tree.leaves(call.inputs))
        if not given & strings:
            continue
        if computed := given - known:
            names = ", ".join(repr(tensor.name) for tensor in computed)
            raise TypeError(
                f"layer {call.callee.name!r} takes strings beside {names}: strings are looked up "
                "before anything is computed"
            )
        made = jax.tree.leaves(call.outputs)
        known |= set(made)
        calls.append(call)
        fed += made
    return calls, fed


def _node(inputs: PyTree, options: Config, refer: Callable[[SymbolicTensor], list[Any]]) -> Any:
    """A call as Keras 2 writes it; one with several arguments of a user's `call` as Keras 3."""
    if not isinstance(inputs, Arguments):
        return [[*refer(tensor), options] for tensor in jax.tree.leaves(inputs)]
    args, named = as_argument([inputs.args, {**inputs.named, **options}], refer)
    return {"args": args, "kwargs": named}


def _flat(what: str, tensors: PyTree) -> list[SymbolicTensor]:
    leaves = jax.tree.leaves(tensors)
    for leaf in leaves:
        if not isinstance(leaf, SymbolicTensor):
            raise TypeError(
                f"{what} of a model must be symbolic tensors, from Input() or a layer's call; "
                f"got {type(leaf).__name__}: {leaf!r}"
            )
    if not leaves:
        raise ValueError(f"a model needs {what}")
    return leaves


def _keys(tensors: PyTree) -> list[str]:
    """The keys of a dict of tensors, in the order of its leaves; none of anything else."""
    alone = isinstance(tensors, Mapping) and len(jax.tree.leaves(tensors)) == len(tensors)
    return sorted(tensors) if alone else []


def _ends(tensors: PyTree, refer: Callable[[SymbolicTensor], list[Any]]) -> Any:
    """Inputs or outputs in a config: a list, also of a single one, or nested as they were given."""

    def nested(part: PyTree) -> Any:
        if isinstance(part, Mapping):
            return {key: nested(own) for key, own in part.items()}
        return [*map(nested, part)] if isinstance(part, list | tuple) else refer(part)

    return nested([tensors] if isinstance(tensors, SymbolicTensor) else tensors)


def _entry(tensor: SymbolicTensor) -> InputLayer:
    name = tensor.name if tensor.call is None else None
    return InputLayer(batch_shape=tensor.shape, dtype=tensor.dtype, name=name)


def _layer_calls(calls: Sequence[Call]) -> list[tuple[Call, int]]:
    """The calls of layers, each with its number among the calls of its layer."""
    counts: dict[Any, int] = {}
    numbered = []
    for call in calls:
        if not isinstance(call.callee, Operation):
            counts[call.callee] = counts.get(call.callee, -1) + 1
            numbered.append((call, counts[call.callee]))
    return numbered


def _by_depth(
    entries: Mapping[SymbolicTensor, Layer], outputs: Sequence[SymbolicTensor], traced: Trace
) -> list[Layer]:
    """The layers by their distance from the outputs, as Keras sorts them.

    Layers of equal depth come in the order in which a walk from the outputs meets them.
    """
    depths: dict[Any, int] = {}
    call_depths: dict[Call, int] = {}

    def deepen(tensor: SymbolicTensor, depth: int) -> None:
        if tensor in entries:
            depths[entries[tensor]] = max(depths.get(entries[tensor], 0), depth)
        elif tensor.call is not None:
            call_depths[tensor.call] = max(call_depths.get(tensor.call, 0), depth)

    for tensor in outputs:
        deepen(tensor, 0)
    for call in reversed(traced.calls):
        depth = max(call_depths.get(call, 0), depths.get(call.callee, 0))
        depths[call.callee] = depth
        for tensor in jax.tree.leaves(call.inputs):
            deepen(tensor, depth + 1)

    met: dict[Any, int] = {}
    done: set[Any] = set()
    waiting = list(reversed(outputs))
    while waiting:
        tensor = waiting.pop()
        if tensor in entries:
            met.setdefault(entries[tensor], len(met))
        elif tensor.call is not None and tensor.call not in done:
            done.add(tensor.call)
            met.setdefault(tensor.call.callee, len(met))
            waiting.extend(reversed(jax.tree.leaves(tensor.call.inputs)))
    for source in entries.values():  # an input that no output needs
        depths.setdefault(source, 0)
        met.setdefault(source, len(met))
    layers = [callee for callee in depths if isinstance(callee, Layer)]
    return sorted(layers, key=lambda layer: (-depths[layer], met[layer]))


def layer_from_entry(entry: Mapping[str, Any]) -> Any:
    """The layer of a config's entry, by its class, or the operation that it is."""
    if is_operation(entry):
        return Recorded(**operation_config(entry, "the config"))
    return layer_class(entry["class_name"]).from_config(entry["config"])


def plain_call(layer: Layer, *args: Any, **kwargs: Any) -> Any:
    """What a layer gives when it is called so."""
    return layer(*args, **kwargs)


def structure_from_config(
    config: Mapping[str, Any],
    make: Callable[[Mapping[str, Any]], Any],
    call: Callable[..., Any] = plain_call,
) -> tuple[PyTree, PyTree]:
    """Inputs and outputs of the graph that a config of any generation describes.

    Args:
        config: with `layers`, `input_layers` and `output_layers`.
        make: from a layer's entry (`class_name`, `config`) to the layer.
        call: gives what comes out of a layer, from the layer and the arguments of the call.

    Raises:
        ValueError: if a call needs what no call gives.
    """
    made: dict[str, Layer] = {}
    waiting: list[tuple[str, Any]] = []
    for entry in config["layers"]:
        name = entry.get("name") or entry["config"]["name"]
        made[name] = make(entry)
        waiting.extend((name, node) for node in entry.get("inbound_nodes", ()))
    given: dict[tuple[str, int], list[SymbolicTensor]] = {}
    for name, layer in made.items():
        if hasattr(layer, "tensor"):
            given[name, 0] = [layer.tensor]
    counts: dict[str, int] = {}

    def find(reference: Sequence[Any]) -> SymbolicTensor:
        name, node, index = reference[:3]
        return index if name == CONSTANT else given[name, node][index]

    while waiting:
        held_back = []
        blocked: set[str] = set()  # calls of one layer are numbered: they keep their order
        for name, node in waiting:
            references = _references(node)
            ready = all(
                of == CONSTANT or (of, count) in given for of, count, *_ in references["all"]
            )
            if name in blocked or not ready:
                held_back.append((name, node))
                blocked.add(name)
                continue
            count = counts[name] = counts.get(name, -1) + 1
            args, kwargs = references["build"](find)
            given[name, count] = jax.tree.leaves(call(made[name], *args, **kwargs))
        if len(held_back) == len(waiting):
            names = sorted({name for name, _ in waiting})
            raise ValueError(f"the calls of the layers {names} need what no call gives")
        waiting = held_back

    def ends(references: Any) -> PyTree:
        if isinstance(references, Mapping):
            return {name: ends(part) for name, part in references.items()}
        if references and isinstance(references[0], str):  # Keras 3 writes a single one bare
            return find(references)
        return [ends(part) for part in references]

    return ends(config["input_layers"]), ends(config["output_layers"])


def _references(node: Any) -> dict[str, Any]:
    """Which tensors a call needs, and a function that makes its arguments of them."""
    if isinstance(node, Mapping):  # Keras 3: arguments with tensors described in place
        node = {**node, "kwargs": _without_mask(node["kwargs"])}
        found: list[Sequence[Any]] = []
        _walk(node, found.append)

        def build(find: Callable[[Sequence[Any]], Any]) -> tuple[list[Any], dict[str, Any]]:
            return _walk(node.get("args", []), find), _options(_walk(node["kwargs"], find))

        return {"all": found, "build": build}
    if node and isinstance(node[0], str):  # tf.keras writes the only input without its list
        node = [node]
    named = {key: value for reference in node for key, value in (*reference[3:], {})[0].items()}
    named = _without_mask(named)
    references = [reference[:3] for reference in node]
    _walk(named, references.append)

    def build_positional(find: Callable[[Sequence[Any]], Any]) -> tuple[list[Any], dict[str, Any]]:
        tensors = [find(reference) for reference in node]
        return [tensors[0] if len(tensors) == 1 else tensors], _options(_walk(named, find))

    return {"all": references, "build": build_positional}


def _is_reference(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) >= 3
        and isinstance(value[0], str)
        and all(isinstance(part, int) for part in value[1:3])
    )


def _without_mask(named: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of a call but for its mask, which comes along with the inputs."""
    return {key: value for key, value in named.items() if key != "mask"}


def _options(named: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in named.items() if value is not None}


def _walk(value: Any, find: Callable[[Sequence[Any]], Any]) -> Any:
    """`value` with each tensor that a config refers to replaced."""
    if _is_reference(value):
        return find(value)
    if isinstance(value, Mapping):
        if value.get("class_name") == "__keras_tensor__":
            return find(value["config"]["keras_history"])
        if (plain := plain_value(value)) is not None:
            return plain
        return {key: _walk(part, find) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_walk(part, find) for part in value]
    return value
