"""Layers that change images: single images, and dicts of images and what belongs to them."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import config, layers
from funkeras import functional as F
from funkeras import random as keras_random
from funkeras.layers import MaxNumBoundingBoxes

IMAGES = np.random.RandomState(0).rand(4, 6, 6, 3).astype("float32")
LABELS = np.arange(4)


@pytest.fixture(autouse=True)
def modern():
    config.set_dialect("modern")
    np.random.seed(2)


def dict_of(images, **more):
    return {"images": images, "labels": LABELS, **more}


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("RandomFlip", {}),
        ("RandomCrop", {"height": 3, "width": 4}),
        ("RandomRotation", {"factor": 0.3, "interpolation": "nearest"}),
        (
            "RandomTranslation",
            {"height_factor": 0.3, "width_factor": 0.3, "interpolation": "nearest"},
        ),
        ("RandomZoom", {"height_factor": 0.6, "interpolation": "nearest"}),
        ("CenterCrop", {"height": 4, "width": 2}),
        ("Resizing", {"height": 3, "width": 3, "interpolation": "nearest"}),
    ],
)
def test_segmentation_masks_move_as_their_images_do(name, options):
    layer = getattr(layers, name)(**options)
    masks = (IMAGES[..., :1] * 100).astype("int32")
    y = layer(dict_of(IMAGES, segmentation_masks=masks), training=True)
    np.testing.assert_array_equal(y["labels"], LABELS)
    assert y["segmentation_masks"].dtype == masks.dtype
    expected = (np.asarray(y["images"])[..., :1] * 100).astype("int32")
    assert (abs(y["segmentation_masks"] - expected) <= 1).all()  # 100 x is rounded down
    assert y["images"].shape != IMAGES.shape or (y["images"] != IMAGES).any()


def test_masks_and_boxes_stay_where_only_colors_change():
    boxes = {"boxes": np.ones((4, 2, 4)), "labels": np.ones((4, 2))}
    given = dict_of(IMAGES, segmentation_masks=IMAGES[..., :1], bounding_boxes=boxes)
    layer = layers.RandomBrightness(0.5, value_range=(0, 1), bounding_box_format="xyxy")
    y = layer(given, training=True)
    assert (y["images"] != IMAGES).any()
    np.testing.assert_array_equal(y["segmentation_masks"], IMAGES[..., :1])
    np.testing.assert_array_equal(y["bounding_boxes"]["boxes"], boxes["boxes"])
    assert layer.get_config()["bounding_box_format"] == "xyxy"
    with pytest.raises(ValueError, match="known format only: give the layer bounding_box_format="):
        layers.RandomFlip()(given, training=True)


@pytest.mark.parametrize(
    "layer",
    [
        lambda: layers.Equalization((0, 1), bins=16),
        lambda: layers.Solarization(0.0, 0.0, (0, 1)),
        lambda: layers.RandomGrayscale(1.0),
        lambda: layers.RandomInvert(1.0, (0, 1)),
    ],
)
def test_one_image_becomes_what_it_does_in_a_batch(layer):
    made = layer()
    one = made(IMAGES[0], training=True)
    np.testing.assert_allclose(one, made(IMAGES[:1], training=True)[0], rtol=1e-6)


@pytest.mark.parametrize("number", [2, 3, 5])
def test_boxes_are_as_many_as_asked(number):
    boxes, labels = np.arange(24).reshape(2, 3, 4), np.array([[1, 2, 3], [4, 5, 6]])
    layer = MaxNumBoundingBoxes(number, fill_value=-2, bounding_box_format="xywh")
    given = {"images": IMAGES[:2], "bounding_boxes": {"boxes": boxes, "labels": labels}}
    y = layer(given)["bounding_boxes"]  # Keras 3.15 gives float32 and int32
    assert (y["boxes"].dtype, y["labels"].dtype) == ("float32", "int32")
    kept, missing = min(number, 3), max(number - 3, 0)
    edges = ((0, 0), (0, missing))
    wanted = np.pad(boxes[:, :kept], (*edges, (0, 0)), constant_values=-2)
    np.testing.assert_array_equal(y["boxes"], wanted)
    wanted = np.pad(labels[:, :kept], edges, constant_values=-2)
    np.testing.assert_array_equal(y["labels"], wanted)
    one = layer({"bounding_boxes": {"boxes": boxes[0], "labels": labels[0]}})["bounding_boxes"]
    np.testing.assert_array_equal(one["boxes"], y["boxes"][0])
    np.testing.assert_array_equal(layer(IMAGES), IMAGES)
    described = json.loads(json.dumps(layer.get_config()))
    assert MaxNumBoundingBoxes.from_config(described).get_config() == layer.get_config()


CONSTANT = {"fill_mode": "constant", "interpolation": "nearest"}


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize(
    ("name", "options", "off"),
    [
        ("RandomFlip", {}, 0),
        ("RandomTranslation", {"height_factor": 0.4, "width_factor": 0.4, **CONSTANT}, 0.5),
        ("RandomZoom", {"height_factor": 0.4, "width_factor": 0.3, **CONSTANT}, 1),
        ("RandomRotation", {"factor": 0.3, **CONSTANT}, 2),
        ("RandomShear", {"x_factor": 0.4, "y_factor": 0.3, **CONSTANT}, 2),
        ("RandomPerspective", {"scale": 0.5, "interpolation": "nearest"}, 2),
        ("RandomCrop", {"height": 24, "width": 30}, 0),
        ("RandomCrop", {"height": 60, "width": 50}, 0.5),
        ("CenterCrop", {"height": 20, "width": 30}, 0),
        ("CenterCrop", {"height": 60, "width": 50}, 0.5),
        ("Resizing", {"height": 80, "width": 50}, 0.5),
        ("Resizing", {"height": 80, "width": 50, "crop_to_aspect_ratio": True}, 1),
        ("Resizing", {"height": 80, "width": 50, "pad_to_aspect_ratio": True}, 1),
    ],
)
def test_boxes_stay_around_what_they_were_around(name, options, off, first):
    # Keras moves corners as it does middles of pixels: half a pixel off. A pixel that lies across
    # may lack the tip of a corner.
    images = np.zeros((6, 40, 56, 1), "float32")
    images[:, 10:22, 14:34] = 255  # a thing of 12 rows and 20 columns
    form = "channels_first" if first else "channels_last"
    layer = getattr(layers, name)(**options, bounding_box_format="rel_yxyx", data_format=form)
    box = np.array([10 / 40, 14 / 56, 22 / 40, 34 / 56], "float32")
    held = {"boxes": np.tile(box, (6, 1, 1)), "labels": np.full((6, 1), 5)}
    given = np.moveaxis(images, -1, 1) if first else images
    y = layer({"images": given, "bounding_boxes": held}, training=True)
    moved = np.asarray(jnp.moveaxis(y["images"], 1, -1) if first else y["images"])[..., 0] > 127
    sizes = np.array([*moved.shape[1:]] * 2)
    after = y["bounding_boxes"]
    for image, box, label in zip(moved, after["boxes"][:, 0], after["labels"][:, 0], strict=True):
        places = np.argwhere(image)
        assert label == (5 if len(places) else -1)
        if len(places):
            seen = np.array([*places.min(0), *(places.max(0) + 1)])
            assert np.abs(box * sizes - seen).max() <= off + 1e-3


def test_crops_of_keras_without_a_shape_move_corners():
    layer = layers.RandomCrop(3, 4, bounding_box_format="xyxy")
    held = {"boxes": np.array([[[1.0, 2, 5, 6], [0, 0, 2, 1]]]), "labels": np.array([[3, 4]])}
    y = layer.transform_bounding_boxes(held, (1, 2))  # the first row and column
    np.testing.assert_array_equal(y["boxes"], [[[0, 1, 3, 3], [0, 0, 0, 0]]])
    np.testing.assert_array_equal(y["labels"], [[3, -1]])
    images = layer.transform_images(IMAGES, (1, 2))
    np.testing.assert_array_equal(images, IMAGES[:, 1:4, 2:6])


@pytest.mark.parametrize("name", ["CutMix", "RandomElasticTransform"])
def test_layers_that_cannot_move_boxes_say_so(name):
    layer = getattr(layers, name)(bounding_box_format="xyxy")
    held = {"boxes": np.ones((4, 2, 4)), "labels": np.ones((4, 2))}
    given = dict_of(IMAGES, bounding_boxes=held) | {"labels": np.eye(4)}
    with pytest.raises(ValueError, match=f"{name} cannot move bounding_boxes: call it on a dict"):
        layer(given, training=True)
    rest = layer(given, training=False)["bounding_boxes"]
    np.testing.assert_array_equal(rest["boxes"], held["boxes"])
    with pytest.raises(ValueError, match="bounding_box_format must be one of"):
        getattr(layers, name)(bounding_box_format="xyyx")


def test_elastic_transforms_move_masks_with_their_images():
    way = {"interpolation": "nearest", "value_range": (0, 1)}
    layer = layers.RandomElasticTransform((1, 1), (1, 1), **way)
    images = np.tile(IMAGES, (1, 5, 5, 1))
    masks = (images[..., :1] * 100).astype("int32")
    y = layer(dict_of(images, segmentation_masks=masks), training=True)
    assert (y["images"] != images).mean() > 0.1
    assert (abs(y["segmentation_masks"] - np.asarray(y["images"])[..., :1] * 100) <= 1).all()
    assert layer.get_elastic_transform_params(20, 30, 0.5) == (1.5, 0.5)  # by Keras 3.15's manual


def test_mixed_images_have_the_boxes_of_both():
    layer = layers.MixUp(0.5)
    held = {"boxes": np.arange(32.0).reshape(4, 2, 4), "labels": np.arange(8).reshape(4, 2)}
    order = np.array([2, 0, 3, 1])
    how = {"mix_weight": np.full(4, 0.25, "float32"), "permutation_order": order}
    y = layer.transform_bounding_boxes(held, how)
    expected = np.concatenate([held["boxes"], held["boxes"][order]], 1)
    np.testing.assert_array_equal(y["boxes"], expected)
    np.testing.assert_array_equal(y["labels"], np.c_[held["labels"], held["labels"][order]])
    masks = layer.transform_segmentation_masks(IMAGES[..., :1], how)
    np.testing.assert_allclose(masks, (IMAGES + 3 * IMAGES[order])[..., :1] / 4, rtol=1e-6)


def test_half_precision_leaves_boxes_their_digits():
    layer = layers.CenterCrop(600, 600, bounding_box_format="xyxy", dtype="mixed_bfloat16")
    held = {"boxes": np.array([[[501.3, 302.7, 555.1, 333.3]]], "float32"), "labels": [[1]]}
    y = layer({"images": np.zeros((1, 600, 600, 1), "float32"), "bounding_boxes": held})
    assert y["images"].dtype == "bfloat16"
    np.testing.assert_allclose(y["bounding_boxes"]["boxes"], held["boxes"], rtol=1e-6)


class Marked(layers.RandomFlip):
    """Flips all images, and says in their labels and masks that it did."""

    def get_random_transformation(self, data, training=True):
        drawn = super().get_random_transformation(data, training)
        return drawn and {**drawn, "flips": jnp.ones_like(drawn["flips"])}

    def transform_labels(self, labels, transformation, training=True):
        return labels + 10 * training

    def transform_segmentation_masks(self, segmentation_masks, transformation, training=True):
        return segmentation_masks + keras_random.uniform((4, 1, 1, 1))


def test_a_subclass_changes_parts_in_its_own_way():
    layer = Marked("horizontal", bounding_box_format="xywh")
    held = {"boxes": np.tile([1.0, 2, 3, 4], (4, 1, 1)), "labels": np.ones((4, 1))}
    given = dict_of(IMAGES, segmentation_masks=IMAGES[..., :1], bounding_boxes=held)
    apply = jax.jit(lambda key: layer.functional.apply({}, {}, given, training=True, key=key)[0])
    y, other = (apply(jax.random.key(number)) for number in range(2))
    for part in (y, layer(given, training=True)):
        np.testing.assert_array_equal(part["images"], IMAGES[:, :, ::-1])
        np.testing.assert_array_equal(part["labels"], LABELS + 10)
        np.testing.assert_allclose(part["bounding_boxes"]["boxes"][:, 0], [[2, 2, 3, 4]] * 4)
    assert (y["segmentation_masks"] != other["segmentation_masks"]).all()
    np.testing.assert_array_equal(layer(given, training=False)["labels"], LABELS)


def test_pairs_move_boxes_under_transformations_of_jax():
    pair = F.with_boxes(F.random_translation((0.5, 0.5), (0.25, 0.25)), "xyxy")
    boxes = jnp.tile(jnp.array([0.0, 1, 2, 3]), (4, 1, 1))
    held = {"boxes": boxes, "labels": jnp.zeros((4, 1), int)}

    def moved(key, shift):
        own = {"boxes": held["boxes"] + shift, "labels": held["labels"]}
        x = {"images": jnp.asarray(IMAGES), "bounding_boxes": own}
        y, _ = pair.apply({}, {}, x, training=True, key=key)
        return y["bounding_boxes"]["boxes"]

    keys = jax.random.split(jax.random.key(0), 3)
    y = jax.jit(jax.vmap(moved))(keys, jnp.arange(3.0))
    for shift in range(3):  # 6 rows by a half, 6 columns by a quarter
        expected = np.clip(np.array([0, 1, 2, 3]) + shift + [1.5, 3, 1.5, 3], 0, 6)
        np.testing.assert_allclose(y[shift], np.tile(expected, (4, 1, 1)), rtol=1e-6)
    slope = jax.grad(lambda shift: moved(keys[0], shift).sum())(0.0)
    assert slope == 14  # of 16 numbers two are those of borders
    with pytest.raises(TypeError, match="dense changes no images"):
        F.with_boxes(F.dense(2), "xyxy")


def test_boxes_are_shifted_and_cut_by_numbers_of_ones_own():
    boxes = np.arange(16.0).reshape(2, 2, 4).astype("float32")
    shift, zoom = layers.RandomShear(0.1), layers.RandomZoom(0.1)
    held = {"boxes": boxes, "labels": np.zeros((2, 2))}
    right, down = np.array([[1.0], [2]], "float32"), np.array([[3.0], [4]], "float32")
    moved = shift.get_shifted_bbox(held, right, down)["boxes"]
    np.testing.assert_array_equal(moved[1], boxes[1] - [2, 4, 2, 4])
    row = np.array([[2.0, 1, 3, 0, 4, 5, 0.5, 0]], "float32")
    x, y = shift.get_transformed_x_y(2, 6, row)
    np.testing.assert_allclose([x[0, 0], y[0, 0]], [13 / 2, 29 / 2])
    cut = zoom.get_clipped_bbox(held, down + 5, down, right + 6, right)["boxes"]
    low, high = np.array([2, 4, 2, 4]), np.array([8, 9, 8, 9])
    np.testing.assert_array_equal(cut[1], np.clip(boxes[1], low, high) - low)


STEPS = (
    *("random_shear", "random_translation", "random_rotation", "random_posterization"),
    *("solarization", "auto_contrast", "equalization", "random_brightness"),
    *("random_color_degeneration", "random_contrast", "random_sharpness", "none"),
)


def test_augmix_is_images_and_the_mean_of_chains_of_their_changes():
    layer = layers.AugMix((0, 1), num_chains=2, chain_depth=2, factor=(0.5, 0.5))
    drawn = layer.get_random_transformation(IMAGES)
    weights = {"chain_mixing_weights": jnp.array([0.75, 0.25]), "weight_sample": jnp.array(0.4)}
    numbers = [["auto_contrast", "random_color_degeneration"], ["none", "auto_contrast"]]
    chosen = jnp.array([[STEPS.index(name) for name in chain] for chain in numbers])
    y = layer.transform_images(IMAGES, {**drawn, **weights, "layer_idxes": chosen})
    contrast = layers.AutoContrast((0, 1))(IMAGES)
    luma = contrast @ jnp.array([0.2989, 0.587, 0.114])
    grayer = contrast / 2 + luma[..., None] / 2
    expected = 0.4 * IMAGES + 0.6 * (0.75 * grayer + 0.25 * contrast)
    np.testing.assert_allclose(y, expected, rtol=1e-5)
    turn = {**drawn, **weights, "layer_idxes": jnp.full((2, 2), STEPS.index("random_translation"))}
    y = layer(dict_of(IMAGES, segmentation_masks=IMAGES[..., :1]), training=True)
    assert (y["segmentation_masks"] != IMAGES[..., :1]).any()
    masks, images = (
        transform(IMAGES[..., :1] * 0 + 0.5, turn)
        for transform in (layer.transform_segmentation_masks, layer.transform_images)
    )
    np.testing.assert_allclose(masks, images, rtol=1e-6)  # of one value all pixels keep theirs


def test_attention_tells_its_output_for_shapes_one_by_one():
    layer = layers.MultiHeadAttention(2, 3)
    shapes = (None, 3, 4), (None, 5, 4)
    assert layer.compute_output_shape(*shapes) == (None, 3, 4)  # Keras 3.15
    assert layer.compute_output_shape(list(shapes)) == (None, 3, 4)
