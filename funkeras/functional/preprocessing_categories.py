"""Numbers as categories: encoded as ones and zeros, sorted into bins."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial, reduce
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from funkeras import config
from funkeras.functional.checks import no_mask, one_of, positive
from funkeras.functional.pair import Pair, layer, output_specs, stateless
from funkeras.typing import Array, ArrayLike, Params, PyTree, Shape

__all__ = ["category_encoding", "discretization", "quantiles"]

MODES = ("int", "one_hot", "multi_hot", "count")
OLD_MODES = {"binary": "multi_hot", "tf-idf": "tf_idf"}


def encoded(
    numbers: Array, depth: int, mode: str, dtype: Any, weights: ArrayLike | None = None
) -> Array:
    """Category numbers as they are (`int`) or as ones and zeros on a last axis of size `depth`.

    `one_hot` does so for each number (an axis of size 1 goes), `multi_hot` and `count` take
    together those of a sample. Numbers beyond the depth count for nothing.
    """
    if mode == "int":
        return numbers
    numbers = jnp.atleast_1d(numbers)
    if mode == "one_hot":
        single = numbers.ndim > 1 and numbers.shape[-1] == 1
        return jax.nn.one_hot(numbers[..., 0] if single else numbers, depth, dtype=dtype)
    ones = jax.nn.one_hot(numbers, depth, dtype=dtype)
    axis = min(1, numbers.ndim - 1)
    if mode == "multi_hot":
        return ones.max(axis)
    if weights is not None:
        ones = ones * jnp.asarray(weights, dtype)[..., None]
    return ones.sum(axis)


def no_sparse(sparse: bool) -> None:
    """Refuse sparse outputs, which XLA does not have."""
    if sparse:
        raise ValueError("sparse=True is not possible: outputs are dense arrays")


@layer("CategoryEncoding")
def category_encoding(
    num_tokens: int, output_mode: str = "multi_hot", sparse: bool = False
) -> Pair:
    """Numbers below `num_tokens` as ones and zeros, one place for each.

    Args:
        output_mode: `one_hot` for each number, `multi_hot` for all numbers of a sample together,
            or `count`, how often a sample has each. Two inputs are numbers and their weights
            (in Keras 3 the argument `count_weights` of a call).
        sparse: must be false.

    >>> from funkeras.functional import output_shape
    >>> output_shape(category_encoding(4), (None, 3))
    (None, 4)
    """
    depth = positive("num_tokens", num_tokens)
    mode = one_of("output_mode", OLD_MODES.get(output_mode, output_mode), MODES[1:])
    no_sparse(sparse)

    def apply(params: Params, x: PyTree) -> Array:
        x, weights = x if isinstance(x, tuple | list) else (x, None)
        if weights is not None and mode != "count":
            raise ValueError(f"weights of numbers need output_mode='count', got {output_mode!r}")
        return encoded(jnp.asarray(x).astype("int32"), depth, mode, config.floatx(), weights)

    return stateless(apply, mask=no_mask)


@layer("Discretization")
def discretization(
    bin_boundaries: Sequence[float] | None = None,
    num_bins: int | None = None,
    epsilon: float = 0.01,
    output_mode: str = "int",
    sparse: bool = False,
) -> Pair:
    """The number of the bin that each value falls into: how many boundaries are not above it.

    Args:
        bin_boundaries: in increasing order.
        num_bins: how many bins `adapt` makes, each with as many values, to within `epsilon`.
        output_mode: `int`, or an encoding as in `category_encoding`.
        sparse: must be false.

    >>> from funkeras.functional import output_shape
    >>> output_shape(discretization([0.0, 1.0], output_mode="one_hot"), (None, 5))
    (None, 5, 3)
    """
    if bin_boundaries is None and num_bins is None:
        raise ValueError("give bin_boundaries, or num_bins and adapt to data")
    if num_bins is not None:
        positive("num_bins", num_bins)
    one_of("output_mode", output_mode, MODES)
    no_sparse(sparse)
    edges = None if bin_boundaries is None else np.asarray(bin_boundaries, "float64")
    if edges is not None and (edges.ndim != 1 or (np.diff(edges) < 0).any()):
        raise ValueError(f"bin_boundaries must increase, got {bin_boundaries}")
    depth = num_bins if edges is None else len(edges) + 1

    def apply(params: Params, x: ArrayLike) -> Array:
        x = jnp.asarray(x)
        floating = jnp.issubdtype(x.dtype, jnp.floating)
        dtype = x.dtype if floating else jnp.dtype(config.floatx())
        if edges is None:
            raise ValueError("the bins are unknown: adapt to data first, or give bin_boundaries")
        wide = "float64" if dtype == "float64" else "float32"
        bins = jnp.searchsorted(jnp.asarray(edges, wide), x.astype(wide), side="right")
        return coded(bins.astype("int32"), dtype)

    def coded(bins: Array, dtype: Any) -> Array:
        assert depth is not None
        return encoded(bins, depth, output_mode, dtype)

    def specs(input_shape: Shape, dtypes: PyTree) -> PyTree:
        real = jnp.issubdtype(jnp.dtype(dtypes), jnp.floating)
        code = partial(coded, dtype=dtypes if real else config.floatx())
        return output_specs(stateless(lambda _, bins: code(bins)), input_shape, "int32")

    # How many bins there will be is known before where they are.
    pair = stateless(apply, mask=no_mask)
    return pair if edges is not None else replace(pair, specs=specs)


def quantiles(batches: Sequence[ArrayLike], num_bins: int, epsilon: float = 0.01) -> list[float]:
    """Boundaries of `num_bins` bins with as many values each, by way of a small summary.

    Values and their weights are merged batch by batch and kept to about `1 / epsilon` of them.
    """
    return boundaries(reduce(partial(summarized, epsilon=epsilon), batches, NOTHING), num_bins)


NOTHING = np.zeros((2, 0), "float32")
"""The summary of no values."""


def summarized(summary: np.ndarray, batch: ArrayLike, epsilon: float) -> np.ndarray:
    """The summary of the values that one describes and of those of a batch."""
    values = np.sort(np.asarray(batch, "float32"), axis=None)
    step = max(1.0, epsilon * len(values))
    kept = values[int(step - 1) :: int(step)]
    own = np.stack([kept, np.full_like(kept, step)])
    summary = np.concatenate([own, summary], axis=1)
    return compressed(summary[:, np.argsort(summary[0], kind="stable")], epsilon)


def boundaries(summary: np.ndarray, num_bins: int) -> list[float]:
    """Boundaries of bins with as many values each of those that a summary describes."""
    if not summary.size:
        raise ValueError("adapt needs data, got none")
    return compressed(summary, 1 / num_bins)[0, :-1].tolist()


def compressed(summary: np.ndarray, epsilon: float) -> np.ndarray:
    """Values and weights at equal steps `epsilon` of the whole weight, by interpolation."""
    if summary.shape[1] * epsilon < 1:
        return summary
    shares = epsilon + np.arange(0.0, 1.0, epsilon)
    reached = summary[1].cumsum()
    values = np.interp(shares, reached / reached[-1], summary[0])
    weights = np.interp(shares, reached / reached[-1], reached)
    return np.stack([values, np.diff(weights, prepend=0)]).astype("float32")
