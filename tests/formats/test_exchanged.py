"""Files with layers that users wrote: those of Keras 3 here, and ours there."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import low_rank_layers
import pytest
import quantized_layers
import users_layers
import users_stores

GOLDEN = Path(__file__).parents[1] / "golden"
KERAS = os.environ.get("KERAS_PYTHON") or (importlib.util.find_spec("keras") and sys.executable)
TOLERANCE = 1e-5

SCRIPTS = [low_rank_layers, quantized_layers, users_layers, users_stores]
LONG = [low_rank_layers, quantized_layers]
"""Those of which it takes long to write files and read them in Keras."""


def each(scripts, slow=()):
    """A test for each of these, some of them slow."""
    cases = [
        pytest.param(own, marks=[pytest.mark.slow] * (own in slow), id=own.__name__)
        for own in scripts
    ]
    return pytest.mark.parametrize("script", cases)


@each(SCRIPTS)
def test_files_of_keras_3_load(script, keras):
    found = script.differences(keras, GOLDEN / script.__name__)
    assert max(found.values()) < TOLERANCE, found


@each(SCRIPTS, slow=LONG)
def test_what_is_written_loads_again(script, keras, tmp_path):
    script.write(keras, tmp_path)
    found = script.differences(keras, tmp_path)
    assert max(found.values()) < TOLERANCE, found


@pytest.mark.slow
@pytest.mark.skipif(not KERAS, reason="needs genuine Keras 3: set KERAS_PYTHON")
@each(SCRIPTS)
def test_keras_3_loads_what_is_written(script, keras, tmp_path):
    script.write(keras, tmp_path)
    environment = {**os.environ, "KERAS_BACKEND": "jax", "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment.pop("PYTHONPATH", None)
    command = [str(KERAS), script.__file__, "read", str(tmp_path)]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    assert max(found.values()) < TOLERANCE, found
