"""A run as plain data, and back: what `BackupAndRestore` writes to go on exactly."""

from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import random

from funkeras.callbacks import CallbackList
from funkeras.callbacks.packing import pack, packable
from funkeras.typing import PyTree

__all__ = ["Run"]

VERSION = 1


@dataclass
class Run:
    """A run that is under way: its model, engine, position and callbacks."""

    engine: Any
    model: Any
    progress: Any
    callbacks: CallbackList
    _before: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._before = [_attributes(callback) for callback in self.callbacks.callbacks]

    def capture(self) -> dict[str, Any]:
        """Everything that the rest of the run depends on, as lists, dicts, numbers and arrays."""
        engine, progress = self.engine, self.progress
        generator: Any = np.random.get_state(legacy=True)
        return {
            "version": VERSION,
            "params": _leaves(self.model.params),
            "state": _leaves(self.model.state),
            "slots": None if engine.slots is None else _leaves(engine.slots),
            "totals": None if progress.totals is None else _leaves(progress.totals),
            "key": np.asarray(random.key_data(engine.key)),
            "step": engine.step,
            "epoch": progress.epoch,
            "batch": progress.batch,
            "seen": progress.seen,
            "order": getattr(progress.source, "order", None),
            "numpy": [generator[0], generator[1], *map(float, generator[2:])],
            "hyperparameters": engine.optimizer.values(),
            "stop_training": bool(self.model.stop_training),
            "callbacks": self._callback_states(),
        }

    def _callback_states(self) -> list[list[Any]]:
        """For each callback its class, and the attributes that changed since the run began."""
        states = []
        for callback, before in zip(self.callbacks.callbacks, self._before, strict=True):
            changed = {
                name: value
                for name, value in _attributes(callback).items()
                if name not in before or not _equal(before[name], value)
            }
            states.append([type(callback).__name__, changed])
        return states

    def restore(self, saved: dict[str, Any]) -> None:
        """Bring model, engine, position and callbacks to where they were.

        Raises:
            ValueError: if the data are those of another model; nothing is changed then.
        """
        engine, progress, model = self.engine, self.progress, self.model
        if saved.get("version") != VERSION:
            raise ValueError(f"the backup has version {saved.get('version')}, expected {VERSION}")
        params = _filled(model.params, saved["params"], "parameters")
        state = _filled(model.state, saved["state"], "state")
        slots = engine.train_state(model.params, model.state).optimizer
        if saved["slots"] is not None:
            slots = _filled(slots, saved["slots"], "optimizer state")
        totals = saved["totals"]
        if totals is not None:
            totals = _filled(engine.fresh(), totals, "metrics")
        order = getattr(progress.source, "order", None)
        shapes = [None if rows is None else rows.shape for rows in (order, saved["order"])]
        if shapes[0] != shapes[1]:
            raise ValueError("the backup was made with other data")
        model.adopt(params, state)
        engine.slots, engine.step = slots, int(saved["step"])
        engine.key = random.wrap_key_data(jnp.asarray(saved["key"]), impl="threefry2x32")
        engine.optimizer.iterations = int(slots.iterations)
        if order is None:
            progress.source.skip(saved["epoch"] - progress.epoch)
        else:
            progress.source.order = np.array(saved["order"])
            name, keys, position, *gauss = saved["numpy"]
            np.random.set_state((name, keys, int(position), int(gauss[0]), gauss[1]))
        progress.epoch, progress.batch, progress.seen = (
            int(saved[name]) for name in ("epoch", "batch", "seen")
        )
        progress.totals = totals
        model.stop_training = saved["stop_training"]
        progress.reapply = lambda: self._reapply(saved)
        self._reapply(saved)

    def _reapply(self, saved: dict[str, Any]) -> None:
        """Set what the hooks at the beginning of a run and of an epoch may have changed again."""
        for name, value in saved["hyperparameters"].items():
            self.engine.optimizer.hyperparameters[name].assign(value)
        for callback, (kind, state) in zip(
            self.callbacks.callbacks, saved["callbacks"], strict=False
        ):
            if type(callback).__name__ == kind:
                vars(callback).update(state)


def _attributes(callback: Any) -> dict[str, Any]:
    """A copy of a callback's attributes that are plain data."""
    skipped = ("model", "params")
    found = {k: v for k, v in vars(callback).items() if k not in skipped and packable(v)}
    return jax.tree.map(
        lambda leaf: np.array(leaf) if isinstance(leaf, np.ndarray) else leaf, found
    )


def _equal(first: Any, second: Any) -> bool:
    packed = pack(first), pack(second)
    return packed[0].keys() == packed[1].keys() and all(
        np.array_equal(packed[0][name], packed[1][name]) for name in packed[0]
    )


def _leaves(tree: PyTree) -> list[np.ndarray]:
    return [np.asarray(leaf) for leaf in jax.tree.leaves(tree)]


def _filled(tree: PyTree, arrays: list[np.ndarray], what: str) -> PyTree:
    """The tree with other arrays of the same shapes and dtypes."""
    leaves, structure = jax.tree.flatten(tree)
    own = [(leaf.shape, leaf.dtype) for leaf in leaves]
    came = [(array.shape, array.dtype) for array in arrays]
    if own != came:
        raise ValueError(
            f"the backup is of another model: its {what} are {_short(came)}, "
            f"the model's are {_short(own)}"
        )
    return structure.unflatten([jnp.asarray(array) for array in arrays])


def _short(described: list[Any]) -> str:
    text = ", ".join(f"{dtype}{list(shape)}" for shape, dtype in described)
    return text if len(text) < 300 else f"{text[:300]}…"
