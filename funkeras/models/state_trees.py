"""A model's variables as nested dicts by their paths, as Keras 3's `get_state_tree` has them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from funkeras.typing import PyTree

__all__ = ["KINDS", "replaced", "state_tree"]

Named: TypeAlias = Sequence[tuple[str, Any]]

FORMATS: dict[str, Callable[[Any], Any]] = {
    "backend_tensor": jnp.asarray,
    "numpy_array": np.asarray,
}
"""Word → what makes the leaves."""


def _metrics(model: Any) -> Named:
    """Variables of the metrics, each under the name of its own."""
    rows = ((metric.name, own) for metric in model.metrics for own in metric.variables)
    return [(own.name if "/" in own.name else f"{name}/{own.name}", own) for name, own in rows]


def _by_path(variables: Sequence[Any]) -> Named:
    return [(variable.path, variable) for variable in variables]


KINDS: dict[str, Callable[[Any], Named]] = {
    "trainable_variables": lambda model: _by_path(model.trainable_variables),
    "non_trainable_variables": lambda model: _by_path(model.non_trainable_variables),
    "optimizer_variables": lambda model: _by_path(model.optimizer.variables),
    "metrics_variables": _metrics,
}
"""First key → paths and variables of that kind; the last two only of a compiled model."""


def _told(model: Any) -> dict[str, Named]:
    """Paths and variables of each kind; of those with the same path the later have a number."""
    kinds = list(KINDS) if model.optimizer is not None else list(KINDS)[:2]
    told: dict[str, Named] = {}
    for kind in kinds:
        counts: dict[str, int] = {}
        rows = []
        for path, variable in KINDS[kind](model):
            number = counts[path] = counts.get(path, -1) + 1
            rows.append((f"{path}_{number}" if number else path, variable))
        told[kind] = rows
    return told


def state_tree(model: Any, value_format: str) -> dict[str, PyTree]:
    """The values of all variables.

    Raises:
        ValueError: for another format.
    """
    if value_format not in FORMATS:
        raise ValueError(f"value_format must be one of {list(FORMATS)}, got {value_format!r}")
    leaf = FORMATS[value_format]
    tree: dict[str, PyTree] = {}
    for kind, rows in _told(model).items():
        tree[kind] = {}
        for path, variable in rows:
            node: Any = tree[kind]
            *outer, last = path.split("/")
            for name in outer:
                node = node.setdefault(name, {})
            node[last] = leaf(variable.value)
    return tree


def replaced(model: Any, tree: Mapping[str, PyTree]) -> None:
    """Give the variables that a tree has the values that they have there.

    Raises:
        ValueError: for a kind, a path or a shape that the model hasn't; nothing is changed then.
    """
    told = _told(model)
    changes: dict[Any, dict[str, Any]] = {}
    for kind, part in tree.items():
        if kind not in told:
            raise ValueError(f"{model.name!r} has no {kind}; it has {', '.join(told)}")
        known = dict(told[kind])
        for place, value in jax.tree_util.tree_leaves_with_path(part):
            path = "/".join(str(key.key) for key in place)
            if path not in known:
                raise ValueError(f"{model.name!r} has no {path} among its {kind}")
            shape = np.shape(known[path].value)
            if shape != np.shape(value):
                raise ValueError(f"{path} has shape {shape}, got {np.shape(value)}")
            variable = known[path]
            owner = getattr(variable, "owner", None)
            of_owner = owner is not None
            changes.setdefault(owner if of_owner else variable, {})[
                variable.place if of_owner else ""
            ] = value
    for owner, values in changes.items():  # an optimizer takes all that is its own at once
        owner.assign(values.get("", values))
