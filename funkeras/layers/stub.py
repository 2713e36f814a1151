"""Writes `layers/__init__.pyi`, so that editors complete the derived classes.

`python -m funkeras.layers.stub` after a layer was added or changed; a test keeps it current.
"""

import ast
import builtins
import inspect
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from funkeras import spellings
from funkeras.functional.pair import builders
from funkeras.layers.facade import class_signature
from funkeras.layers.layer import Layer
from funkeras.layers.special import BASES

__all__ = ["PATH", "stub"]

PATH = Path(__file__).with_name("__init__.pyi")

HEADER = """\
# Written by `python -m funkeras.layers.stub` from the signatures of the functional layers.
from collections.abc import Sequence
from typing import Any

from funkeras.layers.facade import deserialize as deserialize
from funkeras.layers.facade import serialize as serialize
from funkeras.layers.input import Input as Input
from funkeras.layers.input import InputLayer as InputLayer
from funkeras.layers.layer import Layer as Layer
from funkeras.layers.layer import Variable as Variable
from funkeras.layers.merge import add as add
from funkeras.layers.merge import average as average
from funkeras.layers.merge import concatenate as concatenate
from funkeras.layers.merge import dot as dot
from funkeras.layers.merge import maximum as maximum
from funkeras.layers.merge import minimum as minimum
from funkeras.layers.merge import multiply as multiply
from funkeras.layers.merge import subtract as subtract
{bases}
from funkeras.layers.spec import InputSpec as InputSpec
from funkeras.typing import Identifier, Shape

def __getattr__(name: str) -> Any: ...
"""

OPTIONS = """\
name: str | None = None
trainable: bool = True
dtype: str | None = None
autocast: bool = True
activity_regularizer: Identifier = None
weights: Sequence[Any] | None = None
input_shape: Shape | None = None
batch_shape: Shape | None = None
input_dim: int | None = None
input_length: int | None = None
input_dtype: str | None = None
batch_size: int | None = None
remat: bool = False
**old_spellings: Any"""


def _written_parameters(build: Any) -> Iterator[str]:
    """The builder's parameters as its source has them."""
    build = inspect.unwrap(build)
    source = textwrap.dedent(inspect.getsource(build))
    definition = ast.parse(source).body[0]
    if not isinstance(definition, ast.FunctionDef):
        raise TypeError(f"{build!r} is not a function")
    arguments = definition.args.args
    defaults = [None] * (len(arguments) - len(definition.args.defaults)) + definition.args.defaults
    for argument, default in zip(arguments, defaults, strict=True):
        annotation = _annotation(argument.annotation)
        if default is None:
            yield f"{argument.arg}: {annotation} | Any = ..."
        else:
            named = isinstance(default, ast.Name)  # a constant of the builder's module
            value = repr(build.__globals__[default.id]) if named else ast.unparse(default)
            yield f"{argument.arg}: {annotation} = {value}"


def _annotation(written: ast.expr | None) -> str:
    """An annotation in the stub's names: a layer for a pair, Any for what the stub doesn't have."""
    if written is None:
        return "Any"
    names = {node.id for node in ast.walk(written) if isinstance(node, ast.Name)}
    known = names <= {*vars(builtins), "Identifier", "Shape", "Sequence", "Any", "Pair"}
    return ast.unparse(written).replace("Pair", "Layer") if known else "Any"


def _added_annotation(name: str) -> str:
    """That of an argument that the builder does not have."""
    return "Identifier" if name.endswith(("_regularizer", "_constraint")) else "Any"


def _class(name: str, build: Any) -> str:
    written = {line.partition(":")[0]: line for line in _written_parameters(build)}
    own = [
        written.get(name, f"{name}: {_added_annotation(name)} = None")
        for name in class_signature(build).parameters
    ]
    options = [line for line in OPTIONS.splitlines() if line.partition(":")[0] not in written]
    lines = ["self", *own, "*", *options]
    body = ",\n        ".join(lines)
    doc = (inspect.getdoc(build) or "").splitlines()[0]
    return (
        f'class {name}({BASES.get(name, Layer).__name__}):\n    """{doc}"""\n'
        f"    def __init__(\n        {body},\n    ) -> None: ...\n"
    )


def stub() -> str:
    """The text of the stub."""
    classes = [_class(name, build) for name, build in sorted(builders.items())]
    known = {name for name, _ in builders.items()}
    old = [
        f"class {name}({new}): ...\n"
        for name, (new, _) in sorted(spellings.CLASSES.items())
        if new in known
    ]
    bases = sorted({f"from {base.__module__} import {base.__name__}" for base in BASES.values()})
    header = HEADER.replace("{bases}", "\n".join(bases))
    return "\n".join([header, *classes, *old])


if __name__ == "__main__":
    PATH.write_text(stub(), encoding="utf-8")
