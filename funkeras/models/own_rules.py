"""What a subclass of a model may write itself: its loss, and its step of training."""

import inspect
from collections.abc import Callable
from typing import Any

import jax

from funkeras.functional.combinators import penalty
from funkeras.functional.training import Batch, TrainState, merge, scaled_gradients, updated
from funkeras.layers.calling import as_list
from funkeras.layers.inside import bind
from funkeras.models.engine import Engine
from funkeras.typing import Array, Key, Params, State
from funkeras.variables import current_flow, running

__all__ = ["OwnRules", "loss_rule"]


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
        """

        def loss(params: Params) -> Any:
            return self.objective(params, ts, batch)

        gradients, (state, logs) = self.gradients(loss, ts)
        return self.updated(ts, gradients, state), logs

    def objective(self, params: Params, ts: TrainState, batch: Batch) -> tuple[Any, Any]:
        """Within `train_step`: the loss for such `params`, and `(state, logs)` that follow."""
        engine = self._made_engine("objective")
        value, (state, numbers, _) = engine.objective.judge(
            merge(params, ts.frozen), ts.state, batch, training=True, key=ts.step_key
        )
        named = zip(engine.judged.names, engine.judged.sources, strict=True)
        return value, (state, {name: numbers[i] for name, (stateful, i) in named if not stateful})

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
        return self._has_step() or type(self).compute_loss is not OwnRules.compute_loss

    def _has_step(self) -> bool:
        return type(self).train_step is not OwnRules.train_step

    def _use_step(self, engine: Engine, example: Batch) -> None:
        """Let the engine train by the step of a subclass, if it has one."""
        if not self._has_step():
            return
        parameters = inspect.signature(self.train_step).parameters
        if len(parameters) != 2:
            raise TypeError(
                f"train_step of {type(self).__name__} takes (ts, batch), the train state and a "
                f"batch, and gives the next state and logs; it takes ({', '.join(parameters)})"
            )
        engine.use(self.train_step, self, example)


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
            "y": _one_or_list(batch.y),
            "y_pred": _one_or_list(predictions),
            "sample_weight": _one_or_list(batch.weights),
            "training": training,
        }
        with running(training, key) as flow:
            bind(flow, model, params, state)
            flow.losses.append(penalty(state))
            known = {name: own for name, own in given.items() if everything or name in taken}
            return model.compute_loss(**known)

    return rule


def _one_or_list(parts: Any) -> Any:
    if all(part is None for part in parts):
        return None
    return parts[0] if len(parts) == 1 else list(parts)
