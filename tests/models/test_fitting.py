"""The pace of training: chunk lengths, and how rows are put in order."""

import numpy as np
import pytest

from funkeras.models import data, engine


def test_chunks_grow_to_the_time_they_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 0.0
    monkeypatch.setattr(engine.time, "perf_counter", lambda: clock)
    pace = engine.Pace()
    lengths = []
    for chunk in range(5):
        steps = pace.next(1000, seconds=2**-3)
        clock += 2**-10 * steps + (2.0 if chunk == 0 else 0.0)  # the first one compiles
        pace.done(steps)
        lengths.append(steps)
    assert lengths == [1, 1, 16, 128, 128]


def test_a_slow_chunk_at_most_halves_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 0.0
    monkeypatch.setattr(engine.time, "perf_counter", lambda: clock)
    pace = engine.Pace()
    pace.step_seconds = 0.001
    pace._before = 100
    assert pace.next(1000, seconds=0.1) == 100
    clock += 5.0
    pace.done(100)
    assert pace.next(1000, seconds=0.1) == 50


@pytest.mark.parametrize(("rows", "sizes"), [(10, [(3, 3), (1, 1)]), (9, [(3, 3)]), (2, [(1, 2)])])
def test_batches_end_with_what_is_left(rows: int, sizes: list[tuple[int, int]]) -> None:
    parts = data.batches(np.arange(rows), 3)
    assert [part.shape for part in parts] == sizes
    np.testing.assert_array_equal(np.concatenate([p.ravel() for p in parts]), np.arange(rows))


def test_shuffling_keeps_every_row_and_batches_if_asked() -> None:
    np.random.seed(0)
    rows = data.shuffled(np.arange(10), "batch", 3)
    assert sorted(rows) == list(range(10))
    blocks = rows[:9].reshape(3, 3)
    assert all(list(block) == list(range(block[0], block[0] + 3)) for block in blocks)
    np.testing.assert_array_equal(data.shuffled(np.arange(4), False, 3), np.arange(4))
