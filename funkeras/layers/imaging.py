"""The class of layers that change images: single ones too, and what belongs to them in a dict."""

import inspect
import re
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from funkeras import symbolic
from funkeras.functional.pair import Pair
from funkeras.layers.layer import Layer
from funkeras.typing import Config, Params, PyTree, State
from funkeras.variables import current_flow

__all__ = ["Imaging"]

MOVING = (
    *("RandomFlip", "RandomCrop", "RandomRotation", "RandomTranslation", "RandomZoom"),
    *("RandomShear", "RandomPerspective", "RandomElasticTransform", "CenterCrop", "Resizing"),
    "RandAugment",
)
"""Layers after which things are elsewhere in the image."""
ANYTHING = ("Rescaling", "Pipeline")
"""Layers for inputs of every rank."""
TOGETHER = ("CutMix", "MixUp", "MaxNumBoundingBoxes")
"""Layers whose pair takes a dict itself."""
MASKS, BOXES = "segmentation_masks", "bounding_boxes"


class Imaging(Layer):
    """A layer that changes images. Its `dtype` may be one of whole numbers, to which it rounds.

    It takes one image too, and a dict of `images` and what belongs to them: `labels` stay;
    `segmentation_masks` move as their images do, without values in between; so do not
    `bounding_boxes`, which are refused where they would have to.
    """

    def __init__(self, *args: Any, bounding_box_format: str | None = None, **kwargs: Any) -> None:
        self.bounding_box_format = bounding_box_format
        if "data_format" not in self.signature.parameters:
            kwargs.pop("data_format", None)  # it says where channels are, and nothing depends on it
        super().__init__(*args, **kwargs)

    def get_config(self) -> Config:
        """The arguments that make an equal layer, as plain data."""
        own = self.bounding_box_format
        return {**super().get_config(), **({"bounding_box_format": own} if own else {})}

    def make_pair(self) -> Pair:
        """The pair of this layer's arguments."""
        pair = super().make_pair()
        build, kind = type(self).builder, type(self).spelling
        if build is None:
            return pair
        own = inspect.signature(build).parameters
        arguments = {name: self._arguments[name] for name in own if name in self._arguments}
        nearest = {"interpolation": "nearest"} if "interpolation" in own else {}
        moved = build(**{**arguments, **nearest}) if nearest else pair
        dtype = whole_dtype(self.dtype_policy)

        def one(pair: Pair, params: Params, state: State, x: Any, **flow: Any) -> Any:
            """What becomes of a batch, or of one image without an axis for it."""
            single = x.ndim == 3
            y, after = pair.apply(params, state, x[None] if single else x, **flow)
            return (y[0] if single else y), after

        def run(
            params: Params, state: State, x: PyTree, *, mask: PyTree, **flow: Any
        ) -> tuple[PyTree, State, PyTree]:
            if kind in (*TOGETHER, *ANYTHING):
                y, after, mask = pair.run(params, state, x, mask=mask, **flow)
            elif not isinstance(x, Mapping):
                y, after = one(pair, params, state, x, **flow)
            else:
                images = x["images"]
                y, after = one(pair, params, state, images, **flow)
                y = {**x, "images": y}
                refused = {BOXES, MASKS} if kind == "RandAugment" else {BOXES}
                if kind in MOVING and (held := refused & x.keys()):
                    raise ValueError(f"{kind} cannot move {', '.join(sorted(held))}")
                if kind in MOVING and MASKS in x:
                    masks, dtype_of_y = x[MASKS], jnp.result_type(y["images"])
                    turned, _ = one(moved, params, state, masks.astype(dtype_of_y), **flow)
                    y[MASKS] = turned.astype(masks.dtype)
            return (y if dtype is None else _rounded(y, dtype)), after, mask

        return pair.rerun(run)

    def _run(self, x: Any, *others: Any, training: bool | None = None, **named: Any) -> Any:
        """As any layer. In Keras 3 one that is called on images by itself changes them."""
        if not symbolic.is_symbolic(x) and current_flow() is None and self.dialect == "modern":
            training = True if training is None else training
        return super()._run(x, *others, training=training, **named)


def _rounded(y: PyTree, dtype: str) -> PyTree:
    """Images, or those in a dict, as whole numbers."""
    limits = jnp.iinfo(dtype)

    def whole(a: Any) -> Any:
        return jnp.clip(jnp.round(a), limits.min, limits.max).astype(dtype)

    return {**y, "images": whole(y["images"])} if isinstance(y, Mapping) else jax.tree.map(whole, y)


def whole_dtype(policy: Any) -> str | None:
    """The dtype of a policy, if it is one of whole numbers."""
    name = policy["config"]["name"] if isinstance(policy, Mapping) else str(policy)
    return name if re.fullmatch(r"u?int(8|16|32|64)", name) else None
