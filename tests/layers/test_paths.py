"""Paths of variables: those of genuine Keras 3.15."""

import numpy as np
import pytest

from funkeras import config, constraints, layers, optimizers
from funkeras.layers import Dense, Input, Layer
from funkeras.models import Model, Sequential
from funkeras.utils.naming import reset_names


@pytest.fixture(autouse=True)
def keras_3():
    config.set_dialect("modern")
    reset_names()


def paths(owner):
    return [variable.path for variable in owner.weights]


def of(prefix, *names):
    return [f"{prefix}/{name}" for name in names]


DENSE, LSTM = ("kernel", "bias"), ("kernel", "recurrent_kernel", "bias")
ATTENTION = [f"{part}/{name}" for part in ("query", "key", "value") for name in DENSE]


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (lambda: Dense(2), (None, 3), of("dense", *DENSE)),
        (lambda: layers.LSTM(2), (None, 4, 3), of("lstm/lstm_cell", *LSTM)),
        (lambda: layers.RNN(layers.LSTMCell(2)), (None, 4, 3), of("rnn/lstm_cell", *LSTM)),
        (
            lambda: layers.RNN([layers.LSTMCell(2), layers.GRUCell(2)]),
            (None, 4, 3),
            of("rnn/stacked_rnn_cells/lstm_cell", *LSTM)
            + of("rnn/stacked_rnn_cells/gru_cell", *LSTM),
        ),
        (
            lambda: layers.Bidirectional(layers.LSTM(2)),
            (None, 4, 3),
            of("bidirectional/forward_lstm/lstm_cell", *LSTM)
            + of("bidirectional/backward_lstm/lstm_cell", *LSTM),
        ),
        (
            lambda: layers.TimeDistributed(Dense(2)),
            (None, 4, 3),
            of("time_distributed/dense", *DENSE),
        ),
        (
            lambda: layers.BatchNormalization(),
            (None, 3),
            of("batch_normalization", "gamma", "beta", "moving_mean", "moving_variance"),
        ),
        (
            lambda: layers.SpectralNormalization(Dense(2)),
            (None, 3),
            [
                "spectral_normalization/dense/kernel",
                "spectral_normalization/vector_u",
                "spectral_normalization/dense/bias",
            ],
        ),
    ],
)
def test_paths_begin_with_the_layers_that_a_weight_is_in(layer, shape, expected):
    layer = layer()
    layer.build(shape)
    assert paths(layer) == expected


def test_the_parts_of_attention_are_in_its_paths():
    layer = layers.MultiHeadAttention(1, 2)
    layer(np.ones((1, 2, 3)), np.ones((1, 2, 3)))
    assert paths(layer)[:6] == of("multi_head_attention", *ATTENTION)


class Own(Layer):
    """Layers as attributes, weights of its own."""

    def __init__(self, **options):
        super().__init__(**options)
        self.dense, self.others = Dense(2), [Dense(2, name="inner")]

    def build(self, input_shape):
        self.one = self.add_weight(shape=(2,), name="one")
        self.dense.build(input_shape)

    def call(self, x):
        return self.others[0](self.dense(x)) * self.one


class Big(Model):
    """A model with such a layer inside."""

    def __init__(self, **options):
        super().__init__(**options)
        self.dense, self.own = Dense(2), Own(name="my")

    def call(self, x):
        return self.own(self.dense(x))


OWN = ("one", "dense_1/kernel", "dense_1/bias", "inner/kernel", "inner/bias")


def test_layers_of_the_user_s_and_chains_stand_before_what_is_built_in_them():
    big = Big(name="big")
    big(np.ones((1, 3)))
    assert paths(big) == of("big", "dense/kernel", "dense/bias", *of("my", *OWN))
    chain = Sequential([Input((3,)), Dense(2, name="c")], name="s")
    assert (paths(chain), chain.layers[0].path) == (of("s/c", *DENSE), "s/c")
    late = Sequential([Dense(2, name="c")], name="late")
    late.build((None, 3))
    assert paths(late) == of("late/c", *DENSE)


def test_layers_of_a_graph_are_built_outside_it():
    inputs = Input((3,))
    inner = Model(inputs, Dense(2, name="a")(inputs), name="m")
    outer = Model(inputs, Dense(2, name="b")(inner(inputs)), name="n")
    assert paths(outer) == of("a", *DENSE) + of("b", *DENSE)
    assert (inner.path, outer.path) == ("m", "n")


def test_constraints_hold_in_loops_of_one_s_own_wherever_a_weight_is():
    chain = Sequential(
        [Input((3,)), Dense(2, kernel_constraint=constraints.NonNeg(), name="c")], name="s"
    )
    optimizer = optimizers.SGD(1.0)
    variables = chain.trainable_variables
    optimizer.build(variables)
    optimizer.apply([np.full(v.shape, 5.0) for v in variables], variables)
    kernel, bias = chain.get_weights()
    assert (kernel == 0).all()
    assert (bias == -5).all()
