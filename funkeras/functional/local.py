"""Locally connected layers: convolutions with a kernel of its own at every place."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

import jax.numpy as jnp
import numpy as np
from jaxtyping import Shaped

from funkeras import activations
from funkeras.functional.checks import known, no_mask, one_of, positive, rank, tuple_of
from funkeras.functional.convolution import Sizes, channels_at, fitting_padding
from funkeras.functional.convolve import Padding, output_sizes
from funkeras.functional.pair import Pair, Weight, layer, stateless
from funkeras.typing import Array, Identifier, Params, Shape

__all__ = ["locally_connected1d", "locally_connected2d"]


@layer("LocallyConnected1D")
def locally_connected1d(
    filters: int,
    kernel_size: Sizes,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    activation: Identifier = None,
    use_bias: bool = True,
    kernel_initializer: Identifier = "glorot_uniform",
    bias_initializer: Identifier = "zeros",
    implementation: int = 1,
) -> Pair:
    """A convolution in time whose kernel and bias differ from step to step.

    >>> from funkeras.functional import output_shape
    >>> output_shape(locally_connected1d(8, 3), (None, 5, 4))
    (None, 3, 8)
    """
    return _locally_connected(
        1,
        filters,
        kernel_size,
        strides,
        padding,
        data_format,
        activation,
        use_bias,
        kernel_initializer,
        bias_initializer,
        implementation,
    )


@layer("LocallyConnected2D")
def locally_connected2d(
    filters: int,
    kernel_size: Sizes,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    activation: Identifier = None,
    use_bias: bool = True,
    kernel_initializer: Identifier = "glorot_uniform",
    bias_initializer: Identifier = "zeros",
    implementation: int = 1,
) -> Pair:
    """A convolution of images whose kernel and bias differ from place to place.

    `implementation` is how the kernel is stored; what is computed is always the same.

    1. (places, features, filters), where the features of a place are its kernel's entries.
    2. As the dense matrix of the whole layer: (*size, in, *output size, filters), or with the
       channels and filters first. Entries that connect nothing have no influence.
    3. The entries of that matrix that connect anything, in order of output, then input.

    `same` padding, for the last two, puts half the kernel before the input.

    >>> from funkeras.functional import output_shape
    >>> output_shape(locally_connected2d(8, (3, 2), 2), (None, 7, 6, 4))
    (None, 3, 3, 8)
    """
    return _locally_connected(
        2,
        filters,
        kernel_size,
        strides,
        padding,
        data_format,
        activation,
        use_bias,
        kernel_initializer,
        bias_initializer,
        implementation,
    )


@dataclass(frozen=True)
class Connections:
    """Which inputs each output of a locally connected layer sees."""

    size: tuple[int, ...]
    channels: int
    kernel_size: tuple[int, ...]
    strides: tuple[int, ...]
    edges: Padding
    filters: int
    channels_first: bool

    @property
    def out(self) -> tuple[int, ...]:
        """Number of outputs along each axis."""
        once = (1,) * len(self.size)
        return output_sizes(self.size, self.kernel_size, self.strides, self.edges, once)

    @property
    def features(self) -> tuple[int, int]:
        """Entries of a kernel: places, channels."""
        return math.prod(self.kernel_size), self.channels

    def shape(self, size: tuple[int, ...], channels: int) -> tuple[int, ...]:
        """Sizes and channels in the order of the data format."""
        return (channels, *size) if self.channels_first else (*size, channels)

    def flat(self, size: tuple[int, ...], channels: int, places: np.ndarray) -> np.ndarray:
        """Index of each channel at places (*n, axes) in a flat sample, by data format: (*n, c)."""
        inside = np.clip(places, 0, np.array(size) - 1)
        spot = inside @ np.array([math.prod(size[axis + 1 :]) for axis in range(len(size))])
        spot, channel = np.expand_dims(spot, -1), np.arange(channels)
        first = self.channels_first
        return channel * math.prod(size) + spot if first else spot * channels + channel


def _locally_connected(
    space: int,
    filters: int,
    kernel_size: Sizes,
    strides: Sizes,
    padding: str,
    data_format: str | None,
    activation: Identifier,
    use_bias: bool,
    kernel_initializer: Identifier,
    bias_initializer: Identifier,
    implementation: int,
) -> Pair:
    positive("filters", filters)
    kernel_size = tuple_of("kernel_size", kernel_size, space)
    strides = tuple_of("strides", strides, space)
    layout = LAYOUTS[one_of("implementation", implementation, tuple(LAYOUTS))]
    padding = str(padding).lower()
    if one_of("padding", padding, ("valid", "same")) == "same" and implementation == 1:
        raise ValueError("padding must be valid in implementation 1, got 'same'")
    rule = "same_theano" if padding == "same" else padding
    channels_axis = channels_at(data_format)
    activate = activations.get(activation)

    def connections(size: tuple[int, ...], channels: int) -> Connections:
        edges = fitting_padding(rule, size, kernel_size, strides, (1,) * space)
        return Connections(size, channels, kernel_size, strides, edges, filters, channels_axis == 1)

    def weights(input_shape: Shape) -> Iterator[Weight]:
        rank(input_shape, space + 2)
        channels = known("channels axis", input_shape, channels_axis)
        first = 2 if channels_axis == 1 else 1
        axes = range(first, first + space)
        size = tuple(known("spatial axes", input_shape, axis) for axis in axes)
        seen = connections(size, channels)
        yield Weight("kernel", layout(seen)[0], kernel_initializer)
        if use_bias:
            yield Weight("bias", (*seen.out, filters), bias_initializer)

    def apply(params: Params, x: Shaped[Array, "batch *n"]) -> Shaped[Array, "batch *m"]:
        rank(x.shape, space + 2)
        x = jnp.moveaxis(x, channels_axis, -1)
        seen = connections(x.shape[1:-1], x.shape[-1])
        kernel = layout(seen)[1](params["kernel"])
        y = jnp.einsum("bpf,pfo->bpo", _patches(x, seen), kernel)
        y = y.reshape(-1, *seen.out, filters)
        y = y + arranged_bias(params["bias"]) if use_bias else y
        return activate(jnp.moveaxis(y, -1, channels_axis))

    def arranged_bias(bias: Array) -> Array:
        if channels_axis != 1:
            return bias
        # Every Keras declares it (*out, filters) but reads it as (filters, *out).
        return jnp.moveaxis(bias.reshape(filters, *bias.shape[:-1]), 0, -1)

    return stateless(apply, weights, no_mask)


def _patches(x: Array, seen: Connections) -> Array:
    """What each place sees: (batch, places, features), channels changing fastest."""
    x = jnp.pad(x, ((0, 0), *seen.edges, (0, 0)))

    def at(offset: tuple[int, ...]) -> Array:
        starts = zip(offset, seen.out, seen.strides, strict=True)
        return x[:, *(slice(q, q + (n - 1) * s + 1, s) for q, n, s in starts)]

    parts = [at(offset) for offset in product(*map(range, seen.kernel_size))]
    return jnp.stack(parts, -2).reshape(x.shape[0], math.prod(seen.out), -1)


# How a kernel is stored: its shape, and what arranges it as (places, features, filters).

Layout: TypeAlias = Callable[[Connections], tuple[tuple[int, ...], Callable[[Array], Array]]]


def _by_place(seen: Connections) -> tuple[tuple[int, ...], Callable[[Array], Array]]:
    places, channels = seen.features
    shape = (math.prod(seen.out), places * channels, seen.filters)
    if not seen.channels_first:
        return shape, lambda kernel: kernel

    def arranged(kernel: Array) -> Array:
        parts = kernel.reshape(shape[0], channels, places, -1)
        return parts.swapaxes(1, 2).reshape(shape)

    return shape, arranged


def _dense(seen: Connections) -> tuple[tuple[int, ...], Callable[[Array], Array]]:
    given = seen.shape(seen.size, seen.channels)
    result = seen.shape(seen.out, seen.filters)
    inside, sources, targets = _wiring(seen)
    total = math.prod(given) * math.prod(result)
    return (*given, *result), _gather(
        np.where(inside, sources * math.prod(result) + targets, total), seen
    )


def _sparse(seen: Connections) -> tuple[tuple[int, ...], Callable[[Array], Array]]:
    inside, sources, targets = _wiring(seen)
    order = targets * (math.prod(seen.size) * seen.channels) + sources
    stored = np.sort(order[inside])
    index = np.where(inside, np.searchsorted(stored, order), stored.size)
    return (stored.size,), _gather(index, seen)


def _wiring(seen: Connections) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each entry (place, kernel place, channel, filter): is its input real, which, and output.

    Inputs and outputs are numbered as they lie in a flat sample.
    """

    def grid(sizes: tuple[int, ...]) -> np.ndarray:
        return np.indices(sizes).reshape(len(sizes), -1).T

    places, offsets = grid(seen.out), grid(seen.kernel_size)
    before = np.array([low for low, _ in seen.edges])
    looks = places[:, None] * seen.strides + offsets - before
    inside = np.expand_dims(np.all((looks >= 0) & (looks < seen.size), -1), (-2, -1))
    sources = seen.flat(seen.size, seen.channels, looks)[..., None]
    targets = seen.flat(seen.out, seen.filters, places)[:, None, None]
    every = np.broadcast_arrays(inside, sources, targets)
    return every[0], every[1], every[2]


def _gather(index: np.ndarray, seen: Connections) -> Callable[[Array], Array]:
    """Entries of the flat kernel by index, 0 where that is beyond its end."""
    shape = (index.shape[0], -1, seen.filters)

    def arranged(kernel: Array) -> Array:
        return jnp.take(kernel.ravel(), index, mode="fill", fill_value=0).reshape(shape)

    return arranged


LAYOUTS: dict[int, Layout] = {1: _by_place, 2: _dense, 3: _sparse}
"""Keras's `implementation` → how the kernel is stored."""
