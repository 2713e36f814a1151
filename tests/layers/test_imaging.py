"""Layers that change images: single images, and dicts of images and what belongs to them."""

import json

import numpy as np
import pytest

from funkeras import config, layers
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


def test_attention_tells_its_output_for_shapes_one_by_one():
    layer = layers.MultiHeadAttention(2, 3)
    shapes = (None, 3, 4), (None, 5, 4)
    assert layer.compute_output_shape(*shapes) == (None, 3, 4)  # Keras 3.15
    assert layer.compute_output_shape(list(shapes)) == (None, 3, 4)
