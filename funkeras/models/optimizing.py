"""Optimizers and files: how a model was compiled, and the state that training goes on from.

A `.keras` file says both as Keras 3 does, also of an optimizer of Keras 1 or 2, whose state is then
that of its twin: the optimizer of Keras 3 with the same numbers.
"""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np

from funkeras import config, losses, metrics, optimizers
from funkeras.formats.keras3 import Holders, layer_places
from funkeras.functional.training import select
from funkeras.models import descriptions
from funkeras.optimizers.written import EACH, OLD
from funkeras.variables import Variable, value_of

__all__ = [
    "Slots",
    "holders_inside",
    "read_weights",
    "restore",
    "state_arrays",
    "training_config",
    "write_weights",
]


def training_config(model: Any) -> dict[str, Any] | None:
    """What `compile` chose, as data; None for a model that is not compiled."""
    settings = model._compiled
    if settings is None:
        return None

    def each(serialize: Any, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [each(serialize, item) for item in value]
        if isinstance(value, Mapping) and "class_name" not in value:
            return {key: each(serialize, item) for key, item in value.items()}
        return value if value is None or isinstance(value, str) else serialize(value)

    return {
        "optimizer_config": optimizers.serialize(model.optimizer),
        "loss": each(losses.serialize, settings["loss"]),
        "metrics": each(metrics.serialize, settings["metrics"]),
        "weighted_metrics": each(metrics.serialize, settings["weighted_metrics"]),
        "loss_weights": each(lambda own: float(value_of(own)), settings["loss_weights"]),
        "sample_weight_mode": None,
    }


def state_arrays(model: Any, form: int) -> list[tuple[str, np.ndarray]]:
    """Names and arrays of the optimizer's state, in the order of its era's files, or of Keras 3's.

    Args:
        form: 2 for HDF5 files, 3 for `.keras`.
    """
    engine, state, optimizer = model._engine, model._optimizer_state, model.optimizer
    if engine is not None and engine.slots is not None:
        state = engine.slots
    if state is None:  # before the first step
        return []
    if form == 3 and (twin := _twin(optimizer)) is not None:
        state, optimizer = _carried(state, twin, _trained(model)), twin
    arrays = optimizer.state_arrays(state, lambda tree: _leaves(model, tree))
    return [(f"{name}:0", np.asarray(array)) for name, array in arrays]


def holders_inside(optimizer: Any, state: Sequence[tuple[str, np.ndarray]]) -> Holders:
    """What a `.keras` file has of the optimizers in another, again, each in a place of its own.

    Args:
        state: names and arrays, as `state_arrays` gives them.
    """
    if (inner := getattr(optimizer, "inner_optimizer", None)) is not None:
        return {"optimizer/inner_optimizer": (inner.name, [array for _, array in state[4:]])}
    several = getattr(optimizer, "optimizers", ())
    places = layer_places([type(one).__name__ for one in several], "optimizer/optimizers")
    return {
        place: (one.name, [array for name, array in state if name.startswith(f"{number}/")])
        for number, (place, one) in enumerate(zip(places, several, strict=True))
    }


def read_weights(model: Any) -> list[np.ndarray]:
    """The arrays of the optimizer's state as its era has them, also before the first step."""
    if model._engine is None and model._optimizer_state is None:
        model._optimizer_state = model.optimizer.functional.init(_trained(model))
    return [array for _, array in state_arrays(model, 2)]


def write_weights(model: Any, arrays: Sequence[Any]) -> None:
    """Let training go on from the arrays that `read_weights` gave.

    Raises:
        ValueError: if they do not fit.
    """
    fresh = model.optimizer.functional.init(_trained(model))
    given = [np.asarray(array) for array in arrays]
    state = model.optimizer.load_state_arrays(fresh, given, lambda tree: _leaves(model, tree))
    model._optimizer_state = state
    if model._engine is not None:
        model._engine.slots = state


class Slots:
    """The state of a model's optimizer, as the owner of variables."""

    params: ClassVar[dict[str, Any]] = {}

    def __init__(self, model: Any) -> None:
        self.model = model
        self.name = model.optimizer.name
        self._read: tuple[Any, dict[str, Any]] = (None, {})

    def variables(self) -> list[Variable]:
        """A variable for each array, in the order of files."""
        return [Variable.of(self, name, a.shape, False) for name, a in self.state.items()]

    @property
    def state(self) -> dict[str, Any]:
        """The arrays as they are now, by name: `net_dense_kernel_momentum`."""
        engine = self.model._engine
        now = self.model._optimizer_state if engine is None else engine.slots
        if now is None or self._read[0] is not now:
            found = {self._named(name): a for name, a in state_arrays(self.model, 2)}
            self._read = now, {name: jnp.asarray(a) for name, a in found.items()}
        return self._read[1]

    def _named(self, name: str) -> str:
        """Keras 3's name of what files call `momentum/dense/kernel:0`."""
        slot, _, weight = name.partition(":")[0].partition("/")
        if slot.isdecimal():  # of one of several optimizers
            return f"{slot}_{self._named(weight)}"
        if not weight:
            return "iteration" if slot == "iterations" else slot
        layer, _, own = weight.partition("/")
        path = self.model.get_layer(layer).path_of(own) if own else self.model.path_of(layer)
        return f"{path.replace('/', '_')}_{slot}"

    def path_of(self, place: str) -> str:
        """The path of a variable."""
        return f"{self.name}/{place}"

    def assign(self, values: Mapping[str, Any]) -> None:
        """Let training go on from other arrays.

        Raises:
            ValueError: for an array of another shape; nothing is changed then.
        """
        arrays = {**self.state, **values}
        for name, value in values.items():
            if np.shape(value) != (own := self.state[name].shape):
                raise ValueError(f"{self.path_of(name)} has shape {own}, got {np.shape(value)}")
        write_weights(self.model, list(arrays.values()))
        self.model.optimizer.iterations = int(self.model._optimizer_state.iterations)
        for name in set(values) & set(self.model.optimizer.values()):
            setattr(self.model.optimizer, name, float(values[name]))


def restore(model: Any, arrays: Sequence[np.ndarray], form: int) -> None:
    """Let training go on from a saved state; where that does not fit, it warns and begins anew.

    Args:
        form: 3 for arrays that are in the order of Keras 3, whatever the optimizer's era.
    """
    if all(not array.ndim for array in arrays) and not arrays[0]:
        return  # of an optimizer that has made no step; Keras 3 saves a counter even so
    own, params = model.optimizer, _trained(model)
    twin = _twin(own) if form == 3 else None
    reader = own if twin is None else twin
    fresh = reader.functional.init(params)
    try:
        state = reader.load_state_arrays(fresh, arrays, lambda tree: _leaves(model, tree))
    except (ValueError, TypeError, KeyError) as error:
        warnings.warn(f"the optimizer of {model.name!r} begins anew: {error}", stacklevel=3)
        return
    if twin is not None:
        own.learning_rate = float(state.hyperparameters.get("learning_rate", own.learning_rate))
        state = _carried(state, own, params)
    model._optimizer_state = state


def _twin(optimizer: Any) -> Any:
    """The optimizer of Keras 3 with the numbers of an older one.

    None for those of Keras 3, and for steps that users write, whose state has one order.
    """
    inside = getattr(optimizer, "inner_optimizer", optimizer)
    if getattr(inside, "era", "modern") == "modern" or inside.writes(*EACH, *OLD):
        return None
    described = descriptions.optimizer_3(optimizers.serialize(optimizer))
    with config.using_dialect("modern"):
        return optimizers.get(described)


def _carried(state: Any, optimizer: Any, params: Any) -> Any:
    """The state of one optimizer as that of another with the same rule."""
    fresh = optimizer.functional.init(params)
    steps = int(state.iterations)
    inside = getattr(optimizer, "inner_optimizer", optimizer)
    scalars = {**inside.rule.scalars(inside.values(), steps), **state.scalars}
    return fresh._replace(
        iterations=state.iterations,
        slots={name: state.slots.get(name, own) for name, own in fresh.slots.items()},
        scalars={name: scalars[name] for name in fresh.scalars},
    )


def _trained(model: Any) -> Any:
    trainable = model.trainable_paths()
    return select(model.params, lambda path: path in trainable)


def _leaves(model: Any, tree: Any) -> list[Any]:
    """Leaves of a tree like the trainable parameters, in the order of files."""
    wanted = model.trainable_paths()
    own = [weight.name for weight in model.own_weights]
    paths = [f"{layer.name}/{w.name}" for layer in model.layers for w in layer.declared_weights()]
    leaves = []
    for path in [*own, *paths]:
        if path in wanted:
            leaf = tree
            for step in path.split("/"):
                leaf = leaf[step]
            leaves.append(leaf)
    return leaves
