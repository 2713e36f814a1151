import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import functional as F

KEY = jax.random.key(0)


def test_depthwise_runs_each_kernel_over_its_own_channel():
    pair = F.depthwise_conv2d((2, 3), depth_multiplier=2)
    params, state = pair.init(KEY, (None, 4, 5, 3))
    assert params["depthwise_kernel"].shape == (2, 3, 3, 2)
    x = np.random.default_rng(0).standard_normal((2, 4, 5, 3)).astype("float32")
    y, _ = pair.apply(params, state, jnp.asarray(x))
    alone = F.conv2d(2, (2, 3), use_bias=False)
    for channel in range(3):
        kernel = params["depthwise_kernel"][:, :, channel : channel + 1]
        part, _ = alone.apply({"kernel": kernel}, {}, jnp.asarray(x[..., channel : channel + 1]))
        np.testing.assert_allclose(y[..., 2 * channel : 2 * channel + 2], part, atol=1e-5)


def test_separable_is_depthwise_and_then_a_mixture_of_channels():
    pair = F.separable_conv2d(5, 3, strides=2, padding="same", depth_multiplier=2)
    params, state = pair.init(KEY, (None, 6, 5, 3))
    x = jax.random.normal(KEY, (2, 6, 5, 3))
    depthwise = F.depthwise_conv2d(3, 2, "same", 2, use_bias=False)
    inner, _ = depthwise.apply({"depthwise_kernel": params["depthwise_kernel"]}, {}, x)
    expected = np.asarray(inner) @ np.asarray(params["pointwise_kernel"])[0, 0]
    np.testing.assert_allclose(pair.apply(params, state, x)[0], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: F.depthwise_conv2d(3, depth_multiplier=0), "depth_multiplier must be a positive"),
        (lambda: F.separable_conv2d(0, 3), "filters must be a positive integer, got 0"),
        (lambda: F.separable_conv2d(2, 3, padding="causal"), "padding must be one of valid, same"),
        (lambda: F.output_shape(F.depthwise_conv1d(4), (None, 3, 2)), "must fit the input"),
        (lambda: F.output_shape(F.depthwise_conv2d(2), (None, 3, 2)), "input of rank 4"),
    ],
)
def test_wrong_arguments_and_inputs_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
