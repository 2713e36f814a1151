import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import config
from funkeras import functional as F

KEY = jax.random.key(0)


def spread(x, kernel, strides):
    """All places that inputs reach: each adds its kernel, one by one."""
    rows, columns, filters, _ = kernel.shape
    size = [(n - 1) * s + k for n, s, k in zip(x.shape[1:3], strides, (rows, columns), strict=True)]
    y = np.zeros((len(x), *size, filters))
    for i in range(x.shape[1]):
        for j in range(x.shape[2]):
            top, left = i * strides[0], j * strides[1]
            part = np.einsum("nc,rsoc->nrso", x[:, i, j], kernel)
            y[:, top : top + rows, left : left + columns] += part
    return y


@pytest.mark.parametrize("backend", ["tensorflow", "theano"])
def test_every_input_adds_its_kernel_and_same_crops_as_the_backend_did(backend):
    with config.using_backend(backend):
        valid = F.conv2d_transpose(3, 3, 2)
        same = F.conv2d_transpose(3, 3, 2, "same")
    variables = valid.init(KEY, (None, 4, 4, 2))
    x = np.random.default_rng(0).standard_normal((2, 4, 4, 2)).astype("float32")
    whole = spread(x, np.asarray(variables[0]["kernel"]), (2, 2))
    np.testing.assert_allclose(valid.apply(*variables, jnp.asarray(x))[0], whole, atol=1e-5)
    first = 1 if backend == "theano" else 0
    cropped = whole[:, first : first + 8, first : first + 8]
    np.testing.assert_allclose(same.apply(*variables, jnp.asarray(x))[0], cropped, atol=1e-5)


@pytest.mark.parametrize(("more", "end"), [(None, 7), (1, 8)])
def test_full_leaves_out_what_a_full_convolution_padded(more, end):
    pair = F.conv2d_transpose(3, (3, 2), 2, "full", more)
    variables = pair.init(KEY, (None, 4, 4, 2))
    x = np.random.default_rng(0).standard_normal((2, 4, 4, 2)).astype("float32")
    whole = spread(x, np.asarray(variables[0]["kernel"]), (2, 2))
    expected = whole[:, 2:end, 1:end]  # of 9 rows and 8 columns
    np.testing.assert_allclose(pair.apply(*variables, jnp.asarray(x))[0], expected, atol=1e-5)


def test_the_output_shape_of_keras_1_chooses_among_the_possible_sizes():
    x = jnp.ones((2, 3, 4, 4))
    for size in (7, 8):
        given = (None, 5, size, size)
        pair = F.conv2d_transpose(5, 3, 2, "same", None, "channels_first", output_shape=given)
        y, _ = pair.apply(*pair.init(KEY, x.shape), x)
        assert y.shape == (2, 5, size, size)
    pair = F.conv2d_transpose(5, 3, 2, "same", None, "channels_first", output_shape=(None, 5, 9, 9))
    with pytest.raises(ValueError, match=r"brings to \(4, 4\), got \(None, 5, 9, 9\)"):
        F.output_shape(pair, (None, 3, 4, 4))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"filters": 0}, "filters must be a positive integer, got 0"),
        ({"padding": "causal"}, "padding must be one of valid, same, full; got 'causal'"),
        ({"output_padding": 2}, r"output_padding must be less than strides \(1, 1\), got \(2, 2\)"),
        ({"output_shape": (4, 4, 3)}, "output_shape must have a batch, 2 sizes and 4 filters"),
        ({"output_shape": (2, 8, 8, 3)}, "4 filters on axis -1, got"),
    ],
)
def test_wrong_arguments_are_refused_when_the_layer_is_made(arguments, message):
    with pytest.raises(ValueError, match=message):
        F.conv2d_transpose(**{"filters": 4, "kernel_size": 3, **arguments})


def test_an_input_of_another_rank_is_refused():
    with pytest.raises(ValueError, match="expected an input of rank 4"):
        F.output_shape(F.conv2d_transpose(2, 3), (None, 4, 4))
