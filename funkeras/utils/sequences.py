"""`Sequence`: data that is asked for batch by batch, by number."""

from collections.abc import Iterator
from typing import Any

__all__ = ["PyDataset", "Sequence"]


class Sequence:
    """Batches by number: subclass with `__getitem__` and `__len__`. `PyDataset` in Keras 3.

    `batch = sequence[3]` is `(inputs, targets)` or `(inputs, targets, sample_weights)`. Each batch
    is asked for once per epoch, so that several workers may fetch them.

    Args:
        workers: threads that fetch batches; 0 and 1 mean one.
        use_multiprocessing: accepted for old scripts; the workers are threads, since a process
            that has started JAX cannot be forked safely.
        max_queue_size: how many batches are fetched early.
    """

    def __init__(
        self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10
    ) -> None:
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__(index)")

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} must define __len__()")

    @property
    def num_batches(self) -> int | None:
        """How many batches an epoch has, None for one that never ends."""
        return len(self)

    def on_epoch_begin(self) -> None:
        """Before the first batch of an epoch."""

    def on_epoch_end(self) -> None:
        """After the last batch of an epoch."""

    def __iter__(self) -> Iterator[Any]:
        for index in range(len(self)):
            yield self[index]


PyDataset = Sequence
