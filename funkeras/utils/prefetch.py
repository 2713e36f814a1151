"""Work done ahead of whoever needs it, by other threads."""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from queue import Empty, Full, Queue
from typing import Any, TypeVar

__all__ = ["ahead", "mapped"]

S = TypeVar("S")
T = TypeVar("T")

WAIT = 0.05
"""Seconds after which a thread that waits for room looks whether it is still wanted."""


class _End:
    """The last thing in a queue: what ended the work, if it was an exception."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


def ahead(
    items: Iterable[T], size: int, pauses: Callable[[T], bool] = lambda item: False
) -> Iterator[T]:
    """The items in their order, made by another thread up to `size` of them early.

    An exception in that thread is raised here, in the item's place. After an item that `pauses`
    the thread waits until the next one is asked for. It ends with this iterator.
    """
    queue: Queue[Any] = Queue(max(1, size))
    unwanted, asked = threading.Event(), threading.Event()

    def put(entry: Any) -> bool:
        while not unwanted.is_set():
            try:
                queue.put(entry, timeout=WAIT)
                return True
            except Full:
                continue
        return False

    def work() -> None:
        try:
            for item in items:
                asked.clear()
                if not put(item):
                    return
                if pauses(item):
                    asked.wait()
                if unwanted.is_set():
                    return
        except BaseException as error:  # belongs to whoever takes the items, KeyboardInterrupt too
            put(_End(error))
        else:
            put(_End())

    # A thread has settings of its own, such as the dialect, unless it is given ours.
    thread = threading.Thread(target=copy_context().run, args=(work,), daemon=True)
    try:
        thread.start()  # an interrupt in here must end the thread too
        while True:
            entry = queue.get()
            if isinstance(entry, _End):
                if entry.error is not None:
                    raise entry.error
                return
            yield entry
            if pauses(entry):
                asked.set()
    finally:
        unwanted.set()
        asked.set()
        _empty(queue)
        with suppress(RuntimeError):  # it never started
            thread.join(timeout=1.0)  # one that hangs in the user's code is left behind


def _empty(queue: "Queue[Any]") -> None:
    while True:
        try:
            queue.get_nowait()
        except Empty:
            return


def mapped(function: Callable[[S], T], items: Iterable[S], workers: int, size: int) -> Iterator[T]:
    """`function` of each item, in their order, by that many threads at most `size` ahead."""
    if workers <= 1:
        yield from map(function, items)
        return
    waiting = []
    with ThreadPoolExecutor(workers) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(copy_context().run, function, item))
                if len(waiting) > max(size, workers):
                    yield waiting.pop(0).result()
            while waiting:
                yield waiting.pop(0).result()
        finally:
            for future in waiting:
                future.cancel()
