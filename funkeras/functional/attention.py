"""Attention: outputs are means of values, weighted by how well their keys fit the queries.

Inputs are a tuple `(query, value)` or `(query, value, key)`; keys are the values when left out.
Masks come as a tuple in the same order.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax, nn
from jaxtyping import Bool, Float

from funkeras import config
from funkeras.functional.checks import known, one_of, positive
from funkeras.functional.noise import dropout as dropout_layer
from funkeras.functional.noise import dropped
from funkeras.functional.pair import Pair, Weight, layer
from funkeras.functional.precision import at_least_single, real
from funkeras.functional.products import times
from funkeras.functional.shapes import Shapes
from funkeras.typing import Array, Identifier, Key, Mask, Params, PyTree, State

__all__ = ["additive_attention", "attention", "group_query_attention", "multi_head_attention"]

Score = Callable[[Params, Array, Array], Array]

HALVES = ("bfloat16", "float16")


@layer("Attention")
def attention(
    use_scale: bool = False,
    score_mode: str = "dot",
    dropout: float = 0.0,
    seed: int | None = None,
    use_causal_mask: bool = False,
    return_attention_scores: bool = False,
) -> Pair:
    """Dot-product attention: `softmax(scale * query @ keyᵀ) @ value`, with a learned scale if any.

    With `score_mode="concat"` scores are `w * sum(tanh(scale * (query + key)))` with a learned `w`.
    Luong et al. 2015, https://arxiv.org/abs/1508.04025

    Args:
        use_causal_mask: a step sees no later one.
        return_attention_scores: give `(outputs, weights of the means)`.

    >>> from funkeras.functional import output_shape
    >>> output_shape(attention(), ((None, 4, 3), (None, 5, 3)))
    (None, 4, 3)
    """
    one_of("score_mode", score_mode, ("dot", "concat"))

    def weights(input_shape: Shapes) -> Iterator[Weight]:
        if use_scale:
            yield Weight("scale", (), "ones")
        if score_mode == "concat":
            yield Weight("concat_score_weight", (), "ones")

    def score(
        params: Params, query: Float[Array, "*n t d"], key: Float[Array, "*n s d"]
    ) -> Float[Array, "*n t s"]:
        scale = params.get("scale", 1)
        wide = at_least_single(query.dtype)
        if score_mode == "dot":
            keys = jnp.swapaxes(key, -1, -2)
            scores = jnp.matmul(query, keys, preferred_element_type=wide)
            return jnp.asarray(scale, wide) * scores
        sums = scale * (query[..., :, None, :] + key[..., None, :, :])
        return params["concat_score_weight"].astype(wide) * _sum(jnp.tanh(sums))

    return _scored(score, weights, dropout, seed, use_causal_mask, return_attention_scores)


@layer("AdditiveAttention")
def additive_attention(
    use_scale: bool = True,
    dropout: float = 0.0,
    seed: int | None = None,
    use_causal_mask: bool = False,
    return_attention_scores: bool = False,
) -> Pair:
    """Attention with the scores `sum(scale * tanh(query + key))`, the scale learned by feature.

    The other arguments are as in `attention`. Bahdanau et al. 2015,
    https://arxiv.org/abs/1409.0473

    >>> from funkeras.functional import output_shape
    >>> output_shape(additive_attention(), ((None, 4, 3), (None, 5, 3)))
    (None, 4, 3)
    """

    def weights(input_shape: Shapes) -> Iterator[Weight]:
        if use_scale:
            yield Weight("scale", (known("last axis", input_shape[0], -1),))

    def score(
        params: Params, query: Float[Array, "*n t d"], key: Float[Array, "*n s d"]
    ) -> Float[Array, "*n t s"]:
        fit = jnp.tanh(query[..., :, None, :] + key[..., None, :, :])
        return _sum(params.get("scale", 1) * fit)

    return _scored(score, weights, dropout, seed, use_causal_mask, return_attention_scores)


def _sum(fit: Array) -> Array:
    """The sum over the last axis, in single precision at least."""
    return jnp.sum(fit, axis=-1, dtype=at_least_single(fit.dtype))


def _scored(
    score: Score,
    weights: Callable[[Shapes], Iterator[Weight]],
    dropout: float,
    seed: int | None,
    causal: bool,
    with_scores: bool,
) -> Pair:
    thin = dropout_layer(dropped("dropout", dropout), seed=seed)

    def apply(
        params: Params,
        state: State,
        x: PyTree,
        *,
        training: bool = False,
        key: Key | None = None,
        mask: PyTree = None,
    ) -> tuple[PyTree, State]:
        query, value, keys = map(real, _inputs(x))
        query_mask, value_mask, *_ = _masks(mask)
        scores = score(params, query, keys)
        visible = _band(scores.shape[-2], scores.shape[-1], causal, None)
        if value_mask is not None:
            own = value_mask.astype(bool)[..., None, :]
            visible = own if visible is None else own & visible
        if visible is not None:
            scores = jnp.where(visible, scores, scores - 1e9)
        shares = nn.softmax(scores, axis=-1).astype(query.dtype)
        shares, _ = thin.apply({}, {}, shares, training=training and dropout > 0, key=key)
        y = jnp.matmul(shares, value)
        if query_mask is not None:
            y = jnp.where(query_mask.astype(bool)[..., None], y, jnp.zeros((), y.dtype))
        return (y, shares) if with_scores else y, state

    return Pair(apply, weights, _query_mask(with_scores))


@layer("MultiHeadAttention")
def multi_head_attention(
    num_heads: int,
    key_dim: int,
    value_dim: int | None = None,
    dropout: float = 0.0,
    use_bias: bool = True,
    output_shape: int | Sequence[int] | None = None,
    attention_axes: int | Sequence[int] | None = None,
    sliding_window: int | None = None,
    flash_attention: bool | None = None,
    kernel_initializer: Identifier = "glorot_uniform",
    bias_initializer: Identifier = "zeros",
    use_gate: bool = False,
    seed: int | None = None,
    use_causal_mask: bool = False,
    return_attention_scores: bool = False,
) -> Pair:
    """Attention in `num_heads` learned projections of the inputs, projected back together.

    Each head computes `softmax(q @ kᵀ / sqrt(key_dim)) @ v`. Vaswani et al. 2017,
    https://arxiv.org/abs/1706.03762

    Masks are those of `(query, value, key)`; a fourth one, (batch, queries, keys) with an axis for
    heads if wanted, is added to them: Keras's `attention_mask`. It may be a fourth input too.

    Args:
        value_dim: size of a head's values, `key_dim` by default.
        output_shape: of a step's output; that of the query by default.
        attention_axes: axes that attention is over; all but the batch and the features by default.
        sliding_window: see only steps less far away than this.
        flash_attention: use cuDNN's kernel, or do not; by default it is used on a GPU for half
            precision, where it can be.
        use_gate: multiply each head's output by a sigmoid of a projection of the query.
        use_causal_mask: a step sees no later one.
        return_attention_scores: give `(outputs, weights of the means)`.

    >>> from funkeras.functional import output_shape
    >>> output_shape(multi_head_attention(2, 8), ((None, 4, 16), (None, 6, 16)))
    (None, 4, 16)
    """
    positive("num_heads", num_heads)
    outputs = (output_shape,) if isinstance(output_shape, int) else tuple(output_shape or ())
    axes = (attention_axes,) if isinstance(attention_axes, int) else attention_axes
    return _projected(
        heads=(num_heads, num_heads),
        sizes=(positive("key_dim", key_dim), positive("value_dim", value_dim or key_dim)),
        outputs=outputs,
        use_bias=use_bias,
        use_gate=use_gate,
        initializers=(kernel_initializer, bias_initializer),
        attend=partial(
            _attend,
            rate=dropped("dropout", dropout),
            seed=seed,
            window=None if sliding_window is None else positive("sliding_window", sliding_window),
            flash=flash_attention,
            causal=use_causal_mask,
            with_scores=return_attention_scores,
        ),
        axes=None if axes is None else tuple(axes),
        with_scores=return_attention_scores,
    )


@layer("GroupedQueryAttention")
def group_query_attention(
    head_dim: int,
    num_query_heads: int,
    num_key_value_heads: int,
    dropout: float = 0.0,
    use_bias: bool = True,
    sliding_window: int | None = None,
    flash_attention: bool | None = None,
    kernel_initializer: Identifier = "glorot_uniform",
    bias_initializer: Identifier = "zeros",
    use_gate: bool = False,
    seed: int | None = None,
    use_causal_mask: bool = False,
    return_attention_scores: bool = False,
) -> Pair:
    """Multi-head attention in which groups of query heads share their keys and values.

    Masks and the arguments that are not named here are those of `multi_head_attention`. Ainslie et
    al. 2023, https://arxiv.org/abs/2305.13245

    >>> from funkeras.functional import output_shape
    >>> output_shape(group_query_attention(8, 4, 2), ((None, 4, 16), (None, 6, 16)))
    (None, 4, 16)
    """
    positive("num_query_heads", num_query_heads)
    if num_query_heads % positive("num_key_value_heads", num_key_value_heads):
        raise ValueError(
            f"num_query_heads must be a multiple of num_key_value_heads, "
            f"got {num_query_heads} and {num_key_value_heads}"
        )
    return _projected(
        heads=(num_query_heads, num_key_value_heads),
        sizes=(positive("head_dim", head_dim), head_dim),
        outputs=(),
        use_bias=use_bias,
        use_gate=use_gate,
        initializers=(kernel_initializer, bias_initializer),
        attend=partial(
            _attend,
            rate=dropped("dropout", dropout),
            seed=seed,
            window=None if sliding_window is None else positive("sliding_window", sliding_window),
            flash=flash_attention,
            causal=use_causal_mask,
            with_scores=return_attention_scores,
        ),
        axes=(1,),
        with_scores=return_attention_scores,
    )


def _projected(
    heads: tuple[int, int],
    sizes: tuple[int, int],
    outputs: tuple[int, ...],
    use_bias: bool,
    use_gate: bool,
    initializers: tuple[Identifier, Identifier],
    attend: Callable[..., tuple[Array, Array | None]],
    axes: tuple[int, ...] | None,
    with_scores: bool,
) -> Pair:
    """Inputs to heads, attention in each, heads to outputs."""
    (query_heads, key_heads), (key_size, value_size) = heads, sizes

    def weights(input_shape: Shapes) -> Iterator[Weight]:
        query, value, key = (
            known("last axis", shape, -1) for shape in (*input_shape, input_shape[1])[:3]
        )
        ends = outputs or (query,)
        projections = [
            ("query", (query, query_heads, key_size), 1),
            ("key", (key, key_heads, key_size), 1),
            *([("gate", (query, query_heads, value_size), 1)] if use_gate else []),
            ("value", (value, key_heads, value_size), 1),
            ("attention_output", (query_heads, value_size, *ends), 2),
        ]
        for name, shape, inner in projections:
            yield Weight(f"{name}/kernel", shape, initializers[0])
            if use_bias:
                yield Weight(f"{name}/bias", shape[inner:], initializers[1])

    def project(params: Params, name: str, x: Array, inner: int = 1) -> Array:
        y = times(x, params[name]["kernel"], inner)
        return y + params[name]["bias"] if use_bias else y

    def apply(
        params: Params,
        state: State,
        x: PyTree,
        *,
        training: bool = False,
        key: Key | None = None,
        mask: PyTree = None,
    ) -> tuple[PyTree, State]:
        query, value, keys = _inputs(x[:3])
        masks = _masks(mask)
        if len(x) == 4:
            masks[3] = x[3]
        own_axes = _attention_axes(axes, query.ndim)
        y, scores = attend(
            project(params, "query", query),
            project(params, "key", keys),
            project(params, "value", value),
            axes=own_axes,
            masks=masks,
            training=training,
            key=key,
        )
        if use_gate:
            y = y * nn.sigmoid(project(params, "gate", query))
        y = project(params, "attention_output", y, 2)
        return (y, scores) if with_scores else y, state

    return Pair(apply, weights, _query_mask(with_scores))


def _attend(
    query: Array,
    keys: Array,
    value: Array,
    *,
    axes: tuple[int, ...],
    masks: list[Mask],
    training: bool,
    key: Key | None,
    rate: float,
    seed: int | None,
    window: int | None,
    flash: bool | None,
    causal: bool,
    with_scores: bool,
) -> tuple[Array, Array | None]:
    """Attention over some axes of (batch, ..., heads, size), and its weights if they are wanted.

    Those axes become one of time steps, all others part of the batch.
    """
    if flash and (with_scores or rate or query.shape[-1] != value.shape[-1]):
        raise ValueError(
            "flash_attention has no dropout, gives no scores, and wants values of the keys' size"
        )
    front = tuple(axis for axis in range(query.ndim - 2) if axis not in axes)
    outer = tuple(query.shape[axis] for axis in front)
    steps = tuple(query.shape[axis] for axis in axes)
    source = tuple(keys.shape[axis] for axis in axes)
    order = (*front, *axes, query.ndim - 2, query.ndim - 1)

    def gathered(x: Array, count: int) -> Array:
        return jnp.transpose(x, order).reshape(math.prod(outer), count, *x.shape[-2:])

    q, k, v = (
        gathered(x, math.prod(sizes))
        for x, sizes in ((query, steps), (keys, source), (value, source))
    )
    only_causal = causal and window is None and all(mask is None for mask in masks)
    visible = None
    if not only_causal:
        visible = _visible(masks, outer, steps, source, causal, window)
    # The library's operation wants values of the keys' size.
    if rate or with_scores or q.shape[-1] != v.shape[-1]:
        if only_causal:
            band = _band(q.shape[1], k.shape[1], True, None)
            visible = None if band is None else band[None, None]
        y, shares = _explained(q, k, v, visible, rate, seed, training, key)
        shares = shares.reshape(*outer, q.shape[2], *steps, *source)
    else:
        y, shares = fused(q, k, v, visible, only_causal, flash), None
    y = y.reshape(*outer, *steps, *y.shape[-2:])
    return jnp.transpose(y, sorted(range(y.ndim), key=order.__getitem__)), shares


def _explained(
    q: Float[Array, "n t heads d"],
    k: Float[Array, "n s groups d"],
    v: Float[Array, "n s groups e"],
    visible: Bool[Array, "m h t s"] | None,
    rate: float,
    seed: int | None,
    training: bool,
    key: Key | None,
) -> tuple[Float[Array, "n t heads e"], Float[Array, "n heads t s"]]:
    """Attention that makes its weights known: for dropout of them, and for who asks."""
    k, v = (jnp.repeat(x, q.shape[2] // x.shape[2], axis=2) for x in (k, v))
    wide = at_least_single(q.dtype)
    scores = jnp.einsum(
        "nshd,nthd->nhts", k, q / math.sqrt(q.shape[-1]), preferred_element_type=wide
    )
    if visible is None:
        shares = nn.softmax(scores)
    else:
        shares = jnp.where(visible, nn.softmax(jnp.where(visible, scores, -1e9)), 0)
    shares = shares.astype(q.dtype)
    thin = dropout_layer(rate, seed=seed)
    kept, _ = thin.apply({}, {}, shares, training=training and rate > 0, key=key)
    return jnp.einsum("nhts,nshe->nthe", kept, v), shares


def fused(
    q: Float[Array, "n t heads d"],
    k: Float[Array, "n s groups d"],
    v: Float[Array, "n s groups e"],
    visible: Bool[Array, "m _ _ s"] | None,
    causal: bool,
    flash: bool | None,
    bias: Array | None = None,
    scale: float | None = None,
) -> Float[Array, "n t heads e"]:
    """Attention in one operation of the library, by cuDNN where that can and may be.

    Scores are multiplied by `scale`, 1 / sqrt(d) if not given; then `bias` is added.
    """

    def run(implementation: Any) -> Array:
        # XLA's float16 products exist on GPU only; bfloat16 ones are everywhere.
        plain = implementation == "xla" and q.dtype == jnp.float16
        dtype = jnp.float32 if plain else q.dtype
        # The operation's own float32 softmax is no mixing of dtypes that a caller could avoid.
        with jax.numpy_dtype_promotion("standard"):
            y = nn.dot_product_attention(
                *(a.astype(dtype) for a in (q, k, v)),
                bias=None if bias is None else bias.astype(dtype),
                scale=scale,
                mask=visible,
                is_causal=causal,
                implementation=implementation,
            )
        return y.astype(q.dtype)

    fits = q.dtype.name in HALVES and q.shape[-1] % 8 == 0 and q.shape[-1] <= 128
    if flash:
        return run("cudnn")
    fits = fits and config.is_flash_attention_enabled()
    # Asking for the kernel without a GPU is an error when tracing, not only when running.
    if flash is None and fits and bias is None and jax.default_backend() == "gpu":
        return lax.platform_dependent(cuda=lambda: run("cudnn"), default=lambda: run("xla"))
    return run("xla")


def _visible(
    masks: list[Mask],
    outer: tuple[int, ...],
    steps: tuple[int, ...],
    source: tuple[int, ...],
    causal: bool,
    window: int | None,
) -> Array | None:
    """Which query sees which key, as (batch or 1, heads or 1, queries, keys); None if all do."""
    query_mask, value_mask, key_mask, attention_mask = masks
    flat = math.prod(steps), math.prod(source)
    band = _band(*flat, causal, window)
    found = [] if band is None else [band[None, None]]
    for mask, place in ((query_mask, -1), (value_mask, -2), (key_mask, -2)):
        if mask is not None:
            if mask.ndim != 2 or len(steps) != 1 or len(outer) != 1:
                raise ValueError("masks of inputs need inputs of rank 3; give an attention mask")
            found.append(jnp.expand_dims(mask.astype(bool), (1, place)))
    if attention_mask is not None:
        own = attention_mask.astype(bool)
        seen = *steps, *source
        if len(outer) == 1 and own.ndim == 4 and len(steps) == 1:  # has an axis for heads
            found.append(own)
        else:
            batch = own.shape[0] if own.ndim > len(seen) else 1
            own = jnp.broadcast_to(own, (batch, *seen)).reshape(batch, *(1,) * len(outer), *flat)
            found.append(jnp.broadcast_to(own, (*outer, 1, *flat)).reshape(-1, 1, *flat))
    if not found:
        return None
    visible = found[0]
    for mask in found[1:]:
        visible = visible & mask
    return visible


def _band(steps: int, source: int, causal: bool, window: int | None) -> Array | None:
    """Which query sees which key by their places alone, as (queries, keys); None if all do."""
    distance = jnp.arange(steps)[:, None] - jnp.arange(source)
    if window is None:
        return distance >= 0 if causal else None
    near = jnp.abs(distance) < window
    return near & (distance >= 0) if causal else near


def _attention_axes(axes: tuple[int, ...] | None, rank: int) -> tuple[int, ...]:
    if axes is None:
        return tuple(range(1, rank - 1))
    own = tuple(axis % rank for axis in axes)
    if not all(0 < axis < rank - 1 for axis in own) or rank < 3:
        raise ValueError(f"attention_axes {axes} do not fit a query of rank {rank}")
    return own


def _inputs(x: Any) -> tuple[Array, Array, Array]:
    """Query, value and key."""
    if not isinstance(x, tuple | list) or len(x) not in (2, 3):
        came = f"{len(x)} inputs" if isinstance(x, tuple | list) else type(x).__name__
        raise ValueError(f"expected (query, value) or (query, value, key), got {came}")
    query, value, key = (*x, x[1])[:3]
    if value.shape[1:-1] != key.shape[1:-1]:
        raise ValueError(
            f"value and key must agree but for their last axis, got {value.shape} and {key.shape}"
        )
    return query, value, key


def _masks(mask: PyTree) -> list[Mask]:
    """Masks of query, value and key, and one of which query sees which key."""
    masks = [] if mask is None else list(mask)
    return [*masks, *[None] * (4 - len(masks))]


def _query_mask(with_scores: bool) -> Callable[[PyTree, PyTree], PyTree]:
    def mask(x: PyTree, mask: PyTree) -> PyTree:
        own = _masks(mask)[0]
        return (own, None) if with_scores else own

    return mask
