"""Keras 3's normalising and ConvLSTM layers in options that no other stored case has."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import config
from funkeras import functional as F
from funkeras.functional.pair import nest

GOLDEN = Path(__file__).parents[1] / "golden"
CASES = json.loads((GOLDEN / "normalization_keras3.json").read_text())


def close(got, expected, tolerance):
    assert got.shape == expected.shape
    assert (np.abs(np.asarray(got) - expected) / (1 + np.abs(expected))).max() <= tolerance


@pytest.fixture(scope="module")
def stored():
    with np.load(GOLDEN / "normalization_keras3.npz") as archive:
        return {name: archive[name] for name in archive.files}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_layer_equals_genuine_keras(case, stored):
    inner = (F.dense(5),) if case["class"] == "SpectralNormalization" else ()
    with config.using_dialect("modern"):
        pair = F.builders.find(case["class"])(*inner, **case["arguments"])
    x = jnp.asarray(stored[case["input"]])
    mask = None if case["mask"] is None else jnp.asarray(stored[case["mask"]])
    params, state = pair.init(jax.random.key(0), x.shape)
    trainable = {w.name: w.trainable for w in pair.weights(x.shape)}
    for name, key in case["weights"].items():
        nest(params if trainable[name] else state, name, jnp.asarray(stored[key]))
    assert set(trainable) - set(case["weights"]) <= {"count"}
    y, after = pair.apply(params, state, x, training=case["training"], mask=mask)
    tolerance = max(1e-6, 4 * case["difference"])
    outputs = y if isinstance(y, tuple) else (y,)
    for got, key in zip(outputs, case["output"], strict=True):
        close(got, stored[key], tolerance)
    for name, key in case["after"].items():
        close(after[name], stored[key], tolerance)
