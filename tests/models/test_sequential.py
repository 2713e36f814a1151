"""`Sequential` in the guide's own words, and what it says to wrong ones."""

import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from funkeras import config
from funkeras.callbacks import Callback, LambdaCallback, TerminateOnNaN
from funkeras.layers import Activation, Conv2D, Dense, Dropout, Flatten
from funkeras.layers.input import Input, InputLayer
from funkeras.models import Sequential

RNG = np.random.default_rng(0)
X = RNG.standard_normal((64, 6)).astype("float32")
Y = np.eye(3, dtype="float32")[RNG.integers(0, 3, 64)]


def small(**compiled: Any) -> Sequential:
    model = Sequential([Dense(8, input_dim=6, activation="tanh"), Dense(3, activation="softmax")])
    model.compile(**{"loss": "categorical_crossentropy", "optimizer": "sgd", **compiled})
    return model


def forward(model: Sequential, x: np.ndarray) -> np.ndarray:
    """The small model in NumPy."""
    w1, b1, w2, b2 = (w.astype("float64") for w in model.get_weights())
    z = np.tanh(x @ w1 + b1) @ w2 + b2
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def test_the_guide_s_snippet_runs_in_keras_1_words(tmp_path: Path) -> None:
    model = Sequential()
    model.add(Dense(output_dim=64, input_dim=6, init="glorot_uniform"))
    model.add(Activation("relu"))
    model.add(Dense(output_dim=3, init="glorot_uniform"))
    model.add(Activation("softmax"))
    model.compile(loss="categorical_crossentropy", optimizer="sgd", metrics=["accuracy"])
    model.fit(X, Y, nb_epoch=5, batch_size=32, verbose=0)
    loss, accuracy = model.evaluate(X, Y, batch_size=32)
    classes = model.predict_classes(X, batch_size=32)
    proba = model.predict_proba(X, batch_size=32)
    np.testing.assert_allclose(proba.sum(1), 1, rtol=1e-5)
    np.testing.assert_array_equal(classes, proba.argmax(1))
    assert accuracy == pytest.approx((classes == Y.argmax(1)).mean())
    assert loss == pytest.approx(-np.log(proba[Y == 1]).mean(), rel=1e-5)
    model.train_on_batch(X[:32], Y[:32])
    path = tmp_path / "weights.h5"
    model.save_weights(path)
    before = model.get_weights()
    model.train_on_batch(X, Y)
    model.load_weights(path)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_predictions_follow_the_formula() -> None:
    model = small()
    np.testing.assert_allclose(model.predict(X), forward(model, X), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("rows", [1, 2, 5, 31, 33, 64])
def test_predictions_of_a_part_are_part_of_the_predictions(rows: int) -> None:
    model = small()
    np.testing.assert_allclose(model.predict(X[:rows]), model.predict(X)[:rows], rtol=1e-6)


def test_keras_3_words_give_the_same_model() -> None:
    def weights(*layers: Any) -> list[np.ndarray]:
        np.random.seed(3)
        return Sequential(list(layers)).get_weights()

    old = weights(Dense(output_dim=4, input_dim=6, init="uniform"), Dense(2, W_regularizer="l2"))
    new = weights(
        Input(shape=(6,)),
        Dense(units=4, kernel_initializer="uniform"),
        Dense(2, kernel_regularizer="l2"),
    )
    for a, b in zip(old, new, strict=True):
        np.testing.assert_array_equal(a, b)


def test_weights_are_made_when_the_input_is_known() -> None:
    model = Sequential([Dense(4), Dense(2)])
    assert not model.built
    with pytest.raises(RuntimeError, match="needs weights"):
        model.save_weights("never.h5")
    assert model.predict(X).shape == (len(X), 2)
    assert [w.shape for w in model.get_weights()] == [(6, 4), (4,), (4, 2), (2,)]


def test_fit_is_gradient_descent_on_the_loss() -> None:
    model = Sequential([Dense(1, input_dim=6, use_bias=False)])
    model.compile(optimizer="sgd", loss="mse")
    model.optimizer.learning_rate = 0.1
    w = model.get_weights()[0].astype("float64")
    y = X[:, :1] * 2
    for rows in (slice(0, 48), slice(48, 64)):
        residual = X[rows] @ w - y[rows]
        w -= 0.1 * 2 * X[rows].T @ residual / len(residual)
    model.fit(X, y, batch_size=48, epochs=1, shuffle=False, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], w, rtol=1e-5, atol=1e-6)


def test_any_optax_transformation_trains() -> None:
    model = small(optimizer=optax.chain(optax.clip(1.0), optax.adam(1e-2)))
    first = model.evaluate(X, Y)
    model.fit(X, Y, epochs=20, verbose=0)
    assert model.evaluate(X, Y) < first


def test_same_seed_same_weights_and_shuffle() -> None:
    def run() -> list[np.ndarray]:
        np.random.seed(1337)
        model = Sequential([Dense(8, input_dim=6), Dropout(0.5), Dense(3, activation="softmax")])
        model.compile("rmsprop", "categorical_crossentropy")
        model.fit(X, Y, epochs=3, batch_size=10, verbose=0)
        return model.get_weights()

    for a, b in zip(run(), run(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_epochs_default_is_the_dialect_s() -> None:
    model = small()
    assert len(model.fit(X, Y, verbose=0).epoch) == 10
    config.set_dialect("modern")
    assert len(model.fit(X, Y, verbose=0).epoch) == 1


def test_chunks_do_not_change_the_numbers() -> None:
    """A batch hook makes every step a program of its own; the run must be the same."""

    def run(*given: Callback) -> tuple[dict[str, Any], list[np.ndarray]]:
        np.random.seed(5)
        model = small(metrics=["accuracy"])
        history = model.fit(X, Y, epochs=3, batch_size=7, verbose=0, callbacks=list(given))
        return history.history, model.get_weights()

    seen: list[int] = []
    chunked, weights = run(LambdaCallback(on_batch_end=lambda batch, logs: seen.append(batch)))
    whole, expected = run()
    assert seen == list(range(10)) * 3
    np.testing.assert_allclose(chunked["loss"], whole["loss"], rtol=1e-6)
    for a, b in zip(weights, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


def test_streamed_data_gives_the_numbers_of_resident_data(tmp_path: Path) -> None:
    on_disk = np.memmap(tmp_path / "x", "float32", "w+", shape=X.shape)
    on_disk[:] = X

    def run(x: Any) -> list[np.ndarray]:
        np.random.seed(5)
        model = small()
        model.fit(x, Y, epochs=2, batch_size=10, verbose=0)
        assert model.evaluate(x, Y) == pytest.approx(model.evaluate(X, Y), rel=1e-6)
        return model.get_weights()

    for a, b in zip(run(on_disk), run(X), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


def test_a_failing_callback_leaves_a_model_at_a_finished_step() -> None:
    model = small()
    steps: list[list[np.ndarray]] = [model.get_weights()]

    def record(batch: int, logs: Any) -> None:
        steps.append(model.get_weights())
        if batch == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, batch_size=8, verbose=0, callbacks=[LambdaCallback(on_batch_end=record)])
    assert len(steps) == 5
    for a, b in zip(model.get_weights(), steps[-1], strict=True):
        np.testing.assert_array_equal(a, b)
    model.fit(X, Y, epochs=1, verbose=0)


def test_frozen_layers_keep_their_weights_and_count_as_such() -> None:
    model = small()
    model.layers[0].trainable = False
    model.compile("sgd", "categorical_crossentropy")
    before = model.get_weights()
    model.fit(X, Y, epochs=2, verbose=0)
    after = model.get_weights()
    np.testing.assert_array_equal(before[0], after[0])
    assert not np.array_equal(before[2], after[2])
    assert len(model.trainable_weights) == 2


def test_learning_rate_changes_without_a_new_program() -> None:
    model = small()
    model.fit(X, Y, epochs=1, batch_size=64, verbose=0)
    assert model._engine is not None
    compiled = model._engine.run._cache_size()
    model.optimizer.learning_rate = 0.0
    before = model.get_weights()
    model.fit(X, Y, epochs=1, batch_size=64, verbose=0)
    assert model._engine.run._cache_size() == compiled
    np.testing.assert_array_equal(before[0], model.get_weights()[0])


def test_training_compiles_a_program_for_each_size_of_batches() -> None:
    model = small()
    for _ in range(2):
        model.fit(X, Y, nb_epoch=5, batch_size=10, validation_data=(X[:30], Y[:30]), verbose=0)
    assert model._engine is not None
    assert model._engine.run._cache_size() == 2
    assert model._engine.judge._cache_size() == 1


def test_after_training_the_model_gives_the_arrays_that_its_layers_own() -> None:
    model = small()
    model.fit(X, Y, nb_epoch=2, batch_size=64, verbose=0)
    for layer in model.layers:
        for name, array in layer.params.items():
            assert model.params[layer.name][name] is array


def test_functional_pair_and_model_agree_and_exchange_variables() -> None:
    model = small()
    y, _ = model.functional.apply(model.params, model.state, jnp.asarray(X))
    np.testing.assert_allclose(y, model.predict(X), rtol=1e-6)
    model.params = jax.tree.map(lambda a: 0 * a, model.params)
    np.testing.assert_allclose(model.predict(X), 1 / 3, rtol=1e-6)
    wrong = {**model.params, "dense_9": {}}
    with pytest.raises(ValueError, match="dense_9"):
        model.params = wrong


def test_config_round_trip_gives_an_equal_model() -> None:
    model = Sequential(
        [
            InputLayer(input_shape=(8, 8, 1)),
            Conv2D(4, (3, 3), padding="same", activation="relu", kernel_regularizer="l2"),
            Flatten(),
            Dense(3, kernel_constraint="maxnorm"),
        ]
    )
    again = Sequential.from_config(json.loads(model.to_json())["config"])
    assert json.loads(again.to_json()) == json.loads(model.to_json())
    again.set_weights(model.get_weights())
    images = RNG.standard_normal((2, 8, 8, 1)).astype("float32")
    np.testing.assert_array_equal(again.predict(images), model.predict(images))


def test_pop_and_get_layer() -> None:
    model = small()
    assert model.get_layer(index=0) is model.layers[0]
    assert model.get_layer(model.layers[1].name) is model.layers[1]
    assert model.pop().units == 3
    assert model.output_shape == (None, 8)
    with pytest.raises(ValueError, match="did you mean 'dense_"):
        model.get_layer("dense")


@pytest.mark.parametrize("action", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
def test_labels_beyond_the_classes_are_refused_where_they_come_in(action: str) -> None:
    model = Sequential([Dense(4, activation="softmax", input_dim=3, name="last")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match="labels from 0 to 3, got labels from 0 to 4") as caught:
        getattr(model, action)(np.zeros((5, 3)), np.arange(5))
    assert any("'last'" in note for note in caught.value.__notes__)


def test_summary_of_layers_without_weights_yet(capsys: pytest.CaptureFixture[str]) -> None:
    Sequential([Dense(4)]).summary()
    assert "│ ?            │ 0 (unbuilt) │" in capsys.readouterr().out


def test_summary_counts_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    small().summary()
    printed = capsys.readouterr().out
    assert "Total params: 83" in printed
    assert "(None, 8)" in printed


def test_terminate_on_nan_stops_at_the_batch(capsys: pytest.CaptureFixture[str]) -> None:
    model = Sequential([Dense(1, input_dim=6)])
    model.compile("sgd", "mse")
    x = X.copy()
    x[40] = np.nan
    history = model.fit(
        x, X[:, :1], epochs=5, batch_size=8, shuffle=False, verbose=0, callbacks=[TerminateOnNaN()]
    )
    assert history.epoch == [0]
    assert "Batch 5" in capsys.readouterr().out


def test_a_loss_that_is_not_finite_is_pointed_out() -> None:
    model = Sequential([Dense(1, input_dim=6)])
    model.compile("sgd", "mse")
    with pytest.warns(RuntimeWarning, match="loss is nan"):
        model.fit(np.full_like(X, np.nan), X[:, :1], epochs=1, verbose=0)


WRONG: dict[str, tuple[Any, type[Exception], str]] = {
    "another shape": (lambda m: m.fit(X[:, :5], Y), ValueError, r"shape \(None, 6\)"),
    "other counts": (lambda m: m.fit(X, Y[:5]), ValueError, "x has 64, y has 5"),
    "no samples": (lambda m: m.fit(X[:0], Y[:0]), ValueError, "empty"),
    "text": (lambda m: m.fit(np.array([["a"] * 6] * 64), Y), TypeError, "must hold numbers"),
    "labels": (lambda m: m.fit(X, Y.argmax(1)), ValueError, "sparse_categorical_crossentropy"),
    "no targets": (lambda m: m.fit(X), ValueError, "needs targets"),
    "batch size": (lambda m: m.fit(X, Y, batch_size=0), ValueError, "batch_size"),
    "argument": (lambda m: m.fit(X, Y, epoch=3), TypeError, "did you mean 'epochs'"),
    "verbose": (lambda m: m.fit(X, Y, verbose=7), ValueError, "verbose"),
    "two inputs": (lambda m: m.predict([X, X]), ValueError, "expected 1 arrays"),
    "class weight": (
        lambda m: m.fit(X, Y, class_weight={0: 1.0, 1: 1.0}),
        ValueError,
        r"no entry for the classes \[2\]",
    ),
    "validation split": (lambda m: m.fit(X, Y, validation_split=1.5), ValueError, "in \\(0, 1\\)"),
    "weights": (lambda m: m.set_weights([X]), ValueError, "has 4 weights, got 1"),
    "metric": (
        lambda m: m.compile("sgd", "mse", metrics=["acuracy"]) or m.fit(X, Y),
        ValueError,
        "acc",
    ),
    "loss at compile": (
        lambda m: m.compile("sgd", "mean_square_error"),
        ValueError,
        "'mean_squared_error'",
    ),
    "metric at compile": (
        lambda m: m.compile("sgd", "mse", ["accurac"]),
        ValueError,
        "unknown metric",
    ),
    "optimizer": (lambda m: m.compile("adamm", "mse"), ValueError, "did you mean 'Adam'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_use_says_what_was_expected(case: str) -> None:
    action, error, message = WRONG[case]
    with pytest.raises(error, match=message):
        action(small())


def test_fit_before_compile_says_so() -> None:
    with pytest.raises(RuntimeError, match=r"call compile\(optimizer, loss\)"):
        Sequential([Dense(3, input_dim=6)]).fit(X, Y)


def test_unknown_layer_argument_names_layer_argument_and_nearest() -> None:
    with pytest.raises(TypeError, match=r"Dense\(\) got an unknown argument 'unit'.*'units'"):
        Dense(unit=3)
    with pytest.raises(TypeError, match="needs the argument 'units'"):
        Dense()


def test_keras_1_order_of_train_on_batch_is_the_classic_dialect_s() -> None:
    rows = np.ones(len(X), "float32")
    config.set_dialect("modern")
    modern = small().train_on_batch(X, Y, 0 * rows)
    assert modern == 0
    config.set_dialect("classic")
    assert small().train_on_batch(X, Y, {0: 0.0, 1: 0.0, 2: 1.0}) > 0
