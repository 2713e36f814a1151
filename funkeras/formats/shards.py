"""Weights of Keras 3 in several files: `a.weights.json` tells which has what.

`a_00000.weights.h5`, `a_00001.weights.h5`, … are laid out as a `.weights.h5` file is, and each has
some of the arrays.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from funkeras.formats.errors import FileFormatError
from funkeras.formats.hdf5 import Group, create_hdf5, open_hdf5, write_array
from funkeras.formats.keras3 import DIGEST, Holders, as_arrays, digest, name_of_holder, named, walk
from funkeras.formats.text import parsed
from funkeras.utils.io import atomic_write

__all__ = ["ENDING", "load_shards", "save_shards"]

ENDING = ".weights.json"
GIGABYTE = 1 << 30


def save_shards(path: str | os.PathLike[str], holders: Holders, max_shard_size: float) -> None:
    """Write weights to files of at most so many gigabytes of arrays, and which has what, last.

    Raises:
        ValueError: for an array that is larger.
    """
    path, limit = Path(path), max_shard_size * GIGABYTE
    shards: list[list[tuple[str, str, str, np.ndarray]]] = [[]]
    size = 0
    for place, (name, arrays) in holders.items():
        for index, array in named(arrays).items():
            if array.nbytes > limit:
                raise ValueError(
                    f"array {index} of {place!r} has {array.nbytes} bytes: max_shard_size="
                    f"{max_shard_size} gigabytes is too small"
                )
            if size + array.nbytes > limit:
                shards.append([])
                size = 0
            shards[-1].append((place, name, index, array))
            size += array.nbytes
    files: dict[str, list[str]] = {}
    for number, shard in enumerate(shards):
        own = f"{path.name.removesuffix(ENDING)}_{number:05}.weights.h5"
        with create_hdf5(path.with_name(own)) as file:
            for place, name, index, array in shard:
                group = file.require_group(f"{place}/vars")
                if name:
                    group.attrs["name"] = name
                write_array(group, index, array)
                known = files.setdefault(f"/{place}/vars".replace("//", "/"), [])
                if own not in known:
                    known.append(own)
    total = sum(array.nbytes for _, own in holders.values() for array in named(own).values())
    told = {
        "metadata": {"total_size": total, DIGEST: digest(holders)},
        "weight_map": files,
    }
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(told, indent=4))


def load_shards(
    path: str | os.PathLike[str],
    limit: int | None = None,
    wanted: Callable[[str], bool] = lambda place: True,
) -> Holders:
    """The arrays of such files by place, as of one `.weights.h5` file.

    Raises:
        FileFormatError: for files that are missing, damaged, or not those that were saved.
    """
    path = Path(path)
    told = parsed(path, path.name, path.read_bytes())
    names: dict[str, str] = {}
    found: dict[str, dict[str, np.ndarray]] = {}
    left = limit
    for file in _files(path, told):
        size = 0

        def take(place: str, group: Group) -> None:
            nonlocal size
            if not wanted(place):
                return
            names.setdefault(place, name_of_holder(group))
            for number in group.children():
                array = group.array(number)
                size += array.nbytes
                if number in found.setdefault(place, {}):
                    raise group.refuse(number, "another file of these weights has it too")
                found[place][number] = array

        if not file.exists():
            raise FileFormatError(f"{path} tells of {file.name}, which is not beside it")
        with open_hdf5(file, left) as root:
            walk(root, take)
        left = None if left is None else left - size
    holders: Holders = {
        place: (names[place], as_arrays(f"{path}: {place!r}", arrays))
        for place, arrays in found.items()
    }
    metadata = told.get("metadata")
    expected = metadata.get(DIGEST) if isinstance(metadata, Mapping) else None
    whole = all(map(wanted, found)) and expected is not None
    if whole and expected != digest(holders):
        raise FileFormatError(f"{path}: its files were changed or damaged after they were saved")
    return holders


def _files(path: Path, told: Mapping[str, Any]) -> Iterator[Path]:
    """The files that a map of weights tells of, which stand beside it."""
    listed = told.get("weight_map")
    if not isinstance(listed, Mapping):
        raise FileFormatError(f"{path} has no weight_map")
    names: dict[str, None] = {}
    for value in listed.values():
        names.update(dict.fromkeys(value if isinstance(value, list) else [value]))
    for name in names:
        if not isinstance(name, str) or Path(name).name != name or not name.endswith(".h5"):
            raise FileFormatError(f"{path}: refused, {name!r} is no file beside it")
        yield path.with_name(name)
