"""`compile`: optimizer, losses and metrics, and the engine that follows from them."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np

from funkeras import config, losses, optimizers, spellings
from funkeras.functional.pair import Pair
from funkeras.layers.layer import Layer
from funkeras.layers.weights import dtypes_of
from funkeras.metrics import lookup
from funkeras.models.counting import Trackers
from funkeras.models.ends import Ends
from funkeras.models.engine import Engine, make_engine
from funkeras.models.holding import Holding
from funkeras.models.judging import Judged, judged
from funkeras.models.own_rules import counting, loss_rule
from funkeras.spellings import spelled
from funkeras.variables import Variable

__all__ = ["Compiling"]


TRAINING = ("fit", "train_on_batch")
"""What an optimizer's state is needed for."""


class Appended(list[Any]):
    """A list that tells what is appended to it."""

    def __init__(self, told: list[Any], then: Callable[[], None]) -> None:
        super().__init__()
        self.told, self.then = told, then

    def append(self, value: Any) -> None:
        """Append a value and tell it."""
        super().append(value)
        self.told.append(value)
        self.then()


class Compiling(Holding):
    """What a model minimizes, and how."""

    @spelled
    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Any = None,
        loss_weights: Any = None,
        weighted_metrics: Any = None,
        sample_weight_mode: Any = None,
        run_eagerly: bool = False,
        jit_compile: Any = "auto",
        steps_per_execution: int = 1,
        auto_scale_loss: bool = True,
        class_mode: Any = None,
        target_tensors: Any = None,
        mode: Any = None,
    ) -> None:
        """Choose optimizer, loss and metrics. Which layers are trained is settled here.

        Args:
            optimizer: a name, an optimizer, or any `optax.GradientTransformation`.
            loss: a name, a function of targets and predictions, or one of them per output.
            metrics: names, functions or metric objects.
            loss_weights: share of each output in the total loss; a variable may be set later.
            weighted_metrics: metrics that sample weights apply to.
            sample_weight_mode: accepted; weights of rank 2 mean one per time step.
            auto_scale_loss: scale the loss where layers have the policy `mixed_float16`.
            run_eagerly, jit_compile, steps_per_execution, class_mode, mode: accepted for old
                scripts; the compiled program needs none of them.
            target_tensors: refused: targets are arrays, given to `fit`.
        """
        if target_tensors is not None:
            raise ValueError(
                "target_tensors: a compiled model takes its targets as arrays, fit(x, y). Let a "
                "target that is computed be an input of the model, and its loss model.add_loss(...)"
            )
        for name in _names(loss):
            losses.get(name)
        for name in _names([metrics, weighted_metrics]):
            if name.lower() not in lookup.GENERIC:
                lookup.get(name)
        self.optimizer = optimizers.get(optimizer)
        scaled = isinstance(self.optimizer, optimizers.LossScaleOptimizer)
        if auto_scale_loss and not scaled and mixes(self, "float16"):
            self.optimizer = optimizers.LossScaleOptimizer(self.optimizer)
        self.optimizer._keeps(self)
        self.loss = loss
        self._compiled = {
            "loss": loss,
            "metrics": [] if metrics is None or metrics is True else metrics,
            "loss_weights": loss_weights,
            "weighted_metrics": weighted_metrics or [],
            "classic": config.dialect() != "modern",
            "dialect": config.dialect(),
        }
        if metrics is True:  # Keras 0's show_accuracy=True
            self._compiled["metrics"] = ["accuracy"]
        measured = metrics is not None or weighted_metrics is not None
        self._trackers = Trackers(measured)
        if self.built and not self.is_written():
            self._take_up_losses()
        self._settled = (self.functional, self.trainable_paths()) if self.built else None
        self._judged = self._find_judged() if self.built else None
        self._engine = None
        self._optimizer_state = None
        self._predict = None
        self._formed, self._outgrown = (-1, None), False
        self._keep_up()

    def _take_up_losses(self) -> None:
        """Add what the layers were given by `add_loss` outside of their calls, once."""
        for layer in _with_inner(self.layers):
            for told in layer._told_losses:
                if not any(told is known for known in self._taken):
                    self._taken.append(told)
                    self.add_loss(told[0])

    def _find_judged(self) -> Judged | None:
        """The graph with the losses in it that are functions which need it, if any is."""
        given = self._by_output("loss", self.loss, None)
        written = [
            one if inspect.isroutine(one) or isinstance(one, partial) else None for one in given
        ]
        return judged(self, written) if any(written) else None

    def settled(self) -> tuple[Pair, set[str]]:
        """The pair that training runs, and the paths of what it changes, as `compile` found them.

        A model without weights then has them found at its first use.
        """
        if self._settled is None:
            self._settled = (self.functional, self.trainable_paths())
            self._judged = self._find_judged()
        return self._settled

    def _by_output(self, what: str, given: Any, default: Any) -> list[Any]:
        """One value per output, from one for all, a list, or a dict by output name."""
        names = self.output_names
        listed = isinstance(given, list | tuple)
        each = listed and given and all(isinstance(own, list | tuple) for own in given)
        if listed and (each or what in ("loss", "loss_weights")):
            if len(given) != len(names):
                raise ValueError(f"the model has {len(names)} outputs, got {len(given)} for {what}")
            return list(given)
        if isinstance(given, Mapping) and "class_name" not in given:
            unknown = [name for name in given if name not in names]
            if unknown:
                hint = spellings.nearest(unknown[0], names)
                raise ValueError(f"{what} names the outputs {unknown}, the model has {names}{hint}")
            return [given.get(name, default) for name in names]
        return [given] * len(names)

    def wanted(self) -> list[str]:
        """The outputs that have a target: those with a loss; since tf.keras, or with a metric."""
        settings = self._require_compiled("a target")
        kinds = ("loss",) if settings["classic"] else ("loss", "metrics", "weighted_metrics")
        asked = [self._by_output(what, settings[what], None) for what in kinds]
        return [name for name, *own in zip(self.output_names, *asked, strict=True) if any(own)]

    def _require_built(self, action: str) -> None:
        if not self.built:
            raise RuntimeError(
                f"{action} needs weights, and {self.name!r} has none yet: give the first layer "
                "an input shape, call build(), or fit"
            )

    @property
    def compiled(self) -> bool:
        """Whether `compile` has said how it is trained."""
        return self._compiled is not None

    def _require_compiled(self, action: str) -> dict[str, Any]:
        if self._compiled is None:
            raise RuntimeError(f"{action} needs a compiled model: call compile(optimizer, loss)")
        return self._compiled

    def _ready(self, action: str, y: Sequence[Any]) -> Engine:
        """The engine for such targets, made at the first use after `compile`."""
        settings = self._require_compiled(action)
        self._keep_up()
        if self._outgrown and action in TRAINING:
            raise RuntimeError(
                f"{action}: layers of {self.name!r} have other weights than those that its "
                "optimizer has trained: compile it again"
            )
        with config.using_dialect(settings["dialect"]):
            loss = [losses.get(item) for item in self._by_output("loss", settings["loss"], None)]
            for name, function, true, shape in zip(
                self.output_names, loss, y, self.output_shapes, strict=True
            ):
                if function is not None:
                    try:
                        losses.check(function, true.shape, true.dtype, (None, *shape[1:]))
                    except ValueError as error:
                        error.add_note(f"for the output of layer {name!r}")
                        raise
            if self._engine is None:
                judged = self.wanted()

                def chosen(kind: str) -> list[Sequence[Any]]:
                    given = self._by_output("metrics", settings[kind], [])
                    listed = [g if isinstance(g, list | tuple) else [g] for g in given]
                    named = zip(self.output_names, listed, strict=True)
                    return [own if name in judged else [] for name, own in named]

                shares = self._by_output("loss_weights", settings["loss_weights"], 1.0)
                self._engine = make_engine(
                    self,
                    self.optimizer,
                    loss,
                    chosen("metrics"),
                    chosen("weighted_metrics"),
                    [1.0 if share is None else _share(share) for share in shares],
                    [None if true is None else true.shape for true in y],
                    settings["classic"],
                    loss_rule(self),
                    counting(self),
                )
                self._engine.slots = self._optimizer_state  # of the file that it was loaded from
        return self._engine

    def _check_labels(self, y: Sequence[Any]) -> None:
        """Refuse labels on the host beyond the classes of the output that they belong to."""
        given = self._by_output("loss", self.loss, None)
        for name, loss, true, shape in zip(
            self.output_names, given, y, self.output_shapes, strict=True
        ):
            if loss is not None and isinstance(true, np.ndarray):
                try:
                    losses.check_labels(loss, true, shape)
                except ValueError as error:
                    error.add_note(f"for the output of layer {name!r}")
                    raise

    @property
    def metrics_tensors(self) -> list[Any]:
        """What scripts of Keras 2 show too; they append its name to `metrics_names`."""
        return Appended(self._told_tensors, self._show_told)

    def _show_told(self) -> None:
        """Show the tensors that have a name by now, in the place of older ones of that name."""
        while self._told_names and self._told_tensors:
            name = self._told_names.pop(0)
            self._numbers.pop(name, None)
            self.add_metric(self._told_tensors.pop(0), name)

    @property
    def metrics_names(self) -> list[str]:
        """Names of the numbers that `evaluate` and `train_on_batch` give."""
        self._require_built("metrics_names")
        if (engine := self._engine) is None:
            engine = self._ready("metrics_names", self._usual_targets())
            self._engine = None  # the real targets may mean other metrics by some names
        names = Appended(self._told_names, self._show_told)
        list.extend(names, engine.judged.names)
        return names

    def _usual_targets(self) -> list[np.ndarray]:
        """One row of targets, of the shapes that go with the outputs and their losses."""
        given = self._by_output("loss", self.loss, None)
        shapes = map(losses.usual_shape, given, self.output_shapes)
        return [np.zeros([1, *(size or 1 for size in shape[1:])]) for shape in shapes]


def _with_inner(layers: Iterable[Any]) -> Iterator[Any]:
    """Layers and those inside them, but for those of models."""
    for layer in layers:
        yield layer
        inner = () if isinstance(layer, Ends) else layer.inner_layers
        yield from _with_inner(own for own in inner if isinstance(own, Layer))


def mixes(model: Ends, dtype: str) -> bool:
    """Whether a layer, also of an inner model, computes in that dtype beside float32 weights."""
    known = model.built or model.is_written() or type(model).layers is not Ends.layers
    return any(
        mixes(layer, dtype)
        if isinstance(layer, Ends)
        else dtypes_of(layer.dtype_policy) == ("float32", dtype)
        for layer in (model.layers if known else ())
    )


def _share(given: Any) -> Any:
    """A share in the loss: a number, or a variable whose value counts at each step."""
    return given if isinstance(given, Variable) else float(given)


def _names(given: Any) -> list[str]:
    """The losses or metrics that are given by name, which has to be known."""
    return [leaf for leaf in jax.tree.leaves(given) if isinstance(leaf, str)]
