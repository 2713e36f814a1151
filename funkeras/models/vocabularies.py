"""What layers look up, where a `.keras` archive has it beside the config."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from funkeras.formats.keras3 import layer_places
from funkeras.typing import Config

__all__ = ["with_vocabularies"]

ENTRIES: dict[str, Callable[[str], Any]] = {
    "IntegerLookup": int,
    "StringLookup": str,
    "TextVectorization": str,
}
"""Layer → what a line of its vocabulary stands for."""


def with_vocabularies(described: Any, known: Mapping[str, bytes], place: str = "") -> Any:
    """A model's or layer's config with the vocabularies that Keras 3 keeps in files of their own.

    Args:
        known: these files, by the place of their layer.
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
    if isinstance(entries := own.get("layers"), list):
        own["layers"] = _each(entries, known, f"{place}/layers".lstrip("/"))
    if kind == "FeatureSpace":
        own["features"] = _of_features(own["features"], known)
    return {**described, "config": own}


def _lines(text: bytes) -> list[str]:
    """The lines of a file, without empty ones at the end."""
    lines = text.decode().splitlines()
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _each(entries: Sequence[Any], known: Mapping[str, bytes], root: str) -> list[Any]:
    classes = [str(entry.get("class_name")) for entry in entries]
    both = zip(entries, layer_places(classes, root), strict=True)
    return [with_vocabularies(entry, known, place) for entry, place in both]


def _of_features(features: Mapping[str, Config], known: Mapping[str, bytes]) -> Config:
    """The features of a space, whose layers stand in a list of their own."""
    layers = [feature["config"]["preprocessor"] for feature in features.values()]
    told = zip(features.items(), _each(layers, known, "preprocessors"), strict=True)
    return {
        name: {**feature, "config": {**feature["config"], "preprocessor": layer}}
        for (name, feature), layer in told
    }
