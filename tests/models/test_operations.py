"""Operations between layers in files of tf.keras and Keras 3: a fixed table, and nothing else."""

import json
from pathlib import Path

import numpy as np
import pytest

from funkeras import backend as K
from funkeras import config, ops
from funkeras.formats import FileFormatError
from funkeras.layers import Dense, Input
from funkeras.models import Model, load_model, model_from_json, operations

GOLDEN = Path(__file__).parents[1] / "golden" / "operations"
"""Written by Keras 3.15 from the operations in `by_ops` and `by_more_ops`, but `norm`."""

X = np.random.RandomState(0).randn(3, 5, 4).astype("float32")
"""What every model here gets."""


def of_tensorflow(*calls):
    """A model of functions one after the other, as tf.keras writes it: (function, options)."""
    entry = {"name": "x", "class_name": "InputLayer", "inbound_nodes": []}
    layers = [{**entry, "config": {"name": "x", "batch_input_shape": [None, 5, 4]}}]
    for index, (function, options) in enumerate(calls):
        kind = "SlicingOpLambda" if "slice_spec" in options else "TFOpLambda"
        layers.append(
            {
                "class_name": kind,
                "name": f"op_{index}",
                "config": {"name": f"op_{index}", "trainable": True, "function": function},
                "inbound_nodes": [[layers[-1]["name"], 0, 0, {"name": None, **options}]],
            }
        )
    return model_of(layers, "2.12.0")


def of_keras_3(*calls):
    """The same as Keras 3 writes it: (class, config, arguments after the first)."""
    entry = {"name": "x", "class_name": "InputLayer", "inbound_nodes": []}
    layers = [{**entry, "config": {"name": "x", "batch_shape": [None, 5, 4]}}]
    for index, (kind, options, more) in enumerate(calls):
        history = {"shape": [], "dtype": "float32", "keras_history": [layers[-1]["name"], 0, 0]}
        tensor = {"class_name": "__keras_tensor__", "config": history}
        layers.append(
            {
                "module": "keras.src.ops.numpy",
                "class_name": kind,
                "name": f"op_{index}",
                "config": {"name": f"op_{index}", **options},
                "inbound_nodes": [{"args": [tensor, *more], "kwargs": {}}],
            }
        )
    return model_of(layers, "3.5.0")


def model_of(layers, version):
    config = {"layers": layers, "input_layers": [["x", 0, 0]]}
    config["output_layers"] = [[layers[-1]["name"], 0, 0]]
    described = {"class_name": "Functional", "config": config, "keras_version": version}
    return model_from_json(json.dumps(described))


ALL = {"start": None, "stop": None, "step": None}


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ([("math.multiply", {"y": 2.0}), ("__operators__.add", {"y": 1})], X * 2 + 1),
        ([("math.truediv", {"y": 127.5}), ("math.subtract", {"y": 1.0})], X / 127.5 - 1),
        ([("math.reduce_mean", {"axis": [1], "keepdims": True})], X.mean(1, keepdims=True)),
        ([("nn.relu", {}), ("reshape", {"shape": [-1, 20]})], np.maximum(X, 0).reshape(-1, 20)),
        (
            [("__operators__.getitem", {"slice_spec": [ALL, {**ALL, "start": 1}, -1]})],
            X[:, 1:, -1],
        ),
        ([("transpose", {"perm": [0, 2, 1]}), ("math.negative", {})], -X.transpose(0, 2, 1)),
        ([("clip_by_value", {"clip_value_min": -0.5, "clip_value_max": 0.5})], X.clip(-0.5, 0.5)),
        ([("linalg.matmul", {"b": np.eye(4).tolist()})], X),
        ([("math.squared_difference", {"y": 1.0})], (X - 1) ** 2),
    ],
)
def test_operations_of_tf_keras_are_computed(calls, expected):
    np.testing.assert_allclose(of_tensorflow(*calls).predict(X), expected, rtol=1e-5, atol=1e-6)


def test_a_number_may_come_first():
    np.testing.assert_allclose(model_of(LAST_MINUS, "2.12.0").predict(X), 2 - X, rtol=1e-6)


LAST_MINUS = [
    {
        "name": "x",
        "class_name": "InputLayer",
        "config": {"name": "x", "batch_input_shape": [None, 5, 4]},
        "inbound_nodes": [],
    },
    {
        "name": "minus",
        "class_name": "TFOpLambda",
        "config": {"name": "minus", "function": "math.subtract"},
        "inbound_nodes": [["_CONSTANT_VALUE", -1, 2.0, {"y": ["x", 0, 0], "name": None}]],
    },
]


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ([("Multiply", {}, [2.0]), ("Add", {}, [1])], X * 2 + 1),
        ([("Mean", {"axis": [1], "keepdims": False}, [])], X.mean(1)),
        ([("Max", {"axis": 1, "keepdims": False, "initial": None}, [])], X.max(1)),
        ([("Reshape", {"newshape": [-1, 20]}, []), ("Tanh", {}, [])], np.tanh(X.reshape(-1, 20))),
        (
            [("GetItem", {}, [[{"class_name": "__slice__", "config": ALL}, 2]])],
            X[:, 2],
        ),
        (
            [
                (
                    "Matmul",
                    {},
                    [
                        {
                            "class_name": "__tensor__",
                            "config": {"value": [[1.0]] * 4, "dtype": "float32"},
                        }
                    ],
                )
            ],
            X.sum(-1, keepdims=True),
        ),
    ],
)
def test_operations_of_keras_3_are_computed(calls, expected):
    np.testing.assert_allclose(of_keras_3(*calls).predict(X), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["os.system", "io.read_file", "py_function", "__class__", "run"])
def test_what_the_table_does_not_have_is_refused(name):
    with pytest.raises(FileFormatError, match=r"there is no operation .*custom_objects"):
        of_tensorflow((name, {}))
    with pytest.raises(FileFormatError, match=r"there is no (operation|layer)"):
        of_keras_3((name, {}, []))


def test_arguments_that_an_operation_does_not_take_are_refused():
    with pytest.raises(FileFormatError, match=r"Mean .*takes no weights"):
        of_keras_3(("Mean", {"weights": [1]}, []))
    with pytest.raises(FileFormatError, match="stacked"):
        of_tensorflow(("math.reduce_mean", {"stacked": True}))


def test_the_table_holds_functions_of_arrays_alone():
    assert all(callable(function) for function in operations.TABLE.values())
    assert not {"load", "save", "fromfile", "system", "eval"} & operations.TABLE.keys()


def by_operators(x, y):
    z = (2.0 - x * 3) / (abs(y) + 1) + x // 0.5 - y % 0.7
    return [-(z**2), z[:, 1:, ..., None], z[0], 1.0 / y, (x > 0) & (y <= 0.5), x @ np.eye(4, 2)]


def by_the_backend(x, y):
    z = K.concatenate([K.exp(x), K.square(y)], axis=1)
    z = K.permute_dimensions(K.repeat_elements(z, 2, axis=-1), (0, 2, 1))
    parts = [
        K.maximum(x, 0.5),
        K.pow(K.abs(x), 1.5),
        K.tile(y, (1, 2, 1)),
        K.reshape(x, (-1, 2, 10)),
    ]
    ends = [K.mean(z, axis=[1, 2]), K.max(x, axis=-1, keepdims=True), K.argmax(y, axis=1)]
    return [z, *parts, *ends, K.stack([x, y], axis=2), K.reverse(x, 1), K.sigmoid(x) + K.tanh(y)]


def by_ops(x, y):
    z = ops.concatenate([ops.relu(x), ops.tanh(y)], axis=-1)
    z = ops.where(z > 0.2, ops.softmax(z), ops.multiply(z, 2.0))
    first, second = ops.split(z, 2, axis=-1)
    sums = ops.sum(first, axis=1, keepdims=True) + ops.mean(second, axis=(1, 2), keepdims=True)
    products = [ops.matmul(first, ops.transpose(second, (0, 2, 1))), ops.matmul(x, np.eye(4, 2))]
    products += [ops.einsum("bij,bkj->bik", x, y), ops.tensordot(x, np.ones((4, 2)), axes=1)]
    shapes = [ops.reshape(x, (-1, 20)), ops.expand_dims(y, 1), ops.squeeze(sums, 1)]
    shapes += [ops.stack([x, y], axis=1), ops.pad(x, ((0, 0), (1, 1), (0, 0))), ops.flip(y, 1)]
    shapes += [ops.swapaxes(x, 1, 2), ops.repeat(y, 2, axis=1), ops.tile(x, (1, 1, 2)), x[:, 1:3]]
    places = [ops.argmax(x, axis=-1), ops.take(y, [0, 2], axis=1), ops.cast(x > 0, "int32")]
    numbers = [ops.clip(x, -0.5, 0.5), ops.power(ops.abs(x), 1.5), ops.logsumexp(y, axis=1)]
    numbers += [ops.one_hot(ops.argmin(x, axis=-1), 4), ops.leaky_relu(x, 0.1), ops.gelu(y, False)]
    return [z, *products, *shapes, *places, *numbers, ops.sqrt(ops.square(x)), ops.rsqrt(x * x + 1)]


def by_more_ops(x, y):
    numbers = [ops.sort(x, axis=1), ops.argsort(y, axis=-1), ops.roll(x, 1, axis=1), ops.cbrt(y)]
    numbers += [ops.norm(x, ord=2, axis=-1, keepdims=True), ops.median(y, axis=1), ops.trunc(3 * x)]
    numbers += [ops.tril(x), ops.triu(y, 1), ops.diff(x, axis=1), ops.nan_to_num(y / x)]
    numbers += [ops.moveaxis(x, 1, 2), ops.diagonal(y, axis1=1, axis2=2), ops.isfinite(x / 0)]
    numbers += [ops.take_along_axis(x, ops.argsort(y, axis=1), axis=1), *ops.top_k(x, 2)]
    rectified = [ops.glu(x), ops.hard_shrink(y), ops.soft_shrink(x), ops.tanh_shrink(y)]
    rectified += [ops.sparse_plus(y), ops.threshold(x, 0.1, 0.2)]
    return [*numbers, *rectified, ops.erfinv(ops.tanh(x)), ops.sinc(ops.deg2rad(x))]


@pytest.mark.parametrize("dialect", ["classic", "modern"])
@pytest.mark.parametrize("ending", [".keras", ".h5"])
@pytest.mark.parametrize("make", [by_operators, by_the_backend, by_ops, by_more_ops])
def test_models_with_operations_are_saved_and_compute_the_same_bits(
    tmp_path, make, ending, dialect
):
    config.set_dialect(dialect)
    x, y = Input((5, 4)), Input((5, 4))
    shared = Dense(4)
    outputs = make(shared(x), shared(y))
    model = Model([x, y], outputs)
    model.save(tmp_path / f"a{ending}")
    got = load_model(tmp_path / f"a{ending}")
    for old, new in zip(model.predict([X, X[::-1]]), got.predict([X, X[::-1]]), strict=True):
        assert old.tobytes() == new.tobytes()
    again = Model.from_config(model.get_config())
    again.set_weights(model.get_weights())
    for old, new in zip(model.predict([X, -X]), again.predict([X, -X]), strict=True):
        assert old.tobytes() == new.tobytes()


def test_a_file_of_keras_3_with_its_operations_computes_what_it_does_there():
    model = load_model(GOLDEN / "operations.keras")
    expected = np.load(GOLDEN / "operations.npz")
    for number, value in enumerate(model.predict([X, X[::-1]])):
        np.testing.assert_allclose(value, expected[f"y{number}"], rtol=1e-5, atol=1e-6)


def test_operations_of_tf_keras_are_converted(tmp_path):
    calls = [("math.multiply", {"y": 2.0}), ("split", {"num_or_size_splits": [1, 4], "axis": 1})]
    model = of_tensorflow(*calls, ("math.l2_normalize", {"axis": -1}))
    model.save(tmp_path / "a.keras")
    expected = X[:, :1] / np.linalg.norm(X[:, :1], axis=-1, keepdims=True)
    got = load_model(tmp_path / "a.keras").predict(X)
    np.testing.assert_allclose(got, expected, rtol=1e-5)
    assert got.tobytes() == model.predict(X).tobytes()


def test_what_has_no_name_in_files_is_not_saved(tmp_path):
    x = Input((5, 4))
    for y in (K.sqrt(x), x + K.variable(np.ones(4)), K.in_train_phase(x * 2, x)):
        with pytest.raises(ValueError, match="has no config: put the operation into a Lambda"):
            Model(x, y).save(tmp_path / "a.keras")
    assert not list(tmp_path.iterdir())


HUGE = {"class_name": "__numpy__", "config": {"value": 1, "dtype": "(300000000,)f4"}}
LONG = {"class_name": "__tensor__", "config": {"value": [1], "dtype": "S1000000000"}}


@pytest.mark.parametrize(
    "calls",
    [
        [("Cast", {"dtype": "S1000000000"}, [])],
        [("Add", {}, [HUGE])],
        [("Add", {}, [LONG])],
        [("Split", {"indices_or_sections": 10**9, "axis": 1}, [])],
        [("Einsum", {"subscripts": "abc" + ",abc" * 9}, [1.0] * 9)],
        [("Mean", {"axis": "batch"}, [])],
        [("Sum", {"axis": [[1]]}, [])],
        [("Reshape", {"newshape": [2**70]}, [])],
        [("Transpose", {"axes": {"a": 1}}, [])],
        [("Pad", {"pad_width": 1, "mode": "empty"}, [])],
        [("OneHot", {"num_classes": -3}, [])],
        [("GetItem", {}, [[["x", 0, 0]]])],
        [("Tile", {"repeats": "x"}, [])],
        [("Matmul", {}, [None])],
    ],
)
def test_hostile_arguments_are_refused(calls):
    with pytest.raises(FileFormatError):
        of_keras_3(*calls)


def test_an_operation_of_constants_alone_is_refused():
    layers = [
        {
            "name": "x",
            "class_name": "InputLayer",
            "config": {"name": "x", "batch_shape": [None, 5, 4]},
            "inbound_nodes": [],
        },
        {
            "module": "keras.src.ops.numpy",
            "class_name": "BroadcastTo",
            "name": "big",
            "config": {"name": "big", "shape": [10**11]},
            "inbound_nodes": [{"args": [1.0], "kwargs": {}}],
        },
    ]
    with pytest.raises(FileFormatError, match="'big' needs a tensor"):
        model_of(layers, "3.5.0")


def test_unequal_and_exclusive_or_of_symbolic_tensors_are_operations(tmp_path):
    with config.using_dialect("modern"):
        words = Input((4,), dtype="int32")
        told = words != 0
        model = Model(words, [told, told ^ (words < 2), True & told])
    x = np.array([[1, 2, 0, 3]])
    model.save(tmp_path / "told.keras")
    expected = x != 0, (x != 0) ^ (x < 2), x != 0
    for own in (model, load_model(tmp_path / "told.keras")):
        for given, wanted in zip(own.predict(x, verbose=0), expected, strict=True):
            np.testing.assert_array_equal(given, wanted)
    assert words != None  # noqa: E711 as scripts of Keras 1 ask it
