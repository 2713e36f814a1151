"""`serialize_keras_object` and back; the data are those of genuine Keras 3.15.1."""

import json

import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import (
    activations,
    config,
    constraints,
    initializers,
    losses,
    metrics,
    optimizers,
    registry,
    regularizers,
)
from funkeras.dtype_policies import DTypePolicy
from funkeras.layers import Dense, Input, Layer
from funkeras.models import Model, Sequential
from funkeras.models.serializing import deserialize_keras_object, serialize_keras_object


@pytest.fixture(autouse=True)
def modern():
    config.set_dialect("modern")


def said(module, name, options):
    return {"module": module, "class_name": name, "config": options, "registered_name": None}


@pytest.mark.parametrize(
    ("thing", "expected"),
    [
        (
            lambda: losses.MeanSquaredError(),
            said(
                "keras.losses",
                "MeanSquaredError",
                {"name": "mean_squared_error", "reduction": "sum_over_batch_size"},
            ),
        ),
        (
            lambda: metrics.MeanAbsoluteError(),
            said(
                "keras.metrics",
                "MeanAbsoluteError",
                {"name": "mean_absolute_error", "dtype": "float32"},
            ),
        ),
        (lambda: regularizers.L2(0.5), said("keras.regularizers", "L2", {"l2": 0.5})),
        (
            lambda: constraints.MaxNorm(2),
            said("keras.constraints", "MaxNorm", {"max_value": 2, "axis": 0}),
        ),
        (
            lambda: optimizers.schedules.ExponentialDecay(0.1, 2, 0.5),
            said(
                "keras.optimizers.schedules",
                "ExponentialDecay",
                {
                    "initial_learning_rate": 0.1,
                    "decay_steps": 2,
                    "decay_rate": 0.5,
                    "staircase": False,
                    "name": "ExponentialDecay",
                },
            ),
        ),
        (
            lambda: DTypePolicy("mixed_bfloat16"),
            said("keras", "DTypePolicy", {"name": "mixed_bfloat16"}),
        ),
        (
            lambda: activations.relu,
            {
                "module": "builtins",
                "class_name": "function",
                "config": "relu",
                "registered_name": "function",
            },
        ),
        (
            lambda: np.arange(3),
            {"class_name": "__numpy__", "config": {"value": [0, 1, 2], "dtype": "int64"}},
        ),
        (
            lambda: jnp.ones(2),
            {"class_name": "__tensor__", "config": {"value": [1.0, 1.0], "dtype": "float32"}},
        ),
        (
            lambda: slice(1, 2),
            {"class_name": "__slice__", "config": {"start": 1, "stop": 2, "step": None}},
        ),
        (lambda: b"ab", {"class_name": "__bytes__", "config": {"value": "ab"}}),
        (lambda: {"a": (1, [None, "b"])}, {"a": (1, [None, "b"])}),
        (lambda: np.float32(2), 2.0),
    ],
)
def test_the_data_of_keras_and_back(thing, expected):
    thing = thing()
    described = serialize_keras_object(thing)
    assert described == expected
    json.dumps(described)
    again = deserialize_keras_object(described)
    if isinstance(thing, np.ndarray | jnp.ndarray):
        np.testing.assert_array_equal(again, thing)
        assert isinstance(again, np.ndarray) == isinstance(thing, np.ndarray)
    elif hasattr(thing, "get_config"):
        assert type(again) is type(thing)
        assert again.get_config() == thing.get_config()
    else:
        assert again == thing


def test_layers_models_optimizers_and_initializers_come_back():
    layer = Dense(3, activation="relu", kernel_initializer=initializers.HeNormal(seed=1))
    described = json.loads(json.dumps(serialize_keras_object(layer)))
    assert (described["module"], described["class_name"]) == ("keras.layers", "Dense")
    assert described["config"]["kernel_initializer"]["class_name"] == "HeNormal"
    again = deserialize_keras_object(described)
    assert again.get_config() == layer.get_config()
    model = Sequential([Dense(2, input_shape=(3,)), Dense(1)])
    copy = deserialize_keras_object(json.loads(json.dumps(serialize_keras_object(model))))
    assert [layer.units for layer in copy.layers] == [2, 1]
    optimizer = deserialize_keras_object(serialize_keras_object(optimizers.SGD(0.5)))
    assert float(optimizer.learning_rate) == 0.5
    x = deserialize_keras_object(serialize_keras_object(Input((3,), name="x")))
    assert (x.shape, x.name) == ((None, 3), "x")


@registry.register_keras_serializable("serializing")
class Around(Layer):
    """A layer that holds another, as Keras's guide writes one."""

    def __init__(self, inner, scale=np.array([2.0]), **kwargs):  # noqa: B008
        super().__init__(**kwargs)
        self.inner, self.scale = inner, scale

    def call(self, x):
        return self.inner(x) * self.scale

    def get_config(self):
        own = {
            "inner": serialize_keras_object(self.inner),
            "scale": serialize_keras_object(self.scale),
        }
        return {**super().get_config(), **own}

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        for name in ("inner", "scale"):
            config[name] = deserialize_keras_object(config[name])
        return cls(**config)


def test_a_layer_that_holds_another_is_described_saved_and_loaded(tmp_path):
    from funkeras.models import load_model

    x = Input((3,))
    model = Model(x, Around(Dense(2, activation="tanh"), scale=np.array([3.0]))(x))
    described = json.loads(json.dumps(serialize_keras_object(model.layers[1])))
    assert described["registered_name"] == "serializing>Around"
    assert deserialize_keras_object(described).inner.units == 2
    data = np.random.random((2, 3))
    model.save(tmp_path / "a.keras")
    np.testing.assert_allclose(
        load_model(tmp_path / "a.keras").predict(data), model.predict(data), rtol=1e-6
    )


def test_own_functions_and_classes_need_a_name():
    def mine(x):
        return x

    class Plain:
        def get_config(self):
            return {"a": 1}

        def __init__(self, a=0):
            self.a = a

    described = serialize_keras_object(mine)
    with pytest.raises(ValueError, match="unknown function 'mine'"):
        deserialize_keras_object(described)
    assert deserialize_keras_object(described, {"mine": mine}) is mine
    described = serialize_keras_object(Plain())
    assert described["config"] == {"a": 1}
    with pytest.raises(ValueError, match="unknown class 'Plain'"):
        deserialize_keras_object(described)
    assert deserialize_keras_object(described, custom_objects={"Plain": Plain}).a == 1
    with pytest.raises(TypeError, match="neither get_config nor a name"):
        serialize_keras_object(lambda x: x)
    with pytest.raises(ValueError, match="a lambda is code"):
        deserialize_keras_object({"class_name": "__lambda__", "config": {"value": "…"}})
    with pytest.warns(UserWarning, match="not run all the same"):
        deserialize_keras_object([1], safe_mode=False)
    assert deserialize_keras_object("mine", module_objects={"mine": mine}) is mine
