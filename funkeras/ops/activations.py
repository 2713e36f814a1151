"""Activations: functions of one array, each of an entry or along one axis."""

from typing import Any

import jax.numpy as jnp
from jax import nn

from funkeras import activations
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


@op
def celu(x: Any, alpha: float = 1.0) -> Any:
    """`x` above 0, `alpha * (exp(x / alpha) - 1)` below: https://arxiv.org/abs/1704.07483."""
    return activations.celu(jnp.asarray(x), alpha)


@op
def elu(x: Any, alpha: float = 1.0) -> Any:
    """`x` above 0, `alpha * (exp(x) - 1)` below: https://arxiv.org/abs/1511.07289."""
    return activations.elu(jnp.asarray(x), alpha)


@op
def gelu(x: Any, approximate: bool = True) -> Any:
    """`x` times the normal distribution function of `x`, by `tanh` where approximate."""
    return activations.gelu(jnp.asarray(x), approximate)


@op
def glu(x: Any, axis: int = -1) -> Any:
    """First half of an axis times the sigmoid of the second: https://arxiv.org/abs/1612.08083."""
    return activations.glu(jnp.asarray(x), axis)


@op
def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """`x` where `|x| > threshold`, else 0."""
    return activations.hard_shrink(jnp.asarray(x), threshold)


@op
def hard_sigmoid(x: Any) -> Any:
    """`x / 6 + 0.5` cut to [0, 1]."""
    return nn.hard_sigmoid(jnp.asarray(x))


@op
def hard_silu(x: Any) -> Any:
    """`x * hard_sigmoid(x)`, also called hard swish: https://arxiv.org/abs/1905.02244."""
    return activations.hard_silu(jnp.asarray(x))


hard_swish = hard_silu


@op
def hard_tanh(x: Any) -> Any:
    """`x` within [-1, 1], the nearer end outside."""
    return activations.hard_tanh(jnp.asarray(x))


@op
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """`x` above 0, `negative_slope * x` below."""
    return activations.leaky_relu(jnp.asarray(x), negative_slope)


@op
def log_sigmoid(x: Any) -> Any:
    """`log(sigmoid(x))`."""
    return activations.log_sigmoid(jnp.asarray(x))


@op
def log_softmax(x: Any, axis: Any = -1) -> Any:
    """`x - log(sum(exp(x)))` along an axis, or several."""
    return activations.log_softmax(jnp.asarray(x), axis)


@op
def relu(x: Any) -> Any:
    """`max(x, 0)`."""
    return activations.relu(jnp.asarray(x))


@op
def relu6(x: Any) -> Any:
    """`min(max(x, 0), 6)`."""
    return activations.relu6(jnp.asarray(x))


@op
def selu(x: Any) -> Any:
    """`elu` scaled so that mean 0 and variance 1 stay: https://arxiv.org/abs/1706.02515."""
    return activations.selu(jnp.asarray(x))


@op
def sigmoid(x: Any) -> Any:
    """`1 / (1 + exp(-x))`."""
    return activations.sigmoid(jnp.asarray(x))


@op
def silu(x: Any) -> Any:
    """`x * sigmoid(x)`, also called swish."""
    return activations.silu(jnp.asarray(x))


swish = silu


@op
def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """`x` moved towards 0 by the threshold, at most to 0."""
    return activations.soft_shrink(jnp.asarray(x), threshold)


@op
def softmax(x: Any, axis: Any = -1) -> Any:
    """`exp(x) / sum(exp(x))` along an axis, or several; None is all of them."""
    return activations.softmax(jnp.asarray(x), axis)


@op
def softplus(x: Any) -> Any:
    """`log(1 + exp(x))`."""
    return activations.softplus(jnp.asarray(x))


@op
def softsign(x: Any) -> Any:
    """`x / (1 + |x|)`."""
    return activations.softsign(jnp.asarray(x))


@op
def sparse_plus(x: Any) -> Any:
    """0 up to -1, `(x + 1)² / 4` up to 1, `x` beyond."""
    return activations.sparse_plus(jnp.asarray(x))


@op
def sparse_sigmoid(x: Any) -> Any:
    """0 up to -1, `(x + 1) / 2` up to 1, 1 beyond."""
    return activations.sparse_sigmoid(jnp.asarray(x))


@op
def sparsemax(x: Any, axis: int = -1) -> Any:
    """The point of the simplex nearest to `x` along an axis: https://arxiv.org/abs/1602.02068."""
    return activations.sparsemax(jnp.asarray(x), axis)


@op
def squareplus(x: Any, b: float = 4) -> Any:
    """`(x + sqrt(x² + b)) / 2`."""
    return activations.squareplus(jnp.asarray(x), b)


@op
def tanh_shrink(x: Any) -> Any:
    """`x - tanh(x)`."""
    return activations.tanh_shrink(jnp.asarray(x))


@op
def threshold(x: Any, threshold: Any, default_value: Any) -> Any:
    """`x` above the threshold, `default_value` elsewhere."""
    return activations.threshold(jnp.asarray(x), threshold, default_value)
