"""`fit`, `evaluate` and `predict`: what a model does with data."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import Any, ClassVar

import jax
import numpy as np

from funkeras import config
from funkeras.callbacks import Callback, CallbackList, History
from funkeras.functional.objective import Batch, net_input
from funkeras.models import fitting
from funkeras.models.checking import (
    Entrance,
    arrays,
    as_batch,
    check_inputs,
    class_weights,
    rows_of,
    weight_arrays,
)
from funkeras.models.compiling import Compiling
from funkeras.models.data import Epochs, Feed, shuffled, split
from funkeras.models.display import (
    Bar,
    EpochBar,
    run_params,
    shaped_logs,
    validation_arrays,
    verbosity,
)
from funkeras.models.engine import Engine, Progress, always_trains
from funkeras.models.generators import GeneratorMethods, counted
from funkeras.models.own_rules import OwnRules
from funkeras.models.steps import predict_by_own_step
from funkeras.models.streams import Stream, gives_batches, in_batches, inputs_of, unpacked
from funkeras.models.written import described_inputs
from funkeras.programs import Program
from funkeras.spellings import spelled
from funkeras.typing import Key, Params, State

__all__ = ["Training"]


class Training(GeneratorMethods, OwnRules, Compiling):
    """A compiled model at work on arrays, or on a source of batches."""

    spelling = "Model"
    keras_1_order: ClassVar[dict[str, tuple[str, ...]]] = {}
    """Methods whose arguments had another order in Keras 1; the classic dialect keeps it."""

    def _inputs(self, x: Any) -> tuple[Any, ...]:
        """Checked inputs; a model without a shape is built from theirs."""
        if self._entered is None and not self.built:
            self._build_for(x)
        names, shapes, size = self._entrance()
        parts = arrays(x, names, "x")
        check_inputs(parts, shapes, names)
        if size is not None and len(parts[0]) % size:
            raise ValueError(
                f"{self.name!r} keeps states: it runs in whole batches of {size} rows, "
                f"got {len(parts[0])}"
            )
        return parts

    def _entrance(self) -> Entrance:
        """What data must be like; looked up once for a graph, as it costs a small prediction."""
        if self._entered is None:
            kept = self.input_shapes[0][0] if self.keeps_states else None
            self._entered = Entrance(self.input_names, self.input_shapes, kept)
        return self._entered

    def _batch_size(self, size: int | None, x: Any) -> int:
        """The batch size to use for that argument and these inputs."""
        fixed = self._entrance().kept_rows if self._entered or self.built else None
        chosen = checked_batch_size(size)
        if fixed is None:
            return chosen
        leaves = [] if gives_batches(x) else jax.tree.leaves(x)
        one_batch = chosen > fixed and bool(leaves) and np.shape(leaves[0])[:1] == (fixed,)
        if size not in (None, fixed) and not one_batch:
            raise ValueError(f"{self.name!r} keeps states of {fixed} rows, got batch_size={size}")
        return fixed

    def _build_for(self, x: Any) -> None:
        """Build from the shapes of data."""
        several = isinstance(x, Mapping) or (
            self.is_written() and isinstance(x, list | tuple) and hasattr(x[0], "shape")
        )
        names = sorted(x) if isinstance(x, Mapping) else ["x"] * (len(x) if several else 1)
        found = arrays(x, names, "x")
        shapes, self.called_dtypes = described_inputs(x if several else None, found)
        self.ensure_built(shapes)

    def _batch(
        self, action: str, x: Any, y: Any, sample_weight: Any = None, class_weight: Any = None
    ) -> Batch:
        """Checked inputs, targets and weights."""
        self._require_compiled(action)
        inputs = self._inputs(x)
        targets = self._targets(action, y)
        weights: tuple[Any, ...] = (None,) * len(targets)
        if sample_weight is not None:
            weights = weight_arrays(sample_weight, self.output_names)
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
                None if table is None or target is None else class_weights(target, table)
                for target, table in zip(targets, per_output, strict=True)
            )
        rows_of({"x": inputs, "y": targets, "sample_weight": weights})
        self._check_labels(targets)
        return as_batch(inputs, targets, weights)

    def _targets(self, action: str, y: Any) -> tuple[Any, ...]:
        """The target of each output; None for one that has neither loss nor metric."""
        names, wanted = self.output_names, self.wanted()
        if self._has_own_rules():  # which may use them in their own way, or none
            return (None,) * len(names) if y is None else arrays(y, names, "y")
        if y is None or len(wanted) == len(names):
            if y is None and wanted:
                raise ValueError(f"{action} needs targets: {action}(x, y)")
            return arrays(y, names, "y") if wanted else (None,) * len(names)
        if isinstance(y, list | tuple) and len(y) == len(names) > 1:
            y = dict(zip(names, y, strict=True))
        found = dict(zip(wanted, arrays(y, wanted, "y"), strict=True)) if wanted else {}
        return tuple(found.get(name) for name in names)

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
        count, limit = data.x[0].shape[0], config.max_steps_per_epoch()
        limited = limit is not None and limit * size < count
        if steps is None and samples is None and not limited:
            return Epochs(Feed(data), size, shuffle)
        rows = np.arange(count, dtype=np.int32)
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
        size = self._batch_size(batch_size, x)
        if int(epochs) != epochs or epochs < 0:
            raise ValueError(f"epochs must be an integer of at least 0, got {epochs!r}")
        if (limit := config.max_epochs()) is not None and limit < epochs:
            warnings.warn(f"limiting epochs to {limit}", stacklevel=4)
            epochs = limit
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
            # Callbacks of Keras 1 and 2 may prepare the generator when training begins.
            waits = isinstance(source, Stream) and self._knows_targets()
            engine = self._ready("fit", self._usual_targets() if waits else source.example().y)
            validation = None
            if validation_data is not None:
                whole = not isinstance(validation_data, list | tuple)
                held = (validation_data,) if whole else validation_data
                counted("the validation data", held[0], "validation_steps", steps[1], samples[1])
                validation = self._source(
                    *("fit", *held),
                    size=self._batch_size(validation_batch_size or size, held[0]),
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
            if not waits:
                self._use_steps(engine, source.example())
            held_out = engine.judged.names if validation else []
            names = [*engine.trained.names, *(f"val_{name}" for name in held_out)]
            classic = engine.objective.classic
            described = run_params(epochs, style, size, source, names, validation is not None)
            if not classic:
                described = {name: described[name] for name in ("verbose", "epochs", "steps")}
            listed = CallbackList([*own, self.history, bar], model=self, **described)
            if classic:
                for callback in own:
                    callback.validation_data = validation_arrays(validation)
            validate = None
            if validation is not None:
                validate = partial(fitting.evaluate, engine, self, validation, listed)
            return self._train(
                engine,
                Progress(source, initial_epoch),
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
        engine: Engine,
        progress: Progress,
        epochs: int,
        listed: CallbackList,
        *how: Any,
    ) -> History:
        """Run the epochs between the first and the last hook."""
        self.stop_training = False
        engine.progress = progress
        try:
            listed.on_train_begin()
            if isinstance(progress.source, Stream):
                self._ready("fit", progress.source.example().y)
            logs = fitting.run_epochs(engine, self, progress, epochs, listed, *how)
            listed.on_train_end({} if engine.objective.classic else logs)
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
        verbose: int | str = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Sequence[Callback] | Callback | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Loss and metrics on this data: a number, a list as `metrics_names`, or a dict.

        `verbose` is 0 silent, 1 a bar, 2 a line; "auto" is a bar on a terminal.
        """
        return self._run_evaluate(
            x,
            y,
            sample_weight,
            size=self._batch_size(batch_size, x),
            steps=steps,
            callbacks=callbacks,
            return_dict=return_dict,
            verbose=verbose,
        )

    def _run_evaluate(
        self,
        *given: Any,
        callbacks: Sequence[Callback] | Callback | None = None,
        return_dict: bool = False,
        verbose: int | str = 0,
        **fetching: Any,
    ) -> Any:
        style = verbosity(verbose, elsewhere=0)
        source = self._source("evaluate", *given, **fetching)
        with closing(source):
            engine = self._ready("evaluate", source.example().y)
            self._use_steps(engine, source.example())
            bar = Bar(style, source.samples, source.steps)
            look = bar.look if style == 1 else None
            listed = self._listed(callbacks, source.steps)
            logs = fitting.evaluate(engine, self, source, listed, look)
            bar.finish(logs)
            return shaped_logs(logs, return_dict)

    def _knows_targets(self) -> bool:
        """Whether what training prints and tells does not depend on the targets' shapes."""
        return self.built and not self._has_own_rules() and self._require_compiled("fit")["classic"]

    def _listed(
        self, callbacks: Sequence[Callback] | Callback | None, steps: int | None
    ) -> CallbackList | None:
        """Callbacks of an evaluation or a prediction, if there are any."""
        if not callbacks:
            return None
        given = [callbacks] if isinstance(callbacks, Callback) else callbacks
        return CallbackList(given, model=self, verbose=0, epochs=1, steps=steps)

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
        self._use_steps(engine, data)
        return shaped_logs(fitting.train_batch(engine, self, data), return_dict)

    @spelled
    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Loss and metrics of one batch."""
        data = self._batch("test_on_batch", x, y, sample_weight)
        engine = self._ready("test_on_batch", data.y)
        self._use_steps(engine, data)
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
        """Outputs at inference, as NumPy arrays: one, or a list of them.

        `verbose` is 0 silent, 1 a bar, 2 a line; "auto" is a bar on a terminal.
        """
        limited = steps is not None or config.max_steps_per_epoch() is not None
        if callbacks or limited or gives_batches(x):
            return self._run_predict(x, batch_size, verbose, steps=steps, callbacks=callbacks)
        inputs = self._inputs(x)
        rows = rows_of({"x": inputs})
        run = self._predict or self._make_predict()
        bar = Bar(verbosity(verbose, elsewhere=0), rows) if verbose else None
        size, look = self._batch_size(batch_size, x), bar.look if bar else None
        parts = fitting.predict(run, self, inputs, size, look)
        if bar:
            bar.finish({})
        return parts[0] if len(parts) == 1 else parts

    def _run_predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int | str = 0,
        steps: int | None = None,
        callbacks: Sequence[Callback] | Callback | None = None,
        **fetching: Any,
    ) -> Any:
        """Outputs batch by batch, of a source of batches or with callbacks."""
        if not self.is_written():
            self._require_built("predict")
        style, count = verbosity(verbose, elsewhere=0), None
        size = self._batch_size(batch_size, x)
        if not gives_batches(x):
            inputs = self._inputs(x)
            count = rows_of({"x": inputs})
            rows = np.arange(count)
            x = in_batches(as_batch(inputs), lambda: rows, size)

        def read(item: Any) -> tuple[Any, ...]:
            return self._inputs(inputs_of(item, len(self.input_names)))

        source = Stream(x, read, steps, **fetching)
        run = self._predict or self._make_predict()
        listed = self._listed(callbacks, source.steps)
        bar = Bar(style, None if source.partial else count, source.steps)
        with closing(source):
            look = bar.look if style == 1 else None
            columns = fitting.predict_stream(run, self, source, listed, look)
        bar.finish({})
        return columns[0] if len(columns) == 1 else columns

    def _make_predict(self) -> Callable[..., Any]:
        self.mixes_rows = always_trains(self)
        dtypes, keeps = tuple(self.input_dtypes), self.keeps_states
        own = hasattr(type(self), "predict_step")
        apply = predict_by_own_step(self) if own else self.functional.apply

        def run(
            params: Params, state: State, inputs: tuple[Any, ...], *, key: Key | None = None
        ) -> Any:
            y, after = apply(params, state, net_input(inputs, dtypes), key=key)
            return jax.tree.leaves(y), after if keeps else None

        self._predict = Program(run)
        return self._predict

    def _make_predict_function(self) -> None:
        """Make the program of `predict` now: Keras 1 and 2 asked that of servers with threads."""
        self._require_built("predict")
        self._predict = self._predict or self._make_predict()

    def _make_train_function(self) -> None:
        """See that it can be trained: the program is made by the first batch."""
        self._require_built("fit")
        self._require_compiled("fit")

    def _make_test_function(self) -> None:
        """See that it can be evaluated: the program is made by the first batch."""
        self._require_built("evaluate")
        self._require_compiled("evaluate")

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


def checked_batch_size(size: int | None) -> int:
    """A usable batch size; 32 when left out."""
    if size is None:
        return 32
    if int(size) != size or size < 1:
        raise ValueError(f"batch_size must be a positive integer, got {size!r}")
    return int(size)
