"""Cells that users write, and what recurrent layers tell of their cells and states."""

import numpy as np
import pytest

from funkeras import backend as K
from funkeras import layers
from funkeras.layers import Bidirectional, Input, Layer
from funkeras.models import Model, Sequential
from funkeras.registry import custom_object_scope

x = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
c = np.random.default_rng(1).normal(size=(2, 5)).astype("float32")


class Summing(Layer):
    """`h = x @ kernel + h @ recurrent + constant @ fixed`, as Keras 2's guide writes cells."""

    def __init__(self, units, **kwargs):
        self.units = self.state_size = units
        super().__init__(**kwargs)

    def build(self, input_shape):
        step, *constants = input_shape if isinstance(input_shape, list) else [input_shape]
        self.kernel = self.add_weight(name="kernel", shape=(step[-1], self.units))
        self.recurrent = self.add_weight(name="recurrent", shape=(self.units, self.units))
        for shape in constants:
            self.fixed = self.add_weight(name="fixed", shape=(shape[-1], self.units))

    def call(self, inputs, states, constants=()):
        h = K.dot(inputs, self.kernel) + K.dot(states[0], self.recurrent)
        for constant in constants:
            h = h + K.dot(constant, self.fixed)
        return h, [h]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def unrolled(x, kernel, recurrent, start, fixed=0):
    h = start
    for step in range(x.shape[1]):
        h = x[:, step] @ kernel + h @ recurrent + fixed
    return h


def test_a_written_cell_runs_over_the_steps_and_is_trained():
    inputs = Input((4, 3))
    layer = layers.RNN(Summing(2))
    model = Model(inputs, layer(inputs))
    expected = unrolled(x, *model.get_weights(), np.zeros((2, 2), "float32"))
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-5)
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.train_on_batch(x, np.ones((2, 2)))
    assert all((new != old).any() for new, old in zip(model.get_weights(), before, strict=True))
    np.testing.assert_array_equal(layer.cell.get_weights()[0], model.get_weights()[0])


def test_constants_go_into_every_step_and_config_tells_of_them():
    inputs, constant, start = Input((4, 3)), Input((5,)), Input((2,))
    layer = layers.RNN(Summing(2))
    model = Model([inputs, start, constant], layer(inputs, initial_state=start, constants=constant))
    kernel, recurrent, fixed = weights = model.get_weights()
    h = np.full((2, 2), 0.5, "float32")
    expected = unrolled(x, kernel, recurrent, h, c @ fixed)
    np.testing.assert_allclose(model.predict([x, h, c], verbose=0), expected, rtol=1e-5)
    with custom_object_scope({"Summing": Summing}):
        again = layers.RNN.from_config(layer.get_config())
    same = Model([inputs, start, constant], again([inputs, start, constant]))
    same.set_weights(weights)
    np.testing.assert_allclose(same.predict([x, h, c], verbose=0), expected, rtol=1e-5)
    plain = layers.RNN(layers.LSTMCell(2))
    with pytest.raises(TypeError, match="takes no constants"):
        plain(inputs, constants=constant)


def test_an_object_with_state_size_and_call_is_a_cell():
    class Counting:
        state_size = (3, 1)

        def call(self, inputs, states):
            return inputs + states[0], [states[0] + inputs, states[1] + 1]

    inputs = Input((4, 3))
    model = Model(inputs, layers.RNN([Counting()], return_state=True)(inputs))
    y, total, count = model.predict(x, verbose=0)
    np.testing.assert_allclose(y, x.sum(1), rtol=1e-5)
    np.testing.assert_allclose(total, x.sum(1), rtol=1e-5)
    np.testing.assert_array_equal(count, np.full((2, 1), 4))


def test_bidirectional_has_two_layers_that_share_its_weights():
    inputs = Input((4, 3))
    layer = Bidirectional(layers.SimpleRNN(2, return_sequences=True))
    model = Model(inputs, layer(inputs))
    parts = layer.forward_layer.get_weights() + layer.backward_layer.get_weights()
    for own, part in zip(layer.get_weights(), parts, strict=True):
        np.testing.assert_array_equal(own, part)
    forward, backward = layer.forward_layer(x), layer.backward_layer(x)
    expected = np.concatenate([forward, np.flip(backward, 1)], -1)
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-5)
    layer.forward_layer.set_weights([np.zeros_like(own) for own in parts[:3]])
    assert not model.predict(x, verbose=0)[..., :2].any()


def test_states_are_kept_reset_and_set():
    layer = layers.LSTM(2, stateful=True)
    assert layer.states == [None, None]
    layer.build((2, 4, 3))
    layer.reset_states([np.ones((2, 2)), np.full((2, 2), 2.0)])
    assert [float(K.eval(state).mean()) for state in layer.states] == [1.0, 2.0]
    layer.reset_states()
    assert [float(K.eval(state).mean()) for state in layer.states] == [0.0, 0.0]
    with pytest.raises(ValueError, match="keeps states of the shapes"):
        layer.reset_states([np.ones((2, 2))])
    zeros = layers.GRU(2).get_initial_state(Input((4, 3)))
    assert [K.int_shape(state) for state in zeros] == [(None, 2)]


def test_stacked_cells_tell_their_sizes_and_penalties():
    cells = [layers.LSTMCell(3), layers.LSTMCell(6, kernel_regularizer="l2")]
    layer = layers.RNN(cells, return_state=True, return_sequences=True)
    layer.build((None, 4, 5))
    assert len(layer.losses) == 1
    assert layer.cell.state_size == (3, 3, 6, 6)
    turned = layers.RNN(layers.StackedRNNCells(cells, reverse_state_order=True), return_state=True)
    shapes = turned.compute_output_shape((None, 4, 5))
    assert shapes == [(None, 6), (None, 6), (None, 6), (None, 3), (None, 3)]


CELLED = {
    "LSTM": lambda: layers.LSTM(2),
    "GRU": lambda: layers.GRU(2, dropout=0.1),
    "RNN": lambda: layers.RNN(layers.SimpleRNNCell(2)),
    "several": lambda: layers.RNN([layers.GRUCell(3), layers.LSTMCell(2)]),
    "stacked": lambda: layers.RNN(layers.StackedRNNCells([layers.GRUCell(3), Summing(2)])),
}


@pytest.mark.parametrize("make", CELLED.values(), ids=CELLED)
def test_a_cell_has_the_weights_of_its_layer_whichever_changes(make):
    layer = make()
    model = Sequential([Input((4, 3)), layer])
    model.compile("sgd", "mse")
    model.fit(x, np.ones((2, 2)), verbose=0)
    for own, inner in zip(layer.get_weights(), layer.cell.get_weights(), strict=True):
        np.testing.assert_array_equal(own, inner)
    layer.cell.set_weights([0 * own for own in layer.get_weights()])
    assert not any(own.any() for own in model.get_weights())
    model.set_weights([own + 1 for own in model.get_weights()])
    assert all((own == 1).all() for own in layer.cell.get_weights())


def test_cells_take_their_states_in_a_list_as_in_keras():
    cell = layers.LSTMCell(2)
    h, c = np.full((2, 2), 0.5, "float32"), np.ones((2, 2), "float32")
    y, states = cell(x[:, 0], [h, c])
    kernel, recurrent, bias = cell.get_weights()
    i, f, g, o = np.split(x[:, 0] @ kernel + h @ recurrent + bias, 4, axis=1)
    i, f, o = (np.clip(0.2 * gate + 0.5, 0, 1) for gate in (i, f, o))  # Keras 1's hard sigmoid
    after = f * c + i * np.tanh(g)
    np.testing.assert_allclose(y, o * np.tanh(after), rtol=1e-5)
    np.testing.assert_allclose(states[1], after, rtol=1e-5)
    assert [own.shape for own in cell(inputs=x[:, 0], states=(h, c))[1]] == [(2, 2), (2, 2)]
    chain = layers.StackedRNNCells([cell, layers.GRUCell(3)])
    start = chain.get_initial_state(batch_size=2)
    assert [[own.shape for own in part] for part in start] == [[(2, 2), (2, 2)], [(2, 3)]]
    y, states = chain(x[:, 0], start)
    assert y.shape == (2, 3)
    assert [len(part) for part in states] == [2, 1]
    y, states = cell(Input((3,)), [Input((2,)), Input((2,))])
    assert y.shape == states[1].shape == (None, 2)


def test_a_cell_called_step_by_step_trains_in_the_layer_around_it():
    class Reader(layers.Layer):
        def __init__(self):
            super().__init__()
            self.cell = layers.GRUCell(2)

        def call(self, inputs):
            states = self.cell.get_initial_state(inputs=inputs)
            for step in range(inputs.shape[1]):
                y, states = self.cell(inputs[:, step], states)
            return y

    model, plain = Sequential([Input((4, 3)), Reader()]), Sequential([Input((4, 3)), layers.GRU(2)])
    plain.set_weights(model.get_weights())
    for own in (model, plain):
        own.compile("sgd", "mse")
        own.fit(x, np.ones((2, 2)), epochs=3, verbose=0)
    for one, other in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


class Halving(layers.SimpleRNNCell):
    """A built-in cell that passes on half of its state, and scales what it gives."""

    def build(self, input_shape):
        super().build(input_shape)
        self.scale = self.add_weight(shape=(self.units,), initializer="ones", name="scale")

    def call(self, inputs, states, training=False):
        y, after = super().call(inputs, states, training=training)
        return y * self.scale, [after[0] / 2]


def halved(weights, h):
    """Its outputs on `x`, and the last state, by hand."""
    kernel, recurrent, bias, scale = weights
    for step in range(x.shape[1]):
        y = np.tanh(x[:, step] @ kernel + h @ recurrent + bias)
        h = y / 2
    return y * scale, h


def test_a_subclass_of_a_cell_runs_as_its_call_says():
    layer = layers.RNN(Halving(2), return_state=True)
    layer.build(x.shape)
    layer.set_weights([own + 0.3 for own in layer.get_weights()])
    wanted = halved(layer.get_weights(), np.zeros((2, 2)))
    for own, expected in zip(layer(x), wanted, strict=True):
        np.testing.assert_allclose(own, expected, rtol=1e-5)
    y, states = layer.cell(x[:, 0], [np.zeros((2, 2), "float32")])
    first = np.tanh(x[:, 0] @ layer.get_weights()[0] + 0.3)
    np.testing.assert_allclose((y, states[0]), (1.3 * first, first / 2), rtol=1e-5)


def test_a_subclass_of_a_cell_is_trained():
    model = Sequential([Input(x.shape[1:]), layers.RNN(Halving(2))])
    model.compile("sgd", "mse")
    *_, before = model.get_weights()
    model.fit(x, np.ones((2, 2)), verbose=0)
    after = model.get_weights()
    assert (after[-1] != before).all()
    np.testing.assert_allclose(
        model.predict(x, verbose=0), halved(after, np.zeros((2, 2)))[0], rtol=1e-5
    )
