"""Which variables and batches are laid out how: distributions, and the current one."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax

from funkeras.distribution.meshes import DeviceMesh, LayoutMap, TensorLayout, list_devices
from funkeras.typing import Shape

__all__ = ["DataParallel", "Distribution", "ModelParallel", "distribution", "set_distribution"]

BATCH = "batch"
"""The axis of a mesh that is made of a list of devices."""


class Distribution:
    """How variables and batches are laid out on a mesh; what subclasses say of it.

    Args:
        device_mesh: the mesh.
        batch_dim_name: its axis that splits batches.
        auto_shard_dataset: of Keras; here every process is given all data.
    """

    def __init__(
        self,
        device_mesh: DeviceMesh,
        batch_dim_name: str | None = None,
        auto_shard_dataset: bool = True,
    ) -> None:
        self.device_mesh = device_mesh
        self.batch_dim_name = batch_dim_name
        self.auto_shard_dataset = auto_shard_dataset
        self.num_processes = jax.process_count()

    @property
    def num_model_replicas(self) -> int:
        """Into how many parts batches are split."""
        mesh = self.device_mesh
        return dict(zip(mesh.axis_names, mesh.shape, strict=True)).get(self.batch_dim_name or "", 1)

    @property
    def data_shard_id(self) -> int:
        """Which part of the batches this process computes."""
        together = max(1, self.num_processes // self.num_model_replicas)
        return jax.process_index() // together

    def get_data_layout(self, data_shape: Shape) -> TensorLayout:
        """The layout of a batch: split along its first axis."""
        others = [None] * (len(data_shape) - 1)
        return TensorLayout([self.batch_dim_name, *others], self.device_mesh)

    def get_variable_layout(self, variable: Any) -> TensorLayout:
        """The layout of a variable: whole on every device."""
        return TensorLayout([None] * len(variable.shape), self.device_mesh)

    def get_tensor_layout(self, path: str) -> TensorLayout | None:
        """The layout of a layer's output, `dense/output`; None leaves it to XLA."""
        return None

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Make it the current one."""
        before = distribution()
        set_distribution(self)
        try:
            yield
        finally:
            set_distribution(before)

    def distribute_dataset(self, dataset: Any) -> Any:
        """The data set as it is: every process is given all data."""
        return dataset

    def __repr__(self) -> str:
        return f"<{type(self).__name__} device_mesh={self.device_mesh}>"


class DataParallel(Distribution):
    """Each device has all variables, and a part of every batch.

    Args:
        device_mesh: a mesh, whose first axis splits batches.
        devices: names of devices instead; by default all.
    """

    def __init__(
        self,
        device_mesh: DeviceMesh | None = None,
        devices: Any = None,
        auto_shard_dataset: bool = True,
    ) -> None:
        if device_mesh is not None and not isinstance(device_mesh, DeviceMesh):
            raise ValueError(f"device_mesh must be a DeviceMesh, got {device_mesh!r}")
        if device_mesh is None:
            own = list_devices() if devices is None else devices
            device_mesh = DeviceMesh((len(own),), [BATCH], own)
        elif device_mesh.devices.ndim > 1:
            warnings.warn(f"the first axis of {device_mesh} splits batches", stacklevel=2)
        super().__init__(device_mesh, device_mesh.axis_names[0], auto_shard_dataset)


class ModelParallel(Distribution):
    """Variables are split as a map says, and batches along an axis of its mesh.

    Args:
        layout_map: layouts by paths of variables (`dense/kernel`) and of outputs (`dense/output`);
            those it does not know are whole on every device.
        batch_dim_name: the axis that splits batches; the first one by default.
    """

    def __init__(
        self,
        *,
        layout_map: LayoutMap,
        batch_dim_name: str | None = None,
        auto_shard_dataset: bool = True,
    ) -> None:
        mesh = layout_map.device_mesh if isinstance(layout_map, LayoutMap) else None
        if mesh is None:
            raise ValueError(f"layout_map must be a LayoutMap with a mesh, got {layout_map!r}")
        super().__init__(mesh, batch_dim_name or mesh.axis_names[0], auto_shard_dataset)
        self.layout_map = layout_map

    def get_variable_layout(self, variable: Any) -> TensorLayout:
        """The layout of a variable by its path."""
        return self.layout_map[variable.path] or super().get_variable_layout(variable)

    def get_tensor_layout(self, path: str) -> TensorLayout | None:
        """The layout of a layer's output by its path, if the map has one."""
        return self.layout_map[path]


_current: Distribution | None = None


def distribution() -> Distribution | None:
    """The current distribution, if there is one."""
    return _current


def set_distribution(value: Distribution | None) -> None:
    """Let models built from now on be laid out like that, and all run like that; None: as ever."""
    global _current
    _current = value
