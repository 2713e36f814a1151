"""Metrics from counts of true and false positives and negatives at thresholds."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from funkeras import config
from funkeras.losses.base import aligned, as_float, divide_no_nan
from funkeras.metrics.base import Triple, accumulator_dtype, metric_class
from funkeras.typing import Array, ArrayLike, Shape, State

__all__ = [
    "AUC",
    "FalseNegatives",
    "FalsePositives",
    "Precision",
    "PrecisionAtRecall",
    "Recall",
    "RecallAtPrecision",
    "SensitivityAtSpecificity",
    "SpecificityAtSensitivity",
    "TrueNegatives",
    "TruePositives",
]

Thresholds: TypeAlias = float | Sequence[float] | None

TP, FP, TN, FN = NAMES = (
    "true_positives",
    "false_positives",
    "true_negatives",
    "false_negatives",
)
NOTHING = -1e10
"""Score of what is not among the top k, and the threshold that all others pass."""


def _parse(thresholds: Thresholds, default: float = 0.5) -> np.ndarray:
    values = np.atleast_1d(np.asarray(default if thresholds is None else thresholds, float))
    if thresholds is not None and not np.all((values >= 0) & (values <= 1)):
        raise ValueError(f"thresholds must be in [0, 1]; got {thresholds}")
    return values


def _share(name: str, value: float) -> float:
    if not 0 <= value <= 1:
        raise ValueError(f"{name} must be in [0, 1], got {value}")
    return value


def _even(count: int) -> np.ndarray:
    """`count` thresholds from 0 to 1."""
    if count < 1:
        raise ValueError(f"num_thresholds must be 1 or more, got {count}")
    return np.linspace(0, 1, count) if count > 1 else np.array([0.5])


def _are_even(thresholds: np.ndarray) -> bool:
    count = len(thresholds)
    return count > 2 and np.allclose(thresholds, np.linspace(0, 1, count), atol=config.epsilon())


def _histogram_counts(thresholds: np.ndarray, label: Array, score: Array, weight: Array) -> State:
    """The four counts at each threshold, from one pass over flat arrays.

    A score is positive at the thresholds below it, so sorting it among them once is enough: the
    cost does not grow with the number of thresholds.
    """
    order = np.argsort(thresholds, kind="stable")
    below = jnp.searchsorted(jnp.asarray(thresholds[order], score.dtype), score, side="left")
    back = np.argsort(order, kind="stable")

    def passing(amounts: Array) -> tuple[Array, Array]:
        bins = jnp.zeros(len(thresholds) + 1, score.dtype).at[below].add(amounts)
        above = jnp.cumsum(bins[::-1])[::-1]
        return above[1:][back], above[0]

    positive = label.astype(bool)
    (tp, positives) = passing(jnp.where(positive, weight, 0))
    (fp, negatives) = passing(jnp.where(positive, 0, weight))
    return {TP: tp, FP: fp, TN: negatives - fp, FN: positives - tp}


def _top_k_only(scores: Array, k: int) -> Array:
    _, kept = jax.lax.top_k(scores, k)
    chosen = jax.nn.one_hot(kept, scores.shape[-1], dtype=bool).any(axis=-2)
    return jnp.where(chosen, scores, NOTHING)


def _count(
    thresholds: np.ndarray,
    names: Sequence[str] = NAMES,
    dtype: Any = None,
    top_k: int | None = None,
    class_id: int | None = None,
    num_labels: int | None = None,
    multi_label: bool = False,
    label_weights: ArrayLike | None = None,
) -> tuple[Callable[[Shape | None], State], Callable[..., State]]:
    """`init` and `update` of running counts at the thresholds; of shape (thresholds[, labels])."""
    clipped = _are_even(thresholds)

    def init(shape: Shape | None = None) -> State:
        labels: tuple[int, ...] = ()
        if multi_label:
            width = num_labels or (shape or (None,))[-1]
            if width is None:
                raise ValueError("multi_label counts need num_labels or the predictions' shape")
            labels = (width,)
        size = (len(thresholds), *labels)
        return {name: jnp.zeros(size, accumulator_dtype(dtype)) for name in names}

    def update(
        state: State, y_true: ArrayLike, y_pred: ArrayLike, weights: ArrayLike | None = None
    ) -> State:
        label, score = aligned(y_true, y_pred)
        weight = jnp.ones((), score.dtype)
        if weights is not None:
            weight = jnp.asarray(weights).astype(score.dtype)
            weight = weight.reshape(weight.shape + (1,) * (score.ndim - weight.ndim))
        if top_k is not None:
            score = _top_k_only(score, top_k)
        if class_id is not None:
            if score.ndim < 2:
                raise ValueError(f"class_id needs predictions of 2 axes or more, got {score.shape}")
            label, score = label[..., class_id, None], score[..., class_id, None]
        if clipped:
            score = jnp.clip(score, 0, 1)
        if label_weights is not None and not multi_label:
            weight = weight * jnp.asarray(label_weights, score.dtype)
        weight = jnp.broadcast_to(weight, score.shape)
        if multi_label:
            count = jax.vmap(lambda *column: _histogram_counts(thresholds, *column), 1, 1)
            counts = count(label, score, weight)
        else:
            counts = _histogram_counts(thresholds, label.ravel(), score.ravel(), weight.ravel())
        return {name: state[name] + counts[name].astype(state[name].dtype) for name in names}

    return init, update


def _scalar_if_one(values: Array) -> Array:
    return values[0] if values.shape[0] == 1 else values


def _counter(class_name: str, count: str) -> Any:
    def build(thresholds: Thresholds = None, name: str | None = None, dtype: Any = None) -> Triple:
        init, update = _count(_parse(thresholds), (count,), dtype)
        return Triple(init, update, lambda state: _scalar_if_one(state[count]))

    build.__doc__ = (
        f"Number, or total weight, of {count.replace('_', ' ')} at each threshold (default 0.5)."
    )
    return metric_class(class_name, build)


TruePositives = _counter("TruePositives", TP)
FalsePositives = _counter("FalsePositives", FP)
TrueNegatives = _counter("TrueNegatives", TN)
FalseNegatives = _counter("FalseNegatives", FN)


def _ratio(class_name: str, other: str, doc: str) -> Any:
    def build(
        thresholds: Thresholds = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> Triple:
        levels = _parse(thresholds, 0.5 if top_k is None else NOTHING)
        init, update = _count(levels, (TP, other), dtype, top_k, class_id)

        def result(state: State) -> Array:
            return _scalar_if_one(divide_no_nan(state[TP], state[TP] + state[other]))

        return Triple(init, update, result)

    build.__doc__ = doc + " At each threshold (default 0.5), of the top k, or of one class."
    return metric_class(class_name, build)


Precision = _ratio("Precision", FP, "Share of the predicted positives that are positives.")
Recall = _ratio("Recall", FN, "Share of the positives that are predicted so.")


def _precision(state: State) -> Array:
    return divide_no_nan(state[TP], state[TP] + state[FP])


def _recall(state: State) -> Array:
    return divide_no_nan(state[TP], state[TP] + state[FN])


def _specificity(state: State) -> Array:
    return divide_no_nan(state[TN], state[TN] + state[FP])


def _best_where(
    best: Callable[[State], Array],
    held: Callable[[State], Array],
    least: float,
    num_thresholds: int,
    class_id: int | None,
    dtype: Any,
) -> Triple:
    """The best of one rate among the thresholds at which another is `least` or more, else 0."""
    init, update = _count(_even(num_thresholds), NAMES, dtype, class_id=class_id)

    def result(state: State) -> Array:
        return jnp.max(jnp.where(held(state) >= least, best(state), 0), initial=0)

    return Triple(init, update, result)


def _sensitivity_at_specificity(
    specificity: float,
    num_thresholds: int = 200,
    class_id: int | None = None,
    name: str | None = None,
    dtype: Any = None,
) -> Triple:
    """Best sensitivity (recall) among the thresholds of at least this specificity."""
    least = _share("specificity", specificity)
    return _best_where(_recall, _specificity, least, num_thresholds, class_id, dtype)


def _specificity_at_sensitivity(
    sensitivity: float,
    num_thresholds: int = 200,
    class_id: int | None = None,
    name: str | None = None,
    dtype: Any = None,
) -> Triple:
    """Best specificity among the thresholds of at least this sensitivity (recall)."""
    least = _share("sensitivity", sensitivity)
    return _best_where(_specificity, _recall, least, num_thresholds, class_id, dtype)


def _precision_at_recall(
    recall: float,
    num_thresholds: int = 200,
    class_id: int | None = None,
    name: str | None = None,
    dtype: Any = None,
) -> Triple:
    """Best precision among the thresholds of at least this recall."""
    least = _share("recall", recall)
    return _best_where(_precision, _recall, least, num_thresholds, class_id, dtype)


def _recall_at_precision(
    precision: float,
    num_thresholds: int = 200,
    class_id: int | None = None,
    name: str | None = None,
    dtype: Any = None,
) -> Triple:
    """Best recall among the thresholds of at least this precision."""
    least = _share("precision", precision)
    return _best_where(_recall, _precision, least, num_thresholds, class_id, dtype)


SensitivityAtSpecificity = metric_class("SensitivityAtSpecificity", _sensitivity_at_specificity)
SpecificityAtSensitivity = metric_class("SpecificityAtSensitivity", _specificity_at_sensitivity)
PrecisionAtRecall = metric_class("PrecisionAtRecall", _precision_at_recall)
RecallAtPrecision = metric_class("RecallAtPrecision", _recall_at_precision)


def _roc(state: State) -> tuple[Array, Array]:
    return divide_no_nan(state[FP], state[FP] + state[TN]), _recall(state)


def _pr(state: State) -> tuple[Array, Array]:
    return _recall(state), _precision(state)


def _pr_gain(state: State) -> tuple[Array, Array]:
    """Precision and recall as gains over always saying yes.

    Flach and Kull 2015, https://papers.nips.cc/paper/5867-precision-recall-gain-curves-pr-analysis-done-right
    """
    odds = divide_no_nan(state[TP] + state[FN], state[TN] + state[FP])
    none = state[TP] == 0
    recall_gain = jnp.where(none, 0, 1 - odds * divide_no_nan(state[FN], state[TP]))
    precision_gain = jnp.where(none, 1, 1 - odds * divide_no_nan(state[FP], state[TP]))
    return jnp.maximum(recall_gain, 0), precision_gain


CURVES = {"roc": _roc, "pr": _pr, "prgain": _pr_gain}
HEIGHTS: dict[str, Callable[[Array, Array], Array]] = {
    "interpolation": lambda left, right: (left + right) / 2,
    "minoring": jnp.minimum,
    "majoring": jnp.maximum,
}


def _interpolated_pr(state: State) -> Array:
    """Areas under the precision-recall curve between thresholds.

    Between two thresholds true positives grow linearly with predicted positives, so precision
    follows a hyperbola, not a line. Davis and Goadrich 2006, https://doi.org/10.1145/1143844.1143874
    """
    tp, fp, fn = state[TP], state[FP], state[FN]
    predicted = tp + fp
    gained = tp[:-1] - tp[1:]
    slope = divide_no_nan(gained, jnp.maximum(predicted[:-1] - predicted[1:], 0))
    intercept = tp[1:] - slope * predicted[1:]
    both = (predicted[:-1] > 0) & (predicted[1:] > 0)
    ratio = jnp.where(both, divide_no_nan(predicted[:-1], predicted[1:]), 1)
    area = slope * (gained + intercept * jnp.log(ratio))
    return divide_no_nan(area, jnp.maximum(tp[1:] + fn[1:], 0))


def _choice(argument: str, value: str, allowed: Sequence[str]) -> str:
    if value.lower() not in allowed:
        raise ValueError(f"{argument} must be one of {', '.join(allowed)}; got {value!r}")
    return value.lower()


def _auc(
    num_thresholds: int = 200,
    curve: str = "ROC",
    summation_method: str = "interpolation",
    name: str | None = None,
    dtype: Any = None,
    thresholds: Sequence[float] | None = None,
    multi_label: bool = False,
    num_labels: int | None = None,
    label_weights: ArrayLike | None = None,
    from_logits: bool = False,
) -> Triple:
    """Area under the ROC, PR or PRGAIN curve, as a Riemann sum over thresholds.

    With `multi_label` each column has its own curve and the areas are averaged.
    """
    kind = _choice("curve", curve, tuple(CURVES))
    method = _choice("summation_method", summation_method, tuple(HEIGHTS))
    if num_labels and not multi_label:
        raise ValueError("num_labels is for multi_label=True only")
    if thresholds is None and num_thresholds < 2:
        raise ValueError(f"num_thresholds must be 2 or more, got {num_thresholds}")
    inner = _even(num_thresholds)[1:-1] if thresholds is None else np.sort(_parse(thresholds))
    even = _are_even(np.array([0, *inner, 1]))
    # The outer two let everything and nothing pass, also scores of exactly 0 and 1.
    ends = (-config.epsilon(), 1 + config.epsilon())
    init, count = _count(
        np.array([ends[0], *inner, ends[1]]),
        NAMES,
        dtype,
        num_labels=num_labels,
        multi_label=multi_label,
        label_weights=label_weights,
    )

    def update(
        state: State, y_true: ArrayLike, y_pred: ArrayLike, weights: ArrayLike | None = None
    ) -> State:
        score = jax.nn.sigmoid(as_float(y_pred)) if from_logits else as_float(y_pred)
        return count(state, y_true, jnp.clip(score, 0, 1) if even else score, weights=weights)

    def result(state: State) -> Array:
        if (kind, method) == ("pr", "interpolation"):
            areas = _interpolated_pr(state)
        else:
            x, y = CURVES[kind](state)
            areas = (x[:-1] - x[1:]) * HEIGHTS[method](y[:-1], y[1:])
        if not multi_label:
            return jnp.sum(areas)
        by_label = jnp.sum(areas, axis=0)
        if label_weights is None:
            return jnp.mean(by_label)
        weights = jnp.asarray(label_weights, by_label.dtype)
        return divide_no_nan(jnp.sum(by_label * weights), jnp.sum(weights))

    return Triple(init, update, result)


AUC = metric_class("AUC", _auc)
