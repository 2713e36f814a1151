"""Models as graphs of boxes and arrows: DOT text, and pictures of it by Graphviz's `dot`."""

import shutil
import subprocess
import warnings
from collections.abc import Container, Iterable, Iterator
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["flows", "model_to_dot", "plot_model"]

STYLE = """\
  node [shape=plain, fontname="Helvetica", fontsize=11];
  edge [color="#5b6770", arrowsize=0.7];"""


class Shown(NamedTuple):
    """What the box of a layer says besides its class."""

    shapes: bool = False
    layer_names: bool = True
    dtype: bool = False
    activations: bool = False
    trainable: bool = False


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 96,
    subgraph: bool = False,
    *,
    show_dtype: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str | None = None,
) -> str:
    """The model's layers and what flows between them, in the DOT language of Graphviz.

    A layer that is used twice is one box with the arrows of both uses.

    Args:
        model: a model whose input shape is known.
        show_shapes: the shape of what each layer gives, None where any size fits.
        show_layer_names: the layer's name under its class.
        rankdir: from top to bottom (`TB`), or `LR`, `BT`, `RL`.
        expand_nested: draw the layers of models within the model, in a frame.
        dpi: dots per inch of pictures.
        subgraph: a frame to stand in another graph.
        show_dtype: the dtype of what each layer gives.
        show_layer_activations: the activation, of layers that have one.
        show_trainable: whether the weights are trained, of layers that have some.
        splines: how Graphviz draws the arrows: `ortho`, `curved`, `polyline`, `line`.

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
    shown = Shown(show_shapes, show_layer_names, show_dtype, show_layer_activations, show_trainable)
    drawing = _Drawing(shown, expand_nested)
    boxes = drawing.boxes_of(model)
    arrows = [f"  {source} -> {target};" for source, target in drawing.arrows]
    head = [f"  rankdir={rankdir};", f"  dpi={dpi};", STYLE]
    if splines is not None:
        head.insert(2, f"  splines={splines};")
    if subgraph:
        head = _frame(model)
    start = "subgraph cluster_model {" if subgraph else "digraph model {"
    return "\n".join([start, *head, *boxes, *arrows, "}", ""])


class _Drawing:
    """Boxes with their names, and arrows between them, of a model and those within it."""

    def __init__(self, shown: Shown, nested: bool) -> None:
        self.shown = shown
        self.nested = nested
        self.names: dict[Any, str] = {}
        self.arrows: dict[tuple[str, str], None] = {}

    def boxes_of(self, model: Any) -> list[str]:
        """A line for each box of a model; the arrows between them are noted."""
        tensors: dict[Any, list[Any]] = {}
        for source, target, place, tensor in _flows(model):
            for box in (source, target):
                if box is not None:
                    self.names.setdefault(box, f"n{len(self.names)}")
                    tensors.setdefault(box, [])
            if tensor not in tensors[source]:
                tensors[source].append(tensor)
            if target is not None:
                self.arrows[self._from(source, tensor), self._to(target, place)] = None
        lines = []
        for box, given in tensors.items():
            name = self.names[box]
            if self._opens(box):
                frame = [f"  subgraph cluster_{name} {{", *_frame(box), *self.boxes_of(box), "}"]
                lines += ["  " + line for line in frame]
            else:
                lines.append(f"  {name} [label={_label(box, given, self.shown)}];")
        return lines

    def _opens(self, box: Any) -> bool:
        """Whether a box is a model whose layers are drawn."""
        return self.nested and hasattr(box, "is_written") and not box.is_written()

    def _from(self, box: Any, tensor: Any) -> str:
        """The name of the box that gives a tensor, perhaps one within a model."""
        while self._opens(box):
            tensor = box.outputs[tensor.index]
            box = _giver(tensor, set(box.inputs))
        return self.names.setdefault(box, f"n{len(self.names)}")

    def _to(self, box: Any, place: int) -> str:
        """The name of the box that takes an input of that number, perhaps one within a model."""
        while self._opens(box):
            box, place = _giver(box.inputs[place], set(box.inputs)), 0
        return self.names.setdefault(box, f"n{len(self.names)}")


def _frame(model: Any) -> list[str]:
    """The style of the frame around the boxes of a model."""
    return ["  style=dashed;", f'  label="{model.name}";', '  labeljust="l";']


def _giver(tensor: Any, entries: Container[Any]) -> Any:
    """The box that a tensor comes from; that of an input, where the model begins with it."""
    if tensor in entries or tensor.call is None:
        return tensor.source or tensor
    return tensor.call.callee


def flows(model: Any) -> Iterator[tuple[Any, Any, Any]]:
    """(box that gives it, box that takes it or None, tensor), from the inputs on."""
    for source, target, _, tensor in _flows(model):
        yield source, target, tensor


def _flows(model: Any) -> Iterator[tuple[Any, Any, int, Any]]:
    """The same, with the number of the input that the tensor is."""
    found: list[tuple[Any, Any, int, Any]] = []
    seen: set[Any] = set()
    entries = set(model.inputs)
    waiting = [(tensor, None, 0) for tensor in reversed(model.outputs)]
    while waiting:
        tensor, target, place = waiting.pop()
        box = _giver(tensor, entries)
        found.append((box, target, place, tensor))
        call = None if tensor in entries else tensor.call
        if call is not None and call not in seen:
            seen.add(call)
            waiting.extend((given, box, i) for i, given in enumerate(_leaves(call.inputs)))
    return reversed(found)


def _leaves(nested: Any) -> Iterator[Any]:
    parts = nested.values() if isinstance(nested, dict) else nested
    if not isinstance(nested, dict | list | tuple):
        yield nested
        return
    for part in parts:
        yield from _leaves(part)


def _label(box: Any, tensors: list[Any], shown: Shown) -> str:
    """An HTML label: the class in a dark row, then a row for each thing that is shown."""
    kind = type(box).__name__
    known = {"SymbolicTensor": "Input", "Operation": box.name}
    rows = [_row(f"<b>{_text(known.get(kind, kind))}</b>", "#2f6db3", "white")]
    if shown.layer_names:
        rows.append(_row(_text(box.name)))
    activation = getattr(box, "activation", None) if shown.activations else None
    if activation is not None:
        rows.append(_row(_text(str(getattr(activation, "__name__", activation)))))
    if shown.shapes:
        rows.append(_row(_text(_several(tensor.shape for tensor in tensors)), "#eef2f7"))
    if shown.dtype:
        rows.append(_row(_text(_several(tensor.dtype for tensor in tensors)), "#eef2f7"))
    if shown.trainable and getattr(box, "weights", None):
        trained = box.trainable
        word, colour = ("trained", "#2e7d4f") if trained else ("frozen", "#a23b3b")
        rows.append(_row(word, colour, "white"))
    table = '<table border="0" cellborder="1" cellspacing="0" cellpadding="5" color="#5b6770">'
    return f"<{table}{''.join(rows)}</table>>"


def _row(text: str, background: str | None = None, colour: str | None = None) -> str:
    text = text if colour is None else f'<font color="{colour}">{text}</font>'
    paint = "" if background is None else f' bgcolor="{background}"'
    return f"<tr><td{paint}>{text}</td></tr>"


def _several(values: Iterable[Any]) -> str:
    return ", ".join(dict.fromkeys(map(str, values)))


def _text(text: str) -> str:
    return escape(text, quote=False)


def plot_model(
    model: Any,
    to_file: str | Path = "model.png",
    show_shapes: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 96,
    *,
    show_dtype: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str | None = None,
) -> Path:
    """Write the model's graph as DOT text and, where Graphviz is installed, as a picture.

    Args:
        model: a model whose input shape is known.
        to_file: the picture; its ending says the format (`png`, `svg`, `pdf`). The text goes
            beside it with the ending `dot`; a name that ends so is for the text alone.
        others: as in `model_to_dot`.

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
    described = model_to_dot(
        model,
        show_shapes,
        show_layer_names,
        rankdir,
        expand_nested,
        dpi,
        show_dtype=show_dtype,
        show_layer_activations=show_layer_activations,
        show_trainable=show_trainable,
        splines=splines,
    )
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
