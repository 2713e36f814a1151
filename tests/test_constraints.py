import json
import pickle
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import config, constraints

GOLDEN = Path(__file__).parent / "golden"
CASES = json.loads((GOLDEN / "constraints.json").read_text())
ARRAYS = np.load(GOLDEN / "constraints.npz")
DIALECTS = {"keras-1.2.2": "classic", "keras-2.2.4": "keras2"}
W = jnp.asarray(np.random.default_rng(0).normal(size=(5, 4)), "float32")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_constraint_equals_genuine_keras(case):
    with config.using_dialect(DIALECTS.get(case["generation"], "modern")):
        constraint = getattr(constraints, case["class"])(**case["kwargs"])
    expected = ARRAYS[case["arrays"]["value"]]
    got = jax.jit(constraint)(ARRAYS[case["arrays"]["input"]])
    error = np.abs(np.asarray(got, np.float64) - expected) / (1 + np.abs(expected))
    assert got.shape == expected.shape
    assert error.max() <= max(1e-6, 4 * (case["difference"] or 0))


@pytest.mark.parametrize("name", dict(constraints.registry.items()))
def test_every_constraint_comes_back_from_its_config_and_from_a_pickle(name):
    constraint = constraints.get(name)
    for again in (
        constraints.get(constraints.serialize(constraint)),
        constraints.deserialize(json.loads(json.dumps(constraints.serialize(constraint)))),
        pickle.loads(pickle.dumps(constraint)),
    ):
        assert type(again) is type(constraint)
        assert again.get_config() == constraint.get_config()
        np.testing.assert_array_equal(again(W), constraint(W))


@pytest.mark.parametrize("name", dict(constraints.registry.items()))
@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_every_constraint_keeps_the_dtype(name, dtype):
    with jax.numpy_dtype_promotion("strict"):
        assert constraints.get(name)(W.astype(dtype)).dtype == dtype


def test_old_and_new_spellings_make_the_same_constraint():
    with config.using_dialect("classic"):
        old = constraints.maxnorm(m=1.5, axis=[0])
        assert old.get_config() == constraints.max_norm(max_value=1.5, axis=[0]).get_config()
        old = constraints.MinMaxNorm(low=0.5, high=1.5)
        assert old.get_config() == constraints.MinMaxNorm(0.5, 1.5).get_config()
    assert constraints.get("nonneg").get_config() == constraints.get("NonNeg").get_config() == {}


def test_a_users_subclass_or_function_is_itself():
    class Halved(constraints.Constraint):
        def __call__(self, w):
            return w / 2

    constraint = Halved()
    assert constraints.get(constraint) is constraint
    assert constraints.get(jnp.abs) is jnp.abs
    assert constraints.get(None) is None
    np.testing.assert_allclose(constraint(W), W / 2)


def test_variables_and_symbolic_tensors_are_projected():
    from funkeras import backend

    w = np.array([[3.0, -4.0], [0.0, 1.0]], "float32")
    projected = constraints.non_neg()(backend.variable(w))
    np.testing.assert_array_equal(backend.eval(projected), np.maximum(w, 0))
    x = backend.placeholder(ndim=2)
    ends = backend.function([x], [constraints.unit_norm(axis=1)(x)])([w])
    np.testing.assert_allclose(ends[0], w / np.linalg.norm(w, axis=1, keepdims=True), rtol=1e-5)
