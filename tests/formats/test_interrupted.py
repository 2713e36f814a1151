"""Saving that is killed, or that the disk or the folder refuses: the old file or the new one."""

import json
import os
import resource
import signal
import stat
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from funkeras.layers import Dense
from funkeras.models import Sequential, load_model

HERE = Path(__file__).parent
KINDS = ("weights", "model", "holders", "archive")
ENDINGS = (".h5", ".keras", ".weights.h5")

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and limits of POSIX")


@pytest.mark.parametrize(
    ("kind", "count"),
    [
        *((kind, 5) for kind in KINDS),
        *(pytest.param(kind, 125, marks=pytest.mark.slow) for kind in KINDS),
    ],
)
def test_killed_saves_leave_the_old_or_the_new_file(tmp_path, kind, count):
    command = [sys.executable, HERE / "interrupted.py", tmp_path, kind, str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["kept"] + found["changed"] == count
    assert found["interrupted"] or count < 100  # of many, some died while they wrote
    assert found["remaining"] == []


def model_of(value):
    model = Sequential([Dense(200, input_dim=300, name="d")])
    model.set_weights([np.full((300, 200), value), np.full(200, value)])
    return model


def save(model, path):
    model.save_weights(path) if path.name.endswith(".weights.h5") else model.save(path)


def check(path, value):
    if path.name.endswith(".weights.h5"):
        model = model_of(value + 1)
        model.load_weights(path)
    else:
        model = load_model(path)
    assert all((array == value).all() for array in model.get_weights())
    assert os.listdir(path.parent) == [path.name]


@contextmanager
def small_disk(size):
    """No file may grow beyond `size`: writing fails as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("size", [0, 1000, 100_000])
def test_a_full_disk_keeps_the_old_file(tmp_path, ending, size):
    path = tmp_path / f"a{ending}"
    save(model_of(1.0), path)
    with small_disk(size), pytest.raises(OSError, match=r".") as raised:
        save(model_of(2.0), path)
    assert not isinstance(raised.value, FileNotFoundError)
    check(path, 1.0)
    save(model_of(3.0), path)
    check(path, 3.0)


@contextmanager
def nobody():
    """The effective user has no rights but those of everybody."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_folder_that_may_not_be_written_keeps_the_old_file(ending):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{ending}"
        save(model_of(1.0), path)
        Path(folder).chmod(0o555)
        try:
            with nobody(), pytest.raises(PermissionError):
                save(model_of(2.0), path)
        finally:
            Path(folder).chmod(0o755)
        check(path, 1.0)


@pytest.mark.parametrize("ending", ENDINGS)
def test_saving_keeps_the_mode_of_a_file_and_follows_a_link(tmp_path, ending):
    real, link = tmp_path / "real", tmp_path / f"a{ending}"
    real.mkdir()
    save(model_of(1.0), link)
    link.rename(real / link.name)
    link.symlink_to(real / link.name)
    (real / link.name).chmod(0o640)
    save(model_of(2.0), link)
    assert link.is_symlink()
    assert stat.S_IMODE((real / link.name).stat().st_mode) == 0o640
    check(real / link.name, 2.0)
