"""`graph`: values along named edges, variables by node, keys and masks and state on their way."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import functional as F


def numbers(*shape):
    return jnp.asarray(np.random.default_rng(0).normal(size=shape), "float32")


def test_a_chain_as_a_graph_is_the_chain():
    chain = F.serial(F.dense(4, "tanh"), F.batch_normalization(), F.dense(2))
    nodes = {
        "dense": (F.dense(4, "tanh"), "x"),
        "batch_normalization": (F.batch_normalization(), "dense"),
        "dense_1": (F.dense(2), "batch_normalization"),
    }
    net = F.graph("x", nodes, "dense_1")
    params, state = chain.init(jax.random.key(0), (None, 3))
    assert jax.tree.structure(net.init(jax.random.key(0), (None, 3))) == jax.tree.structure(
        (params, state)
    )
    x = numbers(5, 3)
    for a, b in zip(
        jax.tree.leaves(net.apply(params, state, x, training=True)),
        jax.tree.leaves(chain.apply(params, state, x, training=True)),
        strict=True,
    ):
        np.testing.assert_array_equal(a, b)


def test_nodes_that_share_variables_share_their_gradient():
    layer = F.dense(3)
    net = F.graph(
        ("a", "b"),
        {
            "left": F.Node(layer, "a"),
            "right": F.Node(layer, "b", variables="left"),
            "difference": (F.subtract(), ("left", "right")),
        },
        "difference",
    )
    params, state = net.init(jax.random.key(0), ((None, 2), (None, 2)))
    assert list(params) == ["left"]
    a, b = numbers(4, 2), 2 * numbers(4, 2)
    gradient = jax.grad(lambda p: net.apply(p, state, (a, b))[0].sum())(params)
    expected = np.tile((a - b).sum(0)[:, None], (1, 3))
    np.testing.assert_allclose(gradient["left"]["kernel"], expected, rtol=1e-5)


def test_several_outputs_are_referred_to_by_index():
    lstm = F.lstm(4, return_state=True)
    net = F.graph("x", {"lstm": (lstm, "x")}, {"y": "lstm[0]", "c": "lstm[2]"})
    params, state = net.init(jax.random.key(0), (None, 5, 3))
    x = numbers(2, 5, 3)
    y, _ = net.apply(params, state, x)
    (h, _, c), _ = lstm.apply(params["lstm"], {}, x)
    np.testing.assert_array_equal(y["y"], h)
    np.testing.assert_array_equal(y["c"], c)
    assert F.output_shape(net, (None, 5, 3)) == {"y": (None, 4), "c": (None, 4)}


def test_masks_go_along_the_edges():
    net = F.graph(
        "words",
        {
            "vectors": (F.embedding(9, 4, mask_zero=True), "words"),
            "all": (F.lstm(3, return_sequences=True), "vectors"),
            "last": (F.lstm(3), "all"),
        },
        ("all", "last"),
    )
    params, state = net.init(jax.random.key(0), (None, 5))
    words = jnp.array([[3, 4, 0, 0, 0], [1, 2, 3, 4, 5]])
    (_, last), _, mask = net.run(params, state, words)
    np.testing.assert_array_equal(mask[0], words != 0)
    assert mask[1] is None
    (_, short), _ = net.apply(params, state, words[:, :2])
    np.testing.assert_allclose(last[0], short[0], rtol=1e-6)


def test_a_value_that_nothing_gives_is_named():
    with pytest.raises(ValueError, match=r"node 'y' needs 'h'.*known here: x"):
        F.graph("x", {"y": (F.dense(1), "h")}, "y")
    with pytest.raises(ValueError, match="the output needs 'z'"):
        F.graph("x", {"y": (F.dense(1), "x")}, "z")


def test_an_error_says_in_which_node_and_with_what_input():
    net = F.graph(("x", "y"), {"sum": (F.add(), ("x", "y"))}, "sum")
    with pytest.raises(ValueError, match="shape") as caught:
        net.apply({}, {}, (numbers(2, 3), numbers(2, 4)))
    assert any("'sum'" in note for note in caught.value.__notes__)
