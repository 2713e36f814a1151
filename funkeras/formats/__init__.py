"""Files as plain data: arrays by layer and name, read and written with h5py and NumPy."""

from funkeras.formats.contents import Contents, contents, is_archive, sha256
from funkeras.formats.errors import FileFormatError
from funkeras.formats.keras1 import Origin, origin_of
from funkeras.formats.keras2 import (
    TOP_LEVEL,
    ModelFile,
    WeightsFile,
    load_model,
    load_weights,
    save_model,
    save_weights,
    weight_shapes,
)
from funkeras.formats.keras3 import (
    Archive,
    Arrays,
    as_arrays,
    is_holders_file,
    load_archive,
    load_holders,
    named,
    save_archive,
    save_holders,
)
from funkeras.formats.opened import copied, filled, is_open
from funkeras.formats.shards import load_shards, save_shards
from funkeras.formats.text import EXPANSION, as_yaml, parsed, parsed_yaml

__all__ = [
    "EXPANSION",
    "TOP_LEVEL",
    "Archive",
    "Arrays",
    "Contents",
    "FileFormatError",
    "ModelFile",
    "Origin",
    "WeightsFile",
    "as_arrays",
    "as_yaml",
    "contents",
    "copied",
    "filled",
    "is_archive",
    "is_holders_file",
    "is_open",
    "load_archive",
    "load_holders",
    "load_model",
    "load_shards",
    "load_weights",
    "named",
    "origin_of",
    "parsed",
    "parsed_yaml",
    "save_archive",
    "save_holders",
    "save_model",
    "save_shards",
    "save_weights",
    "sha256",
    "weight_shapes",
]
