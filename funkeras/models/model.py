"""`Model`: layers with their variables, and compile, fit, evaluate and predict on pure programs."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import Any, ClassVar

import jax
import numpy as np

from funkeras import config, losses, optimizers, spellings
from funkeras.callbacks import Callback, CallbackList, History
from funkeras.functional.combinators import frozen, named
from funkeras.functional.pair import Pair
from funkeras.functional.training import Batch, net_input
from funkeras.layers.layer import (
    OPTIONS,
    Layer,
    Variable,
    dtypes_of,
    variables_lock,
    variables_version,
)
from funkeras.models import fitting, saving, summary
from funkeras.models.data import (
    Epochs,
    Feed,
    arrays,
    as_batch,
    check_inputs,
    class_weights,
    rows_of,
    shuffled,
    split,
)
from funkeras.models.generators import GeneratorMethods
from funkeras.models.streams import Stream, gives_batches, in_batches, inputs_of, unpacked
from funkeras.models.structure import Structure, layer_from_entry, structure_from_config
from funkeras.progress import Progbar
from funkeras.registry import custom_object_scope
from funkeras.spellings import spelled
from funkeras.symbolic import SymbolicTensor
from funkeras.typing import Params, Shape, State

__all__ = ["Model"]


class Model(GeneratorMethods, Layer):
    """A graph of layers, or the base of other kinds of models, with what trains it.

    `Model(inputs, outputs)` holds the layers between symbolic tensors. It is a layer too: models
    can be called, shared and nested like layers.

    Args:
        inputs, outputs: a symbolic tensor, or a list or dict of them.
        name: numbered by class when left out.

    Raises:
        ValueError: if the outputs do not follow from the inputs, or two layers share a name.
    """

    spelling = "Model"
    keras_1_order: ClassVar[dict[str, tuple[str, ...]]] = {}
    """Methods whose arguments had another order in Keras 1; the classic dialect keeps it."""

    @spelled
    def __init__(
        self,
        inputs: Any = None,
        outputs: Any = None,
        name: str | None = None,
        trainable: bool = True,
    ) -> None:
        self._arguments = {}
        self._begin({**OPTIONS, "name": name})
        self._trainable = bool(trainable)
        self.stop_training = False
        self.history: History | None = None
        self.optimizer: Any = None
        self.loss: Any = None
        self._compiled: dict[str, Any] | None = None
        self._engine: fitting.Engine | None = None
        self._optimizer_state: Any = None
        self._made_for = config.dialect(), config.backend()
        self._settled: tuple[Pair, set[str]] | None = None
        self._predict: Callable[..., Any] | None = None
        self._gathered: tuple[int, Params, State] = (-1, {}, {})
        self._structure: Structure | None = None
        if inputs is not None or outputs is not None:
            self._structure = Structure(inputs, outputs)

    # What a kind of model says

    def _known(self) -> Structure:
        if self._structure is None:
            raise RuntimeError(f"{self.name!r} has no inputs and outputs: Model(inputs, outputs)")
        return self._structure

    @property
    def built(self) -> bool:
        """Whether the variables exist."""
        return self._structure is not None

    @property
    def layers(self) -> list[Layer]:
        """The layers, those furthest from the outputs first."""
        return self._known().layers

    @property
    def pair(self) -> Pair:
        """The pure pair between inputs and outputs."""
        return self._known().trace.pair()

    @property
    def functional(self) -> Pair:
        """This model as a pure pair, with the layers frozen that are not trainable."""
        pair = self.pair
        if not self.trainable:
            pair = frozen(pair, inference=self.dialect == "modern")
        return named(pair, self.name)

    @property
    def inputs(self) -> list[SymbolicTensor]:
        """The symbolic tensors that data enters by."""
        return self._known().inputs

    @property
    def outputs(self) -> list[SymbolicTensor]:
        """The symbolic tensors that come out."""
        return jax.tree.leaves(self._known().outputs)

    @property
    def input(self) -> Any:
        """The input, or the list of them."""
        return self.inputs[0] if len(self.inputs) == 1 else self.inputs

    @property
    def output(self) -> Any:
        """The output, or the list of them."""
        return self.outputs[0] if len(self.outputs) == 1 else self.outputs

    @property
    def input_shape(self) -> Any:
        """Shape of the input, or the list of them."""
        return self.input_shapes[0] if len(self.input_shapes) == 1 else self.input_shapes

    @property
    def output_shape(self) -> Any:
        """Shape of the output, or the list of them."""
        return self.output_shapes[0] if len(self.output_shapes) == 1 else self.output_shapes

    @property
    def batch_shape(self) -> Any:
        """Shape of the input, as the first layer of a chain tells it."""
        return self.input_shape if self.built else None

    @property
    def input_shapes(self) -> list[Shape]:
        """Shape of each input, the batch first."""
        return [tensor.shape for tensor in self.inputs]

    @property
    def input_names(self) -> list[str]:
        """Name of each input."""
        return self._known().input_names

    @property
    def input_dtypes(self) -> list[str]:
        """Dtype that each input is cast to."""
        return [tensor.dtype for tensor in self.inputs]

    @property
    def output_names(self) -> list[str]:
        """Name of each output: that of its layer."""
        return self._known().output_names

    @property
    def output_shapes(self) -> list[Shape]:
        """Shape of each output, the batch first."""
        return [tensor.shape for tensor in self.outputs]

    def build(self, input_shape: Any = None) -> None:
        """Make the variables, where they do not exist yet."""

    # Variables

    @property
    def variables_now(self) -> tuple[Params, State]:
        """`params` and `state` of one moment, though another thread trains."""
        gathered = self._gathered
        if gathered[0] != variables_version():
            with variables_lock:
                version = variables_version()
                params = {layer.name: layer.params for layer in self.layers if layer.params}
                state = {layer.name: layer.state for layer in self.layers if layer.state}
                gathered = self._gathered = (version, params, state)
        return gathered[1], gathered[2]

    @property
    def params(self) -> Params:
        """Trainable arrays as nested dicts by layer name. Assigning checks names and shapes."""
        return self.variables_now[0]

    @params.setter
    def params(self, value: Params) -> None:
        self._set("params", value)

    @property
    def state(self) -> State:
        """Other arrays (moving averages, recurrent states) as nested dicts by layer name."""
        return self.variables_now[1]

    @state.setter
    def state(self, value: State) -> None:
        self._set("state", value)

    def _set(self, kind: str, value: Mapping[str, Any]) -> None:
        present = {layer.name: layer for layer in self.layers if getattr(layer, kind)}
        if set(value) != set(present):
            raise ValueError(
                f"{kind} of {self.name!r} has the layers {sorted(present)}, got {sorted(value)}"
            )
        saved = {name: getattr(layer, kind) for name, layer in present.items()}
        try:
            for name, layer in present.items():
                setattr(layer, kind, value[name])
        except (ValueError, TypeError):
            for name, layer in present.items():
                setattr(layer, kind, saved[name])
            raise

    def adopt(self, params: Params, state: State) -> None:
        """Take over variables of the right structure, unchecked: what training hands back."""
        with variables_lock:
            for layer in self.layers:
                if layer.name in params or layer.name in state:
                    layer.adopt(params.get(layer.name, {}), state.get(layer.name, {}))

    @property
    def weights(self) -> list[Variable]:
        """The weights that files hold, layer by layer."""
        return [variable for layer in self.layers for variable in layer.weights]

    def _weights_by_use(self) -> tuple[list[Variable], list[Variable]]:
        if not self.trainable:
            return [], self.weights
        moved = [variable for layer in self.layers for variable in layer.trainable_weights]
        return moved, [v for layer in self.layers for v in layer.non_trainable_weights]

    def get_weights(self) -> list[np.ndarray]:
        """Copies of all arrays, layer by layer."""
        return [variable.numpy() for variable in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Replace all arrays, in the order of `get_weights`; all are checked first."""
        self._require_built("set_weights")
        variables = self.weights
        if len(weights) != len(variables):
            raise ValueError(f"{self.name!r} has {len(variables)} weights, got {len(weights)}")
        for variable, value in zip(variables, weights, strict=True):
            if np.shape(value) != variable.shape:
                raise ValueError(
                    f"weight {variable.name} has shape {variable.shape}, got {np.shape(value)}"
                )
        left = iter(weights)
        for layer in self.layers:
            layer.set_weights([next(left) for _ in layer.weights])

    def count_params(self) -> int:
        """Number of entries in all weights."""
        self._require_built("count_params")
        return sum(layer.count_params() for layer in self.layers)

    @property
    def trainable(self) -> bool:
        """Whether training changes the model at all.

        In Keras 1 and 2 a word about the model that leaves its layers alone; in later ones
        assigning it freezes or frees every layer.
        """
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        if self.dialect == "modern" and self.built:
            for layer in self.layers:
                layer.trainable = self._trainable

    def trainable_paths(self) -> set[str]:
        """Paths (`dense_1/kernel`) of the arrays that training changes."""
        if not self.trainable:
            return set()
        return {f"{layer.name}/{path}" for layer in self.layers for path in layer.trainable_paths()}

    def _rules(self, suffix: str) -> dict[str, Callable[[Any], Any]]:
        return {
            f"{layer.name}/{name}": rule
            for layer in self.layers
            for name, rule in layer._rules(suffix).items()
        }

    def penalizes_activity(self) -> bool:
        """Whether a layer adds a penalty on its outputs to the loss."""
        return any(layer.penalizes_activity() for layer in self.layers)

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by its name or its index."""
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                raise ValueError(f"{self.name!r} has {len(self.layers)} layers, asked for {index}")
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        names = [layer.name for layer in self.layers]
        raise ValueError(
            f"{self.name!r} has no layer {name!r}{spellings.nearest(str(name), names)}"
        )

    def reset_states(self) -> None:
        """Set what layers keep between batches back to its beginning."""
        for layer in self.layers:
            layer.reset_states()

    # Compiling

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
    ) -> None:
        """Choose optimizer, loss and metrics. Which layers are trained is settled here.

        Args:
            optimizer: a name, an optimizer, or any `optax.GradientTransformation`.
            loss: a name, a function of targets and predictions, or one of them per output.
            metrics: names, functions or metric objects.
            loss_weights: share of each output in the total loss.
            weighted_metrics: metrics that sample weights apply to.
            sample_weight_mode: accepted; weights of rank 2 mean one per time step.
            auto_scale_loss: scale the loss where layers have the policy `mixed_float16`.
            run_eagerly, jit_compile, steps_per_execution, class_mode: accepted for old scripts;
                the compiled program needs none of them.
        """
        self.optimizer = optimizers.get(optimizer)
        scaled = isinstance(self.optimizer, optimizers.LossScaleOptimizer)
        if auto_scale_loss and not scaled and mixes(self, "float16"):
            self.optimizer = optimizers.LossScaleOptimizer(self.optimizer)
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
        self._settled = (self.functional, self.trainable_paths()) if self.built else None
        self._engine = None
        self._optimizer_state = None
        self._predict = None

    def settled(self) -> tuple[Pair, set[str]]:
        """The pair that training runs, and the paths of what it changes, as `compile` found them.

        A model without weights then has them found at its first use.
        """
        if self._settled is None:
            self._settled = (self.functional, self.trainable_paths())
        return self._settled

    def _by_output(self, what: str, given: Any, default: Any) -> list[Any]:
        """One value per output, from one for all, a list, or a dict by output name."""
        names = self.output_names
        if isinstance(given, Mapping) and "class_name" not in given:
            unknown = [name for name in given if name not in names]
            if unknown:
                hint = spellings.nearest(unknown[0], names)
                raise ValueError(f"{what} names the outputs {unknown}, the model has {names}{hint}")
            return [given.get(name, default) for name in names]
        if isinstance(given, list | tuple) and what == "loss":
            if len(given) != len(names):
                raise ValueError(f"the model has {len(names)} outputs, got {len(given)} for {what}")
            return list(given)
        return [given] * len(names)

    def _require_built(self, action: str) -> None:
        if not self.built:
            raise RuntimeError(
                f"{action} needs weights, and {self.name!r} has none yet: give the first layer "
                "an input shape, call build(), or fit"
            )

    def _require_compiled(self, action: str) -> dict[str, Any]:
        if self._compiled is None:
            raise RuntimeError(f"{action} needs a compiled model: call compile(optimizer, loss)")
        return self._compiled

    def _ready(self, action: str, y: Sequence[Any]) -> fitting.Engine:
        """The engine for such targets, made at the first use after `compile`."""
        settings = self._require_compiled(action)
        with config.using_dialect(settings["dialect"]):
            loss = [losses.get(item) for item in self._by_output("loss", settings["loss"], None)]
            for name, function, true, shape in zip(
                self.output_names, loss, y, self.output_shapes, strict=True
            ):
                if function is not None:
                    try:
                        losses.check(function, true.shape, true.dtype, shape)
                    except ValueError as error:
                        error.add_note(f"for the output of layer {name!r}")
                        raise
            if self._engine is None:
                chosen = [
                    item if isinstance(item, list | tuple) else [item]
                    for item in self._by_output("metrics", settings["metrics"], [])
                ]
                weighted = [
                    item if isinstance(item, list | tuple) else [item]
                    for item in self._by_output("metrics", settings["weighted_metrics"], [])
                ]
                shares = settings["loss_weights"]
                if isinstance(shares, list | tuple):
                    shares = dict(zip(self.output_names, shares, strict=True))
                self._engine = fitting.make_engine(
                    self,
                    self.optimizer,
                    loss,
                    chosen,
                    weighted,
                    [1.0 if s is None else float(s) for s in self._by_output("", shares, 1.0)],
                    [true.shape for true in y],
                    settings["classic"],
                )
                self._engine.slots = self._optimizer_state  # of the file that it was loaded from
        return self._engine

    @property
    def metrics_names(self) -> list[str]:
        """Names of the numbers that `evaluate` and `train_on_batch` give."""
        self._require_built("metrics_names")
        y = [
            np.zeros((1, *(1 if s is None else s for s in shape[1:])))
            for shape in self.output_shapes
        ]
        return list(
            self._ready("metrics_names", y).names if self._engine is None else self._engine.names
        )

    # Training

    def _inputs(self, x: Any) -> tuple[Any, ...]:
        """Checked inputs; a model without a shape is built from theirs."""
        if not self.built:
            found = arrays(x, ["x"], "x")
            self.build((None, *found[0].shape[1:]))
        parts = arrays(x, self.input_names, "x")
        check_inputs(parts, self.input_shapes, self.input_names)
        return parts

    def _batch(
        self, action: str, x: Any, y: Any, sample_weight: Any = None, class_weight: Any = None
    ) -> Batch:
        """Checked inputs, targets and weights."""
        self._require_compiled(action)
        inputs = self._inputs(x)
        if y is None:
            raise ValueError(f"{action} needs targets: {action}(x, y)")
        targets = arrays(y, self.output_names, "y")
        weights: tuple[Any, ...] = (None,) * len(targets)
        if sample_weight is not None:
            weights = arrays(sample_weight, self.output_names, "sample_weight")
        elif class_weight is not None:
            by_name = isinstance(class_weight, Mapping) and any(
                isinstance(key, str) for key in class_weight
            )
            per_output = (
                self._by_output("class_weight", class_weight, None)
                if by_name
                else class_weight
                if isinstance(class_weight, list | tuple)
                else [class_weight] * len(targets)
            )
            weights = tuple(
                None if table is None else class_weights(target, table)
                for target, table in zip(targets, per_output, strict=True)
            )
        rows_of({"x": inputs, "y": targets, "sample_weight": weights})
        return as_batch(inputs, targets, weights)

    def _source(
        self,
        action: str,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        size: int = 32,
        shuffle: bool | str = False,
        steps: int | None = None,
        samples: int | None = None,
        workers: int = 1,
        queue: int = 10,
        what: str = "the generator",
    ) -> Epochs | Stream:
        """Arrays, or a source of batches, as what the engine takes batches from."""
        fetching = {"steps": steps, "samples": samples, "workers": workers, "queue": queue}
        if gives_batches(x):
            if y is not None or sample_weight is not None:
                raise ValueError("y and sample_weight must be None when x gives batches of them")
            self._require_compiled(action)

            def read(item: Any) -> Batch:
                return self._batch(action, *unpacked(item), class_weight)

            return Stream(x, read, shuffle=bool(shuffle), what=what, **fetching)
        data = x if isinstance(x, Batch) else self._batch(action, x, y, sample_weight, class_weight)
        if steps is None and samples is None:
            return Epochs(Feed(data), size, shuffle)
        rows = np.arange(len(data.x[0]), dtype=np.int32)
        again = in_batches(data, lambda: shuffled(rows, shuffle, size), size)
        return Stream(again, lambda batch: batch, what="x", **fetching)

    @spelled
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Sequence[Callback] | Callback | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool | str = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Sequence[int] = 1,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
    ) -> History:
        """Train for some epochs and return their History.

        Args:
            x, y: arrays, lists of arrays, or dicts by input or output name. Or `x` gives batches
                `(x, y)` or `(x, y, sample_weight)`: a generator, a `Sequence`, a loader.
            batch_size: 32 when left out.
            epochs: number of the last epoch (1; 10 in the classic dialect, as in Keras 1).
            verbose: 0 silent, 1 a bar, 2 a line per epoch; "auto" is 1 on a terminal, else 2.
            validation_split: share of the last samples to validate on, taken before shuffling.
            validation_data: `(x, y)` or `(x, y, sample_weight)`, or what gives batches.
            shuffle: each epoch anew, by NumPy's global generator; "batch" keeps batches together.
            class_weight, sample_weight: weights in the loss; `sample_weight` wins.
            initial_epoch: number of epochs that came before.
            steps_per_epoch, validation_steps: batches in an epoch; all there are when left out.
            validation_freq: epochs between two validations, or the numbers of epochs with one.
            max_queue_size, workers: batches fetched early, and threads that fetch them.
            use_multiprocessing: accepted for old scripts; the workers are threads.
        """
        return self._run_fit(
            x,
            y,
            batch_size=batch_size,
            epochs=epochs,
            verbose=verbose,
            callbacks=callbacks,
            validation_split=validation_split,
            validation_data=validation_data,
            shuffle=shuffle,
            class_weight=class_weight,
            sample_weight=sample_weight,
            initial_epoch=initial_epoch,
            validation_batch_size=validation_batch_size,
            validation_freq=validation_freq,
            steps=(steps_per_epoch, validation_steps),
            workers=workers,
            queue=max_queue_size,
        )

    def _run_fit(
        self,
        x: Any,
        y: Any = None,
        *,
        batch_size: int | None = None,
        epochs: int,
        verbose: int | str,
        callbacks: Sequence[Callback] | Callback | None,
        validation_split: float = 0.0,
        validation_data: Any,
        shuffle: bool | str,
        class_weight: Any,
        sample_weight: Any = None,
        initial_epoch: int,
        validation_batch_size: int | None = None,
        validation_freq: int | Sequence[int],
        steps: tuple[int | None, int | None],
        samples: tuple[int | None, int | None] = (None, None),
        workers: int,
        queue: int,
    ) -> History:
        """What `fit` and `fit_generator` do; steps and samples are those of an epoch, held out."""
        size = checked_batch_size(batch_size)
        given: tuple[Any, ...] = (x, y, sample_weight, class_weight)
        if validation_split and validation_data is None:
            if gives_batches(x):
                raise ValueError("validation_split needs arrays; give validation_data instead")
            data, held_out = split(self._batch("fit", *given), validation_split)
            given, validation_data = (data,), (held_out,)
        fetching = {"workers": workers, "queue": queue}
        source = self._source(
            "fit",
            *given,
            size=size,
            shuffle=shuffle,
            steps=steps[0],
            samples=samples[0],
            **fetching,
        )
        opened = [source]
        try:
            engine = self._ready("fit", source.example().y)
            validation = None
            if validation_data is not None:
                held = validation_data if isinstance(validation_data, tuple) else (validation_data,)
                validation = self._source(
                    *("fit", *held),
                    size=checked_batch_size(validation_batch_size or size),
                    steps=steps[1],
                    samples=samples[1],
                    what="the validation data",
                    **fetching,
                )
                opened.append(validation)
            style = verbosity(verbose)
            self.history = History()
            bar = EpochBar(style, epochs, source)
            own = [callbacks] if isinstance(callbacks, Callback) else list(callbacks or [])
            names = [*engine.names, *(f"val_{n}" for n in engine.names if validation)]
            classic = engine.objective.classic
            described = run_params(epochs, style, size, source, names, validation is not None)
            listed = CallbackList(
                [*own, self.history, bar],
                self,
                described if classic else {n: described[n] for n in ("verbose", "epochs", "steps")},
                classic,
            )
            validate = None
            if validation is not None:
                validate = partial(fitting.evaluate, engine, self, validation, listed)
            return self._train(
                engine,
                fitting.Progress(source, initial_epoch),
                epochs,
                listed,
                validate,
                bar.look if style == 1 else None,
                validation_freq,
            )
        finally:
            for each in opened:
                each.close()

    def _train(
        self,
        engine: fitting.Engine,
        progress: fitting.Progress,
        epochs: int,
        listed: CallbackList,
        *how: Any,
    ) -> History:
        """Run the epochs between the first and the last hook."""
        self.stop_training = False
        engine.progress = progress
        try:
            listed.on_train_begin()
            logs = fitting.run_epochs(engine, self, progress, epochs, listed, *how)
            listed.on_train_end(logs)
        finally:
            engine.progress = None
            listed.release()
        return self.history  # pyright: ignore[reportReturnType]: fit made it

    @spelled
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int | str = 0,
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Sequence[Callback] | Callback | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Loss and metrics on this data: a number, a list as `metrics_names`, or a dict."""
        return self._run_evaluate(
            x,
            y,
            sample_weight,
            size=checked_batch_size(batch_size),
            steps=steps,
            callbacks=callbacks,
            return_dict=return_dict,
        )

    def _run_evaluate(
        self,
        *given: Any,
        callbacks: Sequence[Callback] | Callback | None = None,
        return_dict: bool = False,
        **fetching: Any,
    ) -> Any:
        source = self._source("evaluate", *given, **fetching)
        with closing(source):
            engine = self._ready("evaluate", source.example().y)
            listed = self._listed(callbacks, engine.objective.classic, source.steps)
            return shaped_logs(fitting.evaluate(engine, self, source, listed), return_dict)

    def _listed(
        self, callbacks: Sequence[Callback] | Callback | None, classic: bool, steps: int | None
    ) -> CallbackList | None:
        """Callbacks of an evaluation or a prediction, if there are any."""
        if not callbacks:
            return None
        given = [callbacks] if isinstance(callbacks, Callback) else callbacks
        return CallbackList(given, self, {"verbose": 0, "epochs": 1, "steps": steps}, classic)

    @spelled
    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """One update on one batch; its loss and metrics from before the update."""
        data = self._batch("train_on_batch", x, y, sample_weight, class_weight)
        engine = self._ready("train_on_batch", data.y)
        return shaped_logs(fitting.train_batch(engine, self, data), return_dict)

    @spelled
    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Loss and metrics of one batch."""
        data = self._batch("test_on_batch", x, y, sample_weight)
        engine = self._ready("test_on_batch", data.y)
        source = Epochs(Feed(data), len(data.x[0]), False)
        return shaped_logs(fitting.evaluate(engine, self, source), return_dict)

    # Predicting

    @spelled
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int | str = 0,
        steps: int | None = None,
        callbacks: Sequence[Callback] | Callback | None = None,
    ) -> Any:
        """Outputs at inference, as NumPy arrays: one, or a list of them."""
        self._require_built("predict")
        if callbacks or steps is not None or gives_batches(x):
            return self._run_predict(x, batch_size, steps=steps, callbacks=callbacks)
        inputs = self._inputs(x)
        rows_of({"x": inputs})
        run = self._predict or self._make_predict()
        parts = fitting.predict(run, *self.variables_now, inputs, checked_batch_size(batch_size))
        return parts[0] if len(parts) == 1 else parts

    def _run_predict(
        self,
        x: Any,
        batch_size: int | None = None,
        steps: int | None = None,
        callbacks: Sequence[Callback] | Callback | None = None,
        **fetching: Any,
    ) -> Any:
        """Outputs batch by batch, of a source of batches or with callbacks."""
        self._require_built("predict")
        size = checked_batch_size(batch_size)
        if not gives_batches(x):
            inputs = self._inputs(x)
            rows = np.arange(rows_of({"x": inputs}))
            x = in_batches(as_batch(inputs), lambda: rows, size)
        source = Stream(x, lambda item: self._inputs(inputs_of(item)), steps, **fetching)
        run = self._predict or self._make_predict()
        listed = self._listed(callbacks, config.dialect() != "modern", source.steps)
        with closing(source):
            columns = fitting.predict_stream(run, self, source, listed)
        return columns[0] if len(columns) == 1 else columns

    def _make_predict(self) -> Callable[..., Any]:
        pair, dtypes = self.functional, tuple(self.input_dtypes)

        def run(params: Params, state: State, inputs: tuple[Any, ...]) -> Any:
            y, _ = pair.apply(params, state, net_input(inputs, dtypes))
            return jax.tree.leaves(y)

        self._predict = jax.jit(run)
        return self._predict

    predict_proba = predict

    def predict_on_batch(self, x: Any) -> Any:
        """Outputs of one batch."""
        return self.predict(x, batch_size=max(1, len(arrays(x, self.input_names, "x")[0])))

    @spelled
    def predict_classes(
        self, x: Any, batch_size: int | None = None, verbose: int | str = 0
    ) -> np.ndarray:
        """The most probable class of each sample; for one sigmoid output, 0 or 1."""
        proba = self.predict(x, batch_size=batch_size)
        return proba.argmax(axis=-1) if proba.shape[-1] > 1 else (proba > 0.5).astype("int32")

    # Describing and saving

    def summary(
        self, line_length: int | None = None, print_fn: Callable[[str], Any] | None = None
    ) -> None:
        """Print a table of layers, output shapes and parameter counts."""
        (print_fn or print)(summary.table(self, line_length))

    def get_config(self) -> Any:
        """Layers and the calls between them, as Keras 2 writes them."""
        return self._known().get_config(self.name)

    @classmethod
    def from_config(
        cls,
        config: Any,
        custom_objects: Mapping[str, Any] | None = None,
        make: Callable[[Mapping[str, Any]], Layer] | None = None,
    ) -> Any:
        """The model that the `get_config` of any Keras generation described.

        `make` turns the entry of a layer into the layer; by its class's `from_config` if left out.
        """
        with custom_object_scope(custom_objects):
            inputs, outputs = structure_from_config(config, make or layer_from_entry)
            return cls(inputs, outputs, name=config.get("name"))

    def to_json(self, **options: Any) -> str:
        """The config as JSON."""
        described = {
            "class_name": type(self).__name__,
            "config": self.get_config(),
            "keras_version": "2.2.4",
            "backend": "jax",
        }
        return json.dumps(described, default=saving.plain, **options)

    def save(self, filepath: Any, overwrite: bool = True, include_optimizer: bool = True) -> None:
        """Write architecture, weights and training to a file: `.keras`, or HDF5 as Keras 2."""
        saving.save_model(self, filepath, overwrite, include_optimizer)

    def save_weights(self, filepath: Any, overwrite: bool = True) -> None:
        """Write the weights to an HDF5 file, wholly or not at all.

        In the layout of Keras 2, or of Keras 3 where the name ends with `.weights.h5`.
        """
        self._require_built("save_weights")
        saving.save_weights(self, filepath, overwrite)

    def load_weights(
        self,
        filepath: Any,
        by_name: bool = False,
        skip_mismatch: bool = False,
        backend: str | None = None,
    ) -> None:
        """Read weights of any Keras; all are checked against the model before any is replaced.

        Args:
            by_name: match layers by name and leave the others; in order otherwise.
            skip_mismatch: leave layers that do not fit, with a warning.
            backend: what wrote the file, `theano` or `tensorflow`, where it does not tell.

        Raises:
            FileFormatError: for a damaged file, or one that does not fit.
        """
        self._require_built("load_weights")
        saving.load_weights(self, filepath, by_name, skip_mismatch, backend)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}, {len(self.layers)} layers>"


def mixes(model: Model, dtype: str) -> bool:
    """Whether a layer, also of an inner model, computes in that dtype beside float32 weights."""
    known = model.built or type(model).layers is not Model.layers
    return any(
        mixes(layer, dtype)
        if isinstance(layer, Model)
        else dtypes_of(layer.dtype_policy) == ("float32", dtype)
        for layer in (model.layers if known else ())
    )


def checked_batch_size(size: int | None) -> int:
    """A usable batch size; 32 when left out."""
    if size is None:
        return 32
    if int(size) != size or size < 1:
        raise ValueError(f"batch_size must be a positive integer, got {size!r}")
    return int(size)


def verbosity(verbose: int | str | bool) -> int:
    """0, 1 or 2; "auto" is a bar on a terminal and a line per epoch elsewhere."""
    if verbose == "auto":
        return 1 if sys.stdout.isatty() else 2
    if verbose not in (0, 1, 2):
        raise ValueError(f'verbose must be 0, 1, 2 or "auto"; got {verbose!r}')
    return int(verbose)


def shaped_logs(logs: Mapping[str, float], as_dict: bool) -> Any:
    """Logs as Keras returns them: a dict, a list, or the loss alone."""
    if as_dict:
        return dict(logs)
    values = list(logs.values())
    return values[0] if len(values) == 1 else values


def run_params(
    epochs: int, style: int, size: int, source: Epochs | Stream, names: list[str], validates: bool
) -> dict[str, Any]:
    """What Keras 1 and 2 tell callbacks of a run, by the names of both."""
    return {
        "batch_size": size,
        "epochs": epochs,
        "nb_epoch": epochs,
        "samples": source.samples,
        "nb_sample": source.samples,
        "steps": source.steps,
        "verbose": style,
        "do_validation": validates,
        "metrics": names,
    }


class EpochBar(Callback):
    """Shows each epoch as `verbose` asks, by samples where their number is known, else by steps."""

    def __init__(self, style: int, epochs: int, source: Epochs | Stream) -> None:
        super().__init__()
        self.style = style
        self.epochs = epochs
        self.by_samples = source.samples is not None
        self.target = source.samples if self.by_samples else source.steps
        self.bar: Progbar | None = None

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Begin a bar."""
        self.done = 0
        if self.style:
            print(f"Epoch {epoch + 1}/{self.epochs}", flush=True)
            unit = "sample" if self.by_samples else "step"
            self.bar = Progbar(
                self.target, verbose=self.style, stateful_metrics="all", unit_name=unit
            )

    def look(self, seen: int, batches: int, logs: Mapping[str, Any]) -> None:
        """Move the bar; the epoch's end finishes it, when validation is known too."""
        self.done = seen if self.by_samples else batches
        if self.bar is not None and (self.target is None or self.done < self.target):
            self.bar.update(self.done, list(logs.items()))

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Finish the bar."""
        if self.bar is not None:
            done = self.target or self.done
            self.bar.update(done, list((logs or {}).items()), finalize=True)
