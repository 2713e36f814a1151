"""Variables, placeholders and constants: how they are made, described, read and changed."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from funkeras import config
from funkeras.backend.arranging import dtype_of, whole
from funkeras.backend.lifting import op, spelled
from funkeras.symbolic import PHASE, SymbolicTensor, is_symbolic
from funkeras.tracing import Operation
from funkeras.utils import naming
from funkeras.variables import Variable, current_flow, value_of

__all__ = [
    "Update",
    "batch_get_value",
    "batch_set_value",
    "constant",
    "count_params",
    "dtype",
    "eval",
    "eye",
    "get_value",
    "get_variable_shape",
    "int_shape",
    "is_explicit_shape",
    "is_keras_tensor",
    "is_placeholder",
    "is_sparse",
    "is_tensor",
    "is_variable",
    "moving_average_update",
    "ndim",
    "ones",
    "placeholder",
    "print_tensor",
    "random_normal_variable",
    "random_uniform_variable",
    "set_value",
    "to_dense",
    "update",
    "update_add",
    "update_sub",
    "variable",
    "zeros",
]


class Update(NamedTuple):
    """A variable and its next value, for the `updates` of a function or a layer's `add_update`."""

    variable: Any
    value: Any


# Making them


def variable(
    value: Any, dtype: Any = None, name: str | None = None, constraint: Any = None
) -> Variable:
    """A variable with that value; a sparse matrix of SciPy is held densely.

    Args:
        dtype: `floatx()` if left out, also for whole numbers.
        constraint: kept as an attribute, for optimizers that ask for it.
    """
    dense = value.toarray() if hasattr(value, "toarray") else value
    with jax.ensure_compile_time_eval():
        array = jnp.asarray(value_of(dense), dtype_of(dtype))

    def make() -> Variable:
        made = Variable(array, name=naming.scoped(name or naming.numbered("Variable")))
        made.constraint = constraint
        made.sparse = dense is not value
        return made

    flow = current_flow()
    return make() if flow is None or flow.remade is None else flow.remade(make)


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Any:
    """An array; with a shape, one that repeats the value."""
    array = jnp.asarray(value, dtype_of(dtype))
    return array if shape is None else jnp.broadcast_to(array, whole(shape))


def placeholder(
    shape: Any = None,
    ndim: int | None = None,
    dtype: Any = None,
    sparse: bool = False,
    name: str | None = None,
    ragged: bool = False,
    dynamic_axis_num: int = 1,
) -> SymbolicTensor:
    """A symbolic tensor that a function gets from its caller; None in the shape is any size.

    Args:
        ndim: the number of axes, all of any size, where no shape is given.
        sparse: what `is_sparse` says of it; it is given dense arrays, or SciPy's sparse matrices.
        dynamic_axis_num: for CNTK; the shape tells.

    Raises:
        ValueError: if neither shape nor ndim is given.
    """
    if shape is None and ndim is None:
        raise ValueError("a placeholder needs shape= or ndim=")
    sizes = (None,) * (ndim or 0) if shape is None else tuple(shape)
    sizes = tuple(None if size is None else int(size) for size in sizes)
    name = naming.scoped(name or naming.numbered("Placeholder"))
    return SymbolicTensor(sizes, dtype_of(dtype), sparse, name=name)


def _filled(value: float, shape: Any, dtype: Any, name: str | None) -> Any:
    if is_symbolic(shape):
        return op(lambda shape: jnp.full(whole(shape), value, dtype_of(dtype)))(shape)
    array = np.full(whole(shape), value, dtype_of(dtype))
    flow = current_flow()
    kept = flow is None or flow.remade is not None
    return variable(array, dtype, name) if kept else jnp.asarray(array)


def zeros(shape: Any, dtype: Any = None, name: str | None = None) -> Any:
    """A variable of zeros; where a layer runs, or the shape is symbolic, a tensor of them."""
    return _filled(0, shape, dtype, name)


def ones(shape: Any, dtype: Any = None, name: str | None = None) -> Any:
    """A variable of ones; where a layer runs, or the shape is symbolic, a tensor of them."""
    return _filled(1, shape, dtype, name)


def eye(size: Any, dtype: Any = None, name: str | None = None) -> Any:
    """A variable with ones on the diagonal: of (size, size), or of both sizes given."""
    return variable(np.eye(*whole(size), dtype=dtype or config.floatx()), dtype, name)


def random_uniform_variable(
    shape: Any,
    low: float,
    high: float,
    dtype: Any = None,
    name: str | None = None,
    seed: int | None = None,
) -> Variable:
    """A variable drawn evenly between two numbers, by NumPy's generator."""
    return variable(_generator(seed).uniform(low, high, whole(shape)), dtype, name)


def random_normal_variable(
    shape: Any,
    mean: float,
    scale: float,
    dtype: Any = None,
    name: str | None = None,
    seed: int | None = None,
) -> Variable:
    """A variable drawn from a normal distribution, by NumPy's generator."""
    return variable(_generator(seed).normal(mean, scale, whole(shape)), dtype, name)


def _generator(seed: int | None) -> Any:
    return np.random if seed is None else np.random.RandomState(seed)


# Describing them


def int_shape(x: Any) -> Any:
    """The shape as a tuple; None is a size that is not known yet."""
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


def get_variable_shape(x: Any) -> Any:
    """The shape of a variable as a tuple."""
    return int_shape(x)


def ndim(x: Any) -> int:
    """The number of axes."""
    return len(int_shape(x))


def dtype(x: Any) -> str:
    """The name of the dtype."""
    if isinstance(x, np.ndarray):
        return x.dtype.name
    return jnp.result_type(x.dtype if hasattr(x, "dtype") else x).name


def count_params(x: Any) -> int:
    """The number of entries."""
    return int(np.prod(int_shape(x)))


def is_explicit_shape(shape: Any) -> bool:
    """Whether these are sizes, all of them known or None."""
    return hasattr(shape, "__iter__") and all(isinstance(n, int) or n is None for n in shape)


def is_tensor(x: Any) -> bool:
    """Whether this is a symbolic tensor, a variable or an array of JAX."""
    return isinstance(x, SymbolicTensor | Variable | jax.Array)


def is_variable(x: Any) -> bool:
    """Whether this is a variable."""
    return isinstance(x, Variable)


def is_placeholder(x: Any) -> bool:
    """Whether data enters by this tensor."""
    return isinstance(x, SymbolicTensor) and (x.call is None or x is PHASE)


def is_keras_tensor(x: Any) -> bool:
    """Whether a layer, `Input` among them, gave this tensor.

    Raises:
        ValueError: in Keras 2 and 3, for what is no tensor at all.
    """
    if not is_tensor(x) and config.dialect() != "classic":
        raise ValueError(f"is_keras_tensor takes a symbolic tensor or a variable, got {x!r}")
    if not isinstance(x, SymbolicTensor):
        return False
    by_layer = x.call is not None and not isinstance(x.call.callee, Operation)
    return by_layer or x.source is not None


def is_sparse(tensor: Any) -> bool:
    """Whether it was made as a sparse one, or is several of these joined."""
    call = getattr(tensor, "call", None)
    if call is not None and call.callee.name == "concatenate":
        return all(is_sparse(part) for part in call.inputs)
    read = None if call is None else getattr(call.callee, "reads", None)
    return bool(getattr(tensor if read is None else read, "sparse", False))


def to_dense(tensor: Any) -> Any:
    """The same tensor, no longer called sparse."""
    if hasattr(tensor, "toarray"):
        return tensor.toarray()
    return op(lambda x: jnp.asarray(x))(tensor) if is_sparse(tensor) else tensor


# Reading and changing them


def eval(x: Any) -> Any:
    """The value as a NumPy array; an update is carried out."""
    if isinstance(x, Update):
        set_value(x.variable, eval(x.value))
        return get_value(x.variable)
    return get_value(x)


def get_value(x: Any) -> Any:
    """The value of a variable or a hyperparameter, as a NumPy array of one's own.

    Raises:
        TypeError: for anything else that holds no numbers.
    """
    return np.array(np.asarray(x))


@spelled
def batch_get_value(tensors: Sequence[Any]) -> list[Any]:
    """The values of several variables."""
    return [get_value(tensor) for tensor in tensors]


def set_value(x: Any, value: Any) -> None:
    """Give a variable or a hyperparameter another value.

    Raises:
        TypeError: if `x` is neither.
        ValueError: for another shape.
    """
    if not hasattr(x, "assign"):
        raise TypeError(f"set_value takes a variable, got {type(x).__name__}: {x!r}")
    x.assign(np.asarray(value))


def batch_set_value(tuples: Sequence[tuple[Any, Any]]) -> None:
    """Give several variables other values, as (variable, value) pairs."""
    for x, value in tuples:
        set_value(x, value)


def update(x: Any, new_x: Any) -> Any:
    """The next value of a variable: for `updates=` and `add_update`.

    Before Keras 3 that is a pair, which `function` carries out. In the modern dialect it is
    assigned at once, as eager Keras does, and `x` is given back.
    """
    if config.dialect() == "modern":
        x.assign(new_x)
        return x
    return Update(x, new_x)


def update_add(x: Any, increment: Any) -> Any:
    """A variable's next value: that much more."""
    return update(x, x + increment)


def update_sub(x: Any, decrement: Any) -> Any:
    """A variable's next value: that much less."""
    return update(x, x - decrement)


@spelled
def moving_average_update(x: Any, value: Any, momentum: Any) -> Any:
    """A variable's next value: `momentum·x + (1 - momentum)·value`."""
    return update(x, x * momentum + value * (1.0 - momentum))


@op
def print_tensor(x: Any, message: str = "", summarize: int | None = 3) -> Any:
    """`x`, printed after the message each time that it is computed.

    Args:
        summarize: entries shown at each end of a long axis; all of them for -1 or None.
    """

    def show(value: Any) -> None:
        if summarize in (None, -1):
            shown = np.array2string(np.asarray(value))
        else:
            shown = np.array2string(np.asarray(value), edgeitems=summarize, threshold=0)
        print(message, shown, flush=True)

    jax.debug.callback(show, x)
    return jnp.asarray(x)
