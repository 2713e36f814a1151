"""Recurrent layers by their parts, and subclasses of built-in layers that change one part."""

import numpy as np
import pytest

from funkeras import backend as K
from funkeras import compat
from funkeras.layers import (
    GRU,
    LSTM,
    Add,
    Bidirectional,
    Input,
    Masking,
    Recurrent,
    SimpleRNN,
)
from funkeras.models import Model, Sequential, load_model

X = np.random.RandomState(0).normal(size=(4, 5, 3)).astype("float32")
PADDED = X.copy()
PADDED[1, 3:] = PADDED[2, 1:] = 0


class Fading(Recurrent):
    """`h = tanh(x @ kernel) + share * h`, where the share follows from the whole sequence."""

    def __init__(self, units, **options):
        self.units = units
        super().__init__(**options)

    def build(self, input_shape):
        self.kernel = self.add_weight(name="kernel", shape=(input_shape[-1], self.units))
        super().build(input_shape)

    def preprocess_input(self, inputs, training=None):
        return K.dot(inputs, self.kernel)

    def get_constants(self, inputs, training=None):
        return [K.sigmoid(K.mean(inputs, axis=(1, 2)))]

    def step(self, x, states):
        h, share = states
        h = K.tanh(x) + K.expand_dims(share) * h
        return h, [h]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def faded(x, kernel, present, start=0.0):
    """The outputs of `Fading`, step by step, by its formula."""
    share = 1 / (1 + np.exp(-x.mean((1, 2))))
    h, outputs = np.full((len(x), kernel.shape[1]), start), []
    for time in range(x.shape[1]):
        new = np.tanh(x[:, time] @ kernel) + share[:, None] * h
        h = np.where(present[:, time, None], new, h)
        outputs.append(h)
    return np.stack(outputs, 1)


def test_a_step_runs_over_the_sequence_with_its_constants_and_the_mask(tmp_path):
    model = Sequential([Masking(input_shape=(5, 3)), Fading(2, return_sequences=True)])
    expected = faded(PADDED, model.get_weights()[0], (PADDED != 0).any(-1))
    np.testing.assert_allclose(model.predict(PADDED), expected, rtol=1e-5, atol=1e-6)
    model.compile("sgd", "mse")
    before = model.get_weights()[0]
    model.fit(PADDED, expected + 1, verbose=0)
    assert np.abs(model.get_weights()[0] - before).min() > 0
    model.save(tmp_path / "fading.h5")
    again = load_model(tmp_path / "fading.h5", custom_objects={"Fading": Fading})
    np.testing.assert_array_equal(again.predict(PADDED), model.predict(PADDED))


def test_it_gives_the_last_step_and_the_states_as_it_is_told():
    inputs = Input((5, 3))
    model = Model(inputs, Fading(2, return_state=True)(inputs))
    y, state = model.predict(X)
    expected = faded(X, model.get_weights()[0], np.ones((4, 5), bool))[:, -1]
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(y, state)
    backward = Sequential([Fading(2, go_backwards=True, input_shape=(5, 3))])
    backward.set_weights(model.get_weights())
    np.testing.assert_allclose(backward.predict(X[:, ::-1]), expected, rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="keeps no states between batches"):
        Fading(2, stateful=True)


@pytest.mark.parametrize("name", ["get_initial_state", "get_initial_states"])
def test_it_starts_as_it_says_by_either_name(name):
    def start(self, inputs):
        return [K.ones_like(inputs[:, 0, :2])]

    layer = type("Started", (Fading,), {name: start})(2, return_sequences=True, input_shape=(5, 3))
    model = Sequential([layer])
    expected = faded(X, model.get_weights()[0], np.ones((4, 5), bool), start=1.0)
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("base", [SimpleRNN, GRU, LSTM])
def test_a_subclass_may_change_the_step_of_a_built_in_layer(base):
    class Shifted(base):
        def get_constants(self, inputs, training=None):
            return [*super().get_constants(inputs), K.mean(inputs, axis=(1, 2))]

        def step(self, x, states):
            h, after = super().step(x, states)
            return h + K.expand_dims(states[-1]), after

    def net(kind):
        return Sequential([Masking(input_shape=(5, 3)), kind(2, return_sequences=True)])

    own, plain = net(Shifted), net(base)
    plain.set_weights(own.get_weights())
    shift = np.where((PADDED != 0).any(-1), PADDED.mean((1, 2))[:, None], 0)
    shift = np.maximum.accumulate(np.abs(shift), 1) * np.sign(PADDED.mean((1, 2)))[:, None]
    expected = plain.predict(PADDED) + shift[..., None]
    np.testing.assert_allclose(own.predict(PADDED), expected, rtol=1e-5, atol=1e-6)


def test_dropout_of_a_layer_whose_step_is_changed_is_active_in_training_alone():
    class Same(LSTM):
        def step(self, x, states):
            return super().step(x, states)

    def net(**options):
        return Sequential([Same(8, input_shape=(5, 3), **options)])

    for options in ({"dropout": 0.5}, {"recurrent_dropout": 0.5}):
        model = net(**options)
        compute = K.function([model.input, K.learning_phase()], [model.output])
        one, two = compute([X, 1])[0], compute([X, 1])[0]
        assert np.abs(one - two).max() > 0
        plain = Sequential([LSTM(8, input_shape=(5, 3))])
        plain.set_weights(model.get_weights())
        np.testing.assert_allclose(model.predict(X), plain.predict(X), rtol=1e-5, atol=1e-6)


def test_a_subclass_may_start_a_built_in_layer_elsewhere():
    class FromOnes(GRU):
        def get_initial_state(self, inputs):
            return [K.ones_like(state) for state in super().get_initial_state(inputs)]

    own, inputs, start = FromOnes(2), Input((5, 3)), Input((2,))
    model, plain = Sequential([Input((5, 3)), own]), GRU(2)
    other = Model([inputs, start], plain(inputs, initial_state=start))
    other.set_weights(model.get_weights())
    expected = other.predict([X, np.ones((4, 2))])
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("wrap", [lambda layer: layer, Bidirectional])
def test_a_subclass_with_a_build_of_its_own_heeds_the_mask(wrap):
    class Built(LSTM):
        def build(self, input_shape):
            super().build(input_shape)

    def net(kind):
        return Sequential([Masking(input_shape=(5, 3)), wrap(kind(2))])

    own, plain = net(Built), net(LSTM)
    plain.set_weights(own.get_weights())
    np.testing.assert_allclose(own.predict(PADDED), plain.predict(PADDED), rtol=1e-6)
    assert np.abs(own.predict(PADDED) - own.predict(np.where(PADDED == 0, 1, PADDED))).max() > 0


def test_a_subclass_of_a_merging_layer_says_how_inputs_become_one():
    class Halved(Add):
        def _merge_function(self, inputs):
            return super()._merge_function(inputs) / 2

    inputs = [Input((5, 3)), Input((5, 3))]
    model = Model(inputs, Halved()(inputs))
    np.testing.assert_allclose(model.predict([X, PADDED]), (X + PADDED) / 2, rtol=1e-6)


def test_scripts_find_the_base_where_they_look_for_it():
    compat.install("1.2.2")
    try:
        space = {}
        exec("from keras.layers.recurrent import Recurrent; import keras.layers as l", space)
        assert space["Recurrent"] is space["l"].Recurrent is Recurrent
    finally:
        compat.uninstall()
