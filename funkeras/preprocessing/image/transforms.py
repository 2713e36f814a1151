"""Transformations of one image: rotation, shift, shear, zoom, channel shift, brightness.

Where generations differ, the dialect decides: Keras 1 takes the nearest pixel instead of a linear
mixture, has shears in radians and shifts each channel by itself; Keras 1 and 2 turn about a point
one pixel beyond the middle and reflect at borders as the SciPy of their time did; Keras 3 exchanges
the roles of rows and columns.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from funkeras import config
from funkeras.preprocessing.image.optional import needed
from funkeras.preprocessing.image.pictures import array_to_img, channels_first, img_to_array
from funkeras.preprocessing.spelling import any_spelling

__all__ = [
    "apply_affine_transform",
    "apply_brightness_shift",
    "apply_channel_shift",
    "apply_transform",
    "flip_axis",
    "random_brightness",
    "random_channel_shift",
    "random_rotation",
    "random_shear",
    "random_shift",
    "random_zoom",
    "transform_matrix_offset_center",
]

CENTER = {"classic": 0.5, "keras2": 0.5, "modern": -0.5}
"""Where, beyond half the size, each generation has the middle of an image."""


def flip_axis(x: Any, axis: int) -> np.ndarray:
    """The array with one axis reversed."""
    return np.flip(x, axis)


def transform_matrix_offset_center(matrix: Any, x: float, y: float) -> np.ndarray:
    """The 3×3 matrix that does what `matrix` does, about the middle of an x by y image."""
    beyond = CENTER[config.dialect()]
    move, back = np.eye(3), np.eye(3)
    move[:2, 2] = x / 2 + beyond, y / 2 + beyond
    back[:2, 2] = -move[:2, 2]
    return move @ matrix @ back


@any_spelling()
def apply_transform(
    x: np.ndarray,
    transform_matrix: np.ndarray,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 0,
) -> np.ndarray:
    """The image whose pixel at p is that of `x` at `transform_matrix @ p` (Keras 1).

    Args:
        fill_mode: what lies beyond the borders: `nearest`, `reflect`, `wrap`, or `constant` for
            the value `cval`.
        order: of the spline between pixels; 0 takes the nearest pixel, 1 is linear.
    """
    scipy = needed("scipy.ndimage", "a transformation of images")
    matrix, offset = transform_matrix[:2, :2], transform_matrix[:2, 2]
    channels = np.moveaxis(x, channel_axis, 0)
    if fill_mode == "reflect" and config.dialect() != "modern":
        sizes = channels.shape[1:]
        places = np.tensordot(matrix, np.indices(sizes), 1) + offset[:, None, None]
        places = np.stack([_reflected(p, size) for p, size in zip(places, sizes, strict=True)])
        moved = [scipy.map_coordinates(c, places, order=order, mode="mirror") for c in channels]
    else:
        moved = [
            scipy.affine_transform(c, matrix, offset, order=order, mode=fill_mode, cval=cval)
            for c in channels
        ]
    return np.stack(moved, channel_axis)


def _reflected(places: np.ndarray, size: int) -> np.ndarray:
    """Coordinates brought inside an axis as SciPy did it before version 1.6.

    Those within one pixel of the border stay outside, for the mirror: the picture is bent there.
    """
    period = 2 * size
    low = np.where(places < -period, places + period * np.trunc(-places / period), places)
    low = np.where(low < -size, low + period, -low - 1)
    high = places - period * np.trunc(places / period)
    high = np.where(high >= size, period - high - 1, high)
    return np.where(places < 0, low, np.where(places > size - 1, high, places))


def affine_matrix(
    theta: float, tx: float, ty: float, shear: float, zx: float, zy: float
) -> np.ndarray:
    """Rotation, then shift, shear and zoom, as one 3×3 matrix; angles are in radians."""
    cos, sin = np.cos(theta), np.sin(theta)
    rotation = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    shift = np.array([[1, 0, tx], [0, 1, ty], [0, 0, 1]])
    sheared = np.array([[1, -np.sin(shear), 0], [0, np.cos(shear), 0], [0, 0, 1]])
    return rotation @ shift @ sheared @ np.diag([zx, zy, 1])


@any_spelling()
def apply_affine_transform(
    x: np.ndarray,
    theta: float = 0,
    tx: float = 0,
    ty: float = 0,
    shear: float = 0,
    zx: float = 1,
    zy: float = 1,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 1,
) -> np.ndarray:
    """One image, rotated about its middle, shifted, sheared and zoomed.

    Args:
        theta: in degrees.
        tx, ty: in pixels, along rows and columns.
        shear: in degrees; in radians in the classic dialect.
        zx, zy: factors; above 1 shows more.
        fill_mode, cval, order: as in `apply_transform`.
    """
    axes = (row_axis, col_axis, channel_axis)
    if x.ndim != 3 or sorted(axes) != [0, 1, 2]:
        raise ValueError(
            "an image has 3 axes, of which row_axis, col_axis and channel_axis are each one; "
            f"got shape {x.shape} and {axes}"
        )
    return _affine(x, axes[:2], channel_axis, fill_mode, cval, order, theta, tx, ty, shear, zx, zy)


def _affine(
    x: np.ndarray,
    axes: Sequence[int],
    channel_axis: int,
    fill_mode: str,
    cval: float,
    order: int,
    theta: float = 0,
    tx: float = 0,
    ty: float = 0,
    shear: float = 0,
    zx: float = 1,
    zy: float = 1,
) -> np.ndarray:
    if (theta, tx, ty, shear, zx, zy) == (0, 0, 0, 0, 1, 1):
        return x
    dialect = config.dialect()
    radians = shear if dialect == "classic" else np.deg2rad(shear)
    matrix = affine_matrix(np.deg2rad(theta), tx, ty, radians, zx, zy)
    rows, columns = axes
    matrix = transform_matrix_offset_center(matrix, x.shape[rows], x.shape[columns])
    if dialect == "modern" and columns > rows:
        matrix = matrix[[1, 0, 2]][:, [1, 0, 2]]
    return apply_transform(x, matrix, channel_axis, fill_mode, cval, order)


def _middle_axes(row_axis: int, col_axis: int) -> tuple[int, int]:
    """Axes whose sizes give the middle. Keras 2's random functions always take the first two."""
    return (0, 1) if config.dialect() == "keras2" else (row_axis, col_axis)


@any_spelling()
def random_rotation(
    x: np.ndarray,
    rg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """One image, rotated by up to `rg` degrees. Chance is NumPy's global generator."""
    theta = np.random.uniform(-rg, rg)
    axes = _middle_axes(row_axis, col_axis)
    return _affine(x, axes, channel_axis, fill_mode, cval, interpolation_order, theta=theta)


@any_spelling()
def random_shift(
    x: np.ndarray,
    wrg: float,
    hrg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """One image, shifted by up to the shares `wrg` of its width and `hrg` of its height."""
    tx = np.random.uniform(-hrg, hrg) * x.shape[row_axis]
    ty = np.random.uniform(-wrg, wrg) * x.shape[col_axis]
    axes = _middle_axes(row_axis, col_axis)
    return _affine(x, axes, channel_axis, fill_mode, cval, interpolation_order, tx=tx, ty=ty)


@any_spelling()
def random_shear(
    x: np.ndarray,
    intensity: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """One image, sheared by up to `intensity` degrees (radians in the classic dialect)."""
    shear = np.random.uniform(-intensity, intensity)
    axes = _middle_axes(row_axis, col_axis)
    return _affine(x, axes, channel_axis, fill_mode, cval, interpolation_order, shear=shear)


@any_spelling()
def random_zoom(
    x: np.ndarray,
    zoom_range: Sequence[float],
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """One image, zoomed by two factors between those of `zoom_range`."""
    low, high = pair_of("zoom_range", zoom_range)
    zx, zy = (1, 1) if low == high == 1 else np.random.uniform(low, high, 2)
    axes = _middle_axes(row_axis, col_axis)
    return _affine(x, axes, channel_axis, fill_mode, cval, interpolation_order, zx=zx, zy=zy)


def pair_of(name: str, value: Any) -> tuple[float, float]:
    """`value` as two numbers."""
    if not hasattr(value, "__len__") or len(value) != 2:
        raise ValueError(f"{name} must be two numbers, got {value!r}")
    return value[0], value[1]


def apply_channel_shift(x: np.ndarray, intensity: Any, channel_axis: int = 0) -> np.ndarray:
    """`x + intensity`, within the range of x; an intensity for each channel, or one for all."""
    shape = [-1 if axis == channel_axis % x.ndim else 1 for axis in range(x.ndim)]
    shift = np.asarray(intensity).reshape(shape).astype(x.dtype)
    return np.clip(x + shift, x.min(), x.max())


@any_spelling()
def random_channel_shift(
    x: np.ndarray, intensity_range: float, channel_axis: int = 0
) -> np.ndarray:
    """The channels moved by up to `intensity_range`: all alike, or each by itself in Keras 1."""
    many = x.shape[channel_axis] if config.dialect() == "classic" else None
    intensity = np.random.uniform(-intensity_range, intensity_range, many)
    return apply_channel_shift(x, intensity, channel_axis)


@any_spelling()
def apply_brightness_shift(
    x: np.ndarray, brightness: float, scale: bool = True, data_format: str | None = None
) -> np.ndarray:
    """An image `brightness` times as bright, with Pillow: in whole numbers from 0 to 255.

    Args:
        scale: stretch the values to that range first. Without it they are only if they leave it,
            and then brought back.
    """
    enhance = needed("PIL.ImageEnhance", "a change of brightness")
    low, high = x.min(), x.max()
    stretched = bool(low < 0 or high > 255)
    data_format = "channels_first" if channels_first(data_format) else "channels_last"
    picture = array_to_img(x, data_format, scale or stretched)
    y = img_to_array(enhance.Brightness(picture).enhance(brightness), data_format)
    return y / 255 * (high - low) + low if stretched and not scale else y


@any_spelling()
def random_brightness(
    x: np.ndarray, brightness_range: Sequence[float], scale: bool = True
) -> np.ndarray:
    """`apply_brightness_shift` by a factor between those of `brightness_range`."""
    low, high = pair_of("brightness_range", brightness_range)
    return apply_brightness_shift(x, np.random.uniform(low, high), scale)
