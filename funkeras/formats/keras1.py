"""Arrays as older Kerases arranged them, made into today's arrangement, by kind of layer.

Keras 1 with `th` ordering put a kernel's filters first, its recurrent layers had an array for each
gate, and Theano turned every kernel round, in Keras 2 as well. The layers of cuDNN transposed their
kernels and had two biases.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Kernels", "Origin", "array_count", "origin_of", "rearranged"]

SPACE = {
    "Conv1D": 1,
    "Conv1DTranspose": 1,
    "Conv2D": 2,
    "Conv2DTranspose": 2,
    "Conv3D": 3,
    "Conv3DTranspose": 3,
    "ConvLSTM1D": 1,
    "ConvLSTM2D": 2,
    "ConvLSTM3D": 3,
    "DepthwiseConv1D": 1,
    "DepthwiseConv2D": 2,
    "SeparableConv1D": 1,
    "SeparableConv2D": 2,
}
"""Layers that convolve → number of spatial axes."""

TRANSPOSED = ("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose")
"""Layers whose kernels are (*space, out, in)."""

TURNED = [kind for kind in SPACE if not kind.startswith(("Depthwise", "Separable"))]
"""Layers whose kernels Theano turns round: it computes those by channel as others do."""

GATES = {"LSTM": (0, 2, 1, 3), "ConvLSTM2D": (0, 2, 1, 3), "GRU": (0, 1, 2)}
"""Layers with gates → where Keras 1 has each of today's: LSTM i, c, f, o; GRU z, r, h."""

ROLES = 3
"""Arrays of a gate: kernel, recurrent kernel, bias."""


class Origin(NamedTuple):
    """Which Keras made a file, as far as its arrays depend on that."""

    generation: int
    """0 to 3."""
    backend: str | None
    """None when nothing in the file tells it."""

    @property
    def is_old(self) -> bool:
        """Whether the arrays are those of Keras 0 or 1."""
        return self.generation < 2


def origin_of(
    attributes: Mapping[str, Any], names: Sequence[str], backend: str | None = None
) -> Origin:
    """The origin that a file's attributes and the names of its weights tell, or the `backend` said.

    Keras 1 names no backend, but only TensorFlow ends the name of a variable with `:0`. Keras 0
    only numbers its arrays.

    >>> origin_of({}, ["dense_1_W"])
    Origin(generation=1, backend='theano')
    >>> origin_of({"keras_version": "2.1.3", "backend": "tensorflow"}, ["dense_1/kernel:0"])
    Origin(generation=2, backend='tensorflow')
    """
    version = attributes.get("keras_version")
    numbered = bool(names) and all(name.startswith("param_") for name in names)
    if isinstance(version, str) and version[:1].isdigit():
        generation = int(version[0])
    else:
        generation = 0 if numbered else 1
    backend = backend or attributes.get("backend")
    if isinstance(backend, str):
        return Origin(generation, backend)
    if generation > 1:
        return Origin(generation, "tensorflow")
    if numbered:
        return Origin(generation, None)
    return Origin(generation, "tensorflow" if any(":" in name for name in names) else "theano")


def array_count(kind: str, arrays: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]]) -> int:
    """How many of the next arrays of a file belong to a layer with weights of these shapes."""
    gates = len(GATES.get(kind, ()))
    by_gate = (
        gates and arrays and len(shapes) == ROLES and arrays[0].size * gates == math.prod(shapes[0])
    )
    return gates * ROLES if by_gate else len(shapes)


def rearranged(
    kind: str,
    arrays: Sequence[np.ndarray],
    shapes: Sequence[tuple[int, ...]],
    channels_first: bool,
    origin: Origin,
) -> list[np.ndarray]:
    """The arrays of one layer in today's arrangement.

    Args:
        kind: today's name of the layer's class.
        shapes: of the layer's weights, in today's order.
    """
    if kind in SPACE:
        wanted = shapes if len(arrays) == len(shapes) else [()] * len(arrays)
        arrays = [
            _kernel(kind, array, shape, channels_first, origin)
            for array, shape in zip(arrays, wanted, strict=True)
        ]
    if kind in GATES and len(arrays) == len(GATES[kind]) * ROLES:
        arrays = [
            np.concatenate([arrays[ROLES * gate + role] for gate in GATES[kind]], axis=-1)
            for role in range(ROLES)
        ]
    if kind in GATES and len(arrays) == len(shapes) == ROLES:
        arrays = _from_cudnn(len(GATES[kind]), arrays, shapes[2])
    return list(arrays)


def _kernel(
    kind: str,
    array: np.ndarray,
    shape: tuple[int, ...],
    channels_first: bool,
    origin: Origin,
) -> np.ndarray:
    """A kernel as (*space, in, out), for transposed layers (*space, out, in)."""
    space = SPACE[kind]
    if array.ndim < space + 2:  # a bias
        return array
    if origin.is_old:
        if space == 1 and array.ndim == 4:  # (length, 1, in, out); (out, in, length, 1) before 1.2
            late = array.shape == (*shape[:1], 1, *shape[1:])
            array = array[:, 0] if late else array[..., 0].transpose(2, 1, 0)
        elif channels_first:
            last = (-2, -1) if kind in TRANSPOSED else (-1, -2)
            array = np.moveaxis(array, (0, 1), last)
        elif kind in TRANSPOSED:
            array = array.swapaxes(-1, -2)
    turned = origin.backend == "theano" and kind in TURNED
    return np.flip(array, tuple(range(space))) if turned else array


class Kernels(NamedTuple):
    """How Keras 1 gives the arrays of one layer that convolves, which has no gates."""

    kind: str
    """Today's name of its class."""
    channels_first: bool
    backend: str

    @classmethod
    def of(cls, kind: str, channels_first: bool, backend: str) -> "Kernels | None":
        """The arrangement of a layer's arrays; None if it is today's."""
        differs = kind in SPACE and kind not in GATES
        return cls(kind, channels_first, backend) if differs else None

    def today(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The arrays of Keras 1 in today's arrangement."""
        origin = Origin(1, self.backend)
        shapes = [_without_width(self.kind, np.shape(array)) for array in arrays]
        return rearranged(self.kind, arrays, shapes, self.channels_first, origin)

    def then(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Today's arrays as Keras 1 has them: what `today` takes back.

        >>> kernels = Kernels("Conv2D", True, "tensorflow")
        >>> [array.shape for array in kernels.then([np.ones((5, 4, 3, 2)), np.ones(2)])]
        [(2, 3, 5, 4), (2,)]
        """
        return [self._then(array) for array in arrays]

    def _then(self, array: np.ndarray) -> np.ndarray:
        space = SPACE[self.kind]
        if array.ndim < space + 2:  # a bias
            return array
        if self.backend == "theano" and self.kind in TURNED:
            array = np.flip(array, tuple(range(space)))
        if space == 1:
            return array[:, None]
        if self.channels_first:
            last = (-2, -1) if self.kind in TRANSPOSED else (-1, -2)
            return np.moveaxis(array, last, (0, 1))
        return array.swapaxes(-1, -2) if self.kind in TRANSPOSED else array


def _without_width(kind: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of a kernel of one dimension without the axis that Keras 1.2 puts after it."""
    return (*shape[:1], *shape[2:]) if SPACE[kind] == 1 and len(shape) == 4 else shape


def _from_cudnn(
    gates: int, arrays: Sequence[np.ndarray], bias_shape: tuple[int, ...]
) -> Sequence[np.ndarray]:
    """Kernel, recurrent kernel and bias of LSTM or GRU from those of CuDNNLSTM or CuDNNGRU."""
    kernel, recurrent, bias = arrays
    units = bias_shape[-1] // gates
    resettable = gates != 3 or len(bias_shape) == 2  # cuDNN's GRU resets after the product
    if bias.shape != (2 * gates * units,) or not resettable:
        return arrays
    parts = np.split(kernel, gates, axis=1)
    kernel = np.concatenate([part.T.reshape(part.shape, order="F") for part in parts], axis=1)
    recurrent = np.concatenate([part.T for part in np.split(recurrent, gates, axis=1)], axis=1)
    halves = bias.reshape(2, -1)
    return [kernel, recurrent, halves if len(bias_shape) == 2 else halves.sum(axis=0)]
