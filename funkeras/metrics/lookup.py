"""Metrics by name, config, function or object, and what they are called in logs."""

from collections.abc import Callable, Mapping
from typing import Any

from funkeras import config, losses, spellings
from funkeras.losses.base import Loss, fixed, name_of, written_name
from funkeras.metrics.base import Metric, classes
from funkeras.metrics.functions import (
    binary_accuracy,
    categorical_accuracy,
    registry,
    sparse_categorical_accuracy,
)
from funkeras.metrics.means import MeanMetricWrapper
from funkeras.metrics.written import LayerMetric, is_stateful_layer
from funkeras.registry import custom_object_scope, get_custom_objects
from funkeras.typing import Array, Identifier, Shape

__all__ = ["deserialize", "for_training", "get", "serialize", "values"]

KINDS: dict[str, dict[str, Callable[..., Array]]] = {
    "acc": {
        "binary": binary_accuracy,
        "sparse": sparse_categorical_accuracy,
        "categorical": categorical_accuracy,
    },
    "ce": {
        "binary": losses.binary_crossentropy,
        "sparse": losses.sparse_categorical_crossentropy,
        "categorical": losses.categorical_crossentropy,
    },
}
GENERIC = {"acc": "acc", "accuracy": "acc", "ce": "ce", "crossentropy": "ce"}
"""Names whose meaning depends on the loss and the shapes, and what Keras 1 and 2 log them as."""


def _named(name: str) -> Any:
    """The thing of that name: Keras 3 prefers classes, Keras 1 and 2 functions."""
    custom = get_custom_objects()
    exact = {cls.__name__: cls for _, cls in classes.items()}
    if name in custom or name in exact:
        return custom.get(name) or exact[name]
    functions = (registry, losses.registry)
    places = (classes, *functions) if config.dialect() == "modern" else (*functions, classes)
    for place in places:
        if name in place:
            return place.find(name)
    hint = spellings.nearest(name, [known for place in places for known in place])
    raise ValueError(f"unknown metric {name!r}{hint}")


def get(identifier: Identifier | type) -> Any:
    """What an entry of `metrics=` means: a `Metric`, or a function of `y_true` and `y_pred`.

    A function keeps the present dialect. A loss object is a metric by its unreduced values.

    >>> get("AUC")
    AUC(num_thresholds=200, curve='ROC', ...)
    """
    if isinstance(identifier, str):
        identifier = _named(identifier)
    if isinstance(identifier, Mapping):
        return deserialize(identifier)
    found: Any = classes.get(identifier)
    return fixed(found) if callable(found) else found


def deserialize(
    config: str | Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Any:
    """The metric that `serialize` described."""
    with custom_object_scope(custom_objects):
        if isinstance(config, str):
            return get(config)
        arguments = config.get("config")
        if isinstance(arguments, str):
            return get(arguments)
        if config.get("class_name") == "MeanMetricWrapper":
            return MeanMetricWrapper(**{**(arguments or {}), "fn": get((arguments or {})["fn"])})
        return classes.deserialize(config)


def serialize(metric: Any) -> Any:
    """A name, or the class name and config, from which `get` makes the metric again."""
    if isinstance(metric, MeanMetricWrapper):
        options = metric.get_config()
        options["fn"] = written_name(options["fn"])
        return {"class_name": "MeanMetricWrapper", "config": options}
    if isinstance(metric, Metric):
        return classes.serialize(metric)
    if is_stateful_layer(metric):
        return {"class_name": type(metric).__name__, "config": metric.get_config()}
    return metric if metric is None or isinstance(metric, str | Mapping) else written_name(metric)


def values(metric: Callable[..., Any]) -> Callable[[Any, Any], Array]:
    """The pure function `(y_true, y_pred)` -> per-sample values, or one number for the batch."""
    if isinstance(metric, Loss):
        return losses.unreduced(metric)
    return fixed(metric)


def _kind(loss: Any, y_pred_shape: Shape, y_true_shape: Shape | None) -> str:
    """Whether targets are binary, integer labels or one-hot, by the rule of the dialect."""
    found = losses.get(loss)
    name = name_of(
        getattr(found.function, "func", found) if isinstance(found, losses.Loss) else found
    )
    single = y_pred_shape[-1:] == (1,)
    if config.dialect() == "modern" and y_true_shape is not None:
        fewer = len(y_true_shape) < len(y_pred_shape) or y_true_shape[-1:] == (1,)
        return "binary" if single else "sparse" if fewer else "categorical"
    by_name = {"binary_crossentropy": "binary", "sparse_categorical_crossentropy": "sparse"}
    return "binary" if single else by_name.get(name, "categorical")


def for_training(
    identifier: Identifier | type,
    y_pred_shape: Shape,
    loss: Any,
    y_true_shape: Shape | None = None,
) -> tuple[str, Any]:
    """The name in logs and the metric, for an output of that shape trained with that loss.

    "accuracy" becomes binary, categorical or sparse categorical: in Keras 1 and 2 by the loss, in
    Keras 3 by the shapes. Keras 1 and 2 log a function's own name, Keras 3 the string as given.
    In the modern dialect the metric is always a `Metric`.
    """
    modern = config.dialect() == "modern"
    generic = GENERIC.get(identifier.lower()) if isinstance(identifier, str) else None
    if generic and identifier not in get_custom_objects():
        found: Any = fixed(KINDS[generic][_kind(loss, y_pred_shape, y_true_shape)])
        name = str(identifier) if modern else generic
    else:
        found = get(identifier)
        if is_stateful_layer(found):
            found = LayerMetric(found, (y_true_shape or y_pred_shape, y_pred_shape))
        name = found.name if isinstance(found, Metric) else name_of(found)
        if modern and isinstance(identifier, str):
            name = identifier
            if isinstance(found, Metric):
                found.name = name
    if modern and not isinstance(found, Metric):
        found = MeanMetricWrapper(values(found), name)
    return name, found
