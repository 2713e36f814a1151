"""Files with layers that users wrote: those of Keras 3 load here, and those of here there."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import users_layers

import funkeras
from funkeras import config, registry

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
