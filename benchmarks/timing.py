"""Interleaved timing: contestants take turns, so that a machine's drift hits all of them."""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

__all__ = ["compare", "interleaved", "repeated"]

T = TypeVar("T")


def repeated(call: Callable[[], T], times: int) -> Callable[[], T]:
    """That call so many times, as one call that gives what the last one gave."""

    def run() -> T:
        for _ in range(times - 1):
            call()
        return call()

    return run


def interleaved(contestants: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each contestant over the rounds, after one round that is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for index in range(rounds + 1):
        for name, run in contestants.items():
            began = time.perf_counter()
            run()
            if index:
                seconds[name].append(time.perf_counter() - began)
    return {name: statistics.median(values) for name, values in seconds.items()}


def compare(
    title: str, contestants: Mapping[str, Callable[[], object]], rounds: int, baseline: str
) -> dict[str, float]:
    """Time contestants in turns and print a table with ratios to `baseline`."""
    medians = interleaved(contestants, rounds)
    print(f"{title} (median of {rounds} interleaved rounds)")
    for name, value in medians.items():
        print(f"  {name:<28} {value * 1e3:9.2f} ms   {medians[baseline] / value:6.2f}x {baseline}")
    return medians
