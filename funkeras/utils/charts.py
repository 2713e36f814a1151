"""Pictures of results: curves, bars, points in the plane, heat maps.

As in `funkeras.utils.plotting`, each function gives a matplotlib `Figure` without a window.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from funkeras.utils.plotting import COLOURS, figure_of, plain

__all__ = ["plot_bars", "plot_curves", "plot_heatmap", "plot_points"]


def plot_curves(
    curves: Mapping[str, Any], x_label: str = "epoch", y_label: str = "", title: str = ""
) -> Any:
    """Named curves in one panel.

    Args:
        curves: name → one number for each of 1, 2, 3, ..., or a pair (x, y) of such sequences.
        x_label, y_label: names of the axes.
        title: above the panel.

    Raises:
        ValueError: if there is no curve.
        ImportError: without matplotlib.
    """
    if not curves:
        raise ValueError("plot_curves needs at least one curve, got none")
    figure = figure_of(6, 3.8)
    axes = figure.add_subplot()
    if not any(isinstance(curve, tuple) for curve in curves.values()):
        axes.xaxis.get_major_locator().set_params(integer=True)
    for place, (name, curve) in enumerate(curves.items()):
        x, y = curve if isinstance(curve, tuple) else (range(1, len(curve) + 1), curve)
        marker = "o" if len(y) <= 15 else ""
        colour = COLOURS[place % len(COLOURS)]
        axes.plot(x, y, color=colour, marker=marker, markersize=4, label=name)
    axes.set(xlabel=x_label, ylabel=y_label, title=title)
    plain(axes)
    if len(curves) > 1:
        axes.legend(frameon=False)
    return figure


def plot_bars(values: Mapping[str, float], x_label: str = "", title: str = "") -> Any:
    """A horizontal bar for each name, from the top; negative values have a colour of their own.

    Raises:
        ValueError: if there is no bar.
        ImportError: without matplotlib.
    """
    if not values:
        raise ValueError("plot_bars needs at least one value, got none")
    figure = figure_of(6, 0.8 + 0.25 * len(values))
    axes = figure.add_subplot()
    numbers = list(values.values())
    colours = [COLOURS[0] if number >= 0 else COLOURS[1] for number in numbers]
    places = range(len(values))
    axes.barh(places, numbers, color=colours)
    axes.set_yticks(places, list(values))
    axes.invert_yaxis()
    axes.set(xlabel=x_label, title=title)
    plain(axes)
    axes.grid(visible=False, axis="y")
    return figure


def plot_points(
    points: Any,
    labels: Sequence[int] | np.ndarray | None = None,
    names: Sequence[str] | None = None,
    texts: Sequence[str] | None = None,
    title: str = "",
) -> Any:
    """Points in the plane, coloured by class, or with a text at each.

    Args:
        points: (n, 2).
        labels: the class of each, from 0.
        names: of the classes; by default their numbers.
        texts: what to write at each point.
        title: above the panel.

    Raises:
        ValueError: if there are no points of that shape, or not one label or text for each.
        ImportError: without matplotlib.
    """
    points = np.asarray(points)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise ValueError(f"points must be (n, 2), at least one; got {points.shape}")
    for what, given in (("labels", labels), ("texts", texts)):
        if given is not None and len(given) != len(points):
            raise ValueError(f"{len(given)} {what} came for {len(points)} points")
    figure = figure_of(6.4, 5.2)
    axes = figure.add_subplot()
    size = 9 if len(points) > 200 else 18
    if labels is None:
        axes.scatter(*points.T, s=size, color=COLOURS[0], linewidths=0)
    else:
        classes = np.asarray(labels)
        for number in np.unique(classes):
            name = names[number] if names else str(number)
            colour = _qualitative()(number % 10)
            axes.scatter(
                *points[classes == number].T, s=size, color=colour, alpha=0.75, lw=0, label=name
            )
        axes.legend(frameon=False, markerscale=2, loc="center left", bbox_to_anchor=(1, 0.5))
    texts = texts or []
    for point, text, (place, side) in zip(points, texts, _places(points, texts), strict=False):
        axes.annotate(text, point, place, textcoords="offset points", fontsize=7, ha=side)
    axes.set_title(title)
    plain(axes)
    return figure


PLACES = (((3, 2), "left"), ((-3, 2), "right"), ((3, -8), "left"), ((-3, -8), "right"))
"""Where a text may stand beside its point, in points of print, and its alignment."""


def _places(points: np.ndarray, texts: Sequence[str]) -> list[Any]:
    """For each text the place where it meets the fewest of those before it."""
    panel = (350, 330) / np.maximum(np.ptp(points, axis=0), 1e-9)  # its size in points of print
    taken = np.zeros((0, 3))
    chosen = []
    for (x, y), text in zip(points * panel, texts, strict=False):
        wide = 4.2 * len(text)
        boxes = np.array(
            [(x + dx - wide * (side == "right"), y + dy, wide) for (dx, dy), side in PLACES]
        )
        best = int(np.argmin([_met(box, taken) for box in boxes]))
        chosen.append(PLACES[best])
        taken = np.vstack([taken, boxes[best]])
    return chosen


def _met(box: np.ndarray, others: np.ndarray) -> int:
    """How many boxes (left, low, width) of one line's height overlap with this one."""
    left, low, wide = others.T
    beside = (left >= box[0] + box[2]) | (box[0] >= left + wide) | (np.abs(low - box[1]) >= 8)
    return int(np.sum(~beside))


def _qualitative() -> Any:
    from matplotlib import colormaps

    return colormaps["tab10"]


def plot_heatmap(
    values: Any,
    rows: Sequence[str],
    columns: Sequence[str],
    x_label: str = "",
    y_label: str = "",
    title: str = "",
) -> Any:
    """A matrix as colours, its rows and columns named: what attention looks at, say.

    Raises:
        ValueError: if the names do not fit the matrix.
        ImportError: without matplotlib.
    """
    values = np.asarray(values)
    if values.shape != (len(rows), len(columns)):
        raise ValueError(
            f"{len(rows)} names of rows and {len(columns)} of columns came "
            f"for a matrix of shape {values.shape}"
        )
    figure = figure_of(1.6 + 0.36 * len(columns), 1.2 + 0.36 * len(rows))
    axes = figure.add_subplot()
    axes.imshow(values, cmap="Blues", vmin=0, aspect="auto")
    slant = 45 if max(map(len, columns)) > 3 else 0
    axes.set_xticks(range(len(columns)), columns, rotation=slant, ha="right" if slant else "center")
    axes.set_yticks(range(len(rows)), rows)
    axes.spines[:].set_visible(False)
    axes.set(xlabel=x_label, ylabel=y_label, title=title)
    return figure
