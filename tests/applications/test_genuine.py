"""Nets for ImageNet give genuine Keras's features with the weights of its files."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from funkeras import applications, config

PROGRAM = Path(__file__).parent / "genuine.py"
PYTHON = os.environ.get("KERAS_PYTHON")
TOLERANCE = 1e-4
"""Of features relative to the largest: float32 against float32 through hundreds of layers."""

NETS = {
    "VGG16": 64,
    "VGG19": 64,
    "ResNet50": 64,
    "InceptionV3": 96,
    "Xception": 96,
    "MobileNet": 64,
    "MobileNetV2": 64,
    "DenseNet121": 64,
    "DenseNet169": 64,
    "DenseNet201": 64,
    "NASNetMobile": 64,
    "NASNetLarge": 96,
    "InceptionResNetV2": 96,
}
"""Net → rows and columns of the pictures."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON, reason="needs a python with tf_keras: KERAS_PYTHON"),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder with genuine Keras's files, and the sizes of its nets."""
    folder = tmp_path_factory.mktemp("nets")
    nets = [f"{name}:{size}" for name, size in NETS.items()]
    run = subprocess.run(
        [PYTHON, str(PROGRAM), "tf_keras", str(folder), *nets],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return folder, json.loads(run.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", NETS)
def test_features_are_genuine_keras_s(name, made):
    folder, counts = made
    size = NETS[name]
    options = {"include_top": False, "pooling": "avg", "input_shape": (size, size, 3)}
    with config.using_dialect("modern"), np.load(folder / f"{name}.npz") as stored:
        build = getattr(applications, name)
        assert build(weights=None).count_params() == counts[name]
        model = build(weights=str(folder / f"{name}.h5"), **options)
        found = model.predict(stored["x"], verbose=0)
        assert np.isfinite(stored["y"]).all()
        assert np.abs(stored["y"]).max() > 1e-3
        largest = np.abs(stored["y"]).max()
        np.testing.assert_allclose(found, stored["y"], rtol=0, atol=TOLERANCE * largest)
