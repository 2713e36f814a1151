"""Losses by name, config or function, and checks of what a loss is given."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

import numpy as np

from funkeras.losses.base import (
    Loss,
    classes,
    divide_no_nan,
    fixed,
    name_of,
    registry,
    targets_of,
    written_name,
)
from funkeras.registry import custom_object_scope, get_custom_objects
from funkeras.typing import Array, Identifier, Shape

__all__ = [
    "check",
    "check_labels",
    "deserialize",
    "get",
    "reduction",
    "serialize",
    "unreduced",
    "usual_shape",
]


def get(identifier: Identifier | type) -> Any:
    """What `loss=` means: a pure function for a name, a `Loss` for a class, its name or a config.

    The function keeps the present dialect. None and the user's own callables come back unchanged.

    >>> get("mse").__name__
    'mean_squared_error'
    """
    if isinstance(identifier, str):
        of_class = identifier in list(classes) and identifier not in get_custom_objects()
        identifier = (classes if of_class else registry).find(identifier)
    if isinstance(identifier, Mapping):
        return deserialize(identifier)
    found: Any = registry.get(identifier)
    return fixed(found) if callable(found) else found


def deserialize(
    name: str | Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Any:
    """The loss that `serialize` described."""
    with custom_object_scope(custom_objects):
        if isinstance(name, str):
            return get(name)
        inner = name.get("config")
        if isinstance(inner, str):
            return get(inner)
        if isinstance(inner, Mapping) and name.get("class_name") not in get_custom_objects():
            # tf.keras adds the name of the function, which the class stands for.
            name = {**name, "config": {k: v for k, v in inner.items() if k != "fn"}}
        return classes.deserialize(name)


def serialize(loss: Any) -> Any:
    """A name, or the class name and config, from which `get` makes the loss again."""
    if hasattr(loss, "get_config"):
        return classes.serialize(loss)
    return loss if loss is None or isinstance(loss, str | Mapping) else written_name(loss)


def unreduced(identifier: Identifier | type) -> Callable[[Any, Any], Array]:
    """A pure function `(y_true, y_pred) -> values` of shape (batch, ...), for any kind of loss.

    Where a loss leaves entries out of its mean (`ignore_class`), the others are scaled up by
    size / valid: the plain mean of the values is the loss. A `Loss` whose `__call__` a user wrote
    comes back as it is.
    """
    found = get(identifier)
    if found is None:
        raise ValueError("a loss is needed, got None")
    if not isinstance(found, Loss) or type(found).__call__ is not Loss.__call__:
        return found  # also one whose class reduces by itself

    @wraps(found.call)
    def values(y_true: Any, y_pred: Any) -> Array:
        entries, mask = found.masked_values(y_true, y_pred)
        if mask is None:
            return entries
        return entries * mask * divide_no_nan(mask.size, mask.sum())

    return values


def reduction(identifier: Identifier | type) -> str | None:
    """How a loss wants its values reduced; functions want `sum_over_batch_size`."""
    chosen = getattr(get(identifier), "reduction", "sum_over_batch_size")
    return {"none": None, "auto": "sum_over_batch_size"}.get(chosen, chosen)


def _fits(shape: Shape, expected: Shape) -> bool:
    """Equal where both sizes are known; a last axis of size 1 may be missing or too much."""

    def equal(a: Shape) -> bool:
        pairs = zip(a, expected, strict=False)
        return len(a) == len(expected) and all(m == n or None in (m, n) for m, n in pairs)

    return equal(shape) or equal((*shape, 1)) or (shape[-1:] == (1,) and equal(shape[:-1]))


def _labels_shape(found: Any, y_pred_shape: Shape) -> Shape:
    """Of predictions, without the axis of the classes."""
    axis = (getattr(found, "axis", None) or -1) % len(y_pred_shape)
    return (*y_pred_shape[:axis], *y_pred_shape[axis + 1 :])


def usual_shape(identifier: Identifier | type | None, y_pred_shape: Shape) -> Shape:
    """Of targets that go with such predictions: labels have one number for each, as in Keras."""
    if identifier is None:
        return y_pred_shape
    found, function = _with_function(identifier)
    labels = targets_of(function) == "labels" and bool(y_pred_shape)
    return (*_labels_shape(found, y_pred_shape), 1) if labels else y_pred_shape


def _with_function(identifier: Identifier | type) -> tuple[Any, Any]:
    """A loss, and the function that it computes."""
    found = get(identifier)
    return found, getattr(found.function, "func", found) if isinstance(found, Loss) else found


def check(
    identifier: Identifier | type, y_true_shape: Shape, y_true_dtype: Any, y_pred_shape: Shape
) -> None:
    """Check that targets fit a loss, before anything is compiled; shapes are with the batch.

    Raises:
        ValueError: says both shapes and, where the targets suit another cross-entropy, which one.
    """
    found, function = _with_function(identifier)
    targets = targets_of(function)
    if targets == "any" or not y_true_shape or not y_pred_shape:
        return
    axis = getattr(found, "axis", None) or -1
    name = name_of(function)
    labels = _labels_shape(found, y_pred_shape)
    same, sparse = _fits(y_true_shape, y_pred_shape), _fits(y_true_shape, labels)
    one_hot = name in ("categorical_crossentropy", "categorical_focal_crossentropy")
    if targets == "labels":
        wanted = "" if sparse else f"integer labels of shape {labels}"
        hint = "for one-hot targets use categorical_crossentropy" if same else ""
    elif one_hot and y_pred_shape[axis] == 1:
        wanted, hint = (
            "predictions of two classes or more",
            "for one output use binary_crossentropy",
        )
    else:
        wanted = "" if same else "targets with the shape of the predictions"
        hint = (
            "for integer labels use sparse_categorical_crossentropy, or to_categorical on them"
            if one_hot and sparse
            else ""
        )
    if wanted:
        raise ValueError(
            f"{name} takes {wanted}; got y_true {y_true_shape} ({y_true_dtype}) "
            f"and y_pred {y_pred_shape}{hint and '; ' + hint}"
        )


def check_labels(identifier: Identifier | type, y_true: np.ndarray, y_pred_shape: Shape) -> None:
    """Check that labels are numbers of classes, if the loss takes labels.

    Raises:
        ValueError: says the labels that are found and the number of classes.
    """
    found, function = _with_function(identifier)
    if targets_of(function) != "labels" or not y_true.size:
        return
    count = y_pred_shape[getattr(found, "axis", None) or -1]
    ignored = getattr(found, "ignore_class", None)
    labels = y_true if ignored is None else y_true[y_true != ignored]
    if count is None or not labels.size:
        return
    low, high = labels.min(), labels.max()
    if low < 0 or high >= count:
        raise ValueError(
            f"{name_of(function)} of {count} classes takes labels from 0 to {count - 1}, "
            f"got labels from {low} to {high}"
        )
