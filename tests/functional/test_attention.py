import jax
import jax.numpy as jnp
import numpy as np
import pytest
from golden_layers import cases, check

from funkeras import functional as F

KEY = jax.random.key(3)
CLASSES = ("AdditiveAttention", "Attention", "GroupQueryAttention", "MultiHeadAttention")


@pytest.mark.parametrize("case", cases(*CLASSES), ids=lambda case: case["id"])
def test_layer_equals_genuine_keras(case):
    check(case)


def queries(*sizes, dtype="float32"):
    return tuple(jax.random.normal(jax.random.key(n), size, dtype) for n, size in enumerate(sizes))


@pytest.mark.parametrize(
    "pair",
    [F.attention(dropout=0.5), F.multi_head_attention(2, 3, dropout=0.5)],
    ids=lambda pair: pair.name,
)
def test_dropout_acts_in_training_only_and_needs_a_key(pair):
    x = queries((2, 4, 6), (2, 5, 6))
    params, state = pair.init(KEY, tuple(a.shape for a in x))
    quiet, _ = pair.apply(params, state, x)
    noisy, _ = pair.apply(params, state, x, training=True, key=KEY)
    assert (noisy != quiet).any()
    with pytest.raises(ValueError, match="needs a key"):
        pair.apply(params, state, x, training=True)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("mode", ["dot", "concat"])
def test_half_precision_sums_in_float32(dtype, mode):
    x = queries((2, 4, 8), (2, 2000, 8), dtype=dtype)
    pair = F.attention(score_mode=mode, return_attention_scores=True)
    params, state = F.cast(pair, dtype).init(KEY, tuple(a.shape for a in x))
    mask = (None, jnp.arange(2000)[None] < jnp.asarray([[1500], [30]]))
    (y, shares), _ = F.cast(pair, dtype).apply(params, state, x, mask=mask)
    assert y.dtype == shares.dtype == dtype
    np.testing.assert_allclose(shares.astype("float32").sum(-1), 1, atol=1e-2)
    assert not shares[1, :, 30:].any()


def test_both_paths_of_multi_head_attention_agree():
    x = queries((2, 4, 6), (2, 5, 6))
    mask = (None, jnp.asarray([[True] * 5, [True, False, True, False, False]]))
    fused = F.multi_head_attention(2, 4, use_causal_mask=True)
    shown = F.multi_head_attention(2, 4, use_causal_mask=True, return_attention_scores=True)
    params, state = fused.init(KEY, tuple(a.shape for a in x))
    y, _ = fused.apply(params, state, x, mask=mask)
    (same, shares), _ = shown.apply(params, state, x, mask=mask)
    np.testing.assert_allclose(y, same, atol=1e-6)
    assert shares.shape == (2, 2, 4, 5)
    np.testing.assert_allclose(shares.sum(-1), 1, atol=1e-6)


def test_the_mask_of_the_query_goes_on():
    x, mask = queries((2, 4, 6), (2, 5, 6)), (jnp.ones((2, 4), bool), None)
    for pair in (F.attention(), F.multi_head_attention(2, 3)):
        assert pair.mask(x, mask) is mask[0]
        assert pair.mask(x, None) is None


def test_wrong_inputs_and_arguments_are_named():
    x = queries((2, 4, 6), (2, 5, 6), (2, 3, 6))
    with pytest.raises(ValueError, match=r"expected \(query, value\)"):
        F.attention().apply({}, {}, x[0])
    with pytest.raises(ValueError, match="value and key must agree"):
        F.attention().apply({}, {}, x)
    with pytest.raises(ValueError, match="score_mode must be one of dot, concat"):
        F.attention(score_mode="general")
    with pytest.raises(ValueError, match="must be a multiple of num_key_value_heads, got 3 and 2"):
        F.group_query_attention(4, 3, 2)
    pair = F.multi_head_attention(2, 3, attention_axes=2)
    variables = pair.init(KEY, (x[0].shape, x[1].shape))
    pair = F.multi_head_attention(2, 3, attention_axes=2)
    variables = pair.init(KEY, (x[0].shape, x[1].shape))
    with pytest.raises(ValueError, match=r"attention_axes \(2,\) do not fit"):
        pair.apply(*variables, x[:2])
