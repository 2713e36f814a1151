"""Training loops that users write with Keras 3's pieces for JAX, against `fit`."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import config, layers, losses, metrics, models, optimizers

X = np.random.default_rng(0).random((12, 3), dtype=np.float32)
Y = X.sum(1, keepdims=True)
BATCHES = [(X[i : i + 4], Y[i : i + 4]) for i in range(0, 12, 4)]


@pytest.fixture(autouse=True)
def keras_3():
    config.set_dialect("modern")


def net():
    np.random.seed(1)
    return models.Sequential(
        [
            layers.Input((3,)),
            layers.Dense(4, activation="tanh", kernel_constraint="unit_norm"),
            layers.BatchNormalization(),
            layers.Dense(1),
        ]
    )


def fitted(optimizer):
    model = net()
    model.compile(optimizer, "mse")
    model.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    return model


def arrays(variables):
    return [variable.value for variable in variables]


OPTIMIZERS = {
    "sgd": lambda: optimizers.SGD(0.05, momentum=0.9),
    "adam": lambda: optimizers.Adam(0.01, weight_decay=0.01, global_clipnorm=1.0),
    "schedule": lambda: optimizers.RMSprop(optimizers.schedules.ExponentialDecay(0.01, 2, 0.5)),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_loop_of_arrays_under_jit_is_fit(name):
    model, optimizer, mse = net(), OPTIMIZERS[name](), losses.MeanSquaredError()
    optimizer.build(model.trainable_variables)
    error = metrics.MeanAbsoluteError()

    def objective(moved, still, x, y):
        found, still = model.stateless_call(moved, still, x, training=True)
        return mse(y, found), (found, still)

    @jax.jit
    def step(state, x, y):
        moved, still, own, counted = state
        (_, (found, still)), slopes = jax.value_and_grad(objective, has_aux=True)(
            moved, still, x, y
        )
        moved, own = optimizer.stateless_apply(own, slopes, moved)
        return moved, still, own, error.stateless_update_state(counted, y, found)

    state = (
        *map(arrays, (model.trainable_variables, model.non_trainable_variables)),
        arrays(optimizer.variables),
        error.stateless_reset_state(),
    )
    found = []
    for _ in range(2):
        for x, y in BATCHES:
            before = state
            state = step(state, x, y)
            found.append(model.stateless_call(*before[:2], x, training=True)[0])
    expected = fitted(OPTIMIZERS[name]())
    for value, own in zip(state[0], expected.trainable_variables, strict=True):
        np.testing.assert_allclose(value, own.value, rtol=1e-4, atol=1e-6)
    for value, own in zip(state[1], expected.non_trainable_variables, strict=True):
        np.testing.assert_allclose(value, own.value, rtol=1e-4, atol=1e-6)
    truth = np.concatenate([Y, Y])
    mean = np.abs(np.concatenate(found) - truth).mean()
    np.testing.assert_allclose(error.stateless_result(state[3]), mean, rtol=1e-4)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_loop_of_variables_is_fit(name):
    model, optimizer = net(), OPTIMIZERS[name]()
    variables = model.trainable_variables

    def objective(moved, still, x, y):
        found, still = model.stateless_call(moved, still, x, training=True)
        return jnp.mean((y - found) ** 2), still

    for _ in range(2):
        for x, y in BATCHES:
            still = arrays(model.non_trainable_variables)
            slopes, still = jax.grad(objective, has_aux=True)(arrays(variables), still, x, y)
            optimizer.apply_gradients(zip(slopes, variables, strict=True))
            for variable, value in zip(model.non_trainable_variables, still, strict=True):
                variable.assign(value)
    assert optimizer.iterations == 6
    for own, other in zip(model.weights, fitted(OPTIMIZERS[name]()).weights, strict=True):
        np.testing.assert_allclose(own.value, other.value, rtol=1e-4, atol=1e-6)


def test_a_learning_rate_that_is_set_counts():
    model, optimizer = net(), optimizers.SGD(0.1)
    bias = model.layers[-1].bias
    optimizer.build([bias])
    optimizer.learning_rate = 0.5
    optimizer.apply([jnp.ones(1)])
    np.testing.assert_allclose(bias.numpy(), [-0.5])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda o, v: optimizers.SGD().stateless_apply([], [], []), "needs to know the variables"),
        (lambda o, v: o.stateless_apply(arrays(o.variables), [], arrays(v)), "gradients"),
        (lambda o, v: o.apply([jnp.ones(1)], [v[-1]]), "variables that build was given"),
        (lambda o, v: metrics.Mean().stateless_result([1.0]), "2 variables, got 1"),
    ],
)
def test_wrong_arguments_are_told(call, message):
    variables, optimizer = net().trainable_variables, optimizers.SGD()
    optimizer.build(variables)
    with pytest.raises(ValueError, match=message):
        call(optimizer, variables)


def test_the_optimizer_of_a_model_that_trains_has_its_variables():
    """Names and order are Keras 3.15's."""
    model = models.Sequential([layers.Input((3,)), layers.Dense(1, name="d")], name="net")
    model.compile(optimizers.Adam(0.01), "mse")
    assert model.optimizer.variables == []
    model.fit(X, Y, epochs=2, batch_size=12, verbose=0)
    variables = model.optimizer.variables
    assert [own.path for own in variables] == [
        *("adam/iteration", "adam/learning_rate"),
        *("adam/net_d_kernel_momentum", "adam/net_d_kernel_velocity"),
        *("adam/net_d_bias_momentum", "adam/net_d_bias_velocity"),
    ]
    assert int(variables[0].value) == 2
    held = model.optimizer.get_weights()
    for own, array in zip(variables, held, strict=True):
        np.testing.assert_array_equal(own.numpy(), array)
    model.fit(X, Y, batch_size=12, verbose=0)
    assert int(variables[0].value) == 3
    for own, array in zip(variables, held, strict=True):
        own.assign(array)
    np.testing.assert_array_equal(model.optimizer.get_weights()[2], held[2])
    variables[1].assign(0.5)
    assert float(model.optimizer.learning_rate) == 0.5
    with pytest.raises(ValueError, match=r"adam/net_d_bias_momentum has shape \(1,\), got \(3,\)"):
        variables[4].assign(np.zeros(3))


def test_an_optimizer_that_trains_a_model_may_be_built_for_a_loop_too():
    model = fitted(optimizers.SGD(0.1, momentum=0.9))
    kept = model.optimizer.get_weights()
    model.optimizer.build(model.trainable_variables)
    assert [own.shape for own in model.optimizer.variables].count((3, 4)) == 1
    np.testing.assert_array_equal(model.optimizer.get_weights()[2], kept[2])
