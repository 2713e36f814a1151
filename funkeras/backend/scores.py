"""Cross-entropies of probabilities, and whether the target is among the likeliest.

`output` comes before `target` in Keras 1, after it in later ones; the dialect tells.
"""

from typing import Any

import jax.numpy as jnp

from funkeras import losses
from funkeras.backend.lifting import op

__all__ = [
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "classification_error",
    "in_top_k",
    "sparse_categorical_crossentropy",
]


@op
def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    """`-(target·log(output) + (1 - target)·log(1 - output))` of each entry."""
    return losses.binary_crossentropy(target[..., None], output[..., None], from_logits)


@op
def binary_focal_crossentropy(
    target: Any,
    output: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
) -> Any:
    """Binary cross-entropy of each entry times `(1 - p)^gamma`, `p` being that of its class."""
    true, pred = target[..., None], output[..., None]
    return losses.binary_focal_crossentropy(
        true, pred, apply_class_balancing, alpha, gamma, from_logits
    )


@op
def categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Any:
    """`-sum(target·log(output))` over the axis, the output divided by its sum."""
    return losses.categorical_crossentropy(target, output, from_logits, axis=axis)


@op
def categorical_focal_crossentropy(
    target: Any,
    output: Any,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    axis: int = -1,
) -> Any:
    """`-sum(alpha·(1 - output)^gamma·target·log(output))` over the axis."""
    return losses.categorical_focal_crossentropy(
        target, output, alpha, gamma, from_logits, axis=axis
    )


@op
def sparse_categorical_crossentropy(
    target: Any,
    output: Any,
    from_logits: bool = False,
    axis: int = -1,
    ignore_class: int | None = None,
) -> Any:
    """`-log(output)` at the class that `target` holds the number of."""
    return losses.sparse_categorical_crossentropy(
        target, output, from_logits, ignore_class=ignore_class, axis=axis
    )


@op
def classification_error(target: Any, output: Any, axis: int = -1) -> Any:
    """The share of samples whose likeliest class is not the target's."""
    return jnp.mean(jnp.argmax(target, axis) != jnp.argmax(output, axis))


@op
def in_top_k(predictions: Any, targets: Any, k: int) -> Any:
    """Whether fewer than `k` classes score higher than the target: ties at the k-th place count."""
    of_target = jnp.take_along_axis(predictions, jnp.asarray(targets, int)[..., None], axis=-1)
    higher = jnp.sum(predictions > of_target, axis=-1)
    return (higher < k) & jnp.isfinite(of_target[..., 0])
