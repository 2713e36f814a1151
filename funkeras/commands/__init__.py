"""What `funkeras` and `python -m funkeras` do in a shell: one table of commands.

A command is a module of this package with `arguments(parser)`, which declares what it takes, and
`run(options)`, which does it and gives the exit status. It is imported when it is called.
"""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

__all__ = ["COMMANDS", "main"]

COMMANDS = {
    "convert": "write a model or weights of any Keras in another format",
    "inspect": "show what a file of any Keras holds",
    "run": "run a Keras script of any generation as it is",
}
"""Command → what it does; the module of that name does it."""

DEFAULT = "run"
"""The command that is meant where none is named, as by the path of a script alone."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the words of a command line say; gives the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] in ("-h", "--help"):
        print(usage())
        return 0 if words else 2
    if words[0] not in COMMANDS:
        words.insert(0, DEFAULT)
    name, *rest = words
    command = import_module(f"funkeras.commands.{name}")
    parser = argparse.ArgumentParser(f"funkeras {name}", description=command.__doc__)
    command.arguments(parser)
    return command.run(parser.parse_args(rest))


def usage() -> str:
    """How to call it, with every command."""
    width = max(map(len, COMMANDS))
    rows = [f"  {name:{width}}  {what}" for name, what in COMMANDS.items()]
    return "\n".join(
        [
            "usage: funkeras COMMAND ...",
            "       funkeras [--keras VERSION] SCRIPT.py [ARGUMENT ...]",
            "",
            *rows,
            "",
            "funkeras COMMAND --help says more.",
        ]
    )
