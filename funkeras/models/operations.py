"""Operations between layers, as files of tf.keras and Keras 3 have them: a fixed table of names.

tf.keras has layers `TFOpLambda` and `SlicingOpLambda` that name a function of TensorFlow, Keras 3
classes of its package of operations. A name finds nothing but an entry of the table.
"""

import inspect
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax, nn

from funkeras.formats.errors import FileFormatError
from funkeras.registry import canonical
from funkeras.symbolic import apply, is_symbolic
from funkeras.typing import Config

__all__ = ["OPERATION", "Recorded", "is_operation", "operation_config", "plain_value"]

OPERATION = "Operation"
"""The class by which a cleaned config names an operation."""

OF_TENSORFLOW = ("TFOpLambda", "SlicingOpLambda")
OF_KERAS_3 = ("keras.src.ops.", "keras.ops")

Function = Callable[..., Any]


def matmul(a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False) -> Any:
    """`a @ b`, either one with its last two axes swapped."""
    a, b = _numbers(a), _numbers(b)
    a = jnp.swapaxes(a, -1, -2) if transpose_a else a
    return a @ (jnp.swapaxes(b, -1, -2) if transpose_b else b)


def l2_normalize(x: Any, axis: Any = None, epsilon: float = 1e-12) -> Any:
    """`x` at length 1 along the axis."""
    squares = jnp.sum(jnp.square(x), axis=_axes(axis), keepdims=True)
    return x * lax.rsqrt(jnp.maximum(squares, epsilon))


def split(x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """Equal parts, as many as a number says, or parts that begin at indices."""
    return jnp.split(x, indices_or_sections, axis)


def split_by_size(x: Any, num_or_size_splits: Any, axis: int = 0) -> Any:
    """Equal parts, or parts of sizes."""
    if isinstance(num_or_size_splits, int):
        return jnp.split(x, num_or_size_splits, axis)
    return jnp.split(x, np.cumsum(num_or_size_splits)[:-1].tolist(), axis)


def getitem(x: Any, slice_spec: Any) -> Any:
    """`x[slice_spec]`."""
    return x[tuple(slice_spec) if isinstance(slice_spec, list) else slice_spec]


def cast(x: Any, dtype: str) -> Any:
    """The same numbers in another type."""
    return jnp.asarray(x).astype(dtype)


def _axes(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, list) else axis


def _numbers(value: Any) -> Any:
    """A constant of a config as an array: float32, if it has a fraction."""
    array = np.asarray(value) if isinstance(value, list) else value
    return array.astype("float32") if array is not value and array.dtype.kind == "f" else array


def _reduction(function: Function) -> Function:
    def reduce(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return function(x, axis=_axes(axis), keepdims=keepdims)

    return reduce


def _unary(function: Function) -> Function:
    return lambda x: function(x)


def _binary(function: Function) -> Function:
    return lambda x, y: function(_numbers(x), _numbers(y))


REDUCTIONS = {
    name: _reduction(getattr(jnp, name))
    for name in ("mean", "max", "min", "sum", "prod", "std", "var", "any", "all")
}
UNARY = {
    **{
        name: _unary(getattr(jnp, name))
        for name in (
            *("abs", "arccos", "arcsin", "arctan", "arctanh", "ceil", "cos", "cosh", "exp"),
            *("expm1", "floor", "isnan", "log", "log10", "log1p", "log2", "logical_not"),
            *("negative", "ones_like", "reciprocal", "round", "sign", "sin", "sinh"),
            *("sqrt", "square", "tan", "tanh", "zeros_like"),
        )
    },
    **{
        name: _unary(getattr(nn, name))
        for name in ("relu", "relu6", "selu", "sigmoid", "silu", "softplus", "soft_sign")
    },
    "erf": _unary(lax.erf),
    "identity": _unary(lambda x: x),
    "rsqrt": _unary(lax.rsqrt),
    "stop_gradient": _unary(lax.stop_gradient),
}
BINARY = {
    name: _binary(getattr(jnp, name))
    for name in (
        *("add", "arctan2", "divide", "equal", "floor_divide", "greater", "greater_equal"),
        *("less", "less_equal", "logical_and", "logical_or", "maximum", "minimum", "mod"),
        *("multiply", "not_equal", "power", "subtract", "true_divide"),
    )
}
OTHERS: dict[str, Function] = {
    "argmax": lambda x, axis=None: jnp.argmax(x, axis=axis),
    "argmin": lambda x, axis=None: jnp.argmin(x, axis=axis),
    "broadcast_to": lambda x, shape: jnp.broadcast_to(x, shape),
    "cast": cast,
    "clip": lambda x, x_min, x_max: jnp.clip(x, x_min, x_max),
    "concatenate": lambda xs, axis=0: jnp.concatenate(xs, axis=axis),
    "cumsum": lambda x, axis=0: jnp.cumsum(x, axis=axis),
    "elu": lambda x, alpha=1.0: nn.elu(x, alpha),
    "expand_dims": lambda x, axis: jnp.expand_dims(x, _axes(axis)),
    "flip": lambda x, axis=None: jnp.flip(x, _axes(axis)),
    "gelu": lambda x, approximate=False: nn.gelu(x, approximate=approximate),
    "get_item": getitem,
    "l2_normalize": l2_normalize,
    "leaky_relu": lambda x, negative_slope=0.2: nn.leaky_relu(x, negative_slope),
    "log_softmax": lambda x, axis=-1: nn.log_softmax(x, axis),
    "matmul": matmul,
    "repeat": lambda x, repeats, axis=None: jnp.repeat(x, repeats, axis),
    "reshape": lambda x, shape: jnp.reshape(x, shape),
    "softmax": lambda x, axis=-1: nn.softmax(x, axis),
    "split": split,
    "split_by_size": split_by_size,
    "squared_difference": _binary(lambda x, y: jnp.square(x - y)),
    "squeeze": lambda x, axis=None: jnp.squeeze(x, _axes(axis)),
    "stack": lambda xs, axis=0: jnp.stack(xs, axis),
    "swapaxes": lambda x, axis1, axis2: jnp.swapaxes(x, axis1, axis2),
    "take": lambda x, indices, axis=None: jnp.take(x, indices, axis),
    "tile": lambda x, repeats: jnp.tile(x, repeats),
    "transpose": lambda x, axes=None: jnp.transpose(x, axes),
    "where": lambda condition, x, y: jnp.where(condition, _numbers(x), _numbers(y)),
}
TABLE = {
    canonical(name): function
    for name, function in {**REDUCTIONS, **UNARY, **BINARY, **OTHERS}.items()
}

TENSORFLOW_NAMES = {
    "__operators__.getitem": "get_item",
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
    "softsign": "soft_sign",
    "split": "split_by_size",
    "sub": "subtract",
    "swish": "silu",
    "truediv": "true_divide",
    **{f"reduce_{name}": name for name in REDUCTIONS},
    "reduce_std": "std",
    "reduce_variance": "var",
}
"""TensorFlow's names, or Keras 3's, that are others."""

ARGUMENTS = {
    "clip_value_max": "x_max",
    "clip_value_min": "x_min",
    "keep_dims": "keepdims",
    "multiples": "repeats",
    "newshape": "shape",
    "perm": "axes",
}
"""Names of arguments → those that the functions above have."""

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
    given = {} if of_tensorflow else {ARGUMENTS.get(k, k): v for k, v in config.items()}
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
        tensors = {key: value for key, value in given.items() if is_symbolic(value)}
        fixed = {key: value for key, value in given.items() if key not in tensors}
        ready = [list(a) if isinstance(a, tuple) else a for a in args]
        slots = [index for index, value in enumerate(ready) if is_symbolic(value)]

        def run(*values: Any, **more: Any) -> Any:
            whole = list(ready)
            for index, value in zip(slots, values, strict=True):
                whole[index] = value
            return TABLE[self.operation](*whole, **fixed, **more)

        return apply(run, *(ready[index] for index in slots), name=self.name, **tensors)


def plain_value(value: Mapping[str, Any]) -> Any:
    """What stands in a config for a slice, an array or an ellipsis; None for other dicts."""
    kind, config = value.get("class_name"), value.get("config")
    if kind == "__ellipsis__":
        return Ellipsis
    if kind == "__slice__" and isinstance(config, Mapping):
        return _slice(config)
    if kind in ("__tensor__", "__numpy__") and isinstance(config, Mapping):
        return np.asarray(config["value"], np.dtype(str(config.get("dtype", "float32"))))
    if value.keys() == {"start", "stop", "step"}:
        return _slice(value)
    return None


def _slice(config: Mapping[str, Any]) -> slice:
    ends: Sequence[Any] = [config.get(name) for name in ("start", "stop", "step")]
    return slice(*(None if end is None else operator.index(end) for end in ends))
