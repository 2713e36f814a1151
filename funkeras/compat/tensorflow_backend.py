"""`keras.backend.tensorflow_backend`: the backend's functions, whatever `K.backend()` answers."""

from typing import Any

from funkeras.compat.of_backend import of_backend


def __getattr__(name: str) -> Any:
    """A function of the backend, as on TensorFlow."""
    return of_backend("tensorflow", name)
