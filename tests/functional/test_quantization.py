"""Kernels of eight bits, as pure functions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import functional as F

NET = F.serial(F.embedding(9, 6), F.dense(5, "tanh"), F.batch_normalization(), F.dense(2))
X = jnp.asarray([[0, 3, 6], [2, 2, 1]])


def test_a_net_is_quantized_with_its_variables():
    params, state = NET.init(jax.random.key(0), (None, 3))
    few = F.quantize(NET, params, state, (None, 3))
    net = F.quantized(NET)
    shapes = [jax.tree.map(lambda a: (a.shape, str(a.dtype)), tree) for tree in few]
    fresh = net.init(jax.random.key(0), (None, 3))
    assert shapes == [jax.tree.map(lambda a: (a.shape, str(a.dtype)), tree) for tree in fresh]
    y, after = jax.jit(net.apply)(*few, X)
    np.testing.assert_allclose(y, NET.apply(params, state, X)[0], atol=0.03)
    assert jax.tree.structure(after) == jax.tree.structure(few[1])
    _, after = net.apply(*few, X, training=True)
    assert not jnp.array_equal(
        after["batch_normalization"]["moving_mean"], few[1]["batch_normalization"]["moving_mean"]
    )
    assert after["dense"]["kernel"].dtype == "int8"


def test_each_example_may_be_mapped():
    dense = F.dense(4)
    variables = dense.init(jax.random.key(0), (None, 6))
    net, few = F.quantized(dense), F.quantize(dense, *variables, (None, 6))
    x = jax.random.normal(jax.random.key(1), (3, 6))
    each = jax.vmap(lambda row: net.apply(*few, row[None])[0][0])(x)
    np.testing.assert_allclose(each, net.apply(*few, x)[0], rtol=1e-6)


def test_a_net_without_such_kernels_is_refused():
    pair = F.conv1d(3, 2)
    variables = pair.init(jax.random.key(0), (None, 6, 5))
    with pytest.raises(ValueError, match="no kernel that can be in eight bits"):
        F.quantize(pair, *variables, (None, 6, 5))


def test_a_word_outside_of_the_table_gives_nan():
    table = F.embedding(4, 3)
    few = F.quantize(table, *table.init(jax.random.key(0), (None, 1)), (None, 1))
    y, _ = F.quantized(table).apply(*few, jnp.asarray([[3], [4], [-1]]))
    assert np.isfinite(y[0]).all()
    assert np.isnan(y[1:]).all()
