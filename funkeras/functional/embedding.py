"""Layers that look vectors up: of words, of positions."""

from collections.abc import Iterator, Mapping

import jax.numpy as jnp
from jaxtyping import Shaped

from funkeras.functional.checks import known, positive
from funkeras.functional.noise import drop, dropped
from funkeras.functional.pair import Pair, Weight, layer, stateless
from funkeras.functional.quantized import Quantized, contracted, rows_at
from funkeras.functional.shapes import Shapes
from funkeras.typing import Array, Identifier, Key, Mask, Params, PyTree, Shape, State

__all__ = ["embedding", "position_embedding", "reversible_embedding"]

REVERSE = "reverse"
"""The name under which `reversible_embedding` is given vectors that it has to lead back."""


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
        shape = input_dim, output_dim
        yield Weight("embeddings", shape, embeddings_initializer, channels=(0,))

    def apply(
        params: Params,
        state: State,
        x: Shaped[Array, "*n"],
        *,
        training: bool = False,
        key: Key | None = None,
        mask: PyTree = None,
    ) -> tuple[Shaped[Array, "*n features"], State]:
        # As unsigned numbers, negative ones are beyond the table too.
        index = x.astype(jnp.int32).astype(jnp.uint32)
        rows = rows_at(params["embeddings"], index)
        if training and dropout:
            if key is None:
                raise ValueError("a random layer needs a key in training: apply(..., key=key)")
            factors = drop(key, jnp.ones((input_dim,), rows.dtype), dropout, (input_dim,))
            rows = rows * factors[index][..., None]
        return rows, state

    def mask(x: Array, mask: Mask) -> Mask:
        return x != 0 if mask_zero else None

    return Pair(apply, weights, mask)


@layer("ReversibleEmbedding")
def reversible_embedding(
    input_dim: int,
    output_dim: int,
    tie_weights: bool = True,
    embeddings_initializer: Identifier = "uniform",
    mask_zero: bool = False,
    reverse_dtype: str | None = None,
    logit_soft_cap: float | None = None,
) -> Pair:
    """An embedding that also leads back from vectors to scores of words: `x @ embeddingsᵀ`.

    For inputs `{"reverse": x}`; the class calls it `layer(x, reverse=True)`. Press and Wolf 2016,
    https://arxiv.org/abs/1608.05859

    Args:
        tie_weights: use the same table both ways, rather than a second one, `reverse_embeddings`.
        reverse_dtype: of the product and the scores.
        logit_soft_cap: scores `y` become `cap * tanh(y / cap)`.

    >>> from funkeras.functional import output_shape
    >>> layer = reversible_embedding(1000, 64)
    >>> output_shape(layer, (None, 10)), output_shape(layer, {"reverse": (None, 10, 64)})
    ((None, 10, 64), (None, 10, 1000))
    """
    forward = embedding(input_dim, output_dim, embeddings_initializer, mask_zero)

    def weights(input_shape: Shapes) -> Iterator[Weight]:
        yield from forward.weights(())
        if not tie_weights:
            shape = output_dim, input_dim
            yield Weight("reverse_embeddings", shape, embeddings_initializer, channels=(1,))

    def scores(params: Params, x: Shaped[Array, "*n features"]) -> Shaped[Array, "*n words"]:
        back = params["embeddings" if tie_weights else "reverse_embeddings"]
        if reverse_dtype is not None and not isinstance(back, Quantized):
            x, back = x.astype(reverse_dtype), back.astype(reverse_dtype)
        y = contracted("...a,ba->...b" if tie_weights else "...a,ab->...b", x, back)
        return y if logit_soft_cap is None else jnp.tanh(y / logit_soft_cap) * logit_soft_cap

    def apply(params: Params, x: PyTree) -> Array:
        if is_reverse(x):
            return scores(params, x[REVERSE])
        return forward.apply(params, {}, x)[0]

    def mask(x: PyTree, mask: Mask) -> Mask:
        return None if is_reverse(x) else forward.mask(x, mask)

    return stateless(apply, weights, mask)


def is_reverse(x: PyTree) -> bool:
    """Whether inputs are vectors that have to be led back."""
    return isinstance(x, Mapping) and REVERSE in x


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
        params: Params, x: Shaped[Array, "*n steps features"]
    ) -> Shaped[Array, "*n steps features"]:
        steps = x.shape[-2]
        if steps > sequence_length:
            raise ValueError(f"sequence_length is {sequence_length}, got an input of {steps} steps")
        return jnp.broadcast_to(params["position_embeddings"][:steps], x.shape)

    return stateless(apply, weights)
