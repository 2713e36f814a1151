"""Models: layers that train."""

from funkeras.layers.special import CONTAINERS
from funkeras.models.model import Model
from funkeras.models.sequential import Sequential

__all__ = ["Model", "Sequential"]

CONTAINERS.update({"Model": Model, "Functional": Model, "Sequential": Sequential})
