"""Models and weights from the files of every Keras: all is read and checked before any is used."""

import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np

from funkeras import config, formats, losses, metrics
from funkeras.formats import FileFormatError, Origin
from funkeras.formats.keras1 import SPACE
from funkeras.metrics.lookup import GENERIC
from funkeras.models import configs, descriptions, optimizing, placement, places, saving
from funkeras.models.configs import Generation, generation_of, reported
from funkeras.models.feature_space import FeatureSpace
from funkeras.models.vocabularies import with_vocabularies
from funkeras.registry import get_custom_objects

__all__ = ["from_description", "load_model", "load_weights", "read_weights"]

BACKENDS = ("tensorflow", "theano")
SORTING = tuple(f"2.0.{patch}" for patch in range(7))
"""Versions of Keras 2 whose optimizers sort the weights by name, as Keras 1 does."""

MEGABYTE = 1 << 20
OPTIMIZER_NUMBER = re.compile(r"_\d+$")
"""What may follow the class in an optimizer's name. Some archives tell the class nowhere else."""


def checked_backend(backend: str | None) -> str | None:
    """A backend that a file may be said to come from."""
    if backend not in (None, *BACKENDS):
        raise ValueError(f"backend must be one of {', '.join(BACKENDS)}, or None; got {backend!r}")
    return backend


def from_description(
    described: Mapping[str, Any], custom_objects: Mapping[str, Any] | None, where: str
) -> Any:
    """The model that a config describes: of this dialect and backend, where it tells no other."""
    own = described.get("backend")
    return configs.from_description(
        described,
        described_generation(described),
        custom_objects,
        where,
        backend=own if own in BACKENDS else config.backend(),
    )


def described_generation(described: Mapping[str, Any]) -> Generation:
    """The generation that a config by itself tells."""
    version = described.get("keras_version")
    if isinstance(version, str):
        own = described.get("backend") == "jax" and version == saving.KERAS_2
        return present() if own else generation_of(version)
    if "module" in described:
        return generation_of(saving.KERAS_3)
    return generation_of("0") if "class_name" not in described else present()


def present() -> Generation:
    """The generation whose dialect holds at present."""
    number = {"classic": 1, "keras2": 2, "modern": 3}[config.dialect()]
    return Generation(number, False, False)


def stored_generation(attributes: Mapping[str, Any]) -> Generation:
    """The generation of a file; ours say their dialect, and whether the optimizer is an old one."""
    number = {"classic": 1, "keras2": 2, "modern": 3}.get(str(attributes.get("funkeras_dialect")))
    if number is not None:
        return Generation(number, False, attributes.get("funkeras_optimizer") == "legacy")
    return generation_of(attributes.get("keras_version"))


def load_model(path: Path, compiled: bool, backend: str | None) -> Any:
    """The model of a file, made in the dialect of its generation, with its weights."""
    backend = checked_backend(backend)
    if path.is_dir():
        raise FileFormatError(f"{path} is a folder, perhaps a SavedModel, which only runs code")
    load = _load_archive if formats.is_archive(path) else _load_hdf5
    return load(path, compiled, backend)


def _load_hdf5(path: Path, compiled: bool, backend: str | None) -> Any:
    stored = formats.load_model(path)
    entries = sum(array.size for _, arrays in stored.layers for _, array in arrays)
    names = [name for _, arrays in stored.layers for name, _ in arrays]
    origin = formats.origin_of(stored.attributes, names, backend)
    generation = stored_generation(stored.attributes)
    numbers = _backend_of(stored.attributes, origin.backend)
    model = configs.from_description(stored.config, generation, None, str(path), entries, numbers)
    placement.swap(weights_of(model, stored.layers, origin, str(path), False, False, True))
    if compiled and stored.training:
        compile_as_stored(model, stored.training, generation, str(path))
        if stored.optimizer:
            arrays: Any = [array for _, array in stored.optimizer]
            version = str(stored.attributes.get("keras_version"))
            if origin.is_old or origin.backend == "theano" or version.startswith("2.0."):
                sorted_first = origin.is_old or version in SORTING
                arrays = today(model, arrays, stored.layers, origin, str(path), sorted_first)
            if arrays is not None:
                optimizing.restore(model, arrays, 2)
    return model


def _backend_of(attributes: Mapping[str, Any], backend: str | None) -> str:
    own = attributes.get("funkeras_backend")
    return own if own in BACKENDS else "theano" if backend == "theano" else "tensorflow"


def _load_archive(path: Path, compiled: bool, backend: str | None) -> Any:
    archive = formats.load_archive(path)
    limit = formats.EXPANSION * path.stat().st_size
    holders = formats.load_holders(path, limit, archive.weights)
    entries = sum(a.size for _, arrays in holders.values() for a in formats.named(arrays).values())
    generation = stored_generation(archive.metadata)
    numbers = _backend_of(archive.metadata, backend)
    with reported(str(path)):
        described = with_vocabularies(archive.config, archive.assets, holders)
    model = configs.from_description(described, generation, None, str(path), entries, numbers)
    if isinstance(model, FeatureSpace):
        return _with_arrays(model, holders, str(path))
    placement.swap(weights_from_holders(model, holders, str(path), False, False))
    saving.load_assets(model, archive.assets)
    training = archive.config.get("compile_config")
    if compiled and isinstance(training, Mapping):
        name, state = holders.get("optimizer", placement.NOTHING)
        if isinstance(state, dict):
            raise FileFormatError(f"{path}: the optimizer has weights {sorted(state)}, not 0, 1, …")
        chosen = training.get("optimizer")
        if not chosen and name:
            chosen = OPTIMIZER_NUMBER.sub("", name)
            warnings.warn(
                f"{path} tells only the name of its optimizer, {name!r}, and not its settings: it "
                "has the state of the file and the default settings of its class",
                stacklevel=4,
            )
        form = 3 if "funkeras_dialect" in archive.metadata else 2
        if chosen:
            settings = {**training, "optimizer_config": chosen}
            compile_as_stored(model, settings, generation, str(path), form)
        if chosen and state:
            optimizing.restore(model, state, form)
    return model


def _with_arrays(
    space: FeatureSpace, holders: Mapping[str, tuple[str, formats.Arrays]], where: str
) -> FeatureSpace:
    """A space with the means and variances that its file holds."""
    with reported(where):
        space.build_from_config(space.features)
    changes: placement.Change = {}
    layers = list(space.preprocessors.values())
    for layer in layers:
        told = {"vocabulary": (), "bin_boundaries": (), **layer.get_config()}
        if hasattr(layer, "adapts") and None in (told["vocabulary"], told["bin_boundaries"]):
            raise FileFormatError(f"{where}: what {layer.name!r} learned from data is missing")
    for layer, root in zip(layers, places.places_of(layers, "preprocessors"), strict=True):
        placement.merge(changes, placement.from_holders(layer, holders, root, where))
    placement.swap(changes)
    space.taught()
    return space


def compile_as_stored(
    model: Any, training: Mapping[str, Any], generation: Generation, where: str, form: int = 2
) -> None:
    """Compile a model as its file says.

    Args:
        form: 3 where the optimizer is written as that of Keras 3, whatever the generation.
    """
    chosen = training.get("optimizer_config")
    with config.using_dialect(generation.dialect), reported(where):
        if isinstance(chosen, Mapping):
            old = generation.old_optimizers or _is_legacy(chosen, generation)
            if form == 3 and (old or generation.dialect != "modern"):
                chosen = descriptions.older_optimizer(dict(chosen))
            options = dict(chosen.get("config") or {})
            chosen = {
                **chosen,
                "config": {**options, **({"is_legacy_optimizer": True} if old else {})},
            }
        try:
            model.compile(
                optimizer=chosen,
                loss=_resolved(losses.get, training.get("loss")),
                metrics=_of_outputs(model, training.get("metrics")),
                weighted_metrics=_of_outputs(model, training.get("weighted_metrics")),
                loss_weights=training.get("loss_weights"),
                auto_scale_loss=False,  # the file says whether it is scaled
            )
        except (ValueError, TypeError) as error:
            raise FileFormatError(
                f"{where}: cannot be compiled as it was: {error}. If that is your own, pass it in "
                "custom_objects; or pass compile=False"
            ) from error


def _is_legacy(optimizer: Mapping[str, Any], generation: Generation) -> bool:
    """Whether tf.keras since 2.11 wrote one of its older optimizers: the others deny it."""
    told = "is_legacy_optimizer" in (optimizer.get("config") or {})
    return generation.tensorflow and not told


def _resolved(get: Callable[[Any], Any], value: Any) -> Any:
    """Losses or metrics with what only `custom_objects` knows found now, while it is known."""
    if isinstance(value, list):
        return [_resolved(get, item) for item in value if item is not None]
    if isinstance(value, Mapping) and "class_name" not in value:
        return {key: _resolved(get, item) for key, item in value.items()}
    if isinstance(value, Mapping) or value in get_custom_objects():
        return get(value)
    if isinstance(value, str) and value not in GENERIC:
        get(value)
    return value


def _of_outputs(model: Any, chosen: Any) -> Any:
    """Metrics for all outputs, or by output where the file lists them so."""
    chosen = _resolved(metrics.get, chosen)
    by_output = isinstance(chosen, list) and any(isinstance(item, list) for item in chosen)
    if not by_output:
        return chosen
    names = model.output_names
    if len(chosen) != len(names):
        raise ValueError(f"the model has {len(names)} outputs, metrics are of {len(chosen)}")
    return dict(zip(names, chosen, strict=True)) if len(names) > 1 else chosen[0]


def load_weights(
    model: Any, path: Path, by_name: bool, skip_mismatch: bool, backend: str | None
) -> None:
    """Put the weights of a file in the place of a model's, when every one fits."""
    placement.swap(read_weights(model, path, by_name, skip_mismatch, backend))


def read_weights(
    model: Any, path: Path, by_name: bool, skip_mismatch: bool, backend: str | None
) -> placement.Change:
    """What a file puts in the place of a model's weights."""
    backend = checked_backend(backend)
    # In float64 at most; another megabyte, so that a slightly larger model is told of by shape.
    limit = 8 * model.count_params() + MEGABYTE
    if any(part.writes("load_own_variables") for *_, part in saving.placed(model) if part):
        limit = max(limit, formats.EXPANSION * path.stat().st_size)  # of anything it may store
    where = str(path)
    if path.name.endswith(".weights.json"):
        holders = formats.load_shards(path, limit, _no_optimizer)
        return weights_from_holders(model, holders, where, by_name, skip_mismatch)
    if formats.is_archive(path):
        contents = formats.load_archive(path).weights
        holders = formats.load_holders(path, limit, contents, _no_optimizer)
        return weights_from_holders(model, holders, where, by_name, skip_mismatch)
    if formats.is_holders_file(path):
        holders = formats.load_holders(path, limit, None, _no_optimizer)
        return weights_from_holders(model, holders, where, by_name, skip_mismatch)
    stored, attributes = formats.load_weights(path, limit)
    names = [name for _, arrays in stored for name, _ in arrays]
    origin = formats.origin_of(attributes, names, backend)
    return weights_of(model, stored, origin, where, by_name, skip_mismatch)


@dataclass(frozen=True)
class Chosen:
    """Layers that stand for a model whose weights are read."""

    layers: Sequence[Any]
    own_weights: Sequence[Any] = ()
    name: str = "of chosen layers"


def load_layers(layers: Iterable[Any], path: Path, by_name: bool, skip_mismatch: bool) -> None:
    """Put the weights of a file of Keras 1 or 2 in the place of those of some layers."""
    chosen = Chosen(list(layers))
    limit = 8 * sum(layer.count_params() for layer in chosen.layers) + MEGABYTE
    stored, attributes = formats.load_weights(path, max(limit, path.stat().st_size))
    origin = formats.origin_of(attributes, [n for _, own in stored for n, _ in own], None)
    placement.swap(weights_of(chosen, stored, origin, str(path), by_name, skip_mismatch))


def _no_optimizer(place: str) -> bool:
    return not place.startswith("optimizer")


Stored = Sequence[tuple[str, Sequence[tuple[str, np.ndarray]]]]
Makers = list[Callable[[], placement.Change]]


def weights_of(
    model: Any,
    stored: Stored,
    origin: Origin,
    where: str,
    by_name: bool,
    skip_mismatch: bool,
    whole: bool = False,
) -> placement.Change:
    """What lists of arrays by layer put in the place of a model's weights.

    Args:
        whole: whether the model is that of the file, so that the names are those of its layers.
    """
    found = [(name, arrays) for name, arrays in stored if arrays and name != formats.TOP_LEVEL]
    top = [array for _, array in dict(stored).get(formats.TOP_LEVEL, ())]
    of_the_model = _of_the_model(model, top, where, by_name)
    layers = [layer for layer in model.layers if layer.weights]
    own = {layer.name: layer for layer in layers}
    if not by_name and len(found) != len(layers):
        flat = [layer for layer in placement.flattened(model) if layer.weights]
        layers = flat if len(found) == len(flat) else layers
    if by_name or (whole and sorted(name for name, _ in found) == sorted(own)):
        matched = [(own[name], name, arrays) for name, arrays in found if name in own]
    elif len(found) == len(layers):
        matched = [(layer, *entry) for layer, entry in zip(layers, found, strict=True)]
    else:
        raise FileFormatError(
            f"{where} holds {len(found)} layers with weights "
            f"({', '.join(name for name, _ in found)}), the model has {len(layers)} "
            f"({', '.join(own)})"
        )
    _warn_of_kernels(layers, origin, where)
    try:
        return _gathered([*of_the_model, *_of_layers(matched, origin, where)], skip_mismatch)
    except FileFormatError:
        # In some files layers of equal depth come in another order; their names tell.
        if by_name or {name for name, _ in found} != set(own):
            raise
        named = [(own[name], name, arrays) for name, arrays in found]
        return _gathered([*of_the_model, *_of_layers(named, origin, where)], skip_mismatch)


def _of_the_model(model: Any, arrays: formats.Arrays, where: str, by_name: bool) -> Makers:
    """What makes the change of the weights that belong to the model itself and to no layer."""
    if not (model.own_weights and arrays if by_name else model.own_weights or arrays):
        return []
    part = places.own_part(model)
    return [partial(placement.from_place, part, arrays, f"{where}, model {model.name!r}")]


def _of_layers(matched: Sequence[tuple[Any, str, Any]], origin: Origin, where: str) -> Makers:
    """What makes the change of each layer from its list of arrays."""
    return [
        partial(
            placement.from_list,
            layer,
            arrays,
            origin,
            f"{where}, layer {layer.name!r} (in the file {name!r})",
        )
        for layer, name, arrays in matched
    ]


def _gathered(makers: Makers, skip_mismatch: bool) -> placement.Change:
    """All changes as one, without those that do not fit where that is allowed."""
    changes: placement.Change = {}
    for make in makers:
        try:
            placement.merge(changes, make())
        except FileFormatError as error:
            if not skip_mismatch:
                raise
            warnings.warn(f"skipped: {error}", stacklevel=7)
    return changes


def _warn_of_kernels(layers: Sequence[Any], origin: Origin, where: str) -> None:
    if origin.backend is not None:
        return
    if any(part.kind in SPACE for layer in layers for part in places.parts(layer)):
        warnings.warn(
            f"{where} does not tell which backend wrote it, and Theano turns kernels round: pass "
            "backend='theano' or backend='tensorflow'. They are read as TensorFlow's.",
            stacklevel=6,
        )


def weights_from_holders(
    model: Any,
    holders: Mapping[str, tuple[str, formats.Arrays]],
    where: str,
    by_name: bool,
    skip_mismatch: bool,
) -> placement.Change:
    """What the places of a `.weights.h5` file put in the place of a model's weights."""
    roots = placement.roots(model, holders, by_name)
    top = holders.get("", placement.NOTHING)[1]
    makers = _of_the_model(model, top, where, by_name)
    once = placement.stored_owners(holders, roots)
    makers += [
        partial(placement.from_holders, layer, holders, root, where, once) for layer, root in roots
    ]
    changes = _gathered(makers, skip_mismatch)
    if not by_name:
        placement.check_all_used(holders, roots, where)
    return changes


def today(
    model: Any,
    arrays: Sequence[np.ndarray],
    stored: Stored,
    origin: Origin,
    where: str,
    sorted_first: bool,
) -> list[np.ndarray] | None:
    """Arrays of an optimizer of Keras 1 and 2.0, or on Theano, as today's weights are arranged.

    After scalars come slots, each with an array for each trainable weight of the file, by layer or
    sorted by name. None, and a warning, when they are of other weights.
    """
    found = [entries for _, entries in stored if entries]
    layers = [layer for layer in model.layers if layer.weights]
    if len(found) != len(layers):
        layers = [layer for layer in placement.flattened(model) if layer.weights]
    trained = [
        (layer, list(entries[: placement.trainable_count(layer, entries)]))
        for layer, entries in zip(layers, found, strict=True)
    ]
    names = [name for _, entries in trained for name, _ in entries]
    scalars = next((i for i, array in enumerate(arrays) if array.ndim), len(arrays))
    slots = arrays[scalars:]
    reason = f"its {len(slots)} arrays are not those of {len(names)} weights"
    by_layer = list(range(len(names)))
    by_name = sorted(by_layer, key=names.__getitem__)
    for order in (by_name, by_layer) if sorted_first else (by_layer, by_name):
        if not names or len(slots) % len(names):
            break
        try:
            columns = [slots[i : i + len(names)] for i in range(0, len(slots), len(names))]
            made = [_column(trained, order, column, origin, where) for column in columns]
            return [*arrays[:scalars], *(array for column in made for array in column)]
        except FileFormatError as error:
            reason = str(error)
    warnings.warn(f"{where}: the optimizer begins anew: {reason}", stacklevel=4)
    return None


def _column(
    trained: Sequence[tuple[Any, Sequence[tuple[str, Any]]]],
    order: Sequence[int],
    column: Sequence[np.ndarray],
    origin: Origin,
    where: str,
) -> Sequence[np.ndarray]:
    """One slot's arrays as today's weights are arranged."""
    if all(array.shape == (1,) for array in column) and len(column) > 1:
        return column  # Keras 2 saves so that it keeps nothing for each weight
    by_place = iter(
        [array for _, array in sorted(zip(order, column, strict=True), key=itemgetter(0))]
    )
    result: list[np.ndarray] = []
    for layer, entries in trained:
        own = [(name, next(by_place)) for name, _ in entries]
        if own:
            change = placement.from_list(layer, own, origin, where, trainable_only=True)
            result.extend(placement.in_order(layer, change))
    return result
