"""Training on several devices: which device has which part of an array.

A mesh gives devices a place along named axes; a layout says by which of these an array is split. A
distribution lays out variables where they are made, and batches where models run, and XLA puts in
what devices have to tell each other: the numbers are those of one device. It is Keras 3's
`keras.distribution`, as names for what `jax.sharding` has.

>>> with DataParallel(devices=["cpu:0"]).scope():
...     distribution().num_model_replicas
1
"""

import math
import os
import re
import warnings
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import jax
import numpy as np
from jax import lax
from jax.core import Tracer
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from funkeras.typing import PyTree, Shape

__all__ = [
    "DataParallel",
    "DeviceMesh",
    "Distribution",
    "LayoutMap",
    "ModelParallel",
    "TensorLayout",
    "distribute_tensor",
    "distribution",
    "get_device_count",
    "initialize",
    "list_devices",
    "set_distribution",
]

BATCH = "batch"
"""The axis of a mesh that is made of a list of devices."""

ENVIRONMENT = "KERAS_DISTRIBUTION_"
"""What names of environment variables begin with that `initialize` reads."""


def list_devices(device_type: str | None = None) -> list[str]:
    """Names of the devices of a type ("cpu", "gpu"), as "cpu:0"; by default of the fastest."""
    return [f"{own.platform}:{own.id}" for own in jax.devices(_lower(device_type))]


def get_device_count(device_type: str | None = None) -> int:
    """How many devices of a type there are."""
    return jax.device_count(_lower(device_type))


def _lower(device_type: str | None) -> str | None:
    return None if device_type is None else device_type.lower()


def initialize(
    job_addresses: str | None = None,
    num_processes: int | None = None,
    process_id: int | None = None,
) -> None:
    """Join the processes, on one machine or several, whose devices train one model together.

    What is left out comes from `KERAS_DISTRIBUTION_JOB_ADDRESSES`, `..._NUM_PROCESSES` and
    `..._PROCESS_ID`, or from the cluster as `jax.distributed.initialize` knows it. From then on
    NumPy's generator goes on alike in all processes: they draw the same initial weights and the
    same order of the data, which each of them is given whole.

    Args:
        job_addresses: host and port of process 0, or of all in order with commas between.
    """
    given = os.environ.get
    job_addresses = job_addresses or given(f"{ENVIRONMENT}JOB_ADDRESSES")
    count = num_processes if num_processes is not None else given(f"{ENVIRONMENT}NUM_PROCESSES")
    number = process_id if process_id is not None else given(f"{ENVIRONMENT}PROCESS_ID")
    addresses = job_addresses.split(",") if job_addresses else [None]
    if len(addresses) > 1 and count is not None and int(count) != len(addresses):
        raise ValueError(f"{len(addresses)} addresses are not those of {count} processes")
    jax.distributed.initialize(
        addresses[0],
        None if count is None else int(count),
        None if number is None else int(number),
    )
    from jax.experimental import multihost_utils  # which one process alone never needs

    seed = np.random.randint(0, 2**31, size=1, dtype=np.int32)
    np.random.seed(int(multihost_utils.broadcast_one_to_all(seed)[0]))


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


class LayoutMap(MutableMapping[str, TensorLayout | None]):
    """Layouts by the paths of variables: each key is a regular expression for the whole path.

    A path that fits no key has None; a layout may be given as a tuple of axes.
    """

    def __init__(self, device_mesh: DeviceMesh | None = None) -> None:
        self.device_mesh = device_mesh
        self._layouts: dict[str, TensorLayout] = {}

    def __getitem__(self, key: str) -> TensorLayout | None:
        if key in self._layouts:
            return self._layouts[key]
        fitting = [pattern for pattern in self._layouts if re.fullmatch(pattern, key)]
        if len(fitting) > 1:
            raise ValueError(f"path {key!r} fits more than one key of the layouts: {fitting}")
        return self._layouts[fitting[0]] if fitting else None

    def __setitem__(self, key: str, layout: Any) -> None:
        if key in self._layouts:
            raise ValueError(f"there is a layout for {key!r} already: {self._layouts[key]}")
        layout = TensorLayout(layout) if isinstance(layout, tuple) else layout
        if not isinstance(layout, TensorLayout):
            raise ValueError(f"the layout for {key!r} must be a TensorLayout, got {layout!r}")
        if layout.device_mesh is None and self.device_mesh is not None:
            layout.device_mesh = self.device_mesh
        self._layouts[key] = layout

    def __delitem__(self, key: str) -> None:
        del self._layouts[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._layouts)

    def __len__(self) -> int:
        return len(self._layouts)


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


def everywhere(data: PyTree) -> PyTree:
    """Data on its way to the device, or whole to every device of the current distribution.

    Arrays that a user has laid out on several devices stay as they are.
    """
    if _current is None:
        return jax.device_put(data)
    whole = _whole(_current)
    return jax.tree.map(lambda a: a if _laid_out(a) else jax.device_put(a, whole), data)


def alike(args: PyTree) -> PyTree:
    """What a program is given, with arrays that every device has whole laid out in one way.

    So a run's first call and those that go on from its results share a program.
    """
    if _current is None:
        return args
    whole = _whole(_current)

    def one(a: Any) -> Any:
        if isinstance(a, Tracer) or not isinstance(a, jax.Array | np.ndarray):
            return a
        own = getattr(a, "sharding", None)
        split = isinstance(own, NamedSharding) and not own.is_fully_replicated
        return a if split or own == whole else jax.device_put(a, whole)

    return jax.tree.map(one, args)


def _whole(current: Distribution) -> NamedSharding:
    return NamedSharding(current.device_mesh.backend_mesh, PartitionSpec())


def divided(batch: PyTree) -> PyTree:
    """A batch within a program, split over the devices as the current distribution says.

    Batches of another number of rows than they can share are computed by each of them.
    """
    current = _current
    if current is None:
        return batch

    def part(a: Any) -> Any:
        sharding = current.get_data_layout(a.shape).backend_layout
        try:
            sharding.shard_shape(a.shape)
        except ValueError:
            return a
        return lax.with_sharding_constraint(a, sharding)

    return jax.tree.map(part, batch)


def gathered(outputs: PyTree) -> PyTree:
    """Outputs within a program, whole on every device if other processes have parts of them."""
    if _current is None or _current.num_processes == 1:
        return outputs
    return lax.with_sharding_constraint(outputs, _whole(_current))


def fetched(a: Any) -> np.ndarray:
    """An array on the host, also one of which other processes have parts: all must ask for it."""
    if isinstance(a, jax.Array) and not (a.is_fully_addressable or a.is_fully_replicated):
        from jax.experimental import multihost_utils

        a = multihost_utils.process_allgather(a, tiled=True)
    return np.asarray(a)


def in_their_place(new: PyTree, old: PyTree) -> PyTree:
    """New arrays, laid out as those whose place they take, while there is a distribution."""
    if _current is None or jax.tree.structure(new) != jax.tree.structure(old):
        return new
    return jax.tree.map(
        lambda a, before: jax.device_put(a, before.sharding) if _laid_out(before) else a, new, old
    )


def like_weights(slots: PyTree, weights: PyTree) -> PyTree:
    """What an optimizer keeps of weights, laid out as the weight of that name and shape is."""
    named = {
        jax.tree_util.keystr(path): weight
        for path, weight in jax.tree_util.tree_leaves_with_path(weights)
        if _laid_out(weight)
    }

    def placed(path: Any, slot: Any) -> Any:
        ends = (jax.tree_util.keystr(path[start:]) for start in range(len(path)))
        weight = next((named[end] for end in ends if end in named), None)
        fits = weight is not None and weight.shape == np.shape(slot)
        return jax.device_put(slot, weight.sharding) if weight is not None and fits else slot

    return jax.tree_util.tree_map_with_path(placed, slots) if named else slots


def _laid_out(a: Any) -> bool:
    """Whether an array has been laid out on a mesh."""
    concrete = not isinstance(a, Tracer)  # tracers have a sharding too, of no devices
    return concrete and isinstance(getattr(a, "sharding", None), NamedSharding)
