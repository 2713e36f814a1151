"""Models as graphs of boxes and arrows: DOT text, and pictures of it by Graphviz's `dot`."""

import shutil
import subprocess
import warnings
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

__all__ = ["flows", "model_to_dot", "plot_model"]

STYLE = """\
  rankdir={rankdir};
  dpi={dpi};
  node [shape=plain, fontname="Helvetica", fontsize=11];
  edge [color="#5b6770", arrowsize=0.7];"""


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    dpi: int = 96,
) -> str:
    """The model's layers and what flows between them, in the DOT language of Graphviz.

    A layer that is used twice is one box with the arrows of both uses.

    Args:
        model: a model whose input shape is known.
        show_shapes: the shape of what each layer gives, None where any size fits.
        show_layer_names: the layer's name under its class.
        rankdir: from top to bottom (`TB`), or `LR`, `BT`, `RL`.
        dpi: dots per inch of pictures.

    Raises:
        ValueError: if the model is not built, or for another direction.
    """
    if rankdir not in ("TB", "LR", "BT", "RL"):
        raise ValueError(f"rankdir must be TB, LR, BT or RL, got {rankdir!r}")
    if not getattr(model, "built", True):
        raise ValueError(
            f"{model.name!r} has no input shape yet, so its graph is unknown: build it, or call it "
            "on data"
        )
    names: dict[Any, str] = {}
    shapes: dict[Any, list[str]] = {}
    edges: dict[tuple[str, str], None] = {}
    for source, target, tensor in flows(model):
        for box in (source, target):
            if box is not None:
                names.setdefault(box, f"n{len(names)}")
        kept = shapes.setdefault(source, [])
        if str(tensor.shape) not in kept:
            kept.append(str(tensor.shape))
        if target is not None:
            edges[names[source], names[target]] = None
    boxes = [
        f"  {name} [label={_label(box, shapes.get(box, []), show_shapes, show_layer_names)}];"
        for box, name in names.items()
    ]
    arrows = [f"  {source} -> {target};" for source, target in edges]
    return "\n".join(
        ["digraph model {", STYLE.format(rankdir=rankdir, dpi=dpi), *boxes, *arrows, "}", ""]
    )


def flows(model: Any) -> Iterator[tuple[Any, Any, Any]]:
    """(box that gives it, box that takes it or None, tensor), from the inputs on."""
    found: list[tuple[Any, Any, Any]] = []
    seen: set[Any] = set()
    entries = set(model.inputs)
    waiting = [(tensor, None) for tensor in reversed(model.outputs)]
    while waiting:
        tensor, target = waiting.pop()
        call = None if tensor in entries else tensor.call
        box = (tensor.source or tensor) if call is None else call.callee
        found.append((box, target, tensor))
        if call is not None and call not in seen:
            seen.add(call)
            waiting.extend((given, box) for given in _leaves(call.inputs))
    return reversed(found)


def _leaves(nested: Any) -> Iterator[Any]:
    parts = nested.values() if isinstance(nested, dict) else nested
    if not isinstance(nested, dict | list | tuple):
        yield nested
        return
    for part in parts:
        yield from _leaves(part)


def _label(box: Any, shapes: list[str], show_shapes: bool, show_names: bool) -> str:
    """An HTML label: the class in a dark row, then the name and the shapes."""
    kind = type(box).__name__
    known = {"SymbolicTensor": "Input", "Operation": box.name}
    rows = [
        f'<tr><td bgcolor="#2f6db3"><font color="white"><b>{_text(known.get(kind, kind))}'
        "</b></font></td></tr>"
    ]
    if show_names:
        rows.append(f"<tr><td>{_text(box.name)}</td></tr>")
    if show_shapes:
        rows.append(f'<tr><td bgcolor="#eef2f7">{_text(", ".join(shapes))}</td></tr>')
    table = '<table border="0" cellborder="1" cellspacing="0" cellpadding="5" color="#5b6770">'
    return f"<{table}{''.join(rows)}</table>>"


def _text(text: str) -> str:
    return escape(text, quote=False)


def plot_model(
    model: Any,
    to_file: str | Path = "model.png",
    show_shapes: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    dpi: int = 96,
) -> Path:
    """Write the model's graph as DOT text and, where Graphviz is installed, as a picture.

    Args:
        model: a model whose input shape is known.
        to_file: the picture; its ending says the format (`png`, `svg`, `pdf`). The text goes
            beside it with the ending `dot`; a name that ends so is for the text alone.
        show_shapes, show_layer_names, rankdir, dpi: as in `model_to_dot`.

    Returns:
        The path of the picture, or of the text where no picture was made.

    Warns:
        RuntimeWarning: if a picture is wanted and the program `dot` is missing.

    Raises:
        ValueError: if the model is not built, or if `to_file` has no ending.
        RuntimeError: if Graphviz fails.
    """
    picture = Path(to_file)
    if not picture.suffix:
        raise ValueError(f"to_file needs an ending such as .png, .svg or .dot; got {to_file!r}")
    text = picture.with_suffix(".dot")
    described = model_to_dot(model, show_shapes, show_layer_names, rankdir, dpi)
    text.write_text(described, encoding="utf-8")
    if picture == text:
        return text
    program = shutil.which("dot")
    if program is None:
        warnings.warn(
            f"no picture {picture}: Graphviz is not installed (its program dot; on Ubuntu "
            f"`apt install graphviz`). The graph is in {text}",
            RuntimeWarning,
            stacklevel=2,
        )
        return text
    command = [program, f"-T{picture.suffix[1:]}", str(text), "-o", str(picture)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"Graphviz could not draw {picture}: {done.stderr.strip()}")
    return picture
