"""What later generations have in `keras` itself that is elsewhere here."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

import jax

import funkeras
from funkeras.backend import name_scope
from funkeras.dtype_policies import DTypePolicy
from funkeras.dtype_policies import DTypePolicy as FloatDTypePolicy
from funkeras.initializers import Initializer
from funkeras.layers import InputSpec, Layer
from funkeras.losses import Loss
from funkeras.metrics import Metric
from funkeras.optimizers import Optimizer
from funkeras.quantizers import Quantizer
from funkeras.regularizers import Regularizer
from funkeras.symbolic import SymbolicTensor as KerasTensor
from funkeras.variables import Variable

__all__ = [
    "DTypePolicy",
    "FloatDTypePolicy",
    "Initializer",
    "InputSpec",
    "KerasTensor",
    "Layer",
    "Loss",
    "Metric",
    "Optimizer",
    "Quantizer",
    "Regularizer",
    "Variable",
    "device",
    "name_scope",
    "remat",
    "version",
]

P = ParamSpec("P")
T = TypeVar("T")


@contextmanager
def device(device_name: str) -> Iterator[None]:
    """Make arrays, and run programs, on a device: "cpu", "gpu:0", also "/gpu:1".

    Raises:
        ValueError: if JAX has no such device.
    """
    kind, _, number = device_name.lower().removeprefix("/").partition(":")
    try:
        chosen = jax.devices("gpu" if kind == "cuda" else kind)[int(number or 0)]
    except (RuntimeError, IndexError, ValueError) as error:
        there = [f"{own.platform}:{own.id}" for own in jax.devices()]
        raise ValueError(f"there is no device {device_name!r}; JAX has {there}") from error
    with jax.default_device(chosen):
        yield


def remat(f: Callable[P, T]) -> Callable[P, T]:
    """The function, computed again for its derivative instead of kept: `jax.checkpoint`."""
    return jax.checkpoint(f)


def version() -> str:
    """The version of this package."""
    return funkeras.__version__
