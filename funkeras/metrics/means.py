"""Metrics that are means or sums over samples, most of them of a function's values."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import jax.numpy as jnp

from funkeras import losses
from funkeras.losses.base import (
    aligned,
    as_float,
    divide_no_nan,
    fixed,
    labels_of,
    name_of,
    same_rank,
)
from funkeras.metrics import functions
from funkeras.metrics.base import Metric, Triple, accumulator_dtype, classes, metric_class
from funkeras.typing import Array, ArrayLike, Config, Shape, State

__all__ = [
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "ConcordanceCorrelation",
    "CosineSimilarity",
    "Hinge",
    "KLDivergence",
    "LogCoshError",
    "Mean",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "PearsonCorrelation",
    "Poisson",
    "RootMeanSquaredError",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "SquaredHinge",
    "Sum",
    "TopKCategoricalAccuracy",
]


def samplewise(
    values: ArrayLike, weights: ArrayLike | None, reduce: Callable[..., Array]
) -> tuple[Array, Array | None]:
    """One weighted value and one weight per sample; axes that the weights lack go first."""
    values = as_float(values)
    if weights is not None:
        values, weights = same_rank(values, jnp.asarray(weights).astype(values.dtype))
        weighted = weights.ndim
        if values.ndim == 0:  # one number for the batch belongs to all its samples
            values = jnp.broadcast_to(values, weights.shape)
        values = reduce(values, axis=tuple(range(weighted, values.ndim)))
        weights = jnp.broadcast_to(weights, values.shape)
        values = values * weights
        weights = reduce(weights, axis=tuple(range(1, weighted)))
    return reduce(values, axis=tuple(range(1, values.ndim))), weights


def _reduce(reduction: Callable[..., Array]) -> Callable[..., Array]:
    return lambda x, axis: reduction(x, axis=axis) if axis else x


def mean(
    values_of: Callable[..., Array],
    dtype: Any = None,
    finish: Callable[[Array], Array] = lambda value: value,
    counted: Callable[..., Array] | None = None,
) -> Triple:
    """The weighted mean over all samples of `values_of(*data)`.

    `counted(*data)` says which values weights apply to; the others then do not count.
    """

    def init(shape: Shape | None = None) -> State:
        return {name: jnp.zeros((), accumulator_dtype(dtype)) for name in ("total", "count")}

    def update(state: State, *data: Any, weights: ArrayLike | None = None) -> State:
        if weights is not None and counted is not None:
            valid = counted(*data)
            valid, weights = same_rank(valid, jnp.asarray(weights).astype(valid.dtype))
            weights = valid * weights
        values, weights = samplewise(values_of(*data), weights, _reduce(jnp.mean))
        samples = values.size if weights is None else weights.sum()
        kind = state["total"].dtype
        total = state["total"] + values.sum().astype(kind)
        return {"total": total, "count": state["count"] + jnp.asarray(samples).astype(kind)}

    return Triple(init, update, lambda state: finish(divide_no_nan(state["total"], state["count"])))


def _mean(name: str = "mean", dtype: Any = None) -> Triple:
    """Mean of the values given: `metric(values, sample_weight)`."""
    return mean(lambda values: values, dtype)


def _sum(name: str = "sum", dtype: Any = None) -> Triple:
    """Sum of the values given: `metric(values, sample_weight)`."""

    def init(shape: Shape | None = None) -> State:
        return {"total": jnp.zeros((), accumulator_dtype(dtype))}

    def update(state: State, values: ArrayLike, weights: ArrayLike | None = None) -> State:
        added, _ = samplewise(values, weights, _reduce(jnp.sum))
        return {"total": state["total"] + added.sum().astype(state["total"].dtype)}

    return Triple(init, update, lambda state: state["total"])


def _root_mean_squared_error(name: str = "root_mean_squared_error", dtype: Any = None) -> Triple:
    """Square root of the mean of `(y_true - y_pred)²` over all entries."""

    def squares(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
        y_true, y_pred = aligned(y_true, y_pred)
        return jnp.square(y_pred - y_true)

    return mean(squares, dtype, jnp.sqrt)


Mean = metric_class("Mean", _mean)
Sum = metric_class("Sum", _sum)
Mean._arrays = Sum._arrays = 1
RootMeanSquaredError = metric_class("RootMeanSquaredError", _root_mean_squared_error)


class MeanMetricWrapper(Metric):
    """The mean over all samples of `fn(y_true, y_pred, **kwargs)`."""

    masked = True

    def __init__(
        self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(dtype, name or name_of(fn))
        self.__dict__["function"] = mean(partial(fixed(fn), **kwargs), dtype)
        self._config = {"fn": fn, **self._config, **kwargs}

    def __reduce__(self) -> Any:
        return partial(type(self), **self._config), ()


classes.add(MeanMetricWrapper, "MeanMetricWrapper")


def _mean_of(
    name: str,
    function: Callable[..., Array],
    order: str = "name dtype",
    *aliases: str,
    log_name: str = "",
    counted: Callable[[Config], Callable[..., Array] | None] | None = None,
) -> Any:
    """Derive the class of a function's mean; `order` is the order of its arguments."""
    defaults = {key: known.default for key, known in inspect.signature(function).parameters.items()}
    defaults.update(name=log_name or function.__name__, dtype=None)
    signature = inspect.Signature(
        [
            inspect.Parameter(key, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=defaults[key])
            for key in order.split()
        ]
    )

    def build(**given: Any) -> Triple:
        options = {key: value for key, value in given.items() if key not in ("name", "dtype")}
        valid = None if counted is None else counted(options)
        return mean(partial(fixed(function), **options), given["dtype"], counted=valid)

    doc = f"The mean over all samples of `{function.__name__}`.\n\n{function.__doc__}"
    made = metric_class(name, build, *aliases, signature=signature, doc=doc)
    made.masked = True
    return made


def _not_ignored(options: Config) -> Callable[..., Array] | None:
    ignored = options["ignore_class"]
    if ignored is None:
        return None

    def valid(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
        scores = as_float(y_pred)
        labels = labels_of(y_true, scores, options["axis"])
        return (labels != ignored).astype(scores.dtype)

    return valid


Accuracy = _mean_of("Accuracy", functions.accuracy)
BinaryAccuracy = _mean_of("BinaryAccuracy", functions.binary_accuracy, "name dtype threshold")
CategoricalAccuracy = _mean_of("CategoricalAccuracy", functions.categorical_accuracy)
SparseCategoricalAccuracy = _mean_of(
    "SparseCategoricalAccuracy", functions.sparse_categorical_accuracy
)
TopKCategoricalAccuracy = _mean_of(
    "TopKCategoricalAccuracy", functions.top_k_categorical_accuracy, "k name dtype"
)
SparseTopKCategoricalAccuracy = _mean_of(
    "SparseTopKCategoricalAccuracy",
    functions.sparse_top_k_categorical_accuracy,
    "k name dtype from_sorted_ids",
)
CosineSimilarity = _mean_of("CosineSimilarity", functions.cosine_similarity, "name dtype axis")
PearsonCorrelation = _mean_of(
    "PearsonCorrelation", functions.pearson_correlation, "name dtype axis"
)
ConcordanceCorrelation = _mean_of(
    "ConcordanceCorrelation", functions.concordance_correlation, "name dtype axis"
)
MeanSquaredError = _mean_of("MeanSquaredError", losses.mean_squared_error, "name dtype", "mse")
MeanAbsoluteError = _mean_of("MeanAbsoluteError", losses.mean_absolute_error, "name dtype", "mae")
MeanAbsolutePercentageError = _mean_of(
    "MeanAbsolutePercentageError", losses.mean_absolute_percentage_error, "name dtype", "mape"
)
MeanSquaredLogarithmicError = _mean_of(
    "MeanSquaredLogarithmicError", losses.mean_squared_logarithmic_error, "name dtype", "msle"
)
LogCoshError = _mean_of("LogCoshError", losses.log_cosh, log_name="logcosh")
Hinge = _mean_of("Hinge", losses.hinge)
SquaredHinge = _mean_of("SquaredHinge", losses.squared_hinge)
CategoricalHinge = _mean_of("CategoricalHinge", losses.categorical_hinge)
KLDivergence = _mean_of("KLDivergence", losses.kl_divergence)
Poisson = _mean_of("Poisson", losses.poisson)
BinaryCrossentropy = _mean_of(
    "BinaryCrossentropy",
    losses.binary_crossentropy,
    "name dtype from_logits label_smoothing",
    "bce",
)
CategoricalCrossentropy = _mean_of(
    "CategoricalCrossentropy",
    losses.categorical_crossentropy,
    "name dtype from_logits label_smoothing axis",
)
SparseCategoricalCrossentropy = _mean_of(
    "SparseCategoricalCrossentropy",
    losses.sparse_categorical_crossentropy,
    "name dtype from_logits ignore_class axis",
    counted=_not_ignored,
)
