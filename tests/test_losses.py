import json
import pickle
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import config, losses

GOLDEN = Path(__file__).parent / "golden"
CASES = json.loads((GOLDEN / "losses.json").read_text())
ARRAYS = np.load(GOLDEN / "losses.npz")
EXCEPTIONS = GOLDEN / "exceptions.json"
DIALECTS = {"keras-1.2.2": "classic", "keras-2.2.4": "keras2"}


def excused(group, case):
    listed = json.loads(EXCEPTIONS.read_text()) if EXCEPTIONS.exists() else {}
    return listed.get(group, {}).get(case["id"])


def assert_close(got, expected, case):
    """Equal within the case's tolerance; where genuine Keras gave NaN, any finite number will do."""
    tolerance = max(1e-6, 4 * (case["difference"] or 0))
    error = np.abs(np.asarray(got, np.float64) - expected) / (1 + np.abs(expected))
    assert got.shape == expected.shape
    assert np.all(np.isfinite(got) | np.isinf(expected))
    assert np.max(error, initial=0, where=~np.isnan(expected)) <= tolerance


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_loss_and_its_gradient_equal_genuine_keras(case):
    if reason := excused("losses", case):
        pytest.skip(reason)
    arrays = {name: ARRAYS[key] for name, key in case["arrays"].items()}
    with config.using_dialect(DIALECTS.get(case["generation"], "modern")):
        loss = losses.get(case["class"])
    y_true, y_pred = arrays["y_true"], jnp.asarray(arrays["y_pred"])
    assert_close(jax.jit(loss)(y_true, y_pred), arrays["value"], case)
    gradient = jax.grad(lambda y: loss(y_true, y).sum())(y_pred)
    assert_close(gradient, arrays["grad_y_pred"], case)
