"""Compiled models through pickle, and the state of their optimizers as arrays."""

import copy
import pickle

import numpy as np
import pytest

from funkeras import optimizers
from funkeras.layers import Dense
from funkeras.models import Sequential

rng = np.random.default_rng(0)
x, y = rng.normal(size=(8, 3)).astype("float32"), rng.normal(size=(8, 2)).astype("float32")


def compiled():
    model = Sequential([Dense(4, "tanh", input_dim=3), Dense(2)])
    model.compile(optimizers.Adam(0.01), "mse", metrics=["mae"])
    return model


@pytest.mark.parametrize("copied", [lambda m: pickle.loads(pickle.dumps(m)), copy.deepcopy])
def test_a_copy_trains_on_as_the_model_does(copied):
    model = compiled()
    model.train_on_batch(x, y)
    twin = copied(model)
    assert twin.metrics_names == model.metrics_names
    for _ in range(2):
        np.testing.assert_allclose(twin.train_on_batch(x, y), model.train_on_batch(x, y), rtol=1e-6)
    np.testing.assert_allclose(twin.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-6)


def test_a_model_that_has_not_trained_goes_through_pickle_too():
    model = compiled()
    model.evaluate(x, y, verbose=0)
    twin = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(twin.predict(x, verbose=0), model.predict(x, verbose=0))
    np.testing.assert_allclose(twin.train_on_batch(x, y), model.train_on_batch(x, y), rtol=1e-6)


def test_an_optimizer_gives_its_state_and_takes_it_back():
    model, twin = compiled(), compiled()
    twin.set_weights(model.get_weights())
    model._make_train_function()
    assert [array.sum() for array in model.optimizer.get_weights()] == [0.0] * 9
    model.train_on_batch(x, y)
    twin.set_weights(model.get_weights())
    twin.optimizer.set_weights(model.optimizer.get_weights())
    model.train_on_batch(x, y)
    twin.train_on_batch(x, y)
    for own, other in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-6)
    with pytest.raises(ValueError, match=r"optimizer|arrays"):
        twin.optimizer.set_weights([np.zeros(3)])
    with pytest.raises(RuntimeError, match="trains no model yet"):
        optimizers.SGD(0.1).get_weights()
