"""What scripts import as TensorFlow where it is not installed: nothing but `tf.keras`."""

import importlib
from types import ModuleType
from typing import Any

import jax.numpy as jnp

__all__ = ["TensorFlow"]


class TensorFlow(ModuleType):
    """`tensorflow`, of which only `tf.keras` is there."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in ("keras", "python"):
            return importlib.import_module(f"{self.__name__}.{name}")
        raise AttributeError(self.missing(name))

    @staticmethod
    def missing(name: str) -> str:
        """What to say of any other name."""
        backend: Any = importlib.import_module("funkeras.backend")
        same = [
            f"{module}.{known}"
            for known in (name, name.removeprefix("reduce_"))
            for module, names in (("keras.backend", backend), ("jax.numpy", jnp))
            if hasattr(names, known)
        ]
        instead = f"use {same[0]}" if same else "use keras.backend or jax.numpy"
        return (
            f"tf.{name} needs TensorFlow, which is not installed; funkeras runs on JAX and has of "
            f"TensorFlow tf.keras alone: {instead}"
        )
