"""From configs of every generation to models. A config is data: it names classes, it runs nothing.

Classes come from the library or from `custom_objects`. What a config may say beyond that (byte
code, modules to import, files to read) is refused with a message that says what to pass instead.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import jax

from funkeras import config, layers, spellings
from funkeras.activations import HARD_SIGMOIDS
from funkeras.formats.errors import FileFormatError
from funkeras.functional.pair import is_shape
from funkeras.layers.facade import class_names, layer_class
from funkeras.registry import custom_object_scope, get_custom_objects
from funkeras.typing import Config

__all__ = ["Generation", "build", "cleaned", "generation_of", "reported"]

WITHOUT_MEANING = {
    "autocast": (True, None),
    "build_config": None,
    "cache_enabled": None,
    "quantization_config": (None,),
    "ragged": (False, None),
    "shared_object_id": None,
    "sparse": (False, None),
    "optional": (False, None),
    "input_mask": (None,),
}
"""Keys of layers' configs that funkeras has no argument for → the values that mean nothing there,
None for any value."""

LAYER_KEYS = ("layer", "forward_layer", "backward_layer", "cell", "cells", "layers")
"""Keys of a config under which other layers are described."""

CUDNN = {"CuDNNLSTM": "LSTM", "CuDNNGRU": "GRU"}
"""Layers of Keras 2 for GPUs → those that compute the same."""

SLACK = 1 << 20
"""Entries that a model may have beyond those of its file."""

ERRORS = (
    ArithmeticError,
    AttributeError,
    IndexError,
    KeyError,
    MemoryError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What building a model from a malformed config raises."""


class Generation(NamedTuple):
    """Which Keras a config is of."""

    number: int
    """0 to 3."""
    tensorflow: bool
    """Whether it is tf.keras of TensorFlow 1 or 2."""
    old_optimizers: bool
    """Whether it is tf.keras before 2.11, whose optimizers have other names and slots."""

    @property
    def dialect(self) -> str:
        """Whose values hold where the config is silent."""
        if self.number < 2:
            return "classic"
        return "keras2" if self.number == 2 and not self.tensorflow else "modern"


def generation_of(version: Any) -> Generation:
    """The generation that a file's `keras_version` tells; Keras 1 may be silent.

    >>> generation_of("2.2.4-tf"), generation_of("2.3.1").dialect
    (Generation(number=2, tensorflow=True, old_optimizers=True), 'keras2')
    """
    if not isinstance(version, str) or not version[:1].isdigit():
        return Generation(1, False, False)
    numbers = [int(part) if part.isdigit() else 0 for part in version.split("-")[0].split(".")]
    minor = numbers[1] if len(numbers) > 1 else 0
    tensorflow = numbers[0] == 2 and ("tf" in version or minor >= 4)
    return Generation(numbers[0], tensorflow, tensorflow and minor < 11)


@contextmanager
def reported(where: str) -> Iterator[None]:
    """Turn what a malformed config raises into a FileFormatError."""
    try:
        yield
    except FileFormatError:
        raise
    except ERRORS as error:
        notes = "; ".join(getattr(error, "__notes__", ()))
        text = f"{error} ({notes})" if notes else f"{error}"
        raise FileFormatError(
            f"{where}: not a model's config: {type(error).__name__}: {text}"
        ) from error


def cleaned(described: Any, generation: Generation, where: str) -> Config:
    """A model's or layer's config as `from_config` takes it, with what it names checked.

    Raises:
        FileFormatError: for classes that neither the library nor `custom_objects` has, and for
            code.
    """
    if isinstance(described, Mapping) and "class_name" not in described and "name" in described:
        described = _of_keras_0(described)
    if not isinstance(described, Mapping) or not isinstance(described.get("class_name"), str):
        raise FileFormatError(f"{where}: a layer's config has a class_name, got {described!r:.200}")
    arguments = described.get("config", {})
    name = _class_name(described, where)
    result = {key: value for key, value in described.items() if key not in ("config", "module")}
    result["class_name"] = name
    if isinstance(arguments, list):  # Sequential before Keras 2.2.3
        result["config"] = [cleaned(layer, generation, where) for layer in arguments]
        return result
    if not isinstance(arguments, Mapping):
        raise FileFormatError(f"{where}: the config of {name!r} is {arguments!r:.200}")
    result["config"] = {
        key: _value(key, value, name, generation, where)
        for key, value in arguments.items()
        if not _meaningless(key, value, name, where)
    }
    for replace in (_lambda, _cudnn):
        replace(result, described, where)
    return result


def _of_keras_0(described: Mapping[str, Any]) -> Config:
    """Keras 0 has the class as `name`, and the name as `custom_name`."""
    arguments = {key: value for key, value in described.items() if key != "name"}
    if "custom_name" in arguments:
        arguments["name"] = arguments.pop("custom_name")
    return {"class_name": described["name"], "config": arguments}


def _class_name(described: Mapping[str, Any], where: str) -> str:
    given = described.get("registered_name") or described["class_name"]
    custom = get_custom_objects()
    for name in (given, str(given).rpartition(">")[2], described["class_name"]):
        if name in custom and isinstance(custom[name], type):
            return name
    # Some files have the path of the module before the class.
    name = described["class_name"].rpartition(">")[2].rpartition(".")[2]
    if name not in custom and not known(name):
        hint = spellings.nearest(name, (*MODELS, *class_names()))
        raise FileFormatError(
            f"{where}: there is no layer {name!r}{hint}. If it is your own, pass its class: "
            f"custom_objects={{{name!r}: …}}. Nothing that a file names is imported or run."
        )
    return name


def known(name: str) -> bool:
    """Whether the library has a layer or model of that name."""
    return name in (*MODELS, *CUDNN, "InputLayer", *class_names())


def _meaningless(key: str, value: Any, name: str, where: str) -> bool:
    if key not in WITHOUT_MEANING or name in get_custom_objects():
        return False
    allowed = WITHOUT_MEANING[key]
    if allowed is not None and value not in allowed:
        raise FileFormatError(f"{where}: {name} with {key}={value!r:.100} is not supported")
    return True


def _value(key: str, value: Any, name: str, generation: Generation, where: str) -> Any:
    if key in LAYER_KEYS and isinstance(value, list):
        return [cleaned(layer, generation, where) for layer in value]
    if key in LAYER_KEYS and isinstance(value, Mapping):
        return cleaned(value, generation, where)
    if key == "dtype" and isinstance(value, Mapping):  # a policy of Keras 3
        policy = value.get("config")
        return policy.get("name") if isinstance(policy, Mapping) else None
    if generation.number < 3 and value == "hard_sigmoid" and key.endswith("activation"):
        return HARD_SIGMOIDS["keras2"]
    if value == CLASSIC_HARD_SIGMOID and key.endswith("activation"):
        return HARD_SIGMOIDS["keras2"]
    return value


CLASSIC_HARD_SIGMOID = {
    "class_name": "function",
    "config": "classic_hard_sigmoid",
    "module": "funkeras",
    "registered_name": "function",
}
"""How a `.keras` file says `clip(0.2 x + 0.5, 0, 1)`, which Keras 3 does not have."""


def _lambda(result: Config, described: Mapping[str, Any], where: str) -> None:
    """A Lambda layer gets its functions from `custom_objects`, by its name."""
    if result["class_name"] != "Lambda" or "Lambda" in get_custom_objects():
        return
    arguments = result["config"]
    name = arguments.get("name", "lambda")
    function = get_custom_objects().get(name)
    if not callable(function):
        raise FileFormatError(
            f"{where}: the Lambda layer {name!r} holds code, which is not run. Pass its function: "
            f"custom_objects={{{name!r}: lambda x: …}}"
        )
    kept = ("name", "trainable", "dtype", "batch_input_shape", "batch_shape", "input_dtype")
    result["config"] = {key: arguments[key] for key in kept if key in arguments}
    result["config"]["function"] = function
    if isinstance(arguments.get("arguments"), Mapping) and arguments["arguments"]:
        result["config"]["arguments"] = dict(arguments["arguments"])


def _cudnn(result: Config, described: Mapping[str, Any], where: str) -> None:
    """A layer for GPUs is written as the one that computes the same."""
    current = CUDNN.get(result["class_name"])
    if current is not None and result["class_name"] not in get_custom_objects():
        result["class_name"] = current
        result["config"] |= {"activation": "tanh", "recurrent_activation": "sigmoid"}
        if current == "GRU":
            result["config"]["reset_after"] = True


def build(described: Config, entries: int | None, where: str) -> Any:
    """The model or layer of a cleaned config, in the present dialect.

    Args:
        entries: how many entries all its weights together may have, as many as its file holds;
            None for any number.
    """
    name, arguments = described["class_name"], described["config"]
    custom = get_custom_objects().get(name)
    if isinstance(custom, type) and hasattr(custom, "from_config"):
        return custom.from_config(_with_layers(arguments, entries, where))
    if name in MODELS:
        return MODELS[name](arguments, entries, where)
    if name == "InputLayer":
        return layers.InputLayer(**arguments)
    return layer_class(name).from_config(_with_layers(arguments, entries, where))


def _with_layers(arguments: Config, entries: int | None, where: str) -> Config:
    """Arguments with the layers in them made."""
    return {
        key: build(value, entries, where)
        if key in LAYER_KEYS and isinstance(value, Mapping)
        else [build(layer, entries, where) for layer in value]
        if key in LAYER_KEYS and isinstance(value, list)
        else value
        for key, value in arguments.items()
    }


def _sequential(arguments: Any, entries: int | None, where: str) -> Any:
    described = arguments if isinstance(arguments, list) else arguments["layers"]
    options = {} if isinstance(arguments, list) else arguments
    model = layer_class("Sequential")(name=options.get("name"))
    left = None if entries is None else entries + SLACK
    shape: Any = None
    for item in described:
        layer = build(item, entries, where)
        if isinstance(layer, layers.InputLayer):
            shape = layer.tensor.shape
        elif left is not None:
            shape = layer.batch_shape if shape is None else shape
            shape = options.get("build_input_shape") if shape is None else shape
            if shape is not None:
                left -= _entries(layer, shape)
                shape = layer.compute_output_shape(shape)
            if left < 0:
                raise FileFormatError(
                    f"{where}: refused, with layer {layer.name!r} the model would have more "
                    f"weights than the {entries} numbers that the file holds"
                )
        model.add(layer)
    if not model.built and options.get("build_input_shape"):
        model.build(options["build_input_shape"])
    return model


def _entries(layer: Any, shape: Any) -> int:
    """How many entries a layer's weights would have; none are made."""
    shape = jax.tree.map(lambda s: s, shape, is_leaf=is_shape)
    return sum(math.prod(weight.shape) for weight in layer.pair.weights(tuple(shape)))


def _functional(arguments: Any, entries: int | None, where: str) -> Any:
    def make(entry: Mapping[str, Any]) -> Any:
        return build(dict(entry), entries, where)

    return layer_class("Model").from_config(arguments, make=make)


MODELS: dict[str, Callable[[Any, int | None, str], Any]] = {
    "Sequential": _sequential,
    "Model": _functional,
    "Functional": _functional,
}
"""Classes of models → what builds one from its config."""


def from_description(
    described: Any,
    generation: Generation,
    custom_objects: Mapping[str, Any] | None,
    where: str,
    entries: int | None = None,
    backend: str | None = None,
) -> Any:
    """The model of a config of any generation, made in that generation's dialect."""
    with (
        custom_object_scope(custom_objects),
        config.using_dialect(generation.dialect),
        config.using_backend(backend or "tensorflow"),
        reported(where),
    ):
        return build(cleaned(described, generation, where), entries, where)
