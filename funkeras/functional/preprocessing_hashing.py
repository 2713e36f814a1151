"""Numbers and strings in so many bins, by a hash: no vocabulary, but different values may meet."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from funkeras import config
from funkeras.functional.checks import one_of, positive
from funkeras.functional.fingerprints import crossed, farm_hash, sip_hash
from funkeras.functional.pair import Pair, layer, output_specs, stateless
from funkeras.functional.preprocessing_categories import MODES, encoded, no_sparse
from funkeras.functional.shapes import STRING
from funkeras.typing import Array, ArrayLike, Params, PyTree

__all__ = ["buckets", "hashed_crossing", "hashing", "salt_of"]

Salt: TypeAlias = int | Sequence[int] | None


def salt_of(salt: Salt) -> tuple[int, ...] | None:
    """The key of two numbers that `salt` stands for, if it is not None."""
    if salt is None:
        return None
    key = (salt, salt) if isinstance(salt, int) else tuple(salt)
    if len(key) != 2:
        raise ValueError(f"salt must be an integer or two, got {salt!r}")
    return key


def bytes_of(value: bytes | str | float) -> bytes:
    """What is hashed of a value: its decimal digits, if it is a number, cut to a whole one."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, bool):
        return str(value).lower().encode()
    return (value if isinstance(value, str) else str(int(value))).encode()


def of_each(hash_of: Callable[[bytes | str | float], int], values: np.ndarray) -> np.ndarray:
    """A function of each value, found once for equal ones."""
    flat = values.ravel().tolist()
    found = {value: hash_of(value) for value in set(flat)}
    return np.array([found[value] for value in flat], "uint64").reshape(values.shape)


def on_host(run: Callable[..., np.ndarray], *columns: ArrayLike) -> Array:
    """What `run` gives of NumPy arrays of one shape: whole numbers, also in a compiled step."""
    if not any(isinstance(column, Tracer) for column in columns):
        return jnp.asarray(run(*map(np.asarray, columns)))
    given = [jnp.asarray(column) for column in columns]
    like = jax.ShapeDtypeStruct(given[0].shape, jnp.asarray(0).dtype)

    def bare(*arrays: ArrayLike) -> np.ndarray:
        return run(*map(np.asarray, arrays)).astype(like.dtype)

    return jax.pure_callback(bare, like, *given, vmap_method="broadcast_all")


def buckets(values: ArrayLike, count: int, salt: tuple[int, ...] | None = None) -> Array:
    """A number below `count` for each value: FarmHash64, or SipHash of that key."""
    hash_of = farm_hash if salt is None else partial(sip_hash, key=salt)

    def run(values: np.ndarray) -> np.ndarray:
        return of_each(lambda value: hash_of(bytes_of(value)) % count, values).astype("int64")

    return on_host(run, values)


def strings_too(pair: Pair) -> Pair:
    """The pair of which strings may be inputs: what it gives is as for whole numbers."""

    def specs(input_shape: Any, dtypes: PyTree) -> PyTree:
        whole = jax.tree.map(lambda own: "int32" if own == STRING else own, dtypes)
        return output_specs(pair, input_shape, whole)

    return replace(pair, specs=specs)


@layer("Hashing")
def hashing(
    num_bins: int,
    mask_value: float | str | None = None,
    salt: Salt = None,
    output_mode: str = "int",
    sparse: bool = False,
) -> Pair:
    """The bin of each number or string, by TensorFlow's hashes of its digits or letters.

    FarmHash64; with a `salt` SipHash-2-4 of that key, which nobody can predict without it.

    Args:
        mask_value: has bin 0 for itself; all others share the rest.
        salt: a number or two.
        output_mode: `int`, or an encoding as in `category_encoding`.
        sparse: must be false.

    >>> import numpy as np
    >>> hashing(3).apply({}, {}, np.array([["A"], ["B"], ["C"], ["D"], ["E"]]))[0].ravel().tolist()
    [1, 0, 1, 1, 2]
    """
    one_of("output_mode", output_mode, MODES)
    no_sparse(sparse)
    key = salt_of(salt)
    masks = mask_value is not None and num_bins > 1
    count = positive("num_bins", num_bins) - masks

    def apply(params: Params, x: PyTree) -> Array:
        x = x if isinstance(x, jax.Array) else np.asarray(x)
        bins = buckets(x, count, key)
        if masks:
            bins = jnp.where(jnp.asarray(x == mask_value), 0, bins + 1)
        return encoded(bins, num_bins, output_mode, config.floatx())

    return strings_too(stateless(apply))


@layer("HashedCrossing")
def hashed_crossing(num_bins: int, output_mode: str = "int", sparse: bool = False) -> Pair:
    """One bin for what several inputs say together, by TensorFlow's hash of them in that order.

    Inputs are whole numbers or strings of shape (), (n,) or (n, 1).

    Args:
        output_mode: `int` or `one_hot`.
        sparse: must be false.

    >>> import numpy as np
    >>> inputs = np.array(["A", "B", "A", "B", "A"]), np.array([101, 101, 101, 102, 102])
    >>> hashed_crossing(5).apply({}, {}, inputs)[0].tolist()
    [1, 4, 1, 1, 3]
    """
    positive("num_bins", num_bins)
    one_of("output_mode", output_mode, ("int", "one_hot"))
    no_sparse(sparse)

    def word(value: bytes | str | float) -> int:
        return farm_hash(bytes_of(value)) if isinstance(value, bytes | str) else int(value) % 2**64

    def run(*columns: np.ndarray) -> np.ndarray:
        hashes = [of_each(word, column).ravel().tolist() for column in columns]
        bins = [crossed(row) % num_bins for row in zip(*hashes, strict=True)]
        return np.array(bins, "int64").reshape(columns[0].shape)

    def apply(params: Params, x: PyTree) -> Array:
        if not isinstance(x, list | tuple) or len(x) < 2:
            raise ValueError("give a list of at least two inputs to cross")
        columns = [a if isinstance(a, jax.Array) else np.asarray(a) for a in x]
        shapes = [column.shape for column in columns]
        if len(set(shapes)) > 1 or shapes[0][1:] not in ((), (1,)):
            raise ValueError(f"inputs must all be of shape (), (n,) or (n, 1), got {shapes}")
        if any(isinstance(a, np.ndarray) and a.dtype.kind == "f" for a in columns):
            raise ValueError("inputs must be whole numbers or strings, got real numbers")
        return encoded(on_host(run, *columns), num_bins, output_mode, config.floatx())

    return strings_too(stateless(apply))
