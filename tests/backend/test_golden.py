"""Functions of the backend give what genuine tf_keras gave (`golden/make_backend.py`)."""

import json
from pathlib import Path

import jax
import numpy as np
import pytest

from funkeras import backend as K
from funkeras import config

GOLDEN = Path(__file__).parents[1] / "golden"
CASES = json.loads((GOLDEN / "backend.json").read_text(encoding="utf-8"))
ARRAYS = np.load(GOLDEN / "backend.npz", allow_pickle=False)

LATER = ("ctc_decode", "batch_dot")
"""Functions whose numbers Keras 1 and 2 had otherwise: their own tests say how."""


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda n: f"{CASES[n]['function']}-{n}")
@pytest.mark.parametrize("dialect", ["keras2", "modern"])
def test_arrays_and_symbolic_tensors_give_what_genuine_keras_gave(number, dialect):
    case = CASES[number]
    name = case["function"]
    if name in LATER:
        dialect = "modern"
    args = [
        ARRAYS[f"{number}/in/{place}"] if value is None else value
        for place, value in enumerate(case["args"])
    ]
    options = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in case["options"].items()
    }
    expected = [ARRAYS[f"{number}/out/{place}"] for place in range(case["outputs"])]
    with config.using_dialect(dialect):
        function = getattr(K, name)
        compare(function(*args, **options), expected)
        inputs = [
            K.placeholder(
                (None, *value.shape[1:]) if place == 0 else value.shape, dtype=value.dtype
            )
            if isinstance(value, np.ndarray)
            else value
            for place, value in enumerate(args)
        ]
        given = [value for value in inputs if hasattr(value, "known")]
        fed = [value for value in args if isinstance(value, np.ndarray)]
        symbolic = function(*inputs, **options)
        compare(K.function(given, symbolic)(fed), expected)
        for found, true in zip(jax.tree.leaves(symbolic), expected, strict=True):
            assert len(found.shape) == true.ndim
            assert all(n in (None, m) for n, m in zip(found.shape, true.shape, strict=True))


def compare(result, expected):
    found = jax.tree.leaves(result)
    assert len(found) == len(expected)
    for value, true in zip(found, expected, strict=True):
        assert value.shape == true.shape
        np.testing.assert_allclose(np.asarray(value), true, rtol=2e-5, atol=2e-6)
