"""Layers that training leaves alone, wherever they are: what `trainable = False` is in Keras."""

import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import config, layers, models

X = np.random.default_rng(0).random((8, 4, 3), dtype=np.float32)
"""Eight sequences of four steps."""


@pytest.fixture(params=["classic", "modern"], autouse=True)
def dialect(request):
    config.set_dialect(request.param)
    return request.param


class Adding(layers.Layer):
    """A cell as users write them."""

    def __init__(self, **options):
        super().__init__(**options)
        self.state_size = 2

    def build(self, input_shape):
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1], 2), initializer="uniform"
        )

    def call(self, x, states):
        y = x @ self.kernel + states[0]
        return y, [y]


class Two(layers.Layer):
    """A layer of two others."""

    def __init__(self, **options):
        super().__init__(**options)
        self.first, self.second = layers.Dense(2), layers.Dense(2)

    def call(self, x):
        return self.second(self.first(x))


def net():
    return models.Sequential(
        [layers.InputLayer(input_shape=(3,)), layers.Dense(2), layers.Dense(2)]
    )


INSIDE = {
    "TimeDistributed": (lambda: layers.TimeDistributed(layers.Dense(2)), "layer", [0, 0]),
    "Bidirectional": (
        lambda: layers.Bidirectional(layers.GRU(2)),
        "forward_layer",
        [0, 0, 0, 1, 1, 1],
    ),
    "RNN": (lambda: layers.RNN(layers.LSTMCell(2)), "cell", [0, 0, 0]),
    "cell of a user": (lambda: layers.RNN(Adding()), "cell", [0]),
    "layer of a user": (Two, "first", [0, 0, 1, 1]),
    "net": (lambda: layers.TimeDistributed(net()), "layer", [0, 0, 0, 0]),
}
"""From a layer and the name of one inside it to the arrays that move when that one is frozen."""


def changed(model, layer):
    """Which arrays of a layer an epoch of training changes."""
    model.compile("sgd", "mse")
    before = layer.get_weights()
    model.fit(X, np.ones((8, *model.output_shape[1:])), verbose=0)
    return [bool((a != b).any()) for a, b in zip(before, layer.get_weights(), strict=True)]


@pytest.mark.parametrize("case", INSIDE)
def test_a_frozen_layer_inside_another_stays_and_moves_when_it_is_free_again(case):
    build, name, expected = INSIDE[case]
    layer = build()
    model = models.Sequential([layers.InputLayer(input_shape=(4, 3)), layer])
    getattr(layer, name).trainable = False
    assert changed(model, layer) == list(map(bool, expected))
    assert len(model.trainable_weights) == sum(expected)
    getattr(layer, name).trainable = True
    assert all(changed(model, layer))


def test_one_cell_of_a_stack_is_frozen():
    cells = [layers.GRUCell(2), layers.GRUCell(2)]
    layer = layers.RNN(cells)
    model = models.Sequential([layers.InputLayer(input_shape=(4, 3)), layer])
    cells[1].trainable = False
    assert changed(model, layer) == [True] * 3 + [False] * 3


def test_a_frozen_wrapper_freezes_what_is_inside():
    layer = layers.TimeDistributed(net())
    models.Sequential([layers.InputLayer(input_shape=(4, 3)), layer])
    layer.trainable = False
    assert not layer.layer.trainable
    assert layer.trainable_weights == []
    assert len(layer.non_trainable_weights) == 4


def test_what_was_frozen_before_it_was_wrapped_stays_so():
    inner = layers.Dense(2)
    inner.trainable = False
    layer = layers.TimeDistributed(inner)
    model = models.Sequential([layers.InputLayer(input_shape=(4, 3)), layer])
    assert changed(model, layer) == [False, False]


@pytest.mark.parametrize("build", [lambda: layers.Dropout(0.5), lambda: layers.GRU(3, dropout=0.5)])
def test_frozen_layers_still_drop(build):
    """Only normalisation by batches stands still: of Keras 3 too, in `BatchNormalization.call`."""
    layer = build()
    layer.trainable = False
    assert not np.allclose(layer(X, training=True), layer(X, training=False))


def test_a_frozen_batch_normalisation_takes_the_batch_in_keras_2_and_what_it_knows_in_keras_3(
    dialect,
):
    inner = layers.BatchNormalization()
    layer = layers.TimeDistributed(inner)
    layer(X)
    inner.trainable = False
    known = np.asarray(layer(X, training=False))
    batch = (X - X.mean((0, 1))) / np.sqrt(X.var((0, 1)) + 1e-3)
    expected = known if dialect == "modern" else batch
    np.testing.assert_allclose(layer(X, training=True), expected, rtol=1e-4, atol=1e-4)
    assert all((a == b).all() for a, b in zip(inner.get_weights(), (1, 0, 0, 1), strict=True))


def test_the_penalty_on_outputs_of_a_frozen_layer_counts():
    model = models.Sequential(
        [
            layers.InputLayer(input_shape=(3,)),
            layers.Dense(2, activity_regularizer="l1", trainable=False),
        ]
    )
    model.compile("sgd", "mse")
    y = model.predict(X[:, 0], verbose=0)
    penalty = 0.01 * np.abs(y).sum() / (8 if config.dialect() == "modern" else 1)
    loss = model.evaluate(X[:, 0], y, batch_size=8, verbose=0)
    np.testing.assert_allclose(model.train_on_batch(X[:, 0], y), loss, rtol=1e-5)
    np.testing.assert_allclose(loss, penalty, rtol=1e-5)


def test_a_frozen_stateful_layer_goes_on_from_batch_to_batch():
    layer = layers.GRU(3, stateful=True)
    x = jnp.asarray(X)
    first = layer(x, training=True)
    layer.reset_states()
    layer.trainable = False
    assert np.allclose(layer(x, training=True), first)
    assert not np.allclose(layer(x, training=True), first)
