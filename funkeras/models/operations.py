"""Operations between layers, as files of tf.keras and Keras 3 have them: a fixed table of names.

tf.keras has layers `TFOpLambda` and `SlicingOpLambda` that name a function of TensorFlow, Keras 3
classes of its package of operations. A name finds nothing but an entry of the table. What is
recorded between layers here, by operators or functions of the backend, is written as Keras 3 does.
"""

import inspect
import operator
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import jax

from funkeras import ops
from funkeras.formats.errors import FileFormatError
from funkeras.models.functions import HOMES, REDUCTIONS, TABLE, WORDS, Function, begins
from funkeras.models.values import tensor_config, value_config
from funkeras.registry import canonical
from funkeras.symbolic import SymbolicTensor, apply, is_symbolic
from funkeras.tracing import Call
from funkeras.typing import Config

__all__ = [
    "OF_KERAS_3",
    "OPERATION",
    "Recorded",
    "described",
    "is_operation",
    "operation_config",
    "recorded",
]

OPERATION = "Operation"
"""The class by which a cleaned config names an operation."""

OF_TENSORFLOW = ("TFOpLambda", "SlicingOpLambda")
OF_KERAS_3 = ("keras.src.ops.", "keras.ops")

TENSORFLOW_NAMES = {
    "__operators__.getitem": "get_item",
    "abs": "absolute",
    "acos": "arccos",
    "asin": "arcsin",
    "atan": "arctan",
    "clip_by_value": "clip",
    "concat": "concatenate",
    "floordiv": "floor_divide",
    "floormod": "mod",
    "gather": "take",
    "neg": "negative",
    "pow": "power",
    "reverse": "flip",
    "split": "split_by_size",
    "sub": "subtract",
    "swish": "silu",
    "truediv": "true_divide",
    **{f"reduce_{name}": name for name in REDUCTIONS},
    "reduce_logsumexp": "logsumexp",
    "reduce_std": "std",
    "reduce_variance": "var",
}
"""TensorFlow's names, or Keras 3's, that are others."""

ARGUMENTS = {
    "clip_value_max": "x_max",
    "clip_value_min": "x_min",
    "depth": "num_classes",
    "keep_dims": "keepdims",
    "multiples": "repeats",
    "newshape": "shape",
    "perm": "axes",
}
"""Names of arguments → those that the functions above have."""

OF_FIRST_AXIS = ("argmax", "argmin", "gather")
"""Functions of TensorFlow that take the first axis where none is told."""

CALLED = ("x", "xs", "a", "b", "condition", "y", "indices", "slice_spec", "operands", "weights")
CALLED += ("constant_values", "x1", "x2")
"""Arguments that a call of Keras 3's operations gives; the others belong to their configs."""

FLAGS = ("transpose_a", "transpose_b")
"""Arguments that TensorFlow's functions have alone; they are left out where they are false."""

OPERATORS: dict[Function, str] = {
    operator.abs: "absolute",
    operator.add: "add",
    operator.and_: "logical_and",
    operator.floordiv: "floor_divide",
    operator.ge: "greater_equal",
    operator.getitem: "get_item",
    operator.gt: "greater",
    operator.invert: "logical_not",
    operator.le: "less_equal",
    operator.lt: "less",
    operator.matmul: "matmul",
    operator.mod: "mod",
    operator.mul: "multiply",
    operator.ne: "not_equal",
    operator.neg: "negative",
    operator.or_: "logical_or",
    operator.pow: "power",
    operator.sub: "subtract",
    operator.truediv: "true_divide",
    operator.xor: "logical_xor",
}
"""What Python's operators record → the same operation of the table."""

OF_TRUTHS = (operator.and_, operator.invert, operator.or_, operator.xor)
"""Operators that are logical between truth values, and something else between numbers."""

OF_THE_BACKEND = {
    "abs": "absolute",
    "permute_dimensions": "transpose",
    "pow": "power",
    "repeat_elements": "repeat",
    "reverse": "flip",
    **{
        name: name
        for name in (
            *("argmax", "argmin", "concatenate", "cos", "cumsum", "dot", "elu", "equal", "exp"),
            *("expand_dims", "greater", "greater_equal", "less", "less_equal", "log", "logsumexp"),
            *("maximum", "minimum", "not_equal", "reshape", "round", "sigmoid", "sign", "sin"),
            *("softplus", "softsign", "square", "squeeze", "stack", "tanh", "tile", "transpose"),
        )
    },
    **{name: name for name in REDUCTIONS},
}
"""Function of `funkeras.backend` → the operation that is the same."""

OPS_ARGUMENTS = {"key": "slice_spec", "newshape": "shape", "variable": "x"}
OPS_OPERANDS = {"x1": ("x", "a"), "x2": ("y", "b"), "x": ("xs",)}
"""Arguments of `funkeras.ops` → those of the table's functions, whichever one takes."""

OF_OPS: dict[Function, str] = {
    getattr(getattr(ops, name), "__wrapped__", getattr(ops, name)): canonical(name)
    for name in ops.__all__
    if canonical(name) in TABLE
}
"""Function that an operation of `funkeras.ops` records → the same one of the table."""

BACKEND_ARGUMENTS = {"a": "y", "axes": "axis", "n": "repeats", "pattern": "axes", "rep": "repeats"}
BACKEND_ARGUMENTS |= {"tensors": "xs"}
"""Arguments of those functions → the table's."""

UNMEANT = ("name", "trainable", "dtype", "initial")
"""Keys of a config that are no arguments of an operation that does not have them."""


def is_operation(described: Mapping[str, Any]) -> bool:
    """Whether an entry of a graph is an operation and no layer.

    HDF5 files of Keras 3 name no module; there a layer tells whether it trains.
    """
    module, config = described.get("module"), described.get("config")
    if described.get("class_name") in OF_TENSORFLOW:
        return True
    if isinstance(module, str):
        return module.startswith(OF_KERAS_3)
    nodes = described.get("inbound_nodes") or [None]
    named = isinstance(nodes, list) and isinstance(nodes[0], Mapping)
    bare = named and isinstance(config, Mapping) and "trainable" not in config
    return bare and _key(str(described.get("class_name"))) in TABLE


def operation_config(described: Mapping[str, Any], where: str) -> Config:
    """The checked config of an operation: its name, what it computes, and its arguments.

    Raises:
        FileFormatError: for one that the table does not have, or arguments that it does not take.
    """
    config = described.get("config")
    config = {str(k): v for k, v in config.items()} if isinstance(config, Mapping) else {}
    of_tensorflow = described["class_name"] in OF_TENSORFLOW
    written = str(config.pop("function", "") if of_tensorflow else described["class_name"])
    key = _key(written)
    name = str(described.get("name") or config.get("name"))
    if key not in TABLE:
        raise FileFormatError(
            f"{where}: there is no operation {written!r} (of {name!r}). If a class of yours does "
            f"the same, pass it: custom_objects={{{described['class_name']!r}: …}}. "
            "Nothing that a file names is imported or run."
        )
    known = inspect.signature(TABLE[key]).parameters
    first = of_tensorflow and written.rpartition(".")[2] in OF_FIRST_AXIS
    given = (
        {"axis": 0}
        if first
        else {}
        if of_tensorflow
        else {ARGUMENTS.get(k, k): v for k, v in config.items()}
    )
    given = {k: v for k, v in given.items() if v is not None and (k in known or k not in UNMEANT)}
    if unknown := sorted(given.keys() - known.keys()):
        raise FileFormatError(
            f"{where}: {written} (of {name!r}) takes no {unknown[0]}={given[unknown[0]]!r:.100}"
        )
    return {"name": name, "operation": key, "arguments": given}


def _key(written: str) -> str:
    last = written.rpartition(".")[2]
    return canonical(TENSORFLOW_NAMES.get(written, TENSORFLOW_NAMES.get(last, last)))


class Recorded:
    """An operation as something to call on symbolic tensors, in the place of a layer."""

    def __init__(self, name: str, operation: str, arguments: Mapping[str, Any]) -> None:
        self.name = name
        self.operation = operation
        self.arguments = dict(arguments)

    def __call__(self, *args: Any, **named: Any) -> Any:
        """The symbolic tensors that come out."""
        given = {ARGUMENTS.get(key, key): value for key, value in named.items() if key != "name"}
        names = list(inspect.signature(TABLE[self.operation]).parameters)
        if "transpose_b" not in names:  # TensorFlow's words for the second operand
            given = {names[1] if key in ("y", "b") else key: v for key, v in given.items()}
        given = {**self.arguments, **given}
        if not is_symbolic((args, given)):
            raise ValueError(f"the operation {self.name!r} needs a tensor")
        return apply(TABLE[self.operation], *args, name=self.name, **given)


def recorded(call: Call) -> tuple[str, Mapping[str, Any]] | None:
    """The operation that a call is, with its arguments; None for one that the table lacks."""
    if call.callee.applied is None or call.training is not None:
        return None
    function, leaves, form = call.callee.applied
    args, named = jax.tree.unflatten(form, leaves)
    own = next((key for key, known in TABLE.items() if known is function), None)
    if own is not None:
        return own, _bound(function, args, named)
    if function in OPERATORS:
        if function in OF_TRUTHS and any(tensor.dtype != "bool" for tensor in call.inputs):
            return None
        key = canonical(OPERATORS[function])
        return key, _bound(TABLE[key], args, named)
    if function.__module__.startswith("funkeras.backend") and function.__name__ in OF_THE_BACKEND:
        key = canonical(OF_THE_BACKEND[function.__name__])
        given = _bound(function, args, named)
        return key, {BACKEND_ARGUMENTS.get(name, name): value for name, value in given.items()}
    key = OF_OPS.get(function)
    given = None if key is None else _of_ops(function, TABLE[key], args, named)
    return None if key is None or given is None else (key, given)


def _of_ops(
    function: Function, known: Function, args: Sequence[Any], named: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Arguments of an operation of `funkeras.ops` as the table has them; None if it lacks one."""
    names, taken = inspect.signature(known).parameters, inspect.signature(function).parameters
    given: dict[str, Any] = {}
    for name, value in _bound(function, args, named).items():
        words = (name, OPS_ARGUMENTS.get(name), *OPS_OPERANDS.get(name, ()))
        own = next((word for word in words if word in names), None)
        if own is not None:
            given[own] = value
        elif value != {} and value is not taken[name].default:
            return None
    return given


def _bound(function: Function, args: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Any]:
    bound = inspect.signature(function).bind(*args, **named)
    bound.apply_defaults()
    return bound.arguments


def described(call: Call, name: str, refer: Callable[[SymbolicTensor], Any]) -> Config:
    """An operation as an entry of a graph, as Keras 3 writes it.

    Args:
        refer: gives the `[name, call, output]` of a tensor.

    Raises:
        ValueError: for one that the table does not have.
    """
    found = recorded(call)
    if found is None:
        raise ValueError(
            f"a model that uses the operation {call.callee.name!r} outside of a layer has no "
            "config: put the operation into a Lambda layer"
        )
    key, given = found
    if key == "splitbysize":
        key, parts = "split", begins(given["num_or_size_splits"])
        given = {"x": given["x"], "indices_or_sections": parts, "axis": given["axis"]}

    if key == "getitem":
        given = {**given, "slice_spec": _written_out(given["slice_spec"], len(given["x"].shape))}

    plain = partial(as_argument, refer=refer)
    words = {"reshape": {"shape": "newshape"}}.get(key, {})
    args = [plain(given[argument]) for argument in given if argument in CALLED]
    if "operands" in given:
        args = args[0]
    while args and args[-1] is None:
        args.pop()
    given = {k: v for k, v in given.items() if k not in CALLED and (k not in FLAGS or v)}
    config = {words.get(k, k): plain(v) for k, v in given.items()}
    word = WORDS[key]
    return {
        "module": f"keras.src.ops.{HOMES.get(key, 'numpy')}",
        "class_name": word,
        "config": {"name": name, **config},
        "registered_name": word,
        "name": name,
        "inbound_nodes": [{"args": args, "kwargs": {}}],
    }


def _written_out(spec: Any, rank: int) -> Any:
    """An index with slices in the place of its ellipsis, which Keras 3 cannot read in HDF5."""
    parts = list(spec) if isinstance(spec, list | tuple) else [spec]
    place = next((i for i, part in enumerate(parts) if part is Ellipsis), None)
    if place is None:
        return spec
    others = sum(part is not None for part in parts) - 1
    return [*parts[:place], *[slice(None)] * (rank - others), *parts[place + 1 :]]


def as_argument(value: Any, refer: Callable[[SymbolicTensor], Any]) -> Any:
    """An argument of a call as Keras 3 writes it."""
    if isinstance(value, SymbolicTensor):
        return tensor_config(value, refer(value))
    if isinstance(value, list | tuple):
        return [as_argument(part, refer) for part in value]
    if isinstance(value, Mapping):
        return {name: as_argument(part, refer) for name, part in value.items()}
    return value_config(value)
