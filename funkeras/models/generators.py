"""`fit_generator` and its kin: the generation's way to learn from batches that come one by one."""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from funkeras import config
from funkeras.spellings import by_name, spelled

__all__ = ["GeneratorMethods", "counted"]

P = ParamSpec("P")
T = TypeVar("T")

KERAS_2_WORDS = {
    *("steps", "steps_per_epoch", "epochs", "validation_steps"),
    *("max_queue_size", "workers", "use_multiprocessing", "shuffle"),
}
"""Arguments that Keras 1 does not have: a call that uses one counts batches."""


def counting_as_written(*keras_1: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Give positional arguments the order that they have in Keras 1, for a call written for it.

    A call with three positional arguments or fewer looks the same in both, but the second counts
    samples in Keras 1 and batches in Keras 2: the dialect decides, and any word of Keras 2.
    """

    def decorate(method: Callable[P, T]) -> Callable[P, T]:
        @wraps(method)
        def ordered(*args: P.args, **kwargs: P.kwargs) -> T:
            call: Callable[..., T] = method
            if config.dialect() != "classic" or KERAS_2_WORDS & set(kwargs):
                return call(*args, **kwargs)
            return call(args[0], **by_name(method.__name__, keras_1, args[1:], kwargs))

        return ordered

    return decorate


def counted(what: str, source: Any, word: str, *counts: int | None) -> None:
    """Refuse an iterator without a number of steps: it may never end, and Keras 1 and 2 ask too.

    One that knows its length, as that of images, is a sequence of so many batches.
    """
    endless = hasattr(source, "__next__") and not hasattr(source, "__len__")
    if endless and all(count is None for count in counts):
        raise ValueError(f"{what} may never end: give {word}")


class GeneratorMethods:
    """What Keras 1 and 2 call for generators and `Sequence`s; `fit` takes them too."""

    def _run_fit(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    def _run_evaluate(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    def _run_predict(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    @counting_as_written(
        *("generator", "samples_per_epoch", "epochs", "verbose", "callbacks"),
        *("validation_data", "nb_val_samples", "class_weight", "max_q_size", "nb_worker"),
        *("pickle_safe", "initial_epoch"),
    )
    @spelled
    def fit_generator(
        self,
        generator: Any,
        steps_per_epoch: int | None = None,
        epochs: int = 1,
        verbose: int | str = 1,
        callbacks: Sequence[Any] | None = None,
        validation_data: Any = None,
        validation_steps: int | None = None,
        class_weight: Mapping[Any, float] | None = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        shuffle: bool = True,
        initial_epoch: int = 0,
        validation_freq: int = 1,
        samples_per_epoch: int | None = None,
        nb_val_samples: int | None = None,
    ) -> Any:
        """Train on batches that a generator or a `Sequence` gives.

        Args:
            steps_per_epoch, validation_steps: batches in an epoch (Keras 2).
            samples_per_epoch, nb_val_samples: samples after which an epoch ends (Keras 1).
            max_queue_size: how many batches are fetched early.
            workers: threads that fetch batches of a `Sequence`; a generator has one. 0: none.
            use_multiprocessing: accepted for old scripts; the workers are threads.
            shuffle: take the batches of a `Sequence` in a random order.
        """
        counted("the generator", generator, "steps_per_epoch", steps_per_epoch, samples_per_epoch)
        return self._run_fit(
            generator,
            epochs=epochs,
            verbose=verbose,
            callbacks=callbacks,
            validation_data=validation_data,
            class_weight=class_weight,
            shuffle=shuffle,
            initial_epoch=initial_epoch,
            validation_freq=validation_freq,
            steps=(steps_per_epoch, validation_steps),
            samples=(samples_per_epoch, nb_val_samples),
            workers=workers,
            queue=max_queue_size,
        )

    @counting_as_written("generator", "val_samples", "max_q_size", "nb_worker", "pickle_safe")
    @spelled
    def evaluate_generator(
        self,
        generator: Any,
        steps: int | None = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        verbose: int = 0,
        val_samples: int | None = None,
    ) -> Any:
        """Loss and metrics on batches that a generator gives: `steps` of them, or `val_samples`."""
        counted("the generator", generator, "steps", steps, val_samples)
        return self._run_evaluate(
            generator,
            steps=steps,
            samples=val_samples,
            workers=workers,
            queue=max_queue_size,
            verbose=verbose,
        )

    @counting_as_written("generator", "val_samples", "max_q_size", "nb_worker", "pickle_safe")
    @spelled
    def predict_generator(
        self,
        generator: Any,
        steps: int | None = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        verbose: int = 0,
        val_samples: int | None = None,
    ) -> Any:
        """Outputs for batches that a generator gives: `steps` of them, or `val_samples`."""
        counted("the generator", generator, "steps", steps, val_samples)
        return self._run_predict(
            generator,
            steps=steps,
            samples=val_samples,
            workers=workers,
            queue=max_queue_size,
            verbose=verbose,
        )
