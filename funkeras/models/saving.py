"""Whole models and weights to files, and back from the files of every Keras."""

import json
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from funkeras.functional.pair import Weight
from funkeras.layers import storing
from funkeras.layers.storing import array_of
from funkeras.registry import custom_object_scope

if TYPE_CHECKING:
    from funkeras.formats.keras3 import Arrays, Holders

# `formats` brings h5py, which a script that saves nothing need not wait for: imported where used.

__all__ = [
    "described",
    "load_model",
    "load_weights",
    "model_from_config",
    "model_from_json",
    "model_from_yaml",
    "plain",
    "save_model",
    "save_weights",
]


def plain(value: Any) -> Any:
    """A value as JSON takes it: NumPy numbers and arrays, functions by name."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if callable(value):
        return getattr(value, "__name__", repr(value))
    raise TypeError(f"a config can't hold a {type(value).__name__}: {value!r}")


def described(model: Any) -> dict[str, Any]:
    """A model's class and config, and what wrote them."""
    return {
        "class_name": type(model).__name__,
        "config": model.get_config(),
        "keras_version": KERAS_2,
        "backend": "jax",
    }


KERAS_2, KERAS_3 = "2.2.4", "3.0.0"
"""Versions that our files name: the first whose configs and layouts they have."""

LOADABLE = (".h5", ".hdf5", ".keras", ".weights.h5")


def load_model(
    filepath: Any,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,  # noqa: A002
    safe_mode: bool = True,
    backend: str | None = None,
) -> Any:
    """The model of a file of any Keras: `.h5` of Keras 1, 2, tf.keras and 3, or `.keras`.

    It is made in the dialect of its generation. Nothing in the file is run, whatever `safe_mode`
    says.

    Args:
        filepath: a path, or a file or group that h5py has open.
        custom_objects: your layers, losses and functions by the names that the file uses; the
            function of a Lambda layer by the layer's name.
        compile: whether to compile it as it was, with the state of its optimizer.
        backend: which backend the file was written with, `theano` or `tensorflow`, for the few
            files that don't tell it.

    Raises:
        FileFormatError: for files that are damaged, don't fit, or name what is not known.
    """
    from funkeras import formats
    from funkeras.models import loading

    opened = formats.copied(filepath) if formats.is_open(filepath) else nullcontext(filepath)
    with custom_object_scope(custom_objects), opened as path:
        return loading.load_model(Path(path), compile, backend)


def model_from_config(
    config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Any:
    """The model that `{"class_name", "config"}` of any generation describes."""
    from funkeras.models import loading

    return loading.from_description(dict(config), custom_objects, "config")


def model_from_json(
    json_string: str | bytes, custom_objects: Mapping[str, Any] | None = None
) -> Any:
    """The model that `to_json` of any generation described, also where JSON is inside of JSON."""
    from funkeras import formats
    from funkeras.models import loading

    found = formats.parsed("json_string", "the text", json_string)
    return loading.from_description(found, custom_objects, "json_string")


def model_from_yaml(
    yaml_string: str | bytes, custom_objects: Mapping[str, Any] | None = None
) -> Any:
    """The model that `to_yaml` of Keras 1 or 2 described; needs PyYAML. Nothing in it is run."""
    from funkeras import formats
    from funkeras.models import loading

    found = formats.parsed_yaml("yaml_string", "the text", yaml_string)
    return loading.from_description(found, custom_objects, "yaml_string")


def checked_path(filepath: Any, overwrite: bool) -> Path:
    """A path that may be written."""
    path = Path(filepath)
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} exists; pass overwrite=True to replace it")
    return path


def save_weights(
    model: Any, filepath: Any, overwrite: bool = True, max_shard_size: float | None = None
) -> None:
    """Write the weights of all layers, in the layout of Keras 2; `.weights.h5` in Keras 3's.

    With `max_shard_size`, in gigabytes, to several files that `.weights.json` lists.
    """
    from funkeras import formats

    path = checked_path(filepath, overwrite)
    if (max_shard_size is not None) != path.name.endswith(".weights.json"):
        raise ValueError(f"{path}: weights in several files end in .weights.json")
    if max_shard_size is not None:
        formats.save_shards(path, holders_of(model), max_shard_size)
        return
    if path.name.endswith(".keras"):
        raise ValueError(f"{path}: a .keras file is a whole model: use model.save")
    if path.name.endswith(".weights.h5"):
        formats.save_holders(path, holders_of(model))
        return
    formats.save_weights(path, layers_of(model), origin_attributes(model))


def origin_attributes(model: Any) -> dict[str, str]:
    """What the file of a model says about where it comes from."""
    from funkeras.models import descriptions

    dialect, backend = descriptions.made_for(model)
    return {
        "keras_version": KERAS_3 if dialect == "modern" else KERAS_2,
        "funkeras_dialect": dialect,
        "funkeras_backend": backend,
    }


def layers_of(model: Any) -> list[tuple[str, list[tuple[str, np.ndarray]]]]:
    """Names and arrays of each layer, as Keras 2 files have them."""
    from funkeras import formats
    from funkeras.models import placement, places

    listed = [(layer.name, placement.listed(layer)) for layer in model.layers]
    if model.own_weights:
        own = places.own_part(model)
        listed.append((formats.TOP_LEVEL, [(model, weight) for weight in own.weights]))
    return [(name, _named_arrays(weights)) for name, weights in listed]


def _named_arrays(weights: Sequence[tuple[Any, Weight]]) -> list[tuple[str, np.ndarray]]:
    """Arrays by names of which no two are the same; readers go by the order."""
    found: dict[str, np.ndarray] = {}
    for owner, weight in weights:
        name = f"{owner.name}/{weight.name}:0"
        while name in found:  # layers of different models may have one name
            name = f"{owner.name}_{name}"
        found[name] = array_of(owner, weight)
    return list(found.items())


def holders_of(model: Any) -> "Holders":
    """The arrays of a model by place, as `.weights.h5` files have them."""
    return _collected(placed(model))


def _collected(found: Iterable[tuple[str, str, Any]]) -> "Holders":
    """The arrays of all parts by place."""
    holders: Holders = {}
    for place, name, part in found:
        holders.setdefault(place, (name, []))
        if part is not None:
            holders[place] = (name, stored_arrays(part))
    return holders


def placed(model: Any) -> Iterator[tuple[str, str, Any]]:
    """Places of a `.weights.h5` file, the name of what is there, and the part, if it is one."""
    from funkeras.models import places

    yield "", model.name, places.own_part(model)
    yield from _placed(model.layers, places.holders(model))


def _placed(layers: Sequence[Any], roots: Sequence[str]) -> Iterator[tuple[str, str, Any]]:
    """The same of layers, from where each has its own."""
    from funkeras.models import places

    for layer, place in zip(layers, roots, strict=True):
        yield place, layer.name, None
        for part in places.parts(layer):
            yield f"{place}/{part.holder}".rstrip("/"), part.name or layer.name, part


def stored_arrays(part: Any) -> "Arrays":
    """What a file has of a part: its arrays in order, or what the layer of a user stores."""
    from funkeras import formats

    if not part.writes("save_own_variables"):
        return storing.stored_arrays(part.owner, part.stored)
    store: dict[str, Any] = {}
    part.layer.save_own_variables(store)
    where = f"save_own_variables of layer {part.layer.name!r}"
    if odd := [name for name in store if not isinstance(name, str) or not name or "/" in name]:
        raise ValueError(f"{where} stores by names without a slash, got {odd}")
    return formats.as_arrays(where, {name: np.asarray(value) for name, value in store.items()})


def assets_of(model: Any) -> dict[str, bytes]:
    """The files that layers of users write beside their arrays, by place and name."""
    found: dict[str, bytes] = {}
    for place, _, part in placed(model):
        if part is not None and hasattr(part.layer, "save_assets"):
            with TemporaryDirectory() as folder:
                part.layer.save_assets(folder)
                for path in sorted(Path(folder).rglob("*")):
                    if path.is_file():
                        name = path.relative_to(folder).as_posix()
                        found[f"{place}/{name}".lstrip("/")] = path.read_bytes()
    return found


def load_assets(model: Any, assets: Mapping[str, bytes]) -> None:
    """Let layers of users read the files that they wrote, out of a folder for each."""
    left = dict(assets)
    readers = {
        place: part.layer
        for place, _, part in placed(model)
        if part is not None and hasattr(part.layer, "load_assets")
    }
    for place in sorted(readers, key=len, reverse=True):  # of a layer in a layer first
        start = f"{place}/".lstrip("/")
        own = {name: left.pop(name) for name in [*left] if name.startswith(start)}
        if not own:
            continue
        with TemporaryDirectory() as folder:
            for name, data in own.items():
                path = Path(folder) / name.removeprefix(start)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            readers[place].load_assets(folder)


def save_space(space: Any, filepath: Any) -> None:
    """Write a `FeatureSpace` to a `.keras` file, as Keras 3 does."""
    from funkeras import formats
    from funkeras.models import places

    path = checked_path(filepath, overwrite=True)
    if path.suffix != ".keras":
        raise ValueError(f"{path}: a FeatureSpace is saved in a .keras file")
    described = {
        "module": "keras.utils",
        "class_name": "FeatureSpace",
        "config": space.get_config(),
        "registered_name": None,
        "build_config": space.get_build_config(),
    }
    layers = list(space.preprocessors.values())
    roots = places.places_of(layers, "preprocessors")
    formats.save_archive(
        path,
        {"keras_version": KERAS_3, "date_saved": time.strftime("%Y-%m-%d@%X")},
        json.loads(json.dumps(described, default=plain)),
        _collected([("", space.name, None), *_placed(layers, roots)]),
    )


def save_model(
    model: Any, filepath: Any, overwrite: bool = True, include_optimizer: bool = True
) -> None:
    """Write a whole model: architecture, weights, and what `compile` chose, with its state.

    A path that ends with `.keras` gets Keras 3's format, any other Keras 2's HDF5. Genuine Keras
    reads both. The file is wholly old or wholly new. It may also go into an empty HDF5 file or
    group that h5py has open.
    """
    from funkeras import formats
    from funkeras.models import descriptions, optimizing
    from funkeras.models.feature_space import FeatureSpace

    if isinstance(model, FeatureSpace):
        model.save(checked_path(filepath, overwrite))
        return
    model._require_built("save")
    if formats.is_open(filepath):
        with formats.filled(filepath) as path:
            save_model(model, path, overwrite, include_optimizer)
        return
    path = checked_path(filepath, overwrite)
    form = 3 if path.suffix == ".keras" else 2
    training = optimizing.training_config(model) if include_optimizer else None
    state = optimizing.state_arrays(model, form) if training else []
    attributes = origin_attributes(model)
    if training and getattr(model.optimizer, "era", None) == "legacy":
        attributes["funkeras_optimizer"] = "legacy"
    if form == 3:
        if alone := descriptions.only_in_keras_2(model):
            warnings.warn(
                f"{path}: Keras 3 computes {', '.join(map(repr, alone))} otherwise than the Keras "
                "that this model is of. It will refuse the file; funkeras reads it.",
                stacklevel=3,
            )
        described = descriptions.keras_3(model)
        if training is not None:
            described["compile_config"] = descriptions.training_3(training)
        holders = holders_of(model)
        if state:
            arrays = [array for _, array in state]
            holders["optimizer"] = (model.optimizer.name, arrays)
            holders |= optimizing.holders_inside(model.optimizer, state)
        formats.save_archive(
            path,
            {**attributes, "keras_version": KERAS_3, "date_saved": time.strftime("%Y-%m-%d@%X")},
            json.loads(json.dumps(described, default=plain)),
            holders,
            assets_of(model),
        )
        return
    described = {**descriptions.keras_2(model)}
    formats.save_model(
        path,
        layers_of(model),
        json.dumps(described, default=plain),
        None if training is None else json.dumps(descriptions.training_2(training), default=plain),
        state,
        attributes,
    )


def load_weights(
    model: Any,
    filepath: Any,
    by_name: bool = False,
    skip_mismatch: bool = False,
    backend: str | None = None,
) -> None:
    """Read the weights of any Keras's file in order, or by layer name; see `Model.load_weights`."""
    from funkeras.models import loading

    loading.load_weights(model, Path(filepath), by_name, skip_mismatch, backend)
