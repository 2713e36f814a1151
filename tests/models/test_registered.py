"""Classes and functions that users register under a name for files, as in Keras 3."""

import json
import zipfile

import numpy as np
import pytest

from funkeras import config, layers, losses, models, registry
from funkeras.registry import register_keras_serializable


@pytest.fixture(autouse=True)
def names():
    config.set_dialect("modern")
    with registry.custom_object_scope({}):
        yield


def register():
    @register_keras_serializable(package="own")
    class Scale(layers.Layer):
        def __init__(self, factor=2.0, **options):
            super().__init__(**options)
            self.factor = factor

        def call(self, x):
            return x * self.factor

        def get_config(self):
            return {**super().get_config(), "factor": self.factor}

    @register_keras_serializable("own", name="cubed")
    def cube(x):
        return x**3

    return Scale, cube


@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_a_model_with_registered_parts_loads_by_itself(tmp_path, ending):
    scale, cube = register()
    model = models.Sequential(
        [layers.Input((2,)), layers.Dense(3, activation=cube), scale(factor=3.0)]
    )
    path = tmp_path / f"model.{ending}"
    model.save(path)
    x = np.ones((4, 2), "float32")
    again = models.load_model(path)
    assert type(again.layers[-1]) is scale
    assert again.layers[-1].factor == 3.0
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_a_model_that_was_compiled_with_registered_parts_is_compiled_again(tmp_path):
    @register_keras_serializable("own")
    def distance(y_true, y_pred):
        return abs(y_true - y_pred)

    @register_keras_serializable("own")
    class Cubic(losses.Loss):
        def call(self, y_true, y_pred):
            return (y_true - y_pred) ** 3

        def get_config(self):
            return {"name": self.name}

    model = models.Sequential([layers.Input((2,)), layers.Dense(1)])
    x, y = np.ones((4, 2), "float32"), np.zeros((4, 1))
    for loss in (distance, Cubic()):
        model.compile("sgd", loss, metrics=[distance])
        model.save(tmp_path / "model.keras")
        again = models.load_model(tmp_path / "model.keras")
        assert again.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)
        assert again.metrics_names == model.metrics_names


def test_files_have_the_registered_name(tmp_path):
    scale, _ = register()
    model = models.Sequential([layers.Input((2,)), scale()])
    model.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        described = json.loads(archive.read("config.json"))
    written = described["config"]["layers"][-1]
    assert (written["registered_name"], written["class_name"]) == ("own>Scale", "Scale")


def test_functions_are_written_as_keras_3_reads_them(tmp_path):
    """What Keras 3.15 writes for a registered function, and loads: a string it refuses."""
    _, cube = register()
    model = models.Sequential([layers.Input((2,)), layers.Dense(3, activation=cube)])
    model.compile("sgd", cube)
    model.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        described = json.loads(archive.read("config.json"))
    expected = {
        "module": "builtins",
        "class_name": "function",
        "config": "own>cubed",
        "registered_name": "function",
    }
    assert described["config"]["layers"][-1]["config"]["activation"] == expected
    assert described["compile_config"]["loss"] == expected


def test_names_and_what_they_stand_for():
    scale, cube = register()
    assert registry.get_registered_name(scale) == "own>Scale"
    assert registry.get_registered_name(cube) == "own>cubed"
    assert registry.get_registered_name(layers.Dense) == "Dense"
    assert registry.get_registered_object("own>cubed") is cube
    assert registry.get_registered_object("own>nothing") is None
    assert registry.get_registered_object("nothing", {"nothing": cube}) is cube


def test_a_class_that_can_not_be_made_again_is_refused():
    with pytest.raises(ValueError, match="without a get_config"):
        register_keras_serializable()(type("Plain", (), {}))
