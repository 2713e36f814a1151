"""Files of every Keras are read: genuine files, against what genuine Keras computed with them."""

import io
import json
import pickle
import re
import sys
import warnings
import zipfile
from functools import cache
from pathlib import Path

import h5py
import numpy as np
import pytest

from funkeras import config
from funkeras.formats import FileFormatError
from funkeras.layers import Conv2D, Dense, Flatten, MaxPooling1D, MaxPooling2D
from funkeras.models import (
    Model,
    Sequential,
    load_model,
    model_from_config,
    model_from_json,
    model_from_yaml,
)
from funkeras.models import configs as configs_module

GOLDEN = Path(__file__).parents[1] / "golden"
CASES = json.loads((GOLDEN / "files.json").read_text())
EXCEPTIONS = json.loads((GOLDEN / "exceptions.json").read_text()).get("files", {})
TOLERANCE = 4e-6
"""Of values relative to 1 + |value|: float32 against float32."""
QUICK = 13
"""One case of so many runs in every test run, the others in the slow one."""


@cache
def arrays():
    with np.load(GOLDEN / "files.npz") as stored:
        return {key: stored[key] for key in stored.files}


@cache
def archive():
    return zipfile.ZipFile(GOLDEN / "files.zip")


def of(case, name):
    return [arrays()[key] for key in case["arrays"].get(name, ())]


def close(got, expected, tolerance=TOLERANCE):
    assert got.shape == expected.shape
    errors = np.abs(np.asarray(got, float) - expected) / (1 + np.abs(expected))
    assert errors.max(initial=0) <= tolerance


def one_or_list(parts):
    return parts[0] if len(parts) == 1 else parts


def check_predictions(model, case):
    inputs = of(case, "input")
    got = model.predict(one_or_list(inputs), batch_size=1000)
    for y, expected in zip(
        got if isinstance(got, list) else [got], of(case, "output"), strict=True
    ):
        close(y, expected)


def stored_config(case):
    """The config that belongs to a file of weights: in the case, or in the whole model's file."""
    if "config" in case:
        return case["config"]
    stem = re.sub(r"\.weights(_only)?\.h5$", "", case["file"])
    names = archive().namelist()
    if f"{stem}.h5" in names:
        with h5py.File(io.BytesIO(archive().read(f"{stem}.h5"))) as file:
            return json.loads(file.attrs["model_config"])
    with zipfile.ZipFile(io.BytesIO(archive().read(f"{stem}.keras"))) as inner:
        return json.loads(inner.read("config.json"))


def marked(cases):
    return [
        pytest.param(case, id=case["id"], marks=[] if index % QUICK == 0 else pytest.mark.slow)
        for index, case in enumerate(cases)
    ]


WHOLE = [case for case in CASES if case["kind"] in ("model", "keras_v3")]
WEIGHTS = [case for case in CASES if case["kind"] in ("weights", "weights_v3")]


@pytest.mark.filterwarnings("ignore:.*tells only the name of its optimizer")
@pytest.mark.parametrize("case", marked(WHOLE))
def test_whole_models_predict_and_go_on_training_as_in_genuine_keras(case, tmp_path):
    if case["id"] in EXCEPTIONS:
        pytest.skip(EXCEPTIONS[case["id"]])
    path = tmp_path / case["file"]
    path.write_bytes(archive().read(case["file"]))
    model = load_model(path)
    check_predictions(model, case)
    if "resume_loss" in case["arrays"]:
        loss = model.train_on_batch(one_or_list(of(case, "input")), one_or_list(of(case, "y")))
        expected = of(case, "resume_loss")[0].reshape(-1)
        close(np.reshape(loss, -1)[:1], expected[:1], 1e-5)
        # Keras forgets what it does not save. Nadam's schedule follows from the steps taken, so
        # here it goes on as it does in a model that was never saved.
        forgets = "nadam" not in case["id"] and "resume_weights_reloaded" in case["arrays"]
        after = of(case, "resume_weights_reloaded" if forgets else "resume_weights")
        own = model.get_weights()
        if [w.shape for w in own] == [w.shape for w in after] and "-mlp" in case["id"]:
            for got, wanted in zip(own, after, strict=True):
                close(got, wanted, 2e-5)


@pytest.mark.parametrize("case", marked(WEIGHTS))
def test_weights_predict_as_in_genuine_keras(case, tmp_path):
    if case["id"] in EXCEPTIONS:
        pytest.skip(EXCEPTIONS[case["id"]])
    path = tmp_path / case["file"]
    path.write_bytes(archive().read(case["file"]))
    generation = configs_module.generation_of(case["generation"].split("-")[1])
    backend = case["backends"][0]
    model = configs_module.from_description(
        stored_config(case),
        generation,
        None,
        "the config",
        backend="theano" if backend == "theano" else None,
    )
    # Keras 0 says nothing about its backend.
    model.load_weights(path, backend="theano" if generation.number == 0 else None)
    check_predictions(model, case)


def test_every_generation_and_kind_is_among_the_quick_cases():
    quick = [case for cases in (WHOLE, WEIGHTS) for case in cases[::QUICK]]
    assert {case["generation"] for case in quick} >= {
        "keras-1.2.2",
        "keras-2.2.4",
        "tf_keras-2.18.0",
        "keras-3.15.1",
    }
    assert {case["kind"] for case in quick} == {case["kind"] for case in CASES}


def test_a_file_that_does_not_tell_its_backend_warns_where_that_matters(tmp_path):
    case = next(case for case in CASES if case["id"] == "file-k033-theano-cnn_th-weights")
    path = tmp_path / case["file"]
    path.write_bytes(archive().read(case["file"]))
    model = model_from_config(case["config"])
    with pytest.warns(UserWarning, match="does not tell which backend wrote it"):
        model.load_weights(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.load_weights(path, backend="theano")
    with pytest.raises(ValueError, match="backend must be one of tensorflow, theano"):
        model.load_weights(path, backend="caffe")


def test_double_encoded_json_and_bare_lists_are_understood():
    from funkeras.models import model_from_json

    described = {
        "class_name": "Sequential",
        "keras_version": "1.2.1",
        "config": [
            {
                "class_name": "Dense",
                "config": {
                    "name": "images",
                    "output_dim": 3,
                    "batch_input_shape": [None, 2],
                    "W_regularizer": {"name": "WeightRegularizer", "l1": 0.0, "l2": 0.01},
                },
            }
        ],
    }
    model = model_from_json(json.dumps(json.dumps(described)))
    assert isinstance(model, Sequential)
    assert [layer.name for layer in model.layers] == ["images"]
    assert model.layers[0].kernel_regularizer is not None


@pytest.mark.parametrize(
    ("backend", "expected"), [("theano", [3, 3, 2]), ("tensorflow", [3, 2, 2])]
)
def test_json_makes_layers_of_the_backend_that_it_tells_or_of_the_present_one(backend, expected):
    from funkeras.models import model_from_json

    # Windows of two begin one place earlier on Theano.
    pool = MaxPooling1D(2, strides=1, padding="same", input_shape=(3, 1))
    described = json.loads(Sequential([pool]).to_json()) | {"backend": backend}
    silent = {key: value for key, value in described.items() if key != "backend"}
    with config.using_backend(backend):
        own = model_from_json(json.dumps(silent))
    for model in (own, model_from_json(json.dumps(described))):
        y = model.predict(np.array([[[3], [1], [2]]], "float32"))
        np.testing.assert_array_equal(y.ravel(), expected)


def test_yaml_is_plain_data_and_makes_the_same_model():
    pytest.importorskip("yaml")
    model = Sequential([Dense(3, input_dim=2, activation="tanh", name="a"), Dense(1, name="b")])
    text = model.to_yaml()
    assert text.startswith("class_name: Sequential")
    again = model_from_yaml(text)
    assert again.get_config() == model.get_config()
    for hostile in ("!!python/object/apply:os.system ['x']", "a: !!python/name:os.system", "- 1"):
        with pytest.raises(FileFormatError, match="yaml_string"):
            model_from_yaml(hostile)


def test_yaml_tells_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(ImportError, match=r"funkeras\[yaml\]"):
        Sequential([Dense(3, input_dim=2)]).to_yaml()


def test_skip_mismatch_leaves_layers_that_do_not_fit(tmp_path):
    first = Sequential([Dense(3, input_dim=2, name="a"), Dense(4, name="b")])
    first.save_weights(tmp_path / "a.h5")
    second = Sequential([Dense(3, input_dim=2, name="a"), Dense(5, name="b")])
    before = second.get_weights()
    with pytest.raises(FileFormatError, match=r"'b'.*'kernel' must have shape \(3, 5\).*\(3, 4\)"):
        second.load_weights(tmp_path / "a.h5")
    for old, now in zip(before, second.get_weights(), strict=True):
        np.testing.assert_array_equal(old, now)
    with pytest.warns(UserWarning, match="skipped"):
        second.load_weights(tmp_path / "a.h5", skip_mismatch=True)
    np.testing.assert_array_equal(second.get_weights()[0], first.get_weights()[0])
    np.testing.assert_array_equal(second.get_weights()[2], before[2])


class Scaled(Model):
    """A model with a weight of its own."""

    def __init__(self, size):
        super().__init__()
        self.dense = Dense(3, name="dense")
        self.scale = self.add_weight(shape=(size,), initializer="ones", name="scale")

    def call(self, x):
        return self.dense(x) * self.scale


@pytest.mark.parametrize("ending", [".h5", ".weights.h5"])
@pytest.mark.parametrize("by_name", [False, True])
def test_skip_mismatch_leaves_weights_of_the_model_itself(tmp_path, ending, by_name):
    x = np.ones((2, 2), "float32")
    first, second = Scaled(3), Scaled(1)
    first.predict(x), second.predict(x)
    first.set_weights([w + 1 for w in first.get_weights()])
    first.save_weights(tmp_path / f"a{ending}")
    with pytest.raises(FileFormatError, match=r"model .*'scale' must have shape \(1,\).*\(3,\)"):
        second.load_weights(tmp_path / f"a{ending}", by_name=by_name)
    with pytest.warns(UserWarning, match="skipped: .*'scale'"):
        second.load_weights(tmp_path / f"a{ending}", by_name=by_name, skip_mismatch=True)
    np.testing.assert_array_equal(second.scale, [1])
    np.testing.assert_array_equal(second.dense.get_weights()[0], first.dense.get_weights()[0])


def test_a_layer_that_two_models_share_may_be_stored_once(tmp_path):
    from funkeras import formats
    from funkeras.layers import Input

    x = Input((3,))
    inner = Model(x, Dense(3, name="shared")(x), name="inner")
    model = Model(x, Dense(2)(inner(Sequential([inner, Dense(3)])(x))))
    model.save_weights(tmp_path / "a.weights.h5")
    stored = formats.load_holders(tmp_path / "a.weights.h5")
    twice = [place for place, (_, arrays) in stored.items() if arrays and "functional" in place]
    assert len(twice) == 2
    del stored[twice[1]]  # as Keras 3 does
    formats.save_holders(tmp_path / "b.weights.h5", stored)
    before = model.get_weights()
    model.set_weights([np.zeros_like(w) for w in before])
    model.load_weights(tmp_path / "b.weights.h5")
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    del stored[twice[0]]
    formats.save_holders(tmp_path / "c.weights.h5", stored)
    with pytest.raises(FileFormatError, match="2 weights are expected"):
        model.load_weights(tmp_path / "c.weights.h5")


@pytest.mark.parametrize("ending", [".h5", ".keras"])
def test_an_activation_that_is_a_layer_keeps_its_arguments(tmp_path, ending):
    from funkeras.layers import LeakyReLU

    model = Sequential([Dense(4, activation=LeakyReLU(0.4), input_dim=3)])
    x = np.random.RandomState(0).randn(5, 3).astype("float32")
    kernel, bias = model.get_weights()
    z = x @ kernel + bias
    np.testing.assert_allclose(model.predict(x), np.where(z > 0, z, 0.4 * z), rtol=1e-5, atol=1e-6)
    model.save(tmp_path / f"a{ending}")
    again = [load_model(tmp_path / f"a{ending}"), Sequential.from_config(model.get_config())]
    again[1].set_weights(model.get_weights())
    for other in again:
        np.testing.assert_array_equal(other.predict(x), model.predict(x))


def test_a_config_that_would_take_for_ever_is_refused():
    layer = {"class_name": "ContrastLimitedAdaptiveHistogramEqualization"}
    layer["config"] = {"tile_grid_size": [2**31, 2], "batch_input_shape": [None, 8, 8, 3]}
    with pytest.raises(FileFormatError, match="tile_grid_size must be 1 to 256"):
        model_from_config({"class_name": "Sequential", "config": [layer]})


@pytest.mark.parametrize("place", ["file", "group", "memory"])
def test_hdf5_files_that_are_open(tmp_path, place):
    model = Sequential([Dense(3, input_dim=2), Dense(1)])
    model.compile("adam", "mse")
    x = np.ones((4, 2))
    model.fit(x, x[:, :1], verbose=0)
    options = {"driver": "core", "backing_store": False} if place == "memory" else {}
    with h5py.File(tmp_path / "a.h5", "w", **options) as file:
        target = file.create_group("part") if place == "group" else file
        model.save(target)
        assert {*target} == {"model_weights", "optimizer_weights"}
        again = load_model(target)
        with pytest.raises(FileExistsError, match="is not empty: it holds model_weights"):
            model.save(target)
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    assert again.evaluate(x, x[:, :1]) == model.evaluate(x, x[:, :1])


def test_links_of_an_open_file_are_not_followed(tmp_path):
    model = Sequential([Dense(3, input_dim=2)])
    model.save(tmp_path / "own.h5")
    with h5py.File(tmp_path / "open.h5", "w") as file:
        with h5py.File(tmp_path / "own.h5") as own:
            file.attrs.update(own.attrs)
        file["model_weights"] = h5py.ExternalLink(str(tmp_path / "own.h5"), "/model_weights")
        with pytest.raises(FileFormatError, match="link"):
            load_model(file)


def test_a_model_tells_where_its_channels_are_though_its_layers_were_not_told(tmp_path):
    config.set_image_data_format("channels_first")
    layers = [Conv2D(2, 3, input_shape=(3, 8, 8)), MaxPooling2D(), Flatten(), Dense(2)]
    model = Sequential(layers)
    x = np.random.default_rng(0).normal(size=(2, 3, 8, 8))
    y = model.predict(x)
    for ending in (".h5", ".keras"):
        model.save(tmp_path / f"a{ending}")
    text, content = model.to_json(), pickle.dumps(model)
    config.set_image_data_format("channels_last")
    again = model_from_json(text)
    again.set_weights(model.get_weights())
    loaded = [load_model(tmp_path / f"a{ending}") for ending in (".h5", ".keras")]
    for other in (again, pickle.loads(content), *loaded):
        np.testing.assert_array_equal(other.predict(x), y)


def test_genuine_weights_fit_a_model_of_the_default_image_ordering(tmp_path):
    (case,) = (case for case in CASES if case["id"] == "file-k1-theano-cnn_th-model")
    path = Path(archive().extract(case["file"], tmp_path))
    described = load_model(path).get_config()
    for layer in described["layers"]:
        if "data_format" in layer["config"]:
            layer["config"]["data_format"] = None
    config.set_image_data_format("channels_first")
    config.set_backend("theano")
    model = Sequential.from_config(described)
    model.load_weights(path)
    check_predictions(model, case)
