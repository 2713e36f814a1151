"""Metrics that are plain functions: accuracies, correlations, Keras 1's batch-wise scores."""

from collections.abc import Callable

import jax.numpy as jnp

from funkeras import config
from funkeras.losses import (
    BCE,
    KLD,
    MAE,
    MAPE,
    MSE,
    MSLE,
    bce,
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    cosine,
    cosine_proximity,
    hinge,
    huber,
    kl_divergence,
    kld,
    kullback_leibler_divergence,
    log_cosh,
    logcosh,
    mae,
    mape,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    mse,
    msle,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from funkeras.losses.base import aligned, as_float, labels_of
from funkeras.losses.regression import unit_product
from funkeras.registry import Registry
from funkeras.typing import Array, ArrayLike
from funkeras.variables import overridable

__all__ = [
    "BCE",
    "KLD",
    "MAE",
    "MAPE",
    "MSE",
    "MSLE",
    "accuracy",
    "bce",
    "binary_accuracy",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_accuracy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "concordance_correlation",
    "cosine",
    "cosine_proximity",
    "cosine_similarity",
    "f1score",
    "fbeta_score",
    "fmeasure",
    "fscore",
    "hinge",
    "huber",
    "kl_divergence",
    "kld",
    "kullback_leibler_divergence",
    "log_cosh",
    "logcosh",
    "mae",
    "mape",
    "matthews_correlation",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "mse",
    "msle",
    "pearson_correlation",
    "poisson",
    "precision",
    "recall",
    "registry",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
    "sparse_top_k_categorical_accuracy",
    "squared_hinge",
    "top_k_categorical_accuracy",
]

registry: Registry[Callable[..., Array]] = Registry("metric")
"""Metric functions; losses are metrics too, and `classes` has the classes."""


@registry.register()
@overridable
def accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """1 where `y_true == y_pred`, else 0."""
    y_true, y_pred = aligned(y_true, y_pred)
    return (y_true == y_pred).astype(y_pred.dtype)


@registry.register()
@overridable
def binary_accuracy(
    y_true: ArrayLike, y_pred: ArrayLike, threshold: float = 0.5, *, dialect: str | None = None
) -> Array:
    """1 where `y_pred > threshold` says what `y_true` says, else 0.

    Keras 1 and 2 round the prediction instead, and take the mean over the last axis.
    """
    y_true, y_pred = aligned(y_true, y_pred)
    if (dialect or config.dialect()) == "modern":
        return ((y_pred > threshold) == y_true).astype(y_pred.dtype)
    rounded = jnp.round(y_pred) if threshold == 0.5 else y_pred > threshold
    return jnp.mean(rounded == y_true, axis=-1, dtype=y_pred.dtype)


@registry.register()
@overridable
def categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """1 where the largest of `y_pred` is the largest of the one-hot `y_true`, else 0."""
    y_true, y_pred = aligned(y_true, y_pred)
    return (jnp.argmax(y_true, axis=-1) == jnp.argmax(y_pred, axis=-1)).astype(y_pred.dtype)


@registry.register()
@overridable
def sparse_categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """1 where the largest of `y_pred` is at the integer label `y_true`, else 0."""
    scores = as_float(y_pred)
    return (labels_of(y_true, scores) == jnp.argmax(scores, axis=-1)).astype(scores.dtype)


def _in_top_k(labels: Array, scores: Array, k: int) -> Array:
    """1 where fewer than k classes score higher than the label: ties at the k-th place count."""
    of_label = jnp.take_along_axis(scores, labels[..., None], axis=-1)
    of_label = jnp.where(jnp.isnan(of_label), -jnp.inf, of_label)
    return (jnp.sum(scores > of_label, axis=-1) < k).astype(scores.dtype)


@registry.register()
@overridable
def top_k_categorical_accuracy(
    y_true: ArrayLike, y_pred: ArrayLike, k: int = 5, *, dialect: str | None = None
) -> Array:
    """1 where the class of the one-hot `y_true` is among the k highest of `y_pred`, else 0.

    Keras 1 and 2 take the mean over the batch.
    """
    y_true, y_pred = aligned(y_true, y_pred)
    return _by_sample(_in_top_k(jnp.argmax(y_true, axis=-1), y_pred, k), dialect)


def _by_sample(hits: Array, dialect: str | None) -> Array:
    return hits if (dialect or config.dialect()) == "modern" else jnp.mean(hits, axis=-1)


@registry.register()
@overridable
def sparse_top_k_categorical_accuracy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    k: int = 5,
    from_sorted_ids: bool = False,
    *,
    dialect: str | None = None,
) -> Array:
    """1 where the integer label `y_true` is among the k highest of `y_pred`, else 0.

    Keras 1 and 2 take the mean over the batch. With `from_sorted_ids`, `y_pred` holds class
    numbers, the likeliest first.
    """
    scores = as_float(y_pred)
    labels = labels_of(y_true, scores)
    if from_sorted_ids:
        hits = jnp.any(labels[..., None] == scores[..., :k], axis=-1).astype(scores.dtype)
    else:
        hits = _in_top_k(labels, scores, k)
    return _by_sample(hits, dialect)


@registry.register()
@overridable
def cosine_similarity(y_true: ArrayLike, y_pred: ArrayLike, axis: int = -1) -> Array:
    """The cosine of the angle between the two vectors; the loss of that name is minus this."""
    return jnp.sum(unit_product(*aligned(y_true, y_pred), axis), axis=axis)


@registry.register()
@overridable
def pearson_correlation(y_true: ArrayLike, y_pred: ArrayLike, axis: int = -1) -> Array:
    """Covariance of the two over the product of their standard deviations, along `axis`."""

    def standard(y: Array) -> Array:
        centred = y - jnp.mean(y, axis=axis, keepdims=True)
        return centred / jnp.std(centred, axis=axis, keepdims=True)

    y_true, y_pred = aligned(y_true, y_pred)
    return jnp.mean(standard(y_true) * standard(y_pred), axis=axis)


@registry.register()
@overridable
def concordance_correlation(y_true: ArrayLike, y_pred: ArrayLike, axis: int = -1) -> Array:
    """`2·cov / (var_true + var_pred + (mean_true - mean_pred)²)` along `axis`.

    Lin 1989, https://doi.org/10.2307/2532051
    """
    y_true, y_pred = aligned(y_true, y_pred)
    mean_true = jnp.mean(y_true, axis=axis, keepdims=True)
    mean_pred = jnp.mean(y_pred, axis=axis, keepdims=True)
    spread = jnp.var(y_true, axis=axis, keepdims=True) + jnp.var(y_pred, axis=axis, keepdims=True)
    # Centring y_true on the other mean, as Keras 3 does, leaves the covariance as it is.
    products = (y_true - mean_pred) * (y_pred - mean_pred)
    norm = spread + jnp.square(mean_true - mean_pred) + config.epsilon()
    return jnp.mean(2 * products / norm, axis=axis)


def _positives(y: Array) -> Array:
    return jnp.round(jnp.clip(y, 0, 1))


def _hits(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[Array, Array, Array]:
    """True, predicted and actual positives of the batch."""
    y_true, y_pred = aligned(y_true, y_pred)
    counts = (_positives(y).sum() for y in (y_true * y_pred, y_pred, y_true))
    hits, predicted, actual = counts
    return hits, predicted, actual


@registry.register()
@overridable
def precision(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Share of the batch's predicted positives that are positives (Keras 1); one number."""
    hits, predicted, _ = _hits(y_true, y_pred)
    return hits / (predicted + config.epsilon())


@registry.register()
@overridable
def recall(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Share of the batch's positives that are predicted so (Keras 1); one number."""
    hits, _, actual = _hits(y_true, y_pred)
    return hits / (actual + config.epsilon())


@registry.register()
@overridable
def fbeta_score(y_true: ArrayLike, y_pred: ArrayLike, beta: float = 1) -> Array:
    """Weighted harmonic mean of the batch's precision and recall (Keras 1); one number."""
    if beta < 0:
        raise ValueError(f"beta must be 0 or more, got {beta}")
    hits, predicted, actual = _hits(y_true, y_pred)
    p, r = hits / (predicted + config.epsilon()), hits / (actual + config.epsilon())
    score = (1 + beta**2) * p * r / (beta**2 * p + r + config.epsilon())
    return jnp.where(actual == 0, 0, score)


@registry.register("fmeasure", "f1score", "fscore")
@overridable
def fmeasure(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """`fbeta_score` with beta 1 (Keras 1)."""
    return fbeta_score(y_true, y_pred)


@registry.register()
@overridable
def matthews_correlation(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Correlation of true and predicted classes over the batch (Keras 1); one number.

    Matthews 1975, https://doi.org/10.1016/0005-2795(75)90109-9
    """
    y_true, y_pred = aligned(y_true, y_pred)
    actual, predicted = _positives(y_true), _positives(y_pred)
    tp, tn = jnp.sum(actual * predicted), jnp.sum((1 - actual) * (1 - predicted))
    fp, fn = jnp.sum((1 - actual) * predicted), jnp.sum(actual * (1 - predicted))
    norm = jnp.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    return (tp * tn - fp * fn) / (norm + config.epsilon())


f1score = fscore = fmeasure
