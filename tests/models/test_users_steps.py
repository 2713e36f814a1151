"""Keras 3's steps for JAX, and metrics that user code updates, beside genuine Keras 3."""

import json
from pathlib import Path
from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pytest
import users_steps

import funkeras
from funkeras import config, layers, metrics, models
from funkeras.utils import batches

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "users_steps.json").read_text())
CLOSE = {"rtol": 2e-5, "atol": 1e-5}


@pytest.fixture(autouse=True)
def keras():
    names = ("Input", "Model", "Sequential", "layers", "losses", "metrics", "ops", "optimizers")
    with config.using_dialect("modern"):
        yield SimpleNamespace(utils=batches, **{name: getattr(funkeras, name) for name in names})


@pytest.fixture(scope="module")
def found():
    names = ("Input", "Model", "Sequential", "layers", "losses", "metrics", "ops", "optimizers")
    keras = SimpleNamespace(utils=batches, **{name: getattr(funkeras, name) for name in names})
    with config.using_dialect("modern"):
        return users_steps.results(keras)


@pytest.mark.parametrize("name", [name for name in GOLDEN if "predicted" in GOLDEN[name]])
def test_training_gives_what_keras_3_gives(found, name):
    own, expected = found[name], GOLDEN[name]
    assert own["metrics"] == expected["metrics"]
    np.testing.assert_allclose(own["listed"], expected["listed"], **CLOSE)
    for what in ("history", "weighted", "evaluated", "counted"):
        assert set(own[what]) == set(expected[what])
        for key, values in expected[what].items():
            np.testing.assert_allclose(own[what][key], values, **CLOSE, err_msg=f"{what} {key}")
    np.testing.assert_allclose(own["predicted"], expected["predicted"], **CLOSE)
    for one, other in zip(own["weights"], expected["weights"], strict=True):
        np.testing.assert_allclose(one, other, **CLOSE)


def test_what_masks_hide_does_not_count_in_losses_and_metrics_of_own_steps(keras):
    own, expected = users_steps.masked(keras), GOLDEN["masked"]
    assert own["metrics"] == expected["metrics"]
    np.testing.assert_allclose(own["listed"], expected["listed"], **CLOSE)
    for what in ("history", "evaluated", "counted"):
        assert set(expected[what]) <= set(own[what])
        for key, values in expected[what].items():
            np.testing.assert_allclose(own[what][key], values, **CLOSE, err_msg=f"{what} {key}")


def test_the_step_of_any_model_is_a_function_of_lists(keras):
    own, expected = users_steps.apart(keras), GOLDEN["apart"]
    for logs, right in zip(own["told"], expected["told"], strict=True):
        assert logs == pytest.approx(right, rel=2e-5)
    for one, other in zip(own["arrays"], expected["arrays"], strict=True):
        np.testing.assert_allclose(one, other, **CLOSE)


def net(kind, *args, **kwargs):
    np.random.seed(2)
    x = layers.Input((3,))
    y = layers.Dropout(0.5)(layers.Dense(16)(x))
    model = kind(x, layers.Dense(2)(y), *args, **kwargs)
    model.compile("sgd", "mse", metrics=["mae"])
    return model


def test_they_drop_out_anew_in_each_step_and_nothing_at_inference(keras):
    kind = users_steps.define(keras)["steps"]
    x, y, _ = users_steps.data()
    model = net(kind)
    model.optimizer.learning_rate = 0.0
    losses = model.fit(x, y, batch_size=10, epochs=4, verbose=0).history["loss"]
    assert len(set(losses)) == 4
    judged = [model.evaluate(x, y, verbose=0) for _ in range(2)]
    assert judged[0] == judged[1]


def test_batches_alone_and_the_metrics_of_the_model(keras):
    kind = users_steps.define(keras)["steps"]
    x, y, _ = users_steps.data()
    model = net(kind)
    assert [metric.name for metric in model.metrics] == ["loss", "compile_metrics"]
    before = model.get_weights()
    judged = model.test_on_batch(x, y, return_dict=True)
    expected = model.predict(x, verbose=0) / 2 - y  # its predict_step doubles
    assert judged["loss"] == pytest.approx(np.mean(expected**2), rel=1e-5)
    assert judged["mae"] == pytest.approx(np.mean(abs(expected)), rel=1e-5)
    assert [metric.name for metric in model.metrics] == ["loss", "compile_metrics"]
    assert model.metrics[1].result()["mae"] == pytest.approx(judged["mae"], rel=1e-6)
    told = model.train_on_batch(x, y, return_dict=True)
    assert set(told) == {"loss", "mae"}
    assert len(model.optimizer.get_weights()) == 2
    assert len(model.optimizer.variables) == 3  # the state of steps by hand has decay too
    assert any((w != b).any() for w, b in zip(model.get_weights(), before, strict=True))


def test_training_goes_on_from_a_file_with_the_optimizer_s_state(keras, tmp_path):
    kind = users_steps.define(keras)["steps"]
    x, y, _ = users_steps.data()
    options = {"batch_size": 5, "shuffle": False, "verbose": 0}

    def fresh():
        model = kind(inputs := layers.Input((3,)), layers.Dense(2)(inputs))
        model.compile(keras.optimizers.Adam(learning_rate=0.1), "mse")
        return model

    whole, first, second = fresh(), fresh(), fresh()
    first.set_weights(whole.get_weights())
    whole.fit(x, y, epochs=4, **options)
    first.fit(x, y, epochs=2, **options)
    first.save_weights(tmp_path / "half.weights.h5")
    first.save(tmp_path / "half.keras")
    second = models.load_model(tmp_path / "half.keras", custom_objects={"Steps": kind})
    second.fit(x, y, epochs=2, **options)
    for one, other in zip(whole.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-7)


class Measuring(models.Model):
    """Counts in its call what it gives, and in a layer what that is given."""

    class Scale(layers.Layer):
        def __init__(self):
            super().__init__()
            self.seen = metrics.Mean(name="seen")

        def call(self, x):
            self.seen.update_state(x)
            return 2 * x

    def __init__(self):
        super().__init__()
        self.scale = self.Scale()
        self.dense = layers.Dense(2)
        self.largest = [metrics.Sum(name="largest")]

    def call(self, x):
        y = self.dense(self.scale(x))
        self.largest[0].update_state(jnp.max(y))
        return y


def test_metrics_that_calls_update_are_in_the_logs_and_begin_anew():
    x, y, _ = users_steps.data()
    model = Measuring()
    model.compile("sgd", "mse")
    model.optimizer.learning_rate = 0.0
    told = model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0).history
    assert list(told) == ["loss", "largest", "seen"]
    batches_of = [model.predict(x[start : start + 4], verbose=0) for start in (0, 4, 8)]
    np.testing.assert_allclose(told["seen"], x.mean(), rtol=1e-5)
    np.testing.assert_allclose(told["largest"], sum(b.max() for b in batches_of), rtol=1e-5)
    assert model.scale.seen.result() == pytest.approx(x.mean(), rel=1e-5)
    judged = model.evaluate(x[:4], y[:4], verbose=0, return_dict=True)
    assert judged["largest"] == pytest.approx(batches_of[0].max(), rel=1e-5)
    assert model.scale.seen.result() == pytest.approx(x[:4].mean(), rel=1e-5)
    model.predict(x)
    assert model.scale.seen.result() == pytest.approx(x[:4].mean(), rel=1e-5)
    model.reset_metrics()
    model(x)
    assert model.scale.seen.result() == pytest.approx(x.mean(), rel=1e-5)
    model.reset_metrics()
    assert model.scale.seen.result() == 0


def test_a_sequential_model_of_a_user_reports_what_it_says(keras):
    class Largest(keras.Sequential):
        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            logs = super().compute_metrics(x, y, y_pred, sample_weight)
            return {**logs, "largest": keras.ops.max(y_pred), "row": keras.ops.max(x)}

    x, y, _ = users_steps.data()
    model = Largest([layers.Input((3,)), layers.Dense(2)])
    model.compile("sgd", "mse", metrics=["mae"])
    assert model.metrics_names == ["loss", "mae"]
    judged = model.evaluate(x, y, batch_size=5, verbose=0, return_dict=True)
    predicted = model.predict(x, verbose=0)
    assert judged["largest"] == pytest.approx(predicted[5:].max(), rel=1e-5)
    assert judged["row"] == x[5:].max()
    assert judged["mae"] == pytest.approx(abs(predicted - y).mean(), rel=1e-5)
    assert {"loss", "mae", "largest", "row"} == set(model.fit(x, y, verbose=0).history)


def test_logs_of_a_step_keep_their_names():
    class Named(models.Model):
        def train_step(self, ts, batch):
            return ts._replace(step=ts.step + 1), {"zeta": 1.0, "alpha": 2.0}

    x, y, _ = users_steps.data()
    told = net(Named).fit(x, y, epochs=1, verbose=0).history
    assert told == {"zeta": [1.0], "alpha": [2.0]}


@pytest.mark.parametrize(
    ("step", "error", "message"),
    [
        (lambda self, state, data: {}, TypeError, "gives logs and the next state"),
        (lambda self, state, data: ({}, state), TypeError, "a dict of numbers for the logs"),
        (lambda self, state, data: ({"loss": data[0]}, state), TypeError, "'loss' is an array"),
        (lambda self, state, data: ({"loss": 0.0}, state[:3]), ValueError, "got lists of"),
        (lambda self, data: {"loss": 0.0}, TypeError, r"takes .*\(state, data\) as in Keras 3"),
    ],
)
def test_a_wrong_step_says_what_it_must_give(step, error, message):
    x, y, _ = users_steps.data()
    model = net(type("Odd", (models.Model,), {"train_step": step}))
    before = model.get_weights()
    with pytest.raises(error, match=message):
        model.fit(x, y, verbose=0)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_states_of_recurrent_layers_need_the_other_kind_of_step(keras):
    kind = users_steps.define(keras)["steps"]
    x = layers.Input(batch_shape=(2, 3, 1))
    model = kind(x, layers.LSTM(2, stateful=True)(x))
    model.compile("sgd", "mse")
    with pytest.raises(NotImplementedError, match=r"train_step\(ts, batch\)"):
        model.fit(np.zeros((2, 3, 1)), np.zeros((2, 2)), batch_size=2, verbose=0)


def test_what_is_trained_must_be_as_it_was_compiled(keras):
    kind = users_steps.define(keras)["steps"]
    x, y, _ = users_steps.data()
    model = net(kind)
    model.layers[1].trainable = False
    with pytest.raises(ValueError, match="compile it again"):
        model.fit(x, y, verbose=0)
    model.compile("sgd", "mse")
    kernel = model.layers[1].get_weights()[0]
    model.fit(x, y, verbose=0)
    np.testing.assert_array_equal(kernel, model.layers[1].get_weights()[0])
