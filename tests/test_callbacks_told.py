"""What callbacks are told, hook by hook, beside what genuine Keras tells them."""

from typing import Any

import numpy as np
import pytest

from funkeras import callbacks, config
from funkeras.callbacks import Callback, CallbackList, LambdaCallback
from funkeras.layers import Dense
from funkeras.models import Sequential

X = np.arange(10.0).reshape(5, 2)
Y = X[:, :1]
HOOKS = [name for name in vars(Callback) if name.startswith("on_")]


class Told(Callback):
    """Writes down every hook."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Any] = []
        for name in HOOKS:
            if name not in ("on_ready", "on_settled"):
                setattr(self, name, self.hook(name))

    def hook(self, name: str) -> Any:
        def run(*args: Any) -> None:
            if not name.startswith(("on_batch", "on_ready")):
                self.told.append((name.removeprefix("on_"), *args))

        return run


def model(dialect: str = "modern") -> Sequential:
    config.set_dialect(dialect)
    made = Sequential([Dense(1, input_dim=2, kernel_initializer="zeros")])
    made.compile("sgd", "mse", metrics=["mae"])
    return made


# Printed by Keras 3.15.1 for the same calls.
KERAS_3: list[Any] = [
    ("train_begin", {}),
    ("epoch_begin", 0, {}),
    ("train_batch_begin", 0, {}),
    ("train_batch_end", 0, {"loss": 6.666666507720947, "mae": 2.0}),
    ("train_batch_begin", 1, {}),
    ("train_batch_end", 1, {"loss": 12.804122924804688, "mae": 3.055999994277954}),
    ("test_begin", {}),
    ("test_batch_begin", 0, {}),
    ("test_batch_end", 0, {"loss": 7.733314514160156, "mae": 2.515199661254883}),
    ("test_batch_begin", 1, {}),
    ("test_batch_end", 1, {"loss": 19.96627426147461, "mae": 3.967999219894409}),
    ("test_end", {"loss": 19.9662742, "mae": 3.9679992}),
    (
        "epoch_end",
        0,
        {
            "loss": 12.804122924804688,
            "mae": 3.055999994277954,
            "val_loss": 19.96627426147461,
            "val_mae": 3.967999219894409,
        },
    ),
    (
        "train_end",
        {
            "loss": 12.804122924804688,
            "mae": 3.055999994277954,
            "val_loss": 19.96627426147461,
            "val_mae": 3.967999219894409,
        },
    ),
]


def same(told: list[Any], expected: list[Any]) -> None:
    assert [entry[:-1] for entry in told] == [entry[:-1] for entry in expected]
    for mine, theirs in zip(told, expected, strict=True):
        assert list(mine[-1]) == list(theirs[-1]), mine[0]
        for name, value in theirs[-1].items():
            np.testing.assert_allclose(mine[-1][name], value, rtol=1e-5)


def test_keras_3_tells_the_averages_of_the_epoch() -> None:
    told = Told()
    model().fit(
        X, Y, batch_size=3, verbose=0, shuffle=False, validation_data=(X, Y), callbacks=[told]
    )
    same(told.told, KERAS_3)
    assert told.params == {"verbose": 0, "epochs": 1, "steps": 2}


def test_evaluate_and_predict_tell_theirs() -> None:
    made = model()
    made.fit(X, Y, batch_size=3, verbose=0, shuffle=False)
    told = Told()
    made.evaluate(X, Y, batch_size=3, callbacks=[told])
    same(told.told, KERAS_3[6:12])
    told = Told()
    outputs = made.predict(X, batch_size=3, callbacks=[told])
    names = [entry[0] for entry in told.told]
    batch = ["predict_batch_begin", "predict_batch_end"]
    assert names == ["predict_begin", *batch, *batch, "predict_end"]
    seen = [entry[-1]["outputs"] for entry in told.told if entry[0] == "predict_batch_end"]
    np.testing.assert_array_equal(np.concatenate(seen), outputs)


def test_keras_1_and_2_tell_each_batch_s_own_numbers() -> None:
    """By the formulas: the second batch is judged after one step."""
    w, b = np.zeros((2, 1)), 0.0
    expected = []
    for rows in (slice(0, 3), slice(3, 5)):
        residual = X[rows] @ w + b - Y[rows]
        expected.append((np.mean(residual**2), np.mean(np.abs(residual))))
        w = w - 0.01 * 2 * X[rows].T @ residual / len(residual)
        b = b - 0.01 * 2 * residual.mean()
    told: list[Any] = []
    hooks = LambdaCallback(
        on_batch_begin=lambda batch, logs: told.append((batch, logs)),
        on_batch_end=lambda batch, logs: told.append((batch, logs)),
    )
    model("classic").fit(
        X, Y, batch_size=3, nb_epoch=1, verbose=0, shuffle=False, callbacks=[hooks]
    )
    assert told[::2] == [(0, {"batch": 0, "size": 3}), (1, {"batch": 1, "size": 2})]
    for (_, logs), (loss, mae) in zip(told[1::2], expected, strict=True):
        assert list(logs) == ["batch", "size", "loss", "mean_absolute_error"]
        np.testing.assert_allclose([logs["loss"], logs["mean_absolute_error"]], [loss, mae], 1e-5)


def test_keras_1_and_2_describe_the_run_by_these_names() -> None:
    callback = Callback()
    model("classic").fit(X, Y, batch_size=3, nb_epoch=2, verbose=0, callbacks=[callback])
    assert callback.params == {
        "batch_size": 3,
        "epochs": 2,
        "nb_epoch": 2,
        "samples": 5,
        "nb_sample": 5,
        "steps": 2,
        "verbose": 0,
        "do_validation": False,
        "metrics": ["loss", "mean_absolute_error"],
    }


def test_a_run_that_is_stopped_inside_an_epoch_ends_it() -> None:
    """Keras 1 and 2 leave out the validation then, Keras 3 does not."""

    class Stopping(Callback):
        def on_batch_end(self, batch: int, logs: Any = None) -> None:
            self.model.stop_training = True

    for dialect, held in (("classic", False), ("modern", True)):
        run = model(dialect).fit(
            X,
            Y,
            batch_size=3,
            epochs=3,
            verbose=0,
            validation_data=(X, Y),
            callbacks=[Stopping()],
        )
        assert run.epoch == [0]
        assert ("val_loss" in run.history) == held


def test_a_base_logger_averages_by_the_sizes_of_batches() -> None:
    logger = callbacks.BaseLogger(stateful_metrics=["recall"])
    listed = CallbackList([logger], metrics=["loss", "recall", "val_loss"])
    listed.on_epoch_begin(0)
    for batch, (size, loss) in enumerate([(3, 1.0), (1, 5.0)]):
        listed.on_batch_end(batch, {"size": size, "loss": loss, "recall": 0.5 + batch / 4})
    logs: dict[str, Any] = {}
    listed.on_epoch_end(0, logs)
    assert logs == {"loss": 2.0, "recall": 0.75}


def test_a_callback_hears_of_a_batch_once_by_either_name() -> None:
    told: list[Any] = []

    class Old(Callback):
        def on_batch_end(self, batch: int, logs: Any = None) -> None:
            told.append(("old", batch))

    class New(Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            told.append(("new", batch))

    class Both(Old):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            told.append(("later", batch))
            super().on_train_batch_end(batch, logs)

    class Foreign:
        """Of Keras 1, which has no other hooks."""

        def set_params(self, params: Any) -> None: ...
        def set_model(self, model: Any) -> None: ...
        def on_batch_end(self, batch: int, logs: Any = None) -> None:
            told.append(("foreign", batch))

    listed = CallbackList([Old(), New()])
    assert listed.sees_batches
    listed.append(Both())
    listed.append(Foreign())
    names = ["old", "new", "later", "old", "foreign"]
    for tell in (listed.on_batch_end, listed.on_train_batch_end):
        told.clear()
        tell(3, {"loss": 1.0})
        assert told == [(name, 3) for name in names]


def test_lists_of_callbacks_have_the_face_of_each_generation() -> None:
    first, second = Callback(), Callback()
    listed = CallbackList([first], queue_length=10)
    listed.append(second)
    assert list(listed) == listed.callbacks == [first, second]
    listed.set_params({"epochs": 3})
    listed.set_model("model")
    assert [(each.params, each.model) for each in listed] == [({"epochs": 3}, "model")] * 2
    later = CallbackList(add_history=True, add_progbar=True, model="model", epochs=2, verbose=0)
    bar, history = later
    assert bar.params == {"epochs": 2, "verbose": 0}
    later.on_train_begin()
    later.on_epoch_begin(0)
    later.on_batch_begin(0)
    later.on_batch_end(0, {"loss": 1.0})
    later.on_epoch_end(0, logs={"loss": 1.0})
    later.on_train_end()
    assert history.history == {"loss": [1.0]}


def test_keras_1_and_2_give_callbacks_the_data_to_validate_on() -> None:
    for dialect in ("classic", "modern"):
        seen: list[Any] = []
        hook = Callback()
        hook.on_epoch_end = lambda epoch, logs: seen.append(hook.validation_data)  # noqa: B023
        model(dialect).fit(
            X, Y, batch_size=3, epochs=1, verbose=0, validation_split=0.4, callbacks=[hook]
        )
        if dialect == "modern":
            assert seen == [None]
            continue
        for found, expected in zip(seen[0], (X[3:], Y[3:], np.ones(2)), strict=True):
            np.testing.assert_array_equal(found, expected)


def test_callbacks_of_genuine_keras_work_too() -> None:
    keras = pytest.importorskip("keras")
    history = keras.callbacks.History()
    stopping = keras.callbacks.EarlyStopping("loss", patience=0, mode="max")
    run = model().fit(X, Y, epochs=4, verbose=0, callbacks=[history, stopping])
    assert history.history == run.history
    assert len(history.epoch) == 2


def test_a_progress_bar_as_a_callback(capsys: pytest.CaptureFixture[str]) -> None:
    bar = callbacks.ProgbarLogger()
    bar.set_params({"samples": 4, "epochs": 1, "verbose": 1, "metrics": ["loss"]})
    bar.on_train_begin()
    bar.on_epoch_begin(0)
    bar.on_batch_end(0, {"batch": 0, "size": 3, "loss": 1.0})
    bar.on_batch_end(1, {"batch": 1, "size": 1, "loss": 2.0})
    bar.on_epoch_end(0, {"loss": 1.25, "val_loss": 3.0})
    printed = capsys.readouterr().out
    assert "Epoch 1/1" in printed
    assert "4/4" in printed
    assert "val_loss: 3.0000" in printed


def test_hooks_by_position_are_those_of_the_generation() -> None:
    def hook(*args: Any) -> None:
        pass

    classic = LambdaCallback(None, None, None, hook)
    config.set_dialect("modern")
    modern = LambdaCallback(None, None, None, hook)
    assert (classic.on_batch_end, modern.on_train_end) == (hook, hook)
    with pytest.raises(TypeError, match=r"has no hook 'on_epoch'; there are on_epoch_begin"):
        LambdaCallback(on_epoch=hook)


def test_validation_comes_as_often_as_asked() -> None:
    made = model()
    run = made.fit(X, Y, epochs=4, verbose=0, validation_data=(X, Y), validation_freq=2)
    assert len(run.history["val_loss"]) == 2
    run = made.fit(X, Y, epochs=4, verbose=0, validation_data=(X, Y), validation_freq=[1, 3, 4])
    assert len(run.history["val_loss"]) == 3


def test_the_rate_is_logged_by_the_generation_s_name() -> None:
    for dialect, name in (("classic", "lr"), ("modern", "learning_rate")):
        made = model(dialect)
        halve = callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
        run = made.fit(X, Y, epochs=2, verbose=0, callbacks=[halve])
        np.testing.assert_allclose(run.history[name], [0.005, 0.0025])


def test_the_optimizer_counts_steps() -> None:
    made = model()
    made.fit(X, Y, batch_size=2, epochs=2, verbose=0)
    assert int(made.optimizer.iterations) == 6


# Epochs that Keras 3.15.1 runs, for patience 0 to 3.
STOPPED: list[tuple[dict[str, Any], list[int]]] = [
    ({}, [3, 3, 4, 5]),
    ({"baseline": 1.0}, [3, 3, 3, 3]),
    ({"start_from_epoch": 2}, [4, 4, 5, 6]),
    ({"min_delta": 0.6}, [3, 3, 4, 5]),
]


@pytest.mark.parametrize(("options", "epochs"), STOPPED)
def test_early_stopping_as_in_keras_3(options: dict[str, Any], epochs: list[int]) -> None:
    config.set_dialect("modern")
    for patience, expected in enumerate(epochs):
        stopping = callbacks.EarlyStopping("loss", patience=patience, **options)
        stopping.set_model(type("Model", (), {"stop_training": False})())
        stopping.on_train_begin()
        done = 0
        for loss in [3.0, 2.0, 2.5, 2.6, 2.7, 2.8, 2.9]:
            stopping.on_epoch_end(done, {"loss": loss})
            done += 1
            if stopping.model.stop_training:
                break
        assert done == expected


def test_a_generator_begins_after_training_has_begun():
    """One object may be both, as the data of a script that prepares them in `on_train_begin`."""

    class Both(callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.rows = np.ones((4, 3), "float32")

        def batches(self):
            while True:
                yield self.rows, self.rows[:, :1]

    both = Both()
    model = Sequential([Dense(1, input_dim=3)])
    model.compile("sgd", "mse", metrics=["mae"])
    with config.using_dialect("keras2"):
        history = model.fit_generator(
            both.batches(), steps_per_epoch=2, epochs=2, callbacks=[both], verbose=0
        ).history
    assert len(history["loss"]) == 2
