"""Weights in several files."""

import json
import shutil

import h5py
import numpy as np
import pytest

from funkeras.formats import FileFormatError, load_shards
from funkeras.layers import LSTM, Dense
from funkeras.models import Sequential

KILOBYTE = 1 / (1 << 20)
"""In gigabytes, which Keras counts in."""


def made():
    return Sequential([LSTM(8, input_shape=(None, 4)), Dense(16), Dense(3)])


@pytest.fixture
def saved(tmp_path):
    model = made()
    path = tmp_path / "a.weights.json"
    model.save_weights(path, max_shard_size=1.1 * KILOBYTE)
    return model, path


def test_weights_are_parted_and_come_together(saved):
    model, path = saved
    files = sorted(file.name for file in path.parent.glob("*.h5"))
    assert files == [f"a_{number:05}.weights.h5" for number in range(len(files))]
    assert len(files) == 3
    told = json.loads(path.read_text())
    assert (
        told["weight_map"]
        == {  # as genuine Keras 3.15.1 parts them
            "/layers/lstm/cell/vars": files,
            "/layers/dense/vars": files[2:],
            "/layers/dense_1/vars": files[2:],
        }
    )
    assert told["metadata"]["total_size"] == 4 * model.count_params()
    for name in files:
        with h5py.File(path.with_name(name)) as file:
            sizes = []
            file.visititems(lambda _, o, sizes=sizes: sizes.append(getattr(o, "nbytes", 0)))
        assert sum(sizes) <= 1.1 * 1024
    other = made()
    other.load_weights(path)
    for a, b in zip(other.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_names_and_sizes_that_do_not_fit(saved, tmp_path):
    model, _ = saved
    with pytest.raises(ValueError, match="max_shard_size"):
        model.save_weights(tmp_path / "b.weights.json", max_shard_size=0.1 * KILOBYTE)
    for name, size in (("b.weights.h5", 1), ("b.weights.json", None)):
        with pytest.raises(ValueError, match=r"end in \.weights\.json"):
            model.save_weights(tmp_path / name, max_shard_size=size)


def test_files_that_are_missing_changed_or_elsewhere_are_refused(saved):
    model, path = saved
    whole = path.read_text()
    second = path.with_name("a_00001.weights.h5")
    kept = second.read_bytes()
    before = model.get_weights()
    for spoil, message in (
        (lambda: second.unlink(), "which is not beside it"),
        (lambda: shutil.copy(path.with_name("a_00000.weights.h5"), second), "has it too"),
        (lambda: changed(second), "changed or damaged"),
        (lambda: path.write_text(whole.replace("a_00001", "../a_00001")), "refused"),
        (lambda: path.write_text("{}"), "no weight_map"),
        (lambda: path.write_text("{"), "JSON"),
    ):
        spoil()
        with pytest.raises(FileFormatError, match=message):
            model.load_weights(path)
        second.write_bytes(kept)
        path.write_text(whole)
    assert set(load_shards(path)) >= {"layers/lstm/cell", "layers/dense"}
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def changed(path):
    with h5py.File(path, "r+") as file:
        file["layers/lstm/cell/vars/1"][0] = 7
