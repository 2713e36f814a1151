"""Models by subclass: their `call`, layers inside, files; and steps of training of one's own."""

import h5py
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import config
from funkeras.formats import FileFormatError
from funkeras.layers import LSTM, BatchNormalization, Dense, Dropout, Embedding, Input, Layer
from funkeras.models import Model, Sequential


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


class Perceptron(Model):
    def __init__(self, units=5, rate=0.0, **options):
        super().__init__(**options)
        self.hidden = Dense(units, activation="tanh", kernel_regularizer="l2")
        self.drop = Dropout(rate)
        self.block = Sequential([Dense(units, input_dim=units), BatchNormalization()])
        self.heads = [Dense(2)]

    def call(self, x, training=False):
        y = self.drop(self.hidden(x), training=training)
        return self.heads[0](y + self.block(y, training=training))


def formula(model, x):
    k1, b1, k2, b2, gamma, beta, mean, variance, k3, b3 = model.get_weights()
    y = np.tanh(x @ k1 + b1)
    inner = gamma * ((y @ k2 + b2) - mean) / np.sqrt(variance + 1e-3) + beta
    return (y + inner) @ k3 + b3


@pytest.mark.parametrize("dialect", ["classic", "modern"])
def test_a_subclass_computes_its_call_trains_evaluates_and_is_restored(tmp_path, dialect):
    config.set_dialect(dialect)
    np.random.seed(0)
    x, y = numbers(20, 3), numbers(20, 2, seed=1)
    model = Perceptron()
    model.compile("adam", "mse", metrics=["mae"])
    model.optimizer.learning_rate = 0.02  # fast enough to see it beside the dropout
    first = model.evaluate(x, y)
    expected = formula(model, x)
    penalty = 0.01 * np.sum(model.get_weights()[0] ** 2)
    np.testing.assert_allclose(
        first, [np.mean((expected - y) ** 2) + penalty, np.mean(np.abs(expected - y))], rtol=1e-4
    )
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-4, atol=1e-5)
    before = model.get_weights()
    history = model.fit(x, y, epochs=20, batch_size=5, verbose=0, validation_split=0.2).history
    assert history["loss"][-1] < history["loss"][0]
    assert "val_loss" in history
    assert all((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))
    names = [layer.name for layer in model.layers]
    assert len(names) == 4
    assert {*model.params, *model.state} == {*names} - {model.drop.name}
    assert model.count_params() == sum(w.size for w in before)
    for ending in ("m.h5", "m.weights.h5"):
        model.save_weights(tmp_path / ending)
        again = Perceptron()
        again.build((None, 3))
        again.load_weights(tmp_path / ending)
        np.testing.assert_array_equal(again.predict(x), model.predict(x))
    with pytest.raises(NotImplementedError, match=r"Perceptron.*get_config.*save_weights"):
        model.save(tmp_path / "m.keras")


def test_training_reaches_the_call_and_randomness_has_its_key():
    model = Perceptron(units=64, rate=0.5)
    x = numbers(4, 3)
    quiet = [model(x, training=False) for _ in range(2)]
    np.testing.assert_array_equal(*quiet)
    loud = [model(x, training=True) for _ in range(2)]
    assert (np.asarray(loud[0]) != loud[1]).any()
    a, _ = model.functional.apply(
        model.params, model.state, x, training=True, key=jax.random.key(0)
    )
    b, _ = model.functional.apply(
        model.params, model.state, x, training=True, key=jax.random.key(0)
    )
    np.testing.assert_array_equal(a, b)


def test_a_subclass_is_a_pure_pair_and_a_part_of_graphs():
    model = Perceptron()
    a = Input(shape=(3,))
    outer = Model(a, Dense(1)(model(a)))
    x = numbers(6, 3)
    kernel, bias = outer.layers[-1].get_weights()
    np.testing.assert_allclose(outer.predict(x), formula(model, x) @ kernel + bias, rtol=1e-4)
    gradient = jax.grad(lambda p: model.functional.apply(p, model.state, x)[0].sum())(model.params)
    np.testing.assert_allclose(gradient[model.heads[0].name]["bias"], [6, 6], rtol=1e-6)


def test_inputs_may_be_several_words_and_named_and_outputs_too():
    class Reader(Model):
        def __init__(self):
            super().__init__(name="reader")
            self.embed, self.read = Embedding(9, 4, mask_zero=True), LSTM(3)
            self.judge = Dense(1)

        def call(self, inputs):
            words, extra = inputs["words"], inputs["extra"]
            assert jnp.issubdtype(words.dtype, jnp.integer)
            y = self.read(self.embed(words)) + extra
            return {"mean": self.judge(y), "all": y}

    model = Reader()
    data = {"words": np.array([[1, 2, 3], [4, 5, 6]]), "extra": numbers(2, 3)}
    parts = model.predict(data)
    assert model.output_names == ["all", "mean"]
    assert model.input_names == ["extra", "words"]
    assert {key: part.shape for key, part in parts.items()} == {"all": (2, 3), "mean": (2, 1)}
    model.compile("sgd", {"mean": "mse"})
    assert model.fit(data, {"mean": numbers(2, 1)}, epochs=1, verbose=0).history["loss"]

    class Both(Model):
        def call(self, inputs):
            a, b = inputs
            return [a + b, a - b]

    one, two = numbers(4, 2), numbers(4, 2, seed=1)
    total, difference = Both().predict([one, two])
    np.testing.assert_allclose(total, one + two)
    np.testing.assert_allclose(difference, one - two)


class Scaled(Model):
    """A model with a weight of its own beside those of its layer."""

    def build(self, input_shape):
        self.scale = self.add_weight(shape=(), initializer="ones", name="scale")
        self.inner = Dense(input_shape[-1])
        super().build(input_shape)

    def call(self, x):
        return self.scale * self.inner(x)


def test_weights_of_its_own_a_build_of_its_own_and_losses_in_its_call(tmp_path):
    class Penalized(Scaled):
        def call(self, x):
            self.add_loss(0.1 * jnp.sum(x**2))
            return super().call(x)

    model = Penalized()
    model.compile("sgd", "mse")
    x, y = numbers(8, 3), numbers(8, 3, seed=1)
    expected = np.mean((model.predict(x) - y) ** 2) + 0.1 * np.sum(x**2)
    assert model.evaluate(x, y) == pytest.approx(expected, rel=1e-5)
    model.fit(x, y, epochs=2, verbose=0)
    scale, kernel, bias = model.get_weights()
    assert scale != 1
    np.testing.assert_allclose(model.predict(x), scale * (x @ kernel + bias), rtol=1e-4, atol=1e-6)
    model.set_weights([np.float32(2), kernel, bias])
    assert model.scale.numpy() == 2
    for ending in (".h5", ".weights.h5"):
        model.save_weights(tmp_path / f"scaled{ending}")
        again = Penalized()
        again.build((None, 3))
        again.load_weights(tmp_path / f"scaled{ending}")
        assert again.scale.numpy() == 2
        np.testing.assert_array_equal(again.predict(x), model.predict(x))
    with h5py.File(tmp_path / "scaled.h5") as file:
        (name,) = file["top_level_model_weights"].attrs["weight_names"]
        assert file["top_level_model_weights"][name][()] == 2
    with h5py.File(tmp_path / "scaled.weights.h5") as file:
        assert file["vars/0"][()] == 2
    plain = Sequential([Dense(3, input_dim=3)])
    for ending in (".h5", ".weights.h5"):
        with pytest.raises(FileFormatError, match=r"0 weights are expected .*, the file has 1"):
            plain.load_weights(tmp_path / f"scaled{ending}")


def test_weights_of_a_model_of_one_s_own_within_a_model_are_saved(tmp_path):
    def made():
        return Sequential([Dense(3, input_dim=3), Scaled()])

    model, x = made(), numbers(8, 3)
    model.set_weights([w + 0.5 for w in model.get_weights()])
    for ending in (".h5", ".weights.h5"):
        model.save_weights(tmp_path / f"a{ending}")
        again = made()
        again.load_weights(tmp_path / f"a{ending}")
        np.testing.assert_array_equal(again.predict(x), model.predict(x))


def test_a_frozen_part_stays_and_a_written_layer_is_a_part_like_any_other():
    class Twice(Layer):
        def __init__(self):
            super().__init__()
            self.inner = Dense(3)

        def call(self, x):
            return self.inner(self.inner(x))

    class Net(Model):
        def __init__(self):
            super().__init__()
            self.first, self.last = Dense(3), Twice()

        def call(self, x):
            return self.last(self.first(x))

    model = Net()
    model.first.trainable = False
    model.compile("sgd", "mse")
    x, y = numbers(8, 3), numbers(8, 3, seed=1)
    model.predict(x)
    fixed, *_, moving = model.get_weights()
    model.fit(x, y, epochs=1, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], fixed)
    assert (model.get_weights()[-1] != moving).any()


def test_a_subclass_may_be_a_graph_instead():
    class Graph(Model):
        def __init__(self):
            a = Input(shape=(3,))
            super().__init__(inputs=a, outputs=Dense(2)(a))

    assert Graph().predict(numbers(4, 3)).shape == (4, 2)


def test_what_a_subclass_cannot_do_is_said():
    class Wrong(Model):
        def call(self, x):
            return x @ jnp.ones((5, 2))

    with pytest.raises(TypeError, match="dot_general") as caught:
        Wrong().predict(numbers(4, 3))
    assert any("while building model 'wrong_" in note for note in caught.value.__notes__)
    with pytest.raises(RuntimeError, match=r"does not know its inputs yet.*build\(input_shape\)"):
        _ = Perceptron().input_shape


class Mixing(Model):
    """Trains on mixtures of rows, with a penalty that the logs show."""

    def train_step(self, ts, batch):
        mixed = jax.tree.map(lambda a: (a + a[::-1]) / 2, batch)

        def loss(params):
            value, (state, logs) = self.objective(params, ts, mixed)
            size = sum(jnp.sum(p**2) for p in jax.tree.leaves(params))
            return value + 0.1 * size, (state, {**logs, "size": size})

        gradients, (state, logs) = self.gradients(loss, ts)
        return self.updated(ts, gradients, state), logs


def test_a_step_of_one_s_own_runs_in_the_loop_on_the_device():
    a = Input(shape=(3,))
    model = Mixing(a, Dense(2)(a))
    model.compile("sgd", "mse", metrics=["mae"])
    x, y = numbers(8, 3), numbers(8, 2, seed=1)
    kernel, bias = (w.astype("float64") for w in model.get_weights())
    history = model.fit(
        x, y, batch_size=4, epochs=3, shuffle=False, verbose=0, validation_data=(x, y)
    ).history
    sizes = []
    for step in range(6):
        rows = slice(4 * (step % 2), 4 * (step % 2) + 4)
        mx, my = (x[rows] + x[rows][::-1]) / 2, (y[rows] + y[rows][::-1]) / 2
        error = mx @ kernel + bias - my
        sizes.append((kernel**2).sum() + (bias**2).sum())
        moves = mx.T @ error * 2 / error.size + 0.2 * kernel, error.sum(0) / 4 + 0.2 * bias
        kernel, bias = kernel - 0.01 * moves[0], bias - 0.01 * moves[1]
    np.testing.assert_allclose(model.get_weights()[0], kernel, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(model.get_weights()[1], bias, rtol=1e-4, atol=1e-6)
    assert set(history) == {
        *("loss", "mean_absolute_error", "size"),
        *("val_loss", "val_mean_absolute_error"),
    }
    np.testing.assert_allclose(history["size"], np.mean(np.reshape(sizes, (3, 2)), 1), rtol=1e-4)
    logs = model.train_on_batch(x, y)
    assert len(logs) == 3
    assert len(model.evaluate(x, y)) == 2


def test_the_inherited_step_is_that_of_the_compiled_program():
    class Same(Perceptron):
        def train_step(self, ts, batch):
            return super().train_step(ts, batch)

    x, y = numbers(20, 3), numbers(20, 2, seed=1)
    results = []
    for kind in (Perceptron, Same):
        np.random.seed(3)
        model = kind()
        model.compile("adam", "mse", metrics=["mae"])
        history = model.fit(x, y, epochs=3, batch_size=8, verbose=0).history
        results.append((history, model.get_weights()))
    for name, values in results[0][0].items():
        np.testing.assert_allclose(results[1][0][name], values, rtol=1e-6)
    for one, other in zip(results[0][1], results[1][1], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-8)


def test_a_step_needs_no_loss_and_may_use_targets_in_its_own_way():
    class Own(Model):
        def train_step(self, ts, batch):
            def loss(params):
                y, state = self.functional.apply(params, ts.state, batch.x[0], training=True)
                value = jnp.mean(jnp.abs(y - batch.y[0]))
                return value, (state, {"distance": value})

            gradients, (state, logs) = self.gradients(loss, ts)
            return self.updated(ts, gradients, state), logs

    a = Input(shape=(3,))
    model = Own(a, Dense(2)(a))
    model.compile("sgd")
    x, y = numbers(8, 3), numbers(8, 2)
    expected = np.mean(np.abs(model.predict(x) - y))
    history = model.fit(x, y, batch_size=8, epochs=2, verbose=0).history
    assert list(history) == ["distance"]
    assert history["distance"][0] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (lambda self, data: {}, r"takes \(ts, batch\).*it takes \(data\)"),
        (lambda self, ts, batch: {"loss": 0.0}, "gives the next TrainState and a dict"),
        (lambda self, ts, batch: (ts, {"loss": batch.y[0][:, 0]}), "'loss' is an array"),
        (lambda self, ts, batch: (ts._replace(state={"x": 1}), {"loss": ts.step}), "the parts"),
    ],
)
def test_a_wrong_step_says_what_it_must_give(step, message):
    kind = type("Odd", (Model,), {"train_step": step})
    a = Input(shape=(3,))
    model = kind(a, Dense(2)(a))
    model.compile("sgd", "mse")
    with pytest.raises(TypeError, match=message):
        model.fit(numbers(4, 3), numbers(4, 2), verbose=0)
