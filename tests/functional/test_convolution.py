import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import config
from funkeras import functional as F

KEY = jax.random.key(0)


def test_conv2d_is_the_sum_over_places_of_input_times_kernel():
    pair = F.conv2d(3, (2, 3), activation="tanh")
    params, state = pair.init(KEY, (None, 4, 5, 2))
    params["bias"] = jnp.arange(3.0)
    x = np.random.default_rng(0).standard_normal((2, 4, 5, 2)).astype("float32")
    kernel = np.asarray(params["kernel"])
    expected = np.zeros((2, 3, 3, 3))
    for i in range(3):
        for j in range(3):
            window = x[:, i : i + 2, j : j + 3]
            expected[:, i, j] = np.einsum("nrsc,rsco->no", window, kernel) + np.arange(3)
    y, _ = pair.apply(params, state, jnp.asarray(x))
    np.testing.assert_allclose(y, np.tanh(expected), atol=1e-5)


def test_causal_conv1d_sees_no_later_step():
    pair = F.conv1d(2, 3, padding="causal", dilation_rate=2)
    variables = pair.init(KEY, (None, 8, 1))

    def run(x):
        return pair.apply(*variables, x[None, :, None])[0][0, :, 0]

    dependence = np.asarray(jax.jacobian(run)(jnp.ones(8)))
    assert dependence.shape == (8, 8)
    assert (dependence[np.triu_indices(8, 1)] == 0).all()
    assert all((dependence[step, [step, step - 2, step - 4]] != 0).all() for step in range(4, 8))


def test_the_data_format_is_that_of_the_time_of_making():
    config.set_image_data_format("channels_first")
    pair = F.conv2d(4, 3)
    config.set_image_data_format("channels_last")
    assert F.output_shape(pair, (None, 1, 8, 9)) == (None, 4, 6, 7)


@pytest.mark.parametrize(
    "make",
    [
        lambda padding: F.conv2d(2, 3, padding=padding),
        lambda padding: F.conv2d_transpose(2, 3, 2, padding=padding),
        lambda padding: F.separable_conv2d(2, 3, padding=padding),
        lambda padding: F.depthwise_conv2d(2, padding=padding),
        lambda padding: F.locally_connected2d(2, 2, padding=padding, implementation=2),
        lambda padding: F.max_pooling2d(2, padding=padding),
        lambda padding: F.average_pooling2d(3, 1, padding=padding),
    ],
)
def test_padding_may_be_in_capital_letters(make):
    x = jnp.arange(50.0).reshape(1, 5, 5, 2)
    same, capital = make("same"), make("SAME")
    params, state = same.init(jax.random.key(0), x.shape)
    wanted, _ = same.apply(params, state, x)
    np.testing.assert_array_equal(capital.apply(params, state, x)[0], wanted)


def test_groups_see_their_own_channels_only():
    pair = F.conv1d(4, 1, groups=2, use_bias=False)
    variables = pair.init(KEY, (None, 1, 6))
    seen = jax.jacobian(lambda x: pair.apply(*variables, x[None, None])[0].ravel())(jnp.ones(6))
    np.testing.assert_array_equal(
        np.asarray(seen) != 0, np.kron(np.eye(2), np.ones((2, 3))).astype(bool)
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"filters": 0}, "filters must be a positive integer, got 0"),
        ({"kernel_size": (3, 3, 3)}, "kernel_size must be 2 integers"),
        ({"padding": "causal"}, "padding must be one of valid, same, full; got 'causal'"),
        ({"groups": 3}, "filters must be a multiple of groups, got 4 for 3 groups"),
        ({"data_format": "last"}, "data_format must be one of channels_first, channels_last"),
    ],
)
def test_wrong_arguments_are_refused_when_the_layer_is_made(arguments, message):
    with pytest.raises(ValueError, match=message):
        F.conv2d(**{"filters": 4, "kernel_size": 3, **arguments})


def test_wrong_inputs_are_refused_with_their_shape():
    pair = F.conv2d(4, 3, groups=2)
    with pytest.raises(ValueError, match="groups must divide the 3 channels, got 2"):
        pair.init(KEY, (None, 5, 5, 3))
    with pytest.raises(ValueError, match="expected an input of rank 4"):
        pair.init(KEY, (None, 5, 4))
    with pytest.raises(ValueError, match="must fit the input, got one of"):
        F.output_shape(pair, (None, 2, 9, 4))
