"""Positional arguments mean what they meant in the generation that a call was written for."""

import pytest

from funkeras import config, layers, regularizers

OLD = [
    (
        "Dense",
        (4, "uniform", "tanh", None, "l2", None, None, None, None, False, 3),
        {"units": 4, "activation": "tanh", "use_bias": False},
        "kernel",
    ),
    ("Embedding", (9, 4, "uniform", 5), {"input_dim": 9, "output_dim": 4}, "embeddings"),
    (
        "LSTM",
        (4, "uniform", "orthogonal", "one", "relu", "sigmoid", None, None, None, 0.1, 0.2),
        {"activation": "relu", "recurrent_activation": "sigmoid", "dropout": 0.1},
        "kernel",
    ),
    (
        "GRU",
        (4, "uniform", "orthogonal", "relu", "sigmoid"),
        {"activation": "relu", "recurrent_activation": "sigmoid"},
        "kernel",
    ),
    ("SimpleRNN", (4, "uniform", "orthogonal", "relu"), {"activation": "relu"}, "kernel"),
    ("Highway", ("uniform", "relu"), {"activation": "relu"}, "kernel"),
    ("MaxoutDense", (4, 2, "uniform", None, "l2"), {"output_dim": 4, "nb_feature": 2}, "kernel"),
]
"""Class, arguments as Keras 1 ordered them, what some are called, the weight that `init` starts."""


@pytest.mark.parametrize(("name", "args", "meant", "stem"), OLD, ids=lambda v: str(v)[:12])
def test_old_positional_calls_are_understood(name, args, meant, stem):
    made = getattr(layers, name)(*args).get_config()
    assert {key: made[key] for key in meant} == meant
    assert made[f"{stem}_initializer"]["class_name"] == "RandomUniform"
    config.set_dialect("keras2")
    again = getattr(layers, name)(*args).get_config()
    assert again[f"{stem}_initializer"]["class_name"] == "RandomUniform"


def test_options_beside_the_arguments_are_found_too():
    assert layers.Embedding(9, 4, "uniform", 5).batch_shape == (None, 5)
    assert layers.Dense(4, "uniform", "tanh", *[None] * 6, True, 3).batch_shape == (None, 3)


NEW = [
    ("Dense", (4, "tanh", False, "zeros"), {"activation": "tanh", "use_bias": False}),
    ("LSTM", (4, "relu", "sigmoid", False), {"activation": "relu", "use_bias": False}),
    ("Conv2D", (4, 3, 1, "same", None, 2, "relu"), {"dilation_rate": (2, 2), "activation": "relu"}),
    ("DepthwiseConv2D", (3, 1, "same", 2, None, "relu"), {"activation": "relu"}),
    ("CuDNNGRU", (4, "ones", "zeros"), {"recurrent_activation": "sigmoid", "reset_after": True}),
    ("CuDNNLSTM", (4, *["ones"] * 3, False, *[None] * 7, True), {"return_sequences": True}),
    (
        "LSTM",
        (4, "relu", "sigmoid", True, *["ones"] * 3, True, *[None] * 7, 0.1, 0.2, 2, True),
        {"dropout": 0.1, "implementation": 2, "seed": None, "return_sequences": True},
    ),
    (
        "GRU",
        (4, "relu", "sigmoid", True, *["ones"] * 3, *[None] * 7, 0.1, 0.2, 1, False, True),
        {"recurrent_dropout": 0.2, "implementation": 1, "seed": None, "return_state": True},
    ),
    (
        "ConvLSTM2D",
        (
            *(2, 3, 1, "same", "channels_last", 1, "relu", "sigmoid", True, *["ones"] * 3),
            *(True, *[None] * 7, True, False, False, 0.1),
        ),
        {"return_sequences": True, "dropout": 0.1},
    ),
    ("Conv3DTranspose", (4, 3, 2, "same", 1, "channels_first"), {"output_padding": 1}),
]


@pytest.mark.parametrize(("name", "args", "meant"), NEW, ids=lambda v: str(v)[:15])
def test_calls_of_keras_2_are_read_as_keras_2_did(name, args, meant):
    for dialect in ("classic", "keras2"):
        config.set_dialect(dialect)
        made = getattr(layers, name)(*args).get_config()
        assert {key: made[key] for key in meant} == meant


@pytest.mark.parametrize("dialect", ["classic", "modern"])
def test_penalties_and_constraints_stand_after_the_initializers(dialect):
    config.set_dialect(dialect)
    one, two = regularizers.L2(0.5), regularizers.L2(0.25)
    dense = layers.Dense(4, "tanh", True, "ones", "zeros", one, None, two, "non_neg").get_config()
    assert dense["kernel_regularizer"]["config"]["l2"] == 0.5
    assert dense["activity_regularizer"]["config"]["l2"] == 0.25
    assert dense["kernel_constraint"]["class_name"] == "NonNeg"
    start = ("tanh", "sigmoid", True, "ones", "ones", "zeros")
    lstm = layers.LSTM(4, *start, True, one, None, None, two, "non_neg", None, None, 0.1)
    made = lstm.get_config()
    assert made["kernel_regularizer"]["config"]["l2"] == 0.5
    assert lstm.activity_regularizer.get_config()["l2"] == 0.25
    assert made["dropout"] == 0.1
    cell = layers.GRUCell(4, *start, one, None, None, "non_neg").get_config()
    assert cell["kernel_constraint"]["class_name"] == "NonNeg"


def test_inputs_of_keras_1_name_their_batch_shape_second():
    tensor = layers.Input((3,), None, "entry")
    assert (tensor.shape, tensor.name) == ((None, 3), "entry")
    assert layers.Input((3,), (2, 3)).shape == (2, 3)
    config.set_dialect("modern")
    assert layers.Input((3,), 2).shape == (2, 3)
