"""`CallbackList`: several callbacks told as one."""

import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from funkeras.callbacks.base import Callback, Logs
from funkeras.callbacks.records import History, ProgbarLogger

__all__ = ["CallbackList"]

TRAIN_HOOKS = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}
"""Hooks around a training step and what Keras 1 and 2 call them."""
TEST_HOOKS = ("on_test_batch_begin", "on_test_batch_end")
PREDICT_HOOKS = ("on_predict_batch_begin", "on_predict_batch_end")


def overrides(callback: Any, hooks: Iterable[str]) -> bool:
    """Whether a callback has hooks of its own among these."""
    return any(
        getattr(getattr(callback, hook), "__func__", None) is not getattr(Callback, hook)
        for hook in hooks
        if hasattr(callback, hook)
    )


class CallbackList:
    """Callbacks as one: each hook calls those of all, in their order.

    A batch hook is called by its later name, whose default calls the older one: a callback hears of
    a batch once, as in Keras 3.

    Args:
        callbacks: what is told.
        add_history, add_progbar: append a `History` and a `ProgbarLogger`.
        model: given to all.
        params: the description of the run, given to all; of Keras 1 also `queue_length`.
    """

    if TYPE_CHECKING:  # the hooks are made below, from those of `Callback`

        def __getattr__(self, hook: str) -> Callable[..., None]: ...

    def __init__(
        self,
        callbacks: Iterable[Any] | None = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        params.pop("queue_length", None)
        self.callbacks: list[Any] = []
        self.sees_batches = self.sees_tests = self.sees_predictions = False
        self._stops: list[int] = []
        for callback in callbacks or ():
            self.append(callback)
        if add_progbar:
            self.append(ProgbarLogger())
        if add_history is True:  # a number is the queue of Keras 1
            self.append(History())
        if params:
            self.set_params(params)
        if model is not None:
            self.set_model(model)

    def append(self, callback: Any) -> None:
        """Add a callback at the end."""
        self.callbacks.append(callback)
        self.sees_batches |= overrides(callback, (*TRAIN_HOOKS, *TRAIN_HOOKS.values()))
        self.sees_tests |= overrides(callback, TEST_HOOKS)
        self.sees_predictions |= overrides(callback, PREDICT_HOOKS)
        if stop := getattr(callback, "stops_every", None):
            self._stops.append(stop)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.callbacks)

    def set_params(self, params: dict[str, Any]) -> None:
        """Give all the description of the run."""
        for callback in self.callbacks:
            callback.set_params(dict(params))

    def set_model(self, model: Any) -> None:
        """Give all the model."""
        for callback in self.callbacks:
            callback.set_model(model)

    def tell(self, hook: str, *args: Any) -> None:
        """Call a hook of all that have it, or else its older name."""
        for callback in self.callbacks:
            run = getattr(callback, hook, None)
            if run is None and hook in TRAIN_HOOKS:
                run = getattr(callback, TRAIN_HOOKS[hook], None)
            if run is not None:
                run(*args)

    def room(self, batch: int) -> int:
        """How many batches may be trained at once after so many of the epoch."""
        return min((stop - batch % stop for stop in self._stops), default=1 << 30)


def _telling(hook: str) -> Callable[..., None]:
    """The hook of a list, with the signature that it has in `Callback`."""
    today = next((new for new, old in TRAIN_HOOKS.items() if old == hook), hook)
    signature = inspect.signature(getattr(Callback, hook))
    if "batch" in signature.parameters:

        def numbered(self: CallbackList, batch: int, logs: Logs | None = None) -> None:
            self.tell(today, batch, {} if logs is None else logs)

        return numbered
    if "epoch" in signature.parameters:

        def counted(self: CallbackList, epoch: int, logs: Logs | None = None) -> None:
            self.tell(today, epoch, {} if logs is None else logs)

        return counted
    if "logs" in signature.parameters:

        def logged(self: CallbackList, logs: Logs | None = None) -> None:
            self.tell(today, {} if logs is None else logs)

        return logged

    def plain(self: CallbackList, *args: Any) -> None:
        self.tell(hook, *args)

    return plain


for _name in (*filter(lambda name: name.startswith("on_"), vars(Callback)), "release"):
    _hook = _telling(_name)
    _hook.__name__, _hook.__doc__ = _name, getattr(Callback, _name).__doc__
    setattr(CallbackList, _name, _hook)
