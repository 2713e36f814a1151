"""Pictures of training and data: learning curves, a grid of samples, a confusion matrix.

Each function gives a matplotlib `Figure` that belongs to no window and no global state: save it
with `figure.savefig(path)`; a notebook shows it by itself. matplotlib comes with the extra
`funkeras[examples]`.
"""

import math
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np

__all__ = ["confusion_matrix", "history_curves", "plot_confusion", "plot_history", "samples_grid"]

COLOURS = ("#2f6db3", "#d9632a", "#3a8f5c", "#8a5aa8", "#b5912b", "#5b6770")
"""Colours of curves, in turn."""


def _matplotlib() -> ModuleType:
    try:
        import matplotlib.figure
        import matplotlib.ticker
    except ImportError as error:
        raise ImportError(
            'pictures need matplotlib, which is not installed: pip install "funkeras[examples]"'
        ) from error
    return matplotlib


def figure_of(width: float, height: float) -> Any:
    """An empty figure of that size, in inches."""
    return _matplotlib().figure.Figure(figsize=(width, height), layout="constrained")


def history_curves(history: Mapping[str, Sequence[float]]) -> dict[str, dict[str, Sequence[float]]]:
    """The curves of each panel: a metric with the same metric on validation data.

    >>> history_curves({"loss": [2.0], "acc": [0.5], "val_loss": [2.1]})
    {'loss': {'training': [2.0], 'validation': [2.1]}, 'acc': {'training': [0.5]}}
    """
    panels: dict[str, dict[str, Sequence[float]]] = {}
    for name, values in history.items():
        kind = "validation" if name.startswith("val_") else "training"
        panels.setdefault(name.removeprefix("val_"), {})[kind] = values
    return panels


def plot_history(history: Any, epochs: Sequence[int] | None = None, title: str = "") -> Any:
    """Learning curves: a panel for each metric, training and validation in one.

    Args:
        history: what `fit` returned, or the dict of its `history`: name → one number per epoch.
        epochs: the epochs' numbers, from 0 as `History.epoch` has them; shown from 1.
        title: above all panels.

    Raises:
        ValueError: if there is nothing to show.
        ImportError: without matplotlib.
    """
    numbers = getattr(history, "history", history)
    if epochs is None:
        epochs = getattr(history, "epoch", None)
    panels = history_curves(numbers)
    if not panels or not any(len(values) for values in numbers.values()):
        raise ValueError("the history is empty: no epoch has ended yet")
    columns = min(len(panels), 3)
    rows = math.ceil(len(panels) / columns)
    figure = figure_of(4.6 * columns, 3.3 * rows)
    for place, (name, curves) in enumerate(panels.items(), 1):
        axes = figure.add_subplot(rows, columns, place)
        for colour, kind in zip(COLOURS, ("training", "validation"), strict=False):
            if kind in curves:
                _curve(axes, curves[kind], epochs, kind, colour)
        axes.set_title(name)
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(_matplotlib().ticker.MaxNLocator(integer=True))
        plain(axes)
        if "validation" in curves:
            axes.legend(frameon=False)
    if title:
        figure.suptitle(title)
    return figure


def _curve(
    axes: Any, values: Sequence[float], epochs: Sequence[int] | None, label: str, colour: str
) -> None:
    """A curve; a metric that was not there from the beginning belongs to the last epochs."""
    numbers = list(range(len(values)) if epochs is None else epochs)[-len(values) :]
    marker = "o" if len(values) <= 15 else ""
    shown = [number + 1 for number in numbers]
    axes.plot(shown, values, color=colour, marker=marker, markersize=4, label=label)


def plain(axes: Any) -> None:
    """A panel without a box, with a faint grid."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)


def samples_grid(
    images: Any,
    titles: Sequence[str] | None = None,
    columns: int | None = None,
    row_names: Sequence[str] | None = None,
    title: str = "",
    cmap: str = "gray",
    limits: tuple[float, float] | None = None,
) -> Any:
    """Images side by side, row after row.

    Args:
        images: (n, rows, columns) or (n, rows, columns, 1, 3 or 4); bytes, or numbers in 0–1.
        titles: one for each image.
        columns: images in a row; by default a little more than there are rows.
        row_names: at the left of each row.
        title: above all.
        cmap: matplotlib's colours for images of one channel.
        limits: the values shown as the first and the last colour, for images of one channel; by
            default 0 and 255 for bytes, else the least and the largest value of all.

    Raises:
        ValueError: if the shape is no batch of images or the titles are not one for each.
        ImportError: without matplotlib.
    """
    images = np.asarray(images)
    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    grey = images.ndim == 3
    if not len(images) or not (grey or (images.ndim == 4 and images.shape[-1] in (3, 4))):
        raise ValueError(
            "samples_grid needs images (n, rows, columns) or (n, rows, columns, 1, 3 or 4), "
            f"at least one; got {images.shape}"
        )
    if titles is not None and len(titles) != len(images):
        raise ValueError(f"{len(titles)} titles came for {len(images)} images")
    columns = columns or math.ceil(math.sqrt(1.5 * len(images)))
    rows = math.ceil(len(images) / columns)
    bytes_range = (0, 255) if images.dtype == np.uint8 else (images.min(), images.max())
    low, high = limits or bytes_range
    figure = figure_of(1.1 * columns + (0.9 if row_names else 0), (1.35 if titles else 1.1) * rows)
    for place, image in enumerate(images):
        axes = figure.add_subplot(rows, columns, place + 1)
        axes.imshow(image, cmap=cmap, vmin=low, vmax=high)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set_visible(False)
        if titles is not None:
            axes.set_title(titles[place], fontsize=9)
        if row_names and place % columns == 0:
            axes.set_ylabel(row_names[place // columns], rotation=0, ha="right", va="center")
    if title:
        figure.suptitle(title)
    return figure


def confusion_matrix(y_true: Any, y_pred: Any, classes: int | None = None) -> np.ndarray:
    """How often each true class (row) was taken for each class (column): counts.

    Args:
        y_true, y_pred: class numbers (n,), or rows of scores or one-hot rows (n, classes).
        classes: how many there are; by default as many as occur.

    Raises:
        ValueError: if the lengths differ or a class is out of range.

    >>> confusion_matrix([0, 1, 1, 2], [0, 1, 2, 2]).tolist()
    [[1, 0, 0], [0, 1, 1], [0, 0, 1]]
    """
    scores = [np.shape(y)[-1] for y in (y_true, y_pred) if np.ndim(y) == 2]
    true, predicted = _classes("y_true", y_true), _classes("y_pred", y_pred)
    if len(true) != len(predicted):
        raise ValueError(f"y_true has {len(true)} rows and y_pred {len(predicted)}")
    both = np.concatenate([true, predicted])
    count = classes or max([*scores, int(both.max(initial=-1)) + 1])
    if len(both) and (both.min() < 0 or both.max() >= count):
        raise ValueError(f"classes must be 0 to {count - 1}; got {both.min()} to {both.max()}")
    matrix = np.zeros((count, count), np.int64)
    np.add.at(matrix, (true, predicted), 1)
    return matrix


def _classes(name: str, values: Any) -> np.ndarray:
    values = np.asarray(values)
    if values.ndim == 2:
        return values.argmax(-1)
    if values.ndim != 1:
        raise ValueError(f"{name} must be (n,) or (n, classes), got {values.shape}")
    return values.astype(np.int64)


def plot_confusion(
    y_true: Any, y_pred: Any, names: Sequence[str] | None = None, title: str = ""
) -> Any:
    """The confusion matrix as a picture: shares of each true class as colour, counts as numbers.

    Args:
        y_true, y_pred: class numbers (n,), or rows of scores or one-hot rows (n, classes).
        names: of the classes; by default their numbers.
        title: by default the share that is right.

    Raises:
        ValueError: if the lengths differ.
        ImportError: without matplotlib.
    """
    matrix = confusion_matrix(y_true, y_pred, len(names) if names else None)
    names = names or [str(number) for number in range(len(matrix))]
    shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    side = 0.48 * max(len(matrix), 4)
    figure = figure_of(side + 2.5, side + 1.6)
    axes = figure.add_subplot()
    picture = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(matrix):
        if count:
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, f"{count}", ha="center", va="center", color=colour, fontsize=8)
    places = range(len(matrix))
    wide = 0.1 * max(map(len, names)) > side / len(matrix)  # a letter takes a tenth of an inch
    axes.set_xticks(places, names, rotation=45 * wide, ha="right" if wide else "center")
    axes.set_yticks(places, names)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.spines[:].set_visible(False)
    axes.set_title(title or f"{np.trace(matrix) / max(matrix.sum(), 1):.1%} right")
    figure.colorbar(picture, ax=axes, label="share of the true class", shrink=0.8)
    return figure
