"""Where the pixels of changed images come from, and where boxes around things go."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.scipy.ndimage import map_coordinates

from funkeras.functional.checks import one_of
from funkeras.functional.precision import at_least_single
from funkeras.functional.preprocessing_changes import ImagePair, augmentation, boxed, frame
from funkeras.typing import Array, Key

__all__: list[str] = []

FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")
ORDERS = {"nearest": 0, "bilinear": 1}


def taken(
    x: Array, places: Array, interpolation: str, fill_mode: str, fill_value: float, first: bool
) -> Array:
    """The images' values at places of (batch, 2, rows, columns): each pixel's row and column."""
    images = x if first else jnp.moveaxis(x, -1, 1)
    narrow = jnp.issubdtype(x.dtype, jnp.floating)  # whole numbers stay such and are rounded
    wide = images.astype(at_least_single(x.dtype)) if narrow else images

    def take(channel: Array, places: Array) -> Array:
        return map_coordinates(channel, [*places], ORDERS[interpolation], fill_mode, fill_value)

    y = jax.vmap(jax.vmap(take, (0, None)))(wide, places).astype(x.dtype)
    return y if first else jnp.moveaxis(y, 1, -1)


@jax.jit
def affine(*rows: Any) -> Array:
    """The matrices (batch, 3, 3) of which the first two rows have these six entries.

    >>> affine(1, 0, jnp.array([5.0]), 0, 1, 0)[0].tolist()
    [[1.0, 0.0, 5.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    entries = (jnp.asarray(entry, jnp.float32).reshape(-1) for entry in (*rows, 0, 0, 1))
    return jnp.stack(jnp.broadcast_arrays(*entries), -1).reshape(-1, 3, 3)


def mapped(matrix: Array, x: Array, y: Array, flat: bool = False) -> tuple[Array, Array]:
    """Where matrices (batch, 3, 3) take points; `flat` ones have the last row 0, 0, 1."""
    rows = matrix.reshape(-1, 3, 3, *[1] * (max(x.ndim, 3) - 1))
    right, down, depth = (rows[:, i, 0] * x + rows[:, i, 1] * y + rows[:, i, 2] for i in range(3))
    if flat:
        return right, down
    depth = jnp.where(depth == 0, 1, depth)
    return right / depth, down / depth


def inverse(matrix: Array) -> Array:
    """The inverses of matrices (batch, 3, 3) that map points, up to a factor that moves none."""
    a, b, c = jnp.moveaxis(matrix, -2, 0)
    return jnp.stack([jnp.cross(b, c), jnp.cross(c, a), jnp.cross(a, b)], -1)


@partial(jax.jit, static_argnums=(2, 3, 4, 5, 6))  # outside of programs one call, not dozens
def seen(
    x: Array,
    matrix: Array,
    interpolation: str,
    fill_value: float,
    first: bool,
    fill_mode: str = "constant",
    flat: bool = False,
) -> Array:
    """Images of which each pixel comes from where a 3×3 matrix for each image takes it."""
    height, width = x.shape[2:] if first else x.shape[1:3]
    rows, columns = jnp.indices((height, width)).astype(matrix.dtype)
    right, down = mapped(matrix, columns[None], rows[None], flat)
    return taken(x, jnp.stack([down, right], 1), interpolation, fill_mode, fill_value, first)


def hulls(corners: Array, matrix: Array) -> Array:
    """The upright boxes, as corners (batch, boxes, 4), around what 3×3 matrices make of boxes."""
    x, y = corners[..., jnp.array([0, 2, 2, 0])], corners[..., jnp.array([1, 1, 3, 3])]
    x, y = mapped(matrix, x, y)
    return jnp.stack([x.min(-1), y.min(-1), x.max(-1), y.max(-1)], -1)


def warp(
    draw: Callable[[Key, Array], Any],
    matrix: Callable[[Any, Any, Any], Array],
    fill_mode: str,
    interpolation: str,
    fill_value: float,
    seed: int | None,
    first: bool,
    sizes: Callable[[Any], tuple[Any, Any]] | None = None,
    flat: bool = True,
) -> ImagePair:
    """A pair that gives at each pixel the input's value where a matrix takes the pixel.

    Masks get the value of the nearest pixel; boxes go where the inverse takes them.

    Args:
        matrix: from a transformation, the rows and the columns of the images to 3×3 matrices of
            which the last rows are 0, 0, 1 where they are `flat`.
        sizes: from a transformation to rows and columns, unless its `input_shape` has them.
    """
    one_of("interpolation", interpolation, tuple(ORDERS))
    sizes = sizes or frame(first)

    def at(x: Array, transformation: Any, interpolation: str = interpolation) -> Array:
        height, width = x.shape[2:] if first else x.shape[1:3]
        found = matrix(transformation, height, width)
        return seen(x, found, interpolation, fill_value, first, fill_mode, flat)

    def masks(x: Array, transformation: Any) -> Array:
        return at(x, transformation, "nearest")

    def move(corners: Array, transformation: Any) -> Array:
        return hulls(corners, inverse(matrix(transformation, *sizes(transformation))))

    return augmentation(draw, at, seed, masks=masks, boxes=boxed(move, sizes))
