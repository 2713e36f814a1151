"""From configs of every generation to models. A config is data: it names classes, it runs nothing.

Classes come from the library or from `custom_objects`. What a config may say beyond that (byte
code, modules to import, files to read) is refused with a message that says what to pass instead.
"""

import inspect
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from funkeras import config, dtype_policies, layers, spellings
from funkeras.activations import HARD_SIGMOIDS
from funkeras.formats.errors import FileFormatError
from funkeras.functional.shapes import freeze_shape
from funkeras.layers.facade import layer_class
from funkeras.layers.layer import Layer
from funkeras.layers.special import CONTAINERS
from funkeras.models.model import Model
from funkeras.models.operations import OPERATION, Recorded, is_operation, operation_config
from funkeras.registry import custom_object_scope, get_custom_objects
from funkeras.typing import Config

__all__ = ["Generation", "from_description", "generation_of", "reported"]

WITHOUT_MEANING = {
    "autocast": (True, None),
    "build_config": None,
    "cache_enabled": None,
    "groups": (1,),
    "quantization_config": (None,),
    "ragged": (False, None),
    "shared_object_id": None,
    "sparse": (False, None),
    "optional": (False, None),
    "implementation": None,
    "input_mask": (None,),
    "kernel_constraint": None,
    "kernel_initializer": None,
    "kernel_regularizer": None,
    "key_shape": None,
    "noise_shape": (None,),
    "oov_method": None,
    "output_padding": (None,),
    "query_shape": None,
    "rms_scaling": (False,),
    "rng_type": None,
    "softmax_robust_masking": None,
    "value_shape": None,
    "vocabulary_size": None,
    "time_major": (False,),
    "unroll": None,
    "use_cudnn": None,
    "weights": (None,),
    "zero_output_for_mask": (False,),
}
"""Keys of layers' configs → where a layer has no such argument, the values that mean nothing,
None for any value."""

UNTOLD = {"ZeroPadding1D": {"data_format": "channels_last"}}
"""Layer → arguments that files before Keras 3 do not tell, whatever the configuration says."""

LAYER_KEYS = ("layer", "forward_layer", "backward_layer", "cell", "cells", "layers")
"""Keys of a config under which other layers are described."""

NO_LAYERS = ("Input", "Layer", "Variable")
"""What the package of layers has besides layers."""

REPLACED = {
    "TFDConcat": "Concatenate",
    "TFDIdentity": "Identity",
    "TimeDistributedDense": "Dense",
}
"""Layers of Keras 0 and 1, and of Keras 3's own → those that compute the same."""

CUDNN = {"CuDNNLSTM": "LSTM", "CuDNNGRU": "GRU"}
"""Layers of Keras 2 for GPUs → those that compute the same."""

ATTENTION = ("Attention", "AdditiveAttention", "MultiHeadAttention", "GroupedQueryAttention")
ATTENTION += ("GroupQueryAttention",)
CALL_OPTIONS = ("use_causal_mask", "return_attention_scores")
"""Arguments of calls of those layers in tf.keras and Keras 3, here of the layers themselves."""

SLACK = 1 << 20
"""Entries that a model may have beyond those of its file."""

ERRORS = (
    ArithmeticError,
    AttributeError,
    IndexError,
    KeyError,
    MemoryError,
    NameError,
    RuntimeError,
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
    if is_operation(described) and described["class_name"] not in get_custom_objects():
        config = operation_config(described, where)
        return {**described, "class_name": OPERATION, "config": config}
    name = _class_name(described, where)
    result = {key: value for key, value in described.items() if key not in ("config", "module")}
    result["class_name"] = name
    if isinstance(arguments, list):  # Sequential before Keras 2.2.3
        entries = [cleaned(layer, generation, where) for layer in arguments]
        # A graph calls its layers by the names that stand beside their configs.
        result["config"] = {"name": described.get("name"), "layers": entries}
        return result
    if not isinstance(arguments, Mapping):
        raise FileFormatError(f"{where}: the config of {name!r} is {arguments!r:.200}")
    result["config"] = {
        key: _value(key, value, name, generation, where)
        for key, value in _without_mask_operations(arguments).items()
        if not _meaningless(key, value, name, where)
    }
    if generation.number < 3:
        result["config"] = {**UNTOLD.get(name, {}), **result["config"]}
    _lambda(result, where)
    _cudnn(result)
    _options_of_calls(result)
    _renumber(result["config"])
    return result


def _of_keras_0(described: Mapping[str, Any]) -> Config:
    """Keras 0 has the class as `name`; its layers have no names of their own."""
    arguments = {k: v for k, v in described.items() if k not in ("name", "custom_name")}
    if described["name"] == "Embedding":  # its input_shape is the number of words
        arguments.pop("input_shape", None)
    return {"class_name": described["name"], "config": arguments}


def _class_name(described: Mapping[str, Any], where: str) -> str:
    written = str(described["class_name"])
    given = str(described.get("registered_name") or written)
    custom = get_custom_objects()
    for name in (given, given.rpartition(">")[2], written):
        if name in custom and isinstance(custom[name], type):
            return name
    # Some files have the path of the module before the class.
    name = written.rpartition(">")[2].rpartition(".")[2]
    name = REPLACED.get(name, name)
    if name not in CUDNN and name not in custom and not known(name):
        hint = spellings.nearest(name, (*CONTAINERS, *layers.__all__))
        raise FileFormatError(
            f"{where}: there is no layer {name!r}{hint}. If it is your own, pass its class: "
            f"custom_objects={{{name!r}: …}}. Nothing that a file names is imported or run."
        )
    return name


def known(name: str) -> bool:
    """Whether the library has a layer or model of that name."""
    own = name in layers.__all__ and name not in NO_LAYERS
    return own or name in CONTAINERS or name in REPLACED


def _leaves(custom: Any, key: str) -> bool:
    """Whether a class leaves an argument to the built-in layer that it is derived from."""
    if getattr(custom, "builder", None) is None:
        return False
    return key not in {
        **custom.signature.parameters,
        **inspect.signature(custom.__init__).parameters,
    }


def _meaningless(key: str, value: Any, name: str, where: str) -> bool:
    custom = get_custom_objects().get(name)
    if key not in WITHOUT_MEANING or (custom is not None and not _leaves(custom, key)):
        return False
    if custom is None and name in layers.__all__ and key in layer_class(name).signature.parameters:
        return False
    if key == "zero_output_for_mask" and name.startswith("ConvLSTM"):
        return True  # Bidirectional sets it in Keras 3; there is no mask that has a time axis alone
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
        policy = dtype_policies.deserialize(value)
        return policy if isinstance(policy, dtype_policies.DTypePolicyMap) else policy.name
    if generation.number < 3 and value == "hard_sigmoid" and key.endswith("activation"):
        return HARD_SIGMOIDS["keras2"]
    if key.endswith("activation") and _is_classic_hard_sigmoid(value):
        return HARD_SIGMOIDS["keras2"]
    if key.endswith("activation") and _describes_a_layer(value):
        return cleaned(value, generation, where)
    return value


CLASSIC_HARD_SIGMOID = {
    "module": "keras",
    "class_name": "Sequential",
    "config": {
        "name": "classic_hard_sigmoid",
        "layers": [
            {
                "module": "keras.layers",
                "class_name": "Rescaling",
                "config": {"scale": 0.2, "offset": 0.5},
                "registered_name": None,
            },
            {
                "module": "keras.layers",
                "class_name": "ReLU",
                "config": {"max_value": 1.0},
                "registered_name": None,
            },
        ],
    },
    "registered_name": None,
}
"""How a `.keras` file says `clip(0.2 x + 0.5, 0, 1)`: Keras 3 has no function that is it."""


def _is_classic_hard_sigmoid(value: Any) -> bool:
    """Whether an activation is that model, perhaps as Keras 3 has written it again."""
    if not isinstance(value, Mapping) or value.get("class_name") != "Sequential":
        return False
    wanted = CLASSIC_HARD_SIGMOID["config"]
    config = value.get("config")
    if not isinstance(config, Mapping) or config.get("name") != wanted["name"]:
        return False
    layers = [entry for entry in config.get("layers", ()) if entry["class_name"] != "InputLayer"]
    return len(layers) == 2 and all(
        own["class_name"] == other["class_name"]
        and own["config"].items() <= other["config"].items()
        for own, other in zip(wanted["layers"], layers, strict=True)
    )


def _describes_a_layer(value: Any) -> bool:
    """Whether an activation is a layer, such as LeakyReLU, with arguments of its own."""
    named = isinstance(value, Mapping) and isinstance(value.get("config"), Mapping)
    return named and known(str(value.get("class_name")))


def _lambda(result: Config, where: str) -> None:
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


def _cudnn(result: Config) -> None:
    """A layer for GPUs is written as the one that computes the same."""
    current = CUDNN.get(result["class_name"])
    if current is not None and result["class_name"] not in get_custom_objects():
        result["class_name"] = current
        result["config"] |= {"activation": "tanh", "recurrent_activation": "sigmoid"}
        if current == "GRU":
            result["config"]["reset_after"] = True


def _options_of_calls(result: Config) -> None:
    """What calls of attention say is an argument of the layer here."""
    if result["class_name"] not in ATTENTION:
        return
    calls = result.get("inbound_nodes") or ()
    options = [
        node.get("kwargs", {}) if isinstance(node, Mapping) else _last_options(node)
        for node in calls
    ]
    for key in CALL_OPTIONS:
        values = [given.pop(key, False) for given in options]
        if any(values):
            if not all(values):
                raise ValueError(
                    f"{result['config'].get('name')!r} is called with and without {key}"
                )
            result["config"][key] = True


def _last_options(node: Any) -> dict[str, Any]:
    references = [node] if node and isinstance(node[0], str) else node
    return next((ref[3] for ref in references if len(ref) > 3 and ref[3]), {})


def _without_mask_operations(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """A graph without the operations that only make masks, which layers make by themselves.

    Keras 3 lists them as if they were layers.
    """
    entries = arguments.get("layers")
    if not isinstance(entries, list) or "output_layers" not in arguments:
        return arguments
    by_name = {entry.get("name"): entry for entry in entries if isinstance(entry, Mapping)}
    waiting = set(_called(arguments["output_layers"]))
    needed: set[str] = set()
    while waiting:
        needed |= (new := waiting & by_name.keys())
        found = (name for own in new for name in _called(by_name[own].get("inbound_nodes")))
        waiting = set(found) - needed

    def kept(entry: Any) -> bool:
        if not isinstance(entry, Mapping) or entry.get("name") in needed:
            return True
        name = str(entry.get("class_name")).rpartition(">")[2].rpartition(".")[2]
        return (
            (not is_operation(entry) and known(name))
            or name in CUDNN
            or name in get_custom_objects()
        )

    return {**arguments, "layers": [entry for entry in entries if kept(entry)]}


def _called(value: Any) -> Iterator[str]:
    """The layers whose outputs a call takes, but for its mask."""
    if isinstance(value, list) and len(value) >= 3 and isinstance(value[0], str):
        yield value[0]
    if isinstance(value, Mapping):
        value = [part for key, part in value.items() if key != "mask"]
    if isinstance(value, list):
        for part in value:
            yield from _called(part)


def _renumber(arguments: Config) -> None:
    """Let the calls of a model in a model begin at 0.

    Until Keras 3 its own inputs and outputs were its call 0; in Keras 3 they are for the outputs of
    the outer model alone, and not where the inner one is Sequential.
    """
    entries = [entry for entry in arguments.get("layers") or () if isinstance(entry, Mapping)]
    nodes = [entry.get("inbound_nodes") or [] for entry in entries]
    nested = {
        entry["name"]: (entry["class_name"], len(calls))
        for entry, calls in zip(entries, nodes, strict=True)
        if calls and "name" in entry and entry["class_name"] != OPERATION
        if issubclass(layer_class(entry["class_name"]), Model)
    }
    outputs = list(references_in([arguments.get("output_layers")]))
    keras_3 = any(isinstance(node, Mapping) for calls in nodes for node in calls)
    for name, (kind, calls) in nested.items():
        references = outputs if keras_3 else [*outputs, *references_in(nodes)]
        own = [reference for reference in references if reference[0] == name]
        highest = max((reference[1] for reference in own), default=0)
        if kind != "Sequential" if keras_3 else highest >= calls:
            for reference in own:
                reference[1] -= 1


def references_in(value: Any) -> Iterator[list[Any]]:
    """The `[name, call, output]` lists in nested lists and dicts."""
    if (
        isinstance(value, list)
        and len(value) >= 3
        and isinstance(value[0], str)
        and all(isinstance(part, int) for part in value[1:3])
    ):
        yield value
        value = value[3:]
    if isinstance(value, list | Mapping):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from references_in(part)


@contextmanager
def _image_data_format(described: Any) -> Iterator[None]:
    """The place of the channels where layers do not tell it: in Keras 1 some never do.

    It is that of the layers of the model which do, if they agree.
    """
    before = config.image_data_format()
    told = set(_told(described))
    if len(told) == 1:
        config.set_image_data_format(told.pop())
    try:
        yield
    finally:
        config.set_image_data_format(before)


def _told(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key in ("dim_ordering", "data_format"):
            known = config.ORDERINGS.get(str(value.get(key)), value.get(key))
            if known in config.DATA_FORMATS and not str(value.get("name")).endswith("1d"):
                yield str(known)
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _told(part)


def build(described: Mapping[str, Any], left: list[int] | None, where: str) -> Any:
    """The model or layer of a cleaned config, in the present dialect.

    Args:
        left: how many entries the weights may still have together, in a list that all parts of a
            model share; None for any number.
    """

    def make(entry: Mapping[str, Any]) -> Any:
        return build(entry, left, where)

    name, arguments = described["class_name"], described["config"]
    if name == OPERATION:
        return Recorded(**arguments)
    kind = layer_class(name)
    if issubclass(kind, Model):
        options: dict[str, Any] = {"make": make}
        takes_make = "make" in inspect.signature(kind.from_config).parameters
        model = kind.from_config(arguments, **(options if takes_make else {}))
        _built_as_told(model, described)
        shape = arguments.get("build_input_shape") if isinstance(arguments, Mapping) else None
        if model.is_written():
            shape = _any_rows((described.get("build_config") or {}).get("input_shape"))
        if not model.built and shape:
            model.build(shape)
        return model
    inner = {
        key: make(value) if isinstance(value, Mapping) else [make(layer) for layer in value]
        for key, value in arguments.items()
        if (key in LAYER_KEYS and value)
        or (key.endswith("activation") and _describes_a_layer(value))
    }
    layer = kind.from_config({**arguments, **inner})
    if left is not None and getattr(kind, "builder", None) is not None:
        _watch(layer, left, where)
    return _built_as_told(layer, described)


def _any_rows(shape: Any) -> Any:
    """A shape, or several nested in a list or dict, for batches of any size."""
    if isinstance(shape, Mapping):
        return {name: _any_rows(own) for name, own in shape.items()}
    nested = shape and isinstance(shape[0], list | tuple | Mapping)
    return [*map(_any_rows, shape)] if nested else shape and (None, *shape[1:])


def _built_as_told(layer: Layer, described: Mapping[str, Any]) -> Layer:
    """The layer, built by the `build_from_config` of its class if a user wrote that."""
    told = described.get("build_config")
    written = type(layer).build_from_config is not Layer.build_from_config
    if written and isinstance(told, Mapping) and told and not layer.built:
        layer.build_from_config(told)
        layer.was_built = True
    return layer


def _watch(layer: Layer, left: list[int], where: str) -> None:
    """Let a layer's weights be counted before they are made."""
    make_variables = layer.build

    def build_within(input_shape: Any) -> None:
        layer.__dict__.pop("build", None)
        shape = freeze_shape(input_shape)
        left[0] -= sum(math.prod(weight.shape) for weight in layer.pair.weights(shape))
        if left[0] < 0:
            raise FileFormatError(
                f"{where}: refused, with layer {layer.name!r} the model would have more weights "
                f"than the file holds numbers"
            )
        make_variables(input_shape)

    layer.__dict__["build"] = build_within


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
        left = None if entries is None else [entries + SLACK]
        described = cleaned(described, generation, where)
        with _image_data_format(described):
            return build(described, left, where)
