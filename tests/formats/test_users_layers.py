"""Files with layers that users wrote: those of Keras 3 load here, and those of here there."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import users_layers

import funkeras
from funkeras import config, formats, registry
from funkeras.layers import Dense, Input
from funkeras.models import Sequential

GOLDEN = Path(__file__).parents[1] / "golden" / "users_layers"
KERAS = os.environ.get("KERAS_PYTHON") or (importlib.util.find_spec("keras") and sys.executable)
TOLERANCE = 1e-5


@pytest.fixture
def keras():
    names = ("Input", "Model", "layers", "models", "ops")
    saving = SimpleNamespace(register_keras_serializable=registry.register_keras_serializable)
    with config.using_dialect("modern"), registry.custom_object_scope({}):
        yield SimpleNamespace(saving=saving, **{name: getattr(funkeras, name) for name in names})


def test_files_of_keras_3_load(keras):
    found = users_layers.differences(keras, GOLDEN)
    assert max(found.values()) < TOLERANCE, found


def test_what_is_written_loads_again(keras, tmp_path):
    users_layers.write(keras, tmp_path)
    found = users_layers.differences(keras, tmp_path)
    assert max(found.values()) < TOLERANCE, found


@pytest.mark.slow
@pytest.mark.skipif(not KERAS, reason="needs genuine Keras 3: set KERAS_PYTHON")
def test_keras_3_loads_what_is_written(keras, tmp_path):
    users_layers.write(keras, tmp_path)
    environment = {**os.environ, "KERAS_BACKEND": "jax", "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment.pop("PYTHONPATH", None)
    command = [str(KERAS), users_layers.__file__, "read", str(tmp_path)]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    assert max(found.values()) < TOLERANCE, found


class Named(Dense):
    """A built-in layer under another name."""


@pytest.mark.parametrize("place", ["named", "dense"])
def test_files_have_a_derived_class_by_its_name_and_once_by_that_of_the_built_in_one(
    place, tmp_path
):
    """Genuine Keras 3 writes `layers/named`; this library wrote `layers/dense` before."""
    arrays = [np.full((3, 2), 5, "float32"), np.full(2, 7, "float32")]
    path = tmp_path / "a.weights.h5"
    formats.save_holders(path, {"": ("sequential", []), f"layers/{place}": ("named", arrays)})
    with config.using_dialect("modern"):
        model = Sequential([Input((3,)), Named(2)])
        model.load_weights(path)
        np.testing.assert_array_equal(model.get_weights()[0], arrays[0])
        model.save_weights(path)
    assert "layers/named" in formats.load_holders(path, 1 << 20)
