"""`clone_model`: the same layers with weights of their own."""

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from funkeras import config
from funkeras.backend import is_keras_tensor
from funkeras.layers.input import Input, InputLayer
from funkeras.layers.layer import Layer
from funkeras.models.model import CHOICES, Model
from funkeras.models.sequential import Sequential
from funkeras.models.structure import layer_from_entry, plain_call, structure_from_config
from funkeras.registry import custom_object_scope
from funkeras.symbolic import SymbolicTensor

__all__ = ["clone_model", "compile_as"]


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Callable[[Layer], Layer] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
    **kwargs: Any,
) -> Model:
    """A model of equal layers, newly initialized, on other inputs if these are given.

    Where Keras 3's values hold it is compiled if the model is.

    Args:
        input_tensors: variables and what follows from them can be inputs too: they are not fed.
        clone_function: gives a layer's copy, or the layer itself, or any other one.
        call_function: `call_function(layer, *args, **kwargs)` gives what comes out of a copy in
            the graph; `layer(*args, **kwargs)` where there is nothing else to do.
        recursive: clone inner models layer by layer too; else they are a layer as any other.
        cache: copies that there are already, by the id of the layer (Keras 3).

    Raises:
        ValueError: for functions and a model whose layers are called by its own code.
    """
    with custom_object_scope(_classes(model)):
        return _clone(model, input_tensors, clone_function, call_function, recursive, **kwargs)


def _classes(layer: Any) -> dict[str, Any]:
    """The classes of a layer and of those inside it, by their names: a copy needs no registry."""
    found = {type(layer).__name__: type(layer)}
    for inner in layer.inner_layers:
        found |= _classes(inner)
    return found


def _clone(
    model: Model,
    input_tensors: Any,
    clone_function: Callable[[Layer], Layer] | None,
    call_function: Callable[..., Any] | None,
    recursive: bool,
    **kwargs: Any,
) -> Model:
    cache: dict[int, Any] = kwargs.pop("cache", None) or {}
    if kwargs:
        raise TypeError(f"clone_model() has no arguments {sorted(kwargs)}")
    chain = isinstance(model, Sequential)
    steered = bool(clone_function or call_function or recursive)
    if steered and model.is_written():
        raise ValueError(
            f"{model.name!r} calls its layers by code of its own: it clones as a whole"
        )
    if chain and call_function is not None:
        raise ValueError("call_function is for graphs: a Sequential lists its layers")
    tensors = _tensors(input_tensors)

    def copied(layer: Any) -> Any:
        if id(layer) not in cache:
            inner = recursive and isinstance(layer, Model) and not layer.is_written()
            if inner:
                how = None if isinstance(layer, Sequential) else call_function
                clone = clone_model(layer, None, clone_function, how, recursive, cache=cache)
            else:
                clone = (clone_function or _again)(layer)
            cache[id(layer)] = clone
        return cache[id(layer)]

    if not steered and tensors is None:
        clone = _again(model)
    elif chain:
        begin = tensors or ([_like(t) for t in model.inputs] if model._is_known() else [])
        clone = Sequential([*begin, *map(copied, model.layers)], name=model.name)
    else:
        clone = _graph(model, tensors, copied, call_function or plain_call)
    if model._compiled is not None and config.dialect() == "modern":
        compile_as(clone, model)
    return clone


def compile_as(clone: Model, model: Model) -> None:
    """Compile a model as another one is, with an optimizer of its own."""
    settings = model._compiled
    assert settings is not None
    optimizer = type(model.optimizer).from_config(model.optimizer.get_config())
    with config.using_dialect(settings["dialect"]):
        clone.compile(optimizer, **{name: settings[name] for name in CHOICES})


def _again(layer: Any) -> Any:
    return type(layer).from_config(layer.get_config())


def _tensors(given: Any) -> list[SymbolicTensor] | None:
    if given is None:
        return None
    each = list(given) if isinstance(given, list | tuple) else [given]
    return [own if is_keras_tensor(own) else Input(tensor=own) for own in each]


def _like(tensor: SymbolicTensor) -> Any:
    """An input of its own like that of another model."""
    return Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name)


def _graph(
    model: Model,
    tensors: Sequence[SymbolicTensor] | None,
    copied: Callable[[Any], Any],
    call: Callable[..., Any],
) -> Model:
    layers = {layer.name: layer for layer in model.layers}
    given = dict(zip(model.input_names, tensors or (), strict=tensors is not None))

    def make(entry: Mapping[str, Any]) -> Any:
        name = entry.get("name") or entry["config"]["name"]
        if name in given:
            return SimpleNamespace(tensor=given[name])
        layer = layers.get(name)
        if layer is None or isinstance(layer, InputLayer):
            return layer_from_entry(entry)
        return copied(layer)

    inputs, outputs = structure_from_config(model.get_config(), make, call)
    return Model(inputs, outputs, name=model.name)
