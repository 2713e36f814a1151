"""Activations: functions of one array, each of an entry or along one axis."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from jax import nn

from funkeras import activations
from funkeras.ops.arguments import array
from funkeras.ops.lifting import op

__all__ = [
    "celu",
    "elu",
    "gelu",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "log_sigmoid",
    "log_softmax",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh_shrink",
    "threshold",
]


def _of_anything(function: Callable[..., Any]) -> Callable[..., Any]:
    """An activation as an operation, which takes lists and numbers too."""

    @wraps(function)
    def converted(x: Any, *args: Any, **kwargs: Any) -> Any:
        return function(array(x), *args, **kwargs)

    return op(converted)


celu = _of_anything(activations.celu)
elu = _of_anything(activations.elu)
glu = _of_anything(activations.glu)
hard_shrink = _of_anything(activations.hard_shrink)
hard_silu = _of_anything(activations.hard_silu)
hard_swish = hard_silu
hard_tanh = _of_anything(activations.hard_tanh)
log_sigmoid = _of_anything(activations.log_sigmoid)
log_softmax = _of_anything(activations.log_softmax)
relu6 = _of_anything(activations.relu6)
selu = _of_anything(activations.selu)
sigmoid = _of_anything(activations.sigmoid)
silu = _of_anything(activations.silu)
swish = silu
soft_shrink = _of_anything(activations.soft_shrink)
softmax = _of_anything(activations.softmax)
softplus = _of_anything(activations.softplus)
softsign = _of_anything(activations.softsign)
sparse_plus = _of_anything(activations.sparse_plus)
sparse_sigmoid = _of_anything(activations.sparse_sigmoid)
sparsemax = _of_anything(activations.sparsemax)
squareplus = _of_anything(activations.squareplus)
tanh_shrink = _of_anything(activations.tanh_shrink)
threshold = _of_anything(activations.threshold)


@op
def gelu(x: Any, approximate: bool = True) -> Any:
    """`x` times the normal distribution function of `x`, by `tanh` where approximate."""
    return activations.gelu(array(x), approximate)


@op
def hard_sigmoid(x: Any) -> Any:
    """`x / 6 + 0.5` cut to [0, 1]."""
    return nn.hard_sigmoid(array(x))


@op
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """`x` above 0, `negative_slope * x` below."""
    return activations.leaky_relu(array(x), negative_slope)


@op
def relu(x: Any) -> Any:
    """`max(x, 0)`."""
    return activations.relu(array(x))
