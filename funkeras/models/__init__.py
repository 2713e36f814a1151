"""Models: layers that train."""

from funkeras.models.model import Model
from funkeras.models.sequential import Sequential

__all__ = ["Model", "Sequential"]
