"""What `import funkeras` loads, in a fresh process: nothing that only some programs need."""

import subprocess
import sys

import pytest

BEHIND_ONE_CALL = [
    "PIL",
    "jax.experimental.sparse",
    "matplotlib",
    "pandas",
    "scipy",
    "sklearn",
    "tensorflow",
    "torch",
    "yaml",
]


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    code = "import funkeras, sys; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(ran.stdout.split())


@pytest.mark.parametrize("module", BEHIND_ONE_CALL)
def test_import_leaves_alone(module: str, loaded: set[str]) -> None:
    assert "funkeras" in loaded
    assert module not in loaded
