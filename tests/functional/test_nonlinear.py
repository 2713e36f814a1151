import jax
import jax.numpy as jnp
import numpy as np
import pytest
from golden_layers import cases, check

from funkeras import functional as F

KEY = jax.random.key(3)
CLASSES = (
    "ELU",
    "LeakyReLU",
    "PReLU",
    "ParametricSoftplus",
    "ReLU",
    "SReLU",
    "Softmax",
    "ThresholdedReLU",
)


@pytest.mark.parametrize("case", cases(*CLASSES), ids=lambda case: case["id"])
def test_layer_equals_genuine_keras(case):
    check(case)


def test_parametric_softplus_starts_at_its_arguments():
    params, _ = F.parametric_softplus(0.3, 2.0, shared_axes=1).init(KEY, (None, 4, 3))
    np.testing.assert_allclose(params["alpha"], np.full((1, 3), 0.3), rtol=1e-6)
    np.testing.assert_allclose(params["beta"], np.full((1, 3), 2.0), rtol=1e-6)


def test_softmax_over_time_gives_masked_steps_nothing():
    x = jax.random.normal(KEY, (2, 4, 3))
    mask = jnp.asarray([[True, True, False, False], [True, False, True, True]])
    y, _ = F.softmax(axis=1).apply({}, {}, x, mask=mask)
    weights = np.exp(np.asarray(x, np.float64)) * np.asarray(mask)[..., None]
    np.testing.assert_allclose(y, weights / weights.sum(1, keepdims=True), atol=1e-6)


def test_shared_axes_must_exist():
    with pytest.raises(ValueError, match="shared_axes are counted from 1"):
        F.prelu(shared_axes=0)
    with pytest.raises(ValueError, match=r"shared_axes \(3,\) do not fit"):
        F.srelu(shared_axes=[3]).init(KEY, (None, 4, 3))
    with pytest.raises(ValueError, match="axis 1 of the input must be known"):
        F.prelu().init(KEY, (None, None, 3))


def test_relu_refuses_negative_bounds():
    with pytest.raises(ValueError, match="max_value must not be negative, got -1"):
        F.relu(max_value=-1.0)
