"""Damaged files: one error class, in bounded time and memory, and nothing wrong is believed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PROGRAM = HERE / "fuzzing.py"
EACH = 500
"""Files of one process."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("sound")
    archive = HERE.parent / "golden" / "files.zip"
    subprocess.run([sys.executable, PROGRAM, path, "prepare", archive], check=True)
    return path


@pytest.mark.parametrize(
    "start",
    [0, *(pytest.param(s, marks=pytest.mark.slow) for s in range(EACH, 10_000, EACH))],
)
def test_damaged_files_are_refused_or_harmless(folder, start):
    command = [sys.executable, PROGRAM, folder, str(start), str(start + EACH)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=3000)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    at = next((line["at"] for line in reversed(lines) if "at" in line), None)
    assert done.returncode == 0, f"ended with {done.returncode} at {at}: {done.stderr[-3000:]}"
    assert [line for line in lines if "wrong" in line] == []
    counts = lines[-1]["done"]
    assert sum(counts.values()) == EACH
    assert counts["refused"] > EACH / 2
    assert counts["loaded"] > EACH / 20
