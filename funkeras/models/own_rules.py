"""What a subclass of a model may write itself: its loss, its metrics, and its steps."""

import inspect
from collections.abc import Callable
from typing import Any

import jax

from funkeras.functional.combinators import penalty
from funkeras.functional.objective import Batch
from funkeras.functional.training import TrainState, merge, scaled_gradients, updated
from funkeras.layers.calling import as_list
from funkeras.layers.inside import bind
from funkeras.models.counting import attribute_metrics
from funkeras.models.engine import Engine
from funkeras.models.steps import judge_by_own_step, one_or_list, train_by_own_step
from funkeras.typing import Array, Key, Params, State
from funkeras.variables import current_flow, running

__all__ = ["OwnRules", "counting", "loss_rule"]


class OwnRules:
    """The loss of a model and its step of training, for subclasses to override."""

    _engine: Engine | None

    def compute_loss(
        self: Any,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Array:
        """The loss to minimise: override it to have another one, as in Keras 3.

        It is called while the program of `fit` or `evaluate` is made, after the model's own call,
        and may call layers and other models that are attributes. This one is the compiled loss of
        those predictions, with the penalties of layers; masks of steps do not count in it.

        Metrics that are attributes may be updated here: they begin anew with each epoch and each
        evaluation, and their results are in the logs.

        Args:
            x, y, y_pred, sample_weight: arrays, or a list with one for each input or output.

        Returns:
            One number.
        """
        objective = self._made_engine("compute_loss").objective
        outputs = objective.outputs
        predictions = jax.tree.leaves(y_pred)
        targets, weights = (
            list(given) if isinstance(given, list | tuple) else [given] * len(outputs)
            for given in (y, sample_weight)
        )
        losses = objective.losses(predictions, targets, weights, [None] * len(outputs))
        flow = current_flow()
        return objective.total(self.params, losses, flow.losses if flow is not None else [])

    @property
    def metrics(self: Any) -> list[Any]:
        """What training and judging count: the loss, what was compiled, and attributes.

        In Keras 1 and 2 it is what `compile` was given.
        """
        if self.dialect != "modern":
            return list((self._compiled or {}).get("metrics", []))
        compiled = [] if self._engine is None else self._engine.trackers
        return [*compiled, *dict.fromkeys(attribute_metrics(self))]

    def reset_metrics(self: Any) -> None:
        """Let all metrics forget their data."""
        for metric in self.metrics:
            metric.reset_state()

    def train_step(self, ts: TrainState, batch: Batch) -> tuple[TrainState, dict[str, Any]]:
        """One update: override it to train by other rules.

        It is a pure function of its arguments, called while the training program is made; the
        loop over batches and epochs then runs on the device as ever. What it may use of the model
        are `objective`, `gradients` and `updated`, and `functional`, the net itself. This one is

            def loss(params):
                return self.objective(params, ts, batch)

            gradients, (state, logs) = self.gradients(loss, ts)
            return self.updated(ts, gradients, state), logs

        Args:
            ts: `params`, `frozen` (arrays that are not trained), `state`, `optimizer`, `step`,
                `key`; `ts.step_key` is the key for this step.
            batch: `x`, `y` and `weights`, tuples with an array for each input or output.

        Returns:
            The train state that follows, with the same parts, and numbers for the logs by name,
            which are averaged over the epoch's samples. Metrics that keep a state of their own
            (`AUC`) are seen by `evaluate` alone then.

        Keras 3's steps for JAX are taken too, `train_step(self, state, data)`, and `test_step` and
        `predict_step` likewise: they take and give lists of the values of variables, as
        `stateless_call`, `optimizer.stateless_apply` and `metric.stateless_update_state` do.
        """

        def loss(params: Params) -> Any:
            return self.objective(params, ts, batch)

        gradients, (state, logs) = self.gradients(loss, ts)
        return self.updated(ts, gradients, state), logs

    def objective(self, params: Params, ts: TrainState, batch: Batch) -> tuple[Any, Any]:
        """Within `train_step`: the loss for such `params`, and `(state, logs)` that follow."""
        engine = self._made_engine("objective")
        value, outcome = engine.objective.judge(
            merge(params, ts.frozen), ts.state, batch, training=True, key=ts.step_key
        )
        named = zip(engine.judged.names, engine.judged.sources, strict=True)
        logs = {name: outcome.numbers[i] for name, (stateful, i) in named if not stateful}
        return value, (outcome.state, logs)

    def gradients(self, loss: Callable[[Params], Any], ts: TrainState) -> tuple[Params, Any]:
        """Within `train_step`: gradients of `loss(params)`, and what it gave besides the loss.

        `jax.grad(loss, has_aux=True)(ts.params)`, scaled where the optimizer is a
        `LossScaleOptimizer`.
        """
        return scaled_gradients(loss, ts)

    def updated(self, ts: TrainState, gradients: Params, state: State) -> TrainState:
        """Within `train_step`: the train state after the optimizer's update and constraints."""
        engine = self._made_engine("updated")
        return updated(engine.objective, engine.optimizer.updates, ts, gradients, state)

    def _made_engine(self, what: str) -> Engine:
        if self._engine is None:
            raise RuntimeError(f"{what} belongs into train_step, which fit calls")
        return self._engine

    def _has_own_rules(self) -> bool:
        kind = type(self)
        own = kind.train_step, kind.compute_loss
        return own != (OwnRules.train_step, OwnRules.compute_loss) or hasattr(kind, "test_step")

    def _use_steps(self, engine: Engine, example: Batch) -> None:
        """Let the engine train and judge by the steps of a subclass, if it has any."""
        if engine.uses_steps:
            return
        if type(self).train_step is not OwnRules.train_step:
            train_by_own_step(self, engine, example)
        if hasattr(type(self), "test_step"):
            judge_by_own_step(self, engine, example)
        engine.uses_steps = True


def counting(model: Any) -> list[Any]:
    """The metrics that user code of a model updates while it runs."""
    if type(model).metrics is OwnRules.metrics:
        return list(dict.fromkeys(attribute_metrics(model)))
    return list(model.metrics)


def loss_rule(model: Any) -> Callable[..., Array] | None:
    """What gives the loss of a model whose class has a `compute_loss` of its own."""
    if type(model).compute_loss is OwnRules.compute_loss:
        return None
    taken = inspect.signature(model.compute_loss).parameters
    everything = any(own.kind is inspect.Parameter.VAR_KEYWORD for own in taken.values())

    def rule(
        params: Params,
        state: State,
        x: Any,
        batch: Batch,
        predictions: list[Array],
        training: bool,
        key: Key | None,
    ) -> Array:
        given = {
            "x": as_list(x),
            "y": one_or_list(batch.y),
            "y_pred": one_or_list(predictions),
            "sample_weight": one_or_list(batch.weights),
            "training": training,
        }
        with running(training, key) as flow:
            bind(flow, model, params, state)
            flow.losses.append(penalty(state))
            known = {name: own for name, own in given.items() if everything or name in taken}
            return model.compute_loss(**known)

    return rule
