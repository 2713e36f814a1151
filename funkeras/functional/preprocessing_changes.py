"""Changes of images and of what belongs to them: labels, masks and boxes, by one transformation."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import jax.numpy as jnp

from funkeras import config
from funkeras.functional.checks import no_mask, one_of, rank
from funkeras.functional.pair import Pair, key_in_training
from funkeras.typing import Array, ArrayLike, Key, Params, PyTree, State
from funkeras.utils.bounding_boxes import FORMATS, clip_to_image_size, convert_format

__all__ = ["with_boxes"]

IMAGES, LABELS, BOXES, MASKS = "images", "labels", "bounding_boxes", "segmentation_masks"

Transformation: TypeAlias = Any
"""What is done to a batch, as Keras 3 names its numbers; None for nothing."""

Draw: TypeAlias = Callable[[Any, Array, bool], Transformation]
"""From a key, the images and the phase to a transformation."""

Part: TypeAlias = Callable[[Any, Transformation, bool], Any]
"""From something that belongs to the images, a transformation and the phase to what becomes of it.
"""

Boxes: TypeAlias = Callable[[Any, Transformation, bool, str | None], Any]
"""The same of a dict of `boxes` and their `labels`, which takes the format of the boxes too."""


def as_float(x: ArrayLike) -> Array:
    """Numbers as floating point: whole ones in the default type, others as they are."""
    x = jnp.asarray(x)
    return x if jnp.issubdtype(x.dtype, jnp.floating) else x.astype(config.floatx())


def rows_first(data_format: str | None) -> bool:
    """Whether a `data_format` (None for the configured one) has the channels before the rows."""
    data_format = data_format or config.image_data_format()
    return one_of("data_format", data_format, config.DATA_FORMATS) == "channels_first"


def row_axis(x: Array, first: bool) -> int:
    """Where the rows of one image or a batch of them are; the columns follow."""
    if x.ndim not in (3, 4):
        raise ValueError(f"expected an image or a batch of them, got shape {x.shape}")
    return x.ndim - (2 if first else 3)


def undrawn(key: Any, x: Array, training: bool) -> Transformation:
    """The transformation of a change that has none."""


def unchanged(x: Any, *how: Any) -> Any:
    """What a change leaves as it is."""
    return x


def as_floats(x: Any, *how: Any) -> Any:
    """Images that a change leaves as they are, in floating point."""
    return as_float(x)


@dataclass(frozen=True)
class Change:
    """What becomes of a batch of images and of what belongs to them, by one transformation.

    Fields:
        images, labels, masks, boxes: what becomes of each part.
        draw: what gives the transformation.
        random: whether it takes a key in training.
    """

    images: Part = as_floats
    labels: Part = unchanged
    masks: Part = unchanged
    boxes: Boxes = unchanged
    draw: Draw = undrawn
    random: bool = False


@dataclass(frozen=True, eq=False)
class ImagePair(Pair):
    """A pair that changes images: a batch of them, or a dict with what belongs to them.

    In a dict there are `images`, and there may be `labels`, `segmentation_masks`, and
    `bounding_boxes`, a dict of `boxes`, (batch, boxes, 4), and their `labels`, (batch, boxes).
    Anything else stays as it is.

    Fields:
        change: what becomes of each part.
        seed: a number that sets its draws apart from those of its neighbours.
    """

    change: Change = field(default_factory=Change)
    seed: int | None = None


def imaging(
    change: Change, seed: int | None = None, bounding_box_format: str | None = None
) -> ImagePair:
    """The pair of a change."""

    def apply(
        params: Params,
        state: State,
        x: PyTree,
        *,
        training: bool = False,
        key: Key | None = None,
        mask: PyTree = None,
    ) -> tuple[PyTree, State]:
        own = key_in_training(key, seed) if training and change.random else None
        return changed(change, x, own, training, bounding_box_format), state

    return ImagePair(apply, mask=no_mask, change=change, seed=seed)


def changed(
    change: Change, x: PyTree, key: Key | None, training: bool, bounding_box_format: str | None
) -> PyTree:
    """Images, or a dict of them and what belongs to them, after a change."""
    if not isinstance(x, Mapping):
        x = jnp.asarray(x)
        return change.images(x, change.draw(key, x, training), training)
    images = jnp.asarray(x[IMAGES]) if IMAGES in x else None
    how = None if images is None else change.draw(key, images, training), training
    parts = {IMAGES: change.images, LABELS: change.labels, MASKS: change.masks}
    after = {name: parts.get(name, unchanged)(part, *how) for name, part in x.items()}
    if BOXES in x:
        after[BOXES] = change.boxes(x[BOXES], *how, bounding_box_format)
    return after


def change_of(pair: Pair) -> Change:
    """What a pair does to images and what belongs to them.

    Raises:
        TypeError: for a pair that does nothing of the kind.
    """
    if not isinstance(pair, ImagePair):
        raise TypeError(f"{pair.name} changes no images")
    return pair.change


def rechanged(pair: Pair, change: Change, bounding_box_format: str | None) -> ImagePair:
    """A pair that changes images, under its name, with another change or format of boxes."""
    assert isinstance(pair, ImagePair)
    apply = imaging(change, pair.seed, bounding_box_format).apply
    return replace(pair, apply=apply, change=change)


def with_boxes(pair: Pair, bounding_box_format: str) -> Pair:
    """A pair that changes images, which moves bounding boxes of that format with them.

    The label of a box of which nothing is left in the image becomes -1.

    >>> from funkeras.functional import center_crop
    >>> boxes = jnp.array([[[0.0, 1, 3, 5], [0, 0, 1, 1]]])
    >>> held = {"boxes": boxes, "labels": jnp.array([[7, 8]])}
    >>> x = {"images": jnp.zeros((1, 6, 6, 3)), "bounding_boxes": held}
    >>> y, _ = with_boxes(center_crop(4, 4), "xyxy").apply({}, {}, x)
    >>> y["bounding_boxes"]["boxes"].tolist(), y["bounding_boxes"]["labels"].tolist()
    ([[[0.0, 0.0, 2.0, 4.0], [0.0, 0.0, 0.0, 0.0]]], [[7, -1]])
    """
    one_of("bounding_box_format", bounding_box_format, FORMATS)
    return rechanged(pair, change_of(pair), bounding_box_format)


def in_training(
    draw: Callable[[Key, Array], Transformation],
    images: Callable[[Array, Any], Array],
    labels: Callable[[Array, Any], Array] | None = None,
    masks: Callable[[Array, Any], Array] | None = None,
    boxes: Callable[[Any, Any, str | None], Any] | None = None,
    blends: bool = False,
) -> Change:
    """A random change: of batches in training, where there is a transformation; parts may stay.

    Labels and masks of one that `blends` are in floating point in both phases.
    """

    def drawn(key: Key, x: Array, training: bool) -> Transformation:
        if not training:
            return None
        rank(x.shape, 4)
        return draw(key, x)

    def phased(part: Callable[..., Any] | None, start: Callable[[Any], Any]) -> Any:
        def run(x: Any, transformation: Transformation, training: bool, *form: Any) -> Any:
            x = start(x)
            if part is None or transformation is None or not training:
                return x
            return part(x, transformation, *form)

        return run

    start = as_float if blends else unchanged
    return Change(
        phased(images, as_float),
        phased(labels, start),
        phased(masks, start),
        phased(boxes, unchanged),
        drawn,
        random=True,
    )


def augmentation(
    draw: Callable[[Key, Array], Transformation],
    images: Callable[[Array, Any], Array],
    seed: int | None,
    **others: Any,
) -> ImagePair:
    """The pair of a random change of batches of images, in floating point, in training."""
    return imaging(in_training(draw, images, **others), seed)


def extent(shape: Sequence[Any], first: bool) -> tuple[Any, Any]:
    """The rows and columns of images of that shape."""
    rows, columns = shape[-2:] if first else shape[-3:-1]
    return rows, columns


def frame(first: bool) -> Callable[[Any], tuple[Any, Any]]:
    """From transformations that hold the `input_shape` to rows and columns of the images."""
    return lambda transformation: extent(transformation["input_shape"], first)


def as_corners(
    change: Callable[[Any, Any], Any],
    sizes: Callable[[Any], tuple[Any, Any]],
    target: Sequence[int] | None = None,
) -> Callable[[Any, Any, str | None], Any]:
    """Boxes of any format after `change(boxes and labels, transformation)`, which takes corners.

    Args:
        sizes: from a transformation to the rows and columns of the images.
        target: rows and columns of the images after it, if these are others.
    """

    def boxes(held: Any, transformation: Any, bounding_box_format: str | None) -> Any:
        if bounding_box_format is None:
            raise ValueError(
                "bounding_boxes can be moved in a known format only: give the layer "
                f"bounding_box_format='xyxy', or another of {', '.join(FORMATS)}"
            )
        rows, columns = sizes(transformation)
        held = convert_format(held, bounding_box_format, "xyxy", rows, columns)
        rows, columns = target or (rows, columns)
        return convert_format(
            change(held, transformation), "xyxy", bounding_box_format, rows, columns
        )

    return boxes


def boxed(
    move: Callable[[Array, Any], Array],
    sizes: Callable[[Any], tuple[Any, Any]],
    target: Sequence[int] | None = None,
) -> Callable[[Any, Any, str | None], Any]:
    """Boxes that go where `move(corners, transformation)` takes them, cut off at the borders.

    The label of one of which nothing is left becomes -1.
    """

    def change(held: Any, transformation: Any) -> Any:
        moved = {**held, "boxes": move(held["boxes"], transformation)}
        rows, columns = target or sizes(transformation)
        return clip_to_image_size(moved, rows, columns)

    return as_corners(change, sizes, target)


def cannot_move(name: str, instead: str) -> Callable[[Any, Any, str | None], Any]:
    """Boxes that a layer of that name refuses, and what there is `instead`."""

    def boxes(held: Any, transformation: Any, bounding_box_format: str | None) -> Any:
        raise ValueError(
            f"{name} cannot move bounding_boxes: call it on a dict without them, or use {instead}"
        )

    return boxes
