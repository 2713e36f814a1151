"""Symbolic tensors, the calls that they record, and the pure pair between any two sets of them."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import jax
import jax.numpy as jnp

from funkeras.functional.combinators import in_phase
from funkeras.functional.graphs import Node, graph
from funkeras.functional.pair import (
    Pair,
    abstract,
    is_shape,
    output_shape,
    stand_in_for,
    stateless,
)
from funkeras.typing import Array, Params, PyTree, Shape

__all__ = ["Call", "SymbolicTensor", "Trace", "is_symbolic", "lifted", "record", "trace"]

P = ParamSpec("P")
T = TypeVar("T")

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


class SymbolicTensor:
    """A place for arrays of one shape and dtype, and how to compute them; None is any size.

    Arithmetic on it is recorded, as is any function that `lifted` wraps.
    """

    __array_priority__ = 100  # NumPy leaves `array + tensor` to the tensor

    def __init__(
        self,
        shape: Shape,
        dtype: str,
        name: str,
        call: Call | None = None,
        index: int = 0,
        source: Any = None,
    ) -> None:
        self.shape = shape
        self.dtype = dtype
        self.name = name
        self.call = call
        self.index = index
        self.source = source
        """The input layer that data enters through."""

    @property
    def ndim(self) -> int:
        """Number of axes, the batch among them."""
        return len(self.shape)

    @property
    def _keras_shape(self) -> Shape:  # what scripts of Keras 1 read
        return self.shape

    def get_shape(self) -> Shape:
        """The shape, as TensorFlow's tensors gave it."""
        return self.shape

    def __getitem__(self, key: Any) -> Any:
        return apply(lambda x: x[key], self, name="getitem")

    def __iter__(self) -> Any:
        raise TypeError(f"{self!r} can't be iterated over: it holds no numbers yet")

    def __bool__(self) -> bool:
        raise TypeError(f"{self!r} is neither true nor false: it holds no numbers yet")

    def __jax_array__(self) -> Any:
        raise TypeError(
            f"{self!r} holds no numbers yet: use a function of funkeras.backend, or put the "
            "computation into a layer: Lambda(function)"
        )

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self.__jax_array__()

    def __repr__(self) -> str:
        return f"<SymbolicTensor {self.name!r} shape={self.shape} dtype={self.dtype}>"


def _operator(function: Callable[..., Any], reflected: bool = False) -> Callable[..., Any]:
    def method(self: SymbolicTensor, *others: Any) -> Any:
        args = (*others, self) if reflected else (self, *others)
        return apply(function, *args, name=function.__name__)

    return method


OPERATORS: dict[str, Callable[..., Any]] = {
    "add": jnp.add,
    "sub": jnp.subtract,
    "mul": jnp.multiply,
    "truediv": jnp.true_divide,
    "floordiv": jnp.floor_divide,
    "mod": jnp.mod,
    "pow": jnp.power,
    "matmul": jnp.matmul,
}
for _name, _function in OPERATORS.items():
    setattr(SymbolicTensor, f"__{_name}__", _operator(_function))
    setattr(SymbolicTensor, f"__r{_name}__", _operator(_function, reflected=True))
for _name, _function in {
    "neg": jnp.negative,
    "abs": jnp.abs,
    "lt": jnp.less,
    "le": jnp.less_equal,
    "gt": jnp.greater,
    "ge": jnp.greater_equal,
}.items():
    setattr(SymbolicTensor, f"__{_name}__", _operator(_function))


def is_symbolic(value: Any) -> bool:
    """Whether any part of `value` is a symbolic tensor."""
    return any(isinstance(leaf, SymbolicTensor) for leaf in jax.tree.leaves(value))


def shapes_of(tensors: PyTree) -> PyTree:
    """The shapes of symbolic tensors or arrays, nested alike."""
    return jax.tree.map(lambda tensor: tuple(tensor.shape), tensors)


def record(callee: Any, inputs: PyTree, training: bool | None = None) -> PyTree:
    """Apply a layer or model to symbolic tensors: symbolic outputs."""
    shapes = output_shape(callee.pair, shapes_of(inputs))
    leaves, form = jax.tree.flatten(shapes, is_leaf=is_shape)
    dtype = str(jnp.result_type(getattr(callee, "compute_dtype", "float32")))
    return _outputs(Call(callee, inputs, training), [(shape, dtype) for shape in leaves], form)


def _outputs(call: Call, described: Sequence[tuple[Shape, str]], form: Any) -> PyTree:
    name = call.callee.name
    tensors = [
        SymbolicTensor(shape, dtype, f"{name}/{index}" if index else name, call, index)
        for index, (shape, dtype) in enumerate(described)
    ]
    call.outputs = jax.tree.unflatten(form, tensors)
    return call.outputs


@dataclass(eq=False)
class Operation:
    """A function of arrays as something to call on symbolic tensors."""

    name: str
    functional: Pair


def apply(function: Callable[..., Any], *args: Any, name: str = "", **kwargs: Any) -> Any:
    """`function(*args, **kwargs)`, now on arrays, or recorded where a tensor is symbolic."""
    leaves, form = jax.tree.flatten((args, kwargs))
    places = [place for place, leaf in enumerate(leaves) if isinstance(leaf, SymbolicTensor)]
    if not places:
        return function(*args, **kwargs)
    tensors = tuple(leaves[place] for place in places)

    def run(arrays: Sequence[Any]) -> Any:
        filled = list(leaves)
        for place, array in zip(places, arrays, strict=True):
            filled[place] = array
        args, kwargs = jax.tree.unflatten(form, filled)
        return function(*args, **kwargs)

    def evaluate(size: int) -> PyTree:
        specs = [stand_in_for(tensor.shape, size, tensor.dtype) for tensor in tensors]
        return jax.eval_shape(run, specs)

    def compute(params: Params, x: tuple[Array, ...]) -> Any:
        return run(x)

    unknown = any(None in tensor.shape for tensor in tensors)
    result, out_form = jax.tree.flatten(abstract(evaluate, unknown))
    label = name or getattr(function, "__name__", "operation")
    call = Call(Operation(label, stateless(compute, mask=lambda x, mask: None)), tensors)
    return _outputs(call, [(y.shape, str(y.dtype)) for y in result], out_form)


def lifted(function: Callable[P, T]) -> Callable[P, T]:
    """The function of arrays, for symbolic tensors too."""

    @wraps(function)
    def either(*args: P.args, **kwargs: P.kwargs) -> T:
        return apply(function, *args, name=function.__name__, **kwargs)

    return either


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

    def pair(self) -> Pair:
        """The pure function between them, as its layers are at this moment."""
        entries = {tensor: f"input:{index}" for index, tensor in enumerate(self.inputs)}

        def refer(tensor: SymbolicTensor) -> str:
            if tensor in entries:
                return entries[tensor]
            assert tensor.call is not None
            name = self.names[tensor.call]
            alone = isinstance(tensor.call.outputs, SymbolicTensor)
            return name if alone else f"{name}[{tensor.index}]"

        pairs = {callee: callee.functional for callee in self.owners}
        nodes = {}
        for call in self.calls:
            pair = pairs[call.callee]
            if call.training is not None:
                pair = in_phase(pair, call.training)
            inputs = jax.tree.map(refer, call.inputs)
            nodes[self.names[call]] = Node(pair, inputs, self.owners[call.callee])
        return graph(list(entries.values()), nodes, jax.tree.map(refer, self.outputs))


def trace(inputs: Sequence[SymbolicTensor], outputs: PyTree) -> Trace:
    """The calls that lead from inputs to outputs.

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
        if again is not call.callee and not isinstance(call.callee, Operation):
            raise ValueError(f"two layers of one model have the name {name!r}; names must differ")
        count = sum(own == name or own.startswith(f"{name}:") for own in names.values())
        names[call] = f"{name}:{count}" if count else name
        owners.setdefault(call.callee, names[call])
    return Trace(inputs, outputs, calls, names, owners)
