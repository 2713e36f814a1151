"""The steps of training and judging that every model has, as Keras 3 counts in them."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from funkeras.functional.masks import attach
from funkeras.functional.objective import Batch, Outcome, net_input
from funkeras.functional.training import TrainState, merge, scaled_gradients, updated
from funkeras.layers.calling import as_list
from funkeras.layers.inside import bind
from funkeras.models.counting import Counts, by_output, metrics_of
from funkeras.models.engine import Engine
from funkeras.typing import Array, Key, Params, PyTree, State
from funkeras.utils.batches import unpack_x_y_sample_weight
from funkeras.variables import running

__all__ = ["StandardSteps", "batch_of", "given_input", "one_or_list"]


class StandardSteps:
    """The steps that every model has, in which its `compute_metrics` counts, as in Keras 3.

    They take and give the arrays of all metrics as one list.
    """

    def __init__(self, model: Any, engine: Engine) -> None:
        self.model, self.engine = model, engine
        self.counts = Counts(metrics_of(model))

    def train(
        self, ts: TrainState, batch: Batch, counts: Sequence[Array]
    ) -> tuple[TrainState, Mapping[str, Array], list[Array]]:
        """The train state, the logs and the metrics' variables after an update."""
        states = self.counts.states(counts)

        def loss(params: Params) -> tuple[Array, Outcome]:
            return self._judged((merge(params, ts.frozen), ts.state), batch, states, ts.step_key)

        gradients, outcome = scaled_gradients(loss, ts)
        updates = self.engine.optimizer.functional
        after = updated(self.engine.objective, updates, ts, gradients, outcome.state)
        whole = merge(ts.params, ts.frozen), ts.state
        return after, *self._counted(whole, batch, states, outcome, ts.step_key)

    def test(
        self,
        whole: tuple[Params, State],
        batch: Batch,
        counts: Sequence[Array],
        key: Key | None = None,
    ) -> tuple[tuple[Params, State], Mapping[str, Array], list[Array]]:
        """The variables, the logs and the metrics' variables after a batch at inference."""
        states = self.counts.states(counts)
        _, outcome = self._judged(whole, batch, states, key, training=False)
        counted = self._counted(whole, batch, states, outcome, key, training=False)
        return (whole[0], outcome.state), *counted

    def _judged(
        self,
        whole: tuple[Params, State],
        batch: Batch,
        states: Mapping[Any, State],
        key: Key | None,
        training: bool = True,
    ) -> tuple[Array, Outcome]:
        objective = self.engine.objective
        begun = tuple(states.get(own, own.fresh_state) for own in objective.counting)
        totals = objective.start()._replace(states=begun)
        return objective.judge(*whole, batch, training=training, key=key, totals=totals)

    def _counted(
        self,
        whole: tuple[Params, State],
        batch: Batch,
        states: Mapping[Any, State],
        outcome: Outcome,
        key: Key | None,
        training: bool = True,
    ) -> tuple[Mapping[str, Array], list[Array]]:
        """The logs and the metrics' variables after such an outcome of a batch."""
        model, objective = self.model, self.engine.objective
        predictions = [pred for _, pred, _, _ in outcome.judged]
        with running(training, key) as flow:
            bind(flow, model, *whole)
            flow.first_order = False  # a user may take any derivatives
            flow.counting = {
                **states,
                **dict(zip(objective.counting, outcome.counted, strict=True)),
            }
            attach(predictions, [mask for *_, mask in outcome.judged])
            for metric, number in zip(model._trackers.of_losses, outcome.numbers, strict=False):
                metric.update_state(number, sample_weight=len(batch.x[0]))
            logs = model.compute_metrics(
                given_input(model, batch.x),
                *map(one_or_list, (batch.y, predictions, batch.weights)),
            )
            return logs, self.counts.listed(flow.counting)


def given_input(model: Any, x: PyTree) -> PyTree:
    """Inputs as user code sees them: one alone, several as a list or as the model is called."""
    form = getattr(model._structure, "form", None)  # of a model with a call of its own
    leaves = tuple(jax.tree.leaves(x))
    x = net_input(leaves, tuple(model.input_dtypes))
    return as_list(x if form is None else form.unflatten(jax.tree.leaves(x)))


def batch_of(data: Any, outputs: int) -> Batch:
    """What Keras 3 gives to a step, as a batch for so many outputs."""
    x, y, weights = unpack_x_y_sample_weight(data)
    leaves = tuple(map(jnp.asarray, jax.tree.leaves(x)))
    y, weights = (jax.tree.map(jnp.asarray, by_output(own, outputs)) for own in (y, weights))
    return Batch(leaves, y, weights)


def one_or_list(parts: Sequence[Any]) -> Any:
    """Parts of a batch as users see them: one alone, several as a list, none at all as None."""
    if all(part is None for part in parts):
        return None
    return parts[0] if len(parts) == 1 else list(parts)
