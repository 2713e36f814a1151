"""`fit` and `evaluate`: a compiled model learns from data, and is judged by it."""

import warnings
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from typing import Any, ClassVar

from funkeras import config
from funkeras.callbacks import Callback, CallbackList, History
from funkeras.models import fitting
from funkeras.models.data import Epochs, Feed, split
from funkeras.models.display import (
    Bar,
    EpochBar,
    run_params,
    shaped_logs,
    validation_arrays,
    verbosity,
)
from funkeras.models.engine import Engine, Progress
from funkeras.models.generators import GeneratorMethods, counted
from funkeras.models.predicting import Predicting
from funkeras.models.streams import Stream, gives_batches
from funkeras.spellings import spelled

__all__ = ["Training"]


class Training(Predicting, GeneratorMethods):
    """A compiled model at work on arrays, or on a source of batches."""

    spelling = "Model"
    keras_1_order: ClassVar[dict[str, tuple[str, ...]]] = {}
    """Methods whose arguments had another order in Keras 1; the classic dialect keeps it."""

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

    def _make_train_function(self) -> None:
        """See that it can be trained: the program is made by the first batch."""
        self._require_built("fit")
        self._require_compiled("fit")

    def _make_test_function(self) -> None:
        """See that it can be evaluated: the program is made by the first batch."""
        self._require_built("evaluate")
        self._require_compiled("evaluate")
