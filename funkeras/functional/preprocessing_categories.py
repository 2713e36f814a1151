"""Numbers as categories: encoded as ones and zeros, sorted into bins, looked up in a list."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from funkeras import config
from funkeras.functional.checks import one_of, positive
from funkeras.functional.pair import Pair, layer, stateless
from funkeras.typing import Array, ArrayLike, Params, PyTree

__all__ = ["category_encoding", "discretization", "integer_lookup", "quantiles"]

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

    return stateless(apply)


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
        assert depth is not None
        return encoded(bins.astype("int32"), depth, output_mode, dtype)

    return stateless(apply)


def quantiles(batches: Sequence[ArrayLike], num_bins: int, epsilon: float = 0.01) -> list[float]:
    """Boundaries of `num_bins` bins with as many values each, by way of a small summary.

    Values and their weights are merged batch by batch and kept to about `1 / epsilon` of them.
    """
    summary = np.zeros((2, 0), "float32")
    for batch in batches:
        values = np.sort(np.asarray(batch, "float32"), axis=None)
        step = max(1.0, epsilon * len(values))
        kept = values[int(step - 1) :: int(step)]
        own = np.stack([kept, np.full_like(kept, step)])
        summary = np.concatenate([own, summary], axis=1)
        summary = compressed(summary[:, np.argsort(summary[0], kind="stable")], epsilon)
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


@dataclass(frozen=True)
class Table:
    """What a lookup knows: its words, from place `start` on, and how places are encoded."""

    words: list[Any] | None
    specials: list[Any]
    mode: str
    masked: bool
    depth: int
    weights: np.ndarray | None

    @property
    def start(self) -> int:
        """The place of the first word."""
        return len(self.specials)

    @property
    def known(self) -> list[Any]:
        """The words.

        Raises:
            ValueError: if nobody has given them yet.
        """
        if self.words is None:
            raise ValueError("the vocabulary is unknown: adapt to data first, or give it")
        return self.words

    def encode(self, places: Array) -> Array:
        """Places as the output mode wants them."""
        mode = "count" if self.mode == "tf_idf" else self.mode
        y = encoded(places, self.depth, mode, config.floatx())
        return y if self.weights is None else y * jnp.asarray(self.weights, y.dtype)


def table_of(
    vocabulary: Sequence[Any] | None,
    idf_weights: Sequence[float] | None,
    max_tokens: int | None,
    num_oov_indices: int,
    mask_token: Any,
    oov_token: Any,
    invert: bool,
    output_mode: str,
    sparse: bool,
    pad_to_max_tokens: bool,
) -> Table:
    """The table that the arguments of a lookup describe, after checking them."""
    mode = OLD_MODES.get(output_mode, output_mode)
    one_of("output_mode", mode, (*MODES, "tf_idf"))
    no_sparse(sparse)
    if num_oov_indices < 0:
        raise ValueError(f"num_oov_indices must not be negative, got {num_oov_indices}")
    if invert and mode != "int":
        raise ValueError(f"invert needs output_mode='int', got {output_mode!r}")
    if pad_to_max_tokens and max_tokens is None:
        raise ValueError("pad_to_max_tokens needs max_tokens")
    if isinstance(vocabulary, str):
        raise TypeError(
            f"vocabulary must be a list, got the path {vocabulary!r}: "
            "call set_vocabulary(path) on the layer to read a file"
        )
    masked = mask_token is not None and mode == "int"
    specials = [mask_token] * masked + [oov_token] * num_oov_indices
    words = None if vocabulary is None else list(vocabulary)
    if words is not None and specials and words[: len(specials)] == specials:
        words = words[len(specials) :]
    if words is not None and len(set(words)) != len(words):
        raise ValueError("vocabulary has an entry twice")
    used = len(specials) + len(words or ())
    if max_tokens is not None and used > max_tokens:
        raise ValueError(f"vocabulary needs {used} places, max_tokens={max_tokens}")
    depth = (max_tokens or 0) if pad_to_max_tokens else used
    weights = None
    if mode == "tf_idf" and words is not None:
        given = np.asarray([] if idf_weights is None else idf_weights, "float64")
        if len(given) not in (len(words), used):
            raise ValueError(f"tf_idf needs {len(words)} idf_weights, got {len(given)}")
        front = np.full(used - len(given), given.mean() if len(given) else 0)
        weights = np.pad(np.concatenate([front, given]), (0, depth - used))
    return Table(words, specials, mode, masked, depth, weights)


@layer("IntegerLookup")
def integer_lookup(
    max_tokens: int | None = None,
    num_oov_indices: int = 1,
    mask_token: int | None = None,
    oov_token: int = -1,
    vocabulary: Sequence[int] | None = None,
    idf_weights: Sequence[float] | None = None,
    invert: bool = False,
    output_mode: str = "int",
    sparse: bool = False,
    pad_to_max_tokens: bool = False,
) -> Pair:
    """The place of each whole number in `vocabulary`.

    In `int` mode 0 is for `mask_token`, if there is one; then come `num_oov_indices` places for
    unknown numbers (by remainder, if several), then the vocabulary. -1 is for an unknown number
    that has no place.

    Args:
        vocabulary: the numbers that are known; `adapt` finds the most frequent of some data.
        max_tokens: how many places there are at most.
        invert: from places to numbers; `oov_token` for an unknown one.
        output_mode: `int`, an encoding as in `category_encoding`, or `tf_idf`: `count` times
            `idf_weights`.
        pad_to_max_tokens: encodings have `max_tokens` places, used or not.
        sparse: must be false.

    >>> from funkeras.functional import output_shape
    >>> output_shape(integer_lookup(vocabulary=[7, 9], output_mode="count"), (None, 5))
    (None, 3)
    """
    table = table_of(
        vocabulary,
        idf_weights,
        max_tokens,
        num_oov_indices,
        mask_token,
        oov_token,
        invert,
        output_mode,
        sparse,
        pad_to_max_tokens,
    )

    def places(x: Array, words: Sequence[int]) -> Array:
        unknown = jnp.full_like(x, int(table.masked) if num_oov_indices else -1)
        if num_oov_indices > 1:
            unknown = unknown + x % num_oov_indices
        found = unknown
        if words:
            order = np.argsort(words)
            known = jnp.asarray(np.asarray(words, "int32")[order])
            at = jnp.clip(jnp.searchsorted(known, x), 0, len(words) - 1)
            own = jnp.asarray(order + table.start, "int32")[at]
            found = jnp.where(known[at] == x, own, unknown)
        if mask_token is None:
            return found
        return jnp.where(x == mask_token, 0 if table.masked else -1, found)

    def apply(params: Params, x: ArrayLike) -> Array:
        words = table.known
        x = jnp.asarray(x).astype("int32")
        if not invert:
            return table.encode(places(x, words))
        listed = jnp.asarray([*table.specials, *words, oov_token], "int32")
        outside = (x < 0) | (x >= len(listed))
        return listed[jnp.where(outside, len(listed) - 1, x)]

    return stateless(apply)
