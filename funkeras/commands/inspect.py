"""Show what a weights or model file of any Keras holds: its origin, layers, weights and shapes.

No model is built and nothing in the file is run. Damaged and changed files are refused.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from funkeras import formats
from funkeras.formats import Contents, FileFormatError
from funkeras.formats.contents import class_of, layer_entries, name_of

__all__ = ["arguments", "report", "run"]

KINDS = {
    "model.h5": "whole model, HDF5 as Keras 1 and 2 write it",
    "weights.h5": "weights, HDF5 as Keras 1 and 2 write them",
    ".weights.h5": "weights, .weights.h5 of Keras 3",
    ".keras": "whole model, .keras archive of Keras 3",
}
"""Kind of a file → what to call it."""

HEADER = ("layer", "class", "weight", "shape", "type", "numbers")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("file", type=Path, nargs="+", help="a weights or model file")


def run(options: argparse.Namespace) -> int:
    """Print a report on each file; 1 if one of them cannot be read."""
    status = 0
    for index, path in enumerate(options.file):
        try:
            text = report(path)
        except (FileFormatError, OSError) as error:
            print(f"funkeras: {error}", file=sys.stderr)
            status = 1
            continue
        print(("\n" if index else "") + text)
    return status


def report(path: Path) -> str:
    """What is known of a file as a whole, then a table of its weights."""
    found = formats.contents(path)
    rows = list(_rows(found))
    facts = {name: value for name, value in _facts(path, found) if value}
    width = max(map(len, facts))
    about = [f"{name:{width}}  {value}" for name, value in facts.items()]
    return "\n".join([*about, *_table(rows)])


def _facts(path: Path, found: Contents) -> Iterator[tuple[str, str]]:
    names = [name for _, weights in found.weights for name, _ in weights]
    arrays = [array for _, weights in found.weights for _, array in weights]
    origin = formats.origin_of(found.attributes, names)
    version = found.attributes.get("keras_version")
    modern = found.kind in (".keras", ".weights.h5")
    yield "file", f"{path}, {path.stat().st_size:,} bytes"
    yield "format", KINDS[found.kind]
    if "funkeras_dialect" in found.attributes:
        yield "generation", f"funkeras, as Keras {version}"
        yield "dialect", str(found.attributes["funkeras_dialect"])
        yield "backend", f"numbers of {found.attributes.get('funkeras_backend')}"
    else:
        number = 3 if modern and version is None else origin.generation
        yield "generation", f"Keras {version or f'{number}, by its layout'}"
        guess = "any" if modern else _guess(origin)
        yield "backend", str(found.attributes.get("backend") or guess)
    yield "model", _model(found.config)
    yield "input", ", ".join(map(str, _input_shapes(found.config)))
    yield "loss", _short(found.training.get("loss"))
    yield "optimizer", _optimizer(found)
    yield "weights", f"{sum(a.size for a in arrays):,} numbers in {len(arrays)} arrays"
    yield "digest", f"{found.digest}, matches" if found.digest else "none in the file"
    yield "sha256", f"{formats.sha256(path)} of the file"


def _guess(origin: formats.Origin) -> str:
    if origin.backend is None:
        return "not told: pass backend='theano' or backend='tensorflow' to load it"
    return f"{origin.backend}, by the names of its weights"


def _model(config: Mapping[str, Any]) -> str:
    if not config:
        return ""
    name = config["config"].get("name") if isinstance(config.get("config"), Mapping) else None
    return f"{config.get('class_name')} {name!r}" if name else str(config.get("class_name"))


def _input_shapes(config: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    for entry in layer_entries(config):
        arguments = entry.get("config")
        if isinstance(arguments, Mapping):
            shape = arguments.get("batch_input_shape") or arguments.get("batch_shape")
            if isinstance(shape, Sequence):
                yield tuple(shape)


def _short(described: Any) -> str:
    """A loss or optimizer by its name."""
    if isinstance(described, Mapping) and "class_name" in described:
        inner = described.get("config")
        named = isinstance(inner, str) and described["class_name"] == "function"
        return str(inner if named else described["class_name"])
    if isinstance(described, Mapping):
        return ", ".join(f"{name}: {_short(part)}" for name, part in described.items())
    if isinstance(described, list):
        return ", ".join(map(_short, described))
    return str(described or "")


def _optimizer(found: Contents) -> str:
    name = _short(found.training.get("optimizer_config") or found.training.get("optimizer"))
    state = f"{len(found.optimizer)} arrays of its state" if found.optimizer else ""
    return ", ".join(filter(None, [name, state]))


def _rows(found: Contents) -> Iterator[tuple[str, ...]]:
    """One row for each weight, and for each layer without."""
    stored = dict(found.weights)
    classes = {name_of(entry): class_of(entry) for entry in layer_entries(found.config)}
    for layer in [*classes, *(name for name in stored if name not in classes)]:
        weights = stored.get(layer) or []
        first = (layer, classes.get(layer, ""))
        for name, array in weights:
            shape = "×".join(map(str, array.shape)) or "scalar"
            weight = name.removeprefix(f"{layer}/").removesuffix(":0")
            yield (*first, weight, shape, str(array.dtype), f"{array.size:,}")
            first = ("", "")
        if not weights:
            yield (*first, "", "", "", "")


def _table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    if not rows:
        return
    widths = [max(len(row[i]) for row in (HEADER, *rows)) for i in range(len(HEADER))]
    last = len(HEADER) - 1
    yield ""
    for row in (HEADER, tuple("─" * width for width in widths), *rows):
        cells = [
            cell.rjust(width) if i == last else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()
