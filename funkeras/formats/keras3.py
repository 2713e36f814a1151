"""`.weights.h5` files and `.keras` archives of Keras 3.

A `.weights.h5` file has a group for each layer, `layers/dense_1`, named by class and not by the
layer; `vars` in it has the arrays `0`, `1`, …, and layers inside have groups of their own. A
`.keras` file is a zip archive of `metadata.json`, `config.json` and `model.weights.h5`.
"""

import hashlib
import io
import json
import os
import re
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import h5py
import numpy as np

from funkeras.formats.errors import FileFormatError
from funkeras.formats.hdf5 import Group, create_hdf5, open_hdf5, write_array, write_attribute
from funkeras.formats.text import EXPANSION, parsed
from funkeras.utils.io import atomic_write

__all__ = [
    "Archive",
    "Arrays",
    "Holders",
    "as_arrays",
    "is_holders_file",
    "layer_places",
    "load_archive",
    "load_holders",
    "named",
    "save_archive",
    "save_holders",
    "snake_case",
]

Arrays: TypeAlias = list[np.ndarray] | dict[str, np.ndarray]
"""What is stored in one place: arrays `0`, `1`, …, or by other names that a user's layer chose."""

Holders: TypeAlias = dict[str, tuple[str, Arrays]]
"""Path of a group with `vars` → the name of what is stored there, and its arrays."""

DIGEST = "funkeras_digest"
EARLY_LAYERS = "_layer_checkpoint_dependencies"
"""What the group of layers was called before Keras 3."""

DEEPEST = 32
"""Levels of groups in a file."""

MEMBERS = ("metadata.json", "config.json", "model.weights.h5")
TEXT_LIMIT = 64 << 20
"""Bytes of a JSON member."""

ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    NotImplementedError,
    KeyError,
    OverflowError,
    IndexError,
)
"""What zipfile raises for malformed archives."""


ASSETS = "assets/"
"""Where an archive has the files of layers that write some."""


class Archive(NamedTuple):
    """What a `.keras` file holds."""

    metadata: dict[str, Any]
    config: dict[str, Any]
    weights: bytes
    """A `.weights.h5` file."""
    assets: dict[str, bytes]
    """Files of layers by place and name: `layers/words/list.txt`."""


def named(arrays: Arrays) -> dict[str, np.ndarray]:
    """Arrays by the names that they have in their place.

    >>> list(named([np.zeros(1), np.zeros(2)])), list(named({"table": np.zeros(2)}))
    (['0', '1'], ['table'])
    """
    pairs = enumerate(arrays) if isinstance(arrays, list) else arrays.items()
    return {str(name): array for name, array in pairs}


def as_arrays(where: str, found: Mapping[str, np.ndarray]) -> Arrays:
    """Arrays by name, as a list if their names are `0`, `1`, …

    Raises:
        FileFormatError: if a number is missing.
    """
    numbers = [str(index) for index in range(len(found))]
    if {*numbers} == {*found}:
        return [found[name] for name in numbers]
    if all(name.isdecimal() for name in found):
        raise FileFormatError(f"{where} has weights {sorted(found)}, not 0, 1, …")
    return dict(found)


def snake_case(name: str) -> str:
    """Keras 3's word for a class, as in `layers/conv2d_1`.

    >>> [snake_case(name) for name in ("Conv2D", "LSTM", "TimeDistributed", "PReLU")]
    ['conv2d', 'lstm', 'time_distributed', 'p_re_lu']
    """
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def layer_places(classes: Iterable[str], root: str = "layers") -> Iterator[str]:
    """Where a `.weights.h5` file has each layer: its class, and a number if needed.

    >>> list(layer_places(["Dense", "ReLU", "Dense"]))
    ['layers/dense', 'layers/re_lu', 'layers/dense_1']
    """
    seen: Counter[str] = Counter()
    for word in map(snake_case, classes):
        yield f"{root}/{word}_{seen[word]}" if seen[word] else f"{root}/{word}"
        seen[word] += 1


def load_holders(
    path: str | os.PathLike[str],
    limit: int | None = None,
    contents: bytes | None = None,
    wanted: Callable[[str], bool] = lambda place: True,
) -> Holders:
    """All arrays of a `.weights.h5` file by place, without `/vars`: `layers/dense`, `optimizer`.

    Args:
        limit: the greatest size in bytes of all arrays together.
        contents: the file itself, when it is a member of an archive.
        wanted: says of which places the arrays are read; by default of all.

    Raises:
        FileFormatError: for anything that is not such a file or not what was saved.
    """
    with open_hdf5(path, limit, contents) as root:
        if "layer_names" in root.attributes() or "model_weights" in root:
            raise root.refuse("", "this is an HDF5 file of Keras 1 or 2, with another layout")
        holders: Holders = {}

        def take(place: str, own: Group) -> None:
            if wanted(place):
                found = {name: own.array(name) for name in own.children()}
                holders[place] = (name_of_holder(own), as_arrays(f"{path}: {place!r}", found))

        walk(root, take)
        expected = root.attribute(DIGEST)
        if expected is None and root.attribute("funkeras_digested") is not None:
            raise root.refuse("", "damaged, its digest is missing")
        if expected is not None and expected != digest(holders):
            raise FileFormatError(
                f"{path} was changed or damaged after it was saved: its weights do not have the "
                f"digest that is written in it"
            )
    return holders


def is_holders_file(path: str | os.PathLike[str]) -> bool:
    """Whether an HDF5 file has the layout of `.weights.h5`."""
    with open_hdf5(path) as root:
        known = root.attributes()
        old = any(name.startswith(("layer_names", "nb_layers")) for name in known)
        new = any(name in root for name in ("layers", EARLY_LAYERS, "vars"))
        return new and not old and "model_weights" not in root


def walk(
    group: Group,
    take: Callable[[str, Group], None],
    place: str = "",
    seen: set[int] | None = None,
) -> None:
    """Call `take` with each place that has arrays, and their group."""
    seen = set() if seen is None else seen
    if place.count("/") > DEEPEST or group.address in seen:
        raise group.refuse("", "refused, the groups of this file run in a circle")
    seen.add(group.address)
    for name in group.children():
        if name == "vars":
            take(place, group.group("vars"))
        elif group.is_group(name):
            step = "layers" if name == EARLY_LAYERS else name
            walk(group.group(name), take, f"{place}/{step}".lstrip("/"), seen)


def name_of_holder(group: Group) -> str:
    """The name of the layer that arrays belong to, if it is told."""
    called = group.attribute("name")
    return called if isinstance(called, str) else ""


def digest(holders: Mapping[str, tuple[str, Arrays]]) -> str:
    """sha256 over places, types, shapes and bytes of all arrays, and names that are no numbers."""
    sha = hashlib.sha256()
    for place in sorted(holders):
        arrays = holders[place][1]
        told = arrays if isinstance(arrays, dict) else {}
        for name, array in sorted(told.items()) or [("", array) for array in arrays]:
            shape = np.shape(array)
            data = np.ascontiguousarray(array)
            data = data.astype(data.dtype.newbyteorder("<"), copy=False)
            where = f"{place}/{name}" if name else place
            sha.update(json.dumps([where, data.dtype.str, shape]).encode())
            sha.update(data.data if data.size else b"")
    return sha.hexdigest()


def save_holders(path: str | os.PathLike[str], holders: Holders) -> None:
    """Write a `.weights.h5` file that genuine Keras 3 reads; it is wholly old or wholly new.

    >>> import tempfile
    >>> path = tempfile.mkdtemp() + "/a.weights.h5"
    >>> save_holders(path, {"layers/dense": ("dense_1", [np.zeros(2, "float32")])})
    >>> load_holders(path)
    {'layers/dense': ('dense_1', [array([0., 0.], dtype=float32)])}
    """
    with create_hdf5(path) as file:
        _write_holders(file, holders)


def _write_holders(file: h5py.File, holders: Holders) -> None:
    for place, (name, arrays) in holders.items():
        group = file.require_group(f"{place}/vars")
        if name:
            group.attrs["name"] = name
        for own, array in named(arrays).items():
            write_array(group, own, array)
    write_attribute(file, "funkeras_digested", 1)
    write_attribute(file, DIGEST, digest(holders))


def save_archive(
    path: str | os.PathLike[str],
    metadata: Mapping[str, Any],
    config: Mapping[str, Any],
    holders: Holders,
    assets: Mapping[str, bytes] | None = None,
) -> None:
    """Write a `.keras` archive that genuine Keras 3 reads; it is wholly old or wholly new."""
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        _write_holders(file, holders)
    texts = {"config.json": json.dumps(config).encode(), "model.weights.h5": memory.getvalue()}
    texts |= {f"{ASSETS}{name}": data for name, data in (assets or {}).items()}
    described = {**metadata, DIGEST: _archive_digest(texts)}
    with atomic_write(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        archive.writestr("metadata.json", json.dumps(described))
        for name, text in texts.items():
            archive.writestr(name, text)


def _archive_digest(members: Mapping[str, bytes]) -> str:
    sha = hashlib.sha256()
    for name in sorted(members):
        sha.update(hashlib.sha256(members[name]).digest())
    return sha.hexdigest()


def load_archive(path: str | os.PathLike[str], weights: bool = True) -> Archive:
    """Read a `.keras` archive; nothing in it is unpacked to the disk.

    Args:
        weights: whether to read the weights too.

    Raises:
        FileFormatError: for anything that is not such an archive, or not what was saved.
    """
    path = Path(path)
    size = path.stat().st_size
    try:
        with zipfile.ZipFile(path) as archive:
            members = _members(path, archive)
            texts = {
                name: _read_member(path, archive, member, size)
                for name, member in members.items()
                if weights or name in MEMBERS[:2]
            }
    except FileFormatError:
        raise
    except ZIP_ERRORS as error:
        raise FileFormatError(f"{path} is not a readable .keras archive: {error}") from error
    metadata = parsed(path, "metadata.json", texts.get("metadata.json", b"{}"))
    config = parsed(path, "config.json", texts["config.json"])
    expected = metadata.get(DIGEST)
    own = {name: text for name, text in texts.items() if name != "metadata.json"}
    if expected is not None and weights and expected != _archive_digest(own):
        raise FileFormatError(f"{path} was changed or damaged after it was saved")
    assets = {
        name.removeprefix(ASSETS): text for name, text in own.items() if name.startswith(ASSETS)
    }
    return Archive(metadata, config, texts.get("model.weights.h5", b""), assets)


def _members(path: Path, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The members of Keras by name, and assets, when every member of the archive is harmless."""
    found: dict[str, zipfile.ZipInfo] = {}
    for member in archive.infolist():
        name = member.filename
        steps = name.replace("\\", "/").split("/")
        if name.startswith(("/", "\\")) or ".." in steps or ":" in steps[0]:
            raise FileFormatError(f"{path}: refused, the member {name!r} leaves the archive")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise FileFormatError(f"{path}: refused, the member {name!r} is a link")
        if name in found:
            raise FileFormatError(f"{path}: the member {name!r} occurs twice")
        found[name] = member
    missing = [name for name in MEMBERS[1:] if name not in found]
    if missing:
        raise FileFormatError(
            f"{path} is a zip archive, but not a .keras file: it has no {' and no '.join(missing)}"
        )
    files = [name for name in found if name.startswith(ASSETS) and not name.endswith("/")]
    total, limit = sum(found[name].file_size for name in files), EXPANSION * path.stat().st_size
    if total > limit:
        raise FileFormatError(
            f"{path}: refused, its assets would have {total} bytes, at most {limit} are expected"
        )
    return {name: found[name] for name in (*MEMBERS, *files) if name in found}


def _read_member(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo, size: int) -> bytes:
    text = member.filename in MEMBERS[:2]
    limit = min(TEXT_LIMIT, EXPANSION * size) if text else EXPANSION * size
    if member.file_size > limit:
        raise FileFormatError(
            f"{path}: refused, the member {member.filename!r} would have {member.file_size} bytes, "
            f"at most {limit} are expected"
        )
    with archive.open(member) as stream:
        return stream.read(limit)  # zipfile itself checks size and CRC
