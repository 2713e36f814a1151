"""Kernels with factors of low rank, as pure functions; numbers are those of NumPy's formulas."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import functional as F

NET = F.serial(F.embedding(7, 3), F.lstm(4), F.dense(5, "tanh"), F.dense(2))
X = jnp.asarray([[0, 3, 6], [2, 2, 1]])


def drawn(tree, seed=0):
    chance = np.random.default_rng(seed)
    return jax.tree.map(lambda a: jnp.asarray(chance.normal(size=a.shape), a.dtype), tree)


def test_a_net_starts_as_it_was():
    net = F.low_rank(NET, 2)
    params, state = net.init(jax.random.key(0), (None, 3))
    plain = F.full_rank(params, state)
    np.testing.assert_allclose(net.apply(params, state, X)[0], NET.apply(*plain, X)[0], rtol=1e-6)


def test_kernels_are_in_the_state_and_factors_in_the_parameters():
    params, state = F.low_rank(NET, 2, kernels=["kernel"]).init(jax.random.key(0), (None, 3))
    assert {*params["dense"]} == {"bias", "lora_kernel_a", "lora_kernel_b"}
    assert {*params["lstm"]} == {"bias", "recurrent_kernel", "lora_kernel_a", "lora_kernel_b"}
    assert {*params["embedding"]} == {"embeddings"}
    assert {name: [*own] for name, own in state.items()} == {
        name: ["kernel"] for name in ("lstm", "dense", "dense_1")
    }


@pytest.mark.parametrize("alpha", [None, 3])
def test_the_product_of_the_factors_is_added(alpha):
    pair = F.low_rank(F.dense(4), 2, alpha)
    params, state = drawn(pair.init(jax.random.key(0), (None, 3)))
    x = np.ones((2, 3), "float32")
    product = np.asarray(params["lora_kernel_a"]) @ np.asarray(params["lora_kernel_b"])
    kernel = np.asarray(state["kernel"]) + (1.0 if alpha is None else alpha / 2) * product
    y, after = pair.apply(params, state, jnp.asarray(x))
    np.testing.assert_allclose(y, x @ kernel + np.asarray(params["bias"]), rtol=1e-5)
    np.testing.assert_allclose(F.full_rank(params, state, alpha)[0]["kernel"], kernel, rtol=1e-6)
    assert jax.tree.all(jax.tree.map(jnp.array_equal, after, state))


def test_gradients_are_those_of_the_factors_by_the_chain_rule():
    pair = F.low_rank(F.dense(4, use_bias=False), 2, alpha=3)
    params, state = drawn(pair.init(jax.random.key(0), (None, 3)))
    x = jnp.asarray(np.random.default_rng(1).normal(size=(5, 3)), "float32")
    found = jax.grad(lambda own: pair.apply(own, state, x)[0].sum())(params)
    of_kernel = np.asarray(x).T @ np.ones((5, 4), "float32")
    a, b = np.asarray(params["lora_kernel_a"]), np.asarray(params["lora_kernel_b"])
    np.testing.assert_allclose(found["lora_kernel_a"], 1.5 * of_kernel @ b.T, rtol=1e-4)
    np.testing.assert_allclose(found["lora_kernel_b"], 1.5 * a.T @ of_kernel, rtol=1e-4)


def test_moving_averages_beside_kernels_still_move():
    net = F.low_rank(F.serial(F.dense(4), F.batch_normalization()), 2)
    params, state = net.init(jax.random.key(0), (None, 3))
    x = jnp.asarray(np.random.default_rng(1).normal(size=(5, 3)), "float32")
    _, after = net.apply(params, state, x, training=True)
    assert jax.tree.structure(after) == jax.tree.structure(state)
    moved = jax.tree.map(lambda new, old: not jnp.array_equal(new, old), after, state)
    assert not moved["dense"]["kernel"]
    assert moved["batch_normalization"]["moving_mean"]


def test_a_pair_without_such_weights_is_refused():
    with pytest.raises(ValueError, match="no weight named kernel or embeddings"):
        F.low_rank(F.batch_normalization(), 2).init(jax.random.key(0), (None, 3))
    with pytest.raises(ValueError, match="rank"):
        F.low_rank(F.dense(3), 0)
