"""How far predictions are from targets: cross-entropies, label sequences, signal and noise."""

from typing import Any

import jax
import jax.numpy as jnp

from funkeras import losses
from funkeras.functional.checks import one_of
from funkeras.functional.ctc import best_path, best_prefixes
from funkeras.losses.probabilistic import inside
from funkeras.ops.arguments import array, single
from funkeras.ops.lifting import op

__all__ = [
    "binary_crossentropy",
    "categorical_crossentropy",
    "ctc_decode",
    "ctc_loss",
    "psnr",
    "sparse_categorical_crossentropy",
]


@op
def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    """`-(target·log(p) + (1 - target)·log(1 - p))` of each entry; p is `output`, or its sigmoid."""
    target, output = _alike(target, output)
    if from_logits:
        log_p, log_q = jax.nn.log_sigmoid(output), jax.nn.log_sigmoid(-output)
    else:
        p = inside(output)
        log_p, log_q = jnp.log(p), jnp.log(1 - p)
    return -target * log_p - (1 - target) * log_q


@op
def categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Any:
    """`-sum(target·log(p))` over the axis; p is `output` over its sum, or its softmax."""
    target, output = _alike(target, output)
    if not target.ndim:
        raise ValueError("target and output must have an axis of classes, got scalars")
    return losses.categorical_crossentropy(target, output, from_logits, axis=axis)


@op
def sparse_categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Any:
    """`-log(p[target])` for integer targets, of the shape of `output` without its axis."""
    return losses.sparse_categorical_crossentropy(target, output, from_logits, axis=axis)


@op
def ctc_loss(
    target: Any, output: Any, target_length: Any, output_length: Any, mask_index: int = 0
) -> Any:
    """`-log P(target)` over all alignments, (batch,): https://doi.org/10.1145/1143844.1143891.

    Args:
        target: labels, (batch, longest).
        output: logits, (batch, time, classes).
        target_length, output_length: how many labels and steps count, (batch,).
        mask_index: the class of the blank.
    """
    import optax  # slow to import, and nothing else here needs it

    labels, logits = array(target).astype(jnp.int32), single(output)

    def beyond(lengths: Any, size: int) -> Any:
        return (jnp.arange(size) >= array(lengths)[:, None]).astype(logits.dtype)

    paddings = beyond(output_length, logits.shape[1]), beyond(target_length, labels.shape[1])
    return optax.ctc_loss(logits, paddings[0], labels, paddings[1], blank_id=mask_index)


@op
def ctc_decode(
    inputs: Any,
    sequence_lengths: Any,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int | None = 0,
) -> Any:
    """The likeliest labels, (paths, batch, time) filled up with -1, and their scores.

    Greedy takes the best class of each step; its score, (batch, 1), is minus the sum of these
    inputs. `beam_search` gives `top_paths` with their log probabilities, (batch, top_paths).

    Args:
        inputs: logits, (batch, time, classes).
        sequence_lengths: how many steps count, (batch,).
        merge_repeated: whether the greedy way makes one of equal neighbours.
        mask_index: the class of the blank, the last one if None.
    """
    one_of("strategy", strategy, ("greedy", "beam_search"))
    scores, lengths = single(inputs), array(sequence_lengths).astype(jnp.int32)
    blank = scores.shape[-1] - 1 if mask_index is None else mask_index
    if strategy == "beam_search":
        return best_prefixes(scores, lengths, blank, beam_width, top_paths)
    labels, score = best_path(scores, lengths, blank, merge_repeated)
    return labels[None], score


@op
def psnr(x1: Any, x2: Any, max_val: float) -> Any:
    """Peak signal-to-noise ratio in decibels: `10·log10(max_val² / mean((x1 - x2)²))`."""
    x1, x2 = _alike(x1, x2)
    peak = jnp.asarray(max_val, x2.dtype)
    return 20 * jnp.log10(peak) - 10 * jnp.log10(jnp.mean(jnp.square(x1 - x2)))


def _alike(first: Any, second: Any) -> tuple[Any, Any]:
    """Two arrays of one shape; nothing is broadcast."""
    first, second = array(first), array(second)
    if first.shape != second.shape:
        raise ValueError(f"expected two arrays of one shape, got {first.shape} and {second.shape}")
    return first, second
