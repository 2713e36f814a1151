"""Write a model, or weights, of any Keras in another format, named by the new file's ending.

A whole model becomes another whole model (.keras, .h5), or its weights alone (.weights.h5).
A file of weights has no architecture: give that as the JSON that to_json wrote.
"""

import argparse
import runpy
import sys
from pathlib import Path
from typing import Any

from funkeras.formats import FileFormatError, contents
from funkeras.models import FeatureSpace, load_model, model_from_json

__all__ = ["arguments", "run"]

ENDINGS = (".keras", ".weights.h5", ".h5", ".hdf5")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("old", type=Path, help="a file of any Keras")
    parser.add_argument("new", type=Path, help=f"where to write: {', '.join(ENDINGS)}")
    parser.add_argument(
        "--architecture", type=Path, metavar="JSON", help="of the model, for a file of weights"
    )
    parser.add_argument(
        "--objects",
        type=Path,
        metavar="FILE.py",
        help="your layers, losses and functions: the file is run, its names are custom_objects",
    )
    parser.add_argument(
        "--backend",
        choices=("theano", "tensorflow"),
        help="what wrote the old file, where it does not tell",
    )
    parser.add_argument(
        "--weights-only", action="store_true", help="write weights alone, also as .h5"
    )
    parser.add_argument(
        "--no-optimizer", action="store_true", help="leave out how the model was compiled"
    )
    parser.add_argument("--force", action="store_true", help="replace the new file if it exists")


def run(options: argparse.Namespace) -> int:
    """Convert; 1 if the old file cannot be read, 2 if what was asked makes no sense."""
    if not options.new.name.endswith(ENDINGS):
        return _refuse(f"{options.new} must end with {', '.join(ENDINGS)}")
    if options.new.exists() and not options.force:
        return _refuse(f"{options.new} exists: --force replaces it")
    try:
        model = _model(options)
        if isinstance(model, FeatureSpace):
            model.save(options.new)
            print(f"{options.new}: {len(model.features)} columns")
            return 0
        if options.weights_only or options.new.name.endswith(".weights.h5"):
            model.save_weights(options.new)
        else:
            model.save(options.new, include_optimizer=not options.no_optimizer)
    except (FileFormatError, OSError, ValueError) as error:
        print(f"funkeras: {error}", file=sys.stderr)
        return 1
    print(f"{options.new}: {model.count_params():,} numbers in {len(model.layers)} layers")
    return 0


def _refuse(message: str) -> int:
    print(f"funkeras: {message}", file=sys.stderr)
    return 2


def _model(options: argparse.Namespace) -> Any:
    """The model of the old file."""
    objects = {} if options.objects is None else runpy.run_path(str(options.objects))
    custom = {name: thing for name, thing in objects.items() if not name.startswith("_")}
    if options.architecture is not None:
        model = model_from_json(options.architecture.read_text(), custom)
        model.load_weights(options.old, backend=options.backend)
        return model
    if contents(options.old).kind.endswith("weights.h5"):
        raise FileFormatError(
            f"{options.old} holds weights alone: give its model's JSON with --architecture"
        )
    compiled = not options.no_optimizer
    return load_model(options.old, custom, compile=compiled, backend=options.backend)
