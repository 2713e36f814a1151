"""`KerasFileEditor`: weights in a file, looked at, changed and written again without a model."""

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from funkeras.models import saving
from funkeras.utils.messages import say

__all__ = ["KerasFileEditor"]


class KerasFileEditor:
    """The weights in a `.keras` or `.weights.h5` file, by place: `layers/dense` has `0`, `1`, ….

    For files of models whose layers have changed since.

    Args:
        filepath: of the file, which is read and checked as a whole, and left as it is.

    Attributes:
        weights_dict: dicts within dicts, with an array for each number; it may be changed.
        object_metadata: place → name of the layer, where the file tells it.
        config, metadata: of a `.keras` file.

    Raises:
        ValueError: for a file of another kind; a `FileFormatError` for a damaged one.
    """

    def __init__(self, filepath: str | os.PathLike[str]) -> None:
        from funkeras import formats

        self.filepath = os.fspath(filepath)
        if not self.filepath.endswith((".keras", ".weights.h5")):
            raise ValueError(f"filepath must end in .keras or .weights.h5, got {self.filepath!r}")
        limit = formats.EXPANSION * os.path.getsize(self.filepath)
        self.config: dict[str, Any] | None = None
        self.metadata: dict[str, Any] | None = None
        contents = None
        if self.filepath.endswith(".keras"):
            archive = formats.load_archive(self.filepath)
            self.config, self.metadata, contents = archive.config, archive.metadata, archive.weights
        holders = formats.load_holders(self.filepath, limit, contents)
        self.object_metadata = {place: name for place, (name, _) in holders.items() if name}
        self.weights_dict: dict[str, Any] = {}
        for place, (_, arrays) in holders.items():
            node = self.weights_dict
            for step in filter(None, place.split("/")):
                node = node.setdefault(step, {})
            node.update(formats.named(arrays))
        say(f"Keras model file {self.filepath!r}")

    def summary(self) -> None:
        """Print every place with the shapes and dtypes of its arrays."""
        say("Weights structure")
        for place, node in _places(self.weights_dict):
            name = self.object_metadata.get(place)
            say(f"  {place or '/'}{f' ({name})' if name else ''}")
            for number, array in _arrays(node).items():
                say(f"    {number}: shape={np.shape(array)}, dtype={np.asarray(array).dtype}")

    def compare(self, reference_model: Any) -> dict[str, Any]:
        """Print how the file differs from what a model has, but for its optimizer.

        Returns:
            `status`, `success` or `error`; `error_count` and `match_count`, of objects or weights
            that only one of them has, or of another shape, and of weights that fit.
        """
        from funkeras import formats

        own = _shapes(_places(self.weights_dict))
        other = {
            place: {name: array.shape for name, array in formats.named(arrays).items()}
            for place, (_, arrays) in saving.holders_of(reference_model).items()
            if arrays
        }
        errors = [
            f"...Object {place} is in the {here}, not in the {there}"
            for here, there, one, two in (
                ("saved file", "reference model", own, other),
                ("reference model", "saved file", other, own),
            )
            for place in one
            if place not in two
        ]
        matches = 0
        for place in own.keys() & other.keys():
            for number in sorted(own[place].keys() | other[place].keys()):
                shapes = own[place].get(number), other[place].get(number)
                if shapes[0] == shapes[1]:
                    matches += 1
                else:
                    errors.append(
                        f"...Weight {place}/{number} is {shapes[0]} in the saved file and "
                        f"{shapes[1]} in the reference model"
                    )
        for error in errors:
            say(error)
        status = "error" if errors else "success"
        say(f"Comparison: {status}, {len(errors)} errors and {matches} matching weights")
        return {"status": status, "error_count": len(errors), "match_count": matches}

    def rename_object(self, object_name: str, new_name: str) -> None:
        """Give an object, by its name or its place, another name there."""
        if "/" in new_name:
            raise ValueError(f"new_name is a name, not a place; got {new_name!r}")
        parent, name = self._found(object_name)
        parent[new_name] = parent.pop(name)

    def delete_object(self, object_name: str) -> None:
        """Take an object out, by its name or its place."""
        parent, name = self._found(object_name)
        del parent[name]

    def add_object(self, object_path: str, weights: Mapping[str, Any]) -> None:
        """Put an object in a place, with its arrays by number: `{"0": kernel, "1": bias}`."""
        *steps, name = object_path.split("/")
        node = self.weights_dict
        for step in steps:
            if not isinstance(node.get(step), dict):
                raise ValueError(f"there is no place {'/'.join(steps)!r} in {self.filepath}")
            node = node[step]
        node[name] = _checked(weights)

    def add_weights(self, object_name: str, weights: Mapping[str, Any]) -> None:
        """Add arrays by number to an object, or replace them."""
        parent, name = self._found(object_name)
        parent[name].update(_checked(weights))

    def delete_weight(self, object_name: str, weight_name: str) -> None:
        """Take an array out of an object, by its number."""
        parent, name = self._found(object_name)
        if weight_name not in _arrays(parent[name]):
            known = sorted(_arrays(parent[name]))
            raise ValueError(f"{object_name!r} has no weight {weight_name!r}, but {known}")
        del parent[name][weight_name]

    def save(self, filepath: str | os.PathLike[str]) -> None:
        """Write the weights to a `.weights.h5` file, wholly or not at all."""
        from funkeras import formats

        path = os.fspath(filepath)
        if not path.endswith(".weights.h5"):
            raise ValueError(f"filepath must end in .weights.h5, got {path!r}")
        holders = {}
        for place, node in _places(self.weights_dict):
            arrays = {own: np.asarray(array) for own, array in _arrays(node).items()}
            holders[place] = (
                self.object_metadata.get(place, ""),
                formats.as_arrays(repr(place), arrays),
            )
        formats.save_holders(path, holders)

    resave_weights = save

    def _found(self, name: str) -> tuple[dict[str, Any], str]:
        """The dict that has an object, and its key there."""
        places = [place for place in _all_places(self.weights_dict) if place]
        fits: Callable[[str], bool] = (
            (lambda place: place == name)
            if "/" in name
            else (lambda place: place.rpartition("/")[2] == name)
        )
        found = list(filter(fits, places))
        if len(found) != 1:
            what = "is not" if not found else f"occurs {len(found)} times: give its whole place,"
            raise ValueError(f"object {name!r} {what} in {self.filepath}, which has {places}")
        *steps, last = found[0].split("/")
        node = self.weights_dict
        for step in steps:
            node = node[step]
        return node, last


def _checked(weights: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(weights, Mapping):
        raise ValueError(f"weights is a dict of arrays by number, got {type(weights).__name__}")
    return dict(weights)


def _arrays(node: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in node.items() if not isinstance(value, dict)}


def _all_places(node: Mapping[str, Any], place: str = "") -> Iterator[str]:
    yield place
    for name, value in node.items():
        if isinstance(value, dict):
            yield from _all_places(value, f"{place}/{name}".lstrip("/"))


def _places(node: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Places that have arrays, with what is there."""
    if _arrays(node):
        yield place, node
    for name, value in node.items():
        if isinstance(value, dict):
            yield from _places(value, f"{place}/{name}".lstrip("/"))


def _shapes(places: Iterator[tuple[str, Mapping[str, Any]]]) -> dict[str, dict[str, Any]]:
    return {
        place: {number: np.shape(array) for number, array in _arrays(node).items()}
        for place, node in places
        if place.partition("/")[0] != "optimizer"
    }
