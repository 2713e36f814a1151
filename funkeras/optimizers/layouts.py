"""The order in which each Keras saves the state of an optimizer."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from funkeras.distribution.placing import fetched
from funkeras.optimizers.updates import NO_SLOT, OWN, OptimizerState
from funkeras.typing import PyTree

if TYPE_CHECKING:
    from funkeras.optimizers.base import Optimizer

__all__ = ["LAYOUTS", "Layout", "loaded", "saved", "snake_case"]

Arrange = Callable[[PyTree], Sequence[Any]]


class Layout(NamedTuple):
    """What comes in what order: counter, learning rate, carried scalars, slots."""

    counter: str
    """Type of the step counter."""
    uncounted: tuple[str, ...] = ()
    """Optimizers that do not save the counter."""
    learning_rate: bool = False
    interleaved: bool = False
    """Slots of one parameter side by side, instead of one slot of all parameters."""
    scalars: str = "not saved"
    """Where carried scalars are: "first", "last" or "not saved"."""


_UNCOUNTED = ("RMSprop", "Adagrad", "Adadelta")
LAYOUTS = {
    "classic": Layout("float32", _UNCOUNTED),
    "keras2": Layout("int64", _UNCOUNTED),
    "legacy": Layout("int64", scalars="first"),
    "keras3": Layout("int32", learning_rate=True, interleaved=True, scalars="last"),
    "tf_keras": Layout("int64", interleaved=True),
}
"""Keras 1, 2.2.4, tf.keras before 2.11, 3, and tf.keras since 2.11."""

FAMILIES = {
    "classic": ("classic", "keras2", "legacy"),
    "keras2": ("keras2", "classic", "legacy"),
    "legacy": ("legacy", "keras2", "classic"),
    "modern": ("keras3", "tf_keras"),
}
"""Era → the layouts it can be loaded from without saying which; it is saved in the first.

They are told apart by the number of arrays; where two have the same, they are the same.
"""


class Entry(NamedTuple):
    """One saved array: its name, its value, and how a value takes its place in the state."""

    name: str
    value: np.ndarray
    put: Callable[[dict[str, Any], Any], None]


def snake_case(name: str) -> str:
    """Keras 3's name of an object of a class.

    >>> snake_case("RMSprop"), snake_case("AdamW"), snake_case("SGD")
    ('rm_sprop', 'adam_w', 'sgd')
    """
    name = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def _ignore(parts: dict[str, Any], value: Any) -> None:
    """The place of an array that means nothing to the state."""


def _into(part: str, key: Any) -> Callable[[dict[str, Any], Any], None]:
    def put(parts: dict[str, Any], value: Any) -> None:
        parts[part][key] = value

    return put


def _entries(
    optimizer: "Optimizer", state: OptimizerState, arrange: Arrange, name: str
) -> Iterator[Entry]:
    """What the layout of that name saves, in order."""
    layout = LAYOUTS[name]
    kind = optimizer.rule_name
    if kind not in layout.uncounted:
        # Keras 1 counts the steps of SGD only when it needs them.
        idle = name == "classic" and kind == "SGD" and not float(optimizer.decay)
        count = np.asarray(0 if idle else state.iterations, layout.counter)
        yield Entry("iterations", count, _into("whole", "iterations"))
    if layout.learning_rate and "learning_rate" in state.hyperparameters:
        rate = np.asarray(state.hyperparameters["learning_rate"])
        yield Entry("learning_rate", rate, _into("hyperparameters", "learning_rate"))
    scalars = [
        Entry(key, np.asarray(value), _into("scalars", key)) for key, value in state.scalars.items()
    ]
    yield from scalars if layout.scalars == "first" else ()
    yield from _slot_entries(optimizer, state, arrange, name)
    yield from scalars if layout.scalars == "last" else ()


def _slot_entries(
    optimizer: "Optimizer", state: OptimizerState, arrange: Arrange, layout: str
) -> Iterator[Entry]:
    common = [(name,) for name in ("average", "gradient_accumulator")]
    groups = [group for group in (*common, *optimizer.rule.slots) if set(group) <= set(state.slots)]
    if layout == "legacy" and optimizer.rule_name == "SGD" and not float(optimizer.momentum):
        groups = [group for group in groups if "momentum" not in group]
    columns: dict[str, list[Entry]] = {}
    for name in (name for group in groups for name in group):
        leaves, tree = jax.tree_util.tree_flatten_with_path(state.slots[name])
        columns[name] = [
            Entry(
                f"{name}/{jax.tree_util.keystr(leaves[i][0], simple=True, separator='/')}",
                fetched(leaves[i][1]),
                _into(f"slot {name}", i),
            )
            for i in arrange(tree.unflatten(range(len(leaves))))
        ]
    if LAYOUTS[layout].interleaved:
        for group in groups:
            for row in zip(*(columns[name] for name in group), strict=True):
                yield from (entry for entry in row if entry.value.shape != NO_SLOT)
    else:
        for column in columns.values():
            yield from (entry for entry in column if entry.value.shape != NO_SLOT)
    if layout == "keras2" and optimizer.rule_name == "Adam" and "velocity_hat" not in columns:
        for entry in columns.get("velocity", ()):
            blank = np.zeros(1, entry.value.dtype)
            yield Entry(entry.name.replace("velocity", "velocity_hat"), blank, _ignore)
    if OWN in state.slots:
        for place, name in optimizer.in_files(arrange):
            yield Entry(name, np.asarray(state.slots[OWN][place]), _into(f"slot {OWN}", place))


def saved(
    optimizer: "Optimizer", state: OptimizerState, arrange: Arrange, layout: str | None
) -> list[tuple[str, np.ndarray]]:
    """Names and arrays of the state in a layout, by default that of the optimizer's era."""
    name = FAMILIES[optimizer.era][0] if layout is None else _known(layout)
    return [(entry.name, entry.value) for entry in _entries(optimizer, state, arrange, name)]


def _known(layout: str) -> str:
    if layout not in LAYOUTS:
        raise ValueError(f"layout must be one of {', '.join(LAYOUTS)}; got {layout!r}")
    return layout


def _misfit(entries: Sequence[Entry], arrays: Sequence[np.ndarray]) -> str:
    """Why the arrays are not these entries; empty when they are."""
    if len(entries) != len(arrays):
        return f"{len(entries)} arrays are expected, got {len(arrays)}"
    for entry, array in zip(entries, arrays, strict=True):
        if entry.value.shape != array.shape:
            return f"{entry.name} must have shape {entry.value.shape}, got {array.shape}"
    return ""


def loaded(
    optimizer: "Optimizer",
    state: OptimizerState,
    arrays: Sequence[Any],
    arrange: Arrange,
    layout: str | None,
) -> OptimizerState:
    """The state with the saved arrays in it."""
    arrays = [np.asarray(array) for array in arrays]
    names = FAMILIES[optimizer.era] if layout is None else (_known(layout),)
    reasons = {}
    for name in names:
        entries = list(_entries(optimizer, state, arrange, name))
        # Every SGD of tf.keras saves momentum; without momentum nothing ever reads it.
        unread = name == "tf_keras" and optimizer.rule_name == "SGD" and len(entries) == 1
        used = arrays[:1] if unread else arrays
        reasons[name] = _misfit(entries, used)
        if not reasons[name]:
            return _filled(optimizer, state, entries, used)
    reason = "; ".join(f"as {name}, {reason}" for name, reason in reasons.items())
    raise ValueError(f"these are not the arrays of this {type(optimizer).__name__}: {reason}")


def _filled(
    optimizer: "Optimizer",
    state: OptimizerState,
    entries: Sequence[Entry],
    arrays: Sequence[np.ndarray],
) -> OptimizerState:
    flat = {name: jax.tree.flatten(tree) for name, tree in state.slots.items()}
    parts: dict[str, Any] = {
        "whole": {"iterations": state.iterations},
        "hyperparameters": dict(state.hyperparameters),
        "scalars": {},
        **{f"slot {name}": leaves for name, (leaves, _) in flat.items()},
    }
    for entry, array in zip(entries, arrays, strict=True):
        entry.put(parts, array)
    iterations = int(parts["whole"]["iterations"])
    scalars = {**optimizer.rule.scalars(optimizer.values(), iterations), **parts["scalars"]}
    if "learning_rate" in optimizer.hyperparameters:
        optimizer.learning_rate = parts["hyperparameters"]["learning_rate"]
    like = OptimizerState(
        hyperparameters=parts["hyperparameters"],
        iterations=jnp.asarray(iterations),
        slots={name: tree.unflatten(parts[f"slot {name}"]) for name, (_, tree) in flat.items()},
        scalars=scalars,
    )
    return jax.tree.map(lambda old, new: jnp.asarray(new, old.dtype), state, like)
