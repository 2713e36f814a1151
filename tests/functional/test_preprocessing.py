import json
from functools import cache
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import config
from funkeras import functional as F
from funkeras.functional.preprocessing_categories import quantiles
from funkeras.functional.preprocessing_places import seen
from funkeras.functional.preprocessing_warping import displaced, homography
from funkeras.layers import CategoryEncoding

GOLDEN = Path(__file__).parents[1] / "golden"
CASES = json.loads((GOLDEN / "preprocessing_layers.json").read_text())
KEYS = jax.random.split(jax.random.key(0), 200)
IMAGES = np.random.default_rng(0).uniform(0, 255, (4, 9, 8, 3)).astype("float32")


@cache
def stored():
    with np.load(GOLDEN / "preprocessing_layers.npz") as archive:
        return {key: archive[key] for key in archive.files}


def name_of(case):
    values = (f"{k}={v}" for k, v in case["kwargs"].items())
    return "-".join([case["class"], case.get("input", ""), *values])


def run(pair, x, key=KEYS[0], training=True):
    return jax.jit(lambda x: pair.apply({}, {}, x, training=training, key=key)[0])(x)


@pytest.mark.parametrize("case", [c for c in CASES if "input" in c], ids=name_of)
def test_equals_genuine_keras_3(case):
    pair = F.builders.find(case["class"])(**case["kwargs"])
    x, expected = stored()[f"in_{case['input']}"], stored()[case["output"]]
    got, _ = pair.apply({}, {}, x, training=True, key=KEYS[0])
    assert got.shape == expected.shape
    assert got.dtype == expected.dtype
    np.testing.assert_allclose(got, expected, rtol=2e-5, atol=2e-4 if expected.max() > 9 else 1e-6)


@pytest.mark.parametrize("case", [c for c in CASES if c["class"] == "adapt"], ids=name_of)
def test_quantiles_equal_genuine_keras_3(case):
    batches = [stored()[key] for key in case["batches"]]
    np.testing.assert_allclose(quantiles(batches, **case["kwargs"]), case["boundaries"], rtol=1e-6)


@pytest.mark.parametrize("case", [c for c in CASES if "outputs" in c], ids=name_of)
def test_either_sign_of_a_shear_equals_genuine_keras_3(case):
    pair = F.random_shear(**case["kwargs"])
    signs = [stored()[key] for key in case["outputs"]]
    found = set()
    for key in KEYS[:6]:
        for number, image in enumerate(run(pair, stored()["in_image"], key)):
            distances = [float(np.abs(image - own[number]).max()) for own in signs]
            assert min(distances) < 2e-4 * 255
            found.add(distances.index(min(distances)))
    assert found == {0, 1}


@pytest.mark.parametrize("case", [c for c in CASES if "warped" in c], ids=name_of)
def test_warps_equal_genuine_keras_3(case):
    x, expected = jnp.asarray(stored()["in_image"]), stored()[case["warped"]]
    given = {"interpolation": "bilinear", **case["kwargs"]}
    if "sigma" in given:
        noise = jnp.stack([jnp.asarray(stored()["warp_noise"])] * 2, 1)
        way = (given["interpolation"], given["fill_mode"], 3.0, False, 9)
        y = displaced(x, noise, jnp.asarray(2.5), jnp.asarray(given["sigma"]), *way)
    else:
        matrix = homography(*(jnp.asarray(stored()[f"warp_{end}"]) for end in ("starts", "ends")))
        y = seen(x, matrix, given["interpolation"], 7.0, False)
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=2e-4)


def test_perspectives_and_elastic_transforms_change_a_share_of_the_images():
    x = np.broadcast_to(IMAGES[:1], (200, 9, 8, 3))
    for build in (F.random_perspective, F.random_elastic_transform):
        y = np.asarray(run(build((0.5, 0.5), 0.8), x))
        kept = (y == x).all((1, 2, 3))
        assert 60 < kept.sum() < 140
        np.testing.assert_array_equal(run(build((1, 1), 0.0), x), x)
        np.testing.assert_array_equal(run(build(1.0), x, training=False), x)
    corner = run(F.random_perspective((1, 1)), x)[:, 0, 0]
    np.testing.assert_allclose(corner, x[:, 0, 0], rtol=1e-4)


def test_augmix_is_a_mean_of_images_and_chains():
    x = IMAGES
    y = run(F.aug_mix(factor=0.3), x)
    assert not np.allclose(y, x)
    assert 0 <= y.min() <= y.max() <= 255
    with pytest.raises(ValueError, match="alpha must be positive"):
        F.aug_mix(alpha=0)


def test_channels_have_their_own_scales_wherever_they_are():
    x, scale = np.ones((2, 4, 5, 3), "float32"), [1.0, 2.0, 3.0]
    last = run(F.rescaling(scale), x)
    config.set_image_data_format("channels_first")
    first = run(F.rescaling(scale), np.moveaxis(x, -1, 1))
    np.testing.assert_array_equal(jnp.moveaxis(first, 1, -1), last)


@pytest.mark.parametrize(
    "pair",
    [
        F.random_flip(),
        F.random_rotation(0.3),
        F.random_zoom(0.2),
        F.random_translation(0.2, 0.3),
        F.random_contrast(0.5),
        F.random_brightness(0.5),
        F.random_shear(0.2, 0.3),
        F.random_hue(0.5),
        F.random_saturation((0.1, 0.4)),
        F.random_color_degeneration(0.5),
        F.random_sharpness(0.5),
        F.random_color_jitter(hue_factor=0.5, saturation_factor=(0.1, 0.4)),
        F.solarization(0.5),
    ],
    ids=lambda pair: pair.name,
)
def test_random_layers_rest_at_inference_and_draw_for_each_image(pair):
    np.testing.assert_array_equal(run(pair, IMAGES, training=False), IMAGES)
    whole = run(pair, np.zeros((1, 4, 4, 1), "uint8"), training=False)
    assert whole.dtype == "float32"
    same = np.broadcast_to(IMAGES[:1], (40, 9, 8, 3))
    y = np.asarray(run(pair, same))
    distinct = len(np.unique(y.reshape(40, -1), axis=0))
    assert distinct == 2 if pair.name == "random_flip" else distinct == 40
    last = run(F.builders.find(pair.builder.keras_name)(**pair.config), same, KEYS[1])
    assert not np.array_equal(last, y)
    with pytest.raises(ValueError, match="rank 4"):
        run(pair, IMAGES[0])


@pytest.mark.parametrize(("mode", "axes"), [("horizontal", 2), ("vertical", 1)])
def test_every_second_image_is_flipped(mode, axes):
    x = np.broadcast_to(IMAGES[:1], (400, 9, 8, 3))
    y = np.asarray(run(F.random_flip(mode), x))
    kept = (y == x).all((1, 2, 3))
    np.testing.assert_array_equal(y[~kept], np.flip(x, axes)[~kept])
    assert 150 < kept.sum() < 250


@pytest.mark.parametrize(
    "pair", [F.random_invert(0.6), F.random_grayscale(0.3)], ids=lambda pair: pair.name
)
def test_a_share_of_the_images_changes_wholly(pair):
    x = np.broadcast_to(IMAGES[:1], (400, 9, 8, 3))
    y = np.asarray(run(pair, x))
    always = run(
        pair.builder(**{**pair.config, "factor": (1, 1) if "invert" in pair.name else 1}), x
    )
    kept = (y == x).all((1, 2, 3))
    np.testing.assert_allclose(y[~kept], np.asarray(always)[~kept], rtol=1e-6)
    assert abs((~kept).mean() - 0.3) < 0.08  # a chance from [0, 0.6], or 0.3 itself


def test_erased_rectangles_have_the_drawn_area():
    x = np.ones((400, 40, 50, 1), "float32")
    y = np.asarray(run(F.random_erasing((1, 1), (0.25, 0.25), 0.0), x))[..., 0]
    rows, columns = 1 - y.min(2), 1 - y.min(1)
    np.testing.assert_array_equal(1 - y, rows[:, :, None] * columns[:, None, :])
    assert set(rows.sum(1).tolist()) == {20.0}
    assert set(columns.sum(1).tolist()) == {25.0}
    noise = np.asarray(run(F.random_erasing((1, 1), (1, 1)), x))
    assert abs((noise == 0).mean() - 0.5) < 0.02  # cut at 0 and 255, normal between
    assert abs((noise == 255).mean() - 0.159) < 0.02


@pytest.mark.parametrize("pair", [F.mix_up(0.4), F.cut_mix((1, 1))], ids=lambda pair: pair.name)
def test_mixed_images_have_labels_mixed_alike(pair):
    count = 40
    images = np.arange(count, dtype="float32").reshape(-1, 1, 1, 1) * np.ones((1, 200, 200, 1))
    y = run(pair, {"images": images.astype("float32"), "labels": np.eye(count)})
    assert y["labels"].shape == (count, count)
    np.testing.assert_allclose(y["labels"].sum(1), 1, rtol=1e-5)
    # The mean of an image that holds its number is the mean number of its labels.
    means = y["labels"] @ np.arange(count)
    np.testing.assert_allclose(y["images"].mean((1, 2, 3)), means, atol=0.5)
    own = np.diag(y["labels"])
    assert ((own > 0) & (own < 1)).sum() > count / 2
    alone = run(pair, images.astype("float32"))
    np.testing.assert_array_equal(alone, y["images"])


def test_each_of_eleven_changes_is_drawn():
    pair = F.rand_augment(num_ops=1, factor=(0.4, 0.4))
    one = jax.vmap(lambda key: pair.apply({}, {}, IMAGES[:1], training=True, key=key)[0])
    assert len(np.unique(one(KEYS).reshape(len(KEYS), -1).round(2), axis=0)) >= 11
    contrast = np.asarray(F.auto_contrast().apply({}, {}, IMAGES[:1])[0])
    close = np.isclose(one(KEYS), contrast, atol=1e-3).all((1, 2, 3, 4))
    assert 5 <= close.sum() <= 35  # of 200, each eleventh


def test_a_pipeline_is_its_layers_in_turn():
    pair = F.pipeline((F.rescaling(1 / 255), F.center_crop(4, 4)))
    y, _ = pair.apply({}, {}, IMAGES)
    np.testing.assert_allclose(y, IMAGES[:, 2:6, 2:6] / 255, rtol=1e-6)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: F.random_hue(1.5), r"factor must lie in \[0.0, 1.0\]"),
        (lambda: F.random_posterization(9), r"factor must lie in \[1, 8\], got 9"),
        (lambda: F.random_gaussian_blur(kernel_size=4), "odd number or two, got 4"),
        (lambda: F.mix_up(0.0), "alpha must be positive"),
        (lambda: F.rand_augment(num_ops=0), "num_ops must be a positive integer"),
        (lambda: run(F.random_hue(0.1), IMAGES[..., :2]), "expected three channels"),
    ],
)
def test_wrong_arguments_of_changes_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_crops_are_parts_with_all_starts_equally_likely():
    x = np.arange(20.0, dtype="float32").reshape(1, 4, 5, 1)
    pair = F.random_crop(3, 3)
    corners = jax.vmap(lambda key: pair.apply({}, {}, x, training=True, key=key)[0][0, 0, 0, 0])
    found, counts = np.unique(corners(KEYS), return_counts=True)
    assert found.tolist() == [0, 1, 2, 5, 6, 7]
    assert counts.min() > 15
    y = run(pair, x)[0, :, :, 0]
    np.testing.assert_array_equal(y - y[0, 0], [[0, 1, 2], [5, 6, 7], [10, 11, 12]])
    assert run(F.random_crop(8, 3), x).shape == (1, 8, 3, 1)


@pytest.mark.parametrize("sizes", [(3, 4), (12, 5), (9, 3), (4, 9), (5, 7)])
def test_crops_at_inference_equal_tf_keras(sizes):
    pair, x = F.random_crop(*sizes), stored()["in_crop"]
    expected = stored()["crop_{}_{}".format(*sizes)]
    np.testing.assert_allclose(run(pair, x, training=False), expected, rtol=1e-5)
    if min(own - size for own, size in zip(x.shape[1:], sizes, strict=False)) < 0:
        np.testing.assert_allclose(run(pair, x), expected, rtol=1e-5)


def test_contrast_keeps_means_and_scales_differences():
    pair = F.random_contrast(0.4, value_range=(-1e4, 1e4))
    y = run(pair, IMAGES)
    np.testing.assert_allclose(y.mean((1, 2)), IMAGES.mean((1, 2)), rtol=1e-5)
    ratio = np.asarray(y.std((1, 2)) / IMAGES.std((1, 2)))
    np.testing.assert_allclose(ratio, ratio[:, :1] * np.ones((1, 3)), rtol=1e-4)
    assert (abs(ratio - 1) <= 0.4).all()
    assert len(np.unique(ratio[:, 0].round(4))) == 4
    clipped = run(F.random_contrast(1.0), IMAGES)
    assert clipped.min() >= 0
    assert clipped.max() <= 255


@pytest.mark.parametrize("first", [False, True])
def test_a_quarter_turn_is_exact(first):
    x = IMAGES[:, :, :8][:, :8]
    given = np.moveaxis(x, -1, 1) if first else x
    pair = F.random_rotation(
        (0.25, 0.25), data_format="channels_first" if first else "channels_last"
    )
    y = run(pair, given)
    y = jnp.moveaxis(y, 1, -1) if first else y
    np.testing.assert_allclose(y, np.rot90(x, 1, (1, 2)), rtol=1e-3, atol=1e-2)


def test_augmentation_is_part_of_the_gradient_and_of_vmap():
    pair = F.serial(F.random_rotation(0.1), F.random_contrast(0.2), F.rescaling(1 / 255))

    def loss(x, key):
        return pair.apply(*pair.init(key, x.shape), x, training=True, key=key)[0].sum()

    gradients = jax.jit(jax.vmap(jax.grad(loss), (None, 0)))(IMAGES, KEYS[:3])
    assert gradients.shape == (3, *IMAGES.shape)
    assert jnp.isfinite(gradients).all()


def test_weights_of_numbers_come_as_keras_3_names_them():
    numbers, weights = np.array([[1, 2, 1], [0, 4, 3]]), np.array([[0.5, 1, 2], [0, 0.1, 0.2]])
    counted = CategoryEncoding(5, output_mode="count")(numbers, count_weights=weights)
    np.testing.assert_allclose(counted, [[0, 2.5, 1, 0, 0], [0, 0, 0, 0.2, 0.1]], rtol=1e-6)
    with pytest.raises(ValueError, match="need output_mode='count', got 'multi_hot'"):
        CategoryEncoding(5)(numbers, count_weights=weights)


def test_counts_with_weights():
    pair = F.category_encoding(4, "count")
    y = run(pair, (np.array([[0, 1], [0, 0]]), np.array([[0.5, 0.25], [0.5, 1.0]])))
    np.testing.assert_array_equal(y, [[0.5, 0.25, 0, 0], [1.5, 0, 0, 0]])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, [[1, 2, 0], [3, 0, 0]]),
        ({"mask_token": 0}, [[2, 3, 1], [4, 1, 0]]),
        ({"num_oov_indices": 0}, [[0, 1, -1], [2, -1, -1]]),
        ({"num_oov_indices": 2}, [[2, 3, 1], [4, 0, 0]]),
        ({"output_mode": "multi_hot"}, [[1, 1, 1, 0], [1, 0, 0, 1]]),
        ({"output_mode": "count", "mask_token": 0}, [[1, 1, 1, 0], [1, 0, 0, 1]]),
        (
            {"output_mode": "binary", "max_tokens": 5, "pad_to_max_tokens": True},
            [[1, 1, 1, 0, 0], [1, 0, 0, 1, 0]],
        ),
        ({"output_mode": "tf-idf", "idf_weights": [1, 2, 3]}, [[2, 1, 2, 0], [4, 0, 0, 3]]),
    ],
)
def test_looked_up_numbers(given, expected):
    y = run(F.integer_lookup(vocabulary=[12, 5, 7], **given), np.array([[12, 5, 9], [7, 4, 0]]))
    np.testing.assert_array_equal(y, expected)


def test_places_back_to_numbers():
    given = {"vocabulary": [12, 5], "mask_token": 0}
    places = run(F.integer_lookup(**given), np.array([0, 12, 5, 99]))
    assert places.tolist() == [0, 2, 3, 1]
    assert run(F.integer_lookup(**given, invert=True), places).tolist() == [0, 12, 5, -1]
    assert run(F.integer_lookup(**given, invert=True), np.array([7, -3])).tolist() == [-1, -1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: F.resizing(0, 3), "height must be a positive integer"),
        (lambda: F.resizing(2, 3, "cubic"), "interpolation must be one of"),
        (lambda: F.resizing(2, 3, fill_mode="reflect"), "fill_mode must be one of constant"),
        (
            lambda: F.resizing(2, 3, crop_to_aspect_ratio=True, pad_to_aspect_ratio=True),
            "not both",
        ),
        (lambda: F.random_flip("diagonal"), "mode must be one of"),
        (lambda: F.random_rotation(1.5), r"factor must lie in \[-1.0, 1.0\]"),
        (lambda: F.random_rotation(0.1, "edge"), "fill_mode must be one of"),
        (lambda: F.random_contrast(-0.5), r"factor must lie in \[0, 1\]"),
        (lambda: F.category_encoding(0), "num_tokens must be a positive"),
        (lambda: F.category_encoding(3, "int"), "output_mode must be one of"),
        (lambda: F.category_encoding(3, sparse=True), "sparse=True is not possible"),
        (lambda: F.discretization(), "give bin_boundaries, or num_bins"),
        (lambda: F.discretization([1.0, 0.0]), "must increase"),
        (lambda: run(F.discretization(num_bins=3), IMAGES), "adapt to data first"),
        (lambda: quantiles([], 3), "needs data"),
        (lambda: run(F.integer_lookup(), np.array([1])), "adapt to data first"),
        (lambda: F.integer_lookup(vocabulary=[1, 1]), "twice"),
        (lambda: F.integer_lookup(2, vocabulary=[1, 2]), "needs 3 places, max_tokens=2"),
        (lambda: F.integer_lookup(vocabulary=[1], output_mode="tf_idf"), "needs 1 idf_weights"),
        (lambda: F.integer_lookup(invert=True, output_mode="count"), "invert needs"),
        (lambda: F.integer_lookup(pad_to_max_tokens=True), "needs max_tokens"),
        (lambda: F.integer_lookup(num_oov_indices=-1), "must not be negative"),
        (lambda: run(F.center_crop(2, 2), np.zeros((3, 3))), "image or a batch"),
    ],
)
def test_wrong_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
