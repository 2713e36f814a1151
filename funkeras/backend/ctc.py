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

__all__ = ["ctc_batch_cost", "ctc_decode", "ctc_label_dense_to_sparse"]

OUT = -np.inf
"""The logarithm of the probability of what can't be."""
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
        labels, scores = _best_path(logits, lengths)
        found = labels[None]
    else:
        if top_paths > beam_width:
            raise ValueError(f"top_paths {top_paths} must be at most beam_width {beam_width}")
        samples, time, _ = logits.shape
        shapes = (
            jax.ShapeDtypeStruct((top_paths, samples, time), jnp.int32),
            jax.ShapeDtypeStruct((samples, top_paths), jnp.float32),
        )

        def search(logits: Any, lengths: Any) -> tuple[np.ndarray, np.ndarray]:
            return _search(np.asarray(logits), np.asarray(lengths), beam_width, top_paths)

        found, scores = jax.pure_callback(search, shapes, logits, lengths)
        if config.dialect() != "modern":
            likely = jnp.max(jax.nn.log_softmax(logits), -1)
            counts = jnp.arange(time) < lengths[:, None]
            scores = scores - jnp.sum(jnp.where(counts, likely, 0), -1, keepdims=True)
    if isinstance(found, Tracer) or config.dialect() == "modern":
        return list(found), scores
    longest = [max(int((labels >= 0).sum(-1).max()), 1) for labels in found]
    return [labels[:, :size] for labels, size in zip(found, longest, strict=True)], scores


def _best_path(logits: Any, lengths: Any) -> tuple[Any, Any]:
    """Best class of each step, without repeats and blanks, and minus the sum of their logits."""
    samples, time, classes = logits.shape
    counts = jnp.arange(time) < lengths[:, None]
    best = jnp.argmax(logits, -1)
    before = jnp.pad(best[:, :-1], ((0, 0), (1, 0)), constant_values=-1)
    kept = counts & (best != classes - 1) & (best != before)
    places = jnp.where(kept, jnp.cumsum(kept, -1) - 1, time)  # what is dropped goes beyond the end
    rows = jnp.arange(samples)[:, None]
    labels = jnp.full((samples, time), -1).at[rows, places].set(best, mode="drop")
    return labels, -jnp.sum(jnp.where(counts, logits.max(-1), 0), -1, keepdims=True)


def _search(
    logits: np.ndarray, lengths: np.ndarray, width: int, paths: int
) -> tuple[np.ndarray, np.ndarray]:
    """The best label sequences of each sample by a search over prefixes, on the host."""
    labels = np.full((paths, *logits.shape[:2]), -1, np.int32)
    scores = np.full((len(logits), paths), -np.inf, np.float32)
    for sample, (own, length) in enumerate(zip(logits, lengths, strict=True)):
        shifted = own - own.max(-1, keepdims=True)
        steps = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
        for path, (prefix, score) in enumerate(_prefixes(steps[:length], width)[:paths]):
            labels[path, sample, : len(prefix)] = prefix
            scores[sample, path] = score
    return labels, scores


def _prefixes(steps: np.ndarray, width: int) -> list[tuple[tuple[int, ...], float]]:
    """The likeliest prefixes with their log probabilities, best first.

    Each has two: of the alignments that end with a blank, and with its last label.
    """
    blank = steps.shape[1] - 1
    beams = {(): (0.0, -np.inf)}
    for step in steps:
        grown: dict[tuple[int, ...], tuple[float, float]] = {}
        for prefix, (by_blank, by_label) in beams.items():
            total = np.logaddexp(by_blank, by_label)
            _add(grown, prefix, total + step[blank], by_label + step[prefix[-1]] if prefix else OUT)
            for label in range(blank):
                repeats = bool(prefix) and prefix[-1] == label
                before = by_blank if repeats else total
                _add(grown, (*prefix, label), OUT, before + step[label])
        best = sorted(grown.items(), key=lambda item: -np.logaddexp(*item[1]))
        beams = dict(best[:width])
    return [(prefix, float(np.logaddexp(*both))) for prefix, both in beams.items()]


def _add(grown: dict[Any, Any], prefix: tuple[int, ...], by_blank: float, by_label: float) -> None:
    """Add probabilities to those that a prefix has."""
    before = grown.get(prefix, (OUT, OUT))
    grown[prefix] = np.logaddexp(before[0], by_blank), np.logaddexp(before[1], by_label)
