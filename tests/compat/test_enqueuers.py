"""Threads that fetch batches for loops that scripts write themselves."""

import itertools

import pytest

from funkeras.compat.enqueuers import GeneratorEnqueuer, OrderedEnqueuer
from funkeras.utils.sequences import Sequence


class Numbers(Sequence):
    ended = 0

    def __len__(self):
        return 20

    def __getitem__(self, index):
        return index

    def on_epoch_end(self):
        self.ended += 1


class Broken(Numbers):
    def __getitem__(self, index):
        raise IndexError(f"no batch {index}")


@pytest.mark.parametrize("workers", [1, 3])
def test_batches_come_in_order_epoch_after_epoch(workers):
    numbers = Numbers()
    enqueuer = OrderedEnqueuer(numbers)
    enqueuer.start(workers, 4)
    assert enqueuer.is_running()
    taken = list(itertools.islice(enqueuer.get(), 45))
    assert taken == [*range(20), *range(20), *range(5)]
    assert numbers.ended >= 2
    enqueuer.stop()
    assert not enqueuer.is_running()
    with pytest.raises(RuntimeError, match="call start"):
        next(enqueuer.get())


def test_each_epoch_can_have_its_own_order():
    enqueuer = OrderedEnqueuer(Numbers(), shuffle=True)
    enqueuer.start(workers=3, max_queue_size=10)
    taken = list(itertools.islice(enqueuer.get(), 40))
    enqueuer.stop()
    first, second = taken[:20], taken[20:]
    assert sorted(first) == sorted(second) == list(range(20))
    assert not first == second == list(range(20))


def test_a_generator_is_asked_ahead_and_its_errors_are_raised_where_batches_are_taken():
    enqueuer = GeneratorEnqueuer((n for n in range(3)), pickle_safe=False)
    enqueuer.start(nb_worker=2, max_q_size=2)
    assert list(enqueuer.get()) == [0, 1, 2]
    broken = OrderedEnqueuer(Broken())
    broken.start(3, 10)
    with pytest.raises(IndexError, match="no batch 0"):
        next(broken.get())
