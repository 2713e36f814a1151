"""Layers that map, rearrange, mask or penalise features; any function as a layer."""

import inspect
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax.numpy as jnp
from jax import nn
from jaxtyping import Bool, Shaped

from funkeras import activations, config, initializers, regularizers
from funkeras.functional.checks import known, no_mask, one_of, positive, rank
from funkeras.functional.combinators import penalized
from funkeras.functional.pair import Pair, Weight, layer, stateless
from funkeras.functional.products import times
from funkeras.typing import Array, Identifier, Key, Params, PyTree, Shape, State
from funkeras.variables import running

__all__ = [
    "activation",
    "activity_regularization",
    "dense",
    "flatten",
    "highway",
    "identity",
    "lambda_",
    "layer_scale",
    "masking",
    "maxout_dense",
    "permute",
    "repeat_vector",
    "reshape",
]


@layer("Dense")
def dense(
    units: int,
    activation: Identifier = None,
    use_bias: bool = True,
    kernel_initializer: Identifier = "glorot_uniform",
    bias_initializer: Identifier = "zeros",
) -> Pair:
    """Affine map of the last axis: `activation(x @ kernel + bias)`.

    >>> from funkeras.functional import output_shape
    >>> output_shape(dense(4), (None, 3))
    (None, 4)
    """
    positive("units", units)
    activate = activations.get(activation)

    def weights(input_shape: Shape) -> Iterator[Weight]:
        shape = known("last axis", input_shape, -1), units
        yield Weight("kernel", shape, kernel_initializer, channels=(1,))
        if use_bias:
            yield Weight("bias", (units,), bias_initializer)

    def apply(params: Params, x: Shaped[Array, "*n features"]) -> Shaped[Array, "*n units"]:
        y = times(x, params["kernel"])
        return activate(y + params["bias"] if use_bias else y)

    return stateless(apply, weights)


@layer("Activation")
def activation(activation: Identifier) -> Pair:
    """Apply a function to each input: `activation(x)`."""
    activate = activations.get(activation)

    def apply(params: Params, x: Shaped[Array, "*n"]) -> Shaped[Array, "*n"]:
        return activate(x)

    return stateless(apply)


@layer("Flatten")
def flatten(data_format: str | None = None) -> Pair:
    """All axes but the batch as one; `channels_first` inputs are read channels last.

    >>> from funkeras.functional import output_shape
    >>> output_shape(flatten(), (None, 4, 5))
    (None, 20)
    """
    one_of("data_format", data_format, (None, "channels_first", "channels_last"))

    def apply(params: Params, x: Shaped[Array, "batch *n"]) -> Shaped[Array, "batch features"]:
        if data_format == "channels_first" and x.ndim > 2:
            x = jnp.moveaxis(x, 1, -1)
        return jnp.reshape(x, (x.shape[0], math.prod(x.shape[1:])))

    return stateless(apply, mask=no_mask)


@layer("Reshape")
def reshape(target_shape: Shape) -> Pair:
    """Another shape for the same entries, the batch left out; one size may be -1.

    >>> from funkeras.functional import output_shape
    >>> output_shape(reshape((2, -1)), (None, 6))
    (None, 2, 3)
    """
    sizes = tuple(-1 if size is None else int(size) for size in target_shape)
    if sizes.count(-1) > 1:
        raise ValueError(f"target_shape may have one unknown size, got {target_shape}")

    def apply(params: Params, x: Shaped[Array, "batch *n"]) -> Shaped[Array, "batch *m"]:
        count = math.prod(x.shape[1:])
        wanted = abs(math.prod(sizes))
        if (count != wanted) if -1 not in sizes else count % max(wanted, 1):
            raise ValueError(f"target_shape {target_shape} does not fit an input of {x.shape[1:]}")
        return jnp.reshape(x, (x.shape[0], *sizes))

    return stateless(apply, mask=no_mask)


@layer("Permute")
def permute(dims: tuple[int, ...]) -> Pair:
    """Axes in another order; counted from 1, the batch stays.

    >>> from funkeras.functional import output_shape
    >>> output_shape(permute((2, 1)), (None, 10, 64))
    (None, 64, 10)
    """
    dims = tuple(dims)
    if sorted(dims) != list(range(1, len(dims) + 1)):
        raise ValueError(f"dims must be a permutation of 1..n, got {dims}")

    def apply(params: Params, x: Shaped[Array, "batch *n"]) -> Shaped[Array, "batch *m"]:
        if x.ndim != len(dims) + 1:
            raise ValueError(f"dims {dims} need an input of rank {len(dims) + 1}, got {x.shape}")
        return jnp.transpose(x, (0, *dims))

    return stateless(apply, mask=no_mask)


@layer("RepeatVector")
def repeat_vector(n: int) -> Pair:
    """Each feature vector `n` times along a new time axis.

    >>> from funkeras.functional import output_shape
    >>> output_shape(repeat_vector(3), (None, 32))
    (None, 3, 32)
    """
    positive("n", n)

    def apply(
        params: Params, x: Shaped[Array, "batch features"]
    ) -> Shaped[Array, "batch n features"]:
        rank(x.shape, 2)
        return jnp.repeat(x[:, None, :], n, axis=1)

    return stateless(apply, mask=no_mask)


@layer("Identity")
def identity() -> Pair:
    """The inputs as they are."""

    def apply(params: Params, x: PyTree) -> PyTree:
        return x

    return stateless(apply)


@layer("LayerScale")
def layer_scale(init_values: float, projection_dim: int) -> Pair:
    """Scale each feature by a learned factor: `gamma * x`.

    Touvron, Cord, Sablayrolles, Synnaeve and Jégou 2021, https://arxiv.org/abs/2103.17239

    Args:
        init_values: the factors before training, the smaller the deeper the net.
        projection_dim: the number of features.

    >>> from funkeras.functional import output_shape
    >>> output_shape(layer_scale(1e-6, 3), (None, 4, 3))
    (None, 4, 3)
    """
    positive("projection_dim", projection_dim)

    def weights(input_shape: Shape) -> Iterator[Weight]:
        yield Weight("gamma", (projection_dim,), initializers.constant(init_values))

    def apply(params: Params, x: Shaped[Array, "*n features"]) -> Shaped[Array, "*n features"]:
        return x * params["gamma"]

    return stateless(apply, weights)


@layer("Masking")
def masking(mask_value: float = 0.0) -> Pair:
    """Zero and mask the time steps at which every feature equals `mask_value`.

    The mask that goes on is that of this layer alone.
    """

    def present(x: Shaped[Array, "*n features"]) -> Bool[Array, "*n"]:
        return jnp.any(x != mask_value, axis=-1)

    def apply(params: Params, x: Shaped[Array, "*n features"]) -> Shaped[Array, "*n features"]:
        return jnp.where(present(x)[..., None], x, jnp.zeros((), x.dtype))

    def mask(x: Array, mask: PyTree) -> Array:
        return present(x)

    return stateless(apply, mask=mask)


@layer("Lambda")
def lambda_(
    function: Any,
    output_shape: Any = None,
    mask: Any = None,
    arguments: Mapping[str, Any] | None = None,
) -> Pair:
    """Any pure function of the inputs: `function(x, **arguments)`.

    A function with an argument `mask`, `training` or `key` gets the mask of its inputs, whether
    this is training, and in training a key for random draws.

    Args:
        output_shape: taken for the sake of old scripts; the shape follows from the function.
        mask: the mask that goes on, or `mask(x, mask)` that gives it; none by default.

    >>> from funkeras.functional import output_shape
    >>> output_shape(lambda_(lambda x, power=1: x**power, arguments={"power": 2}), (None, 3))
    (None, 3)
    """
    if not callable(function):
        raise TypeError(f"function must be callable, got {type(function).__name__}")
    given = dict(arguments or {})
    wanted = {"mask", "training", "key"} & (_parameters(function) - set(given))

    def apply(
        params: Params,
        state: State,
        x: PyTree,
        *,
        training: bool = False,
        key: Key | None = None,
        mask: PyTree = None,
    ) -> tuple[PyTree, State]:
        flow = {"training": training, "key": key, "mask": mask}
        with running(training, key):
            return function(x, **given, **{name: flow[name] for name in wanted}), state

    def mask_after(x: PyTree, present: PyTree) -> PyTree:
        return mask(x, present) if callable(mask) else mask

    return Pair(apply, mask=mask_after)


def _parameters(function: Callable[..., Any]) -> set[str]:
    """Names of a function's arguments; none for a built-in function that does not tell."""
    try:
        return set(inspect.signature(function).parameters)
    except ValueError:
        return set()


@layer("ActivityRegularization")
def activity_regularization(l1: float = 0.0, l2: float = 0.0) -> Pair:
    """The inputs as they are; `l1 * sum(|x|) + l2 * sum(x²)` joins the loss.

    Keras 1 and 2 sum it over the batch, Keras 3 divides by the batch size.
    """
    per_sample = config.dialect() == "modern"
    return penalized(identity(), regularizers.L1L2(l1=l1, l2=l2), per_sample)


@layer("Highway")
def highway(
    kernel_initializer: Identifier = "glorot_uniform",
    activation: Identifier = None,
    use_bias: bool = True,
    bias_initializer: Identifier = "zeros",
) -> Pair:
    """A dense layer that lets part of its input pass: `t * dense(x) + (1 - t) * x`.

    `t = sigmoid(x @ kernel_carry + bias_carry)`, where `bias_carry` starts at 1. A layer of
    Keras 1. Srivastava et al. 2015, https://arxiv.org/abs/1505.00387

    >>> from funkeras.functional import output_shape
    >>> output_shape(highway(activation="relu"), (None, 3))
    (None, 3)
    """
    activate = activations.get(activation or "linear")

    def weights(input_shape: Shape) -> Iterator[Weight]:
        size = known("last axis", input_shape, -1)
        yield Weight("kernel", (size, size), kernel_initializer)
        yield Weight("kernel_carry", (size, size), kernel_initializer)
        if use_bias:
            yield Weight("bias", (size,), bias_initializer)
            yield Weight("bias_carry", (size,), "ones")

    def affine(params: Params, x: Array, suffix: str = "") -> Array:
        y = times(x, params[f"kernel{suffix}"])
        return y + params[f"bias{suffix}"] if use_bias else y

    def apply(params: Params, x: Shaped[Array, "*n features"]) -> Shaped[Array, "*n features"]:
        transform = nn.sigmoid(affine(params, x, "_carry"))
        return transform * activate(affine(params, x)) + (1 - transform) * x

    return stateless(apply, weights)


@layer("MaxoutDense")
def maxout_dense(
    output_dim: int,
    nb_feature: int = 4,
    kernel_initializer: Identifier = "glorot_uniform",
    use_bias: bool = True,
    bias_initializer: Identifier = "zeros",
) -> Pair:
    """The largest of `nb_feature` affine maps: `max_k(x @ kernel[k] + bias[k])`.

    A layer of Keras 1. Goodfellow et al. 2013, https://arxiv.org/abs/1302.4389

    >>> from funkeras.functional import output_shape
    >>> output_shape(maxout_dense(4), (None, 3))
    (None, 4)
    """
    positive("output_dim", output_dim)
    positive("nb_feature", nb_feature)

    def weights(input_shape: Shape) -> Iterator[Weight]:
        size = known("last axis", input_shape, -1)
        yield Weight("kernel", (nb_feature, size, output_dim), kernel_initializer)
        if use_bias:
            yield Weight("bias", (nb_feature, output_dim), bias_initializer)

    def apply(params: Params, x: Shaped[Array, "*n features"]) -> Shaped[Array, "*n units"]:
        y = jnp.einsum("...i,kio->...ko", x, params["kernel"])
        return jnp.max(y + params["bias"] if use_bias else y, axis=-2)

    return stateless(apply, weights)
