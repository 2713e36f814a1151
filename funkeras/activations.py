"""Activations: pure functions of an array, looked up by name."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import jax.numpy as jnp
from jax import nn

from funkeras import config
from funkeras.registry import Registry, custom_object_scope
from funkeras.typing import Array, Identifier
from funkeras.variables import overridable

__all__ = [
    "celu",
    "deserialize",
    "elu",
    "exponential",
    "gelu",
    "get",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "serialize",
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
    "tanh",
    "tanh_shrink",
    "threshold",
]

F = TypeVar("F", bound=Callable[..., Array])

registry: Registry[Callable[..., Array]] = Registry("activation")


def _activation(function: F) -> F:
    known = overridable(function)
    registry.add(known, function.__name__)
    return known


def _in_float32(function: Callable[..., Array], x: Array, axis: int | tuple[int, ...]) -> Array:
    """Sums of exponentials in float32, for types that have too few digits for them."""
    narrow = jnp.issubdtype(x.dtype, jnp.floating) and jnp.finfo(x.dtype).bits < 32
    return function(x.astype(jnp.float32), axis).astype(x.dtype) if narrow else function(x, axis)


@_activation
def linear(x: Array) -> Array:
    """`x`."""
    return x


@_activation
def softmax(x: Array, axis: int | tuple[int, ...] = -1) -> Array:
    """`exp(x) / sum(exp(x))` along an axis; half precision is summed in float32."""
    return _in_float32(nn.softmax, jnp.asarray(x), axis)


@_activation
def log_softmax(x: Array, axis: int | tuple[int, ...] = -1) -> Array:
    """`x - log(sum(exp(x)))` along an axis; half precision is summed in float32."""
    return _in_float32(nn.log_softmax, jnp.asarray(x), axis)


@_activation
def sparsemax(x: Array, axis: int = -1) -> Array:
    """The point of the simplex nearest to `x`, along an axis.

    `max(x - t, 0)` with the threshold `t` that makes the sum 1. Martins and Astudillo 2016,
    https://arxiv.org/abs/1602.02068.
    """
    x = jnp.moveaxis(jnp.asarray(x), axis, -1)
    decreasing = -jnp.sort(-x)
    excess = jnp.cumsum(decreasing, axis=-1) - 1
    rank = jnp.arange(1, x.shape[-1] + 1, dtype=x.dtype)
    support = jnp.sum(rank * decreasing > excess, axis=-1, keepdims=True)
    cut = jnp.take_along_axis(excess, support - 1, axis=-1) / support.astype(x.dtype)
    return jnp.moveaxis(nn.relu(x - cut), -1, axis)


@_activation
def relu(
    x: Array,
    negative_slope: float = 0.0,
    max_value: float | None = None,
    threshold: float = 0.0,
    *,
    alpha: float | None = None,
) -> Array:
    """`min(x, max_value)` above the threshold, `negative_slope * (x - threshold)` below it.

    `alpha` is the name of the slope in Keras 1 and 2.
    """
    x = jnp.asarray(x)
    slope = negative_slope if alpha is None else alpha
    y = jnp.where(x > threshold, x, 0) if threshold else nn.relu(x)
    if max_value is not None:
        y = jnp.where(y > max_value, max_value, y)
        y = jnp.where(y < 0, 0, y) if threshold < 0 else y  # with a ceiling there is a floor too
    return y + slope * jnp.where(x < threshold, x - threshold, 0) if slope else y


@_activation
def leaky_relu(x: Array, negative_slope: float = 0.2, *, alpha: float | None = None) -> Array:
    """`x` above 0, `negative_slope * x` below; `alpha` is the slope's name in tf.keras."""
    return nn.leaky_relu(x, negative_slope if alpha is None else alpha)


@_activation
def relu6(x: Array) -> Array:
    """`min(max(x, 0), 6)`."""
    return nn.relu6(x)


@_activation
def elu(x: Array, alpha: float = 1.0) -> Array:
    """`x` above 0, `alpha * (exp(x) - 1)` below.

    Clevert et al. 2016, https://arxiv.org/abs/1511.07289.
    """
    return nn.elu(x, alpha)


@_activation
def celu(x: Array, alpha: float = 1.0) -> Array:
    """`x` above 0, `alpha * (exp(x / alpha) - 1)` below.

    Barron 2017, https://arxiv.org/abs/1704.07483.
    """
    return nn.celu(x, alpha)


@_activation
def selu(x: Array) -> Array:
    """`scale * elu(x, alpha)` with the constants that keep mean 0 and variance 1.

    Klambauer et al. 2017, https://arxiv.org/abs/1706.02515.
    """
    return nn.selu(x)


@_activation
def gelu(x: Array, approximate: bool = False) -> Array:
    """`x` times the normal distribution function of `x`, or its approximation by `tanh`.

    Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415.
    """
    return nn.gelu(x, approximate)


@_activation
def silu(x: Array) -> Array:
    """`x * sigmoid(x)`, also called swish."""
    return nn.silu(x)


@_activation
def mish(x: Array) -> Array:
    """`x * tanh(softplus(x))`: Misra 2019, https://arxiv.org/abs/1908.08681."""
    return nn.mish(x)


@_activation
def glu(x: Array, axis: int = -1) -> Array:
    """First half of an axis times the sigmoid of the second half.

    Dauphin et al. 2017, https://arxiv.org/abs/1612.08083.
    """
    return nn.glu(x, axis)


@_activation
def softplus(x: Array) -> Array:
    """`log(1 + exp(x))`."""
    return nn.softplus(x)


@_activation
def squareplus(x: Array, b: float = 4) -> Array:
    """`(x + sqrt(x² + b)) / 2`."""
    return nn.squareplus(x, b)


@_activation
def sparse_plus(x: Array) -> Array:
    """0 up to -1, `(x + 1)² / 4` up to 1, `x` beyond."""
    return nn.sparse_plus(x)


@_activation
def softsign(x: Array) -> Array:
    """`x / (1 + |x|)`."""
    return nn.soft_sign(x)


@_activation
def tanh(x: Array) -> Array:
    """Hyperbolic tangent."""
    return jnp.tanh(x)


@_activation
def hard_tanh(x: Array) -> Array:
    """`x` within [-1, 1], the nearer end outside."""
    return nn.hard_tanh(x)


@_activation
def tanh_shrink(x: Array) -> Array:
    """`x - tanh(x)`."""
    return x - jnp.tanh(x)


@_activation
def hard_shrink(x: Array, threshold: float = 0.5) -> Array:
    """`x` where `|x| > threshold`, else 0."""
    return jnp.where(jnp.abs(x) > threshold, x, 0.0)


@_activation
def soft_shrink(x: Array, threshold: float = 0.5) -> Array:
    """`x` moved towards 0 by the threshold, at most to 0."""
    return jnp.where(jnp.abs(x) > threshold, x - threshold * jnp.sign(x), 0)


@_activation
def threshold(x: Array, threshold: float, default_value: float) -> Array:
    """`x` above the threshold, `default_value` elsewhere."""
    return jnp.where(x > threshold, x, default_value)


@_activation
def exponential(x: Array) -> Array:
    """`exp(x)`."""
    return jnp.exp(x)


@_activation
def sigmoid(x: Array) -> Array:
    """`1 / (1 + exp(-x))`."""
    return nn.sigmoid(x)


@_activation
def log_sigmoid(x: Array) -> Array:
    """`log(sigmoid(x))`."""
    return nn.log_sigmoid(x)


@_activation
def sparse_sigmoid(x: Array) -> Array:
    """0 up to -1, `(x + 1) / 2` up to 1, 1 beyond."""
    return nn.sparse_sigmoid(x)


@_activation
def hard_sigmoid(x: Array) -> Array:
    """`0.2 x + 0.5` cut to [0, 1] in Keras 1 and 2, `x / 6 + 0.5` in Keras 3."""
    return HARD_SIGMOIDS[config.dialect()](x)


def _classic_hard_sigmoid(x: Array) -> Array:
    x = jnp.asarray(x)
    return jnp.where(x < -2.5, 0, jnp.where(x > 2.5, 1, 0.2 * x + 0.5))


def _modern_hard_sigmoid(x: Array) -> Array:
    return nn.relu6(x + 3) / 6


HARD_SIGMOIDS: dict[str, Callable[[Array], Array]] = {
    "classic": _classic_hard_sigmoid,
    "keras2": _classic_hard_sigmoid,
    "modern": _modern_hard_sigmoid,
}


@_activation
def hard_silu(x: Array) -> Array:
    """`x * relu6(x + 3) / 6`, also called hard swish: https://arxiv.org/abs/1905.02244."""
    return nn.hard_silu(x)


swish = silu
hard_swish = hard_silu
registry.add(silu, "swish")
registry.add(hard_silu, "hard_swish")


def get(identifier: Identifier) -> Callable[..., Array]:
    """The activation of that name, with the formula of the present dialect; None is `linear`."""
    found = linear if identifier is None else registry.get(identifier)
    return HARD_SIGMOIDS[config.dialect()] if found is hard_sigmoid else found


def serialize(activation: Any) -> Any:
    """The name that `get` turns back into the activation."""
    known = any(activation is formula for formula in HARD_SIGMOIDS.values())
    return registry.serialize(hard_sigmoid if known else activation)


def deserialize(
    name: Identifier, custom_objects: Mapping[str, Any] | None = None
) -> Callable[..., Array]:
    """The activation that `serialize` described."""
    with custom_object_scope(custom_objects):
        return get(name)
