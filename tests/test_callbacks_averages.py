"""`SwapEMAWeights`, with the numbers of genuine Keras 3.15.1."""

import numpy as np
import pytest

from funkeras import config
from funkeras.callbacks import Callback, SwapEMAWeights
from funkeras.layers import Dense
from funkeras.models import Sequential
from funkeras.optimizers import SGD, LossScaleOptimizer

X = np.arange(40.0, dtype="float32").reshape(20, 2) / 40
Y = 2 * X.sum(1, keepdims=True)

WEIGHTS = [[1.38762, 1.40404], [1.49776, 1.51463], [1.56179, 1.57703]]
AVERAGES = [[1.07412, 1.0783], [1.21443, 1.2228], [1.3336058, 1.3441504]]
VAL_LOSS = [0.821811318397522, 0.3852100372314453, 0.19491346180438995]


class See(Callback):
    """Keeps the kernels that it meets."""

    def __init__(self):
        super().__init__()
        self.begins, self.ends = [], []

    def on_epoch_begin(self, epoch, logs=None):
        self.begins.append(self.model.get_weights()[0].ravel())

    def on_epoch_end(self, epoch, logs=None):
        self.ends.append(self.model.get_weights()[0].ravel())


@pytest.fixture(autouse=True)
def modern():
    config.set_dialect("modern")


def made(optimizer=None):
    model = Sequential([Dense(1, input_shape=(2,), kernel_initializer="ones")])
    model.compile(optimizer or SGD(0.1, use_ema=True, ema_momentum=0.9), "mse")
    return model


def fitted(model, *callbacks):
    return model.fit(
        *(X, Y, 4),
        epochs=3,
        shuffle=False,
        verbose=0,
        validation_data=(X, Y),
        callbacks=list(callbacks),
    )


@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize("scaled", [False, True])
def test_averages_are_judged_and_weights_are_trained(swap, scaled):
    optimizer = SGD(0.1, use_ema=True, ema_momentum=0.9)
    model, see = made(LossScaleOptimizer(optimizer) if scaled else optimizer), See()
    history = fitted(model, SwapEMAWeights(swap_on_epoch=swap), see)
    np.testing.assert_allclose(history.history["val_loss"], VAL_LOSS, rtol=2e-5)
    np.testing.assert_allclose(see.begins, [[1, 1], *WEIGHTS[:2]], rtol=1e-5)
    np.testing.assert_allclose(see.ends, AVERAGES if swap else WEIGHTS, rtol=1e-5)
    np.testing.assert_allclose(model.get_weights()[0].ravel(), AVERAGES[2], rtol=1e-5)


def test_evaluate_and_predict_see_the_averages_and_leave_the_weights():
    model = made()

    class Judge(Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.losses = [
                self.model.evaluate(X, Y, callbacks=own) for own in ([], [SwapEMAWeights()])
            ]
            self.outputs = self.model.predict(X, callbacks=[SwapEMAWeights()])
            self.kernel = self.model.get_weights()[0]

    judge = Judge()
    model.fit(X, Y, 4, shuffle=False, verbose=0, callbacks=[judge])
    assert judge.losses[0] < 0.2
    np.testing.assert_allclose(judge.losses[1], VAL_LOSS[0], rtol=2e-5)
    np.testing.assert_allclose(judge.kernel.ravel(), WEIGHTS[0], rtol=1e-5)
    np.testing.assert_allclose(np.mean((judge.outputs - Y) ** 2), VAL_LOSS[0], rtol=2e-5)


def test_an_error_in_the_evaluation_leaves_the_weights():
    class Broken(Callback):
        def on_test_begin(self, logs=None):
            raise RuntimeError("mine")

    model = made()
    with pytest.raises(RuntimeError, match="mine"):
        fitted(model, SwapEMAWeights(), Broken())
    np.testing.assert_allclose(model.get_weights()[0].ravel(), WEIGHTS[0], rtol=1e-5)


def test_an_optimizer_without_averages_is_refused():
    with pytest.raises(ValueError, match="use_ema=True"):
        fitted(made(SGD(0.1)), SwapEMAWeights())
    with pytest.raises(ValueError, match="use_ema=True"):
        made().predict(X, callbacks=[SwapEMAWeights()])
