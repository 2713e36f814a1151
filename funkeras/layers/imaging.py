"""The classes of layers that change images, single ones too, and what belongs to them in a dict."""

import re
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from funkeras import symbolic
from funkeras.functional.checks import one_of
from funkeras.functional.combinators import real_as
from funkeras.functional.pair import Pair, key_in_training
from funkeras.functional.preprocessing_changes import (
    BOXES,
    IMAGES,
    Change,
    Transformation,
    change_of,
    rechanged,
)
from funkeras.functional.preprocessing_warping import elastic_lengths
from funkeras.layers.layer import Layer
from funkeras.layers.weights import dtypes_of
from funkeras.random import key_of
from funkeras.typing import Array, Config, Params, PyTree, State
from funkeras.utils.bounding_boxes import FORMATS
from funkeras.variables import current_flow, running

__all__ = ["Elastic", "Imaging", "Preparing", "Shifting", "Zooming"]


class Preparing(Layer):
    """A layer that prepares data. Its `dtype` may be one of whole numbers, to which it rounds."""

    def make_pair(self) -> Pair:
        """The pair of this layer's arguments."""
        pair = super().make_pair()

        def run(
            params: Params, state: State, x: PyTree, **flow: Any
        ) -> tuple[PyTree, State, PyTree]:
            y, after, mask = pair.run(params, state, x, **flow)
            return self._rounded(y), after, mask

        return pair.rerun(run) if whole_dtype(self.dtype_policy) else pair

    def _rounded(self, y: PyTree) -> PyTree:
        """Images, or those in a dict, as whole numbers if the policy says so."""
        dtype = whole_dtype(self.dtype_policy)
        if dtype is None:
            return y
        if isinstance(y, Mapping):
            return {**y, IMAGES: self._rounded(y[IMAGES])}
        limits = jnp.iinfo(dtype)
        return jax.tree.map(
            lambda a: jnp.clip(jnp.round(a), limits.min, limits.max).astype(dtype), y
        )

    def _run(self, x: Any, *others: Any, training: bool | None = None, **named: Any) -> Any:
        """As any layer. In Keras 3 one that is called on images by itself changes them."""
        if not symbolic.is_symbolic(x) and current_flow() is None and self.dialect == "modern":
            training = True if training is None else training
        return super()._run(x, *others, training=training, **named)


class Imaging(Preparing):
    """A layer that changes images: a batch, one image, or a dict with what belongs to them.

    A dict has `images`, and may have `labels`, `segmentation_masks` and `bounding_boxes`, a dict of
    `boxes` and their `labels`. All of them are changed by one transformation, which
    `get_random_transformation` draws and the `transform_` methods take. Boxes move with their
    images where `bounding_box_format` says how they are given; masks do so without values between
    those of pixels. A subclass may have such methods of its own.
    """

    _change: Change

    def __init__(self, *args: Any, bounding_box_format: str | None = None, **kwargs: Any) -> None:
        if bounding_box_format is not None:
            one_of("bounding_box_format", bounding_box_format.lower(), FORMATS)
        self.bounding_box_format = bounding_box_format
        super().__init__(*args, **kwargs)

    def get_config(self) -> Config:
        """The arguments that make an equal layer, as plain data."""
        own = self.bounding_box_format
        return {**super().get_config(), **({"bounding_box_format": own} if own else {})}

    def _building(self) -> tuple[Any, dict[str, Any]]:
        """The function that makes its pair, which uses the methods that a subclass has."""
        build, given = super()._building()
        written = {
            part: use(self) for part, (method, use) in METHODS.items() if self._overrides(method)
        }

        def built(**arguments: Any) -> Pair:
            pair = build(**arguments)
            self._change = change_of(pair)
            random = {"random": True} if "draw" in written else {}
            change = replace(self._change, **written, **random)
            change = replace(change, boxes=apart(change.boxes))
            return rechanged(pair, change, self.bounding_box_format)

        return built, given

    def make_pair(self) -> Pair:
        """The pair of this layer's arguments."""
        pair = super().make_pair()
        written = any(self._overrides(method) for method, _ in METHODS.values())

        def run(
            params: Params, state: State, x: PyTree, **flow: Any
        ) -> tuple[PyTree, State, PyTree]:
            single = is_single(x)
            x = jax.tree.map(lambda a: jnp.asarray(a)[None], x) if single else x
            if held := isinstance(x, Mapping) and BOXES in x and self.inherited is None:
                x = {**x, BOXES: Apart(x[BOXES])}
            draws = running(flow["training"], flow["key"]) if written else nullcontext()
            with draws:  # those of a subclass
                y, after, mask = pair.run(params, state, x, **flow)
            y = {**y, BOXES: y[BOXES].held} if held else y
            return (jax.tree.map(lambda a: a[0], y) if single else y), after, mask

        return pair.rerun(run)

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> Transformation:
        """What to do to images, or those in a dict: None for nothing.

        Args:
            seed: what it is drawn from, as in `funkeras.random`.
        """
        x = jnp.asarray(data[IMAGES] if isinstance(data, Mapping) else data)
        key = None
        if training and self._change.random:
            own = self._arguments.get("seed") if seed is None else None
            key = key_in_training(key_of(seed), own)
        return self._change.draw(key, x if x.ndim == 4 else x[None], training)

    def transform_images(
        self, images: Any, transformation: Transformation = None, training: bool = True
    ) -> Array:
        """The images, or the image, after a transformation."""
        x = jnp.asarray(images)
        casts = self.casts or (self.dialect == "modern" and self.autocast)
        dtype = dtypes_of(self.dtype_policy)[1]
        x = real_as(dtype, x) if casts else x
        y = self._change.images(x if x.ndim == 4 else x[None], arrays_of(transformation), training)
        y = self._rounded(real_as(dtype, y) if casts else y)
        return y if x.ndim == 4 else y[0]

    def transform_labels(
        self, labels: Any, transformation: Transformation = None, training: bool = True
    ) -> Array:
        """The labels of images after a transformation."""
        return self._change.labels(jnp.asarray(labels), arrays_of(transformation), training)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Transformation = None, training: bool = True
    ) -> Array:
        """Masks, or the mask, after a transformation."""
        x = jnp.asarray(segmentation_masks)
        y = self._change.masks(x if x.ndim == 4 else x[None], arrays_of(transformation), training)
        return y if x.ndim == 4 else y[0]

    def transform_bounding_boxes(
        self,
        bounding_boxes: Mapping[str, Any],
        transformation: Transformation = None,
        training: bool = True,
    ) -> Any:
        """A dict of `boxes`, (batch, boxes, 4) or (boxes, 4), and `labels` after it."""
        held = jax.tree.map(jnp.asarray, dict(bounding_boxes))
        if held["boxes"].ndim == 2:
            return self.transform_single_bounding_box(held, transformation, training)
        return self._change.boxes(
            held, arrays_of(transformation), training, self.bounding_box_format
        )

    def transform_single_image(
        self, image: Any, transformation: Transformation, training: bool = True
    ) -> Array:
        """One image after a transformation."""
        return self.transform_images(jnp.asarray(image)[None], transformation, training)[0]

    def transform_single_label(
        self, label: Any, transformation: Transformation, training: bool = True
    ) -> Array:
        """The label of one image after a transformation."""
        return self.transform_labels(jnp.asarray(label)[None], transformation, training)[0]

    def transform_single_segmentation_mask(
        self, segmentation_mask: Any, transformation: Transformation, training: bool = True
    ) -> Array:
        """The mask of one image after a transformation."""
        masks = jnp.asarray(segmentation_mask)[None]
        return self.transform_segmentation_masks(masks, transformation, training)[0]

    def transform_single_bounding_box(
        self, bounding_box: Mapping[str, Any], transformation: Transformation, training: bool = True
    ) -> Any:
        """The boxes of one image, (boxes, 4), and their labels after a transformation."""
        held = jax.tree.map(lambda a: jnp.asarray(a)[None], dict(bounding_box))
        y = self.transform_bounding_boxes(held, transformation, training)
        return jax.tree.map(lambda a: a[0], y)


def _drawing(layer: Imaging) -> Callable[..., Any]:
    """The method of a subclass, called as Keras does; what it draws comes from the run."""
    return lambda key, x, training: layer.get_random_transformation(x, training=training)


def _transforming(method: str) -> Callable[[Imaging], Callable[..., Any]]:
    """From a layer to its method of that name as part of a change."""

    def of(layer: Imaging) -> Callable[..., Any]:
        return lambda x, transformation, training, *form: getattr(layer, method)(
            x, transformation, training=training
        )

    return of


METHODS: dict[str, tuple[str, Callable[[Imaging], Callable[..., Any]]]] = {
    "draw": ("get_random_transformation", _drawing),
    **{
        part: (f"transform_{name}", _transforming(f"transform_{name}"))
        for part, name in (
            ("images", "images"),
            ("labels", "labels"),
            ("masks", "segmentation_masks"),
            ("boxes", "bounding_boxes"),
        )
    },
}
"""Field of a change → the method that a subclass may have for it, and from a layer to its use."""


class Apart:
    """Boxes that no cast to the type of computation reaches: half precision lacks their digits."""

    def __init__(self, held: Any) -> None:
        self.held = held


def apart(boxes: Callable[..., Any]) -> Callable[..., Any]:
    """A change of boxes that takes and gives them `Apart` too."""

    def run(held: Any, *how: Any) -> Any:
        return Apart(boxes(held.held, *how)) if isinstance(held, Apart) else boxes(held, *how)

    return run


def arrays_of(transformation: Transformation) -> Transformation:
    """A transformation with JAX's arrays for NumPy's."""
    return jax.tree.map(
        lambda a: jnp.asarray(a) if isinstance(a, np.ndarray) else a, transformation
    )


def is_single(x: PyTree) -> bool:
    """Whether this is one image, or belongs to one, rather than a batch."""
    if not isinstance(x, Mapping):
        return x.ndim == 3
    return x[IMAGES].ndim == 3 if IMAGES in x else x[BOXES]["boxes"].ndim == 2


class Placed(Imaging):
    """A layer that moves pixels by a matrix."""

    def get_transformed_x_y(self, x: Any, y: Any, transform: Any) -> tuple[Array, Array]:
        """Where rows of `transform`, [a0, a1, a2, b0, b1, b2, c0, c1], take a point."""
        a0, a1, a2, b0, b1, b2, c0, c1 = jnp.split(jnp.asarray(transform), 8, -1)
        depth = c0 * x + c1 * y + 1
        return (a0 * x + a1 * y + a2) / depth, (b0 * x + b1 * y + b2) / depth


class Shifting(Placed):
    """A layer that shifts what it moves."""

    def get_shifted_bbox(
        self, bounding_boxes: Mapping[str, Any], w_shift_factor: Any, h_shift_factor: Any
    ) -> dict[str, Any]:
        """Boxes, as corners, so much further to the left and upwards."""
        x1, y1, x2, y2 = jnp.split(jnp.asarray(bounding_boxes["boxes"]), 4, -1)
        left, up = (_for_boxes(shift, x1) for shift in (w_shift_factor, h_shift_factor))
        moved = jnp.concatenate([x1 - left, y1 - up, x2 - left, y2 - up], -1)
        return {**bounding_boxes, "boxes": moved}


class Zooming(Placed):
    """A layer that shows a part of images, or what is around them."""

    def get_clipped_bbox(
        self, bounding_boxes: Mapping[str, Any], h_end: Any, h_start: Any, w_end: Any, w_start: Any
    ) -> dict[str, Any]:
        """Boxes, as corners, in the part of the image between these ends."""
        x1, y1, x2, y2 = jnp.split(jnp.asarray(bounding_boxes["boxes"]), 4, -1)
        left, right, top, bottom = (_for_boxes(end, x1) for end in (w_start, w_end, h_start, h_end))
        across = (jnp.clip(x, left, right) - left for x in (x1, x2))
        down = (jnp.clip(y, top, bottom) - top for y in (y1, y2))
        corners = [side for pair in zip(across, down, strict=True) for side in pair]
        return {**bounding_boxes, "boxes": jnp.concatenate(corners, -1)}


class Elastic(Imaging):
    """A layer that moves near pixels alike."""

    def get_elastic_transform_params(self, height: Any, width: Any, factor: Any) -> Any:
        """How far pixels are moved, and how wide the Gaussian is that smooths the moves."""
        return elastic_lengths(height, width, factor)


def _for_boxes(number: Any, boxes: Array) -> Array:
    """A number for each image, shaped to go with boxes."""
    number = jnp.asarray(number, boxes.dtype)
    return number[..., None] if boxes.ndim == 3 else number


def whole_dtype(policy: Any) -> str | None:
    """The dtype of a policy, if it is one of whole numbers."""
    name = policy["config"]["name"] if isinstance(policy, Mapping) else str(policy)
    return name if re.fullmatch(r"u?int(8|16|32|64)", name) else None
