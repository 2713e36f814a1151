"""What layers look up, where a `.keras` archive has it beside the config."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from funkeras.formats.keras3 import layer_places
from funkeras.typing import Config

__all__ = ["with_vocabularies"]

Stored: TypeAlias = Mapping[str, tuple[str, Any]]

ENTRIES: dict[str, Callable[[str], Any]] = {
    "IntegerLookup": int,
    "StringLookup": str,
    "TextVectorization": str,
}
"""Layer → what a line of its vocabulary stands for."""


def with_vocabularies(
    described: Any, known: Mapping[str, bytes], stored: Stored, place: str = ""
) -> Any:
    """A model's or layer's config with the vocabularies that Keras 3 keeps in files of their own.

    Args:
        known: these files, by the place of their layer.
        stored: the arrays of the archive, among them weights of words by their rarity.
        place: of what is described.
    """
    if not known or not isinstance(described, Mapping):
        return described
    arguments = described.get("config")
    if not isinstance(arguments, Mapping):
        return described
    kind, own = described.get("class_name"), dict(arguments)
    file = f"{place}/vocabulary.txt"
    if kind in ENTRIES and own.get("vocabulary") is None and file in known:
        own["vocabulary"] = [ENTRIES[kind](line) for line in _lines(known[file])]
        arrays = stored.get(place, ("", ()))[1]
        if own.get("idf_weights") is None and "idf_weights" in arrays:
            weights = dict(arrays)["idf_weights"]
            own["idf_weights"] = weights[: len(own["vocabulary"])].tolist()
    if isinstance(entries := own.get("layers"), list):
        own["layers"] = _each(entries, known, stored, f"{place}/layers".lstrip("/"))
    if kind == "FeatureSpace":
        own["features"] = _of_features(own["features"], known, stored)
    return {**described, "config": own}


def _lines(text: bytes) -> list[str]:
    """The lines of a file, without empty ones at the end."""
    lines = text.decode().splitlines()
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _each(
    entries: Sequence[Any], known: Mapping[str, bytes], stored: Stored, root: str
) -> list[Any]:
    classes = [str(entry.get("class_name")) for entry in entries]
    both = zip(entries, layer_places(classes, root), strict=True)
    return [with_vocabularies(entry, known, stored, place) for entry, place in both]


def _of_features(
    features: Mapping[str, Config], known: Mapping[str, bytes], stored: Stored
) -> Config:
    """The features of a space, whose layers stand in a list of their own."""
    layers = [feature["config"]["preprocessor"] for feature in features.values()]
    told = zip(features.items(), _each(layers, known, stored, "preprocessors"), strict=True)
    return {
        name: {**feature, "config": {**feature["config"], "preprocessor": layer}}
        for (name, feature), layer in told
    }
