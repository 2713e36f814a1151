"""`FeatureSpace` gives what genuine Keras 3.15 gave of the same tables, and reads its files."""

import json
import pickle
import zipfile
from pathlib import Path

import jax
import numpy as np
import pytest

from funkeras import config, layers
from funkeras.__main__ import main
from funkeras.formats import FileFormatError
from funkeras.models import FeatureSpace, Model, load_model, save_model
from funkeras.models.serializing import deserialize_keras_object, serialize_keras_object
from funkeras.utils import Dataset

GOLDEN = Path(__file__).parents[1] / "golden"
TOLD = json.loads((GOLDEN / "feature_space.json").read_text())
ARRAYS = np.load(GOLDEN / "feature_space.npz")
TABLE, NEW = TOLD["table"], TOLD["new"]
CASES = list(enumerate(TOLD["cases"]))
CLOSE = {"rtol": 1e-5, "atol": 1e-6}


def space(case):
    """The FeatureSpace that a case describes."""
    features = {
        name: kind if isinstance(kind, str) else getattr(FeatureSpace, kind[0])(**kind[1])
        for name, kind in case["features"].items()
    }
    crosses = [
        FeatureSpace.cross(cross["names"], cross["dim"], cross.get("output_mode", "one_hot"))
        if isinstance(cross, dict)
        else cross
        for cross in case.get("crosses", ())
    ]
    told = ("features", "crosses", "single", "columns")
    given = {key: value for key, value in case.items() if key not in told}
    return FeatureSpace(features, crosses=crosses, **given)


def columns_of(case, table):
    return {name: np.array(table[name]) for name in case["features"]}


def new_rows(number, case):
    rows = {name: NEW[name] for name in case["features"]}
    return {**rows, "rooms": [2, 1, 5]} if number == 3 else rows


def batches(columns, size):
    for start in range(0, len(columns["rate"]), size):
        yield {name: values[start : start + size] for name, values in columns.items()}


SOURCES = {
    "None": [
        lambda columns: columns,
        Dataset.from_tensor_slices,
        lambda columns: ({k: v[i] for k, v in columns.items()} for i in range(70)),
    ],
    "8": [
        lambda columns: Dataset.from_tensor_slices(columns).batch(8),
        lambda columns: batches(columns, 8),
    ],
}


def filled():
    """A FeatureSpace of the first case, adapted."""
    made = space(TOLD["cases"][0])
    made.adapt(TABLE)
    return made


@pytest.mark.parametrize(("number", "case"), CASES)
@pytest.mark.parametrize(
    ("batch", "source"), [(b, s) for b in SOURCES for s in range(len(SOURCES[b]))]
)
def test_encodes_as_genuine_keras(number, case, batch, source):
    made = space(case)
    known = columns_of(case, TABLE)
    made.adapt(SOURCES[batch][source](known))
    for what, rows in (("known", known), ("new", new_rows(number, case))):
        found = made(rows)
        parts = found if isinstance(found, dict) else {"": found}
        assert list(parts) == case["columns"]
        for name, array in parts.items():
            expected = ARRAYS[f"{number}/{batch}/{what}/{name}"]
            assert str(array.dtype) == str(expected.dtype).replace("64", "32")
            np.testing.assert_allclose(array, expected, **CLOSE)


@pytest.mark.parametrize(("number", "case"), CASES)
def test_a_single_sample_has_no_axis_of_rows(number, case):
    made = space(case)
    made.adapt(columns_of(case, TABLE))
    rows = new_rows(number, case)
    one, all_rows = made({name: values[0] for name, values in rows.items()}), made(rows)
    if made.output_mode == "concat":
        one, all_rows = {"": one}, {"": all_rows}
    shapes = case["single"] if isinstance(case["single"], dict) else {"": case["single"]}
    for name, shape in shapes.items():
        assert list(one[name].shape) == shape
        np.testing.assert_array_equal(one[name], all_rows[name][0])


def test_a_dataset_is_mapped_row_by_row_and_in_batches():
    made = filled()
    expected = ARRAYS["0/None/new/"]
    rows = Dataset.from_tensor_slices((NEW, [0, 1, 0])).map(lambda x, y: (made(x), y))
    np.testing.assert_allclose(next(iter(rows.batch(3)))[0], expected, **CLOSE)
    whole = Dataset.from_tensor_slices(NEW).batch(3).map(made)
    np.testing.assert_allclose(next(iter(whole)), expected, **CLOSE)


def test_numbers_are_encoded_in_a_compiled_function_too():
    made = space(TOLD["cases"][4])
    made.adapt(TABLE)
    np.testing.assert_allclose(
        jax.jit(made)({"rate": np.float32(NEW["rate"])}), ARRAYS["4/None/new/"], **CLOSE
    )


def test_a_model_takes_raw_columns_and_another_encoded_ones():
    made = filled()
    inputs, encoded = made.get_inputs(), made.get_encoded_features()
    assert list(inputs) == list(NEW)
    assert encoded.shape == (None, 171)
    y = layers.Dense(1)(encoded)
    trained, whole = Model(encoded, y), Model(inputs, y)
    trained.compile("sgd", "mse")
    x = made(TABLE)
    before = trained.evaluate(x, np.ones(70), verbose=0)
    trained.fit(x, np.ones(70), epochs=5, verbose=0)
    assert trained.evaluate(x, np.ones(70), verbose=0) < before
    kernel, bias = trained.get_weights()
    expected = ARRAYS["0/None/new/"] @ kernel + bias
    np.testing.assert_allclose(trained.predict(made(NEW)), expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(whole.predict(NEW), expected, rtol=1e-4, atol=1e-4)
    rows = Dataset.from_tensor_slices(NEW).batch(2)
    np.testing.assert_allclose(whole.predict(rows), expected, rtol=1e-4, atol=1e-4)
    whole.compile("sgd", "mse")
    whole.fit(TABLE, np.ones(70), verbose=0)


def test_symbolic_columns_are_encoded_in_a_graph():
    made = filled()
    inputs = {
        name: layers.Input((1,), dtype=feature.dtype) for name, feature in made.features.items()
    }
    model = Model(inputs, made(inputs))
    parts = [np.array(NEW[name])[:, None] for name in sorted(NEW)]
    np.testing.assert_allclose(model.predict(parts), ARRAYS["0/None/new/"], **CLOSE)


def test_a_file_of_genuine_keras_is_read():
    read = load_model(GOLDEN / "feature_space_space.keras")
    np.testing.assert_allclose(read(NEW), ARRAYS["space"], **CLOSE)
    assert [cross.name for cross in read.crosses] == ["rooms_X_kind", "street_X_price"]
    model = load_model(GOLDEN / "feature_space_model.keras")
    np.testing.assert_allclose(model.predict(NEW), ARRAYS["model"], **CLOSE)


def test_a_file_of_genuine_keras_is_converted_and_looked_into(tmp_path, capsys):
    old, new = GOLDEN / "feature_space_space.keras", tmp_path / "new.keras"
    assert main(["convert", str(old), str(new)]) == 0
    np.testing.assert_allclose(load_model(new)(NEW), ARRAYS["space"], **CLOSE)
    assert main(["inspect", str(new)]) == 0
    assert "FeatureSpace" in capsys.readouterr().out
    assert main(["convert", str(old), str(tmp_path / "new.h5")]) == 1
    assert "saved in a .keras file" in capsys.readouterr().err


def changed(path, member, change):
    """A copy of the genuine file with one member changed, or left out."""
    with zipfile.ZipFile(GOLDEN / "feature_space_space.keras") as archive:
        texts = {name: archive.read(name) for name in archive.namelist()}
    texts[member] = change(texts[member])
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in texts.items():
            if text is not None:
                archive.writestr(name, text)
    return path


def without_feature(text):
    described = json.loads(text)
    del described["config"]["features"]["rate"]["config"]["preprocessor"]
    return json.dumps(described)


WORDS_OF_KIND = "assets/preprocessors/string_lookup/vocabulary.txt"


@pytest.mark.parametrize(
    ("member", "change"),
    [
        (WORDS_OF_KIND, lambda text: None),
        (WORDS_OF_KIND, lambda text: b"\xff\xfe\n"),
        (WORDS_OF_KIND, lambda text: b"[UNK]\na\na"),
        ("assets/preprocessors/integer_lookup/vocabulary.txt", lambda text: b"-1\ntwo"),
        ("config.json", without_feature),
        ("config.json", lambda text: text.replace(b'"Feature"', b'"Features"')),
        ("config.json", lambda text: text.replace(b'"one_hot"', b'"many"')),
        ("config.json", lambda text: text.replace(b'"rooms", "kind"', b'"rooms", "kinds"')),
        ("config.json", lambda text: text.replace(b"float32", b"float33", 1)),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, member, change):
    path = changed(tmp_path / "changed.keras", member, change)
    with pytest.raises(FileFormatError):
        load_model(path)


@pytest.mark.parametrize("dialect", ["classic", "modern"])
def test_a_file_brings_all_back(tmp_path, dialect):
    with config.using_dialect(dialect):
        made = filled()
        save_model(made, tmp_path / "space.keras")
        y = layers.Dense(1)(made.get_encoded_features())
        model = Model(made.get_inputs(), y)
        for ending in ("keras", "h5"):
            model.save(tmp_path / f"model.{ending}")
    np.testing.assert_allclose(
        load_model(tmp_path / "space.keras")(NEW), ARRAYS["0/None/new/"], **CLOSE
    )
    for ending in ("keras", "h5"):
        read = load_model(tmp_path / f"model.{ending}")
        np.testing.assert_allclose(read.predict(NEW), model.predict(NEW), **CLOSE)
    with pytest.raises(ValueError, match=r"\.keras file"):
        made.save(tmp_path / "space.h5")


def test_a_config_tells_all_but_the_moments():
    def told(made):
        found = made.get_config()
        parts = found.pop("features")
        return found, {
            name: part["config"]["preprocessor"]["config"] for name, part in parts.items()
        }

    made = filled()
    for again in (
        FeatureSpace.from_config(made.get_config()),
        FeatureSpace.from_config(json.loads(json.dumps(made.get_config()))),
        deserialize_keras_object(serialize_keras_object(made)),
    ):
        assert told(again) == told(made)
        with pytest.raises(ValueError, match=r"adapt\(dataset\) must be called"):
            again(NEW)
        again.adapt({"rate": TABLE["rate"], "price": TABLE["price"]})
        np.testing.assert_allclose(again(NEW), made(NEW), **CLOSE)
    np.testing.assert_allclose(pickle.loads(pickle.dumps(made))(NEW), made(NEW))


def test_own_layers_prepare_columns():
    """The numbers of the texts: 2 of 3 texts have "cat", so that its weight is log(1 + 3 / 3)."""

    class Doubled(layers.Layer):
        def adapt(self, data):
            self.most = max(float(batch.max()) for batch in data)

        def call(self, x):
            return x * 2 / self.most

    texts = layers.TextVectorization(output_mode="tf_idf")
    bins = layers.Discretization([0.0, 1.0])
    made = FeatureSpace(
        {
            "text": FeatureSpace.feature("string", texts, "float"),
            "x": FeatureSpace.feature("float32", bins, "one_hot"),
            "z": FeatureSpace.feature("float32", Doubled(), "float"),
        }
    )
    data = {"text": ["cat", "cat hat", "bat"], "x": [-1, 0.5, 3], "z": [1.0, 2.0, 4.0]}
    made.adapt(data)
    places = texts.get_vocabulary()
    encoded = np.asarray(made(data))
    assert encoded.shape == (3, len(places) + 3 + 1)
    np.testing.assert_allclose(encoded[:2, places.index("cat")], np.log(2), rtol=1e-6)
    np.testing.assert_array_equal(encoded[:, len(places) : -1], np.eye(3))
    np.testing.assert_allclose(encoded[:, -1], [0.5, 1, 2])


def test_columns_under_a_mixed_policy_are_as_in_genuine_keras():
    """Keras 3.15.1 on JAX: encodings stay float32, what is computed is low."""
    with config.using_dialect("modern"):
        config.set_dtype_policy("mixed_bfloat16")
        try:
            kinds = {"a": "float", "r": "float_rescaled", "i": "integer_categorical"}
            kinds["h"] = FeatureSpace.integer_hashed(3)
            rows = {name: [1, 2, 3] for name in kinds}
            parts = {}
            for mode in ("dict", "concat"):
                made = FeatureSpace(kinds, mode, crosses=[("i", "h")], crossing_dim=4)
                made.adapt(rows)
                parts[mode] = made(rows)
        finally:
            config.set_dtype_policy("float32")
    found = {name: str(part.dtype) for name, part in parts["dict"].items()}
    low = {name for name, dtype in found.items() if dtype == "bfloat16"}
    assert low == {"r"}
    assert set(found.values()) == {"bfloat16", "float32"}
    assert str(parts["concat"].dtype) == "bfloat16"


def test_no_adapt_is_needed_where_nothing_is_to_learn():
    made = FeatureSpace(
        {"x": "float", "h": FeatureSpace.integer_hashed(4, output_mode="int")}, "dict"
    )
    found = made({"x": [1, 2], "h": [3, 4]})
    np.testing.assert_array_equal(found["x"], [[1.0], [2.0]])
    assert found["h"].shape == (2, 1)


def bare(**given):
    return FeatureSpace({"a": "integer_categorical", "b": "float"}, **given)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: FeatureSpace({}), ValueError, "at least one column"),
        (lambda: FeatureSpace({"a": "floats"}), ValueError, "the feature 'a' must be one of"),
        (lambda: bare(output_mode="list"), ValueError, "output_mode must be one of concat, dict"),
        (lambda: bare(crosses=[("a", "c")]), ValueError, r"the columns \['c'\]"),
        (lambda: FeatureSpace.cross(("a", "b"), 3, "float"), ValueError, "one of int, one_hot"),
        (lambda: FeatureSpace.feature("int32", None, "many"), ValueError, "int, one_hot, float"),
        (lambda: bare()({"a": [1], "b": [1.0]}), ValueError, r"adapt\(dataset\) must be called"),
        (lambda: bare().get_inputs(), ValueError, "nothing is known for 'a_preprocessor'"),
        (lambda: bare().adapt([]), ValueError, "needs data"),
        (lambda: bare().adapt({"b": [1]}), ValueError, r"\['a'\] are missing"),
        (lambda: bare().adapt(np.ones(3)), ValueError, "dict of columns"),
        (lambda: bare().adapt([([1], [2])]), ValueError, "takes dicts"),
        (lambda: filled()(3), ValueError, "called with a dict"),
        (lambda: filled()({"rate": [1.0]}), ValueError, "are missing"),
        (lambda: filled()({**NEW, "more": [1, 2, 3]}), ValueError, r"\['more'\] are none"),
        (
            lambda: FeatureSpace({"a": FeatureSpace.integer_hashed(3, "int")})({"a": 1}),
            ValueError,
            "not encoded",
        ),
        (
            lambda: FeatureSpace(
                {"a": FeatureSpace.feature("float32", layers.Rescaling(2.0), "one_hot")}
            )({"a": 1}),
            ValueError,
            "must give whole numbers",
        ),
        (
            lambda: FeatureSpace(
                {"a": FeatureSpace.feature("int32", layers.Identity(), "one_hot")}
            )({"a": 1}),
            ValueError,
            "use output_mode='int'",
        ),
    ],
)
def test_wrong_use_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
