"""Symbolic tensors, the calls that they record, and the pure pair between any two sets of them."""

import itertools
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from funkeras import config
from funkeras.functional.combinators import in_phase
from funkeras.functional.graphs import INSIDE, Node, graph
from funkeras.functional.pair import (
    Pair,
    abstract,
    output_specs,
    stand_in_for,
    stateless,
)
from funkeras.typing import Key, Params, PyTree, Shape, State
from funkeras.variables import (
    DRAWS,
    Sizes,
    Variable,
    current_flow,
    learning_phase,
    noting,
    running,
    value_of,
)

__all__ = [
    "PHASE",
    "Call",
    "NoGraphError",
    "Operation",
    "SymbolicTensor",
    "Trace",
    "apply",
    "evaluate",
    "graphs_are_built",
    "is_symbolic",
    "operation",
    "outputs_of",
    "place_of",
    "record",
    "symbol",
    "trace",
]

_order = itertools.count()


class NoGraphError(TypeError):
    """Raised where it must be known how a value is computed, and only arrays are given."""


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


class SymbolicTensor:
    """A place for arrays of one shape and dtype, and how to compute them; None is any size.

    Arithmetic on it is recorded, as is any function that is given to `apply`.
    """

    __array_priority__ = 100  # NumPy leaves `array + tensor` to the tensor
    __funkeras_function__: Any

    def __init__(
        self,
        shape: Shape,
        dtype: str,
        name: str,
        call: Call | None = None,
        index: int = 0,
        source: Any = None,
        known: Callable[[int], Any] | None = None,
    ) -> None:
        self.shape = shape
        self.dtype = dtype
        self.name = name
        self.call = call
        self.index = index
        self.source = source
        """The input layer that data enters through."""
        self.sparse = False
        """Whether it was made as a sparse one; it is computed with as any other."""
        self.known = known
        """Its value where unknown sizes are that number, if shapes alone tell it."""

    @property
    def ndim(self) -> int:
        """Number of axes, the batch among them."""
        return len(self.shape)

    @property
    def _keras_shape(self) -> Shape:  # what scripts of Keras 1 read
        return self.shape

    def get_shape(self) -> Sizes:
        """The shape, as TensorFlow's tensors gave it."""
        return Sizes(self.shape)

    @property
    def _keras_history(self) -> tuple[Any, int, int]:
        """The layer it came from, the number of that layer's call, and of the output."""
        if self.call is None:
            return self.source, 0, 0
        calls = getattr(self.call.callee, "_calls", [self.call])
        return self.call.callee, calls.index(self.call), self.index

    def __iter__(self) -> Any:
        raise TypeError(f"{self!r} can't be iterated over: it holds no numbers yet")

    def __bool__(self) -> bool:
        if entries([self]):
            raise TypeError(f"{self!r} is neither true nor false: it holds no numbers yet")
        return bool(self.__jax_array__())

    def __float__(self) -> float:
        return float(self.__jax_array__())

    def __int__(self) -> int:
        return int(self.__jax_array__())

    def eval(self) -> np.ndarray:
        """Its value, where no data enters: what follows from variables and constants."""
        return np.asarray(self.__jax_array__())

    def __jax_array__(self) -> Any:
        if missing := entries([self]):
            raise NoGraphError(
                f"{self!r} holds no numbers yet, it follows from {missing[0].name!r}: use a "
                "function of funkeras.backend, or put the computation into a Lambda layer"
            )
        return evaluate(self, {}, training=bool(learning_phase()))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.asarray(self.__jax_array__(), dtype=dtype)

    def __repr__(self) -> str:
        return f"<SymbolicTensor {self.name!r} shape={self.shape} dtype={self.dtype}>"


def _operator(function: Callable[..., Any], reflected: bool = False) -> Callable[..., Any]:
    def method(self: Any, *others: Any) -> Any:
        args = (*others, self) if reflected else (self, *others)
        return apply(function, *args, name=function.__name__.strip("_"))

    return method


BINARY = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul")
OTHERS = ("neg", "abs", "invert", "lt", "le", "gt", "ge", "and_", "or_", "getitem")
for _name in BINARY:
    for _kind in (SymbolicTensor, Variable):
        setattr(_kind, f"__{_name}__", _operator(getattr(operator, _name)))
        setattr(_kind, f"__r{_name}__", _operator(getattr(operator, _name), reflected=True))
for _name in OTHERS:
    for _kind in (SymbolicTensor, Variable):
        setattr(_kind, f"__{_name.strip('_')}__", _operator(getattr(operator, _name)))


def is_symbolic(value: Any) -> bool:
    """Whether any part of `value` is a symbolic tensor."""
    return any(isinstance(leaf, SymbolicTensor) for leaf in jax.tree.leaves(value))


def shapes_of(tensors: PyTree) -> PyTree:
    """The shapes of symbolic tensors or arrays, nested alike."""
    return jax.tree.map(lambda tensor: tuple(tensor.shape), tensors)


def record(callee: Any, inputs: PyTree, training: bool | None = None) -> PyTree:
    """Apply a layer or model to symbolic tensors: symbolic outputs."""
    training = None if training is PHASE else training
    training = learning_phase() if training is None else training
    dtypes = jax.tree.map(lambda tensor: tensor.dtype, inputs)
    specs, form = jax.tree.flatten(output_specs(callee.pair, shapes_of(inputs), dtypes))
    described = [(own.shape, str(own.dtype)) for own in specs]
    return outputs_of(Call(callee, inputs, training), described, form)


def outputs_of(call: Call, described: Sequence[tuple[Shape, str]], form: Any) -> PyTree:
    """The symbolic tensors of those shapes and dtypes, in that form, that a call gives."""
    name = call.callee.name
    tensors = [
        SymbolicTensor(shape, dtype, f"{name}/{index}" if index else name, call, index)
        for index, (shape, dtype) in enumerate(described)
    ]
    call.outputs = jax.tree.unflatten(form, tensors)
    return call.outputs


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


def apply(function: Callable[..., Any], /, *args: Any, name: str = "", **kwargs: Any) -> Any:
    """`function(*args, **kwargs)`, now on arrays, or recorded where a tensor is symbolic.

    While a pure function runs variables stand for arrays. Outside, before Keras 3, what follows
    from them is recorded too: it has the value they have when it is asked for.
    """
    leaves, form = jax.tree.flatten((args, kwargs))
    lazy = graphs_are_built() and not any(isinstance(leaf, Tracer) for leaf in leaves)
    kinds = (SymbolicTensor, Variable) if lazy else SymbolicTensor
    if any(isinstance(leaf, kinds) for leaf in leaves):
        return operation(name or getattr(function, "__name__", "operation"), function, leaves, form)
    args, kwargs = jax.tree.unflatten(form, [value_of(leaf) for leaf in leaves])
    return function(*args, **kwargs)


for _kind in (SymbolicTensor, Variable):  # functions below this module are recorded too
    _kind.__funkeras_function__ = staticmethod(apply)


def graphs_are_built() -> bool:
    """Whether what is not computed from data is recorded too: before Keras 3, outside of runs."""
    return current_flow() is None and config.dialect() != "modern"


def operation(name: str, function: Callable[..., Any], leaves: Sequence[Any], form: Any) -> Any:
    """Record a function of the leaves of its `(args, kwargs)`, whatever these are."""
    leaves = [symbol(leaf) if isinstance(leaf, Variable) else leaf for leaf in leaves]
    places = [place for place, leaf in enumerate(leaves) if isinstance(leaf, SymbolicTensor)]
    tensors = tuple(leaves[place] for place in places)

    def compute(arrays: Sequence[Any]) -> Any:
        filled = list(leaves)
        for place, array in zip(places, arrays, strict=True):
            filled[place] = array
        args, kwargs = jax.tree.unflatten(form, filled)
        return function(*args, **kwargs)

    def run(
        params: Params, state: State, x: PyTree, *, training: bool, key: Key | None, mask: PyTree
    ) -> tuple[PyTree, State, PyTree]:
        with running(training, key):
            return compute(x), state, None

    told: list[Any] = []
    met = tuple(tensor.shape for tensor in tensors)

    def results(size: int) -> PyTree:
        """Shapes of what it gives where unknown sizes are `size`; `told`: values these tell."""
        given = [
            stand_in_for(shape, size, tensor.dtype) if tensor.known is None else tensor.known(size)
            for shape, tensor in zip(met, tensors, strict=True)
        ]

        def inner(specs: Sequence[Any]) -> PyTree:
            waiting = iter(specs)
            open_places = (isinstance(own, jax.ShapeDtypeStruct) for own in given)
            arrays = [
                next(waiting) if is_open else own
                for own, is_open in zip(given, open_places, strict=True)
            ]
            y, _, _ = run({}, {}, arrays, training=False, key=None, mask=None)
            told[:] = jax.tree.leaves(y)
            return y

        specs = [own for own in given if isinstance(own, jax.ShapeDtypeStruct)]
        return jax.eval_shape(inner, specs)

    def value_at(index: int) -> Callable[[int], Any]:
        def value(size: int) -> Any:
            with noting():
                results(size)
            return told[index]

        return value

    sizes = jax.tree.leaves([tensor.shape for tensor in tensors], is_leaf=lambda n: n is None)
    unknown = None in sizes or any(tensor.known is not None for tensor in tensors)
    with noting() as noted:
        waiting = _narrowings(met)
        while True:
            try:
                described = abstract(results, unknown)
                break
            except (TypeError, ValueError):
                if not waiting:
                    raise
                met = waiting.pop(0)
        result, out_form = jax.tree.flatten(described)
    shapes = jax.tree.unflatten(out_form, [tuple(y.shape) for y in result])

    def shape(input_shape: Any) -> Any:
        if input_shape == shapes_of(tensors) or any(tensor.known for tensor in tensors):
            return shapes
        others = [
            SymbolicTensor(own, tensor.dtype, tensor.name)
            for own, tensor in zip(input_shape, tensors, strict=True)
        ]
        filled = list(leaves)
        for place, other in zip(places, others, strict=True):
            filled[place] = other
        return shapes_of(operation(name, function, filled, form))

    pair = Pair.running(run, shape=shape, name=name)
    applied = function, leaves, form
    done = Operation(name, pair, draws=DRAWS in noted, captured=frozenset(noted), applied=applied)
    call = Call(done, tensors)
    outputs = outputs_of(call, [(y.shape, str(y.dtype)) for y in result], out_form)
    for index, (tensor, value) in enumerate(zip(jax.tree.leaves(outputs), told, strict=True)):
        if isinstance(value, int | np.ndarray | np.generic):
            tensor.known = value_at(index)
    return outputs


def _narrowings(shapes: Sequence[Shape]) -> list[tuple[Shape, ...]]:
    """The shapes with unknown sizes as others at their place are, where these agree.

    Places are counted from the last axis, as arithmetic does it; then from the first, the batch.

    >>> _narrowings([(None, None), (4, 2), ()])
    [((4, 2), (4, 2), ())]
    >>> _narrowings([(None,), (5, 4)])
    [((4,), (5, 4)), ((5,), (5, 4))]
    """
    found: list[tuple[Shape, ...]] = []
    for step in (-1, 1):
        turned = [shape[::step] for shape in shapes]
        axes = [set(sizes) - {None, 1} for sizes in zip_longest(*turned)]
        only = [next(iter(sizes)) if len(sizes) == 1 else None for sizes in axes]
        narrowed = [
            tuple(own if size is None else size for size, own in zip(shape, only, strict=False))
            for shape in turned
        ]
        found.append(tuple(shape[::step] for shape in narrowed))
    return [own for own in dict.fromkeys(found) if own != tuple(shapes)]


def symbol(variable: Variable) -> SymbolicTensor:
    """The symbolic tensor that stands for a variable."""
    if variable.tensor is None:
        owner = variable.owner
        read = Operation(variable.name, _reading(variable), reads=variable)
        if owner is not None:
            read.within = lambda found: _reading(variable, found)
        described = [(variable.shape, str(variable.dtype))]
        variable.tensor = outputs_of(Call(read, ()), described, jax.tree.structure(0))
    return variable.tensor


def _phase() -> SymbolicTensor:
    def run(
        params: Params, state: State, x: PyTree, *, training: bool, **flow: Any
    ) -> tuple[PyTree, State, PyTree]:
        return np.int32(training), state, None

    name = "keras_learning_phase"
    pair = Pair.running(run, shape=lambda _: (), name=name)
    return outputs_of(Call(Operation(name, pair), ()), [((), "int32")], jax.tree.structure(0))


PHASE = _phase()
"""The tensor that is 1 where a run trains and 0 where it does not."""


def _reading(variable: Variable, found: "Trace | None" = None) -> Pair:
    place = None if found is None else found.place_of(variable.owner)

    def run(params: Params, state: State, x: PyTree, **flow: Any) -> tuple[PyTree, State, PyTree]:
        if place is None:
            return variable.value, state, None
        tree = params if variable.trainable else state
        for part in (*place, *variable.path.split("/")):
            tree = tree[part]
        return tree, state, None

    return Pair.running(run, shape=lambda _: variable.shape, name=variable.name)


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

    inputs: Sequence[SymbolicTensor]
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
        given: Mapping[SymbolicTensor, str],
        calls: Sequence[Call],
        outputs: PyTree,
        moved: Sequence[SymbolicTensor] = (),
    ) -> Pair:
        """The pure function of some of the calls, from named inputs to outputs.

        After the inputs come the shifts of the tensors `moved`: whatever uses one of these gets
        the sum of it and its shift.
        """
        places = dict(given)
        shifts = {tensor: f"shift:{index}" for index, tensor in enumerate(moved)}
        nodes: dict[str, Node] = {}

        def refer(tensor: SymbolicTensor) -> str:
            if tensor in places:
                return places[tensor]
            assert tensor.call is not None
            name = self.names[tensor.call]
            alone = isinstance(tensor.call.outputs, SymbolicTensor)
            return name if alone else f"{name}[{tensor.index}]"

        def move(tensors: Sequence[SymbolicTensor]) -> None:
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

        Where random numbers are drawn and no key is given, one follows from NumPy's generator.
        """
        if key is None and any(getattr(callee, "draws", True) for callee in self.owners):
            key = jax.random.key(np.random.randint(1 << 31))
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
    values: Mapping[SymbolicTensor, Any],
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


def entries(tensors: Sequence[SymbolicTensor], given: Sequence[Any] = ()) -> list[SymbolicTensor]:
    """The tensors that data enters by on the way to these, other than through those given."""
    found: dict[SymbolicTensor, None] = {}
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


def trace(inputs: Sequence[SymbolicTensor], outputs: PyTree, named: bool = True) -> Trace:
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
