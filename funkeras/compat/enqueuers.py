"""What fetched batches for Keras's training loop, for scripts that loop by themselves."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from funkeras.spellings import spelled
from funkeras.utils.prefetch import ahead, mapped

__all__ = ["GeneratorEnqueuer", "OrderedEnqueuer", "SequenceEnqueuer"]


class SequenceEnqueuer:
    """Batches that threads make early: `start`, take them from `get()`, `stop`.

    Args:
        use_multiprocessing: accepted for old scripts; the workers are threads, since a process
            that has started JAX cannot be forked safely.
    """

    def __init__(self, use_multiprocessing: bool = False) -> None:
        self.use_multiprocessing = use_multiprocessing
        self._batches: Any = None

    def made(self, workers: int, size: int) -> Iterator[Any]:
        """The batches, by so many threads and that many of them early."""
        raise NotImplementedError(f"{type(self).__name__} must define made(workers, size)")

    @spelled
    def start(
        self, workers: int = 1, max_queue_size: int = 10, wait_time: float | None = None
    ) -> None:
        """Begin to make batches; `wait_time` between two looks, of Keras 1, is not needed."""
        self._batches = ahead(self.made(workers, max_queue_size), max_queue_size)

    def is_running(self) -> bool:
        """Whether it was started and not stopped."""
        return self._batches is not None

    def get(self) -> Iterator[Any]:
        """The batches; an exception in a worker is raised here.

        Raises:
            RuntimeError: if it was not started.
        """
        if self._batches is None:
            raise RuntimeError(f"{type(self).__name__} makes no batches: call start() first")
        yield from self._batches

    def stop(self, timeout: float | None = None) -> None:
        """End the work; waits for the batch that is being made for a second at most."""
        if self._batches is not None:
            self._batches.close()
            self._batches = None


class OrderedEnqueuer(SequenceEnqueuer):
    """The batches of a `Sequence` in their order, epoch after epoch, or in another for each."""

    @spelled
    def __init__(
        self, sequence: Any, use_multiprocessing: bool = False, shuffle: bool = False
    ) -> None:
        super().__init__(use_multiprocessing)
        self.sequence = sequence
        self.shuffle = shuffle

    def made(self, workers: int, size: int) -> Iterator[Any]:
        """The batches, by so many threads and that many of them early."""
        while True:
            count = len(self.sequence)
            order = np.random.permutation(count).tolist() if self.shuffle else range(count)
            yield from mapped(self.sequence.__getitem__, order, workers, size)
            self.sequence.on_epoch_end()


class GeneratorEnqueuer(SequenceEnqueuer):
    """The batches of a generator, in their order; one thread asks it, however many are wanted."""

    @spelled
    def __init__(
        self,
        generator: Iterable[Any],
        use_multiprocessing: bool = False,
        wait_time: float = 0.05,
        random_seed: int | None = None,
    ) -> None:
        super().__init__(use_multiprocessing)
        self.generator = generator
        self.wait_time = wait_time
        self.random_seed = random_seed

    def made(self, workers: int, size: int) -> Iterator[Any]:
        """The batches, by so many threads and that many of them early."""
        yield from self.generator
