"""Losses of predicted probabilities: cross-entropies, divergences, Poisson counts, sequences."""

import jax
import jax.numpy as jnp

from funkeras import config
from funkeras.losses.base import aligned, as_float, labels_of, loss, loss_class
from funkeras.typing import Array, ArrayLike, Config, Mask

__all__ = [
    "BCE",
    "CTC",
    "KLD",
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "KLDivergence",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "bce",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "ctc",
    "kl_divergence",
    "kld",
    "kullback_leibler_divergence",
    "poisson",
    "sparse_categorical_crossentropy",
]


def _clip(x: Array, low: float, high: float) -> Array:
    """Clip; at the bounds themselves the gradient is whole, where `jnp.clip` halves it."""
    return jnp.where(x < low, low, jnp.where(x > high, high, x))


def inside(p: Array) -> Array:
    """Probabilities, kept epsilon away from 0 and 1 so that their logarithms are finite."""
    return _clip(p, config.epsilon(), 1 - config.epsilon())


def _binary_entropy(y_true: Array, p: Array) -> Array:
    """`-(y_true·log(p) + (1 - y_true)·log(1 - p))`.

    `1 - p` is clipped, not taken of the clipped p, which in float32 is off by a fifth at p = 1.
    """
    return -(y_true * jnp.log(inside(p)) + (1 - y_true) * jnp.log(inside(1 - p)))


def _log_probabilities(y_pred: Array, from_logits: bool, axis: int) -> Array:
    if from_logits:
        return jax.nn.log_softmax(y_pred, axis=axis)
    return jnp.log(inside(y_pred / jnp.sum(y_pred, axis=axis, keepdims=True)))


def _smoothed(y_true: Array, amount: float, classes: int) -> Array:
    if not 0 <= amount <= 1:
        raise ValueError(f"label_smoothing must be in [0, 1], got {amount}")
    return y_true * (1 - amount) + amount / classes if amount else y_true


@loss("bce")
def binary_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Array:
    """Mean over `axis` of `-(y_true·log(p) + (1 - y_true)·log(1 - p))`, `p` being `y_pred`.

    Probabilities are clipped to [epsilon, 1 - epsilon]; with `from_logits`, p is their sigmoid.
    """
    y_true, y_pred = aligned(y_true, y_pred)
    y_true = _smoothed(y_true, label_smoothing, 2)
    if not from_logits:
        return jnp.mean(_binary_entropy(y_true, y_pred), axis=axis)
    log_p, log_q = jax.nn.log_sigmoid(y_pred), jax.nn.log_sigmoid(-y_pred)
    return -jnp.mean(y_true * log_p + (1 - y_true) * log_q, axis=axis)


@loss()
def binary_focal_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Array:
    """Binary cross-entropy, each term times `(1 - p_t)^gamma`, where `p_t` is the true class's.

    With `apply_class_balancing` ones also weigh `alpha` and zeros `1 - alpha`.
    Lin et al. 2017, https://arxiv.org/abs/1708.02002
    """
    y_true, y_pred = aligned(y_true, y_pred)
    y_true = _smoothed(y_true, label_smoothing, 2)
    p = jax.nn.sigmoid(y_pred) if from_logits else y_pred
    of_true_class = y_true * p + (1 - y_true) * (1 - p)
    focal = jnp.power(1 - of_true_class, gamma) * _binary_entropy(y_true, p)
    if apply_class_balancing:
        focal = focal * (y_true * alpha + (1 - y_true) * (1 - alpha))
    return jnp.mean(focal, axis=axis)


@loss()
def categorical_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Array:
    """`-sum(y_true·log(p))` over `axis`, where p is `y_pred` divided by its sum and clipped.

    With `from_logits`, p is the softmax of `y_pred`.
    """
    y_true, y_pred = aligned(y_true, y_pred)
    y_true = _smoothed(y_true, label_smoothing, y_pred.shape[axis])
    return -jnp.sum(y_true * _log_probabilities(y_pred, from_logits, axis), axis=axis)


@loss()
def categorical_focal_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Array:
    """`-sum(alpha·(1 - p)^gamma·y_true·log(p))` over `axis`.

    Lin et al. 2017, https://arxiv.org/abs/1708.02002
    """
    y_true, y_pred = aligned(y_true, y_pred)
    y_true = _smoothed(y_true, label_smoothing, y_pred.shape[axis])
    p = jax.nn.softmax(y_pred, axis=axis) if from_logits else y_pred
    p = inside(p / jnp.sum(p, axis=axis, keepdims=True))
    return -jnp.sum(alpha * jnp.power(1 - p, gamma) * y_true * jnp.log(p), axis=axis)


@loss(targets="labels")
def sparse_categorical_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> Array:
    """`-log(p[y_true])` for integer labels, of shape (n,) or (n, 1) for predictions (n, classes).

    Rows whose label is `ignore_class` give 0, and the loss object leaves them out of its mean.
    """
    scores = as_float(y_pred)
    labels = labels_of(y_true, scores, axis)
    ignored = jnp.zeros(labels.shape, bool) if ignore_class is None else labels == ignore_class
    # Ignored rows are made harmless before the logarithm, so that their gradient is 0, not NaN.
    scores = jnp.where(jnp.expand_dims(ignored, axis), 1, scores)
    targets = jnp.where(ignored, 0, labels)
    chosen = jax.nn.one_hot(targets, scores.shape[axis], axis=axis, dtype=scores.dtype)
    entropy = -jnp.sum(chosen * _log_probabilities(scores, from_logits, axis), axis=axis)
    return jnp.where(ignored, 0, entropy)


def _not_ignored(options: Config, y_true: ArrayLike, values: Array) -> Mask:
    ignored = options["ignore_class"]
    return None if ignored is None else jnp.reshape(jnp.asarray(y_true) != ignored, values.shape)


@loss(targets="labels")
def categorical_generalized_cross_entropy(
    y_true: ArrayLike, y_pred: ArrayLike, q: float = 0.5
) -> Array:
    """`(1 - p[y_true]^q) / q` for integer labels; it forgives wrong labels.

    Zhang and Sabuncu 2018, https://arxiv.org/abs/1805.07836
    """
    if not 0 < q < 1:
        raise ValueError(f"q must be in (0, 1), got {q}")
    scores = as_float(y_pred)
    labels = labels_of(y_true, scores)
    p = jnp.sum(scores * jax.nn.one_hot(labels, scores.shape[-1], dtype=scores.dtype), axis=-1)
    return (1 - jnp.power(p, q)) / q


@loss("kld", "kullback_leibler_divergence")
def kl_divergence(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """`sum(y_true·log(y_true / y_pred))` over the last axis, both clipped to [epsilon, 1]."""
    y_true, y_pred = (_clip(y, config.epsilon(), 1) for y in aligned(y_true, y_pred))
    return jnp.sum(y_true * jnp.log(y_true / y_pred), axis=-1)


@loss()
def poisson(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Mean of `y_pred - y_true·log(y_pred + epsilon)` over the last axis."""
    y_true, y_pred = aligned(y_true, y_pred)
    return jnp.mean(y_pred - y_true * jnp.log(y_pred + config.epsilon()), axis=-1)


@loss(targets="any")
def ctc(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Connectionist temporal classification: `-log P(y_true)` over all alignments; (batch,).

    `y_true` holds labels (batch, longest), 0 being the blank and the padding; `y_pred` logits
    (batch, time, classes). Graves et al. 2006, https://doi.org/10.1145/1143844.1143891
    """
    labels, logits = jnp.asarray(y_true).astype(jnp.int32), as_float(y_pred)
    if labels.ndim != 2 or logits.ndim != 3:
        raise ValueError(
            "ctc takes y_true of shape (batch, labels) and y_pred of shape (batch, time, classes); "
            f"got {labels.shape} and {logits.shape}"
        )
    # Keras reads the number of non-zero labels as the length.
    lengths = jnp.sum(labels != 0, axis=-1, keepdims=True)
    padding = (jnp.arange(labels.shape[1]) >= lengths).astype(logits.dtype)
    import optax  # slow to import, and nothing else here needs it

    return optax.ctc_loss(logits, jnp.zeros(logits.shape[:2], logits.dtype), labels, padding)


BinaryCrossentropy = loss_class("BinaryCrossentropy", binary_crossentropy)
BinaryFocalCrossentropy = loss_class("BinaryFocalCrossentropy", binary_focal_crossentropy)
CategoricalCrossentropy = loss_class("CategoricalCrossentropy", categorical_crossentropy)
CategoricalFocalCrossentropy = loss_class(
    "CategoricalFocalCrossentropy", categorical_focal_crossentropy
)
SparseCategoricalCrossentropy = loss_class(
    "SparseCategoricalCrossentropy",
    sparse_categorical_crossentropy,
    "from_logits ignore_class reduction axis name dtype",
    counted=_not_ignored,
)
CategoricalGeneralizedCrossEntropy = loss_class(
    "CategoricalGeneralizedCrossEntropy", categorical_generalized_cross_entropy
)
KLDivergence = loss_class("KLDivergence", kl_divergence)
Poisson = loss_class("Poisson", poisson)
CTC = loss_class("CTC", ctc)

bce = BCE = binary_crossentropy
kld = KLD = kullback_leibler_divergence = kl_divergence
