"""`convert` and `inspect`: files of every Keras from the shell."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from funkeras import commands
from funkeras.layers import Dense
from funkeras.models import Sequential, load_model

GOLDEN = Path(__file__).parents[1] / "golden"
REAL = GOLDEN / "realmodels"
OBJECTS = """
from funkeras.layers import Conv1D

class ConvDNA(Conv1D):
    def __init__(self, *args, seq_length=None, **kwargs):
        super().__init__(*args, **kwargs)
"""


def reference(name):
    with np.load(REAL / f"{name}.npz") as stored:
        return stored["x0"], stored["y0"]


def call(*words):
    return commands.main([str(word) for word in words])


@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_a_published_model_of_keras_2_becomes_another_format(ending, tmp_path, capsys):
    objects = tmp_path / "objects.py"
    objects.write_text(OBJECTS)
    new = tmp_path / f"new{ending}"
    old = REAL / "mmsplice_acceptor.h5"
    assert call("convert", old, new) == 1
    assert "custom_objects={'ConvDNA'" in capsys.readouterr().err
    assert not new.exists()
    assert call("convert", old, new, "--objects", objects) == 0
    assert "4,961 numbers in 8 layers" in capsys.readouterr().out
    x, y = reference("mmsplice_acceptor")
    space = {}
    exec(OBJECTS, space)
    model = load_model(new, custom_objects={"ConvDNA": space["ConvDNA"]})
    np.testing.assert_allclose(model.predict(x), y, rtol=1e-4, atol=2e-5)


def test_weights_alone_need_an_architecture(tmp_path, capsys):
    model = Sequential([Dense(3, input_dim=2, name="a"), Dense(1, name="b")])
    old, new = tmp_path / "old.h5", tmp_path / "new.weights.h5"
    model.save_weights(old)
    assert call("convert", old, new) == 1
    assert "--architecture" in capsys.readouterr().err
    (tmp_path / "model.json").write_text(model.to_json())
    assert call("convert", old, new, "--architecture", tmp_path / "model.json") == 0
    again = Sequential([Dense(3, input_dim=2), Dense(1)])
    again.load_weights(new)
    for got, expected in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(got, expected)


def test_a_new_file_is_not_replaced_unasked(tmp_path, capsys):
    old, new = REAL / "mmsplice_intron3.h5", tmp_path / "new.keras"
    new.write_text("precious")
    assert call("convert", old, new) == 2
    assert "--force replaces it" in capsys.readouterr().err
    assert new.read_text() == "precious"
    assert call("convert", old, new, "--force") == 0
    assert zipfile.is_zipfile(new)
    assert call("convert", old, tmp_path / "new.onnx") == 2
    assert "must end with .keras" in capsys.readouterr().err
    assert call("convert", tmp_path / "none.h5", tmp_path / "x.h5") == 1


def inspected(path, capsys):
    assert call("inspect", path) == 0
    return capsys.readouterr().out


def golden_file(name, folder):
    with zipfile.ZipFile(GOLDEN / "files.zip") as archive:
        return archive.extract(name, folder)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("k033-theano-merge.weights_only.h5", ["Keras 0, by its layout", "not told: pass backend"]),
        ("k1-theano-mlp_adam.h5", ["Keras 1.2.2", "theano, by the names", "Adam, 9 arrays"]),
        ("k2-theano-conv1d.h5", ["Keras 2.2.4", "backend     theano", "Conv1D"]),
        ("k3-jax-embedding_bilstm.keras", ["Keras 3.15.1", "forward_layer/cell/0", "4×12"]),
        ("k3-jax-embedding_bilstm.weights.h5", ["Keras 3, by its layout", "bidirectional_1"]),
    ],
)
def test_files_of_every_generation_are_shown(name, shown, tmp_path, capsys):
    text = inspected(golden_file(name, tmp_path), capsys)
    for part in [*shown, "digest      none in the file"]:
        assert part in text


def test_the_table_tells_layers_classes_weights_and_shapes(capsys):
    table = inspected(REAL / "chars2vec_50.h5", capsys).split("\n\n")[1].splitlines()
    assert [line.split() for line in table if "lstm_1" in line] == [
        ["lstm_1", "kernel", "59×200", "float32", "11,800"]
    ]
    table = inspected(REAL / "sleepecg_ws.keras", capsys).split("\n\n")[1].splitlines()
    assert ["dense", "Dense", "0", "36×64", "float32", "2,304"] in [line.split() for line in table]
    assert max(map(len, table)) < 100


@pytest.mark.parametrize("ending", [".keras", ".h5", ".weights.h5"])
def test_our_own_files_tell_dialect_and_digest(ending, tmp_path, capsys):
    model = Sequential([Dense(3, input_dim=2, name="a")])
    path = tmp_path / f"own{ending}"
    model.save_weights(path) if ending == ".weights.h5" else model.save(path)
    text = inspected(path, capsys)
    assert ", matches" in text
    assert "2×3" in text
    content = bytearray(path.read_bytes())
    at = content.index(model.get_weights()[0].tobytes())
    content[at] ^= 1
    path.write_bytes(content)
    assert call("inspect", path, REAL / "chars2vec_50.h5") == 1
    captured = capsys.readouterr()
    assert "damaged" in captured.err or "CRC" in captured.err
    assert "lstm_1" in captured.out
