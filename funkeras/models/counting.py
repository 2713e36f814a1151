"""What a model counts while it trains and is judged, as metrics: Keras 3's `Model.metrics`."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import jax

from funkeras.functional.masks import mask_of
from funkeras.functional.objective import Objective, Totals, meeting, present
from funkeras.metrics import Mean, MeanMetricWrapper, Metric
from funkeras.typing import Array, ArrayLike, PyTree, Shape, State

__all__ = [
    "CompiledMetrics",
    "Counts",
    "Trackers",
    "attribute_metrics",
    "by_output",
    "metrics_of",
    "own_metrics",
]


class Part(NamedTuple):
    """A compiled metric, the output it judges, whether by weights, and where totals have it.

    Fields:
        shape: of the output.
        stateful, place: whether it is among the states of `Totals` or the sums, and its number.
    """

    metric: Metric
    output: int
    shape: Shape
    by_weight: bool
    stateful: bool
    place: int


class CompiledMetrics(Metric):
    """What `compile` was told to measure, as one metric: its result is a dict by name.

    The targets say which metrics some names mean, so it has no parts before it has seen any.
    """

    def __init__(self) -> None:
        super().__init__(name="compile_metrics")
        self._named: dict[str, Part] | None = None

    def begin(self, parts: dict[str, Part]) -> None:
        """Consist of these parts, by their names in logs."""
        self._named, self._state = parts, None

    @property
    def parts(self) -> Mapping[str, Part]:
        """What it consists of, by the names in logs."""
        return self._named or {}

    @property
    def metrics(self) -> list[Metric]:
        """The metrics that it consists of."""
        return [part.metric for part in self.parts.values()]

    def init(self, shape: Shape | None = None) -> State:
        """The states of all, before any data."""
        return {
            f"{name}/{key}": value
            for name, part in self.parts.items()
            for key, value in part.metric.init(part.shape).items()
        }

    def update(self, state: State, *data: Any, weights: ArrayLike | None = None) -> State:
        """The states with a batch counted: targets, predictions and weights of each output."""
        preds = jax.tree.leaves(data[-1])
        trues, shares = (by_output(given, len(preds)) for given in (data[0], weights))
        after: State = {}
        for name, part in self.parts.items():
            true, pred = meeting(trues[part.output], preds[part.output])
            own = shares[part.output] if part.by_weight else None
            mask = mask_of(preds[part.output])
            if part.metric.masked and mask is not None:
                own = present(mask, own)
            new = part.metric.update(self._of(state, name), true, pred, weights=own)
            after |= {f"{name}/{key}": value for key, value in new.items()}
        return after

    def result(self, state: State | None = None) -> dict[str, Any]:
        """What each has come to.

        Raises:
            ValueError: before any target was seen.
        """
        if self._named is None:
            raise ValueError("the compiled metrics have no results before the first batch")
        state = self.state if state is None else state
        return {
            name: part.metric.result(self._of(state, name)) for name, part in self.parts.items()
        }

    def _of(self, state: State, name: str) -> State:
        start = f"{name}/"
        return {k.removeprefix(start): v for k, v in state.items() if k.startswith(start)}


def by_output(given: Any, count: int) -> tuple[Any, ...]:
    """Targets or weights, an array or None for each of so many outputs.

    Raises:
        ValueError: for another number of them.
    """
    parts = jax.tree.leaves(given, is_leaf=lambda leaf: leaf is None)
    if given is None:
        return (None,) * count
    if len(parts) != count:
        raise ValueError(f"expected arrays for {count} outputs, got {len(parts)}")
    return tuple(parts)


class Trackers:
    """Keras 3's metrics of a compiled model: its loss, what was compiled, and losses of outputs.

    Those of outputs are there once targets were seen, and only if there are several.

    Args:
        measures: whether metrics were compiled.
    """

    def __init__(self, measures: bool) -> None:
        self.loss = Mean(name="loss")
        self.compiled = CompiledMetrics() if measures else None
        self.of_outputs: list[Metric] = []

    def __iter__(self) -> Iterator[Metric]:
        yield self.loss
        if self.compiled is not None:
            yield self.compiled
        yield from self.of_outputs

    @property
    def of_losses(self) -> list[Metric]:
        """The means of the loss and of each output's, as they stand first in an outcome."""
        return [self.loss, *self.of_outputs]

    def begin(
        self, objective: Objective, names: Sequence[str], sources: Sequence[tuple[bool, int]]
    ) -> None:
        """Count what an objective gives, by the `names` in logs, which come from such sources."""
        stateful, means = [], []
        for number, output in enumerate(objective.outputs):
            judges = number, output.shape
            stateful += [(metric, *judges, by_weight) for metric, by_weight in output.stateful]
            means += [(MeanMetricWrapper(f), *judges, weighs) for f, weighs in output.means]
        before = objective.width - len(means) - len(objective.reported)
        parts = {}
        for name, (has_state, index) in zip(names, sources, strict=True):
            listed, own = (stateful, index) if has_state else (means, index - before)
            if 0 <= own < len(listed):
                metric, output, shape, by_weight = listed[own]
                parts[name] = Part(metric, output, shape, by_weight, has_state, index)
        if self.compiled is not None:
            self.compiled.begin(parts)
        self.of_outputs = [Mean(name=name) for name in names[1:before]]

    def hand_over(self, totals: Totals) -> None:
        """Let the metrics have what was counted."""
        sums, rows = jax.device_get((totals.sums, totals.rows))
        for tracker, total, count in zip(self.of_losses, sums, rows, strict=False):
            tracker.state = {"total": total, "count": count}
        counted: State = {}
        for name, part in self.compiled.parts.items() if self.compiled is not None else ():
            place = part.place
            mean = {"total": sums[place], "count": rows[place]} if not part.stateful else {}
            own: State = totals.states[place] if part.stateful else mean
            part.metric.state = own
            counted |= {f"{name}/{key}": value for key, value in own.items()}
        if self.compiled is not None:
            self.compiled.state = counted


class Counts:
    """The states of metrics as one list of arrays, as the steps of Keras 3 take and give them."""

    def __init__(self, metrics: Sequence[Metric]) -> None:
        self.metrics = list(metrics)
        self.names = [tuple(metric.fresh_state) for metric in self.metrics]

    def fresh(self) -> list[Array]:
        """The arrays before any data."""
        return [a for metric in self.metrics for a in metric.stateless_reset_state()]

    def states(self, arrays: Sequence[Array]) -> dict[Any, State]:
        """The state of each metric, from those of all."""
        left = iter(arrays)
        pairs = zip(self.metrics, self.names, strict=True)
        return {metric: {name: next(left) for name in names} for metric, names in pairs}

    def listed(self, states: Mapping[Any, PyTree]) -> list[Array]:
        """The arrays of all, from the state of each."""
        pairs = zip(self.metrics, self.names, strict=True)
        return [states[metric][name] for metric, names in pairs for name in names]

    def in_order(self, names: Collection[str]) -> list[str]:
        """Names of logs in the order of the metrics; others follow by the alphabet: Keras 3's.

        To these belong names with that of an output in front.
        """
        listed = [getattr(metric, "metrics", [metric]) for metric in self.metrics]
        known = [metric.name for own in listed for metric in own]
        return [*dict.fromkeys(own for own in known if own in names), *sorted({*names} - {*known})]

    def hand_over(self, totals: Totals) -> None:
        """Let the metrics have what was counted."""
        for metric, state in self.states(totals.states).items():
            metric.state = state


def own_metrics(model: Any) -> list[Metric]:
    """Keras 3's metrics of a model: its loss, what was compiled, and attributes."""
    compiled = list(model._trackers or ())
    known = {part for metric in compiled for part in getattr(metric, "metrics", ())}
    held = dict.fromkeys(attribute_metrics(model))
    return [*compiled, *(metric for metric in held if metric not in known)]


def metrics_of(model: Any) -> list[Metric]:
    """The metrics whose results a model reports: those that a subclass lists, if it does."""
    return list(model.metrics) if model._writes("metrics") else own_metrics(model)


def attribute_metrics(layer: Any) -> Iterator[Metric]:
    """The metrics in attributes of a layer and of the layers inside it, but of no inner model."""
    for own in vars(layer).values():
        held = own if isinstance(own, list | tuple) else [own]
        yield from (part for part in held if isinstance(part, Metric))
    for inner in layer.inner_layers:
        if not hasattr(inner, "compile"):
            yield from attribute_metrics(inner)
