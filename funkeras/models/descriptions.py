"""Models as configs that genuine Keras 2 and Keras 3 read."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from funkeras import config
from funkeras.activations import HARD_SIGMOIDS
from funkeras.layers.calling import RECURRENT
from funkeras.layers.input import InputLayer
from funkeras.models.configs import CLASSIC_HARD_SIGMOID, references_in
from funkeras.models.model import Model
from funkeras.models.operations import OF_KERAS_3
from funkeras.models.places import class_of
from funkeras.registry import get_registered_name
from funkeras.typing import Config

__all__ = [
    "keras_2",
    "keras_3",
    "made_for",
    "older_optimizer",
    "only_in_keras_2",
    "optimizer_3",
    "training_2",
    "training_3",
]

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
    "reverse_state_order": (False,),
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

LEFT_OUT: dict[str, dict[str, tuple[Any, ...]]] = {
    "IntegerLookup": {"oov_method": ("floormod",), "salt": (None,)},
    "StringLookup": {"salt": (None,)},
    "RandomContrast": {"data_format": (None, "channels_last"), "value_range": ((0, 255),)},
    "Resizing": {
        "antialias": (False,),
        "data_format": (None, "channels_last"),
        "fill_mode": ("constant",),
        "fill_value": (0.0,),
        "pad_to_aspect_ratio": (False,),
    },
    "ZeroPadding1D": {"data_format": (None, "channels_last")},
    **{
        kind: {"data_format": (None, "channels_last")}
        for kind in ("CenterCrop", "RandomCrop", "RandomFlip")
    },
    **{
        f"Random{kind}": {"data_format": (None, "channels_last")}
        for kind in ("Rotation", "Translation", "Zoom")
    },
}
"""Layer → its arguments that Keras 2 or tf.keras lacks → values that HDF5 files leave out."""

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

KERAS_3_HOMES = {"LayerScale": "keras.src.applications.convnext"}
"""Layer → the module in which Keras 3 finds it, if it is none of its public layers."""

SEPARATE = ("MultiHeadAttention", *KERAS_3_CLASSES.values())
"""Layers each of whose inputs is an argument of its own in Keras 3."""

REFUSED_BY_3 = "weights"
"""An argument that every layer of Keras 1, 2 and tf.keras takes, and none of Keras 3: with None it
says nothing, but lets Keras 3 refuse a layer that it would compute otherwise."""

REFUSED_BY_TF = "input_dtype"
"""The same, which tf.keras refuses too."""

OF_MODELS = ("input_dtype", "batch_input_shape")
"""Arguments of a layer that tell the input of a model; files have a layer for it."""

UNSAID = {
    "amsgrad": False,
    "clipnorm": None,
    "clipvalue": None,
    "decay": 0.0,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "global_clipnorm": None,
    "gradient_accumulation_steps": None,
    "loss_scale_factor": None,
    "schedule_decay": 0.004,
    "use_ema": False,
    "weight_decay": None,
}
"""Arguments of optimizers that not every Keras knows → the values with which all do without."""

SAME_RATES = {"Adam": 0.001, "RMSprop": 0.001, "SGD": 0.01}
"""Learning rates that every Keras takes where none is told. HDF5 files don't: Keras 2 calls it `lr`
and before 2.3 nothing else, Keras 3 and tf.keras `learning_rate`."""

LONG_NAMES = {
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "mse": "mean_squared_error",
    "msle": "mean_squared_logarithmic_error",
}
"""Short names of losses and metrics, which Keras 3 does not find in HDF5 files → the long ones."""

SCHEDULES = "keras.optimizers.schedules"
"""Where Keras 3 looks for schedules of learning rates."""

MODULES = {
    "initializer": "keras.initializers",
    "regularizer": "keras.regularizers",
    "constraint": "keras.constraints",
    "activation": "keras.activations",
    "config": "keras.quantizers",
}
"""Last word of an argument's name → the module that Keras 3 looks in."""


class Form(NamedTuple):
    """For which Keras a model is described, and whose numbers it has."""

    keras: int
    """2 for HDF5 files, 3 for `.keras`."""
    dialect: str
    backend: str


def keras_2(model: Any) -> Config:
    """A model's class and config as Keras 2.2 and tf.keras write them.

    Keras 3 reads them too, but for layers that are called with several arguments: a model of the
    modern dialect with such, or with attention, has its calls written as Keras 3 writes them.
    """
    return _model(model, Form(2, *made_for(model)))


def keras_3(model: Any) -> Config:
    """A model's class and config as Keras 3 writes them."""
    return _built(model, Form(3, *made_for(model)))


def layer_3(layer: Any) -> Config:
    """A layer's class and config as Keras 3 writes them."""
    return _layer(layer, Form(3, *made_for(layer)))


def _built(model: Any, form: Form) -> Config:
    if model.is_written():
        found = {"class_name": type(model).__name__, "config": model.get_config()}
        return {**found, **_of_user(model), "build_config": model.get_build_config()}
    described = _model(model, form)
    if model.spelling == "Sequential" and model.built:
        described["config"]["build_input_shape"] = model.input_shape
    return described


def made_for(model: Any) -> tuple[str, str]:
    """Dialect and backend whose numbers a model has."""
    return getattr(model, "_made_for", (config.dialect(), config.backend()))


def training_2(training: Config) -> Config:
    """What `compile` chose, as HDF5 files have it, in words that all of Keras 2.3 to 3 read.

    Keras 2 before 2.3 reads it too where the learning rate is its own.
    """
    return {
        **training,
        "optimizer_config": _optimizer_2(training["optimizer_config"]),
        "loss": _spelled(training["loss"]),
        "metrics": _spelled(training["metrics"]),
        "weighted_metrics": _spelled(training["weighted_metrics"]),
    }


def _optimizer_2(described: Config) -> Config:
    own = _without_unsaid(described["config"])
    rate, same = own.get("learning_rate"), SAME_RATES.get(described["class_name"])
    if isinstance(rate, float) and same is not None and np.float32(rate) == np.float32(same):
        del own["learning_rate"]
    if "inner_optimizer" in own:
        own["inner_optimizer"] = _tagged(_optimizer_2(own["inner_optimizer"]), "keras.optimizers")
    return {**described, "config": own}


def training_3(training: Config) -> Config:
    """What `compile` chose, as `.keras` files have it: the arguments of Keras 3's `compile`."""
    return {
        "optimizer": optimizer_3(training["optimizer_config"]),
        "loss": _each_tagged(training["loss"], "keras.losses"),
        "loss_weights": training["loss_weights"],
        "metrics": _each_tagged(training["metrics"], "keras.metrics"),
        "weighted_metrics": _each_tagged(training["weighted_metrics"], "keras.metrics"),
    }


def optimizer_3(described: Config) -> Config:
    """An optimizer's config of any era as Keras 3 writes it.

    What Keras 1 and 2 call `decay` is a schedule there, and their `clipnorm` is `global_clipnorm`.
    """
    given = described["config"]
    if "inner_optimizer" in given:
        own = {**given, "inner_optimizer": optimizer_3(given["inner_optimizer"])}
        return _tagged({**described, "config": own}, "keras.optimizers")
    if "optimizer_map" in given:
        own = {**given, "optimizer_map": _map_3(given["optimizer_map"])}
        return _tagged({**described, "config": own}, "keras.optimizers")
    old = "lr" in given or "is_legacy_optimizer" in given
    own = _without_unsaid(given) if old else {**given, **_with_schedule(given)}
    decay = own.pop("decay", None) if old else None
    if decay is not None and not isinstance(own["learning_rate"], Mapping):
        values = {"initial_learning_rate": own["learning_rate"], "decay_rate": decay}
        schedule = {"class_name": "InverseTimeDecay", "config": {**values, "decay_steps": 1}}
        own["learning_rate"] = _tagged(schedule, SCHEDULES)
    if "lr" in given and "clipnorm" in own:
        own["global_clipnorm"] = own.pop("clipnorm")
    written = {"module": None, **described, "config": own}
    return written if "registered_name" in described else _tagged(written, "keras.optimizers")


def _map_3(chosen: Any) -> Any:
    """What says which optimizer trains which variable, as Keras 3 writes it."""
    if not isinstance(chosen, Mapping):
        return chosen
    given = chosen["config"]
    own = {key: optimizer_3(one) for key, one in given["optimizer_map"].items()}
    default = optimizer_3(given["default_optimizer"])
    written = {"default_optimizer": default, "optimizer_map": own}
    return _tagged({"class_name": "OptimizerMap", "config": written}, "keras.optimizers")


def older_optimizer(described: Config) -> Config:
    """An optimizer's config that `optimizer_3` made, in the words of Keras 1 and 2."""
    own = dict(described["config"])
    if "inner_optimizer" in own:
        inner = older_optimizer(own["inner_optimizer"])
        return {**described, "config": {**own, "inner_optimizer": inner}}
    rate = own.get("learning_rate")
    if isinstance(rate, Mapping) and rate.get("class_name") == "InverseTimeDecay":
        schedule = rate["config"]
        if schedule.get("decay_steps") == 1 and not schedule.get("staircase"):
            own |= {"learning_rate": schedule["initial_learning_rate"]}
            own |= {"decay": schedule["decay_rate"]}
    if own.get("global_clipnorm") is not None:
        own["clipnorm"] = own.pop("global_clipnorm")
    return {**described, "config": own}


def _without_unsaid(given: Config) -> Config:
    """An optimizer's arguments in today's words, without those that say nothing."""
    own = {k: v for k, v in given.items() if k != "is_legacy_optimizer"}
    own = {k: v for k, v in own.items() if k not in UNSAID or v != UNSAID[k]}
    if "lr" in own:
        own["learning_rate"] = own.pop("lr")
    return {**own, **_with_schedule(own)}


def _with_schedule(own: Config) -> Config:
    """A learning rate that is a schedule, with what Keras 3 finds its class by."""
    rate = own.get("learning_rate")
    return {"learning_rate": _tagged({**rate}, SCHEDULES)} if isinstance(rate, Mapping) else {}


def _each_tagged(value: Any, module: str) -> Any:
    if _is_registered(value):
        return _function(value)
    if isinstance(value, list | tuple):
        return [_each_tagged(part, module) for part in value]
    if isinstance(value, Mapping) and "class_name" in value:
        return _tagged({**value}, module)
    if isinstance(value, Mapping):
        return {name: _each_tagged(part, module) for name, part in value.items()}
    return value


def _is_registered(name: Any) -> bool:
    """Whether it is the name, `package>name`, of a function that a user registered."""
    return isinstance(name, str) and ">" in name


def _function(name: str) -> Config:
    """A registered function as Keras 3 writes it."""
    return {
        "module": "builtins",
        "class_name": "function",
        "config": name,
        "registered_name": "function",
    }


def _spelled(value: Any) -> Any:
    """Losses or metrics with the names that Keras 3 finds in HDF5 files."""
    if isinstance(value, list | tuple):
        return [_spelled(part) for part in value]
    if isinstance(value, Mapping) and "class_name" not in value:
        return {name: _spelled(part) for name, part in value.items()}
    return LONG_NAMES.get(value, value) if isinstance(value, str) else value


def _model(model: Any, form: Form) -> Config:
    if model.is_written():
        raise NotImplementedError(
            f"{model.name!r} has a call of its own, of which such files can't tell: save it to a "
            "file that ends with .keras, or its weights alone with save_weights"
        )
    described = {"class_name": type(model).__name__, "config": model.get_config()}
    arguments = described["config"]
    first = arguments["layers"][0]["config"] if arguments["layers"] else {}
    by_name = {layer.name: layer for layer in model.layers}
    items = []
    for item in arguments["layers"]:
        layer = by_name.get(item["config"]["name"])
        known = layer is None and "module" not in item  # the layer of an input
        own = {} if layer is None else _layer(layer, form)
        items.append(_tagged(item, "keras.layers") if known else {**item, **own})
    nested = {name: own.spelling for name, own in by_name.items() if isinstance(own, Model)}
    if model.spelling == "Sequential":
        items[:0] = [_input_of(model, form)] if "batch_input_shape" in first else []
        items = [_alone(item) for item in items]
    elif form.keras == 3 or any(_is_new(item, form.dialect) for item in items):
        _call_as_keras_3(arguments, items, nested)
    else:
        _call_models_twice(arguments, items, nested)
    arguments["layers"] = items
    described = _tagged(described, "keras")
    return {**described, **_of_user(model)} if _is_of_user(model) else described


def _is_of_user(layer: Any) -> bool:
    return type(layer).__module__.partition(".")[0] != "funkeras"


def _of_user(layer: Any) -> Config:
    """What Keras 3 finds a user's class by."""
    kind = type(layer)
    return {"module": kind.__module__, "registered_name": get_registered_name(kind)}


def _is_new(item: Config, dialect: str) -> bool:
    """Whether Keras 2 writes no such calls, or otherwise: operations, several arguments."""
    if "module" in item and item["module"].startswith(OF_KERAS_3):
        return True
    if any(isinstance(node, Mapping) for node in item["inbound_nodes"]):
        return True
    many = any(len(node) > 1 for node in item["inbound_nodes"])
    kinds = (*SEPARATE, *RECURRENT) if dialect == "modern" else SEPARATE
    return many and item["class_name"] in kinds


def _call_as_keras_3(arguments: Config, items: Sequence[Config], nested: Mapping[str, str]) -> None:
    """Write the arguments of calls by name; outputs that are a graph's count its calls from 1."""
    for item in items:
        item["inbound_nodes"] = [
            node if isinstance(node, Mapping) else _call(item["class_name"], node)
            for node in item["inbound_nodes"]
        ]
    for reference in references_in(arguments["output_layers"]):
        reference[1] += nested.get(reference[0], "Sequential") != "Sequential"
    _alone({"config": arguments})


def _alone(described: Config) -> Config:
    """A graph's only input and output each as itself, where they are no calls of an outer graph.

    To Keras 3 a list of one output is no tensor. Keras 2.3 and before know no other form.
    """
    arguments = described["config"]
    for ends in ("input_layers", "output_layers"):
        given = arguments.get(ends, ())
        if isinstance(given, list) and len(given) == 1:
            (arguments[ends],) = given
    return described


def _call_models_twice(
    arguments: Config, items: Sequence[Config], nested: Mapping[str, str]
) -> None:
    """Number the calls of models in a model so that every Keras finds them.

    Keras 2 counts them from 1, as a model's own inputs and outputs are its call 0, Keras 3 from 0.
    So each call is written twice: the second one of Keras 3 is the first one of Keras 2. Neither
    keeps a call that nothing uses.
    """
    for item in items:
        for node in item["inbound_nodes"]:
            _refer_to_second(node, nested)
        if item["name"] in nested:
            item["inbound_nodes"] = [node for node in item["inbound_nodes"] for _ in range(2)]
    _refer_to_second(references_in(arguments["output_layers"]), nested)


def _refer_to_second(references: Iterable[Any], nested: Mapping[str, str]) -> None:
    for reference in references:
        if reference[0] in nested:
            reference[1] = 2 * reference[1] + 1


def _input_of(model: Any, form: Form) -> Config:
    """The layer that says what the input of a Sequential is."""
    arguments = {
        "batch_shape" if form.keras == 3 else "batch_input_shape": model.input_shape,
        "dtype": model.inputs[0].dtype,
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
    if kind in SEPARATE and len(tensors) == 4:
        return {"args": tensors[:3], "kwargs": {**options, "attention_mask": tensors[3]}}
    if len(tensors) == 1 or kind in SEPARATE:
        return {"args": tensors, "kwargs": options}
    if kind in RECURRENT:
        return {"args": tensors[:1], "kwargs": {**options, "initial_state": tensors[1:]}}
    return {"args": [tensors], "kwargs": options}


def _tagged(described: Config, module: str) -> Config:
    """With what tf.keras since 2.13 and Keras 3 find a class by; others pass over it."""
    return {**described, "module": module, "registered_name": None}


def _layer(layer: Any, form: Form) -> Config:
    """A layer's class and config; layers inside are described in the same way."""
    if isinstance(layer, Model):  # Merge has an argument named layers
        return _built(layer, form) if form.keras == 3 else _model(layer, form)
    if isinstance(layer, InputLayer):
        item = {"class_name": "InputLayer", "config": layer.get_config()}
        return _tagged(item, "keras.layers")
    kind = class_of(layer)
    own = _is_of_user(layer)
    options: Config = {}
    for key, value in layer.get_config().items():
        if key in OF_MODELS or (key in HARMLESS and _in(value, HARMLESS[key])):
            continue
        if form.keras == 2 and _in(value, LEFT_OUT.get(kind, {}).get(key, ())):
            continue
        given = layer._arguments.get(key)
        word = str(KERAS_2_NAMES.get(kind, {}).get(key, key)) if form.keras == 2 else key
        options[word] = _value(key, value, given, form)
    if not own and _only_in_keras_2(layer, form):
        options[REFUSED_BY_TF] = None
    elif not own and form.keras == 2 and _has(layer, HARD_SIGMOIDS["keras2"]):
        options[REFUSED_BY_3] = None
    name = KERAS_3_CLASSES.get(kind, kind)
    registered = get_registered_name(type(layer))
    written = type(layer).__name__ if form.keras == 3 else registered
    described = {"class_name": written if own else name, "config": options}
    described = _tagged(described, "keras.layers")
    # Of several arguments, or layers inside, Keras 3 gets the shapes when it calls the layer.
    if form.keras == 3 and layer.built and name not in (*SEPARATE, *RECURRENT, "Pipeline"):
        described["build_config"] = layer.get_build_config()
    if own:
        described |= _of_user(layer)
    elif name in KERAS_3_HOMES:
        described |= {"module": KERAS_3_HOMES[name], "registered_name": name}
    return described


def _has(layer: Any, activation: Any) -> bool:
    return any(value is activation for value in getattr(layer, "_arguments", {}).values())


def _only_in_keras_2(layer: Any, form: Form) -> bool:
    """Whether no later Keras computes a layer as this one does.

    Between pixels Keras 2 interpolates as TensorFlow 1; Theano pads otherwise where a kernel is
    even or makes steps.
    """
    if form.dialect == "modern":
        return False
    given = getattr(layer, "_arguments", {})
    if class_of(layer).startswith("UpSampling"):
        return given.get("interpolation") == "bilinear"
    if form.backend != "theano" or given.get("padding") != "same":
        return False
    sizes, steps = given.get("kernel_size", given.get("pool_size")), given.get("strides", 1)
    plain = all(size % 2 for size in _flat(sizes)) and all(step == 1 for step in _flat(steps))
    return not plain or "pool_size" in given


def _flat(sizes: Any) -> tuple[int, ...]:
    return (sizes,) if isinstance(sizes, int) else tuple(sizes or (0,))


def only_in_keras_2(model: Any) -> list[str]:
    """The layers of a model that Keras 3 refuses, because it would compute them otherwise."""
    form = Form(3, *made_for(model))

    def alone(layer: Any) -> bool:
        inner = layer.layers if isinstance(layer, Model) else _layers_in(layer)
        return _only_in_keras_2(layer, form) or any(map(alone, inner))

    return [layer.name for layer in model.layers if alone(layer)]


def _layers_in(layer: Any) -> list[Any]:
    given = jax.tree.leaves(list(getattr(layer, "_arguments", {}).values()))
    return [value for value in given if _is_layer(value)]


def _is_layer(value: Any) -> bool:
    return hasattr(value, "get_config") and hasattr(value, "weights")


def _in(value: Any, harmless: tuple[Any, ...]) -> bool:
    value = tuple(value) if isinstance(value, list) else value
    return any(type(value) is type(known) and value == known for known in harmless)


def _value(key: str, value: Any, given: Any, form: Form) -> Any:
    if _is_layer(given):
        return _alone(_layer(given, form))
    if isinstance(given, list | tuple) and given and all(map(_is_layer, given)):
        return [_alone(_layer(layer, form)) for layer in given]
    if form.keras == 3 and given is HARD_SIGMOIDS["keras2"]:
        return CLASSIC_HARD_SIGMOID
    kind = key.rpartition("_")[2]
    if form.keras == 3 and kind in MODULES and _is_registered(value):
        return _function(value)
    if not isinstance(value, Mapping) or kind not in MODULES:
        return value
    name = str(value["class_name"])
    arguments = {
        k: v
        for k, v in value["config"].items()
        if not (k in ("input_axes", "output_axes") and v is None)
    }
    if form.keras == 3 or kind == "config":  # which is of Keras 3 alone
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
