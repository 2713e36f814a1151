"""Symbolic tensors, and the calls of layers and functions that they record."""

import operator
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import zip_longest
from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from funkeras import config
from funkeras.functional.pair import Pair, output_specs
from funkeras.functional.shapes import abstract, is_shape, stand_in_for
from funkeras.tracing import Call, Operation, Trace, entries, evaluate
from funkeras.typing import Key, Params, PyTree, Shape, State
from funkeras.utils.naming import numbered
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
    "NoGraphError",
    "SymbolicTensor",
    "apply",
    "building",
    "graphs_are_built",
    "is_symbolic",
    "masked",
    "operation",
    "outputs_of",
    "record",
    "symbol",
]


class NoGraphError(TypeError):
    """Raised where it must be known how a value is computed, and only arrays are given."""


class SymbolicTensor:
    """A place for arrays of one shape and dtype, and how to compute them; None is any size.

    Arithmetic on it is recorded, as is any function that is given to `apply`.
    """

    __array_priority__ = 100  # NumPy leaves `array + tensor` to the tensor
    __funkeras_function__: Any

    def __init__(
        self,
        shape: Sequence[int | None],
        dtype: Any = "float32",
        sparse: bool = False,
        ragged: bool = False,
        record_history: bool = True,
        name: str | None = None,
        *,
        call: Call | None = None,
        index: int = 0,
        source: Any = None,
        known: Callable[[int], Any] | None = None,
    ) -> None:
        if ragged:
            raise ValueError("ragged must be False: JAX has no ragged arrays")
        self.shape: Shape = tuple(shape)
        self.dtype = dtype if isinstance(dtype, str) else jax.dtypes.canonicalize_dtype(dtype).name
        self.name = name or numbered("keras_tensor")
        self.record_history = record_history
        self.call = call
        self.index = index
        self.source = source
        """The input layer that data enters through."""
        self.sparse = sparse
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
        return np.array(self.__jax_array__())

    def __ne__(self, other: object) -> Any:
        # Before Keras 3 scripts asked `mask != None`.
        if other is None or config.dialect() != "modern":
            return self is not other
        return apply(operator.ne, self, other, name="not_equal")

    def __jax_array__(self) -> Any:
        if missing := entries([self]):
            raise NoGraphError(
                f"{self!r} holds no numbers yet, it follows from {missing[0].name!r}: use a "
                "function of funkeras.backend, or put the computation into a Lambda layer"
            )
        flow = current_flow()
        training = bool(learning_phase()) if flow is None else flow.training
        return evaluate(self, {}, training=training)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.asarray(self.__jax_array__(), dtype=dtype)

    def __repr__(self) -> str:
        return f"<SymbolicTensor {self.name!r} shape={self.shape} dtype={self.dtype}>"


def _operator(function: Callable[..., Any], reflected: bool = False) -> Callable[..., Any]:
    def method(self: Any, *others: Any) -> Any:
        args = (*others, self) if reflected else (self, *others)
        return apply(function, *args, name=function.__name__.strip("_"))

    return method


BINARY = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and_", "or_", "xor")
OTHERS = ("neg", "abs", "invert", "lt", "le", "gt", "ge", "getitem")
for _name in BINARY:
    for _kind in (SymbolicTensor, Variable):
        setattr(_kind, f"__{_name.strip('_')}__", _operator(getattr(operator, _name)))
        _reflected = _operator(getattr(operator, _name), reflected=True)
        setattr(_kind, f"__r{_name.strip('_')}__", _reflected)
for _name in OTHERS:
    for _kind in (SymbolicTensor, Variable):
        setattr(_kind, f"__{_name.strip('_')}__", _operator(getattr(operator, _name)))


def is_symbolic(value: Any) -> bool:
    """Whether any part of `value` is a symbolic tensor."""
    return any(isinstance(leaf, SymbolicTensor) for leaf in jax.tree.leaves(value))


def follows_from_variables(value: Any) -> bool:
    """Whether it is a symbolic tensor that has a value without any data."""
    return isinstance(value, SymbolicTensor) and not entries([value])


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
        SymbolicTensor(
            shape, dtype, name=f"{name}/{index}" if index else name, call=call, index=index
        )
        for index, (shape, dtype) in enumerate(described)
    ]
    call.outputs = jax.tree.unflatten(form, tensors)
    return call.outputs


def apply(function: Callable[..., Any], /, *args: Any, name: str = "", **kwargs: Any) -> Any:
    """`function(*args, **kwargs)`, now on arrays, or recorded where a tensor is symbolic.

    While a pure function runs variables stand for arrays, and so does what was recorded of them
    before. Outside, before Keras 3, what follows from them is recorded too: it has the value they
    have when it is asked for.
    """
    leaves, form = jax.tree.flatten((args, kwargs))
    if current_flow() is not None:
        leaves = [leaf.__jax_array__() if follows_from_variables(leaf) else leaf for leaf in leaves]
    lazy = graphs_are_built() and not any(isinstance(leaf, Tracer) for leaf in leaves)
    kinds = (SymbolicTensor, Variable) if lazy else SymbolicTensor
    if any(isinstance(leaf, kinds) for leaf in leaves):
        return operation(name or getattr(function, "__name__", "operation"), function, leaves, form)
    args, kwargs = jax.tree.unflatten(form, [value_of(leaf) for leaf in leaves])
    return function(*args, **kwargs)


for _kind in (SymbolicTensor, Variable):  # functions below this module are recorded too
    _kind.__funkeras_function__ = staticmethod(apply)


def masked(x: PyTree, mask: PyTree) -> PyTree:
    """Symbolic tensors with masks that a call is told, in the place of those they come with.

    One mask among several tensors is that of the first.
    """
    leaves, form = jax.tree.flatten(x)
    own = jax.tree.leaves(mask, is_leaf=lambda leaf: leaf is None)
    masks = [*own, *[None] * len(leaves)][: len(leaves)]
    return jax.tree.unflatten(form, list(map(_with_mask, leaves, masks)))


def _with_mask(x: SymbolicTensor, mask: Any) -> SymbolicTensor:
    if mask is None:
        return x

    def run(
        params: Params, state: State, given: PyTree, **flow: Any
    ) -> tuple[PyTree, State, PyTree]:
        y, own = given if isinstance(given, tuple) else (given, mask)
        return y, state, jax.numpy.asarray(own)

    def shape(input_shape: Any) -> Any:
        return input_shape if is_shape(input_shape) else input_shape[0]

    inputs = (x, mask) if isinstance(mask, SymbolicTensor) else x
    done = Operation("with_mask", Pair.running(run, shape=shape, name="with_mask"))
    return outputs_of(Call(done, inputs), [(x.shape, x.dtype)], jax.tree.structure(0))


_building: ContextVar[bool] = ContextVar("building", default=False)


def graphs_are_built() -> bool:
    """Whether what is not computed from data is recorded too, outside of runs.

    It is before Keras 3, and where a graph is `building` that follows the variables.
    """
    return current_flow() is None and (_building.get() or config.dialect() != "modern")


@contextmanager
def building() -> Iterator[None]:
    """Record what follows from variables, whatever the generation."""
    token = _building.set(True)
    try:
        yield
    finally:
        _building.reset(token)


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
            SymbolicTensor(own, tensor.dtype, name=tensor.name)
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


def _reading(variable: Variable, found: Trace | None = None) -> Pair:
    place = None if found is None else found.place_of(variable.owner)

    def run(params: Params, state: State, x: PyTree, **flow: Any) -> tuple[PyTree, State, PyTree]:
        if place is None:
            return variable.value, state, None
        tree = params if variable.trainable else state
        for part in (*place, *variable.place.split("/")):
            tree = tree[part]
        return tree, state, None

    return Pair.running(run, shape=lambda _: variable.shape, name=variable.name)
