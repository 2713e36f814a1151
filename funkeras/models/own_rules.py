"""What a subclass of a model may write itself: its loss, its metrics, and its steps."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, overload

import jax

from funkeras.functional.combinators import penalty
from funkeras.functional.masks import mask_of
from funkeras.functional.objective import Batch
from funkeras.functional.training import TrainState, merge, scaled_gradients, updated
from funkeras.layers.calling import as_list
from funkeras.layers.inside import bind
from funkeras.models.counting import attribute_metrics, metrics_of, own_metrics
from funkeras.models.engine import Engine
from funkeras.models.standard import batch_of, one_or_list
from funkeras.models.steps import (
    ListedSteps,
    Lists,
    judge_by_own_step,
    judge_by_standard_step,
    listed_steps,
    train_by_own_step,
    train_by_standard_step,
)
from funkeras.typing import Array, Key, Params, State
from funkeras.utils.batches import unpack_x_y_sample_weight
from funkeras.variables import Flow, current_flow, running

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
        those predictions, with the penalties of layers; what masks of the model hide does not
        count, if they are the arrays that the model gave.

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
        flow = current_flow() or Flow()
        losses = objective.losses(predictions, targets, weights, [*map(mask_of, predictions)])
        return objective.total(self.params, losses, flow.losses)

    def compute_metrics(
        self: Any, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        """Count a batch and give numbers for the logs: override it to give others, as in Keras 3.

        It is called while the program of `fit` or `evaluate` is made, after the loss was counted,
        and may update metrics that are attributes. This one counts in what `compile` was told and
        gives the results of all `metrics`.

        Args:
            x, y, y_pred, sample_weight: arrays, or a list with one for each input or output.

        Returns:
            Numbers by name, as they are after this batch: those of the last one are in the logs of
            an epoch, but if the names are those of `get_metrics_result`, its results are.
        """
        compiled = self._trackers.compiled if self._trackers is not None else None
        if compiled is not None:
            compiled.update_state(y, y_pred, sample_weight=sample_weight)
        return self.get_metrics_result()

    def get_metrics_result(self: Any) -> dict[str, Any]:
        """What all metrics have come to, by name."""
        found: dict[str, Any] = {}
        for metric in metrics_of(self):
            result = metric.result()
            found |= result if isinstance(result, Mapping) else {metric.name: result}
        return found

    @property
    def metrics(self: Any) -> list[Any]:
        """What training and judging count: the loss, what was compiled, and attributes.

        In Keras 1 and 2 it is what `compile` was given.
        """
        if self.dialect != "modern":
            return list((self._compiled or {}).get("metrics", []))
        return own_metrics(self)

    @property
    def metrics_variables(self: Any) -> list[Any]:
        """The variables of all metrics, as Keras 3's steps take their values."""
        return [variable for metric in metrics_of(self) for variable in metric.variables]

    def reset_metrics(self: Any) -> None:
        """Let all metrics forget their data."""
        for metric in self.metrics:
            metric.reset_state()

    @overload
    def train_step(self, ts: TrainState, batch: Batch) -> tuple[TrainState, dict[str, Any]]: ...

    @overload
    def train_step(self, ts: Lists, batch: Any) -> tuple[dict[str, Any], Lists]: ...

    def train_step(self: Any, ts: Any, batch: Any) -> Any:
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
        `stateless_call`, `optimizer.stateless_apply` and `metric.stateless_update_state` do. Given
        such a state and data, this one gives the logs and the next state.
        """
        if not isinstance(ts, TrainState):
            return self._listed_steps("train_step", batch).standard_train(ts, batch)

        def loss(params: Params) -> Any:
            return self.objective(params, ts, batch)

        gradients, (state, logs) = self.gradients(loss, ts)
        return self.updated(ts, gradients, state), logs

    def test_step(self: Any, state: Lists, data: Any) -> tuple[dict[str, Any], Lists]:
        """The judgement of one batch, as in Keras 3 on JAX: override it to judge by other rules.

        Args:
            state: values of the `trainable_variables`, `non_trainable_variables` and
                `metrics_variables`, three lists.
            data: `(x,)`, `(x, y)` or `(x, y, sample_weight)`.

        Returns:
            Numbers for the logs by name, and the state that follows.
        """
        return self._listed_steps("test_step", data).standard_test(state, data)

    def predict_step(self: Any, state: Lists, data: Any) -> tuple[Any, list[Array]]:
        """The outputs for one batch, as in Keras 3 on JAX: override it to give others.

        Args:
            state: values of the `trainable_variables` and `non_trainable_variables`, two lists.
            data: inputs.

        Returns:
            The outputs, and the values of the non-trainable variables that follow.
        """
        x, _, _ = unpack_x_y_sample_weight(data)
        return self.stateless_call(*state, x)

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
        return updated(engine.objective, engine.optimizer.functional, ts, gradients, state)

    def _made_engine(self, what: str) -> Engine:
        if self._engine is None:
            raise RuntimeError(f"{what} belongs into train_step, which fit calls")
        return self._engine

    def _listed_steps(self: Any, action: str, data: Any) -> ListedSteps:
        """The steps of Keras 3 that the engine has, made now if `fit` has not made them."""
        if self._engine is None:
            with jax.ensure_compile_time_eval():
                self._ready(action, batch_of(data, len(self.output_names)).y)
        return listed_steps(self, self._made_engine(action))

    def _writes(self, *names: str) -> bool:
        """Whether a subclass has its own of these methods."""
        return any(getattr(type(self), name) is not getattr(OwnRules, name) for name in names)

    def _has_own_rules(self) -> bool:
        return self._writes("train_step", "test_step", "compute_loss", *COUNTING)

    def _use_steps(self, engine: Engine, example: Batch) -> None:
        """Let the engine train and judge by the steps of a subclass, if it has any."""
        if engine.uses_steps:
            return
        counts = self._writes(*COUNTING)
        if self._writes("train_step"):
            train_by_own_step(self, engine, example)
        elif counts:
            train_by_standard_step(self, engine, example)
        if self._writes("test_step"):
            judge_by_own_step(self, engine, example)
        elif counts:
            judge_by_standard_step(self, engine, example)
        engine.uses_steps = True


COUNTING = "compute_metrics", "get_metrics_result"
"""What a subclass writes to count by other rules."""


def counting(model: Any) -> list[Any]:
    """The metrics that user code of a model updates while it runs."""
    written = model._writes("metrics")
    return list(model.metrics if written else dict.fromkeys(attribute_metrics(model)))


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
