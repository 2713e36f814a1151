"""Layers that look vectors up: of words, of positions."""

from collections.abc import Iterator

import jax.numpy as jnp
from jaxtyping import Float, Shaped

from funkeras.functional.checks import known, positive
from funkeras.functional.noise import drop, dropped
from funkeras.functional.pair import Pair, Weight, layer, stateless
from funkeras.typing import Array, Identifier, Key, Mask, Params, PyTree, Shape, State

__all__ = ["embedding", "position_embedding"]


@layer("Embedding")
def embedding(
    input_dim: int,
    output_dim: int,
    embeddings_initializer: Identifier = "uniform",
    mask_zero: bool = False,
    dropout: float = 0.0,
) -> Pair:
    """Row `x` of a table: `embeddings[x]` for each integer `x` from 0 to `input_dim - 1`.

    Inputs are cast to int32. A number outside the table gives a row of NaN, which reaches the loss;
    it neither wraps around nor takes another word's row.

    Args:
        mask_zero: mask the entries that are 0.
        dropout: the share of rows, each word wherever it occurs, that is zeroed in training while
            the others are scaled up; Keras 1's argument.

    >>> from funkeras.functional import output_shape
    >>> output_shape(embedding(1000, 64), (None, 10))
    (None, 10, 64)
    """
    positive("input_dim", input_dim)
    positive("output_dim", output_dim)
    dropout = dropped("dropout", dropout)

    def weights(input_shape: Shape) -> Iterator[Weight]:
        yield Weight("embeddings", (input_dim, output_dim), embeddings_initializer)

    def apply(
        params: Params,
        state: State,
        x: Shaped[Array, "*n"],
        *,
        training: bool = False,
        key: Key | None = None,
        mask: PyTree = None,
    ) -> tuple[Float[Array, "*n features"], State]:
        # As unsigned numbers, negative ones are beyond the table too.
        index = x.astype(jnp.int32).astype(jnp.uint32)
        table = params["embeddings"]
        rows = table.at[index].get(mode="fill", fill_value=jnp.nan)
        if training and dropout:
            if key is None:
                raise ValueError("a random layer needs a key in training: apply(..., key=key)")
            factors = drop(key, jnp.ones((input_dim,), table.dtype), dropout, (input_dim,))
            rows = rows * factors[index][..., None]
        return rows, state

    def mask(x: Array, mask: Mask) -> Mask:
        return x != 0 if mask_zero else None

    return Pair(apply, weights, mask)


@layer("PositionEmbedding")
def position_embedding(sequence_length: int, initializer: Identifier = "glorot_uniform") -> Pair:
    """A learned vector for each position, in the shape of the input, to be added to it.

    >>> from funkeras.functional import output_shape
    >>> output_shape(position_embedding(100), (None, 10, 64))
    (None, 10, 64)
    """
    positive("sequence_length", sequence_length)

    def weights(input_shape: Shape) -> Iterator[Weight]:
        size = known("last axis", input_shape, -1)
        yield Weight("position_embeddings", (sequence_length, size), initializer)

    def apply(
        params: Params, x: Float[Array, "*n steps features"]
    ) -> Float[Array, "*n steps features"]:
        steps = x.shape[-2]
        if steps > sequence_length:
            raise ValueError(f"sequence_length is {sequence_length}, got an input of {steps} steps")
        return jnp.broadcast_to(params["position_embeddings"][:steps], x.shape)

    return stateless(apply, weights)
