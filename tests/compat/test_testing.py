"""`keras.utils.test_utils`, with which users test layers of their own."""

import numpy as np
import pytest

from funkeras.compat.testing import layer_test
from funkeras.layers import Dense, Lambda, Layer


class Scaled(Layer):
    def __init__(self, factor=2.0, **options):
        self.factor = factor
        super().__init__(**options)

    def call(self, x):
        return self.factor * x

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


class Forgetful(Scaled):
    def get_config(self):
        return super(Scaled, self).get_config()


x = np.arange(6, dtype="float32").reshape(3, 2)


@pytest.mark.parametrize(
    ("layer", "arguments", "expected"),
    [
        (Scaled, {"factor": 3.0}, 3 * x),
        (Lambda, {"function": lambda x, a, b: x * a + b, "arguments": {"a": 2, "b": 1}}, 2 * x + 1),
        (Dense, {"units": 1, "kernel_initializer": "ones"}, x.sum(-1, keepdims=True)),
    ],
)
def test_a_layer_is_run_saved_and_loaded(layer, arguments, expected):
    y = layer_test(layer, arguments, input_data=x, expected_output=expected)
    np.testing.assert_allclose(y, expected)


def test_a_config_that_forgets_an_argument_is_found():
    with pytest.raises(AssertionError):
        layer_test(Forgetful, {"factor": 3.0}, input_data=x)
