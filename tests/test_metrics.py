import json
import pickle
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import config, losses, metrics

GOLDEN = Path(__file__).parent / "golden"
CASES = json.loads((GOLDEN / "metrics.json").read_text())
ARRAYS = np.load(GOLDEN / "metrics.npz")
RUNNING = json.loads((GOLDEN / "metrics_keras3.json").read_text())
RUNNING_ARRAYS = np.load(GOLDEN / "metrics_keras3.npz")
EXCEPTIONS = json.loads((GOLDEN / "exceptions.json").read_text()).get("metrics", {})
DIALECTS = {"keras-1.2.2": "classic", "keras-2.2.4": "keras2"}


def averaged(values, shape):
    """Values with the last axes averaged away: how far a metric reduces differs by generation."""
    while values.ndim > len(shape):
        values = values.mean(-1)
    return values.reshape(shape)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_function_equals_genuine_keras(case):
    if case["id"] in EXCEPTIONS:
        pytest.skip(EXCEPTIONS[case["id"]])
    arrays = {name: ARRAYS[key] for name, key in case["arrays"].items()}
    with config.using_dialect(DIALECTS.get(case["generation"], "modern")):
        function = metrics.values(getattr(metrics, case["class"]))
    got = np.asarray(function(arrays["y_true"], arrays["y_pred"], **case["kwargs"]), np.float64)
    expected = arrays["value"]
    error = np.abs(averaged(got, expected.shape) - expected) / (1 + np.abs(expected))
    tolerance = max(1e-6, 4 * (case["difference"] or 0))
    assert np.max(error, initial=0, where=~np.isnan(expected)) <= tolerance


def batches(case):
    for i in range(3):
        arrays = 1 if "values" in case["data"] else 2
        data = [RUNNING_ARRAYS[f"{case['data']}/{i}/{j}"] for j in range(arrays)]
        weights = RUNNING_ARRAYS[f"weights/{i}"] if case["weighted"] else None
        yield data, weights, RUNNING_ARRAYS[f"{case['id']}/{i}"]


@pytest.mark.parametrize("case", RUNNING, ids=lambda case: case["id"])
def test_running_value_equals_keras_3(case):
    with config.using_dialect("modern"):
        metric = getattr(metrics, case["class"])(**case["kwargs"])
    shape = next(batches(case))[0][-1].shape
    state = metric.init(shape)
    update = jax.jit(lambda state, data, weights: metric.update(state, *data, weights=weights))
    for data, weights, expected in batches(case):
        metric.update_state(*data, sample_weight=weights)
        state = update(state, data, weights)
        for got in (metric.result(), jax.jit(metric.result)(state)):
            assert got.shape == expected.shape
            np.testing.assert_allclose(got, expected, rtol=3e-6, atol=3e-6)
