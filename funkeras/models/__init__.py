"""Models: layers that train."""

from funkeras.layers.special import CONTAINERS
from funkeras.models.cloning import clone_model
from funkeras.models.editing import KerasFileEditor
from funkeras.models.feature_space import FeatureSpace
from funkeras.models.model import Model
from funkeras.models.saving import (
    load_model,
    load_weights,
    model_from_config,
    model_from_json,
    model_from_yaml,
    save_model,
    save_weights,
)
from funkeras.models.sequential import Sequential

__all__ = [
    "FeatureSpace",
    "KerasFileEditor",
    "Model",
    "Sequential",
    "clone_model",
    "load_model",
    "load_weights",
    "model_from_config",
    "model_from_json",
    "model_from_yaml",
    "save_model",
    "save_weights",
]

CONTAINERS.update({"Model": Model, "Functional": Model, "Sequential": Sequential})
