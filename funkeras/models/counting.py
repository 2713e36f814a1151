"""What a model counts while it trains and is judged, as metrics: Keras 3's `Model.metrics`."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import jax

from funkeras.functional.objective import Objective, meeting
from funkeras.metrics import Mean, MeanMetricWrapper, Metric
from funkeras.typing import ArrayLike, Shape, State

__all__ = ["CompiledMetrics", "attribute_metrics", "trackers"]


class Part(NamedTuple):
    """A compiled metric, the number and shape of the output it judges, and whether by weights."""

    metric: Metric
    output: int
    shape: Shape
    by_weight: bool


class CompiledMetrics(Metric):
    """What `compile` was told to measure, as one metric: its result is a dict by name.

    Args:
        parts: by their names in logs.
    """

    def __init__(self, parts: dict[str, Part]) -> None:
        super().__init__(name="compile_metrics")
        self._named = parts

    def init(self, shape: Shape | None = None) -> State:
        """The states of all, before any data."""
        return {
            f"{name}/{key}": value
            for name, part in self._named.items()
            for key, value in part.metric.init(part.shape).items()
        }

    def update(self, state: State, *data: Any, weights: ArrayLike | None = None) -> State:
        """The states with a batch counted: targets, predictions and weights of each output."""
        trues, preds = map(jax.tree.leaves, data)
        shares = jax.tree.leaves(weights) or [None] * len(preds)
        after: State = {}
        for name, part in self._named.items():
            true, pred = meeting(trues[part.output], preds[part.output])
            own = shares[part.output] if part.by_weight else None
            new = part.metric.update(self._of(state, name), true, pred, weights=own)
            after |= {f"{name}/{key}": value for key, value in new.items()}
        return after

    def result(self, state: State | None = None) -> dict[str, Any]:
        """What each has come to."""
        state = self.state if state is None else state
        return {
            name: part.metric.result(self._of(state, name)) for name, part in self._named.items()
        }

    def _of(self, state: State, name: str) -> State:
        start = f"{name}/"
        return {k.removeprefix(start): v for k, v in state.items() if k.startswith(start)}


def trackers(objective: Objective, names: Sequence[str], sources: Any) -> list[Metric]:
    """The mean of the loss, and what was compiled, if anything was, by the `names` in logs."""
    stateful, means = [], []
    for number, output in enumerate(objective.outputs):
        place = number, output.shape
        stateful += [Part(metric, *place, by_weight) for metric, by_weight in output.stateful]
        means += [Part(MeanMetricWrapper(f), *place, by_weight) for f, by_weight in output.means]
    before = objective.width - len(means) - len(objective.reported)
    parts = {}
    for name, (has_state, index) in zip(names, sources, strict=True):
        listed, own = (stateful, index) if has_state else (means, index - before)
        if 0 <= own < len(listed):
            parts[name] = listed[own]
    return [Mean(name="loss"), *([CompiledMetrics(parts)] if parts else [])]


def attribute_metrics(layer: Any) -> Iterator[Metric]:
    """The metrics in attributes of a layer and of the layers inside it, but of no inner model."""
    for own in vars(layer).values():
        held = own if isinstance(own, list | tuple) else [own]
        yield from (part for part in held if isinstance(part, Metric))
    for inner in layer.inner_layers:
        if not hasattr(inner, "compile"):
            yield from attribute_metrics(inner)
