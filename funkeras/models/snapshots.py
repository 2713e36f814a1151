"""A run as plain data, and back: what `BackupAndRestore` writes to go on exactly."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from funkeras.callbacks import CallbackList
from funkeras.callbacks.packing import pack, packable
from funkeras.distribution.placing import fetched
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
            "layers": _layer_names(self.model),
            "params": _by_path(self.model.params),
            "state": _by_path(self.model.state),
            "slots": None if engine.slots is None else _by_path(engine.slots),
            "totals": None if progress.totals is None else _by_path(progress.totals),
            "key": np.asarray(engine.key),
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

    def _callback_states(self) -> dict[tuple[str, int], dict[str, Any]]:
        """By class and number within it, the attributes that changed since the run began."""
        return {
            name: {
                attribute: value
                for attribute, value in _attributes(callback).items()
                if attribute not in before or not _equal(before[attribute], value)
            }
            for (name, callback), before in zip(self._named().items(), self._before, strict=True)
        }

    def _named(self) -> dict[tuple[str, int], Any]:
        """The callbacks by class and number within it: others may stand between them next time."""
        counts: Counter[str] = Counter()
        named = {}
        for callback in self.callbacks.callbacks:
            kind = type(callback).__name__
            named[kind, counts[kind]] = callback
            counts[kind] += 1
        return named

    def restore(self, saved: dict[str, Any]) -> None:
        """Bring model, engine, position and callbacks to where they were.

        Raises:
            ValueError: if the data are those of another model; nothing is changed then.
        """
        engine, progress, model = self.engine, self.progress, self.model
        if saved.get("version") != VERSION:
            raise ValueError(f"the backup has version {saved.get('version')}, expected {VERSION}")
        # Names that were numbered by class may be others now.
        renamed = dict(zip(saved["layers"], _layer_names(model), strict=False))
        params = _filled(model.params, saved["params"], renamed, "parameters")
        state = _filled(model.state, saved["state"], renamed, "state")
        slots = engine.train_state(model.params, model.state).optimizer
        if saved["slots"] is not None:
            slots = _filled(slots, saved["slots"], renamed, "optimizer state")
        totals = saved["totals"]
        if totals is not None:
            totals = _filled(engine.trained.fresh(), totals, {}, "metrics")
        order = getattr(progress.source, "order", None)
        shapes = [None if rows is None else rows.shape for rows in (order, saved["order"])]
        if shapes[0] != shapes[1]:
            raise ValueError("the backup was made with other data")
        model.adopt(params, state)
        engine.slots, engine.step = slots, int(saved["step"])
        engine.key = jnp.asarray(saved["key"])
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
        for name, callback in self._named().items():
            vars(callback).update(saved["callbacks"].get(name, {}))


def _attributes(callback: Any) -> dict[str, Any]:
    """A copy of a callback's attributes that are plain data."""
    skipped = ("model", "params", "validation_data")
    found = {k: v for k, v in vars(callback).items() if k not in skipped and packable(v)}
    return jax.tree.map(
        lambda leaf: np.array(leaf) if isinstance(leaf, np.ndarray) else leaf, found
    )


def _equal(first: Any, second: Any) -> bool:
    packed = pack(first), pack(second)
    return packed[0].keys() == packed[1].keys() and all(
        np.array_equal(packed[0][name], packed[1][name]) for name in packed[0]
    )


def _layer_names(model: Any) -> list[str]:
    """Names of all layers, those of inner models after the model itself or its wrapper."""
    names = []
    for layer in model.layers:
        names.append(layer.name)
        for inner in (layer, *layer._arguments.values()):
            if hasattr(inner, "layers"):
                names += _layer_names(inner)
    return names


def _path(keys: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(jax.tree_util.keystr((key,), simple=True) for key in keys)


def _by_path(tree: PyTree) -> dict[tuple[str, ...], np.ndarray]:
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {_path(keys): fetched(leaf) for keys, leaf in leaves}


def _filled(
    tree: PyTree,
    arrays: dict[tuple[str, ...], np.ndarray],
    renamed: dict[str, str],
    what: str,
) -> PyTree:
    """The tree with other arrays of the same names, shapes and dtypes."""
    came = {tuple(renamed.get(p, p) for p in path): array for path, array in arrays.items()}
    own = jax.tree_util.tree_leaves_with_path(tree)
    described = {_path(keys): f"{leaf.dtype}{list(leaf.shape)}" for keys, leaf in own}
    found = {path: f"{array.dtype}{list(array.shape)}" for path, array in came.items()}
    if described != found:
        different = sorted({"/".join(p) for p, _ in set(described.items()) ^ set(found.items())})
        raise ValueError(
            f"the backup is of another model: its {what} differ in {', '.join(different[:8])}"
        )
    return jax.tree_util.tree_map_with_path(lambda keys, leaf: jnp.asarray(came[_path(keys)]), tree)
