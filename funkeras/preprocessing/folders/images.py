"""Images in a folder as a dataset."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from funkeras.preprocessing.folders.files import Labelling, datasets
from funkeras.preprocessing.folders.resizing import INTERPOLATIONS, resized
from funkeras.preprocessing.image.optional import needed
from funkeras.preprocessing.image.pictures import COLOR_MODES, channels_first, middle, one_of

__all__ = ["image_dataset_from_directory"]

ENDS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")


def image_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: int | Sequence[int] = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    format: str = "tf",  # noqa: A002  Keras calls it so
    verbose: bool = True,
) -> Any:
    """A `Dataset` of the images in a folder, with a folder within it for each class.

    Each batch is `(images, labels)`, or images alone without labels: float32 from 0 to 255, of
    shape `(batch, rows, columns, channels)`. `dataset.class_names` and `dataset.file_paths` say
    what is in it. The files are read while it is gone through, so that a folder may be larger than
    memory.

    Args:
        labels: "inferred" from the folders; or a list with a number for each file, in the order
            of their paths; or None.
        label_mode: `int`; `categorical`, one-hot; `binary`, a column of 0.0 and 1.0; or None.
        class_names: the folders, in the order of their numbers; sorted by name when left out.
        color_mode: `rgb`, `rgba` or `grayscale`.
        batch_size: None for single images.
        shuffle: the files by `seed`, as Keras does, and in each pass the next 8 batches by it too.
        validation_split: share of the files to validate on.
        subset: `training` or `validation`; `both` gives a list of the two.
        interpolation: one of TensorFlow's: bilinear, nearest, bicubic, area, lanczos3, lanczos5,
            gaussian or mitchellcubic.
        crop_to_aspect_ratio: cut the edges off rather than distort an image.
        pad_to_aspect_ratio: add black edges rather than distort it.
        format: `tf` or `grain`, accepted for scripts: what comes is the same.
        verbose: print how many files there are.

    Raises:
        ValueError: for arguments that do not go together, or a folder without images.
    """
    asked = Labelling(
        *(directory, labels, label_mode, class_names, batch_size, shuffle, seed),
        *(validation_split, subset, follow_links, verbose, format),
    )
    mode, _ = COLOR_MODES[one_of("color_mode", color_mode, tuple(COLOR_MODES))]
    method = one_of("interpolation", interpolation.lower(), INTERPOLATIONS)
    first = channels_first(data_format)
    size = (image_size, image_size) if isinstance(image_size, int) else tuple(image_size)
    if len(size) != 2:
        raise ValueError(f"image_size must be a number or (rows, columns), got {image_size!r}")
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError("crop_to_aspect_ratio and pad_to_aspect_ratio exclude one another")
    opened = needed("PIL.Image", "image_dataset_from_directory").open
    fit = cropped if crop_to_aspect_ratio else padded if pad_to_aspect_ratio else resized

    def read(path: str) -> np.ndarray:
        with opened(path) as picture:
            pixels = np.asarray(picture if picture.mode == mode else picture.convert(mode))
        image = fit(pixels[..., None] if pixels.ndim == 2 else pixels, size, method)
        return np.moveaxis(image, -1, 0) if first else image

    return datasets(asked, read, ENDS)


def cropped(image: np.ndarray, size: tuple[int, int], interpolation: str) -> np.ndarray:
    """The largest middle part with the proportions of `size`, resized."""
    top, left, height, width = middle(image.shape[0], image.shape[1], *size)
    return resized(image[top : top + height, left : left + width], size, interpolation)


def padded(image: np.ndarray, size: tuple[int, int], interpolation: str) -> np.ndarray:
    """The whole image as large as fits into `size`, with zeros around it."""
    have, want = np.array(image.shape[:2], "float32"), np.array(size, "float32")
    exact = have / (have / want).max()  # in single precision, as TensorFlow rounds it down
    inner = exact.astype(int)
    image = resized(image, (inner[0], inner[1]), interpolation)
    before = ((want - exact) / 2).astype(int)
    after = np.array(size) - before - inner
    return np.pad(image, [*zip(before, after, strict=True), (0, 0)])
