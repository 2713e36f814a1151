"""The fixed table of functions that files may have between layers, by their names in Keras 3.

They are functions of arrays alone. What they are given may come from a file that someone made to do
harm: sizes and types are checked before anything is made of them.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import jax.numpy as jnp
import numpy as np
from jax import lax, nn

from funkeras import config, ops
from funkeras.functional.precision import at_unit_length
from funkeras.registry import canonical

__all__ = ["HOMES", "REDUCTIONS", "TABLE", "WORDS", "Function", "begins", "number_type"]

Function: TypeAlias = Callable[..., Any]

MOST_PARTS = 4096
"""Parts that one operation may make."""

NUMBERS = ("bool", *(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)))
NUMBERS += ("bfloat16", "float16", "float32", "float64")
"""Types that a config may name."""

NN = ("celu", "elu", "gelu", "hard_sigmoid", "hard_silu", "hard_tanh", "leaky_relu", "log_sigmoid")
NN += ("log_softmax", "normalize", "one_hot", "relu", "relu6", "selu", "sigmoid", "silu", "softmax")
NN += ("softplus", "softsign")
NN_OF_OPS = ("glu", "hard_shrink", "soft_shrink", "sparse_plus", "sparse_sigmoid")
NN_OF_OPS += ("tanh_shrink", "threshold")
NUMPY_OF_OPS = ("argsort", "cbrt", "cross", "deg2rad", "diagonal", "diff", "inner", "isfinite")
NUMPY_OF_OPS += ("isinf", "median", "moveaxis", "nan_to_num", "outer", "roll", "sinc", "sort")
NUMPY_OF_OPS += ("take_along_axis", "tril", "triu", "trunc", "vdot")
OF_OPS = (*NN_OF_OPS, *NUMPY_OF_OPS, "erfinv", "norm", "top_k")
"""Functions of `funkeras.ops` that are taken as they are: none makes more than it is given."""

HOMES = {
    **dict.fromkeys(map(canonical, (*NN, *NN_OF_OPS)), "nn"),
    **dict.fromkeys(map(canonical, ("cast", "stop_gradient")), "core"),
    **dict.fromkeys(map(canonical, ("erf", "erfinv", "logsumexp", "rsqrt", "top_k")), "math"),
    "norm": "linalg",
}
"""Operation → the module of Keras 3's operations that has it; the others are in `numpy`."""


def number_type(dtype: Any) -> Any:
    """The type of numbers of that name.

    Raises:
        ValueError: for other types, which NumPy may make as large as their name says.
    """
    if dtype not in NUMBERS:
        raise ValueError(f"a type of numbers is expected, got {dtype!r:.100}")
    return jnp.dtype(dtype)


def matmul(a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False) -> Any:
    """`a @ b`, either one with its last two axes swapped."""
    a, b = _numbers(a), _numbers(b)
    a = jnp.swapaxes(a, -1, -2) if transpose_a else a
    return a @ (jnp.swapaxes(b, -1, -2) if transpose_b else b)


def l2_normalize(x: Any, axis: Any = None, epsilon: float = 1e-12) -> Any:
    """`x` at length 1 along the axis."""
    return at_unit_length(x, axis, epsilon)


def split(x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """Equal parts, as many as a number says, or parts that begin at indices."""
    if isinstance(indices_or_sections, int) and not 0 < indices_or_sections <= MOST_PARTS:
        raise ValueError(f"1 to {MOST_PARTS} parts are expected, got {indices_or_sections}")
    return jnp.split(x, indices_or_sections, axis)


def split_by_size(x: Any, num_or_size_splits: Any, axis: int = 0) -> Any:
    """Equal parts, or parts of sizes."""
    return split(x, begins(num_or_size_splits), axis)


def begins(num_or_size_splits: Any) -> Any:
    """A number of parts as it is; of sizes, where the parts after the first begin."""
    if isinstance(num_or_size_splits, int):
        return num_or_size_splits
    return np.cumsum(num_or_size_splits)[:-1].tolist()


def normalize(x: Any, axis: Any = -1, order: Any = 2, epsilon: Any = None) -> Any:
    """`x` at length 1 along the axis."""
    if order != 2:
        raise ValueError(f"normalize of the order {order!r:.20} is not supported, only 2")
    return l2_normalize(x, axis, (config.epsilon() if epsilon is None else epsilon) ** 2)


def one_hot(
    x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: Any = False
) -> Any:
    """1 at the index `x` and 0 elsewhere along a new axis."""
    if sparse or num_classes < 1:
        raise ValueError(f"a dense tensor of classes is expected, got {num_classes} classes")
    dtype = number_type(config.floatx() if dtype is None else dtype)
    return nn.one_hot(x, num_classes, axis=axis, dtype=dtype)


def einsum(*operands: Any, subscripts: str) -> Any:
    """Sums of products, as `np.einsum` writes them."""
    if len(operands) > 8:
        raise ValueError(f"at most 8 operands are expected, got {len(operands)}")
    return jnp.einsum(subscripts, *map(_numbers, operands))


def average(x: Any, weights: Any = None, axis: Any = None) -> Any:
    """The mean, weighted if weights are given."""
    return jnp.average(x, axis=_axes(axis), weights=weights)


def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Any:
    """`x` with more entries around it."""
    if mode not in ("constant", "reflect", "symmetric"):
        raise ValueError(f"padding by {mode!r:.20} is not supported")
    more = {"constant_values": constant_values} if constant_values is not None else {}
    return jnp.pad(x, pad_width, mode=mode, **more)


def getitem(x: Any, slice_spec: Any) -> Any:
    """`x[slice_spec]`."""
    return x[tuple(slice_spec) if isinstance(slice_spec, list) else slice_spec]


def cast(x: Any, dtype: str) -> Any:
    """The same numbers in another type."""
    return jnp.asarray(x).astype(number_type(dtype))


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
            *("absolute", "arccos", "arccosh", "arcsin", "arcsinh", "arctan"),
            *("arctanh", "ceil", "cos", "cosh", "exp", "exp2"),
            *("expm1", "floor", "isnan", "log", "log10", "log1p", "log2", "logical_not"),
            *("negative", "ones_like", "reciprocal", "round", "sign", "sin", "sinh"),
            *("sqrt", "square", "tan", "tanh", "zeros_like"),
        )
    },
    **{
        name: _unary(getattr(nn, name))
        for name in (
            "hard_tanh",
            "log_sigmoid",
            "relu",
            "relu6",
            "selu",
            "sigmoid",
            "silu",
            "softplus",
        )
    },
    "softsign": _unary(nn.soft_sign),
    "hard_sigmoid": _unary(nn.hard_sigmoid),
    "hard_silu": _unary(nn.hard_silu),
    "erf": _unary(lax.erf),
    "identity": _unary(lambda x: x),
    "rsqrt": _unary(lax.rsqrt),
    "stop_gradient": _unary(lax.stop_gradient),
}
BINARY = {
    name: _binary(getattr(jnp, name))
    for name in (
        *("add", "arctan2", "divide", "dot", "equal", "floor_divide", "greater", "greater_equal"),
        *("less", "less_equal", "logical_and", "logical_or", "maximum", "minimum", "mod"),
        *("logaddexp", "logical_xor", "multiply", "not_equal", "power", "subtract", "true_divide"),
    )
}
OTHERS: dict[str, Function] = {
    "argmax": lambda x, axis=None, keepdims=False: jnp.argmax(x, axis=axis, keepdims=keepdims),
    "argmin": lambda x, axis=None, keepdims=False: jnp.argmin(x, axis=axis, keepdims=keepdims),
    "average": average,
    "broadcast_to": lambda x, shape: jnp.broadcast_to(x, shape),
    "cast": cast,
    "celu": lambda x, alpha=1.0: nn.celu(x, alpha),
    "clip": lambda x, x_min, x_max: jnp.clip(x, x_min, x_max),
    "concatenate": lambda xs, axis=0: jnp.concatenate(xs, axis=axis),
    "count_nonzero": lambda x, axis=None: jnp.count_nonzero(x, axis=_axes(axis)),
    "cumsum": lambda x, axis=0: jnp.cumsum(x, axis=axis),
    "einsum": einsum,
    "elu": lambda x, alpha=1.0: nn.elu(x, alpha),
    "expand_dims": lambda x, axis: jnp.expand_dims(x, _axes(axis)),
    "flip": lambda x, axis=None: jnp.flip(x, _axes(axis)),
    "gelu": lambda x, approximate=False: nn.gelu(x, approximate=approximate),
    "get_item": getitem,
    "l2_normalize": l2_normalize,
    "leaky_relu": lambda x, negative_slope=0.2: nn.leaky_relu(x, negative_slope),
    "log_softmax": lambda x, axis=-1: nn.log_softmax(x, axis),
    "logsumexp": lambda x, axis=None, keepdims=False: nn.logsumexp(
        x, axis=_axes(axis), keepdims=keepdims
    ),
    "matmul": matmul,
    "normalize": normalize,
    "one_hot": one_hot,
    "pad": pad,
    "repeat": lambda x, repeats, axis=None: jnp.repeat(x, repeats, axis),
    "reshape": lambda x, shape: jnp.reshape(x, shape),
    "softmax": lambda x, axis=-1: nn.softmax(x, axis),
    "split": split,
    "split_by_size": split_by_size,
    "squared_difference": _binary(lambda x, y: jnp.square(x - y)),
    "squeeze": lambda x, axis=None: jnp.squeeze(x, _axes(axis)),
    "stack": lambda xs, axis=0: jnp.stack(xs, axis),
    "swapaxes": lambda x, axis1, axis2: jnp.swapaxes(x, axis1, axis2),
    "take": lambda x, indices, axis=None: jnp.take(x, _numbers(indices), axis),
    "tensordot": lambda x, y, axes=2: jnp.tensordot(_numbers(x), _numbers(y), axes),
    "tile": lambda x, repeats: jnp.tile(x, repeats),
    "transpose": lambda x, axes=None: jnp.transpose(x, axes),
    "where": lambda condition, x, y: jnp.where(condition, _numbers(x), _numbers(y)),
    **{name: getattr(ops, name) for name in OF_OPS},
}
TABLE = {
    canonical(name): function
    for name, function in {**REDUCTIONS, **UNARY, **BINARY, **OTHERS}.items()
}
WORDS = {
    canonical(name): "".join(part.capitalize() for part in name.split("_"))
    for name in (*REDUCTIONS, *UNARY, *BINARY, *OTHERS)
}
"""Operation → its class in Keras 3."""
