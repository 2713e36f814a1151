"""The likeliest labels under connectionist temporal classification.

Graves et al. 2006, https://doi.org/10.1145/1143844.1143891
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from funkeras.typing import Array

__all__ = ["best_path", "best_prefixes"]

OUT = -np.inf
"""The logarithm of the probability of what can't be."""


def best_path(
    scores: Array, lengths: Array, blank: int, merged: bool = True
) -> tuple[Array, Array]:
    """Best class of each step without blanks, and minus the sum of its scores.

    Args:
        scores: (samples, time, classes).
        lengths: how many steps of each sample count, (samples,).
        merged: whether equal neighbours become one.

    Returns:
        labels (samples, time), filled up with -1, and (samples, 1).
    """
    samples, time, _ = scores.shape
    counts = jnp.arange(time) < lengths[:, None]
    best = jnp.argmax(scores, -1)
    kept = counts & (best != blank)
    if merged:
        kept &= best != jnp.pad(best[:, :-1], ((0, 0), (1, 0)), constant_values=-1)
    places = jnp.where(kept, jnp.cumsum(kept, -1) - 1, time)  # what is dropped goes beyond the end
    rows = jnp.arange(samples)[:, None]
    labels = jnp.full((samples, time), -1).at[rows, places].set(best, mode="drop")
    return labels, -jnp.sum(jnp.where(counts, scores.max(-1), 0), -1, keepdims=True)


def best_prefixes(
    logits: Array, lengths: Array, blank: int, width: int, paths: int
) -> tuple[Array, Array]:
    """The `paths` best labels by `log P(labels)`, found by a search over `width` prefixes.

    It runs on the host. Labels are (paths, samples, time), filled up with -1; their logarithms
    (samples, paths).

    Raises:
        ValueError: if more paths are asked for than prefixes are kept.
    """
    if paths > width:
        raise ValueError(f"top_paths {paths} must be at most beam_width {width}")
    samples, time, _ = logits.shape
    shapes = (
        jax.ShapeDtypeStruct((paths, samples, time), jnp.int32),
        jax.ShapeDtypeStruct((samples, paths), jnp.float32),
    )

    def search(logits: Any, lengths: Any) -> tuple[np.ndarray, np.ndarray]:
        return _search(np.asarray(logits), np.asarray(lengths), blank, width, paths)

    return jax.pure_callback(search, shapes, logits, lengths)


def _search(
    logits: np.ndarray, lengths: np.ndarray, blank: int, width: int, paths: int
) -> tuple[np.ndarray, np.ndarray]:
    """The best label sequences of each sample, on the host."""
    labels = np.full((paths, *logits.shape[:2]), -1, np.int32)
    scores = np.full((len(logits), paths), OUT, np.float32)
    for sample, (own, length) in enumerate(zip(logits, lengths, strict=True)):
        shifted = own - own.max(-1, keepdims=True)
        steps = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
        for path, (prefix, score) in enumerate(_prefixes(steps[:length], blank, width)[:paths]):
            labels[path, sample, : len(prefix)] = prefix
            scores[sample, path] = score
    return labels, scores


def _prefixes(steps: np.ndarray, blank: int, width: int) -> list[tuple[tuple[int, ...], float]]:
    """The likeliest prefixes with their log probabilities, best first.

    Each has two: of the alignments that end with a blank, and with its last label.
    """
    labels = [label for label in range(steps.shape[1]) if label != blank]
    beams = {(): (0.0, OUT)}
    for step in steps:
        grown: dict[tuple[int, ...], tuple[float, float]] = {}
        for prefix, (by_blank, by_label) in beams.items():
            total = np.logaddexp(by_blank, by_label)
            _add(grown, prefix, total + step[blank], by_label + step[prefix[-1]] if prefix else OUT)
            for label in labels:
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
