"""Boxes, held against those of genuine Keras."""

import importlib.util
from pathlib import Path

import jax
import numpy as np
import pytest

from funkeras.utils import bounding_boxes

spec = importlib.util.spec_from_file_location("boxes", Path(__file__).parent / "boxes.py")
boxes = importlib.util.module_from_spec(spec)
spec.loader.exec_module(boxes)


@pytest.fixture(scope="module")
def arrays():
    with np.load(boxes.GOLDEN) as archive:
        return dict(archive)


@pytest.mark.parametrize("name", boxes.CASES)
def test_same_numbers_as_keras(name, arrays):
    for part, value in boxes.result(name, bounding_boxes).items():
        np.testing.assert_allclose(value, arrays[part], rtol=1e-5, atol=2e-5)


def test_what_is_encoded_is_decoded_again():
    deltas = bounding_boxes.encode_box_to_deltas(boxes.ONE, boxes.MANY, "xyxy", "xyxy")
    levels = bounding_boxes.decode_deltas_to_boxes({1: boxes.ONE}, {1: deltas}, "xyxy", "xyxy")
    np.testing.assert_allclose(levels[1], boxes.MANY, rtol=1e-4, atol=1e-4)


def test_a_gradient_moves_a_box_onto_another():
    def loss(box):
        return 1 - bounding_boxes.compute_ciou(box, boxes.TWO[0], "xyxy")

    box = jax.numpy.asarray(boxes.ONE[0])
    first = loss(box)
    step = jax.jit(lambda box: box - 60 * jax.grad(loss)(box))
    for _ in range(200):
        box = step(box)
    assert loss(box) < 0.2 < first


def test_a_dict_is_left_as_it_is():
    given = {"boxes": boxes.ONE, "labels": np.arange(5)}
    turned = bounding_boxes.convert_format(given, "xyxy", "yxyx")
    np.testing.assert_array_equal(turned["boxes"][:, 0], given["boxes"][:, 1])
    np.testing.assert_array_equal(turned["labels"], given["labels"])
    assert given["boxes"] is boxes.ONE


@pytest.mark.parametrize(
    ("function", "args", "error", "message"),
    [
        ("convert_format", (boxes.ONE, "xyxy", "xyyx"), ValueError, "got 'xyyx'"),
        ("convert_format", (boxes.ONE, "xyxy", "rel_xyxy"), ValueError, "height and width"),
        ("convert_format", (boxes.ONE[:, :3], "xyxy", "xywh"), ValueError, "4 numbers"),
        ("clip_to_image_size", (boxes.OUTSIDE,), ValueError, "height and width"),
        ("crop", (boxes.ONE, 0, 0, 1, 1, "xywh"), NotImplementedError, "convert_format first"),
        ("compute_iou", (boxes.ONE[0], boxes.TWO, "xyxy"), ValueError, "boxes1 must be"),
        ("compute_iou", (boxes.ONE, boxes.TWO, "rel_xyxy"), ValueError, "height and width"),
        (
            "encode_box_to_deltas",
            (boxes.ONE, boxes.ONE, "xyxy", "xyxy", "xyxy"),
            ValueError,
            "encoded as",
        ),
        (
            "encode_box_to_deltas",
            (boxes.ONE, boxes.ONE, "xyxy", "xyxy", "center_yxhw", [1, 2]),
            ValueError,
            "variance has 4",
        ),
    ],
)
def test_what_is_refused(function, args, error, message):
    with pytest.raises(error, match=message):
        getattr(bounding_boxes, function)(*args)
