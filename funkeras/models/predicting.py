"""`predict` and its kin: outputs at inference."""

from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

import jax
import numpy as np

from funkeras import config
from funkeras.callbacks import Callback, CallbackList
from funkeras.distribution.placing import divided, gathered
from funkeras.functional.objective import net_input
from funkeras.models import fitting
from funkeras.models.checking import arrays, as_batch, rows_of
from funkeras.models.display import Bar, verbosity
from funkeras.models.engine import always_trains
from funkeras.models.own_rules import OwnRules
from funkeras.models.steps import predict_by_own_step
from funkeras.models.streams import Stream, gives_batches, in_batches, inputs_of
from funkeras.models.taking import Taking
from funkeras.programs import Program
from funkeras.spellings import spelled
from funkeras.typing import Key, Params, State

__all__ = ["Predicting"]


class Predicting(Taking):
    """A model that gives its outputs, compiled or not."""

    _form: Any
    """How outputs are nested, known once the program of `predict` is made."""

    @spelled
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int | str = 0,
        steps: int | None = None,
        callbacks: Sequence[Callback] | Callback | None = None,
    ) -> Any:
        """Outputs at inference, as NumPy arrays: one, a list of them, or nested as in its dict.

        `verbose` is 0 silent, 1 a bar, 2 a line; "auto" is a bar on a terminal.
        """
        limited = steps is not None or config.max_steps_per_epoch() is not None
        if callbacks or limited or gives_batches(x):
            return self._run_predict(x, batch_size, verbose, steps=steps, callbacks=callbacks)
        inputs = self._inputs(x)
        rows = rows_of({"x": inputs})
        run = self._predict_program()
        size = self._batch_size(batch_size, x)
        bar = Bar(verbosity(verbose, elsewhere=0), rows, -(-rows // size)) if verbose else None
        look = bar.look if bar else None
        parts = fitting.predict(run, self, inputs, size, look)
        if bar:
            bar.finish({})
        return self._nested(parts)

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
        run = self._predict_program()
        listed = self._listed(callbacks, source.steps)
        bar = Bar(style, None if source.partial else count, source.steps)
        with closing(source):
            look = bar.look if style == 1 else None
            columns = fitting.predict_stream(run, self, source, listed, look)
        bar.finish({})
        return self._nested(columns)

    def _nested(self, parts: list[np.ndarray]) -> Any:
        """The outputs as the model gives them: in a dict, say; else one, or a list of them."""
        if self._form.num_nodes == 1:
            return parts[0]
        whole = self._form.unflatten(parts)
        if type(whole) in (list, tuple) and all(isinstance(own, np.ndarray) for own in whole):
            return parts[0] if len(parts) == 1 else parts
        return whole

    def _predict_program(self) -> Callable[..., Any]:
        self._keep_up()
        return self._predict or self._make_predict()

    def _make_predict(self) -> Callable[..., Any]:
        self.mixes_rows = always_trains(self)
        dtypes, keeps = tuple(self.input_dtypes), self.keeps_states
        own = type(self).predict_step is not OwnRules.predict_step
        apply = predict_by_own_step(self) if own else self.functional.apply

        def run(
            params: Params, state: State, inputs: tuple[Any, ...], *, key: Key | None = None
        ) -> Any:
            y, after = apply(params, state, net_input(divided(inputs), dtypes), key=key)
            self._form = jax.tree.structure(y)
            return gathered(jax.tree.leaves(y)), after if keeps else None

        self._predict = Program(run, first_order=not own)
        return self._predict

    def _make_predict_function(self) -> None:
        """Make the program of `predict` now: Keras 1 and 2 asked that of servers with threads."""
        self._require_built("predict")
        self._predict_program()

    predict_proba = predict

    def predict_on_batch(self, x: Any) -> Any:
        """Outputs of one batch."""
        strings = self._entrance().strings if self.built else ()
        rows = len(arrays(self.by_key(x), self.input_keys, "x", strings)[0])
        return self.predict(x, batch_size=max(1, rows))

    @spelled
    def predict_classes(
        self, x: Any, batch_size: int | None = None, verbose: int | str = 0
    ) -> np.ndarray:
        """The most probable class of each sample; for one sigmoid output, 0 or 1."""
        proba = self.predict(x, batch_size=batch_size)
        return proba.argmax(axis=-1) if proba.shape[-1] > 1 else (proba > 0.5).astype("int32")

    def _listed(
        self, callbacks: Sequence[Callback] | Callback | None, steps: int | None
    ) -> CallbackList | None:
        """Callbacks of an evaluation or a prediction, if there are any."""
        if not callbacks:
            return None
        given = [callbacks] if isinstance(callbacks, Callback) else callbacks
        return CallbackList(given, model=self, verbose=0, epochs=1, steps=steps)
