"""Strings as numbers, on the host: NumPy strings in, numbers out, before the compiled step."""

import functools
import inspect
import math
import re
import string
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, ParamSpec, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from funkeras.functional.checks import one_of
from funkeras.functional.pair import Pair, stateless
from funkeras.functional.preprocessing_hashing import Salt, buckets, salt_of
from funkeras.functional.preprocessing_lookup import Table, table_of
from funkeras.typing import Params, PyTree, Shape

__all__ = ["string_lookup", "text_vectorization", "tokenizer"]

P = ParamSpec("P")
Rule: TypeAlias = str | Callable[..., Any] | None

WHOLE = "int64"
LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
BARE = str.maketrans("", "", string.punctuation)
STANDARDS: dict[str, Callable[[str], str]] = {
    "lower": lambda text: text.translate(LOWER),
    "strip_punctuation": lambda text: text.translate(BARE),
    "lower_and_strip_punctuation": lambda text: text.translate(LOWER).translate(BARE),
}
SPLITS: dict[str, Callable[[str], list[str]]] = {
    "whitespace": re.compile(r"[^ \t\n\r\v\f]+").findall,
    "character": list,
}


def host_layer(name: str) -> Callable[[Callable[P, Pair]], Callable[P, Pair]]:
    """Declare a layer that no compiled step can hold: it knows its class name, nothing more."""

    def declare(build: Callable[P, Pair]) -> Callable[P, Pair]:
        signature = inspect.signature(build)

        @functools.wraps(build)
        def builder(*args: P.args, **kwargs: P.kwargs) -> Pair:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            given = dict(bound.arguments)
            return replace(
                build(*args, **kwargs), name=build.__name__, config=given, builder=builder
            )

        builder.keras_name = name  # pyright: ignore[reportAttributeAccessIssue]: names its class
        return builder

    return declare


def strings_of(x: PyTree, encoding: str = "utf-8") -> np.ndarray:
    """Strings, or bytes in that encoding, as a NumPy array of strings."""
    if isinstance(x, jax.Array):
        raise TypeError("strings are no input of a compiled step: look them up in the data before")
    values = np.asarray(x)
    if values.dtype.kind == "O":
        flat = [v.decode(encoding) if isinstance(v, bytes) else v for v in values.ravel()]
        if not all(isinstance(value, str) for value in flat):
            raise TypeError(f"expected strings, got {values!r}")
        return np.array(flat, "U").reshape(values.shape)
    if values.dtype.kind == "S":
        return np.char.decode(values, encoding)
    if values.dtype.kind != "U":
        raise TypeError(f"expected strings, got dtype {values.dtype}")
    return values


def places_of(
    values: Sequence[str],
    table: Table,
    num_oov_indices: int,
    mask_token: str | None,
    key: tuple[int, ...] | None = None,
) -> np.ndarray:
    """The place of each string; several places for unknown ones are shared by a hash."""
    known = dict(table.numbered)
    if mask_token is not None:
        known[mask_token] = 0 if table.masked else -1
    missing = [value for value in values if value not in known]
    if missing and num_oov_indices == 0:
        raise ValueError(f"with num_oov_indices=0 all must be known, got {missing[0]!r}")
    shares = buckets(np.array(missing), num_oov_indices, key) if num_oov_indices > 1 else ()
    first = int(table.masked)
    known |= dict.fromkeys(missing, first)
    known |= {value: first + int(share) for value, share in zip(missing, shares, strict=False)}
    return np.array([known[value] for value in values], WHOLE)


@host_layer("StringLookup")
def string_lookup(
    max_tokens: int | None = None,
    num_oov_indices: int = 1,
    mask_token: str | None = None,
    oov_token: str = "[UNK]",
    vocabulary: Sequence[str] | None = None,
    idf_weights: Sequence[float] | None = None,
    invert: bool = False,
    output_mode: str = "int",
    pad_to_max_tokens: bool = False,
    sparse: bool = False,
    encoding: str = "utf-8",
    salt: Salt = None,
) -> Pair:
    """The place of each string in `vocabulary`.

    In `int` mode 0 is for `mask_token`, if there is one; then come `num_oov_indices` places for
    unknown strings, which share them by a hash, then the vocabulary.

    Args:
        encoding: of inputs that are bytes.
        salt: of the hash, as in `hashing`.
        others: as in `integer_lookup`.

    >>> import numpy as np
    >>> from funkeras.functional import string_lookup
    >>> string_lookup(vocabulary=["a", "b"]).apply({}, {}, np.array([["b", "c"]]))[0].tolist()
    [[2, 0]]
    """
    key = salt_of(salt)
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

    def apply(params: Params, x: PyTree) -> np.ndarray:
        if invert:
            listed = [*table.specials, *table.known]
            flat = np.asarray(x).ravel().tolist()
            words = [listed[i] if 0 <= i < len(listed) else oov_token for i in flat]
            return np.array(words, "U").reshape(np.shape(x))
        values = strings_of(x, encoding)
        places = places_of(values.ravel().tolist(), table, num_oov_indices, mask_token, key)
        return np.asarray(table.encode(jnp.asarray(places.reshape(values.shape))))

    def specs(input_shape: Shape, dtypes: PyTree) -> PyTree:
        if invert:
            raise TypeError("strings are no part of a model: call the layer on what it predicts")
        return table.specs(input_shape)

    return replace(stateless(apply), specs=specs)


def tokenizer(
    standardize: Rule = "lower_and_strip_punctuation",
    split: Rule = "whitespace",
    ngrams: int | Sequence[int] | None = None,
    encoding: str = "utf-8",
) -> Callable[[PyTree], list[list[str]]]:
    """A function from texts to the words of each; arguments are those of `text_vectorization`.

    >>> tokenizer(ngrams=2)(["The Cat, sat"])
    [['the', 'cat', 'sat', 'the cat', 'cat sat']]
    """
    if not callable(standardize):
        one_of("standardize", standardize, (*STANDARDS, None))
    if not callable(split):
        one_of("split", split, (*SPLITS, None))
    widths = tuple(range(1, ngrams + 1)) if isinstance(ngrams, int) else ngrams

    def words(texts: PyTree) -> list[list[str]]:
        values = strings_of(texts, encoding)
        if callable(standardize):
            values = strings_of(standardize(values), encoding)
        elif standardize is not None:
            plain = STANDARDS[standardize]
            flat = [plain(text) for text in values.ravel().tolist()]
            values = np.array(flat, "U").reshape(values.shape)
        if split is None:
            rows = values.reshape(len(values), -1).tolist()
        else:
            if values.ndim == 2 and values.shape[1:] == (1,):
                values = values[:, 0]
            if values.ndim != 1:
                raise ValueError(
                    f"texts must have shape (n,) or (n, 1) to be split, got {values.shape}"
                )
            if callable(split):
                rows = [list(map(str, row)) for row in split(values)]
            else:
                rows = [SPLITS[split](text) for text in values.tolist()]
        if widths is None:
            return rows
        return [
            [" ".join(row[i : i + n]) for n in widths for i in range(len(row) - n + 1)]
            for row in rows
        ]

    return words


@host_layer("TextVectorization")
def text_vectorization(
    max_tokens: int | None = None,
    standardize: Rule = "lower_and_strip_punctuation",
    split: Rule = "whitespace",
    ngrams: int | Sequence[int] | None = None,
    output_mode: str = "int",
    output_sequence_length: int | None = None,
    pad_to_max_tokens: bool = False,
    vocabulary: Sequence[str] | None = None,
    idf_weights: Sequence[float] | None = None,
    sparse: bool = False,
    ragged: bool = False,
    encoding: str = "utf-8",
) -> Pair:
    """The places of a text's words in `vocabulary`: 0 pads, 1 is for unknown words.

    Args:
        standardize: `lower_and_strip_punctuation`, `lower` (of ASCII letters), `strip_punctuation`,
            a function of an array of strings, or None.
        split: `whitespace`, `character`, a function from an array of texts to lists of words, or
            None where inputs are words already.
        ngrams: also sequences of up to so many words; a tuple lists the lengths.
        output_sequence_length: cut or pad to that many words; the longest text's by default.
        output_mode: `int`, or an encoding as in `integer_lookup`, which has no place for padding.
        vocabulary, max_tokens, pad_to_max_tokens, idf_weights: as in `integer_lookup`.
        sparse, ragged: must be false.

    >>> import numpy as np
    >>> from funkeras.functional import text_vectorization
    >>> pair = text_vectorization(vocabulary=["cat", "sat"])
    >>> pair.apply({}, {}, np.array(["The cat sat.", "Cat!"]))[0].tolist()
    [[1, 2, 3], [2, 0, 0]]
    """
    if ragged:
        raise ValueError("ragged=True is not possible: outputs are dense arrays")
    table = table_of(
        vocabulary,
        idf_weights,
        max_tokens,
        1,
        "",
        "[UNK]",
        False,
        output_mode,
        sparse,
        pad_to_max_tokens,
    )
    if isinstance(ngrams, list):
        raise ValueError(f"ngrams must be None, an integer or a tuple of them, got {ngrams}")
    if output_sequence_length is not None and table.mode != "int":
        raise ValueError(f"output_sequence_length needs output_mode='int', got {output_mode!r}")
    words = tokenizer(standardize, split, ngrams, encoding)
    whole = split is None and ngrams is None and output_sequence_length is None

    def apply(params: Params, x: PyTree) -> np.ndarray:
        rows = words(x)
        found = iter(places_of([word for row in rows for word in row], table, 1, ""))
        if whole and np.ndim(x) == 1:  # words, not texts of one word each
            places = np.fromiter(found, WHOLE)
        else:
            longest = max(map(len, rows), default=0)
            length = longest if output_sequence_length is None else output_sequence_length
            places = np.full((len(rows), length), 0 if table.mode == "int" else -1, WHOLE)
            for place, row in zip(places, rows, strict=True):
                own = np.fromiter(islice(found, len(row)), WHOLE)
                place[: len(own)] = own[:length]
        return np.asarray(table.encode(jnp.asarray(places)))

    def specs(input_shape: Shape, dtypes: PyTree) -> PyTree:
        sizes = input_shape[1:]
        if split is not None and sizes not in ((), (1,)):
            raise ValueError(f"texts must have shape (n,) or (n, 1) to be split, got {input_shape}")
        length = output_sequence_length
        if whole and not sizes:
            return table.specs(input_shape)
        known = [size for size in sizes if size is not None]
        if whole and len(known) == len(sizes):
            length = math.prod(known)
        return table.specs((input_shape[0], length))

    return replace(stateless(apply), specs=specs)
