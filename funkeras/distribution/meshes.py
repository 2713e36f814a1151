"""Devices in a mesh, and by which of its axes an array is split."""

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import jax
import numpy as np
from jax import lax
from jax.core import Tracer
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from funkeras.patterns import PatternMap

__all__ = [
    "DeviceMesh",
    "LayoutMap",
    "TensorLayout",
    "distribute_tensor",
    "get_device_count",
    "list_devices",
]


def list_devices(device_type: str | None = None) -> list[str]:
    """Names of the devices of a type ("cpu", "gpu"), as "cpu:0"; by default of the fastest."""
    return [f"{own.platform}:{own.id}" for own in jax.devices(_lower(device_type))]


def get_device_count(device_type: str | None = None) -> int:
    """How many devices of a type there are."""
    return jax.device_count(_lower(device_type))


def _lower(device_type: str | None) -> str | None:
    return None if device_type is None else device_type.lower()


class DeviceMesh:
    """Devices in a grid with named axes.

    Args:
        shape: how many there are along each axis.
        axis_names: a name for each axis.
        devices: names (`list_devices()`) or devices of JAX, as many as the grid has places; by
            default all.
    """

    def __init__(
        self, shape: Sequence[int], axis_names: Sequence[str], devices: Any = None
    ) -> None:
        if not shape or len(shape) != len(axis_names):
            raise ValueError(
                f"a mesh needs a name for each axis, got shape={shape}, axis_names={axis_names}"
            )
        found = np.array(list_devices() if devices is None else devices)
        if math.prod(shape) != found.size:
            raise ValueError(f"a mesh of shape {tuple(shape)} can't hold {found.size} devices")
        self.shape = shape
        self.axis_names = axis_names
        self.devices = found.reshape(shape)

    @cached_property
    def backend_mesh(self) -> Mesh:
        """The mesh as JAX has it."""
        found = [_device(own) for own in self.devices.flat]
        return Mesh(np.array(found).reshape(self.devices.shape), tuple(self.axis_names))

    def __repr__(self) -> str:
        return f"<DeviceMesh shape={self.shape}, axis_names={self.axis_names}>"


def _device(named: Any) -> Any:
    """The device of a name."""
    if isinstance(named, jax.Device):
        return named
    kind, _, number = str(named).partition(":")
    for own in jax.devices(kind):
        if own.id == int(number or 0):
            return own
    raise ValueError(f"there is no device {str(named)!r}; there are {list_devices(kind)}")


class TensorLayout:
    """By which axes of a mesh an array is split.

    Args:
        axes: for each axis of the array that of the mesh which splits it, or None.
        device_mesh: the mesh, which may also be told later, once.
    """

    def __init__(self, axes: Sequence[str | None], device_mesh: DeviceMesh | None = None) -> None:
        self.axes = tuple(axes)
        self._mesh: DeviceMesh | None = None
        if device_mesh is not None:
            self.device_mesh = device_mesh

    @property
    def device_mesh(self) -> DeviceMesh | None:
        """The mesh, if it is known."""
        return self._mesh

    @device_mesh.setter
    def device_mesh(self, mesh: DeviceMesh) -> None:
        if self._mesh is not None:
            raise ValueError(f"{self} has a mesh already")
        unknown = {axis for axis in self.axes if axis is not None} - {*mesh.axis_names}
        if unknown:
            raise ValueError(f"{mesh} has no axes {sorted(unknown)}, which a layout asks for")
        self._mesh = mesh

    @cached_property
    def backend_layout(self) -> NamedSharding:
        """The layout as JAX has it."""
        if self._mesh is None:
            raise ValueError(f"{self} has no mesh yet")
        return NamedSharding(self._mesh.backend_mesh, PartitionSpec(*self.axes))

    def __repr__(self) -> str:
        return f"<TensorLayout axes={self.axes}, device_mesh={self._mesh}>"


class LayoutMap(PatternMap[TensorLayout]):
    """Layouts by the paths of variables: each key is a regular expression for the whole path.

    A path that fits no key has None; a layout may be given as a tuple of axes.
    """

    thing = "layout"

    def __init__(self, device_mesh: DeviceMesh | None = None) -> None:
        super().__init__()
        self.device_mesh = device_mesh

    def checked(self, path: str, value: Any) -> TensorLayout:
        """The layout, on this map's mesh if it has none."""
        layout = TensorLayout(value) if isinstance(value, tuple) else value
        if not isinstance(layout, TensorLayout):
            raise ValueError(f"the layout for {path!r} must be a TensorLayout, got {layout!r}")
        if layout.device_mesh is None and self.device_mesh is not None:
            layout.device_mesh = self.device_mesh
        return layout


def distribute_tensor(tensor: Any, layout: Any) -> Any:
    """An array in another layout, also within a program; a symbolic tensor as it is.

    `layout` is a `TensorLayout` or a sharding of JAX.
    """
    if hasattr(type(tensor), "__funkeras_function__"):
        return tensor
    sharding = layout.backend_layout if isinstance(layout, TensorLayout) else layout
    if isinstance(tensor, Tracer):
        return lax.with_sharding_constraint(tensor, sharding)
    return jax.device_put(tensor, sharding)
