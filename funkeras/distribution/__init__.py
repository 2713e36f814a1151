"""Training on several devices: which device has which part of an array.

A mesh gives devices a place along named axes; a layout says by which of these an array is split. A
distribution lays out variables where they are made, and batches where models run, and XLA puts in
what devices have to tell each other: the numbers are those of one device. It is Keras 3's
`keras.distribution`, as names for what `jax.sharding` has.

>>> with DataParallel(devices=["cpu:0"]).scope():
...     distribution().num_model_replicas
1
"""

from funkeras.distribution.meshes import (
    DeviceMesh,
    LayoutMap,
    TensorLayout,
    distribute_tensor,
    get_device_count,
    list_devices,
)
from funkeras.distribution.processes import initialize
from funkeras.distribution.strategies import (
    DataParallel,
    Distribution,
    ModelParallel,
    distribution,
    set_distribution,
)

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
