"""Callbacks: what they are told, and when they stop or slow a run."""

from typing import Any

import numpy as np
import pytest

from funkeras import config
from funkeras.callbacks import (
    Callback,
    EarlyStopping,
    LambdaCallback,
    LearningRateScheduler,
    ReduceLROnPlateau,
)
from funkeras.models import Sequential


class Run:
    """A model to callbacks: a rate, weights, and a series of losses instead of data."""

    def __init__(self, callback: Callback, losses: list[float]) -> None:
        self.stop_training = False
        self.optimizer = type("Optimizer", (), {"learning_rate": 1.0})()
        self.epochs = 0
        self.rates: list[float] = []
        callback.set_model(self)
        callback.on_train_begin()
        for epoch, loss in enumerate(losses):
            callback.on_epoch_begin(epoch)
            self.rates.append(self.optimizer.learning_rate)
            callback.on_epoch_end(epoch, {"val_loss": loss})
            self.epochs += 1
            if self.stop_training:
                break
        callback.on_train_end()

    def get_weights(self) -> int:
        return self.epochs

    def set_weights(self, weights: int) -> None:
        self.restored = weights


# Epochs until the stop, by the loops of the genuine releases: Keras 1.2.2 compares before it
# counts a bad epoch, 2.2.4 after.
@pytest.mark.parametrize(
    ("dialect", "patience", "epochs"),
    [("classic", 0, 3), ("keras2", 0, 3), ("classic", 1, 4), ("keras2", 1, 3), ("keras2", 2, 4)],
)
def test_early_stopping_counts_patience_as_its_generation(
    dialect: str, patience: int, epochs: int
) -> None:
    config.set_dialect(dialect)
    run = Run(EarlyStopping(patience=patience), [3.0, 2.0, 2.5, 2.4, 2.3, 2.2])
    assert run.epochs == epochs


def test_early_stopping_puts_the_best_weights_back() -> None:
    config.set_dialect("modern")
    run = Run(EarlyStopping(patience=2, restore_best_weights=True), [3.0, 1.0, 2.0, 2.0, 2.0])
    assert (run.epochs, run.restored) == (4, 1)


def test_a_missing_number_is_named() -> None:
    with pytest.warns(RuntimeWarning, match="monitors 'val_acc', which is not among val_loss"):
        Run(EarlyStopping(monitor="val_acc"), [1.0])


def test_plateaus_lower_the_rate_down_to_its_least() -> None:
    config.set_dialect("keras2")
    callback = ReduceLROnPlateau(factor=0.5, patience=2, min_lr=0.2)
    assert Run(callback, [1.0] * 8).rates == [1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.2]


@pytest.mark.parametrize(
    "schedule", [lambda epoch: 1 / (1 + epoch), lambda epoch, rate: rate / (1 + (epoch > 0))]
)
def test_schedules_of_keras_1_and_later(schedule: Any) -> None:
    assert Run(LearningRateScheduler(schedule), [1.0, 1.0]).rates == [1.0, 0.5]


def test_hooks_come_in_keras_s_order_with_keras_s_logs() -> None:
    told: list[Any] = []
    hooks = {
        "on_train_begin": lambda logs: told.append("begin"),
        "on_epoch_begin": lambda epoch, logs: told.append(("epoch", epoch)),
        "on_batch_begin": lambda batch, logs: told.append(("batch", batch, logs["size"])),
        "on_batch_end": lambda batch, logs: told.append(sorted(logs)),
        "on_epoch_end": lambda epoch, logs: told.append(sorted(logs)),
        "on_train_end": lambda logs: told.append("end"),
    }
    model = Sequential()
    from funkeras.layers import Dense

    model.add(Dense(1, input_dim=2))
    model.compile("sgd", "mse", metrics=["mae"])
    x = np.ones((5, 2))
    model.fit(
        x,
        x[:, :1],
        batch_size=3,
        epochs=1,
        verbose=0,
        validation_data=(x, x[:, :1]),
        callbacks=[LambdaCallback(**hooks)],
    )
    end = ["batch", "loss", "mean_absolute_error", "size"]
    assert told == [
        "begin",
        ("epoch", 0),
        ("batch", 0, 3),
        end,
        ("batch", 1, 2),
        end,
        ["loss", "mean_absolute_error", "val_loss", "val_mean_absolute_error"],
        "end",
    ]
