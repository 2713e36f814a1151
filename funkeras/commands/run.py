"""Run a Keras script of any generation as it is.

`import keras`, and `tensorflow.keras` where TensorFlow is not installed, mean this package; all
else is as with `python`: arguments, `__main__`, the script's folder in front, the exit status.
"""

import argparse
import io
import sys
import traceback
from pathlib import Path
from types import ModuleType, TracebackType

from funkeras import compat

__all__ = ["arguments", "run"]

PYTHON_2 = {
    "basestring": "str",
    "cPickle": "pickle",
    "ConfigParser": "configparser",
    "execfile": "exec(open(...).read())",
    "has_key": "in",
    "iteritems": "items",
    "iterkeys": "keys",
    "itervalues": "values",
    "izip": "zip",
    "long": "int",
    "Queue": "queue",
    "raw_input": "input",
    "reduce": "functools.reduce",
    "StringIO": "io.StringIO",
    "unichr": "chr",
    "unicode": "str",
    "urllib2": "urllib.request",
    "xrange": "range",
}
"""Name that Python 2 had → what Python 3 has instead."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "--keras",
        choices=list(compat.VERSIONS),
        help="the version it was written for: what keras.__version__ says, and default values",
    )
    parser.add_argument(
        "--backend",
        choices=("tensorflow", "theano"),
        help="what K.backend() answers, and whose numbers hold where the two differed",
    )
    parser.add_argument("script", type=Path, help="a Python file")
    parser.add_argument("words", nargs=argparse.REMAINDER, help="the script's own arguments")


def run(options: argparse.Namespace) -> int:
    """Run the script as the main program; gives 1 after an exception, which is printed."""
    script: Path = options.script
    try:
        with io.open_code(str(script)) as file:
            source = file.read()
    except OSError as error:
        print(f"funkeras: can't open file {str(script)!r}: {error}", file=sys.stderr)
        return 2
    compat.install(options.keras, options.backend)
    main = ModuleType("__main__")
    main.__dict__.update(__file__=str(script), __builtins__=__builtins__, __cached__=None)
    sys.modules["__main__"] = main
    sys.argv = [str(script), *options.words]
    sys.path[0] = str(script.resolve().parent)
    try:
        exec(compile(source, str(script), "exec", dont_inherit=True), main.__dict__)
    except Exception as error:
        within = of_script(error.__traceback__, str(script))
        sys.excepthook(type(error), error.with_traceback(within), within)
        if hint := python_2(error, within, script):
            print(hint, file=sys.stderr)
        return 1
    return 0


def of_script(frames: TracebackType | None, script: str) -> TracebackType | None:
    """The part of a traceback that begins in the script."""
    while frames is not None and frames.tb_frame.f_code.co_filename != script:
        frames = frames.tb_next
    return frames


def python_2(error: Exception, frames: TracebackType | None, script: Path) -> str:
    """Which line to change, if an error comes from what only Python 2 had."""
    if isinstance(error, SyntaxError) and error.filename == str(script):
        return (
            f"funkeras: {script}, line {error.lineno} is not Python 3. If the script was written "
            "for Python 2, change that line; the tool 2to3 does it for a whole file."
        )
    name = getattr(error, "name", None)
    lines = [line for path, line, *_ in traceback.extract_tb(frames) if path == str(script)]
    if not isinstance(error, NameError | AttributeError | ImportError) or not lines:
        return ""
    if name not in PYTHON_2:
        return ""
    return f"funkeras: {script}, line {lines[-1]}: {name} is Python 2; write {PYTHON_2[name]}"
