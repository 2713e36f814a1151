"""What operations refuse, and that their results can be differentiated, batched and drawn."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import Input, Model, config, ops

IMAGE = np.linspace(0, 1, 2 * 6 * 6 * 3, dtype="float32").reshape(2, 6, 6, 3)
KERNEL = np.linspace(-1, 1, 3 * 3 * 3 * 2, dtype="float32").reshape(3, 3, 3, 2)


@pytest.fixture(autouse=True)
def keras_3():
    config.set_dialect("modern")


REFUSED = {
    "channels": (lambda: ops.conv(IMAGE[..., :2], KERNEL), "channels of the input"),
    "depth": (lambda: ops.depthwise_conv(IMAGE[..., :2], KERNEL), "is for 3 channels"),
    "window": (lambda: ops.conv(IMAGE[:, :2], KERNEL), "must fit the input"),
    "pool": (lambda: ops.max_pool(IMAGE, 7), "must fit the input"),
    "padding": (lambda: ops.conv(IMAGE, KERNEL, padding="full"), "padding must be one of"),
    "columns": (lambda: ops.fold(np.ones((1, 8, 8)), 4, 2), "multiple of 4, 9"),
    "block": (lambda: ops.depth_to_space(IMAGE, 2), "must divide the 3 channels"),
    "rows": (lambda: ops.space_to_depth(IMAGE[:, 1:], 2), "must divide rows"),
    "shapes": (lambda: ops.psnr(np.ones(2), np.ones(3), 1.0), "one shape"),
    "paths": (
        lambda: ops.ctc_decode(np.ones((1, 2, 3)), [2], "beam_search", 2, 3),
        "at most beam_width",
    ),
    "strategy": (lambda: ops.ctc_decode(np.ones((1, 2, 3)), [2], "best"), "strategy"),
    "classes": (lambda: ops.multi_hot([1]), "num_classes"),
    "order": (lambda: ops.normalize([1.0], order=0), "order must be"),
    "unroll": (lambda: ops.scan(lambda c, x: (c, x), 0, np.ones(2), unroll=0), "unroll"),
    "function": (lambda: ops.vectorize(3), "must be a function"),
    "edges": (lambda: ops.image.pad_images(IMAGE, 1, 1), "give two of both edges"),
    "target": (
        lambda: ops.image.crop_images(IMAGE, 1, 1, target_height=6, target_width=1),
        "must fit the height 6",
    ),
    "transform": (lambda: ops.image.affine_transform(IMAGE, np.ones(6)), r"shape \(8,\)"),
    "points": (lambda: ops.image.perspective_transform(IMAGE, [[0, 0]], [[0, 0]]), r"\(4, 2\)"),
    "bytes": (lambda: ops.image.rgb_to_hsv(IMAGE.astype("uint8")), "floating point"),
    "filter": (lambda: ops.image.ssim(IMAGE, IMAGE), "filter_size 11 must fit"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_argument_that_does_not_fit_is_named(case):
    call, told = REFUSED[case]
    with pytest.raises(ValueError, match=told):
        call()


def test_rms_scaling_of_a_layer_normalization_warns():
    with pytest.warns(UserWarning, match="rms_normalization"):
        y = ops.layer_normalization(IMAGE, rms_scaling=True)
    np.testing.assert_allclose(y, IMAGE / np.sqrt(IMAGE.var(-1, keepdims=True) + 1e-7), rtol=1e-5)
    with pytest.raises(TypeError, match="no argument scaling"):
        ops.layer_normalization(IMAGE, scaling=True)


def test_sparsemax_gives_points_of_the_simplex():
    y = ops.sparsemax(IMAGE[0, 0] * 30)
    np.testing.assert_allclose(y.sum(-1), 1, rtol=1e-6)
    assert float(y.min()) >= 0


def test_fold_adds_what_unfold_took():
    x = np.moveaxis(IMAGE, -1, 1)
    counted = ops.fold(ops.unfold(np.ones_like(x), 3, padding=1), 6, 3, padding=1)
    y = ops.fold(ops.unfold(x, 3, padding=1), 6, 3, padding=1)
    np.testing.assert_allclose(y, x * counted, rtol=1e-5)


def test_convolutions_over_four_axes_have_derivatives():
    x = jnp.linspace(-1, 1, 3**4 * 2).reshape(1, 3, 3, 3, 3, 2)
    kernel = jnp.linspace(-1, 1, 2**4 * 4).reshape(2, 2, 2, 2, 2, 2)
    step = 0.1 * jnp.cos(jnp.arange(64.0)).reshape(kernel.shape)
    slope = jax.jit(jax.grad(lambda k: jnp.sum(ops.conv(x, k, 1, "same") ** 2)))(kernel)
    ends = [jnp.sum(ops.conv(x, kernel + way * step, 1, "same") ** 2) for way in (1, -1)]
    np.testing.assert_allclose(jnp.sum(slope * step), (ends[0] - ends[1]) / 2, rtol=1e-3)


def test_operations_are_functions_to_transform():
    batched = jax.vmap(lambda x: ops.max_pool(x[None], 2)[0])(IMAGE)
    np.testing.assert_array_equal(batched, ops.max_pool(IMAGE, 2))
    jitted = jax.jit(lambda x, k: ops.conv(x, k))(IMAGE, KERNEL)
    np.testing.assert_allclose(jitted, ops.conv(IMAGE, KERNEL), rtol=1e-5, atol=1e-5)


def test_elastic_transforms_without_a_seed_differ():
    first, second = (ops.image.elastic_transform(IMAGE, sigma=0.7) for _ in range(2))
    assert not np.array_equal(first, second)
    x = Input((6, 6, 3))
    model = Model(x, ops.image.elastic_transform(x, sigma=0.7))
    first, second = (model.predict(IMAGE, verbose=0) for _ in range(2))
    assert not np.array_equal(first, second)


def test_gaussian_blur_without_a_data_format_takes_the_configured_one():
    blurred = ops.image.gaussian_blur(IMAGE, (3, 5))
    np.testing.assert_array_equal(
        blurred, ops.image.gaussian_blur(IMAGE, (3, 5), data_format="channels_last")
    )


@pytest.mark.parametrize(
    ("call", "shape"),
    [
        (lambda x: ops.conv(x, KERNEL, 2, "same"), (None, 3, 3, 2)),
        (lambda x: ops.adaptive_max_pool(x, 4), (None, 4, 4, 3)),
        (lambda x: ops.image.resize(x, (4, 5)), (None, 4, 5, 3)),
        (lambda x: ops.image.affine_transform(x, [1.0, 0, 0, 0, 1, 0, 0, 0]), (None, 6, 6, 3)),
        (lambda x: ops.image.ssim(x, x, filter_size=3), (None,)),
        (lambda x: ops.image.extract_patches(x, 2), (None, 3, 3, 12)),
        (lambda x: ops.unfold(x, 2), (None, 24, 10)),
        (lambda x: ops.map(lambda row: row * 2, x), (None, 6, 6, 3)),
    ],
)
def test_a_batch_of_unknown_size_stays_unknown(call, shape):
    assert call(Input((6, 6, 3))).shape == shape
