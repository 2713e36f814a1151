"""Connectionist temporal classification: the cost of labels, and the likeliest labels.

Graves et al. 2006, https://doi.org/10.1145/1143844.1143891. The last class is the blank.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from funkeras import config
from funkeras.backend.lifting import op
from funkeras.functional.ctc import best_path, best_prefixes

__all__ = ["ctc_batch_cost", "ctc_decode", "ctc_label_dense_to_sparse"]

SMOOTHING = 1e-4
"""How much of an even share Keras 1 and 2 mixed into the probabilities on Theano."""


def _logarithms(y_pred: Any) -> Any:
    """Logarithms of probabilities, kept finite as the generation does it."""
    smallest = 1e-8 if config.dialect() == "classic" else config.epsilon()
    return jnp.log(jnp.asarray(y_pred) + smallest)


@op
def ctc_batch_cost(y_true: Any, y_pred: Any, input_length: Any, label_length: Any) -> Any:
    """`-log P(labels)` of each sample, over all alignments: (samples, 1).

    Keras 1 and 2 on Theano sum it over the steps, `-log(input_length·P(labels))`, where each
    probability `p` is `(1 - 1e-4)·p + 1e-4 / (2·label_length + 1)`.

    Args:
        y_true: labels, (samples, longest).
        y_pred: probabilities of the classes, (samples, time, classes).
        input_length, label_length: how many steps and labels of each sample count, (samples, 1).
    """
    import optax  # slow to import, and nothing else here needs it

    labels = jnp.asarray(y_true).astype(jnp.int32)
    steps, count = (jnp.reshape(lengths, (-1, 1)) for lengths in (input_length, label_length))
    on_theano = config.dialect() != "modern" and config.backend() == "theano"
    logits = _smoothed(y_pred, count) if on_theano else _logarithms(y_pred)

    def beyond(lengths: Any, size: int) -> Any:
        return (jnp.arange(size) >= lengths).astype(logits.dtype)

    paddings = beyond(steps, logits.shape[1]), beyond(count, labels.shape[1])
    blank = logits.shape[2] - 1
    cost = optax.ctc_loss(logits, paddings[0], labels, paddings[1], blank_id=blank)[:, None]
    if not on_theano:
        return cost
    # optax lets the probabilities of a step sum to one first; these do not.
    totals = jax.nn.logsumexp(logits, -1) * (1 - paddings[0])
    return cost - jnp.sum(totals, -1, keepdims=True) - jnp.log(steps.astype(cost.dtype))


def _smoothed(y_pred: Any, label_length: Any) -> Any:
    """Logarithms of probabilities, less certain by an even share of the labels and blanks."""
    share = 1 / (2 * label_length[:, None] + 1)
    return jnp.log((1 - SMOOTHING) * jnp.asarray(y_pred) + SMOOTHING * share)


class SparseLabels(NamedTuple):
    """Labels without their padding: where each one is, each one, and the shape of them all."""

    indices: np.ndarray
    values: np.ndarray
    dense_shape: tuple[int, ...]


def ctc_label_dense_to_sparse(labels: Any, label_lengths: Any) -> SparseLabels:
    """The labels (samples, longest) that count, as indices, values and shape.

    Their number depends on the lengths, so these can't be symbolic.
    """
    labels, lengths = np.asarray(labels), np.asarray(label_lengths).reshape(-1, 1)
    inside = np.arange(labels.shape[1]) < lengths
    return SparseLabels(np.argwhere(inside), labels[inside], labels.shape)


@op
def ctc_decode(
    y_pred: Any,
    input_length: Any,
    greedy: bool = True,
    beam_width: int = 100,
    top_paths: int = 1,
) -> tuple[list[Any], Any]:
    """The likeliest labels: a list of (samples, time), filled up with -1, and their scores.

    Greedy takes the best class of each step, merges equal neighbours and drops blanks; its score
    is minus the sum of the logarithms. Else a search over prefixes gives the `top_paths` best by
    `log P(labels)`, (samples, top_paths). In Keras 1 and 2 that is less the logarithms of the best
    classes, and outside of compiled programs the labels end with the longest.

    Args:
        y_pred: probabilities of the classes, (samples, time, classes).
        input_length: how many steps of each sample count, (samples,).
        beam_width: how many prefixes the search keeps at each step.

    Raises:
        ValueError: if more paths are asked for than prefixes are kept.
    """
    logits = _logarithms(y_pred)
    lengths = jnp.reshape(jnp.asarray(input_length), -1).astype(jnp.int32)
    if greedy:
        labels, scores = best_path(logits, lengths, logits.shape[2] - 1)
        found = labels[None]
    else:
        found, scores = best_prefixes(logits, lengths, logits.shape[2] - 1, beam_width, top_paths)
        if config.dialect() != "modern":
            likely = jnp.max(jax.nn.log_softmax(logits), -1)
            counts = jnp.arange(logits.shape[1]) < lengths[:, None]
            scores = scores - jnp.sum(jnp.where(counts, likely, 0), -1, keepdims=True)
    if isinstance(found, Tracer) or config.dialect() == "modern":
        return list(found), scores
    longest = [max(int((labels >= 0).sum(-1).max()), 1) for labels in found]
    return [labels[:, :size] for labels, size in zip(found, longest, strict=True)], scores
