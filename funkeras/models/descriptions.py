"""Models as configs that genuine Keras 2 and Keras 3 read."""

from collections.abc import Mapping
from typing import Any

from funkeras.activations import HARD_SIGMOIDS
from funkeras.layers.input import InputLayer
from funkeras.models.configs import CLASSIC_HARD_SIGMOID
from funkeras.models.model import Model
from funkeras.models.placement import class_of
from funkeras.typing import Config

__all__ = ["keras_2", "keras_3"]

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
    "seed": (None,),
    "shared": (False,),
    "synchronized": (False,),
    "time_major": (False,),
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

MODULES = {
    "initializer": "keras.initializers",
    "regularizer": "keras.regularizers",
    "constraint": "keras.constraints",
    "activation": "keras.activations",
}
"""Last word of an argument's name → the module that Keras 3 looks in."""


def keras_2(model: Any) -> Config:
    """A model's class and config as Keras 2.2 writes them."""
    described = _model(model, 2)
    if class_of(model) == "Sequential" and described["config"]["layers"]:
        first = described["config"]["layers"][0]["config"]
        first.setdefault("batch_input_shape", model.input_shape)
        if "input_dtype" in first:
            first["dtype"] = first.pop("input_dtype")
    return described


def keras_3(model: Any) -> Config:
    """A model's class and config as Keras 3 writes them."""
    described = _model(model, 3)
    if class_of(model) == "Sequential":
        entry = {
            "batch_shape": model.input_shape,
            "dtype": model.input_dtypes[0],
            "sparse": False,
            "name": model.input_names[0],
        }
        inputs = {"class_name": "InputLayer", "config": entry}
        described["config"]["layers"].insert(0, {**_tagged(inputs, "keras.layers")})
        described["config"]["build_input_shape"] = model.input_shape
    return described


def _model(model: Any, form: int) -> Config:
    described = {"class_name": type(model).__name__, "config": model.get_config()}
    by_name = {layer.name: layer for layer in model.layers}
    items = described["config"]["layers"]
    described["config"]["layers"] = [
        {**item, **_layer(by_name[item["config"]["name"]], form)}
        if item["config"]["name"] in by_name
        else _tagged(item, "keras.layers" if form == 3 else None)
        for item in items
    ]
    return _tagged(described, "keras" if form == 3 else None)


def _tagged(described: Config, module: str | None) -> Config:
    """With what Keras 3 finds a class by."""
    if module is None:
        return described
    return {**described, "module": module, "registered_name": None}


def _layer(layer: Any, form: int) -> Config:
    """A layer's class and config; layers inside are described in the same way."""
    if isinstance(layer, Model):  # Merge has an argument named layers
        return keras_3(layer) if form == 3 else keras_2(layer)
    if isinstance(layer, InputLayer):
        item = {"class_name": "InputLayer", "config": layer.get_config()}
        return _tagged(item, "keras.layers" if form == 3 else None)
    kind = class_of(layer)
    own = type(layer).__module__.partition(".")[0] != "funkeras"
    config: Config = {}
    arguments = {**layer.get_config()}
    for key, value in arguments.items():
        if key in HARMLESS and _in(value, HARMLESS[key]):
            continue
        given = layer._arguments.get(key)
        name = str(KERAS_2_NAMES.get(kind, {}).get(key, key)) if form == 2 else key
        config[name] = _value(key, value, given, form)
    if form == 3:
        config.pop("batch_input_shape", None)
        config.pop("input_dtype", None)
    described: Config = {
        "class_name": type(layer).__name__ if own else kind,
        "config": config,
    }
    described = _tagged(described, "keras.layers" if form == 3 else None)
    if form == 3 and layer.built:
        described["build_config"] = {"input_shape": layer.input_shape}
    if form == 3 and own:
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
