"""Keras as pure functions on JAX."""

from funkeras import (
    activations,
    backend,
    callbacks,
    config,
    constraints,
    datasets,
    distribution,
    functional,
    initializers,
    layers,
    losses,
    metrics,
    models,
    ops,
    optimizers,
    quantizers,
    random,
    regularizers,
    tree,
    utils,
)
from funkeras.layers.declare import layer
from funkeras.layers.input import Input
from funkeras.models import Model, Sequential

__all__ = [
    "Input",
    "Model",
    "Sequential",
    "__version__",
    "activations",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "datasets",
    "distribution",
    "functional",
    "initializers",
    "layer",
    "layers",
    "losses",
    "metrics",
    "models",
    "ops",
    "optimizers",
    "quantizers",
    "random",
    "regularizers",
    "tree",
    "utils",
]

__version__ = "0.1.0"
