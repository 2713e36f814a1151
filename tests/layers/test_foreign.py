"""`JaxLayer` and `FlaxLayer`, with results of Keras 3.15 on JAX for the same functions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import config
from funkeras.layers import FlaxLayer, Input, JaxLayer
from funkeras.models import Model, Sequential, load_model
from funkeras.registry import custom_object_scope

W = np.random.RandomState(0).randn(3, 2).astype("float32")
X = np.random.RandomState(1).randn(8, 3).astype("float32")


@pytest.fixture(autouse=True)
def modern():
    config.set_dialect("modern")


def normed(params, state, rng, inputs, training):
    y = inputs @ params["dense"]["w"] + params["dense"]["b"]
    if training:
        state = {"n": state["n"] + 1, "m": 0.9 * state["m"] + 0.1 * y.mean(0)}
    return jnp.tanh(y), state


def begin(rng, inputs):
    params = {"dense": {"w": jax.random.normal(rng, (inputs.shape[-1], 2)), "b": jnp.zeros(2)}}
    return params, {"n": 0, "m": jnp.zeros(2)}


def test_a_function_with_params_and_state_trains_as_in_keras_3():
    params = {"dense": {"w": W, "b": np.zeros(2, "float32")}}
    layer = JaxLayer(normed, params=params, state={"n": 0, "m": np.zeros(2, "float32")})
    x = Input((3,))
    model = Model(x, layer(x))
    model.compile("adam", "mse")
    history = model.fit(X, np.tanh(X[:, :2]), batch_size=4, epochs=3, shuffle=False, verbose=0)
    losses = [0.23662418127059937, 0.23610904812812805, 0.23562102019786835]
    np.testing.assert_allclose(history.history["loss"], losses, rtol=1e-6)
    bias, kernel, mean, steps = model.get_weights()
    np.testing.assert_allclose(bias, [-0.00171139, -0.00591262], rtol=1e-4)
    np.testing.assert_allclose(kernel[0], [1.7692279, 0.39707333], rtol=1e-6)
    np.testing.assert_allclose(mean, [-0.2295838, 0.55318385], rtol=1e-6)
    assert (steps, steps.dtype) == (6, np.int32)


def test_a_function_that_begins_by_itself_is_saved_by_name(tmp_path):
    layer = JaxLayer(normed, begin)
    model = Sequential([Input((3,)), layer])
    assert [w.shape for w in model.get_weights()] == [(2,), (3, 2), (2,), ()]
    assert model.get_weights()[1].std() > 0
    described = layer.get_config()
    assert not {"params", "state", "seed"} & described.keys()
    assert described["init_fn"]["config"] == "begin"
    model.save(tmp_path / "a.keras")
    with custom_object_scope({"normed": normed, "begin": begin}):
        loaded = load_model(tmp_path / "a.keras")
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


@pytest.mark.parametrize(
    ("call_fn", "given", "x", "factor"),
    [
        (lambda inputs: 2 * inputs, {}, X, 2),
        (lambda params, inputs: sum(params) * inputs, {"params": [1.0, 2.0]}, X, 3),
        (lambda params, inputs: inputs[0] + inputs[1] * params, {"params": 2.0}, (X, X), 3),
        (lambda params, inputs: inputs["a"] * params, {"params": 2.0}, {"a": X}, 2),
        (
            lambda params, inputs: params["of"][params["power"]] * inputs,
            *({"params": {"of": {"two": 2.0, "four": 4.0}, "power": "four"}}, X, 4),
        ),
        (
            lambda state, inputs: (state[0] * inputs, [state[0] + 1]),
            *({"state": [3.0]}, X, 3),
        ),
    ],
)
def test_trees_of_every_form_are_arguments(call_fn, given, x, factor):
    np.testing.assert_allclose(JaxLayer(call_fn, **given)(x), factor * X, rtol=1e-6)


def test_random_numbers_are_given_in_training_alone():
    def noisy(params, rng, inputs):
        return inputs if rng is None else inputs + params * jax.random.normal(rng, inputs.shape)

    layer = JaxLayer(noisy, params=1.0, seed=1)
    np.testing.assert_array_equal(layer(X), X)
    first, second = layer(X, training=True), layer(X, training=True)
    assert (first != X).all()
    assert (first != second).all()
    with pytest.raises(ValueError, match="call_fn needs a key in training"):
        layer.functional.apply(layer.params, layer.state, X, training=True)
    (seed,) = layer.non_trainable_variables
    y, (after,) = layer.stateless_call([1.0], [seed], X, training=True)
    assert (y != X).all()
    assert (after != seed.value).any()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: JaxLayer(lambda x: x), "call_fn must have an argument inputs"),
        (lambda: JaxLayer(lambda params, inputs: inputs), "init_fn, params or state must be given"),
        (lambda: JaxLayer(lambda inputs, mode: inputs), "may be params, .*; got 'mode'"),
        (
            lambda: JaxLayer(lambda state, inputs: (inputs, (1, 2)), state=(1,))(X),
            "a state of the structure",
        ),
    ],
)
def test_functions_that_do_not_fit_are_told(make, message):
    with pytest.raises(ValueError, match=message):
        make()


class Centered:
    """Subtracts a running mean, and scales: what a module of Flax has, without Flax."""

    def init(self, rngs, inputs, method=None, training=False):
        assert sorted(rngs) == ["dropout", "params"]
        assert training is True
        size = inputs.shape[-1]
        scale = 1 + 0 * jax.random.normal(rngs["params"], (size,))
        return {"params": {"scale": scale}, "stats": {"mean": jnp.zeros(size)}}

    def apply(self, variables, inputs, rngs, method, mutable, training):
        assert sorted(rngs) == (["dropout"] if training else [])
        assert mutable == ["stats"]
        mean = inputs.mean(0) if training else variables["stats"]["mean"]
        return variables["params"]["scale"] * (inputs - mean), {"stats": {"mean": mean}}

    def __call__(self, inputs, training):
        raise NotImplementedError


def test_a_module_keeps_other_collections_than_params_as_state():
    layer = FlaxLayer(Centered())
    np.testing.assert_array_equal(layer(X), X)
    np.testing.assert_allclose(np.mean(layer(X, training=True), axis=0), np.zeros(3), atol=1e-7)
    np.testing.assert_allclose(layer(X), X - X.mean(0), atol=1e-7)
    assert [w.shape for w in layer.trainable_weights] == [(3,)]
    given = {"params": {"scale": 2 * np.ones(3)}, "stats": {"mean": np.ones(3)}}
    np.testing.assert_allclose(FlaxLayer(Centered(), variables=given)(X), 2 * (X - 1), rtol=1e-6)


def test_a_module_of_flax_is_a_layer():
    linen = pytest.importorskip("flax.linen", reason="needs flax, which no test environment has")
    layer = FlaxLayer(linen.Dense(2), method=lambda module, inputs: module(inputs))
    y = layer(X)
    bias, kernel = layer.get_weights()
    np.testing.assert_allclose(y, X @ kernel + bias, rtol=1e-5)
