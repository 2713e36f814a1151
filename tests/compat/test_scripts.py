"""Scripts in the spelling of Keras 1 to 3, one for each technique, run as they are.

Each of them checks what it did: that losses fall, frozen weights stay, shapes are right.
"""

import sys
from pathlib import Path

import numpy as np
import pytest

from funkeras import compat
from funkeras.commands import main

SCRIPTS = sorted((Path(__file__).parents[1] / "scripts").glob("keras*/*.py"))
VERSIONS = {"keras1": "1.2.2", "keras2": "2.2.4", "keras3": "3"}
SLOW = ("fine_tuning", "ocr_ctc", "seq2seq")


@pytest.fixture(autouse=True)
def process(tmp_path, monkeypatch):
    """What running a script in this process changes, as it was."""
    monkeypatch.chdir(tmp_path)
    saved = sys.argv, list(sys.path), sys.modules["__main__"], np.random.get_state()
    yield
    sys.argv, sys.path[:], sys.modules["__main__"], state = saved
    np.random.set_state(state)
    compat.uninstall()


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(
            path,
            id=f"{path.parent.name}-{path.stem}",
            marks=[pytest.mark.slow] if path.stem in SLOW else [],
        )
        for path in SCRIPTS
    ],
)
def test_a_script_runs_and_finds_what_it_should(path, capsys):
    status = main(["--keras", VERSIONS[path.parent.name], str(path)])
    assert status == 0, capsys.readouterr().err
