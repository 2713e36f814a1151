"""`InputSpec`: what a layer that users write says about the inputs it takes."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax

from funkeras.functional.shapes import is_shape
from funkeras.typing import Config

__all__ = ["InputSpec", "check_shapes"]


class InputSpec:
    """Rank and sizes of an input, as an attribute `input_spec` of a layer states them.

    Args:
        dtype: accepted; inputs are cast.
        shape: sizes by axis, None for any.
        ndim, max_ndim, min_ndim: number of axes.
        axes: axis → size.
        allow_last_axis_squeeze: a last axis of size 1 may be there or not.
        name, optional: accepted; they are told by `get_config` and attributes alone.
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Sequence[int | None] | None = None,
        ndim: int | str | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: Mapping[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        self.dtype = dtype
        self.name = name
        self.optional = optional
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        self.shape = None if shape is None else tuple(shape)
        # Keras 1 has ndim="2+" for at least two axes.
        least = isinstance(ndim, str) and ndim.endswith("+")
        self.min_ndim = int(str(ndim)[:-1]) if least else min_ndim
        self.ndim = None if least else ndim if shape is None else len(shape)
        self.max_ndim = max_ndim
        self.axes = {int(axis): size for axis, size in (axes or {}).items()}

    def get_config(self) -> Config:
        """Its arguments, as Keras 3 writes them."""
        names = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes", "optional")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_config(cls, config: Config) -> "InputSpec":
        """The one that `get_config` described."""
        return cls(**config)

    def wrong(self, shape: Sequence[int | None]) -> str:
        """What is expected of a shape that does not fit; nothing for one that does."""
        rank, squeezed = len(shape), self.allow_last_axis_squeeze
        if self.ndim is not None and rank != self.ndim and not squeezed:
            return f"{self.ndim} axes"
        if self.min_ndim is not None and rank < self.min_ndim:
            return f"at least {self.min_ndim} axes"
        if self.max_ndim is not None and rank > self.max_ndim:
            return f"at most {self.max_ndim} axes"
        own = self.shape or ()
        if squeezed:
            shape, own = without_last_one(shape), without_last_one(own)
        rank = len(shape)
        sizes = {**dict(enumerate(own)), **self.axes}
        for axis, size in sizes.items():
            if axis >= rank:
                return f"an axis {axis}"
            if size is not None and shape[axis] not in (size, None):
                return f"{size} entries along axis {axis}"
        return ""

    def __repr__(self) -> str:
        given = {k: v for k, v in self.__dict__.items() if v not in (None, {}, False)}
        return f"InputSpec({', '.join(f'{name}={value!r}' for name, value in given.items())})"


def without_last_one(shape: Sequence[int | None]) -> tuple[int | None, ...]:
    """A shape without a last axis of size 1."""
    return tuple(shape[:-1] if shape and shape[-1] == 1 else shape)


def check_shapes(layer: Any, shapes: Any) -> None:
    """See that inputs of those shapes fit the `input_spec` of a layer.

    Raises:
        ValueError: naming the layer, what it expects and what came.
    """
    if not layer.input_spec:
        return
    several = isinstance(layer.input_spec, list | tuple)
    specs = list(layer.input_spec) if several else [layer.input_spec]
    given = jax.tree.leaves(shapes, is_leaf=is_shape)
    if several and len(specs) != len(given):
        raise ValueError(f"layer {layer.name!r} takes {len(specs)} inputs, got {len(given)}")
    for index, (spec, shape) in enumerate(zip(specs, given, strict=False)):
        if spec is not None and (wrong := spec.wrong(shape)):
            raise ValueError(
                f"input {index} of layer {layer.name!r} must have {wrong}; got shape {shape}"
            )
