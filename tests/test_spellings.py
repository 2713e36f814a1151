"""The tables of spellings, against the record of what genuine Keras renamed."""

import inspect
from typing import Any

import pytest

from funkeras import config, spellings

# What Keras 2 made of Keras 1's arguments, by layer (from the two releases' signatures).
RENAMES = [
    ("Dense", "output_dim", "units"),
    ("Dense", "init", "kernel_initializer"),
    ("Dense", "W_regularizer", "kernel_regularizer"),
    ("Dense", "b_regularizer", "bias_regularizer"),
    ("Dense", "W_constraint", "kernel_constraint"),
    ("Dense", "b_constraint", "bias_constraint"),
    ("Dense", "bias", "use_bias"),
    ("Dropout", "p", "rate"),
    ("Conv2D", "nb_filter", "filters"),
    ("Conv2D", "border_mode", "padding"),
    ("Conv2D", "subsample", "strides"),
    ("Conv2D", "dim_ordering", "data_format"),
    ("Conv1D", "filter_length", "kernel_size"),
    ("Conv1D", "subsample_length", "strides"),
    ("Conv2D", "atrous_rate", "dilation_rate"),
    ("MaxPooling1D", "pool_length", "pool_size"),
    ("MaxPooling1D", "stride", "strides"),
    ("BatchNormalization", "beta_init", "beta_initializer"),
    ("BatchNormalization", "gamma_init", "gamma_initializer"),
]


@pytest.mark.parametrize(("layer", "old", "new"), RENAMES)
def test_keras_1_names_reach_keras_2_s(layer: str, old: str, new: str) -> None:
    from funkeras.layers.options import OPTIONS

    cls = __import__("funkeras.layers", fromlist=[layer]).__getattr__(layer)
    accepted = (*cls.signature.parameters, *OPTIONS)
    assert spellings.translate(layer, accepted, (), {old: "x"}) == {new: "x"}


def signature(text: str) -> inspect.Signature:
    scope: dict[str, Any] = {}
    exec(f"def f({text}): ...", scope)
    return inspect.signature(scope["f"])


def test_a_name_that_the_callee_accepts_is_never_translated() -> None:
    bound = spellings.bind("Embedding", signature("input_dim, output_dim"), (5, 3), {})
    assert bound == {"input_dim": 5, "output_dim": 3}


def test_merged_arguments_become_one_tuple() -> None:
    bound = spellings.bind(
        "Conv2D", signature("filters, kernel_size"), (), {"nb_filter": 1, "nb_row": 2, "nb_col": 3}
    )
    assert bound == {"filters": 1, "kernel_size": (2, 3)}


def test_values_are_translated_too() -> None:
    assert spellings.bind("X", signature("data_format"), (), {"dim_ordering": "th"}) == {
        "data_format": "channels_first"
    }


def test_dialects_differ_in_defaults_only() -> None:
    text = signature("learning_rate=0.001, rho=0.95, epsilon=1e-7")
    given = {"lr": 0.5}
    for dialect, epsilon in {"classic": 1e-8, "keras2": 1e-7, "modern": 1e-7}.items():
        config.set_dialect(dialect)
        bound = spellings.bind("Adadelta", text, (), given)
        assert (bound["learning_rate"], bound["epsilon"]) == (0.5, epsilon)
    config.set_dialect("keras2")
    assert spellings.bind("Adadelta", text, (), {})["learning_rate"] == 1.0


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ((), {"unitz": 1}, r"unknown argument 'unitz'; did you mean 'units'\?"),
        ((1,), {"units": 1}, "'units' twice"),
        ((1, 2, 3), {}, "at most 2 positional"),
        ((), {}, "needs the argument 'units'"),
    ],
)
def test_wrong_calls_say_what_is_wrong(args: Any, kwargs: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        spellings.bind("Dense", signature("units, activation=None"), args, kwargs)
