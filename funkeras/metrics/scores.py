"""Metrics from sums per class: F-scores, R², intersection over union."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from funkeras import config
from funkeras.losses.base import aligned, as_float
from funkeras.metrics.base import Triple, accumulator_dtype, metric_class
from funkeras.typing import Array, ArrayLike, Shape, State

__all__ = [
    "BinaryIoU",
    "F1Score",
    "FBetaScore",
    "IoU",
    "MeanIoU",
    "OneHotIoU",
    "OneHotMeanIoU",
    "R2Score",
]


def _width(metric: str, shape: Shape | None) -> int:
    """Number of columns of predictions (batch, columns)."""
    if shape is None or len(shape) != 2 or shape[-1] is None:
        raise ValueError(f"{metric} takes predictions of shape (batch, columns); got {shape}")
    return shape[-1]


def _f_beta(
    average: str | None = None,
    beta: float = 1.0,
    threshold: float | None = None,
    name: str = "fbeta_score",
    dtype: Any = None,
) -> Triple:
    """`(1 + beta²)·precision·recall / (beta²·precision + recall)` of each class, or averaged.

    `average` is None, "micro" (count over all classes), "macro" (mean) or "weighted" (by class
    size). Without `threshold` the highest score of a row is its only positive.
    """
    if average not in (None, "micro", "macro", "weighted"):
        raise ValueError(f"average must be None, micro, macro or weighted; got {average!r}")
    if not beta > 0:
        raise ValueError(f"beta must be above 0, got {beta}")
    if threshold is not None and not 0 < threshold <= 1:
        raise ValueError(f"threshold must be in (0, 1], got {threshold}")
    axis = None if average == "micro" else 0
    names = ("true_positives", "false_positives", "false_negatives", "intermediate_weights")

    def init(shape: Shape | None = None) -> State:
        size = () if average == "micro" else (_width("FBetaScore", shape),)
        return {key: jnp.zeros(size, accumulator_dtype(dtype)) for key in names}

    def update(
        state: State, y_true: ArrayLike, y_pred: ArrayLike, weights: ArrayLike | None = None
    ) -> State:
        actual, score = aligned(y_true, y_pred)
        _width("FBetaScore", score.shape)
        if threshold is None:
            # A row of zeros has no positive at all.
            positive = (score >= score.max(axis=-1, keepdims=True)) & (jnp.abs(score) > 1e-9)
        else:
            positive = score > threshold
        predicted = positive.astype(score.dtype)
        weight = 1 if weights is None else jnp.asarray(weights).astype(score.dtype)[:, None]
        parts = (
            predicted * actual,
            predicted * (1 - actual),
            (1 - predicted) * actual,
            actual,
        )
        return {
            key: state[key] + jnp.sum(part * weight, axis=axis)
            for key, part in zip(names, parts, strict=True)
        }

    def result(state: State) -> Array:
        hits, extra, missed, sizes = (state[key] for key in names)
        epsilon = config.epsilon()
        precision, recall = hits / (hits + extra + epsilon), hits / (hits + missed + epsilon)
        score = precision * recall / (beta**2 * precision + recall + epsilon) * (1 + beta**2)
        if average == "weighted":
            return jnp.sum(score * sizes / (jnp.sum(sizes) + epsilon))
        return score if average is None else jnp.mean(score)

    return Triple(init, update, result)


def _f1(
    average: str | None = None,
    threshold: float | None = None,
    name: str = "f1_score",
    dtype: Any = None,
) -> Triple:
    """`FBetaScore` with beta 1: the harmonic mean of precision and recall."""
    return _f_beta(average, 1.0, threshold, name, dtype)


def _r2(
    class_aggregation: str | None = "uniform_average",
    num_regressors: int = 0,
    name: str = "r2_score",
    dtype: Any = None,
) -> Triple:
    """`1 - sum((y_true - y_pred)²) / sum((y_true - mean)²)`: the share of variance explained.

    `class_aggregation` over columns: None, "uniform_average" or "variance_weighted_average". With
    `num_regressors` p it is adjusted: `1 - (1 - R²)(n - 1)/(n - p - 1)`; Keras 3 counts entries
    of `y_true` as n.
    """
    if class_aggregation not in (None, "uniform_average", "variance_weighted_average"):
        raise ValueError(
            "class_aggregation must be None, uniform_average or variance_weighted_average; "
            f"got {class_aggregation!r}"
        )
    if num_regressors < 0:
        raise ValueError(f"num_regressors must be 0 or more, got {num_regressors}")
    names = ("squared_sum", "sum", "residual", "count")

    def init(shape: Shape | None = None) -> State:
        kind = accumulator_dtype(dtype)
        sums = {key: jnp.zeros(_width("R2Score", shape), kind) for key in names}
        return {"num_samples": jnp.zeros((), kind), **sums}

    def update(
        state: State, y_true: ArrayLike, y_pred: ArrayLike, weights: ArrayLike | None = None
    ) -> State:
        y_true, y_pred = aligned(y_true, y_pred)
        _width("R2Score", y_pred.shape)
        weight = jnp.asarray(1 if weights is None else weights).astype(y_pred.dtype)
        weight = jnp.broadcast_to(weight[:, None] if weight.ndim == 1 else weight, y_pred.shape)
        parts = (y_true**2 * weight, y_true * weight, (y_true - y_pred) ** 2 * weight, weight)
        added = {key: jnp.sum(part, axis=0) for key, part in zip(names, parts, strict=True)}
        added["num_samples"] = jnp.asarray(y_true.size, y_pred.dtype)
        return {key: state[key] + added[key].astype(state[key].dtype) for key in state}

    def result(state: State) -> Array:
        variation = state["squared_sum"] - state["sum"] * (state["sum"] / state["count"])
        score = 1 - state["residual"] / variation
        score = jnp.where(jnp.isinf(score), 0, score)
        if class_aggregation == "uniform_average":
            score = jnp.mean(score)
        elif class_aggregation is not None:
            score = jnp.sum(variation * score) / jnp.sum(variation)
        free = state["num_samples"] - num_regressors - 1
        if num_regressors == 0:
            return score
        adjusted = 1 - (1 - score) * (state["num_samples"] - 1) / jnp.where(free > 0, free, 1)
        return jnp.where(free > 0, adjusted, score)

    return Triple(init, update, result)


def _iou(
    num_classes: int,
    target_class_ids: Sequence[int],
    name: str | None = None,
    dtype: Any = None,
    ignore_class: int | None = None,
    sparse_y_true: bool = True,
    sparse_y_pred: bool = True,
    axis: int = -1,
) -> Triple:
    """Intersection over union `tp / (tp + fp + fn)`, averaged over the target classes that occur.

    Labels are integers unless `sparse_y_true` or `sparse_y_pred` is off; then they are scores
    along `axis`. Labels outside the classes, and `ignore_class`, do not count.
    """
    targets = jnp.asarray(list(target_class_ids))
    if max(target_class_ids) >= num_classes:
        raise ValueError(
            f"target_class_ids must be below num_classes {num_classes}; got {target_class_ids}"
        )
    kind = str(dtype or "int32")
    kind = "int32" if kind == "int" else kind

    def init(shape: Shape | None = None) -> State:
        return {"total_confusion_matrix": jnp.zeros((num_classes, num_classes), kind)}

    def labels(y: ArrayLike, sparse: bool) -> Array:
        y = jnp.asarray(y)
        return (y if sparse else jnp.argmax(y, axis=axis)).astype(jnp.int32).ravel()

    def update(
        state: State, y_true: ArrayLike, y_pred: ArrayLike, weights: ArrayLike | None = None
    ) -> State:
        actual, predicted = labels(y_true, sparse_y_true), labels(y_pred, sparse_y_pred)
        if actual.shape != predicted.shape:
            raise ValueError(
                f"y_true and y_pred must have as many labels; got {jnp.shape(y_true)} "
                f"and {jnp.shape(y_pred)}"
            )
        weight = jnp.asarray(1 if weights is None else weights).astype(kind)
        weight = jnp.broadcast_to(weight.ravel() if weight.ndim else weight, actual.shape)
        valid = (actual >= 0) & (actual < num_classes) & (predicted >= 0)
        valid = valid & (predicted < num_classes)
        if ignore_class is not None:
            valid = valid & (actual != ignore_class)
        at = jnp.where(valid, actual, 0), jnp.where(valid, predicted, 0)
        matrix = state["total_confusion_matrix"].at[at].add(jnp.where(valid, weight, 0))
        return {"total_confusion_matrix": matrix}

    def result(state: State) -> Array:
        matrix = as_float(state["total_confusion_matrix"])
        hits = jnp.diag(matrix)
        union = (matrix.sum(axis=0) + matrix.sum(axis=1) - hits)[targets]
        occurs = union > 1e-9
        ratio = jnp.where(occurs, hits[targets] / (union + config.epsilon()), 0)
        return jnp.sum(ratio) / (jnp.sum(occurs) + config.epsilon())

    return Triple(init, update, result)


def _binary_iou(
    target_class_ids: Sequence[int] = (0, 1),
    threshold: float = 0.5,
    name: str | None = None,
    dtype: Any = None,
) -> Triple:
    """`IoU` of two classes, scores from `threshold` up being class 1."""
    init, count, result = _iou(2, target_class_ids, name, dtype)

    def update(
        state: State, y_true: ArrayLike, y_pred: ArrayLike, weights: ArrayLike | None = None
    ) -> State:
        return count(state, y_true, as_float(y_pred) >= threshold, weights=weights)

    return Triple(init, update, result)


def _mean_iou(
    num_classes: int,
    name: str | None = None,
    dtype: Any = None,
    ignore_class: int | None = None,
    sparse_y_true: bool = True,
    sparse_y_pred: bool = True,
    axis: int = -1,
) -> Triple:
    """`IoU` averaged over all classes that occur."""
    ids = range(num_classes)
    return _iou(num_classes, ids, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)


def _one_hot_iou(
    num_classes: int,
    target_class_ids: Sequence[int],
    name: str | None = None,
    dtype: Any = None,
    ignore_class: int | None = None,
    sparse_y_pred: bool = False,
    axis: int = -1,
) -> Triple:
    """`IoU` for one-hot targets."""
    return _iou(
        num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis
    )


def _one_hot_mean_iou(
    num_classes: int,
    name: str | None = None,
    dtype: Any = None,
    ignore_class: int | None = None,
    sparse_y_pred: bool = False,
    axis: int = -1,
) -> Triple:
    """`MeanIoU` for one-hot targets."""
    return _mean_iou(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)


FBetaScore = metric_class("FBetaScore", _f_beta)
F1Score = metric_class("F1Score", _f1)
R2Score = metric_class("R2Score", _r2)
IoU = metric_class("IoU", _iou)
BinaryIoU = metric_class("BinaryIoU", _binary_iou)
MeanIoU = metric_class("MeanIoU", _mean_iou)
OneHotIoU = metric_class("OneHotIoU", _one_hot_iou)
OneHotMeanIoU = metric_class("OneHotMeanIoU", _one_hot_mean_iou)
for _counting in (IoU, BinaryIoU, MeanIoU, OneHotIoU, OneHotMeanIoU):
    _counting.usual_dtype = "int32"
