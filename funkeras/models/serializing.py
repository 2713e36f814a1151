"""Layers, losses and other things as plain data, as Keras 3 writes them, and back.

What the `get_config` of a layer says of another layer, or a function, that it holds.
"""

import inspect
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp

from funkeras import (
    activations,
    constraints,
    dtype_policies,
    initializers,
    losses,
    metrics,
    optimizers,
    registry,
    regularizers,
)
from funkeras.dtype_policies import DTypePolicy, DTypePolicyMap
from funkeras.initializers import Initializer
from funkeras.layers.input import Input
from funkeras.layers.layer import Layer
from funkeras.losses import Loss
from funkeras.metrics import Metric
from funkeras.models import configs, descriptions
from funkeras.models.configs import Generation
from funkeras.models.feature_space import Cross, Feature
from funkeras.models.model import Model
from funkeras.models.values import TENSOR, plain_value, tensor_config, value_config
from funkeras.optimizers import Optimizer, schedules
from funkeras.registry import custom_object_scope, get_custom_objects, get_registered_name
from funkeras.regularizers import Regularizer
from funkeras.symbolic import SymbolicTensor

__all__ = ["deserialize_keras_object", "serialize_keras_object"]

PLAIN = (str, int, float, bool, type(None))

FINDERS: dict[str, Callable[[Any], Any]] = {
    "keras.activations": activations.deserialize,
    "keras.constraints": constraints.get,
    "keras.initializers": initializers.get,
    "keras.losses": losses.get,
    "keras.metrics": metrics.get,
    "keras.optimizers": optimizers.deserialize,
    "keras.optimizers.schedules": schedules.deserialize,
    "keras.regularizers": regularizers.get,
}
"""Module that Keras 3 writes → what makes a thing of its class and config."""

PARTS: dict[str, Any] = {"Cross": Cross, "Feature": Feature}
"""What a `FeatureSpace` is made of, besides layers."""

HOMES: dict[type, str] = {
    Initializer: "keras.initializers",
    Loss: "keras.losses",
    Metric: "keras.metrics",
    Regularizer: "keras.regularizers",
    constraints.Constraint: "keras.constraints",
    schedules.LearningRateSchedule: "keras.optimizers.schedules",
}
"""Base class → that module."""

OF_FUNCTIONS = ("keras.activations", "keras.losses", "keras.metrics", "keras.initializers")
"""Where a function is looked up by its name, in this order."""


def serialize_keras_object(obj: Any) -> Any:
    """A layer, model, loss, function, array, or a nest of such things, as data for JSON.

    Objects become `{"module", "class_name", "config", "registered_name"}`, functions their name.

    Raises:
        TypeError: for what has neither a `get_config` nor a name, and for a lambda, whose code is
            no data.
    """
    if isinstance(obj, DTypePolicy):  # a str too
        return _described(obj, obj.get_config(), "keras")
    if isinstance(obj, DTypePolicyMap):
        return dtype_policies.serialize(obj)
    if isinstance(obj, PLAIN):
        return obj
    if isinstance(obj, list | tuple):
        return type(obj)(map(serialize_keras_object, obj))
    if isinstance(obj, dict):
        return {key: serialize_keras_object(value) for key, value in obj.items()}
    if isinstance(obj, SymbolicTensor):
        return tensor_config(obj, [obj.name, 0, 0])
    if (value := value_config(obj)) is not obj:
        return value
    if isinstance(obj, Model):
        return descriptions.keras_3(obj)
    if isinstance(obj, Layer):
        return descriptions.layer_3(obj)
    if isinstance(obj, Optimizer) and type(obj).__module__.startswith("funkeras"):
        named = {"class_name": type(obj).__name__, "config": obj.get_config()}
        return descriptions.optimizer_3(named)
    if hasattr(obj, "get_config") and not inspect.isclass(obj):
        home = next((where for kind, where in HOMES.items() if isinstance(obj, kind)), None)
        return _described(obj, serialize_keras_object(obj.get_config()), home)
    name = getattr(obj, "__name__", "<lambda>")
    if name == "<lambda>" or not callable(obj) or inspect.isclass(obj):
        raise TypeError(f"{obj!r} has neither get_config nor a name that it is found by")
    return {
        "module": "builtins",
        "class_name": "function",
        "config": get_registered_name(obj),
        "registered_name": "function",
    }


def _described(obj: Any, options: Any, home: str | None) -> dict[str, Any]:
    own = not type(obj).__module__.startswith("funkeras")
    return {
        "module": type(obj).__module__ if own else home,
        "class_name": type(obj).__name__,
        "config": options,
        "registered_name": get_registered_name(type(obj)) if own else None,
    }


def deserialize_keras_object(
    config: Any,
    custom_objects: Mapping[str, Any] | None = None,
    safe_mode: bool = True,
    **kwargs: Any,
) -> Any:
    """What `serialize_keras_object` of Keras 3 described.

    Args:
        custom_objects: classes and functions by name, besides the registered ones.
        safe_mode: code in the data is never run, so False allows nothing more, with a warning.
        kwargs: `module_objects` and `printable_module_name`, of the function of Keras 2 that
            looks names up in such a table.

    Raises:
        ValueError: for names that are not known, and for code.
    """
    if not safe_mode:
        warnings.warn("safe_mode=False: code in data is not run all the same", stacklevel=2)
    if "module_objects" in kwargs:
        return registry.deserialize_keras_object(config, custom_objects=custom_objects, **kwargs)
    if kwargs:
        raise TypeError(f"deserialize_keras_object() has no arguments {sorted(kwargs)}")
    with custom_object_scope(custom_objects):
        return _made(config)


def _made(config: Any) -> Any:
    own = get_custom_objects()
    if isinstance(config, str) and config in own:
        return own[config]
    if isinstance(config, PLAIN):
        return config
    if isinstance(config, list | tuple):
        return type(config)(map(_made, config))
    if not isinstance(config, Mapping):
        return config
    if "class_name" not in config or "config" not in config:
        return {key: _made(value) for key, value in config.items()}
    name, options = str(config["class_name"]), config["config"]
    if name == "__keras_tensor__":
        shape, dtype, history = (options[key] for key in ("shape", "dtype", "keras_history"))
        return Input(batch_shape=shape, dtype=dtype, name=history[0])
    if (value := plain_value(config)) is not None:
        return jnp.asarray(value) if name == TENSOR else value
    if name == "function":
        return _function(str(options))
    if name in (DTypePolicy.__name__, DTypePolicyMap.__name__):
        return dtype_policies.deserialize(config)
    if name == "__lambda__":
        raise ValueError("a lambda is code, which is not run: register a function with a name")
    registered = own.get(str(config.get("registered_name") or name))
    if name in PARTS and registered is None:
        return PARTS[name].from_config(options)
    module = str(config.get("module"))
    if module in FINDERS and registered is None:
        return FINDERS[module]({"class_name": name, "config": options})
    kind = registered or own.get(name)
    layer = kind is None or (inspect.isclass(kind) and issubclass(kind, Layer))
    if layer and (kind is not None or configs.known(name)):
        return configs.from_description(config, Generation(3, False, False), None, "config")
    if kind is None:
        raise ValueError(f"unknown class {name!r} of {module}: register it, or give custom_objects")
    make: Any = getattr(kind, "from_config", None)
    return kind(**options) if make is None else make(options)


def _function(name: str) -> Any:
    own = get_custom_objects()
    if name in own:
        return own[name]
    for module in OF_FUNCTIONS:
        try:
            return FINDERS[module](name)
        except ValueError:
            continue
    raise ValueError(f"unknown function {name!r}: register it, or give custom_objects")
