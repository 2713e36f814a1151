"""Run a script with its arguments, as `python` does."""

import argparse
import runpy
import sys
from pathlib import Path

__all__ = ["arguments", "run"]


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("script", type=Path, help="a Python file")
    parser.add_argument("words", nargs=argparse.REMAINDER, help="the script's own arguments")


def run(options: argparse.Namespace) -> int:
    """Run the script; its folder comes first in `sys.path`, as with `python`."""
    if not options.script.is_file():
        print(f"funkeras: no such script: {options.script}", file=sys.stderr)
        return 2
    sys.argv = [str(options.script), *options.words]
    sys.path.insert(0, str(options.script.resolve().parent))
    runpy.run_path(str(options.script), run_name="__main__")
    return 0
