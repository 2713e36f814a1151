"""`input_spec` of written layers, and what layers tell of their penalties."""

import numpy as np
import pytest

from funkeras import regularizers
from funkeras.layers import Dense, Input, InputSpec, Layer


class Doubled(Layer):
    def call(self, x, mask=None):
        return x[0] * 2 if isinstance(x, list) else x * 2


@pytest.mark.parametrize(
    ("spec", "shape", "says"),
    [
        (InputSpec(ndim=3), (None, 4), "3 axes"),
        (InputSpec(ndim="2+"), (None,), "at least 2 axes"),
        (InputSpec(min_ndim=3), (None, 4), "at least 3 axes"),
        (InputSpec(max_ndim=1), (None, 4), "at most 1 axes"),
        (InputSpec(shape=(None, 5)), (None, 4), "5 entries along axis 1"),
        (InputSpec(axes={-1: 3}), (None, 4), "3 entries along axis -1"),
        ([InputSpec(ndim=2), InputSpec(ndim=2)], (None, 4), "takes 2 inputs, got 1"),
    ],
)
def test_an_input_that_does_not_fit_is_refused_by_name(spec, shape, says):
    layer = Doubled(name="twice")
    layer.input_spec = spec
    with pytest.raises(ValueError, match="'twice'") as caught:
        layer(Input(batch_shape=shape))
    assert says in str(caught.value)


@pytest.mark.parametrize("spec", [InputSpec(ndim=2), [InputSpec(shape=(None, 4))], None])
def test_an_input_that_fits_passes(spec):
    layer = Doubled()
    layer.input_spec = spec
    assert layer(Input((4,))).shape == (None, 4)


def test_a_layer_lists_its_penalties_and_constraints():
    layer = Dense(2, W_regularizer="l2", activity_regularizer="activity_l1", b_constraint="nonneg")
    y = layer(Input((3,)))
    weight, activity = layer.losses
    kernel = layer.get_weights()[0]
    np.testing.assert_allclose(weight.eval(), 0.01 * np.sum(kernel**2), rtol=1e-5)
    assert [own.shape for own in layer.get_losses_for(layer.input)] == [activity.shape] == [()]
    assert len(layer.regularizers) == 2
    assert isinstance(layer.regularizers[0], regularizers.Regularizer)
    assert [variable.path for variable in layer.constraints] == [f"{layer.name}/bias"]
    assert y.shape == (None, 2)


def test_a_last_axis_of_size_one_may_be_squeezed():
    layer = Doubled(name="twice")
    layer.input_spec = InputSpec(shape=(None, 3, 1), allow_last_axis_squeeze=True)
    for shape in ((2, 3), (2, 3, 1)):  # Keras 3.15 takes both, and refuses (2, 4)
        assert layer(np.ones(shape)).shape == shape
    with pytest.raises(ValueError, match="must have 3 entries along axis 1"):
        layer(np.ones((2, 4)))


def test_a_spec_comes_back_from_its_config():
    spec = InputSpec("float32", min_ndim=2, axes={"-1": 3}, optional=True, name="x")
    again = InputSpec.from_config(spec.get_config())
    assert again.get_config() == spec.get_config()
    assert (again.axes, again.optional, again.wrong((None, 3))) == ({-1: 3}, True, "")
