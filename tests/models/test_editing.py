"""`KerasFileEditor`: weights in files are looked at, changed and written again."""

import numpy as np
import pytest

from funkeras import config, formats
from funkeras.layers import LSTM, Dense
from funkeras.models import KerasFileEditor, Sequential


def made(*units):
    layers = [Dense(n, name=f"d{i}") for i, n in enumerate(units)]
    model = Sequential([LSTM(2, input_shape=(None, 3), name="memory"), *layers])
    model.compile("adam", "mse")
    return model


@pytest.fixture
def saved(tmp_path):
    with config.using_dialect("modern"):
        model = made(4, 5)
        model.fit(np.ones((2, 3, 3)), np.ones((2, 5)), verbose=0)
        paths = [tmp_path / "a.weights.h5", tmp_path / "a.keras"]
        model.save_weights(paths[0])
        model.save(paths[1])
    return model, paths


@pytest.mark.parametrize("kind", [0, 1])
def test_a_file_is_shown_and_compared(saved, kind, capsys):
    model, paths = saved
    editor = KerasFileEditor(paths[kind])
    assert (editor.config is not None) == (kind == 1)
    np.testing.assert_array_equal(
        editor.weights_dict["layers"]["dense"]["0"], model.layers[1].get_weights()[0]
    )
    editor.summary()
    shown = capsys.readouterr().out
    assert "layers/lstm/cell" in shown
    assert "0: shape=(2, 4), dtype=float32" in shown
    assert editor.compare(model) == {"status": "success", "error_count": 0, "match_count": 7}
    assert editor.compare(made(4, 6, 1)) == {
        "status": "error",
        "error_count": 3,  # another kernel, another bias, and a layer more
        "match_count": 5,
    }
    assert "layers/dense_1/0 is (4, 5) in the saved file and (4, 6)" in capsys.readouterr().out


def test_an_edited_file_fits_the_new_model(saved, tmp_path):
    model, (path, _) = saved
    other = made(4, 6, 5)  # with a layer in between
    editor = KerasFileEditor(path)
    new = [np.full((4, 6), 2.0, "float32"), np.zeros(6, "float32")]
    editor.rename_object("dense_1", "dense_2")
    editor.add_object("layers/dense_1", {"0": new[0]})
    editor.add_weights("layers/dense_1", {"1": new[1]})
    editor.add_weights("dense_2", {"0": np.ones((6, 5), "float32")})
    assert editor.compare(other)["status"] == "success"
    editor.save(tmp_path / "b.weights.h5")
    other.load_weights(tmp_path / "b.weights.h5")
    np.testing.assert_array_equal(other.layers[2].get_weights()[0], new[0])
    np.testing.assert_array_equal(
        other.layers[0].get_weights()[1], model.layers[0].get_weights()[1]
    )
    editor.delete_object("layers/dense_1")
    editor.delete_weight("dense_2", "1")
    editor.resave_weights(tmp_path / "c.weights.h5")
    holders = formats.load_holders(tmp_path / "c.weights.h5")
    assert "layers/dense_1" not in holders
    assert len(holders["layers/dense_2"][1]) == 1
    assert KerasFileEditor(path).compare(model)["status"] == "success"  # the file is left


def test_what_cannot_be_edited(saved, tmp_path):
    _, (path, _) = saved
    editor = KerasFileEditor(path)
    editor.add_object("layers/dense/dense_1", {"0": np.zeros(1)})
    for call, message in (
        (lambda: editor.rename_object("dense", "a/b"), "not a place"),
        (lambda: editor.delete_object("dense_9"), "is not in"),
        (lambda: editor.delete_object("dense_1"), "occurs 2 times"),
        (lambda: editor.add_object("heads/dense", {}), "no place 'heads'"),
        (lambda: editor.add_object("dense", [1]), "dict of arrays"),
        (lambda: editor.delete_weight("layers/dense", "7"), "no weight '7'"),
        (lambda: editor.save(tmp_path / "a.h5"), "must end in"),
        (lambda: KerasFileEditor(tmp_path / "a.h5"), "must end in"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    editor.delete_weight("layers/dense", "0")
    with pytest.raises(ValueError, match=r"weights \['1'\], not 0, 1"):
        editor.save(tmp_path / "d.weights.h5")
    assert not (tmp_path / "d.weights.h5").exists()
