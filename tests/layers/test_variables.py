"""Variables that users make: by values and initializers, alone and as attributes of layers."""

import numpy as np
import pytest

from funkeras import config, ops
from funkeras.constraints import NonNeg
from funkeras.initializers import Constant
from funkeras.layers import Dense, Input, Layer
from funkeras.models import Model, Sequential
from funkeras.regularizers import L2
from funkeras.variables import Variable

X = np.random.default_rng(0).random((6, 3), "float32")


@pytest.fixture(autouse=True)
def modern():
    with config.using_dialect("modern"):
        yield


class Shifted(Layer):
    """Has variables in attributes, as Keras 3 allows: plain, in a list, and a counter."""

    def __init__(self, **options):
        super().__init__(**options)
        self.shift = Variable(np.full(3, 0.5), name="shift")
        self.steps = Variable(0, dtype="int32", trainable=False, name="steps")

    def build(self, input_shape):
        self.scales = [Variable("ones", shape=(3,), name="scale"), Variable(np.ones(3))]

    def call(self, x, training=False):
        if training:
            self.steps.assign_add(1)
        return x * self.scales[0] * self.scales[1] + self.shift


class Offset(Model):
    def __init__(self):
        super().__init__()
        self.dense = Dense(3)
        self.offset = Variable("zeros", shape=(3,))

    def call(self, x):
        return self.dense(x) + self.offset


def test_variables_that_are_attributes_of_a_layer_are_trained_and_saved(tmp_path):
    layer = Shifted()
    model = Sequential([Input((3,)), layer])
    assert [w.name.partition("/")[2] for w in layer.trainable_weights] == [
        "shift",
        "scale",
        "variable",
    ]
    assert len(layer.non_trainable_weights) == 1
    model.compile("sgd", "mse")
    model.optimizer.learning_rate = 0.1
    y = model.predict(X, verbose=0)
    np.testing.assert_allclose(y, X + 0.5, rtol=1e-6)
    model.fit(X, X, batch_size=3, shuffle=False, verbose=0)
    # by hand: the loss is a mean over 3 x 3 entries, and the gap is 0.5 in the first batch
    shift, scale, other = np.full(3, 0.5), np.ones(3), np.ones(3)
    for x in (X[:3], X[3:]):
        gap = 2 * (x * scale * other + shift - x) / 9
        steps = gap.sum(0), (gap * x * other).sum(0), (gap * x * scale).sum(0)
        shift, scale, other = (
            w - 0.1 * step for w, step in zip((shift, scale, other), steps, strict=True)
        )
    for own, expected in zip(layer.trainable_weights, (shift, scale, other), strict=True):
        np.testing.assert_allclose(own, expected, rtol=1e-5)
    assert (int(layer.steps), layer.steps.dtype) == (2, "int32")
    model.save_weights(tmp_path / "shifted.weights.h5")
    trained = model.get_weights()
    model.set_weights([0 * w for w in trained])
    model.load_weights(tmp_path / "shifted.weights.h5")
    for found, expected in zip(model.get_weights(), trained, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_variables_that_are_attributes_of_a_model_are_trained():
    model = Offset()
    model.compile("sgd", "mse")
    model.fit(X, X + 1, verbose=0)
    assert len(model.trainable_weights) == 3
    assert (np.asarray(model.offset) != 0).all()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"initializer": "ones", "shape": (2,)}, [1.0, 1.0]),
        ({"initializer": Constant(3.0), "shape": (1,)}, [3.0]),
        ({"initializer": lambda shape, dtype: ops.zeros(shape, dtype), "shape": (1,)}, [0.0]),
        ({"initializer": [1, 2], "dtype": "int32"}, [1, 2]),
    ],
)
def test_a_variable_is_made_of_values_or_by_an_initializer(arguments, expected):
    variable = Variable(**arguments)
    np.testing.assert_array_equal(variable, expected)
    assert variable.dtype == arguments.get("dtype", "float32")


def test_assigning_gives_the_new_value():
    variable = Variable(np.zeros(2), name="v", trainable=False)
    np.testing.assert_array_equal(variable.assign([1.0, 2.0]), [1.0, 2.0])
    np.testing.assert_array_equal(variable.assign_add([1.0, 1.0]), [2.0, 3.0])
    np.testing.assert_array_equal(variable.assign_sub([2.0, 2.0]), [0.0, 1.0])
    with pytest.raises(ValueError, match="needs shape="):
        Variable("zeros")


def test_weights_tell_their_rules_and_take_others():
    layer = Dense(2, kernel_constraint="non_neg", bias_regularizer="l2")
    model = Sequential([Input((3,)), layer])
    assert isinstance(layer.kernel.constraint, NonNeg)
    assert (layer.kernel.regularizer, layer.bias.constraint) == (None, None)
    assert isinstance(layer.bias.regularizer, L2)
    layer.kernel.regularizer, layer.bias.constraint = L2(0.5), NonNeg()
    layer.set_weights([np.full((3, 2), 0.5), np.zeros(2)])
    assert not model.compiled
    model.compile("sgd", "mse")
    assert model.compiled
    y = np.full((6, 2), -100.0)
    gap = model.predict(X, verbose=0) - y
    expected = np.mean(gap**2) + 0.5 * 6 * 0.25
    np.testing.assert_allclose(model.evaluate(X, y, verbose=0), expected, rtol=1e-5)
    model.fit(X, y, verbose=0)
    np.testing.assert_array_equal(layer.bias, [0.0, 0.0])
