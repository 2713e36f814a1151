"""Images and what belongs to them, moved by given transformations, against genuine Keras."""

import sys
from functools import cache
from pathlib import Path

import jax
import numpy as np
import pytest

from funkeras import config, layers
from funkeras.utils import bounding_boxes

sys.path.append(str(Path(__file__).parent))
from moved import CASES, CORNERS, FORMATS, GOLDEN, IMAGES, LABELS, MASKS, given_boxes

MOVING = (
    *("RandomFlip", "RandomTranslation", "RandomZoom", "RandomRotation", "RandomShear"),
    *("RandomPerspective", "CenterCrop", "Resizing", "RandAugment"),
)

each = pytest.mark.parametrize("name", CASES)
moving = pytest.mark.parametrize(
    "name",
    ["gray", *[name for name in CASES if CASES[name][0] in MOVING]],
)


@pytest.fixture(autouse=True)
def modern():
    config.set_dialect("modern")


@cache
def stored(name):
    with np.load(GOLDEN) as archive:
        own = [key for key in archive.files if key.startswith(f"{name}/")]
        return {key.partition("/")[2]: archive[key] for key in own}


def made(name, **more):
    """The layer of a case, the size of its images and its transformation."""
    kind, kwargs, size, transformation = CASES[name]
    layer = getattr(layers, kind)(**kwargs, **more)
    return layer, size, transformation(size, more.get("data_format") == "channels_first")


def close(y, expected):
    assert y.shape == expected.shape
    scale = max(1, np.abs(expected).max())
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-5 * scale)


@each
def test_images_labels_and_masks_equal_genuine_keras_3(name):
    layer, size, how = made(name)
    images = layer.transform_images(IMAGES[size], how)
    assert images.dtype == "float32"
    close(images, stored(name)["images"])
    if "masks" in stored(name):
        masks = layer.transform_segmentation_masks(MASKS[size], how)
        close(masks, stored(name)["masks"])
    if "labels" in stored(name):
        close(layer.transform_labels(LABELS, how), stored(name)["labels"])


@moving
def test_boxes_in_each_format_equal_genuine_keras_3(name):
    for form in FORMATS[::4] if name == "in turn" else FORMATS:
        layer, size, how = made(name, bounding_box_format=form)
        held = layer.transform_bounding_boxes(given_boxes(bounding_boxes, form, size), how)
        expected = stored(name)[f"boxes {form}"]
        np.testing.assert_array_equal(held["labels"], expected[..., 4], err_msg=form)
        assert (held["boxes"].dtype, held["labels"].dtype) == ("float32", "int32")
        np.testing.assert_allclose(held["boxes"], expected[..., :4], atol=2e-5, err_msg=form)


def first_of(transformation):
    """The part of a transformation that is about the first image of a batch of two."""
    return jax.tree.map(
        lambda a: a[:1] if getattr(a, "ndim", 0) and len(a) == 2 else a, transformation
    )


@moving
def test_one_image_is_moved_as_the_first_of_a_batch(name):
    layer, size, how = made(name, bounding_box_format="xyxy")
    one = how if name == "in turn" or isinstance(how, tuple) else first_of(how)
    if name == "in turn":
        one = {**how, "transforms": first_of(how["transforms"])}
    held = given_boxes(bounding_boxes, "xyxy", size)
    held = {part: a[0] for part, a in held.items()}
    close(layer.transform_single_image(IMAGES[size][0], one), stored(name)["images"][0])
    close(layer.transform_images(IMAGES[size][0], one), stored(name)["images"][0])
    masks = layer.transform_segmentation_masks(MASKS[size], how)
    own = layer.transform_single_segmentation_mask(MASKS[size][0], one)
    np.testing.assert_array_equal(own, masks[0])
    for transform in (layer.transform_single_bounding_box, layer.transform_bounding_boxes):
        boxes = transform(held, one)
        np.testing.assert_allclose(boxes["boxes"], stored(name)["boxes xyxy"][0, :, :4], atol=2e-5)
        np.testing.assert_array_equal(boxes["labels"], stored(name)["boxes xyxy"][0, :, 4])
    assert layer.transform_single_label(3, one) == 3


@each
def test_channels_may_come_first(name):
    layer, size, how = made(name, data_format="channels_first")
    if isinstance(how, dict) and "batch_masks" in how:
        how = {**how, "batch_masks": np.moveaxis(how["batch_masks"], -1, 1)}
    y = layer.transform_images(np.moveaxis(IMAGES[size], -1, 1), how)
    close(np.moveaxis(y, 1, -1), stored(name)["images"])
    if "masks" in stored(name):
        y = layer.transform_segmentation_masks(np.moveaxis(MASKS[size], -1, 1), how)
        close(np.moveaxis(y, 1, -1), stored(name)["masks"])
    if CASES[name][0] in MOVING:
        form = {"bounding_box_format": "rel_xywh", "data_format": "channels_first"}
        layer, size, how = made(name, **form)
        held = layer.transform_bounding_boxes(given_boxes(bounding_boxes, "rel_xywh", size), how)
        expected = stored(name)["boxes rel_xywh"]
        np.testing.assert_allclose(held["boxes"], expected[..., :4], atol=2e-5)
    again = type(layer).from_config(layer.get_config())
    assert again.data_format == "channels_first"
    assert again.get_config() == layer.get_config()


def whole(size="wide"):
    """Images with all that may belong to them; a mask is the image's first channel."""
    return {
        "images": IMAGES[size],
        "labels": LABELS,
        "segmentation_masks": IMAGES[size][..., :1].astype("int32"),
        "bounding_boxes": given_boxes(bounding_boxes, "xyxy", size),
        "names": np.arange(2),
    }


DRAWING = {
    "RandomFlip": {},
    "RandomTranslation": {"height_factor": 0.3, "width_factor": 0.3},
    "RandomZoom": {"height_factor": 0.3},
    "RandomRotation": {"factor": 0.2},
    "RandomShear": {"x_factor": 0.3},
    "RandomPerspective": {},
    "RandomCrop": {"height": 3, "width": 7},
    "RandAugment": {"num_ops": 2},
}
NEAREST = ("RandomRotation", "RandomTranslation", "RandomZoom", "RandomShear", "RandomPerspective")


@pytest.mark.parametrize("name", DRAWING)
def test_a_call_moves_all_parts_by_one_draw(name):
    given = DRAWING[name] | ({"interpolation": "nearest"} if name in NEAREST else {})
    layer = getattr(layers, name)(**given, bounding_box_format="xyxy", seed=3)
    x = whole()
    np.random.seed(5)
    y = layer(x, training=True)
    np.random.seed(5)
    how = layer.get_random_transformation(x)
    close(y["images"], np.asarray(layer.transform_images(x["images"], how)))
    boxes = layer.transform_bounding_boxes(x["bounding_boxes"], how)
    for part in ("boxes", "labels"):
        np.testing.assert_allclose(y["bounding_boxes"][part], boxes[part], rtol=1e-5, atol=1e-5)
    masks = layer.transform_segmentation_masks(x["segmentation_masks"], how)
    np.testing.assert_array_equal(y["segmentation_masks"], masks)
    assert y["segmentation_masks"].dtype == "int32"
    np.testing.assert_array_equal(y["labels"], LABELS)
    np.testing.assert_array_equal(y["names"], x["names"])
    if name not in ("RandAugment",):
        expected = np.asarray(y["images"])[..., :1].astype("int32")
        assert (abs(masks - expected) <= 1).all()
    rest = layer(x, training=False)
    if name != "RandomCrop":
        assert layer.get_random_transformation(x, training=False) is None
        np.testing.assert_array_equal(rest["bounding_boxes"]["boxes"], CORNERS)
    same = [
        layer.transform_images(x["images"], layer.get_random_transformation(x, seed=7))
        for _ in range(2)
    ]
    np.testing.assert_array_equal(*same)
