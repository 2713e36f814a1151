"""Files with layers that store things in their own way: those of Keras 3 here, and ours there."""

import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
import users_stores

import funkeras
from funkeras import formats
from funkeras.layers import LSTM, BatchNormalization, Dense, Input, Layer
from funkeras.models import Sequential

GOLDEN = Path(__file__).parents[1] / "golden" / "users_stores" / "net.keras"


def net(kind, *given):
    """A model of one layer."""
    return Sequential([Input((3,)), kind(*given)])


def test_names_that_layers_store_by_may_be_in_several_files(keras, tmp_path):
    kinds = users_stores.define(keras)
    model, other = net(kinds["Named"]), net(kinds["Named"])
    model.save_weights(tmp_path / "a.weights.json", max_shard_size=3e-8)
    assert len([*tmp_path.glob("*.h5")]) > 1
    other.load_weights(tmp_path / "a.weights.json")
    for one, two in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"matrix": np.zeros((2, 3))}, "load_own_variables fails: KeyError"),
        ({"matrix": np.zeros((2, 4)), "shift": np.zeros(2)}, "has shape"),
        ({}, "load_own_variables fails: KeyError"),
    ],
)
def test_what_does_not_fit_changes_nothing(keras, tmp_path, arrays, message):
    model = net(users_stores.define(keras)["Named"])
    before = model.get_weights()
    inner = [np.ones((2, 2)), np.ones(2)]
    places = {"layers/named": ("named", arrays), "layers/named/inner": ("dense", inner)}
    formats.save_holders(tmp_path / "a.weights.h5", places)
    with pytest.raises(formats.FileFormatError, match=message):
        model.load_weights(tmp_path / "a.weights.h5")
    for one, two in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


def test_arrays_by_names_are_for_layers_that_take_them(keras, tmp_path):
    model = net(Dense, 2)
    arrays = {"matrix": np.zeros((3, 2)), "shift": np.zeros(2)}
    formats.save_holders(tmp_path / "a.weights.h5", {"layers/dense": ("dense", arrays)})
    with pytest.raises(formats.FileFormatError, match="by the names matrix, shift"):
        model.load_weights(tmp_path / "a.weights.h5")


def test_changed_names_and_assets_are_found_out(keras, tmp_path):
    users_stores.write(keras, tmp_path)
    with h5py.File(tmp_path / "graph.weights.h5", "a") as file:
        file["layers/scaled/vars"].move("factor", "other")
    with pytest.raises(formats.FileFormatError, match="changed or damaged"):
        formats.load_holders(tmp_path / "graph.weights.h5")
    changed = tmp_path / "changed.keras"
    with zipfile.ZipFile(tmp_path / "net.keras") as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            new.writestr(name, b"bias 3" if name == "assets/note.txt" else old.read(name))
    with pytest.raises(formats.FileFormatError, match="changed or damaged"):
        funkeras.models.load_model(changed)


def test_assets_that_would_fill_the_disk_are_refused(keras, tmp_path):
    path = tmp_path / "large.keras"
    with zipfile.ZipFile(GOLDEN) as old:
        members = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in members.items():
            new.writestr(name, data)
        new.writestr("assets/zeros", bytes(200 << 20))
    with pytest.raises(formats.FileFormatError, match="its assets would have"):
        formats.load_archive(path)


def test_built_in_layers_have_the_methods_of_keras_3(keras):
    """The names and shapes are those of genuine Keras 3.15."""
    layer, store = BatchNormalization(), {}
    assert layer.get_build_config() is None
    layer.build_from_config({"input_shape": [None, 3]})
    assert layer.get_build_config() == {"input_shape": (None, 3)}
    layer.set_weights([np.full(3, number, "float32") for number in range(4)])
    layer.save_own_variables(store)
    assert [(name, array[0]) for name, array in store.items()] == [(f"{n}", n) for n in range(4)]
    other = BatchNormalization()
    other.build((None, 3))
    other.load_own_variables(store)
    np.testing.assert_array_equal(other.get_weights(), layer.get_weights())
    with pytest.raises(ValueError, match="4 variables of its own"):
        other.load_own_variables({"0": np.zeros(3)})
    recurrent, store = LSTM(2), {}
    recurrent.build((None, 4, 3))
    assert recurrent.get_build_config() == {"input_shape": (None, 4, 3)}
    recurrent.save_own_variables(store)
    assert store == {}  # its cell has them


def test_a_build_that_is_called_by_hand_is_not_called_again(keras):
    calls = []

    class Gain(Layer):
        def build(self, input_shape):
            calls.append(input_shape)
            self.gain = self.add_weight(shape=(input_shape[-1],), initializer="ones")

        def call(self, x):
            return x * self.gain

    layer = Gain()
    layer.build((None, 3))
    assert layer.built
    assert len(layer.weights) == 1
    layer(np.ones((2, 3)))
    assert calls == [(None, 3)]
    assert len(layer.weights) == 1


def test_a_model_with_a_call_needs_its_config_and_the_format_of_keras_3(keras, tmp_path):
    class Wide(keras.Model):
        def __init__(self, width=2):
            super().__init__()
            self.width = width
            self.dense = Dense(width)

        def call(self, x):
            return self.dense(x)

    class Told(Wide):
        def get_config(self):
            return {"width": self.width}

        @classmethod
        def from_config(cls, config):
            return cls(**config)

    wide, told = Wide(5), Told(5)
    x = np.ones((2, 3), "float32")
    for model in (wide, told):
        model(x)
    with pytest.raises(NotImplementedError, match="write its get_config"):
        wide.save(tmp_path / "a.keras")
    with pytest.raises(NotImplementedError, match=r"\.keras"):
        told.save(tmp_path / "a.h5")
    told.save(tmp_path / "a.keras")
    again = funkeras.models.load_model(tmp_path / "a.keras", custom_objects={"Told": Told})
    np.testing.assert_allclose(again.predict(x), told.predict(x), rtol=1e-6)
