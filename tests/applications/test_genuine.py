"""Nets for ImageNet give genuine Keras's features with the weights of its files."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from funkeras import applications, config
from funkeras.models import load_model

PROGRAM = Path(__file__).parent / "genuine.py"
PYTHON = os.environ.get("KERAS_PYTHON")
TOLERANCE = 1e-4
"""Of features relative to the largest: float32 against float32 through hundreds of layers."""

NETS = {
    "VGG16": 64,
    "VGG19": 64,
    "ResNet50": 64,
    "ResNet101": 64,
    "ResNet152": 64,
    "ResNet50V2": 64,
    "ResNet101V2": 64,
    "ResNet152V2": 64,
    "InceptionV3": 96,
    "Xception": 96,
    "MobileNet": 64,
    "MobileNetV2": 64,
    "MobileNetV3Small": 64,
    "MobileNetV3Large": 64,
    "DenseNet121": 64,
    "DenseNet169": 64,
    "DenseNet201": 64,
    "NASNetMobile": 64,
    "NASNetLarge": 96,
    "InceptionResNetV2": 96,
    "EfficientNetB0": 64,
    "EfficientNetB2": 64,
    "EfficientNetB4": 64,
    "EfficientNetV2B0": 64,
    "EfficientNetV2B3": 64,
    "EfficientNetV2S": 64,
    "ConvNeXtTiny": 64,
    "ConvNeXtSmall": 64,
}
"""Net → rows and columns of the pictures."""

WHOLE = ("ResNet101", "ResNet50V2", "MobileNetV3Small", "EfficientNetB0", "EfficientNetV2B0")
WHOLE += ("ConvNeXtTiny",)
"""Nets whose files of Keras 3 are read and written, with the top too."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON, reason="needs a python with keras and tf_keras: KERAS_PYTHON"),
]


def run(package, folder, names):
    """What genuine Keras's program prints."""
    nets = [f"{name}:{NETS[name]}" for name in names]
    found = subprocess.run(
        [PYTHON, str(PROGRAM), package, str(folder), *nets],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "KERAS_BACKEND": "jax"},
    )
    assert found.returncode == 0, found.stderr[-2000:]
    return json.loads(found.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder with the files of tf_keras, and the sizes of its nets."""
    folder = tmp_path_factory.mktemp("nets")
    return folder, run("tf_keras", folder, NETS)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder with the files of Keras 3, and the sizes of its nets."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, run("keras", folder, WHOLE)


def compare(found, expected):
    largest = np.abs(expected).max()
    assert np.isfinite(expected).all()
    assert largest > 1e-3
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE * largest)


def check_features(name, folder, counts, suffix):
    size = NETS[name]
    options = {"include_top": False, "pooling": "avg", "input_shape": (size, size, 3)}
    with config.using_dialect("modern"), np.load(folder / f"{name}.npz") as stored:
        build = getattr(applications, name)
        assert build(weights=None).count_params() == counts[name]
        model = build(weights=str(folder / f"{name}{suffix}"), **options)
        compare(model.predict(stored["x"], verbose=0), stored["y"])


@pytest.mark.parametrize("name", NETS)
def test_features_are_genuine_keras_s(name, made):
    check_features(name, *made, ".h5")


@pytest.mark.parametrize("name", WHOLE)
def test_features_are_keras_3_s(name, whole):
    check_features(name, *whole, ".weights.h5")


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("name", WHOLE)
def test_whole_models_of_keras_3_are_read(name, suffix, whole):
    folder, _ = whole
    with np.load(folder / f"{name}.npz") as stored:
        found = load_model(folder / f"{name}{suffix}").predict(stored["x"], verbose=0)
        compare(found, stored["z"])


def test_keras_3_reads_whole_models(whole):
    folder, _ = whole
    for name in WHOLE:
        shape = (NETS[name], NETS[name], 3)
        with config.using_dialect("modern"):
            build = getattr(applications, name)
            own = build(weights=None, classes=10, classifier_activation=None, input_shape=shape)
        own.set_weights(load_model(folder / f"{name}.keras").get_weights())
        own.save(folder / f"{name}.back.keras")
    run("read", folder, WHOLE)
    for name in WHOLE:
        with np.load(folder / f"{name}.npz") as stored, np.load(folder / f"{name}.back.npz") as own:
            compare(own["z"], stored["z"])
