"""Boxes around things in images, as pure functions of arrays (..., boxes, 4).

A format says what the four numbers are: two corners (`xyxy`), a corner and the size (`xywh`), or
the centre and the size (`center_xywh`); each with rows first too (`yxyx`, `center_yxhw`); and as
shares of the image's size (`rel_xyxy`, …).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax.numpy as jnp

from funkeras import config
from funkeras.typing import Array

__all__ = [
    "affine_transform",
    "clip_to_image_size",
    "compute_ciou",
    "compute_iou",
    "convert_format",
    "crop",
    "decode_deltas_to_boxes",
    "encode_box_to_deltas",
    "pad",
]

Halves = Callable[[Array, Array], list[Array]]

CORNERS: tuple[Halves, Halves] = (lambda p, q: [p, q], lambda p, q: [p, q])
SIZED: tuple[Halves, Halves] = (lambda p, s: [p, p + s], lambda p, q: [p, q - p])
CENTERED: tuple[Halves, Halves] = (
    lambda c, s: [c - s / 2, c + s / 2],
    lambda p, q: [p + (q - p) / 2, q - p],
)
"""To two corners, and back from them: of the two numbers before and the two behind."""

KINDS: dict[str, tuple[tuple[Halves, Halves], bool]] = {
    "xyxy": (CORNERS, False),
    "yxyx": (CORNERS, True),
    "xywh": (SIZED, False),
    "center_xywh": (CENTERED, False),
    "center_yxhw": (CENTERED, True),
}
"""Format → what its numbers are, and whether rows come first."""

RELATIVE = "rel_"
FORMATS = (*KINDS, *(RELATIVE + name for name in KINDS if name != "center_yxhw"))


def convert_format(
    boxes: Any,
    source: str,
    target: str,
    height: Any = None,
    width: Any = None,
    dtype: str = "float32",
) -> Any:
    """Boxes of one format in another; of a dict those under `boxes`.

    Args:
        height, width: of the image, which relative formats need; arrays (batch, 1, 1) where each
            image has its own.

    Raises:
        ValueError: for an unknown format, other than four numbers, or an image of unknown size.

    >>> convert_format([[10.0, 20, 30, 60]], "xyxy", "center_xywh").tolist()
    [[20.0, 40.0, 20.0, 40.0]]
    """
    if isinstance(boxes, Mapping):
        inner = convert_format(boxes["boxes"], source, target, height, width, dtype)
        return {**boxes, "boxes": inner}
    source, target = source.lower(), target.lower()
    for name in (source, target):
        if name not in FORMATS:
            raise ValueError(f"a format is one of {', '.join(FORMATS)}; got {name!r}")
    relative = [name.startswith(RELATIVE) for name in (source, target)]
    if any(relative) and (height is None or width is None):
        raise ValueError(f"from {source} to {target} takes height and width of the image")
    b = jnp.asarray(boxes, dtype)
    if b.shape[-1] != 4:
        raise ValueError(f"a box has 4 numbers in the last axis, got shape {b.shape}")
    if source == target:
        return b
    (to_corners, _), rows_first = KINDS[source.removeprefix(RELATIVE)]
    b = _turned(b) if rows_first else b
    b = jnp.concatenate(to_corners(b[..., :2], b[..., 2:]), -1)
    if relative == [True, False]:
        b = b * _sizes(width, height, dtype)
    (_, from_corners), rows_first = KINDS[target.removeprefix(RELATIVE)]
    b = jnp.concatenate(from_corners(b[..., :2], b[..., 2:]), -1)
    if relative == [False, True]:
        b = b / _sizes(width, height, dtype)
    return _turned(b) if rows_first else b


def _turned(boxes: Array) -> Array:
    return boxes[..., jnp.array([1, 0, 3, 2])]


def _sizes(width: Any, height: Any, dtype: Any) -> Array:
    """Numbers to go with boxes: of all images, or of each with axes of 1 for boxes and numbers."""
    own = (jnp.asarray(size, dtype) for size in (width, height, width, height))
    each = [size[..., 0] if size.ndim and size.shape[-1] == 1 else size for size in own]
    return jnp.stack(jnp.broadcast_arrays(*each), -1)


def _image(shape: Sequence[int] | None) -> tuple[int | None, int | None]:
    return (None, None) if shape is None else (shape[0], shape[1])


def _corners_only(name: str, bounding_box_format: str, allowed: tuple[str, ...]) -> None:
    if bounding_box_format not in allowed:
        raise NotImplementedError(
            f"{name} takes boxes as {' or '.join(allowed)}, not {bounding_box_format}: "
            "convert_format first"
        )


def clip_to_image_size(
    bounding_boxes: Mapping[str, Any],
    height: Any = None,
    width: Any = None,
    bounding_box_format: str = "xyxy",
) -> dict[str, Any]:
    """`{"boxes", "labels"}` with the boxes cut off at the image's borders.

    The label of a box of which nothing is left becomes -1.
    """
    _corners_only("clip_to_image_size", bounding_box_format, ("xyxy", "rel_xyxy"))
    boxes = jnp.asarray(bounding_boxes["boxes"])
    if bounding_box_format == "rel_xyxy":
        height = width = 1
    elif height is None or width is None:
        raise ValueError("boxes as xyxy take height and width of the image")
    boxes = jnp.clip(boxes, 0, _sizes(width, height, boxes.dtype))
    kept = {**bounding_boxes, "boxes": boxes}
    if bounding_boxes.get("labels") is not None:
        kept["labels"] = jnp.where(_area(boxes) > 0, jnp.asarray(bounding_boxes["labels"]), -1)
    return kept


def affine_transform(
    boxes: Any,
    angle: Any,
    translate_x: Any,
    translate_y: Any,
    scale: Any,
    shear_x: Any,
    shear_y: Any,
    height: Any,
    width: Any,
    center_x: Any = None,
    center_y: Any = None,
    bounding_box_format: str = "xyxy",
) -> Array:
    """The upright boxes around boxes (batch, boxes, 4) that are turned, moved, scaled, sheared.

    Args:
        angle, shear_x, shear_y: in degrees, for each image of the batch or for all.
        translate_x, translate_y: as shares of the image's size.
        center_x, center_y: what stays in its place, as shares; the middle if left out.
    """
    _corners_only("affine_transform", bounding_box_format, ("xyxy",))

    def each(value: Any) -> Array:
        return jnp.asarray(value, "float32").reshape(-1, 1, 1)

    turn, shear_right, shear_down = (
        each(degrees) * (-math.pi / 180) for degrees in (angle, shear_x, shear_y)
    )
    middle_x = each(0.5 if center_x is None else center_x) * (width - 1)
    middle_y = each(0.5 if center_y is None else center_y) * (height - 1)
    from_x = middle_x - each(translate_x) * (width - 1)
    from_y = middle_y - each(translate_y) * (height - 1)
    # Rotation and shear, whose determinant is 1, inverted: TensorFlow's and Torchvision's.
    a = jnp.cos(turn - shear_down) / jnp.cos(shear_down)
    b = a * jnp.tan(shear_right) + jnp.sin(turn)
    c = -jnp.sin(turn - shear_down) / jnp.cos(shear_down)
    d = jnp.cos(turn) - c * jnp.tan(shear_right)
    (xx, xy), (yx, yy) = ((m * each(scale) for m in row) for row in ((d, -b), (-c, a)))
    corners = jnp.asarray(boxes, "float32")
    x, y = corners[..., jnp.array([0, 2, 2, 0])], corners[..., jnp.array([1, 1, 3, 3])]
    x, y = (
        xx * x + xy * y + (middle_x - xx * from_x - xy * from_y),
        yx * x + yy * y + (middle_y - yx * from_x - yy * from_y),
    )
    return jnp.stack([x.min(-1), y.min(-1), x.max(-1), y.max(-1)], -1)


def crop(
    boxes: Any, top: Any, left: Any, height: Any, width: Any, bounding_box_format: str = "xyxy"
) -> Array:
    """The boxes in a part of the image that begins at (top, left), cut off at its borders.

    >>> crop([[10.0, 20, 50, 60]], top=30, left=20, height=40, width=25).tolist()
    [[0.0, 0.0, 25.0, 30.0]]
    """
    _corners_only("crop", bounding_box_format, ("xyxy",))
    moved = pad(boxes, -top, -left)
    return jnp.clip(moved, 0, _sizes(width, height, moved.dtype))


def pad(
    boxes: Any,
    top: Any,
    left: Any,
    height: Any = None,
    width: Any = None,
    bounding_box_format: str = "xyxy",
) -> Array:
    """The boxes in an image that has so many more rows above and columns before.

    `height` and `width` are accepted, as in Keras, and change nothing.
    """
    _corners_only("pad", bounding_box_format, ("xyxy",))
    b = jnp.asarray(boxes)
    return b + _sizes(left, top, b.dtype)


def encode_box_to_deltas(
    anchors: Any,
    boxes: Any,
    anchor_format: str,
    box_format: str,
    encoding_format: str = "center_yxhw",
    variance: Any = None,
    image_shape: Sequence[int] | None = None,
) -> Array:
    """How far boxes are from anchors: by shares of the anchor's size, and logarithms of ratios.

    Args:
        anchors: (boxes, 4); boxes: (boxes, 4) or (batch, boxes, 4).
        encoding_format: `center_yxhw` or `center_xywh`.
        variance: four numbers to divide by.
        image_shape: (rows, columns, channels), for relative formats.
    """
    scales = _scales(variance, encoding_format)
    height, width = _image(image_shape)
    anchor = convert_format(anchors, anchor_format, encoding_format, height, width)
    box = convert_format(boxes, box_format, encoding_format, height, width)
    own, other = (jnp.maximum(b[..., 2:], config.epsilon()) for b in (anchor, box))
    moved = (box[..., :2] - anchor[..., :2]) / own
    return jnp.concatenate([moved, jnp.log(other / own) + jnp.zeros_like(moved)], -1) / scales


def decode_deltas_to_boxes(
    anchors: Any,
    boxes_delta: Any,
    anchor_format: str,
    box_format: str,
    encoded_format: str = "center_yxhw",
    variance: Any = None,
    image_shape: Sequence[int] | None = None,
) -> Any:
    """The boxes that `encode_box_to_deltas` encoded; of dicts by level, a dict of them."""
    if isinstance(anchors, Mapping):
        return {
            level: decode_deltas_to_boxes(
                own,
                boxes_delta[level],
                anchor_format,
                box_format,
                encoded_format,
                variance,
                image_shape,
            )
            for level, own in anchors.items()
        }
    scales = _scales(variance, encoded_format)
    height, width = _image(image_shape)
    anchor = convert_format(anchors, anchor_format, encoded_format, height, width)
    delta = jnp.asarray(boxes_delta, "float32") * scales
    place, size = anchor[..., :2], anchor[..., 2:]
    box = jnp.concatenate([delta[..., :2] * size + place, jnp.exp(delta[..., 2:]) * size], -1)
    return convert_format(box, encoded_format, box_format, height, width)


def _scales(variance: Any, encoding: str) -> Array:
    if encoding not in ("center_xywh", "center_yxhw"):
        raise ValueError(f"boxes are encoded as center_xywh or center_yxhw, not {encoding!r}")
    scales = jnp.ones(4) if variance is None else jnp.asarray(variance, "float32")
    if scales.shape[-1] != 4:
        raise ValueError(f"variance has 4 numbers, got {variance}")
    return scales


def _area(boxes: Array) -> Array:
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def _common(one: Array, other: Array) -> Array:
    """Area that boxes as corners have in common."""
    first = jnp.maximum(one[..., :2], other[..., :2])
    last = jnp.minimum(one[..., 2:], other[..., 2:])
    return jnp.prod(jnp.maximum(last - first, 0), -1)


def compute_iou(
    boxes1: Any,
    boxes2: Any,
    bounding_box_format: str,
    use_masking: bool = False,
    mask_val: float = -1,
    image_shape: Sequence[int] | None = None,
) -> Array:
    """Shared area by joint area of each pair: (m, 4) and (n, 4) give (m, n); either has batches.

    Args:
        use_masking: give `mask_val` for boxes whose numbers are all below 0.
        image_shape: (rows, columns, channels), for relative formats.

    >>> compute_iou([[0.0, 0, 2, 2]], [[1.0, 0, 3, 2], [5.0, 5, 6, 6]], "xyxy").round(3).tolist()
    [[0.3330000042915344, 0.0]]
    """
    height, width = _image(image_shape)
    one, other = (
        convert_format(boxes, bounding_box_format, "xyxy", height, width)
        for boxes in (boxes1, boxes2)
    )
    for name, boxes in (("boxes1", one), ("boxes2", other)):
        if boxes.ndim not in (2, 3):
            raise ValueError(f"{name} must be (boxes, 4) or (batch, boxes, 4), got {boxes.shape}")
    one, other = one[..., :, None, :], other[..., None, :, :]
    shared = _common(one, other)
    shares = shared / (_area(one) + _area(other) - shared + config.epsilon())
    if not use_masking:
        return shares
    return jnp.where((one.max(-1) < 0) | (other.max(-1) < 0), mask_val, shares)


def compute_ciou(
    boxes1: Any,
    boxes2: Any,
    bounding_box_format: str,
    image_shape: Sequence[int] | None = None,
) -> Array:
    """Complete IoU of boxes one by one: less for distant centres and other proportions.

    Zheng et al. 2020, https://arxiv.org/abs/2005.03572.
    """
    height, width = _image(image_shape)
    epsilon = config.epsilon()
    one, other = (
        convert_format(boxes, bounding_box_format, "xyxy", height, width)
        for boxes in (boxes1, boxes2)
    )
    # Keras adds epsilon to the heights, and twice to the joint area.
    sizes = [(b[..., 2:] - b[..., :2]) + jnp.array([0, epsilon]) for b in (one, other)]
    shared = _common(one, other)
    joint = sum(jnp.prod(size, -1) for size in sizes) - shared + 2 * epsilon
    iou = shared / joint
    hull = jnp.maximum(one[..., 2:], other[..., 2:]) - jnp.minimum(one[..., :2], other[..., :2])
    apart = (one[..., :2] + one[..., 2:]) / 2 - (other[..., :2] + other[..., 2:]) / 2
    distance = jnp.sum(apart**2, -1) / (jnp.sum(hull**2, -1) + epsilon)
    first, second = (jnp.arctan(size[..., 0] / size[..., 1]) for size in sizes)
    proportions = 4 / math.pi**2 * (second - first) ** 2
    share = proportions / (proportions - iou + (1 + epsilon))
    return iou - (distance + proportions * share)
