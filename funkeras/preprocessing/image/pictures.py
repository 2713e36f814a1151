"""Pictures on disk, as Pillow images and as arrays."""

import io
import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from funkeras import config
from funkeras.preprocessing.image.optional import needed
from funkeras.preprocessing.spelling import any_spelling

__all__ = [
    "array_to_img",
    "img_to_array",
    "list_pictures",
    "load_img",
    "save_img",
    "smart_resize",
]

COLOR_MODES = {"grayscale": ("L", 1), "rgb": ("RGB", 3), "rgba": ("RGBA", 4)}
"""Name → Pillow's mode and the number of channels."""
INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")
DEEP_GRAYS = ("I;16", "I")
"""Pillow's modes of gray with more than 8 bits, which Keras 2 and 3 keep."""
EXTENSIONS = ("jpg", "jpeg", "bmp", "png", "ppm", "tif", "tiff")


def one_of(name: str, value: Any, allowed: Sequence[Any]) -> Any:
    """`value`, if it is one of `allowed`."""
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(str, allowed))}; got {value!r}")
    return value


def channels_first(data_format: str | None) -> bool:
    """Whether a `data_format` (None for the configured one) has the channels before the rows."""
    data_format = data_format or config.image_data_format()
    return one_of("data_format", data_format, config.DATA_FORMATS) == "channels_first"


@any_spelling()
def load_img(
    path: Any,
    color_mode: str | bool = "rgb",
    target_size: Sequence[int] | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Any:
    """A picture from a file, as a Pillow image.

    Args:
        path: of the file, or the opened binary file.
        color_mode: `rgb`, `rgba` or `grayscale`. Keras 1 has a flag `grayscale` in its place.
        target_size: `(rows, columns)` to resize to.
        interpolation: for resizing: nearest, bilinear, bicubic, hamming, box or lanczos.
        keep_aspect_ratio: crop the middle that has the proportions of `target_size` first.
    """
    image = needed("PIL.Image", "load_img")
    if isinstance(color_mode, bool):
        color_mode = "grayscale" if color_mode else "rgb"
    mode, _ = COLOR_MODES[one_of("color_mode", color_mode, tuple(COLOR_MODES))]
    content = path.read() if hasattr(path, "read") else Path(os.fsdecode(path)).read_bytes()
    picture = image.open(io.BytesIO(content))
    deep = mode == "L" and picture.mode in DEEP_GRAYS and config.dialect() != "classic"
    if picture.mode != mode and not deep:
        picture = picture.convert(mode)
    if target_size is None:
        return picture
    rows, columns = target_size
    method = image.Resampling[one_of("interpolation", interpolation, INTERPOLATIONS).upper()]
    if picture.size == (columns, rows):
        return picture
    box = None
    if keep_aspect_ratio:
        width, height = picture.size
        top, left, height, width = middle(height, width, rows, columns)
        box = (left, top, left + width, top + height)
    return picture.resize((columns, rows), method, box=box)


def middle(height: int, width: int, rows: int, columns: int) -> tuple[int, int, int, int]:
    """Top, left, height and width of the largest middle part with the proportions rows:columns.

    >>> middle(340, 500, 200, 200)
    (0, 80, 340, 340)
    """
    kept_height = max(1, min(height, width * rows // columns))
    kept_width = max(1, min(width, height * columns // rows))
    return (height - kept_height) // 2, (width - kept_width) // 2, kept_height, kept_width


@any_spelling()
def img_to_array(img: Any, data_format: str | None = None, dtype: str | None = None) -> np.ndarray:
    """A Pillow image as an array of shape (rows, columns, channels), or with channels first."""
    first = channels_first(data_format)
    x = np.array(img, dtype or config.floatx())
    if x.ndim not in (2, 3):
        raise ValueError(f"an image has 2 or 3 axes, got shape {x.shape}")
    x = x[..., None] if x.ndim == 2 else x
    return np.moveaxis(x, -1, 0) if first else x


@any_spelling()
def array_to_img(
    x: Any, data_format: str | None = None, scale: bool = True, dtype: str | None = None
) -> Any:
    """An array of one image as a Pillow image.

    Args:
        scale: map the values linearly so that the least is 0 and the greatest 255. Keras 1 moves
            the least one only if it is negative.
    """
    image = needed("PIL.Image", "array_to_img")
    x = np.asarray(x, dtype or config.floatx())
    if x.ndim != 3:
        raise ValueError(f"an image has 3 axes: rows, columns and channels; got shape {x.shape}")
    x = np.moveaxis(x, 0, -1) if channels_first(data_format) else x
    if x.shape[-1] not in (1, 3, 4):
        raise ValueError(f"an image has 1, 3 or 4 channels, got shape {x.shape}")
    if scale:
        lowest = x.min()
        x = x - (min(lowest, 0) if config.dialect() == "classic" else lowest)
        greatest = x.max()
        x = x / (greatest if greatest != 0 else 1) * 255
    if x.shape[-1] == 1:
        x = x[..., 0]
        return image.fromarray(x.astype("int32" if x.max() > 255 else "uint8"))
    return image.fromarray(x.astype("uint8"))


@any_spelling()
def save_img(
    path: Any,
    x: Any,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: Any,
) -> None:
    """Write an array as a picture.

    Args:
        path: of the file, or an opened one, which needs `file_format`.
        file_format: what the end of the path says, by default.
        scale: as in `array_to_img`.
        kwargs: go to Pillow's `save`.
    """
    picture = array_to_img(x, data_format, scale)
    if file_format is None and isinstance(path, str | os.PathLike):
        file_format = Path(os.fsdecode(path)).suffix[1:]
    if file_format and file_format.lower() in ("jpg", "jpeg"):
        file_format = "jpeg"
        if picture.mode == "RGBA":
            warnings.warn("JPEG has no transparency: written without it", stacklevel=3)
            picture = picture.convert("RGB")
    if picture.mode == "I" and file_format and file_format.lower() == "png":
        picture = picture.convert("I;16")  # the most that PNG can hold
    picture.save(path, format=file_format or None, **kwargs)


@any_spelling()
def list_pictures(
    directory: str | os.PathLike[str], ext: str | Sequence[str] = EXTENSIONS
) -> list[str]:
    """Paths of the pictures in a folder and those inside it, sorted.

    Args:
        ext: ends of file names; in one text they are separated by `|` (Keras 1).
    """
    ends = ext.split("|") if isinstance(ext, str) else ext
    return [os.path.join(*place) for place in picture_files(directory, ends)]


def picture_files(
    directory: str | os.PathLike[str], extensions: Sequence[str], follow_links: bool = False
) -> list[tuple[str, str]]:
    """(folder, name) of all files below a folder that end so, sorted."""
    ends = tuple(f".{end.lower()}" for end in extensions)
    return sorted(
        (folder, name)
        for folder, _, names in os.walk(directory, followlinks=follow_links)
        for name in names
        if name.lower().endswith(ends)
    )


@any_spelling()
def smart_resize(
    x: Any,
    size: Sequence[int],
    interpolation: str = "bilinear",
    data_format: str | None = "channels_last",
) -> Any:
    """One image or a batch, resized to `(rows, columns)`; what does not fit is cut off evenly.

    NumPy arrays give NumPy arrays. `interpolation` is nearest, bilinear, bicubic, lanczos3 or
    lanczos5.

    >>> smart_resize(np.ones((34, 50, 3)), (20, 20)).shape
    (20, 20, 3)
    """
    if len(size) != 2:
        raise ValueError(f"size must be (rows, columns), got {size!r}")
    if x.ndim not in (3, 4):
        raise ValueError(f"x must be an image or a batch of them, got shape {x.shape}")
    row_axis = x.ndim - (2 if channels_first(data_format) else 3)
    top, left, height, width = middle(*x.shape[row_axis : row_axis + 2], *size)
    before = (slice(None),) * row_axis
    part = x[(*before, slice(top, top + height), slice(left, left + width))]
    shape = (*x.shape[:row_axis], *size, *x.shape[row_axis + 2 :])
    y = jax.image.resize(part, shape, interpolation, antialias=False)
    return np.asarray(y) if isinstance(x, np.ndarray) else y
