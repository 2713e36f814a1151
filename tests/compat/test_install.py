"""`import keras` of any generation finds this package; what is missing says what to use."""

import importlib
import importlib.util
import sys

import jax
import jax.numpy as jnp
import pytest

import funkeras
from funkeras import compat, config
from funkeras.compat.paths import MODULES, sources

without_tensorflow = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is not None, reason="the real one is imported then"
)


@pytest.fixture(autouse=True)
def restored():
    known = set(sys.modules)
    yield
    compat.uninstall()
    assert not {name for name in set(sys.modules) - known if name.split(".")[0] == "keras"}


def run(line):
    exec(line, space := {})
    return space


@pytest.mark.parametrize("path", MODULES)
def test_every_path_stands_for_modules_that_exist(path):
    compat.install()
    module = importlib.import_module(f"keras.{path}".rstrip("."))
    assert all(importlib.util.find_spec(source) for source in sources(path))
    assert all(hasattr(module, name) for name in module.__all__)


@pytest.mark.parametrize(
    ("version", "dialect"), [("1.2.2", "classic"), ("2.2.4", "keras2"), ("3", "modern")]
)
def test_the_dialect_follows_the_version(version, dialect):
    compat.install(version)
    assert (run("import keras")["keras"].__version__, config.dialect()) == (version, dialect)


def test_the_version_follows_the_dialect_when_none_is_asked():
    config.set_dialect("keras2")
    compat.install()
    assert run("import keras")["keras"].__version__ == "2.2.4"


@pytest.mark.parametrize(
    ("line", "name", "thing"),
    [
        ("import keras", "keras.layers.core.Dense", funkeras.layers.Dense),
        ("from keras.layers.core import Dense", "Dense", funkeras.layers.Dense),
        ("from keras.layers.merge import Concatenate", "Concatenate", funkeras.layers.Concatenate),
        ("from keras.models import *", "Sequential", funkeras.Sequential),
        ("from keras import objectives as o", "o.mse", funkeras.losses.mean_squared_error),
        ("import keras.engine.topology as t", "t.Layer", funkeras.layers.Layer),
        ("import keras.utils.np_utils as u", "u.to_categorical", funkeras.utils.to_categorical),
    ],
)
def test_names_are_those_of_this_package(line, name, thing):
    compat.install()
    assert eval(name, run(line)) is thing


def test_a_module_of_keras_2_is_a_function_of_keras_1_too():
    compat.install()
    space = run("import keras.layers.merge; from keras.layers import merge, Input")
    a, b = (space["Input"]((3,)) for _ in range(2))
    assert space["merge"]([a, b], mode="concat").shape == (None, 6)


@pytest.mark.parametrize(
    ("line", "error", "says"),
    [
        ("from keras.layers import Danse", ImportError, "did you mean 'Dense'?"),
        ("import keras; keras.layers.Danse", AttributeError, "did you mean 'Dense'?"),
        ("import keras; keras.layers.Adam", AttributeError, "keras.optimizers has it"),
        ("import keras.layes", ImportError, "did you mean 'layers'?"),
        ("from keras.models import Graph", ImportError, "made by Model(inputs, outputs)"),
        ("from keras.models import nothing_like_it", ImportError, "keras.models has no 'nothing"),
    ],
)
def test_a_missing_name_says_what_to_use(line, error, says):
    compat.install()
    with pytest.raises(error, match="keras") as caught:
        run(line)
    assert says in str(caught.value)


def test_asking_whether_a_name_exists_is_no_error():
    compat.install()
    assert not hasattr(run("import keras")["keras"], "no_such_name")


@without_tensorflow
def test_of_tensorflow_there_is_keras_alone():
    compat.install()
    space = run("import tensorflow as tf\nfrom tensorflow.keras.layers import Dense")
    assert space["tf"].keras.layers.Dense is space["Dense"] is funkeras.layers.Dense
    assert config.dialect() == "modern"
    for line in ("import tensorflow as tf; tf.square", "from tensorflow import square"):
        with pytest.raises((AttributeError, ImportError), match=r"tf\.square needs TensorFlow"):
            run(line)


@without_tensorflow
def test_the_version_asked_for_is_stronger_than_tensorflow():
    compat.install("2.2.4")
    run("from tensorflow.keras import layers")
    assert config.dialect() == "keras2"


def test_an_unknown_version_is_refused():
    with pytest.raises(ValueError, match=r"keras must be one of 1.2.2, 2.2.4, 3; got '4'"):
        compat.install("4")


def test_another_keras_in_the_process_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras", importlib.util)
    with pytest.raises(RuntimeError, match="call install\\(\\) before"):
        compat.install()


def test_the_backend_that_a_script_expects_is_an_option():
    compat.install("1.2.2", backend="theano")
    assert config.backend() == "theano"


def test_names_that_keras_3_has_at_its_top():
    compat.install("3")
    import keras

    with keras.device("cpu:0"):
        assert next(iter(jnp.zeros(1).devices())) == jax.devices("cpu")[0]
    with pytest.raises(ValueError, match=r"no device 'cpu:99'; JAX has \['cpu:0'"):
        keras.device("cpu:99").__enter__()
    assert keras.version() == funkeras.__version__
    assert keras.FloatDTypePolicy is keras.DTypePolicy
    square = jax.grad(keras.remat(lambda x: x**2))
    assert square(3.0) == 6.0


def test_a_keras_tensor_is_a_shape_and_a_dtype_that_operations_and_layers_take():
    compat.install("3")
    import keras

    x = keras.KerasTensor((None, 3))
    assert (x.shape, x.dtype, x.sparse) == ((None, 3), "float32", False)
    y = keras.layers.Dense(2)(keras.ops.exp(keras.KerasTensor((4, 3), "float16", name="x")))
    assert (y.shape, y.dtype) == ((4, 2), "float32")
    assert keras.KerasTensor((2,), dtype=int).dtype == "int32"
