"""Optimizers: pure optax transformations with the names and numbers of Keras 1, 2 and 3."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp

from funkeras import config as app_config
from funkeras.optimizers import legacy, rules, schedules
from funkeras.optimizers.base import Optimizer, optimizer, registry
from funkeras.optimizers.hyperparameter import Hyperparameter
from funkeras.optimizers.rules import *
from funkeras.optimizers.scaling import LossScaleOptimizer
from funkeras.optimizers.several import MultiOptimizer, OptimizerMap
from funkeras.optimizers.updates import OptimizerState, Rule, with_hyperparameters
from funkeras.optimizers.wrapped import OptaxOptimizer
from funkeras.registry import custom_object_scope, get_registered_name

__all__ = [
    "Hyperparameter",
    "LossScaleOptimizer",
    "MultiOptimizer",
    "OptaxOptimizer",
    "Optimizer",
    "OptimizerMap",
    "OptimizerState",
    "Rule",
    "clip_norm",
    "deserialize",
    "get",
    "legacy",
    "optimizer",
    "optimizer_from_config",
    "registry",
    "schedules",
    "serialize",
    "with_hyperparameters",
]
__all__ += rules.__all__


def clip_norm(g: Any, c: Any, n: Any) -> Any:
    """A gradient scaled to norm `c` where its norm `n` is more than that, and `c` is positive."""
    return g * c / jnp.maximum(n, c) if c > 0 else g


def get(identifier: Any, kwargs: Mapping[str, Any] | None = None) -> Optimizer:
    """The optimizer that a name, a config, an optax transformation or an optimizer means.

    `kwargs` are arguments for a name (Keras 1).

    >>> float(get("sgd").learning_rate)
    0.01
    """
    if kwargs and isinstance(identifier, str):
        return registry.find(identifier)(**kwargs)
    if hasattr(identifier, "init") and hasattr(identifier, "update"):  # what optax calls one
        return OptaxOptimizer(identifier)
    if isinstance(identifier, Mapping):
        return deserialize(identifier)
    found = registry.get(identifier)
    if not isinstance(found, Optimizer):
        raise TypeError(
            "optimizer must be a name, a config, an Optimizer or an "
            f"optax.GradientTransformation; got {identifier!r}"
        )
    return found


def serialize(optimizer: Optimizer) -> Any:
    """A `{"class_name", "config"}` dict that `get` turns back into the optimizer.

    For a user's class it has a `registered_name` too, as in Keras 3.
    """
    name = optimizer.rule_name if optimizer.legacy else ""
    kind = type(optimizer)
    described = {"class_name": name or kind.__name__, "config": optimizer.get_config()}
    if kind.__module__.partition(".")[0] == __name__.partition(".")[0]:
        return described
    return {**described, "registered_name": get_registered_name(kind)}


def deserialize(
    config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Optimizer:
    """The optimizer that `serialize` of any generation described.

    As in Keras 1 and 2 a known name in the given dict is in lower case afterwards.
    """
    era = app_config.dialect()
    if era != "modern" and isinstance(config, dict) and str(config.get("class_name")) in registry:
        config["class_name"] = str(config["class_name"]).lower()
    with custom_object_scope(custom_objects):
        arguments = config.get("config")
        name = str(config.get("class_name")).rpartition(">")[2]
        if isinstance(arguments, Mapping) and arguments.get("is_legacy_optimizer"):
            found = registry.find(name)
            return getattr(legacy, found.__name__, found).from_config(arguments)
        return registry.deserialize(config)


optimizer_from_config = deserialize
