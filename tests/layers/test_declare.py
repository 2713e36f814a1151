"""`funkeras.layer`: a pure builder becomes a Keras layer, in each way that layers are used."""

import pickle
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import funkeras
from funkeras import functional as F
from funkeras import registry
from funkeras.formats.errors import FileFormatError
from funkeras.layers import Dense, Dropout, Input
from funkeras.models import Model, Sequential, load_model


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


@funkeras.layer
def Gate(units, kernel_initializer="glorot_uniform", activation="tanh", scale_by=1.0):
    """`scale_by * activation(x @ kernel)`."""
    activate = funkeras.activations.get(activation)

    def weights(input_shape):
        yield F.Weight("kernel", (input_shape[-1], units), kernel_initializer)

    return F.stateless(lambda params, x: scale_by * activate(x @ params["kernel"]), weights)


@funkeras.layer
def Tied(units):
    """Two arrays of one draw, not in alphabetical order."""

    def init(key, input_shape):
        first = jax.random.normal(key, (input_shape[-1], units))
        return {"z": first, "a": {"back": first.T}}

    def apply(params, x):
        return x @ params["z"] @ params["a"]["back"]

    return init, apply


@funkeras.layer(name="RunningCount")
def count(noise=0.0):
    """The input, with noise in training; counts the rows that it saw there."""

    def init(key, input_shape):
        return {}, {"seen": jnp.zeros((), jnp.float32)}

    def apply(params, state, x, training, key):
        if not training:
            return x, state
        return x + noise * jax.random.normal(key, x.shape), {"seen": state["seen"] + x.shape[0]}

    return init, apply


@funkeras.layer
def Residual(layer, rate=0.0):
    """`x + dropout(layer(x))`, composed of pairs."""
    inner = F.serial(layer, F.dropout(rate))

    def run(params, state, x, **flow):
        y, state, mask = inner.run(params, state, x, **flow)
        return x + y, state, mask

    return F.Pair.running(run, weights=inner.weights)


def test_it_is_its_formula_in_a_chain_and_in_a_graph():
    gate = Gate(2, scale_by=3.0, input_dim=4)
    chain = Sequential([gate, Dense(1)])
    x = numbers(5, 4)
    expected = 3 * np.tanh(x @ gate.get_weights()[0])
    a = Input(shape=(4,))
    np.testing.assert_allclose(Model(a, gate(a)).predict(x), expected, rtol=1e-5)
    chain.compile("sgd", "mse")
    losses = chain.fit(x, numbers(5, 1), epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert gate.output_shape == (None, 2)
    assert gate.name.startswith("gate_")


def test_it_is_spelled_as_in_every_generation():
    layer = Gate(output_dim=2, init="zeros", W_regularizer="l2", W_constraint="nonneg", input_dim=3)
    layer.build((None, 3))
    assert not layer.get_weights()[0].any()
    assert [type(r).__name__ for r in layer.weight_regularizers.values()] == ["L2"]
    assert list(layer.weight_constraints) == ["kernel"]
    with pytest.raises(TypeError, match="did you mean 'scale_by'"):
        Gate(2, scaleby=1.0)
    with pytest.raises(TypeError, match="needs the argument 'units'"):
        Gate()


def test_it_is_a_pure_pair_too():
    net = F.serial(Gate.builder(2), Tied.builder(3))
    params, state = net.init(jax.random.key(0), (None, 4))
    assert {name: list(tree) for name, tree in params.items()} == {
        "Gate": ["kernel"],
        "Tied": ["z", "a"],
    }
    assert F.output_shape(net, (None, 4)) == (None, 2)
    x = numbers(5, 4)
    y, _ = net.apply(params, state, x)
    hidden = np.tanh(x @ params["Gate"]["kernel"])
    np.testing.assert_allclose(y, hidden @ params["Tied"]["z"] @ params["Tied"]["a"]["back"], 1e-5)
    again = jax.jit(net.init, static_argnums=1)(jax.random.key(0), (None, 4))[0]
    for one, other in zip(jax.tree.leaves(params), jax.tree.leaves(again), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_plain_init_draws_once_and_numpy_s_seed_repeats_it():
    def made():
        np.random.seed(7)
        layer = Tied(3, input_dim=4)
        layer.build((None, 4))
        return layer.get_weights()

    first, back = made()
    assert (first.shape, back.shape) == ((4, 3), (3, 4))
    np.testing.assert_array_equal(first, back.T)
    np.testing.assert_array_equal(first, made()[0])


def test_a_state_is_kept_and_noise_is_drawn_in_training_only():
    layer = count(noise=1.0, input_shape=(3,))
    model = Sequential([layer, Dense(1)])
    assert type(layer).__name__ == "RunningCount"
    x = numbers(8, 3)
    np.testing.assert_array_equal(layer(x), x)
    assert (layer(x, training=True) != x).all()
    model.compile("sgd", "mse")
    model.fit(x, numbers(8, 1), batch_size=4, epochs=2, verbose=0)
    assert layer.get_weights()[0] == 24
    assert layer.trainable_weights == []


@pytest.mark.parametrize("ending", ["h5", "keras"])
def test_models_are_saved_and_loaded_with_all_that_belongs_to_it(tmp_path, ending):
    inner = Dense(4, activation="relu", name="inner")
    parts = [Gate(4, kernel_regularizer="l2", input_dim=3), Tied(2), count(), Residual(inner, 0.5)]
    model = Sequential(parts)
    model.compile("adam", "mse")
    x = numbers(6, 3)
    y = numbers(6, 4, seed=1)
    model.fit(x, y, epochs=1, verbose=0)
    path = tmp_path / f"model.{ending}"
    model.save(path)
    again = load_model(path)
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    assert [type(layer) for layer in again.layers] == [type(layer) for layer in parts]
    assert [layer.name for layer in again.layers] == [layer.name for layer in parts]
    assert again.evaluate(x, y) == model.evaluate(x, y)  # penalties are part of it
    for own, other in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(own, other)
    weights = tmp_path / "all.weights.h5"
    model.save_weights(weights)
    fresh = Sequential.from_config(model.get_config())
    fresh.load_weights(weights)
    np.testing.assert_array_equal(fresh.predict(x), model.predict(x))


def test_layers_in_it_are_arguments():
    layer = Residual(Dense(3, name="deep"), input_dim=3)
    layer.build((None, 3))
    x = numbers(2, 3)
    kernel, bias = layer.get_weights()
    np.testing.assert_allclose(layer(x), x + x @ kernel + bias, rtol=1e-5)
    assert type(Residual.from_config(layer.get_config()).layer) is Dense


def test_copies_have_its_weights():
    layer = Gate(2)
    layer.build((None, 3))
    again = pickle.loads(pickle.dumps(layer))
    np.testing.assert_array_equal(again.get_weights()[0], layer.get_weights()[0])


def test_a_module_of_one_s_own_gives_and_loads_it(tmp_path):
    (tmp_path / "mine.py").write_text(
        "import funkeras, jax.numpy as jnp\n"
        "@funkeras.layer\n"
        "def Scale(initial=1.0):\n"
        "    def init(key, input_shape):\n"
        "        return {'factor': jnp.full(input_shape[-1], initial)}\n"
        "    return init, lambda params, x: params['factor'] * x\n"
    )
    make = "from funkeras.models import *; from mine import Scale; import numpy as np;"
    use = "import numpy as np; from funkeras.models import load_model;"
    show = "print(m.predict(np.ones((1, 2))))"
    scripts = {
        make + "m = Sequential([Scale(0.5, input_dim=2)]); m.save('m.keras')": 0,
        use + "import mine; m = load_model('m.keras');" + show: 0,
        use + "m = load_model('m.keras')": 1,
    }
    results = []
    for script, status in scripts.items():
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == status, done.stderr
        results.append(done)
    assert results[1].stdout.strip() == "[[0.5 0.5]]"
    assert "there is no layer 'Scale'" in results[2].stderr
    assert "custom_objects" in results[2].stderr


def test_only_custom_objects_know_a_class_that_was_forgotten(tmp_path):
    model = Sequential([Gate(2, input_dim=3)])
    model.save(tmp_path / "m.h5")
    with registry.custom_object_scope():
        del registry.get_custom_objects()["Gate"]
        with pytest.raises(FileFormatError, match="no layer 'Gate'"):
            load_model(tmp_path / "m.h5")
        again = load_model(tmp_path / "m.h5", custom_objects={"Gate": Gate})
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])


def declared(build, **options):
    with registry.custom_object_scope():
        return funkeras.layer(build, **options)


def test_a_definition_may_be_run_again():
    def Twice():
        return F.stateless(lambda params, x: 2 * x)

    with registry.custom_object_scope():
        funkeras.layer(Twice)
        newer = funkeras.layer(Twice)
        assert registry.get_custom_objects()["Twice"] is newer


def test_wrong_declarations_say_so():
    with pytest.raises(ValueError, match="the library has a layer 'Dense'"):
        declared(lambda: F.dropout(0.5), name="Dense")
    with pytest.raises(TypeError, match="'sizes' of the layer 'Mine' can't stand in a config"):
        declared(lambda *sizes: F.dropout(0.5), name="Mine")
    with pytest.raises(TypeError, match="'trainable' of the layer 'Mine' is an option of every"):
        declared(lambda trainable: F.dropout(0.5), name="Mine")
    bare = declared(lambda: (lambda key, shape: jnp.zeros(shape[-1]), lambda p, x: x), name="Bare")
    with pytest.raises(TypeError, match="init gives a dict of arrays by name") as caught:
        bare().build((None, 3))
    assert any("building layer" in note for note in caught.value.__notes__)
    neither = declared(lambda: Dropout(0.5), name="Neither")
    with pytest.raises(TypeError, match=r"builder of the layer 'Neither'.*got Dropout"):
        neither()


def test_layers_given_to_a_builder_keep_their_rules_and_stay_frozen():
    inner = Dense(3, kernel_regularizer="l2", name="inner")
    layer = Residual(inner, input_dim=3)
    model = Sequential([layer])
    model.compile("sgd", "mse")
    x = numbers(6, 3)
    model.fit(x, 0 * x, verbose=0)
    np.testing.assert_array_equal(inner.get_weights()[0], model.get_weights()[0])
    kernel = inner.get_weights()[0]
    plain = np.mean((model.predict(x) - x) ** 2)
    np.testing.assert_allclose(
        model.evaluate(x, x, verbose=0), plain + 0.01 * np.sum(kernel**2), rtol=1e-5
    )
    inner.trainable = False
    model.compile("sgd", "mse")
    model.fit(x, 0 * x, verbose=0)
    np.testing.assert_array_equal(kernel, model.get_weights()[0])
