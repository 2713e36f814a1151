"""What Keras 2 offered to spread a model over several devices."""

import warnings
from collections.abc import Sequence

import jax

from funkeras.models import Model

__all__ = ["multi_gpu_model"]


def multi_gpu_model(
    model: Model,
    gpus: int | Sequence[int] | None = None,
    cpu_merge: bool = True,
    cpu_relocation: bool = False,
) -> Model:
    """A model around `model`, with its layers and numbers; one device computes all of a batch.

    Args:
        gpus: how many, or which ones: they must be there. All of them if left out.
        cpu_merge, cpu_relocation: accepted for old scripts.

    Raises:
        ValueError: if fewer than two are asked for, or are there.
    """
    there = [device.id for device in jax.devices() if device.platform == "gpu"]
    wanted = there if gpus is None else list(range(gpus) if isinstance(gpus, int) else gpus)
    if len(wanted) < 2:
        raise ValueError(f"gpus must be two or more of those there ({there}), got {gpus!r}")
    if not set(wanted) <= set(range(len(there))):
        raise ValueError(f"gpus asks for {wanted}; there are {len(there)} here")
    warnings.warn("multi_gpu_model: one device computes the whole batch", stacklevel=2)
    inputs = model.inputs if len(model.inputs) > 1 else model.inputs[0]
    return Model(inputs, model(inputs), name=model.name)
