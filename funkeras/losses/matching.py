"""Losses of scores and overlaps: hinges, Dice, Tversky, circle."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from funkeras import config
from funkeras.losses.base import aligned, as_float, loss, loss_class
from funkeras.typing import Array, ArrayLike, Config, Mask

__all__ = [
    "CategoricalHinge",
    "Circle",
    "Dice",
    "Hinge",
    "SquaredHinge",
    "Tversky",
    "categorical_hinge",
    "circle",
    "dice",
    "hinge",
    "squared_hinge",
    "tversky",
]


def _shortfall(y_true: ArrayLike, y_pred: ArrayLike, dialect: str | None) -> Array:
    """`max(1 - y_true·y_pred, 0)`; 0/1 targets mean -1/1 since tf.keras."""
    y_true, y_pred = aligned(y_true, y_pred)
    if (dialect or config.dialect()) == "modern":
        binary = jnp.all((y_true == 0) | (y_true == 1))
        y_true = jnp.where(binary, 2 * y_true - 1, y_true)
    return jnp.maximum(1 - y_true * y_pred, 0)


@loss()
def hinge(y_true: ArrayLike, y_pred: ArrayLike, *, dialect: str | None = None) -> Array:
    """Mean of `max(1 - y_true·y_pred, 0)` over the last axis, for targets -1 and 1.

    Targets that are all 0 or 1 are read as -1 and 1 in the modern dialect, as they are before.
    """
    return jnp.mean(_shortfall(y_true, y_pred, dialect), axis=-1)


@loss()
def squared_hinge(y_true: ArrayLike, y_pred: ArrayLike, *, dialect: str | None = None) -> Array:
    """Mean of `max(1 - y_true·y_pred, 0)²` over the last axis; targets as for `hinge`."""
    return jnp.mean(jnp.square(_shortfall(y_true, y_pred, dialect)), axis=-1)


@loss()
def categorical_hinge(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """`max(1 + neg - pos, 0)`: score of the true class against the best of the others."""
    y_true, y_pred = aligned(y_true, y_pred)
    positive = jnp.sum(y_true * y_pred, axis=-1)
    negative = jnp.max((1 - y_true) * y_pred, axis=-1)
    return jnp.maximum(negative - positive + 1, 0)


@loss()
def dice(y_true: ArrayLike, y_pred: ArrayLike, axis: int | Sequence[int] | None = None) -> Array:
    """`1 - 2·sum(y_true·y_pred) / (sum(y_true) + sum(y_pred) + epsilon)` over `axis` (None: all).

    Milletari et al. 2016, https://arxiv.org/abs/1606.04797
    """
    axes = _axes(axis)
    y_true, y_pred = aligned(y_true, y_pred)
    total = jnp.sum(y_true, axis=axes) + jnp.sum(y_pred, axis=axes) + config.epsilon()
    return 1 - 2 * jnp.sum(y_true * y_pred, axis=axes) / total


@loss()
def tversky(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    alpha: float = 0.5,
    beta: float = 0.5,
    axis: int | Sequence[int] | None = None,
) -> Array:
    """`1 - tp / (tp + alpha·sum(y_true·(1 - y_pred)) + beta·sum(y_pred·(1 - y_true)) + epsilon)`.

    Keras 3 calls the first sum false positives and weighs it with `alpha`.
    Salehi et al. 2017, https://arxiv.org/abs/1706.05721
    """
    axes = _axes(axis)
    y_true, y_pred = aligned(y_true, y_pred)
    hits = jnp.sum(y_true * y_pred, axis=axes)
    missed = jnp.sum(y_true * (1 - y_pred), axis=axes)
    extra = jnp.sum(y_pred * (1 - y_true), axis=axes)
    return 1 - hits / (hits + alpha * missed + beta * extra + config.epsilon())


def _axes(axis: int | Sequence[int] | None) -> int | tuple[int, ...] | None:
    return axis if axis is None or isinstance(axis, int) else tuple(axis)


@loss(targets="any")
def circle(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    ref_labels: ArrayLike | None = None,
    ref_embeddings: ArrayLike | None = None,
    remove_diagonal: bool = True,
    gamma: float = 80.0,
    margin: float = 0.4,
) -> Array:
    """Circle loss of embeddings (batch, size) of length 1 with labels (batch,); gives (batch,).

    Every pair in the batch, or of batch and reference, pulls or pushes by how far its cosine is
    from its optimum. Sun et al. 2020, https://arxiv.org/abs/2002.10857
    """
    y_pred = as_float(y_pred)
    labels = jnp.asarray(y_true).astype(jnp.int32).reshape(-1, 1)
    others = labels if ref_labels is None else jnp.asarray(ref_labels, jnp.int32).reshape(-1, 1)
    references = y_pred if ref_embeddings is None else as_float(ref_embeddings)
    distance = jnp.maximum(1 - y_pred @ references.T, 0)
    same = labels == others.T
    different = ~same
    if remove_diagonal:
        same = same & ~jnp.eye(*same.shape, dtype=bool)
    pull = -gamma * jnp.maximum(margin + distance, 0) * (margin - distance)
    push = gamma * jnp.maximum(1 + margin - distance, 0) * (1 - margin - distance)

    def total(terms: Array, chosen: Array) -> Array:
        # A row without pairs is log(0); kept finite so that its gradient is 0, not NaN.
        some = jnp.any(chosen, axis=1)
        terms = jnp.where(chosen, terms, -jnp.inf)
        safe = jnp.where(some[:, None], terms, 0)
        return jnp.where(some, jax.nn.logsumexp(safe, axis=1), -jnp.inf)

    return jax.nn.softplus(total(pull, same) + total(push, different))


def _positive(options: Config, y_true: ArrayLike, values: Array) -> Mask:
    """Rows without a pair have loss 0 and do not count."""
    return values > 0


Hinge = loss_class("Hinge", hinge)
SquaredHinge = loss_class("SquaredHinge", squared_hinge)
CategoricalHinge = loss_class("CategoricalHinge", categorical_hinge)
Dice = loss_class("Dice", dice, "reduction name axis dtype")
Tversky = loss_class("Tversky", tversky, "alpha beta reduction name axis dtype")
Circle = loss_class(
    "Circle", circle, "gamma margin remove_diagonal reduction name dtype", counted=_positive
)
