"""Operations give what they give in Keras 3: values, shapes and dtypes, also within graphs."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ops_genuine import GOLDEN, THEMES, calls

import funkeras
from funkeras import Input, Model, config

MODULES = {theme: calls(theme) for theme in THEMES}
RESULTS = {theme: json.loads((GOLDEN / f"ops_{theme}.json").read_text()) for theme in THEMES}
CASES = [
    pytest.param(theme, name, place, id=f"{name}-{place}")
    for theme in THEMES
    for name, rows in MODULES[theme].CALLS.items()
    for place in range(len(rows))
]


@pytest.fixture(autouse=True)
def keras_3():
    config.set_dialect("modern")


def space_of(theme):
    """The module that a theme is about: `ops`, or the one it names."""
    return getattr(funkeras, getattr(MODULES[theme], "SPACE", "ops"))


def arrays(told):
    """Expected results as arrays; what is no array as it is."""
    if isinstance(told, list):
        return [arrays(part) for part in told]
    if not isinstance(told, dict):
        return told
    if set(told) != {"dtype", "shape", "data"}:
        return {name: arrays(part) for name, part in told.items()}
    parts = [
        np.asarray(
            [*map(float, part)] if told["dtype"][0] in "bfc" and told["dtype"] != "bool" else part
        )
        for part in told["data"]
    ]
    whole = parts[0] + 1j * parts[1] if len(parts) == 2 else parts[0]
    return jnp.asarray(whole.reshape(told["shape"]), told["dtype"])


def close(found, expected):
    if isinstance(expected, list):
        assert len(found) == len(expected)
        for own, other in zip(found, expected, strict=True):
            close(own, other)
    elif isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for name, other in expected.items():
            close(found[name], other)
    elif isinstance(expected, jax.Array):
        assert found.shape == expected.shape
        assert found.dtype == expected.dtype
        low = expected.dtype in (jnp.bfloat16, jnp.float16)
        tolerance = 1e-2 if low else 1e-5
        wide = [
            np.asarray(own, "complex64" if own.dtype.kind == "c" else "float64")
            for own in (found, expected)
        ]
        np.testing.assert_allclose(*wide, rtol=tolerance, atol=tolerance)
    else:
        assert found == expected


@pytest.mark.parametrize(("theme", "name", "place"), CASES)
def test_an_operation_gives_what_it_gives_in_keras_3(theme, name, place):
    inputs, call = MODULES[theme].CALLS[name][place]
    close(call(space_of(theme), *inputs), arrays(RESULTS[theme][name][place]))


def in_graphs(theme, name, place):
    """Whether a model can record a call: its inputs are arrays with a batch."""
    inputs, _ = MODULES[theme].CALLS[name][place]
    return inputs and name not in MODULES[theme].EAGER and all(x.ndim for x in inputs)


@pytest.mark.parametrize(
    ("theme", "name", "place"), [case for case in CASES if in_graphs(*case.values)]
)
def test_a_model_records_it(theme, name, place):
    inputs, call = MODULES[theme].CALLS[name][place]
    tensors = [Input(batch_shape=x.shape, dtype=str(x.dtype)) for x in inputs]
    y = call(space_of(theme), *tensors)
    expected = jax.tree.leaves(arrays(RESULTS[theme][name][place]))
    assert [tuple(own.shape) for own in jax.tree.leaves(y)] == [own.shape for own in expected]
    found = Model(tensors, y)([jnp.asarray(x) for x in inputs])
    close(jax.tree.leaves(found), expected)
