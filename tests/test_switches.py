"""Switches: limits of a trial run, where messages go, tracebacks, flash attention."""

import logging
import os
import subprocess
import sys
import traceback

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import config, ops
from funkeras.callbacks import Callback, EarlyStopping
from funkeras.layers import Dense, Input, Layer
from funkeras.models import Sequential
from funkeras.utils import messages

X = np.arange(40.0, dtype="float32").reshape(20, 2) / 40
Y = X.sum(1, keepdims=True)


@pytest.fixture(autouse=True)
def as_before(monkeypatch):
    """No switch stays turned."""
    kept = vars(config.switches._switches).copy()
    yield
    vars(config.switches._switches).update(kept)


def model(rate="sgd"):
    net = Sequential([Dense(1, input_shape=(2,), kernel_initializer="ones")])
    net.compile(rate, "mse")
    return net


class Count(Callback):
    """Counts what it sees."""

    def __init__(self):
        super().__init__()
        self.seen = {"train": 0, "test": 0}

    def on_train_batch_begin(self, batch, logs=None):
        self.seen["train"] += 1

    def on_test_batch_begin(self, batch, logs=None):
        self.seen["test"] += 1


def test_a_limit_of_epochs_and_steps_holds_for_fit_evaluate_and_predict():
    config.set_max_steps_per_epoch(2)
    config.set_max_epochs(3)
    count = Count()
    with pytest.warns(UserWarning, match="limiting") as told:
        history = model().fit(
            *(X, Y, 4), epochs=5, verbose=0, validation_data=(X, Y), callbacks=[count]
        )
    assert [str(w.message) for w in told] == [
        "limiting epochs to 3",
        "limiting the steps of an epoch to 2",
        "limiting the steps of an epoch to 2",
    ]
    assert history.epoch == [0, 1, 2]
    assert count.seen == {"train": 6, "test": 6}
    with pytest.warns(UserWarning, match="limiting"):
        loss = model().evaluate(X, 2 * Y, batch_size=4)
    np.testing.assert_allclose(loss, np.mean(Y[:8] ** 2), rtol=1e-6)
    with pytest.warns(UserWarning, match="limiting"):
        rows = model().predict(X, batch_size=4)
    np.testing.assert_allclose(rows, Y[:8], rtol=1e-6)


def test_a_limit_of_steps_holds_for_generators():
    config.set_max_steps_per_epoch(2)
    count = Count()
    batches = [(X[i : i + 4], Y[i : i + 4]) for i in range(0, 20, 4)]
    with pytest.warns(UserWarning, match="limiting"):
        model().fit(iter(batches * 9), steps_per_epoch=4, verbose=0, epochs=2, callbacks=[count])
    assert count.seen["train"] == 4


def test_a_limit_beyond_the_data_changes_nothing():
    config.set_max_steps_per_epoch(9)
    config.set_max_epochs(7)
    assert model().fit(X, Y, 4, epochs=2, verbose=0).epoch == [0, 1]
    np.testing.assert_allclose(model().predict(X, batch_size=4), Y, rtol=1e-6)
    np.testing.assert_allclose(model().predict(X[:1]), Y[:1], rtol=1e-6)


@pytest.mark.parametrize("value", [0, -1, 1.5])
def test_a_limit_is_a_positive_integer_or_none(value):
    for setter in (config.set_max_epochs, config.set_max_steps_per_epoch):
        with pytest.raises(ValueError, match="positive integer or None"):
            setter(value)
        setter(None)
    assert (config.max_epochs(), config.max_steps_per_epoch()) == (None, None)


def test_the_environment_limits_too():
    code = "from funkeras import config as c; print(c.max_epochs(), c.max_steps_per_epoch())"
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_MAX_EPOCHS": "4", "KERAS_MAX_STEPS_PER_EPOCH": "12"},
        check=True,
    )
    assert found.stdout.split() == ["4", "12"]


def test_messages_go_to_a_logger_where_nobody_looks(caplog, capsys):
    caplog.set_level(logging.INFO, messages.LOGGER.name)
    stop = EarlyStopping(monitor="loss", patience=0, min_delta=100, verbose=1)
    assert config.is_interactive_logging_enabled()
    for on in (True, False):
        (config.enable_interactive_logging if on else config.disable_interactive_logging)()
        caplog.clear()
        net = model()
        net.fit(X, Y, epochs=3, verbose=1, callbacks=[stop])
        net.summary()
        shown = [capsys.readouterr().out, "\n".join(r.getMessage() for r in caplog.records)]
        said, silent = shown if on else reversed(shown)
        for part in ("Epoch 1/3", "20/20", "Epoch 2: early stopping", "Total params: 3"):
            assert part in said
        assert not silent


def test_tracebacks_show_the_script_unless_they_are_to_show_all():
    def broken(epoch, logs=None):
        raise RuntimeError("mine")

    def frames():
        callback = Callback()
        callback.on_epoch_end = broken
        try:
            model().fit(X, Y, verbose=0, callbacks=[callback])
        except RuntimeError as error:
            return [frame.name for frame in traceback.extract_tb(error.__traceback__)]

    config.enable_traceback_filtering()
    assert [name for name in frames() if "fit" in name or "run" in name] == []
    assert frames()[0] == "frames"
    assert frames()[-1] == "broken"
    config.disable_traceback_filtering()
    assert {"fit", "run_epochs", "broken"} <= set(frames())


class Broken(Layer):
    """A layer whose call is wrong, alone or inside another."""

    def __init__(self, inner=None):
        super().__init__()
        self.inner = inner

    def call(self, x):
        return self.inner(x) if self.inner else wrong(x)


def wrong(x):
    raise RuntimeError("mine")


@pytest.mark.parametrize("given", [lambda: np.ones((2, 3)), lambda: Input((3,))])
def test_tracebacks_of_calls_show_the_calls_of_the_script(given):
    """As with genuine Keras, but for its own `error_handler` at each call."""

    def frames():
        layer, x = Broken(Broken()), given()
        try:
            layer(x)
        except RuntimeError as error:
            return [frame.name for frame in traceback.extract_tb(error.__traceback__)]

    config.enable_traceback_filtering()
    assert frames() == ["frames", "call", "call", "wrong"]
    config.disable_traceback_filtering()
    assert {"__call__", "ensure_built", "wrong"} <= set(frames())


def test_flash_attention_may_be_refused(monkeypatch):
    asked = []
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    monkeypatch.setattr(
        jax.lax,
        "platform_dependent",
        lambda cuda, default: asked.append("cudnn") or default(),
    )
    x = jnp.ones((1, 4, 2, 8), "bfloat16")
    assert config.is_flash_attention_enabled()
    config.disable_flash_attention()
    ops.dot_product_attention(x, x, x)
    assert asked == []
    config.enable_flash_attention()
    ops.dot_product_attention(x, x, x)
    assert asked == ["cudnn"]


def test_code_in_files_stays_data():
    with pytest.warns(UserWarning, match="never run here"):
        config.enable_unsafe_deserialization()
    assert not config.is_nnx_enabled()
