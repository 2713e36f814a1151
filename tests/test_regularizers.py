import json
import pickle
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import config, regularizers

GOLDEN = Path(__file__).parent / "golden"
CASES = json.loads((GOLDEN / "regularizers.json").read_text())
ARRAYS = np.load(GOLDEN / "regularizers.npz")
DIALECTS = {"keras-1.2.2": "classic", "keras-2.2.4": "keras2"}
ARGUMENTS = {"EigenvalueRegularizer": {"k": 0.1}}
X = jnp.asarray(np.random.default_rng(0).normal(size=(5, 4)), "float32")


def dialect_of(case):
    if case["class"] == "l1_l2" and case["generation"].startswith("tf_keras"):
        return "keras2"  # tf_keras kept the defaults of Keras 2
    return DIALECTS.get(case["generation"], "modern")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_penalty_and_its_gradient_equal_genuine_keras(case):
    with config.using_dialect(dialect_of(case)):
        penalty = getattr(regularizers, case["class"])(**case["kwargs"])
    x = jnp.asarray(ARRAYS[case["arrays"]["input"]])
    value, gradient = jax.jit(jax.value_and_grad(penalty))(x)
    for name, got in (("value", value), ("grad_input", gradient)):
        if name in case["arrays"]:
            expected = ARRAYS[case["arrays"][name]]
            error = np.abs(np.asarray(got, np.float64) - expected) / (1 + np.abs(expected))
            assert got.shape == expected.shape
            assert error.max() <= max(1e-6, 4 * (case["difference"] or 0))


@pytest.mark.parametrize("name", dict(regularizers.registry.items()))
def test_every_regularizer_comes_back_from_its_config_and_from_a_pickle(name):
    penalty = regularizers.registry.find(name)(**ARGUMENTS.get(name, {}))
    for again in (
        regularizers.deserialize(json.loads(json.dumps(regularizers.serialize(penalty)))),
        pickle.loads(pickle.dumps(penalty)),
    ):
        assert type(again) is type(penalty)
        assert again.get_config() == penalty.get_config()
        np.testing.assert_array_equal(again(X), penalty(X))


def test_orthogonal_penalty_is_the_mean_cosine_between_rows():
    x = np.asarray(X, np.float64)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    cosines = [abs(unit[i] @ unit[j]) for i in range(5) for j in range(i)]
    got = regularizers.OrthogonalRegularizer(factor=0.5)(X)
    np.testing.assert_allclose(got, 0.5 * np.mean(cosines), rtol=1e-6)


@pytest.mark.parametrize("mode", ["rows", "columns"])
def test_orthogonal_penalty_has_finite_gradients_at_zero(mode):
    gradient = jax.grad(regularizers.orthogonal_regularizer(mode=mode))(jnp.zeros((3, 3)))
    assert np.isfinite(gradient).all()


def test_l1_l2_defaults_follow_the_dialect_for_the_function_and_not_for_the_class():
    for dialect, default in (("classic", 0.01), ("keras2", 0.01), ("modern", 0.0)):
        with config.using_dialect(dialect):
            for made in (regularizers.l1_l2(), regularizers.get("l1_l2"), regularizers.l1l2()):
                assert made.get_config() == {"l1": default, "l2": default}
            assert regularizers.l1_l2(0.5).get_config() == {"l1": 0.5, "l2": default}
            assert regularizers.L1L2(l2=0.5).get_config() == {"l1": 0.0, "l2": 0.5}
            assert regularizers.WeightRegularizer(l2=0.5).l1 == 0


def test_the_old_argument_of_l1_and_l2_is_known():
    assert regularizers.l1(l=0.5).get_config() == {"l1": 0.5}
    assert regularizers.activity_l2(l=0.5).get_config() == {"l2": 0.5}


def test_factors_must_be_finite_and_not_negative():
    with pytest.raises(ValueError, match="l1 must be finite and not negative; got -1"):
        regularizers.L1(-1)
    with pytest.raises(ValueError, match="l2 must be finite and not negative; got nan"):
        regularizers.L2(float("nan"))
    with pytest.raises(ValueError, match="mode must be 'rows' or 'columns'; got 'all'"):
        regularizers.OrthogonalRegularizer(mode="all")


def test_a_penalty_of_matrices_refuses_other_shapes():
    with pytest.raises(ValueError, match=r"needs a matrix; got shape \(3,\)"):
        regularizers.OrthogonalRegularizer()(jnp.ones(3))


def test_a_users_subclass_or_function_is_itself():
    class Sum(regularizers.Regularizer):
        def __call__(self, x):
            return jnp.sum(x)

    penalty = Sum()
    assert regularizers.get(penalty) is penalty
    assert regularizers.get(jnp.sum) is jnp.sum
    assert regularizers.get(None) is None
