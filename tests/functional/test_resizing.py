import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import config
from funkeras import functional as F

IMAGE = np.arange(24.0, dtype="float32").reshape(1, 3, 4, 2)


def run(pair, x=IMAGE):
    return np.asarray(pair.apply({}, {}, jnp.asarray(x))[0])


@pytest.mark.parametrize(
    ("padding", "edges"),
    [
        (1, ((1, 1), (1, 1))),
        ((1, 2), ((1, 1), (2, 2))),
        (((1, 0), 2), ((1, 0), (2, 2))),
        ((1, 2, 3, 0), ((1, 2), (3, 0))),
        ({"top_pad": 1, "right_pad": 2}, ((1, 0), (0, 2))),
    ],
    ids=str,
)
def test_padding_takes_every_form_of_its_edges(padding, edges):
    np.testing.assert_array_equal(
        run(F.zero_padding2d(padding)), np.pad(IMAGE, ((0, 0), *edges, (0, 0)))
    )


def test_cropping_undoes_padding():
    edges = ((1, 2), (0, 3))
    pair = F.serial(F.zero_padding2d(edges), F.cropping2d(edges))
    y, _ = pair.apply(*pair.init(None, IMAGE.shape), jnp.asarray(IMAGE))
    np.testing.assert_array_equal(y, IMAGE)


def test_cropping_leaves_something_in_keras_3_and_may_leave_nothing_before():
    x = jnp.ones((1, 2, 3))
    for dialect in ("classic", "keras2"):
        with config.using_dialect(dialect):
            assert F.cropping1d(1).apply({}, {}, x)[0].shape == (1, 0, 3)
    with config.using_dialect("modern"), pytest.raises(ValueError, match="must leave 1 or more"):
        F.cropping1d(1).apply({}, {}, x)


def test_nearest_upsampling_repeats_along_each_axis():
    expected = IMAGE.repeat(2, 1).repeat(3, 2)
    np.testing.assert_array_equal(run(F.up_sampling2d((2, 3))), expected)


def test_bilinear_upsampling_takes_pixels_for_points_in_old_dialects_and_for_squares_now():
    x = np.array([0.0, 4.0, 8.0], "float32").reshape(1, 1, 3, 1)
    expected = {
        "keras2": [0, 2, 4, 6, 8, 8],
        "classic": [0, 2, 4, 6, 8, 8],
        "modern": [0, 1, 3, 5, 7, 8],
    }
    for dialect, values in expected.items():
        with config.using_dialect(dialect):
            pair = F.up_sampling2d((1, 2), interpolation="bilinear")
        np.testing.assert_allclose(run(pair, x).ravel(), values, atol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: F.zero_padding2d((1, 2, 3)), "padding must be one number, or one or a pair per"),
        (lambda: F.zero_padding2d(-1), "padding must be 2 integers of at least 0"),
        (lambda: F.zero_padding1d({"top_pad": 1}), "dict takes left_pad, right_pad; got"),
        (lambda: F.up_sampling2d(0), "size must be 2 integers of at least 1, got 0"),
        (lambda: F.up_sampling2d(2, interpolation="area"), "interpolation must be one of nearest"),
        (lambda: F.output_shape(F.cropping2d(2), (1, 3, 9, 1)), "must leave"),
        (lambda: F.output_shape(F.cropping1d(1), (1, 3)), "expected an input of rank 3"),
    ],
)
def test_wrong_arguments_and_inputs_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
