"""Layers and models as pure functions of lists of arrays, as in Keras 3's loops for JAX."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import config, layers, models, random

X = np.random.default_rng(0).random((8, 3), dtype=np.float32)


@pytest.fixture(autouse=True)
def keras_3():
    config.set_dialect("modern")


class Noisy(layers.Layer):
    """Two dense layers with a draw of its own between them."""

    def __init__(self, **options):
        super().__init__(**options)
        self.first, self.second = layers.Dense(4), layers.Dense(2)
        self.seeds = random.SeedGenerator(3)

    def call(self, x, training=False):
        x = self.first(x)
        return self.second(random.dropout(x, 0.5, seed=self.seeds) if training else x)


def inner():
    return models.Sequential([layers.Input((3,)), layers.Dense(4), layers.BatchNormalization()])


NETS = {
    "Dense": lambda: layers.Dense(2),
    "BatchNormalization": layers.BatchNormalization,
    "layer of a user": Noisy,
    "net": lambda: models.Sequential([layers.Input((3,)), inner(), layers.Dense(2)]),
    "wrapped": lambda: models.Sequential(
        [layers.Input((3,)), layers.RepeatVector(2), layers.TimeDistributed(layers.Dense(2))]
    ),
    "cell": lambda: models.Sequential(
        [layers.Input((3,)), layers.RepeatVector(2), layers.RNN(layers.GRUCell(2))]
    ),
}


@pytest.mark.parametrize("net", NETS)
def test_it_computes_what_the_layer_does_for_other_values_too(net):
    layer = NETS[net]()
    expected = layer(X)
    moved = [v.value for v in layer.trainable_variables]
    still = [v.value for v in layer.non_trainable_variables]
    y, after = layer.stateless_call(moved, still, X)
    np.testing.assert_allclose(y, expected, rtol=1e-6)
    assert [a.shape for a in after] == [a.shape for a in still]
    doubled = [2 * a for a in moved]
    other, _ = layer.stateless_call(doubled, still, X)
    for variable, value in zip(layer.trainable_variables, doubled, strict=True):
        variable.assign(value)
    np.testing.assert_allclose(other, layer(X), rtol=1e-6)


def test_training_gives_the_next_averages_and_changes_no_variable():
    layer = layers.BatchNormalization(momentum=0.9)
    layer.build(X.shape)
    gamma, beta, mean, variance = (v.value for v in layer.variables)
    _, after = layer.stateless_call([gamma, beta], [mean, variance], X, training=True)
    np.testing.assert_allclose(after[0], 0.1 * X.mean(0), rtol=1e-5)
    np.testing.assert_allclose(after[1], 0.9 + 0.1 * X.var(0), rtol=1e-5)
    np.testing.assert_array_equal(layer.get_weights()[2], mean)


def test_seeds_are_variables_that_training_moves_on():
    model = models.Sequential([layers.Input((3,)), layers.Dropout(0.5, seed=7), Noisy()])
    seeds = model.non_trainable_variables
    assert [v.value.tolist() for v in seeds] == [[7, 0], [3, 0]]
    moved = [v.value for v in model.trainable_variables]
    first, after = model.stateless_call(moved, seeds, X, training=True)
    assert [a.tolist() for a in after] == [[7, 1], [3, 1]]
    again, _ = model.stateless_call(moved, seeds, X, training=True)
    second, _ = model.stateless_call(moved, after, X, training=True)
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, second)


def test_a_loop_by_hand_learns_under_jit():
    """The loop of Keras 3's guide for JAX: gradients with auxiliary values, then an update."""
    model = models.Sequential(
        [layers.Input((3,)), layers.Dense(8, "relu"), layers.BatchNormalization(), layers.Dense(1)]
    )
    y = X.sum(1, keepdims=True)

    def loss(moved, still):
        found, still = model.stateless_call(moved, still, X, training=True)
        return jnp.mean((found - y) ** 2), still

    @jax.jit
    def step(moved, still):
        (value, still), slopes = jax.value_and_grad(loss, has_aux=True)(moved, still)
        return value, [v - 0.1 * g for v, g in zip(moved, slopes, strict=True)], still

    moved, still = (
        [v.value for v in own] for own in (model.trainable_variables, model.non_trainable_variables)
    )
    losses = []
    for _ in range(60):
        value, moved, still = step(moved, still)
        losses.append(float(value))
    assert losses[-1] < 0.1 * losses[0]
    for variable, value in zip(model.trainable_variables, moved, strict=True):
        variable.assign(value)
    for variable, value in zip(model.non_trainable_variables, still, strict=True):
        variable.assign(value)
    assert np.mean((model(X) - y) ** 2) < losses[0]


def test_penalties_come_on_request():
    layer = layers.Dense(2, kernel_regularizer="l2", activity_regularizer="l1")
    y = layer(X)
    values = [v.value for v in layer.trainable_variables]
    _, _, losses = layer.stateless_call(values, [], X, return_losses=True)
    weights, outputs = 0.01 * (values[0] ** 2).sum(), 0.01 * jnp.abs(y).sum() / len(X)
    np.testing.assert_allclose(losses, [weights, outputs], rtol=1e-5)


def test_another_number_of_arrays_is_refused():
    layer = layers.Dense(2)
    layer(X)
    with pytest.raises(ValueError, match="2 trainable and 0 other variables, got 1 and 0"):
        layer.stateless_call([layer.kernel], [], X)


def test_what_is_asked_of_layers():
    layer = layers.Dense(2, dtype="mixed_bfloat16", name="own")
    layer(X)
    assert (layer.dtype, layer.variable_dtype, layer.compute_dtype) == (
        "float32",
        "float32",
        "bfloat16",
    )
    assert layer.variables == layer.weights == layer.trainable_variables
    assert layer.path == "own"
    layer.path = "elsewhere"  # users may have attributes of such names
    assert layer.path == "elsewhere"


def test_variables_are_added_to():
    layer = layers.Dense(2)
    layer(X)
    before = layer.bias.numpy()
    layer.bias.assign_add([1, 2])
    layer.bias.assign_sub(np.ones(2))
    np.testing.assert_allclose(layer.bias.numpy() - before, [0, 1])
