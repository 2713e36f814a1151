import json
import pickle
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import activations, config

GOLDEN = Path(__file__).parent / "golden"
CASES = json.loads((GOLDEN / "activations.json").read_text())
ARRAYS = np.load(GOLDEN / "activations.npz")
KINKS = json.loads((GOLDEN / "exceptions.json").read_text()).get("activations", {})
DIALECTS = {"keras-1.2.2": "classic", "keras-2.2.4": "keras2"}
X = jnp.linspace(-4, 4, 33).reshape(3, 11)


def dialect_of(case):
    if case["class"] == "hard_sigmoid" and case["generation"].startswith("tf_keras"):
        return "keras2"  # tf_keras kept the formula of Keras 2
    return DIALECTS.get(case["generation"], "modern")


def errors(got, expected):
    return np.abs(np.asarray(got, np.float64) - expected) / (1 + np.abs(expected))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_activation_and_its_gradient_equal_genuine_keras(case):
    arrays = {name: ARRAYS[key] for name, key in case["arrays"].items()}
    tolerance = max(1e-6, 4 * (case["difference"] or 0))
    with config.using_dialect(dialect_of(case)):
        activation = activations.get(case["class"])
    x = jnp.asarray(arrays["input"])
    value = jax.jit(lambda x: activation(x, **case["kwargs"]))(x)
    assert value.shape == arrays["value"].shape
    assert errors(value, arrays["value"]).max() <= tolerance
    gradient = jax.grad(lambda x: activation(x, **case["kwargs"]).sum())(x)
    smooth = np.full(x.shape, True)
    if case["id"] in KINKS:  # generations differ in the slope at a kink, and nowhere else
        smooth = ~np.isin(arrays["input"], (0, case["kwargs"].get("max_value")))
    assert errors(gradient, arrays["grad_input"])[smooth].max() <= tolerance


@pytest.mark.parametrize("dialect", config.DIALECTS)
@pytest.mark.parametrize("name", list(activations.registry))
def test_every_activation_is_found_by_its_name_and_serialises_to_a_name_of_it(name, dialect):
    with config.using_dialect(dialect):
        activation = activations.get(name)
        assert activations.get(activations.serialize(activation)) is activation
    assert pickle.loads(pickle.dumps(activation)) is activation
    assert name in activations.__all__


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", list(activations.registry))
def test_every_activation_keeps_the_dtype_and_has_finite_gradients(name, dtype):
    activation = activations.get(name)
    options = {"threshold": 0.5, "default_value": -1.0} if name == "threshold" else {}
    x = X[:, :10].astype(dtype)
    with jax.numpy_dtype_promotion("strict"):
        assert activation(x, **options).dtype == x.dtype
    gradient = jax.grad(lambda x: activation(x, **options).astype("float32").sum())(x)
    assert np.isfinite(np.asarray(gradient, np.float32)).all()


def test_hard_sigmoid_has_the_formula_of_the_dialect():
    x = np.float32([-1])
    with config.using_dialect("modern"):
        modern = activations.get("hard_sigmoid")
        assert np.isclose(activations.hard_sigmoid(x), 1 / 3)
    with config.using_dialect("classic"):
        classic = activations.get("hard_sigmoid")
        assert np.isclose(activations.hard_sigmoid(x), 0.3)
        assert np.isclose(modern(x), 1 / 3)
        assert activations.serialize(modern) == "hard_sigmoid"
    assert np.isclose(classic(x), 0.3)


def test_none_is_linear():
    assert activations.get(None) is activations.linear
    assert activations.serialize(activations.linear) == "linear"


def test_a_function_of_the_user_is_itself():
    def doubled(x):
        return 2 * x

    assert activations.get(doubled) is doubled
    assert activations.serialize(doubled) == "doubled"


def test_an_unknown_name_is_refused_with_the_nearest_one():
    with pytest.raises(ValueError, match="unknown activation 'sofmax'; did you mean 'softmax'"):
        activations.get("sofmax")


def test_relu_accepts_both_names_of_its_slope():
    expected = np.where(X > 0, X, 0.1 * X)
    np.testing.assert_allclose(activations.relu(X, 0.1), expected, rtol=1e-6)
    np.testing.assert_allclose(activations.relu(X, alpha=0.1), expected, rtol=1e-6)
    np.testing.assert_allclose(activations.relu(X, negative_slope=0.1), expected, rtol=1e-6)
    np.testing.assert_allclose(activations.leaky_relu(X, alpha=0.1), expected, rtol=1e-6)


def test_relu_with_every_option():
    x = np.asarray(X, np.float64)
    expected = np.where(x > 1, np.minimum(x, 3), 0.25 * (x - 1))
    np.testing.assert_allclose(activations.relu(X, 0.25, 3, 1), expected, rtol=1e-6)


def test_softmax_of_half_precision_is_summed_in_float32():
    x = jnp.zeros((1, 5000), "float16")
    exact = np.float16(np.exp(0.0) / 5000)
    np.testing.assert_array_equal(activations.softmax(x), np.full(x.shape, exact))


def test_softmax_accepts_several_axes():
    y = activations.softmax(X, axis=(0, 1))
    np.testing.assert_allclose(y.sum(), 1, rtol=1e-6)


@pytest.mark.parametrize("axis", [0, -1])
def test_sparsemax_is_the_nearest_point_of_the_simplex(axis):
    x = np.random.default_rng(0).normal(size=(4, 6))
    y = np.asarray(activations.sparsemax(jnp.asarray(x, "float32"), axis), np.float64)
    np.testing.assert_allclose(y.sum(axis), 1, rtol=1e-6)
    assert (y >= 0).all()
    assert (y == 0).any()
    # For a projection y and every corner e of the simplex, (x - y)·(e - y) <= 0.
    residual = x - y
    assert (residual - (residual * y).sum(axis, keepdims=True)).max() < 1e-6
