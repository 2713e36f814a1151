"""Settings: setters, the environment and keras.json, in fresh processes where they are read."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

from funkeras import config

SETTINGS = "c.floatx(), c.epsilon(), c.image_data_format(), c.dialect(), c.backend()"


def read(
    tmp_path: Path, stored: str | None = None, what: str = SETTINGS, **environment: str
) -> str:
    """What a fresh process finds."""
    if stored is not None:
        (tmp_path / "keras.json").write_text(stored)
    code = f"from funkeras import config as c; print({what})"
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "KERAS_HOME": str(tmp_path), **environment},
        cwd=Path(__file__).parents[1],
    )
    return result.stdout.strip() or result.stderr.strip().splitlines()[-1]


def test_defaults(tmp_path: Path) -> None:
    assert read(tmp_path) == "float32 1e-07 channels_last classic tensorflow"


def test_keras_json_of_keras_1_is_honoured(tmp_path: Path) -> None:
    stored = json.dumps({"floatx": "float16", "epsilon": 1e-4, "image_dim_ordering": "th"})
    found = read(tmp_path, stored, KERAS_BACKEND="theano")
    assert found == "float16 0.0001 channels_first classic theano"


def test_the_environment_wins(tmp_path: Path) -> None:
    stored = json.dumps({"dialect": "keras2", "backend": "theano"})
    assert read(tmp_path, stored) == "float32 1e-07 channels_last keras2 theano"
    found = read(tmp_path, stored, FUNKERAS_DIALECT="modern", KERAS_BACKEND="jax")
    assert found == "float32 1e-07 channels_last modern tensorflow"


@pytest.mark.parametrize(
    ("stored", "message"),
    [("{", "not valid JSON"), ('{"floatx": "float31"}', "floatx must be one of")],
)
def test_a_bad_file_is_named(tmp_path: Path, stored: str, message: str) -> None:
    found = read(tmp_path, stored)
    assert message in found
    assert str(tmp_path) in found


def test_setters_check_their_values() -> None:
    with pytest.raises(ValueError, match="dialect must be one of classic, keras2, modern"):
        config.set_dialect("antique")
    with pytest.raises(ValueError, match="epsilon must be positive"):
        config.set_epsilon(0)
    with pytest.raises(ValueError, match="backend must be one of theano, tensorflow"):
        config.set_backend("caffe")
    config.set_image_dim_ordering("th")
    assert config.image_data_format() == "channels_first"
    config.set_image_data_format("channels_last")
    assert config.image_dim_ordering() == "tf"


def test_jax_holds_64_bits_while_the_default_float_has_them(tmp_path: Path) -> None:
    assert jnp.ones(1).dtype == "float32"
    config.set_floatx("float64")
    assert jnp.ones(1).dtype == "float64"
    config.set_floatx("float32")
    assert jnp.ones(1).dtype == "float32"
    stored = json.dumps({"floatx": "float64"})
    assert read(tmp_path, stored, "__import__('jax').numpy.ones(1).dtype") == "float64"


def test_64_bits_that_jax_holds_anyway_stay() -> None:
    with jax.enable_x64(True):
        config.set_floatx("float64")
        config.set_floatx("float32")
        assert jnp.ones(1).dtype == "float64"


def test_a_scoped_dialect_ends_with_its_block() -> None:
    with config.using_dialect("modern"):
        assert config.dialect() == "modern"
    assert config.dialect() == "classic"


def test_a_backend_is_set_for_good_or_for_a_block() -> None:
    config.set_backend("theano")
    with config.using_backend("torch"):
        assert config.backend() == "tensorflow"
    assert config.backend() == "theano"
