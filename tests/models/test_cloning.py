"""`clone_model` gives equal layers with weights of their own, and old layers by their names."""

import numpy as np
import pytest

from funkeras import backend as K
from funkeras.layers import GRU, LSTM, CuDNNGRU, CuDNNLSTM, Dense, Input, TimeDistributedDense
from funkeras.models import Model, Sequential, clone_model


@pytest.mark.parametrize("kind", ["graph", "chain"])
def test_a_clone_has_its_own_weights_and_computes_the_same_with_equal_ones(kind):
    x = Input((4,))
    chain = Sequential([Dense(3, input_dim=4, activation="tanh")])
    model = chain if kind == "chain" else Model(x, Dense(3, activation="tanh")(x))
    clone = clone_model(model)
    data = np.random.random((5, 4))
    assert np.abs(clone.predict(data) - model.predict(data)).max() > 1e-3
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(clone.predict(data), model.predict(data))
    assert clone_model(model, Input((4,))).output_shape == (None, 3)


@pytest.mark.parametrize(
    ("old", "new", "arguments"),
    [
        (CuDNNLSTM, LSTM, {"recurrent_activation": "sigmoid"}),
        (CuDNNGRU, GRU, {"recurrent_activation": "sigmoid", "reset_after": True}),
        (TimeDistributedDense, Dense, {}),
    ],
)
def test_layers_that_were_renamed_compute_what_today_s_do(old, new, arguments):
    x = Input((5, 4))
    model, other = Model(x, old(3)(x)), Model(x, new(3, **arguments)(x))
    other.set_weights(model.get_weights())
    data = np.random.random((2, 5, 4))
    np.testing.assert_array_equal(model.predict(data), other.predict(data))


def test_a_clone_may_run_on_a_variable():
    model = Sequential([Dense(2, input_dim=3)])
    x = np.arange(6.0).reshape(2, 3)
    clone = clone_model(model, input_tensors=K.variable(x))
    kernel, bias = clone.get_weights()
    np.testing.assert_allclose(K.eval(clone.output), x @ kernel + bias, rtol=1e-5)


def test_a_chain_in_a_chain_is_built_when_data_comes():
    model = Sequential([Sequential([Dense(3), Dense(4)]), Dense(5)])
    model.compile("sgd", "mse")
    model.train_on_batch(np.ones((2, 6)), np.ones((2, 5)))
    assert [w.shape for w in model.get_weights()][::2] == [(6, 3), (3, 4), (4, 5)]
