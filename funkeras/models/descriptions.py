"""Models as configs that genuine Keras 2 and Keras 3 read."""

from collections.abc import Mapping, Sequence
from typing import Any

from funkeras.activations import HARD_SIGMOIDS
from funkeras.layers.input import InputLayer
from funkeras.models.configs import CLASSIC_HARD_SIGMOID
from funkeras.models.model import Model
from funkeras.models.placement import CELL, class_of
from funkeras.typing import Config

__all__ = ["keras_2", "keras_3", "training_2", "training_3"]

HARMLESS: dict[str, tuple[Any, ...]] = {
    "backward_layer": (None,),
    "dilation_rate": (1, (1,), (1, 1), (1, 1, 1)),
    "dropout": (0.0,),
    "groups": (1,),
    "implementation": (0, 1, 2, None),
    "keepdims": (False,),
    "mode": (0,),
    "output_shape": (None,),
    "renorm": (False,),
    "renorm_clipping": (None,),
    "renorm_momentum": (0.99,),
    "return_attention_scores": (False,),
    "score_mode": ("dot",),
    "seed": (None,),
    "shared": (False,),
    "synchronized": (False,),
    "time_major": (False,),
    "trainable": (True,),
    "use_causal_mask": (False,),
    "use_cudnn": ("auto", True, False),
    "zero_output_for_mask": (False,),
    "input_axes": (None,),
    "output_axes": (None,),
}
"""Arguments that some Keras does not know → the values with which they are left out."""

KERAS_2_INITIALIZERS = {
    "GlorotNormal": (1.0, "fan_avg", "normal"),
    "GlorotUniform": (1.0, "fan_avg", "uniform"),
    "HeNormal": (2.0, "fan_in", "normal"),
    "HeUniform": (2.0, "fan_in", "uniform"),
    "LecunNormal": (1.0, "fan_in", "normal"),
    "LecunUniform": (1.0, "fan_in", "uniform"),
}
"""Initializers that Keras 2 writes as VarianceScaling → its scale, mode and distribution."""

KERAS_2_NAMES = {"LeakyReLU": {"negative_slope": "alpha"}}
"""Layer → today's argument → Keras 2's."""

KERAS_3_CLASSES = {"GroupedQueryAttention": "GroupQueryAttention"}
"""Layer → its name in files of Keras 3, where it is another."""

SEPARATE = ("MultiHeadAttention", *KERAS_3_CLASSES.values())
"""Layers each of whose inputs is an argument of its own in Keras 3."""

WITH_STATES = (*CELL, "Bidirectional")
"""Layers whose inputs after the first are the argument `initial_state` in Keras 3."""

OF_MODELS = ("input_dtype", "batch_input_shape")
"""Arguments of a layer that tell the input of a model; files have a layer for it."""

OLD_OPTIONS = {"decay": 0.0, "schedule_decay": 0.004}
"""Arguments of optimizers of Keras 1 and 2 → the values with which Keras 3 can do without."""

LONG_NAMES = {
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "mse": "mean_squared_error",
    "msle": "mean_squared_logarithmic_error",
}
"""Short names of losses and metrics, which Keras 3 does not find in HDF5 files → the long ones."""

MODULES = {
    "initializer": "keras.initializers",
    "regularizer": "keras.regularizers",
    "constraint": "keras.constraints",
    "activation": "keras.activations",
}
"""Last word of an argument's name → the module that Keras 3 looks in."""


def keras_2(model: Any) -> Config:
    """A model's class and config as Keras 2.2 and tf.keras write them.

    Keras 3 reads them too, but for calls of models and calls with several arguments: where a model
    of the modern dialect has such, its calls are written as Keras 3 writes them.
    """
    return _model(model, 2)


def keras_3(model: Any) -> Config:
    """A model's class and config as Keras 3 writes them."""
    described = _model(model, 3)
    if class_of(model) == "Sequential" and model.built:
        described["config"]["build_input_shape"] = model.input_shape
    return described


def training_2(training: Config) -> Config:
    """What `compile` chose, as HDF5 files have it."""
    optimizer = _optimizer(training["optimizer_config"])
    return {
        **training,
        "optimizer_config": optimizer,
        "loss": _spelled(training["loss"]),
        "metrics": _spelled(training["metrics"]),
        "weighted_metrics": _spelled(training["weighted_metrics"]),
    }


def training_3(training: Config) -> Config:
    """What `compile` chose, as `.keras` files have it: the arguments of Keras 3's `compile`."""
    optimizer = _optimizer(training["optimizer_config"])
    own = dict(optimizer["config"])
    if "lr" in own:
        own["learning_rate"] = own.pop("lr")
    own = {k: v for k, v in own.items() if k not in OLD_OPTIONS or v != OLD_OPTIONS[k]}
    return {
        "optimizer": _tagged({**optimizer, "config": own}, "keras.optimizers"),
        "loss": _each_tagged(training["loss"], "keras.losses"),
        "loss_weights": training["loss_weights"],
        "metrics": _each_tagged(training["metrics"], "keras.metrics"),
        "weighted_metrics": _each_tagged(training["weighted_metrics"], "keras.metrics"),
    }


def _optimizer(described: Config) -> Config:
    """An optimizer's config, in which a schedule says where Keras 3 finds its class."""
    own = described["config"]
    rate = own.get("learning_rate")
    if isinstance(rate, Mapping):
        own = {**own, "learning_rate": _tagged({**rate}, "keras.optimizers.schedules")}
    return {**described, "config": own}


def _each_tagged(value: Any, module: str) -> Any:
    if isinstance(value, list | tuple):
        return [_each_tagged(part, module) for part in value]
    if isinstance(value, Mapping) and "class_name" in value:
        return _tagged({**value}, module)
    if isinstance(value, Mapping):
        return {name: _each_tagged(part, module) for name, part in value.items()}
    return value


def _spelled(value: Any) -> Any:
    """Losses or metrics with the names that Keras 3 finds in HDF5 files."""
    if isinstance(value, list | tuple):
        return [_spelled(part) for part in value]
    if isinstance(value, Mapping) and "class_name" not in value:
        return {name: _spelled(part) for name, part in value.items()}
    return LONG_NAMES.get(value, value) if isinstance(value, str) else value


def _model(model: Any, form: int) -> Config:
    described = {"class_name": type(model).__name__, "config": model.get_config()}
    arguments = described["config"]
    first = arguments["layers"][0]["config"] if arguments["layers"] else {}
    by_name = {layer.name: layer for layer in model.layers}
    items = []
    for item in arguments["layers"]:
        layer = by_name.get(item["config"]["name"])
        own = {} if layer is None else _layer(layer, form)
        items.append(_tagged({**item, **own}, "keras.layers") if layer is None else {**item, **own})
    nested = {name: class_of(layer) for name, layer in by_name.items() if isinstance(layer, Model)}
    if class_of(model) == "Sequential":
        items[:0] = [_input_of(model, form)] if "batch_input_shape" in first else []
    elif form == 3 or (model.dialect == "modern" and (nested or any(map(_has_more, items)))):
        _call_as_keras_3(arguments, items, nested)
    else:
        _number_as_keras_2(arguments, items, nested)
    arguments["layers"] = items
    return _tagged(described, "keras")


def _has_more(item: Config) -> bool:
    """Whether a layer has further arguments, which not every Keras writes alike."""
    many = any(len(node) > 1 for node in item["inbound_nodes"])
    return many and item["class_name"] in (*SEPARATE, *WITH_STATES)


def _call_as_keras_3(arguments: Config, items: Sequence[Config], nested: Mapping[str, str]) -> None:
    """Write the arguments of calls by name; outputs that are a graph's count its calls from 1."""
    for item in items:
        item["inbound_nodes"] = [_call(item["class_name"], node) for node in item["inbound_nodes"]]
    for reference in arguments["output_layers"]:
        reference[1] += nested.get(reference[0], "Sequential") != "Sequential"


def _number_as_keras_2(
    arguments: Config, items: Sequence[Config], nested: Mapping[str, str]
) -> None:
    """Count the calls of a model in a model from 1."""
    calls = [node for item in items for node in item["inbound_nodes"]]
    for references in (*calls, arguments["output_layers"]):
        for reference in references:
            reference[1] += reference[0] in nested


def _input_of(model: Any, form: int) -> Config:
    """The layer that says what the input of a Sequential is."""
    arguments = {
        "batch_shape" if form == 3 else "batch_input_shape": model.input_shape,
        "dtype": model.input_dtypes[0],
        "sparse": False,
        "name": model.input_names[0],
    }
    return _tagged({"class_name": "InputLayer", "config": arguments}, "keras.layers")


def _call(kind: str, node: Sequence[Any]) -> Config:
    """A call of a layer of that class as Keras 3 writes it."""
    tensors = [
        {
            "class_name": "__keras_tensor__",
            "config": {"shape": [], "dtype": "float32", "keras_history": list(reference[:3])},
        }
        for reference in node
    ]
    options = dict(node[0][3])
    if len(tensors) == 1 or kind in SEPARATE:
        return {"args": tensors, "kwargs": options}
    if kind in WITH_STATES:
        return {"args": tensors[:1], "kwargs": {**options, "initial_state": tensors[1:]}}
    return {"args": [tensors], "kwargs": options}


def _tagged(described: Config, module: str) -> Config:
    """With what tf.keras since 2.13 and Keras 3 find a class by; others pass over it."""
    return {**described, "module": module, "registered_name": None}


def _layer(layer: Any, form: int) -> Config:
    """A layer's class and config; layers inside are described in the same way."""
    if isinstance(layer, Model):  # Merge has an argument named layers
        return keras_3(layer) if form == 3 else keras_2(layer)
    if isinstance(layer, InputLayer):
        item = {"class_name": "InputLayer", "config": layer.get_config()}
        return _tagged(item, "keras.layers")
    kind = class_of(layer)
    own = type(layer).__module__.partition(".")[0] != "funkeras"
    config: Config = {}
    for key, value in layer.get_config().items():
        if key in OF_MODELS or (key in HARMLESS and _in(value, HARMLESS[key])):
            continue
        given = layer._arguments.get(key)
        word = str(KERAS_2_NAMES.get(kind, {}).get(key, key)) if form == 2 else key
        config[word] = _value(key, value, given, form)
    name = KERAS_3_CLASSES.get(kind, kind)
    described = {"class_name": type(layer).__name__ if own else name, "config": config}
    described = _tagged(described, "keras.layers")
    # Of several arguments Keras 3 gets the shapes when it calls the layer.
    if form == 3 and layer.built and name not in (*SEPARATE, *WITH_STATES):
        described["build_config"] = {"input_shape": layer.input_shape}
    if own:
        described |= {"module": type(layer).__module__, "registered_name": type(layer).__name__}
    return described


def _in(value: Any, harmless: tuple[Any, ...]) -> bool:
    value = tuple(value) if isinstance(value, list) else value
    return any(type(value) is type(known) and value == known for known in harmless)


def _value(key: str, value: Any, given: Any, form: int) -> Any:
    if hasattr(given, "get_config") and hasattr(given, "weights"):
        return _layer(given, form)
    if isinstance(given, list | tuple) and given and all(hasattr(g, "weights") for g in given):
        return [_layer(layer, form) for layer in given]
    if form == 3 and given is HARD_SIGMOIDS["keras2"]:
        return CLASSIC_HARD_SIGMOID
    kind = key.rpartition("_")[2]
    if not isinstance(value, Mapping) or kind not in MODULES:
        return value
    name = str(value["class_name"])
    arguments = {
        k: v
        for k, v in value["config"].items()
        if not (k in ("input_axes", "output_axes") and v is None)
    }
    if form == 3:
        return _tagged({"class_name": name, "config": arguments}, MODULES[kind])
    if name in KERAS_2_INITIALIZERS:
        words = ("scale", "mode", "distribution")
        scaling = dict(zip(words, KERAS_2_INITIALIZERS[name], strict=True))
        return {
            "class_name": "VarianceScaling",
            "config": {**scaling, "seed": arguments.get("seed")},
        }
    if name in ("L1", "L2"):
        return {"class_name": "L1L2", "config": {"l1": 0.0, "l2": 0.0, **arguments}}
    return {"class_name": name, "config": arguments}
