"""Quantizers: real numbers as few whole ones and a scale, with the numbers of Keras 3."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np

from funkeras import config
from funkeras.registry import get_custom_objects
from funkeras.typing import Config

__all__ = [
    "AbsMaxQuantizer",
    "Int8QuantizationConfig",
    "QuantizationConfig",
    "Quantizer",
    "abs_max_quantize",
    "compute_float8_amax_history",
    "compute_float8_scale",
    "deserialize",
    "get",
    "pack_int4",
    "quantize_and_dequantize",
    "serialize",
    "unpack_int4",
]

Axes = int | Sequence[int] | None


def abs_max_quantize(
    inputs: Any,
    axis: Axes,
    value_range: tuple[float, float] = (-127, 127),
    dtype: str = "int8",
    epsilon: float | None = None,
    to_numpy: bool = False,
) -> tuple[Any, Any]:
    """Whole numbers `round(inputs * scale)`, and the scale that makes the largest one the last.

    Args:
        axis: the axes that share a scale; it keeps them, of size 1.
        epsilon: `config.epsilon()` when left out; where all inputs are 0 there is a scale too.
        to_numpy: compute on the host.

    >>> values, scale = abs_max_quantize(np.float32([[1, -2], [0.5, 0.25]]), axis=1)
    >>> values.tolist(), scale.shape
    ([[64, -127], [127, 63]], (2, 1))
    """
    xnp: Any = np if to_numpy else jnp
    inputs = xnp.asarray(inputs)
    epsilon = config.epsilon() if epsilon is None else epsilon
    axes = axis if axis is None or isinstance(axis, int) else tuple(axis)
    largest = xnp.max(xnp.abs(inputs), axis=axes, keepdims=True)
    scale = (value_range[1] / (largest + epsilon)).astype(inputs.dtype)
    values = xnp.clip(xnp.round(inputs * scale), *value_range).astype(dtype)
    return jnp.asarray(values), jnp.asarray(scale)


class Quantizer:
    """Gives whole numbers and a scale for an array. Subclass it with `__call__(x, axis)`."""

    output_dtype: str

    def __init__(self, output_dtype: str = "int8") -> None:
        self.output_dtype = output_dtype

    def __call__(self, x: Any, axis: Axes = None, to_numpy: bool = False) -> Any:
        """The array itself."""
        return x

    def get_config(self) -> Config:
        """The arguments that make an equal object."""
        raise NotImplementedError(f"{type(self).__name__} must define get_config")

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """The quantizer that `get_config` described."""
        return cls(**config)


@dataclass(frozen=True)
class AbsMaxQuantizer(Quantizer):
    """`abs_max_quantize`, along the axis of the call or along its own."""

    axis: Any = None
    value_range: tuple[float, float] = (-127, 127)
    epsilon: float | None = None
    output_dtype: str = "int8"

    def __post_init__(self) -> None:
        axis = (self.axis,) if isinstance(self.axis, int) else self.axis
        set_to = {"axis": axis and tuple(axis), "value_range": tuple(self.value_range)}
        set_to["epsilon"] = config.epsilon() if self.epsilon is None else self.epsilon
        for name, value in set_to.items():
            object.__setattr__(self, name, value)
        low, high = self.value_range
        if self.output_dtype == "int8" and (low < -128 or high > 127):
            raise ValueError(f"value_range of int8 is within [-128, 127], got {self.value_range}")

    def __call__(self, x: Any, axis: Axes = None, to_numpy: bool = False) -> tuple[Any, Any]:
        """Whole numbers and their scale; along the last axis where none is told."""
        own = self.axis if axis is None else axis
        options = (self.value_range, self.output_dtype, self.epsilon, to_numpy)
        return abs_max_quantize(x, -1 if own is None else own, *options)

    def get_config(self) -> Config:
        """The arguments that make an equal object."""
        return {name: value for name, value in asdict(self).items() if value is not None}


DEFAULT = "default"


class QuantizationConfig:
    """By which quantizers weights and inputs become whole numbers; None leaves inputs as they are.

    Derived classes have a `mode`.
    """

    mode: ClassVar[str]

    def __init__(self, weight_quantizer: Any = None, activation_quantizer: Any = None) -> None:
        self.weight_quantizer = get(weight_quantizer)
        self.activation_quantizer = get(activation_quantizer)

    def get_config(self) -> Config:
        """The arguments that make an equal object, as data."""
        return {
            "weight_quantizer": serialize(self.weight_quantizer),
            "activation_quantizer": serialize(self.activation_quantizer),
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """What `get_config` described."""
        return cls(**config)


class Int8QuantizationConfig(QuantizationConfig):
    """Weights, and inputs unless their quantizer is None, in eight bits."""

    mode = "int8"

    def __init__(self, weight_quantizer: Any = None, activation_quantizer: Any = DEFAULT) -> None:
        if activation_quantizer == DEFAULT:
            activation_quantizer = AbsMaxQuantizer()
        super().__init__(weight_quantizer, activation_quantizer)
        own = self.weight_quantizer
        if own is not None and own.output_dtype != "int8":
            raise ValueError(f"weight_quantizer must give int8, got {own.output_dtype}")


KINDS: dict[str, Any] = {
    "AbsMaxQuantizer": AbsMaxQuantizer,
    "Int8QuantizationConfig": Int8QuantizationConfig,
    "Quantizer": Quantizer,
}
"""What files may name → its class."""

HOME = "keras.quantizers"


def get(identifier: Any) -> Any:
    """A quantizer, or a configuration of some, from itself, its class's name or its data.

    Raises:
        ValueError: for what is not known.
    """
    if isinstance(identifier, str):
        return deserialize({"class_name": identifier, "config": {}})
    return deserialize(identifier) if isinstance(identifier, Mapping) else identifier


def serialize(quantizer: Any) -> Config | None:
    """A quantizer, or a configuration of some, as files have it."""
    if quantizer is None:
        return None
    name = type(quantizer).__name__
    home = HOME if KINDS.get(name) is type(quantizer) else type(quantizer).__module__
    told = {"class_name": name, "config": quantizer.get_config()}
    return {"module": home, **told, "registered_name": None if home == HOME else name}


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """What `serialize` described."""
    known = {**KINDS, **get_custom_objects(), **(custom_objects or {})}
    name = str(config["class_name"])
    if name not in known:
        raise ValueError(f"there is no quantizer {name!r} here, but {', '.join(KINDS)}")
    return known[name].from_config(config["config"])


def pack_int4(arr: Any, axis: int = 0, dtype: str = "int8") -> tuple[Any, tuple[int, ...], int]:
    """Two numbers of four bits each in every byte; the shape of that; how many there were.

    >>> pack_int4(np.int8([-3, 7, 2]))[0].tolist()
    [125, 2]
    """
    if str(arr.dtype) != dtype or dtype not in ("int8", "uint8"):
        raise TypeError(f"arr must be of dtype int8 or uint8 as told, got {arr.dtype}")
    moved = np.moveaxis(np.asarray(arr), axis, 0)
    count = len(moved)
    even = np.concatenate([moved, np.zeros((count % 2, *moved.shape[1:]), dtype)]).astype("uint8")
    packed = ((even[::2] & 15) | (even[1::2] << 4)).astype(dtype)
    packed = np.moveaxis(packed, 0, axis)
    return jnp.asarray(packed), packed.shape, count


def unpack_int4(packed: Any, orig_len: int, axis: int = 0, dtype: str = "int8") -> Any:
    """The `orig_len` numbers that `pack_int4` packed.

    >>> unpack_int4(np.int8([125, 2]), 3).tolist()
    [-3, 7, 2]
    """
    moved = jnp.moveaxis(jnp.asarray(packed, dtype), axis, 0)
    halves = jnp.stack([moved & 15, (moved >> 4) & 15], axis=1)
    if dtype == "int8":
        halves = jnp.where(halves > 7, halves - 16, halves)
    flat = halves.reshape(-1, *moved.shape[1:])[:orig_len].astype(dtype)
    return jnp.moveaxis(flat, 0, axis)


def compute_float8_scale(amax: Any, scale: Any, dtype_max: float, margin: int = 0) -> Any:
    """The scale that makes `amax` the largest number of a type; the old one where it tells none."""
    found = dtype_max / amax / 2**margin
    return 1 / jnp.where((amax > 0) & jnp.isfinite(amax), found, 1 / jnp.asarray(scale))


def compute_float8_amax_history(x: Any, amax_history: Any) -> Any:
    """The largest sizes of arrays, with that of `x` in the place of the oldest."""
    largest = jnp.max(jnp.abs(x)).astype(amax_history.dtype)
    return jnp.roll(amax_history, -1).at[0].set(largest)


def quantize_and_dequantize(
    inputs: Any, scale: Any, quantized_dtype: str, compute_dtype: str
) -> Any:
    """Real numbers as a type of fewer bits has them."""
    most = float(jnp.finfo(quantized_dtype).max)
    scale = jnp.asarray(scale, compute_dtype)
    few = jnp.clip(inputs / scale, -most, most).astype(quantized_dtype)
    return few.astype(compute_dtype) * scale
