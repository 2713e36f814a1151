"""Whole numbers looked up in a list, and what any lookup has to know."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from funkeras import config
from funkeras.functional.checks import one_of
from funkeras.functional.pair import Pair, layer, output_specs, stateless
from funkeras.functional.preprocessing_categories import MODES, OLD_MODES, encoded, no_sparse
from funkeras.functional.preprocessing_hashing import Salt, buckets, salt_of
from funkeras.typing import Array, ArrayLike, Params, PyTree, Shape

__all__ = ["integer_lookup"]


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

    @cached_property
    def numbered(self) -> dict[Any, int]:
        """The place of each word."""
        return {word: place for place, word in enumerate(self.known, self.start)}

    def encode(self, places: Array) -> Array:
        """Places as the output mode wants them: whole numbers, unless it weighs them."""
        if self.mode != "tf_idf":
            return encoded(places, self.depth, self.mode, places.dtype)
        dtype = jnp.dtype(config.floatx())
        return encoded(places, self.depth, "count", dtype) * jnp.asarray(self.weights, dtype)

    def specs(self, input_shape: Shape, dtypes: PyTree = None) -> PyTree:
        """Shape and dtype of what that many places are encoded as, whatever has those places."""
        if self.mode != "int":
            _ = self.known  # as many as there are
        return output_specs(stateless(lambda _, x: self.encode(x)), input_shape, "int32")


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
    if max_tokens is not None and max_tokens <= 1:
        raise ValueError(f"max_tokens must be above 1, got {max_tokens}")
    if pad_to_max_tokens and max_tokens is None:
        raise ValueError("pad_to_max_tokens needs max_tokens")
    if idf_weights is not None and mode != "tf_idf":
        raise ValueError(f"idf_weights need output_mode='tf_idf', got {output_mode!r}")
    if isinstance(vocabulary, str):
        raise TypeError(
            f"vocabulary must be a list, got the path {vocabulary!r}: "
            "call set_vocabulary(path) on the layer to read a file"
        )
    masked = mask_token is not None and mode == "int"
    specials = [mask_token] * masked + [oov_token] * num_oov_indices
    words = None if vocabulary is None else list(vocabulary)
    if words is not None:
        if words[: len(specials)] == specials:
            words = words[len(specials) :]
        if not vocabulary:
            raise ValueError("vocabulary must have entries, got none")
        if len(set(words)) != len(words):
            raise ValueError("vocabulary has an entry twice")
        for token in (mask_token, oov_token if invert else None):
            if token is not None and token in words:
                raise ValueError(
                    f"vocabulary has {token!r}, which is reserved: leave it out, "
                    f"or start with {specials}"
                )
    used = len(specials) + len(words or ())
    if max_tokens is not None and used > max_tokens:
        raise ValueError(f"vocabulary needs {used} places, max_tokens={max_tokens}")
    depth = (max_tokens or 0) if pad_to_max_tokens else used
    weights = None
    if mode == "tf_idf" and words is not None:
        given = np.asarray([] if idf_weights is None else idf_weights, "float64")
        if len(given) != len(vocabulary or ()):
            raise ValueError(f"tf_idf needs {len(vocabulary or ())} idf_weights, got {len(given)}")
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
    vocabulary_dtype: str = "int64",
    idf_weights: Sequence[float] | None = None,
    invert: bool = False,
    output_mode: str = "int",
    sparse: bool = False,
    pad_to_max_tokens: bool = False,
    oov_method: str = "floormod",
    salt: Salt = None,
) -> Pair:
    """The place of each whole number in `vocabulary`.

    In `int` mode 0 is for `mask_token`, if there is one; then come `num_oov_indices` places for
    unknown numbers, then the vocabulary. With no place for unknown numbers they are an error; in
    a compiled step, which cannot raise, they are -1.

    Args:
        vocabulary: the numbers that are known; `adapt` finds the most frequent of some data.
        vocabulary_dtype: must be int64.
        max_tokens: how many places there are at most.
        invert: from places to numbers; `oov_token` for an unknown one.
        output_mode: `int`, an encoding as in `category_encoding` in whole numbers, or `tf_idf`:
            `count` times `idf_weights`.
        pad_to_max_tokens: encodings have `max_tokens` places, used or not.
        oov_method, salt: unknown numbers share several places by remainder (`floormod`), or by
            `farmhash`, and its salt, as in `hashing`.
        sparse: must be false.

    >>> from funkeras.functional import output_shape
    >>> output_shape(integer_lookup(vocabulary=[7, 9], output_mode="count"), (None, 5))
    (None, 3)
    """
    one_of("vocabulary_dtype", vocabulary_dtype, ("int64",))
    one_of("oov_method", oov_method, ("floormod", "farmhash"))
    key = salt_of(salt)
    if key and oov_method != "farmhash":
        raise ValueError(f"salt needs oov_method='farmhash', got {oov_method!r}")
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

    def share(x: ArrayLike) -> ArrayLike:
        return buckets(x, num_oov_indices, key) if oov_method == "farmhash" else x % num_oov_indices

    def places(x: Array | np.ndarray, words: Sequence[int]) -> ArrayLike:
        xp = jnp if isinstance(x, jax.Array) else np  # on the host numbers have 64 bits
        first = int(table.masked) if num_oov_indices else -1
        unknown = first + (share(x) if num_oov_indices > 1 else xp.zeros_like(x))
        order = np.argsort(words)
        known = xp.asarray(np.asarray(words, x.dtype)[order])
        at = xp.clip(xp.searchsorted(known, x), 0, len(words) - 1)
        found = known[at] == x
        masked = xp.zeros_like(found) if mask_token is None else x == mask_token
        if xp is np and not num_oov_indices and not (found | masked).all():
            missing = np.asarray(x)[~(found | masked)][0]
            raise ValueError(f"with num_oov_indices=0 all must be known, got {missing}")
        y = xp.where(found, xp.asarray(order + table.start, x.dtype)[at], unknown)
        return xp.where(masked, 0 if table.masked else -1, y)

    def apply(params: Params, x: ArrayLike) -> Array:
        words = table.known
        x = x.astype("int32") if isinstance(x, jax.Array) else np.asarray(x).astype("int64")
        if not invert:
            return table.encode(jnp.asarray(places(x, words)))
        listed = np.asarray([*table.specials, *words, oov_token], "int64")
        outside = (x < 0) | (x >= len(listed))
        return jnp.asarray(listed)[jnp.where(outside, len(listed) - 1, x)]

    return replace(stateless(apply), specs=table.specs)
