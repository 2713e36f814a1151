"""Batches of images from files: a folder for each class, or a table of file names."""

import os
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from funkeras import config
from funkeras.preprocessing.image.iterators import Iterator, share_of
from funkeras.preprocessing.image.pictures import (
    COLOR_MODES,
    EXTENSIONS,
    channels_first,
    img_to_array,
    load_img,
    one_of,
    picture_files,
)
from funkeras.preprocessing.spelling import any_spelling
from funkeras.utils.messages import say

__all__ = ["DataFrameIterator", "DirectoryIterator"]

CLASSIC_EXTENSIONS = ("png", "jpg", "jpeg", "bmp")


class _FileIterator(Iterator):
    """Batches of images from files. Derived classes set `filenames`, `classes` and the like."""

    class_modes: tuple[str | None, ...]
    directory: Any = ""
    class_indices: dict[str, int]
    filenames: list[str]
    classes: Any = None
    labels: Any = None
    sample_weight: Any = None

    def _configure(
        self,
        image_data_generator: Any,
        target_size: Sequence[int],
        color_mode: str,
        class_mode: str | None,
        data_format: str | None,
        save_to_dir: Any,
        save_prefix: str,
        save_format: str,
        interpolation: str,
        keep_aspect_ratio: bool,
        dtype: str | None,
    ) -> None:
        self.image_data_generator = image_data_generator
        self.target_size = tuple(target_size)
        self.color_mode = one_of("color_mode", color_mode, tuple(COLOR_MODES))
        self.class_mode = one_of("class_mode", class_mode, self.class_modes)
        first = channels_first(data_format)
        self.data_format = "channels_first" if first else "channels_last"
        channels = (COLOR_MODES[color_mode][1],)
        self.image_shape = (*channels, *target_size) if first else (*target_size, *channels)
        self.save_to_dir = save_to_dir
        self.save_prefix = save_prefix
        self.save_format = save_format
        self.interpolation = interpolation
        self.keep_aspect_ratio = keep_aspect_ratio
        self.dtype = dtype or config.floatx()

    @property
    def samples(self) -> int:
        """Number of files."""
        return len(self.filenames)

    nb_sample = samples

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.class_indices)

    nb_class = num_classes

    @property
    def filepaths(self) -> list[str]:
        """Paths of the files."""
        return [os.path.join(self.directory, name) for name in self.filenames]

    def _image(self, row: int) -> np.ndarray:
        picture = load_img(
            os.path.join(self.directory, self.filenames[row]),
            self.color_mode,
            self.target_size,
            self.interpolation,
            self.keep_aspect_ratio,
        )
        return img_to_array(picture, self.data_format, self.dtype)

    def _targets(self, rows: np.ndarray, images: np.ndarray) -> Any:
        if self.class_mode is None:
            return images
        targets = {
            "input": lambda: images.copy(),
            "binary": lambda: np.asarray([self.classes[row] for row in rows], self.dtype),
            "sparse": lambda: np.asarray([self.classes[row] for row in rows], self._sparse_dtype),
            "categorical": lambda: self._one_hot(rows),
            "multi_output": lambda: [output[rows] for output in self.labels],
            "raw": lambda: self.labels[rows],
        }[self.class_mode]()
        weights = () if self.sample_weight is None else (self.sample_weight[rows],)
        return (images, targets, *weights)

    @property
    def _sparse_dtype(self) -> str:
        return "int32" if self.dialect == "classic" else self.dtype

    def _one_hot(self, rows: np.ndarray) -> np.ndarray:
        targets = np.zeros((len(rows), self.num_classes), self.dtype)
        for target, row in zip(targets, rows, strict=True):
            target[self.classes[row]] = 1
        return targets


class DirectoryIterator(_FileIterator):
    """Batches of images from a folder with one folder of pictures for each class.

    Args:
        classes: names of the folders, numbered in this order; sorted by name, by default.
        class_mode: targets as `categorical` (one-hot), `binary`, `sparse` (class numbers),
            `input` (the images), or None for no targets.
        others: as in `ImageDataGenerator.flow_from_directory`.
    """

    class_modes = ("categorical", "binary", "sparse", "input", None)

    @any_spelling(
        "directory",
        "image_data_generator",
        "target_size",
        "color_mode",
        "data_format",
        "classes",
        "class_mode",
        "batch_size",
        "shuffle",
        "seed",
        "save_to_dir",
        "save_prefix",
        "save_format",
        "follow_links",
    )
    def __init__(
        self,
        directory: Any,
        image_data_generator: Any,
        target_size: Sequence[int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
        dtype: str | None = None,
    ) -> None:
        self._configure(
            image_data_generator,
            target_size,
            color_mode,
            class_mode,
            data_format,
            save_to_dir,
            save_prefix,
            save_format,
            interpolation,
            keep_aspect_ratio,
            dtype,
        )
        self.directory = directory
        names = classes or sorted(entry.name for entry in os.scandir(directory) if entry.is_dir())
        self.class_indices = {name: number for number, name in enumerate(names)}
        start, stop = share_of(subset, image_data_generator)
        self.subset = subset
        classic = config.dialect() == "classic"
        self.filenames, numbers = [], []
        for name, number in self.class_indices.items():
            folder = os.path.join(directory, name)
            if not os.path.isdir(folder):
                raise ValueError(f"class {name!r} has no folder in {directory}")
            ends = CLASSIC_EXTENSIONS if classic else EXTENSIONS
            found = picture_files(folder, ends, follow_links)
            found = found[int(start * len(found)) : int(stop * len(found))]
            self.filenames += [os.path.relpath(os.path.join(*file), directory) for file in found]
            numbers += [number] * len(found)
        self.classes = np.asarray(numbers, "int32")
        self.labels = self.classes
        say(f"Found {self.samples} images belonging to {self.num_classes} classes.")
        super().__init__(self.samples, batch_size, shuffle, seed)


class DataFrameIterator(_FileIterator):
    """Batches of images from files that a table lists: a pandas frame, or a dict of columns.

    Args:
        directory: in which the file names are.
        x_col, y_col, weight_col: columns of file names, of targets and of sample weights.
        class_mode: `categorical` (labels or lists of labels as ones and zeros), `binary`,
            `sparse`, `input`, `raw` (numbers as they are), `multi_output` (one array for each
            column of the list `y_col`), or None.
        validate_filenames: leave out names that are no picture's, with a warning.
        others: as in `ImageDataGenerator.flow_from_directory`.
    """

    class_modes = ("binary", "categorical", "input", "multi_output", "raw", "sparse", None)

    @any_spelling()
    def __init__(
        self,
        dataframe: Any,
        directory: Any = None,
        image_data_generator: Any = None,
        x_col: str = "filename",
        y_col: str | Sequence[str] = "class",
        weight_col: str | None = None,
        target_size: Sequence[int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
        dtype: str | None = None,
        validate_filenames: bool = True,
    ) -> None:
        self._configure(
            image_data_generator,
            target_size,
            color_mode,
            class_mode,
            data_format,
            save_to_dir,
            save_prefix,
            save_format,
            interpolation,
            keep_aspect_ratio,
            dtype,
        )
        self.directory = directory or ""
        self.subset = subset
        self.class_indices = {}
        self._given_order = config.dialect() == "modern"  # Keras 2 sorts the classes
        labelled = class_mode in ("binary", "categorical", "sparse")
        self._check(dataframe, x_col, y_col, weight_col)
        columns = {name: list(dataframe[name]) for name in columns_of(x_col, weight_col)}
        if class_mode not in ("input", None):
            columns |= {name: list(dataframe[name]) for name in columns_of(y_col)}
        if validate_filenames:
            columns = self._existing(columns, x_col)
        if labelled:
            columns = self._known_labels(columns, str(y_col), classes)
        elif classes:
            warnings.warn(f"classes mean nothing with class_mode={class_mode!r}", stacklevel=4)
        edges = share_of(subset, image_data_generator)
        start, stop = (int(edge * len(columns[x_col])) for edge in edges)
        columns = {name: column[start:stop] for name, column in columns.items()}
        self.filenames = columns[x_col]
        self.sample_weight = np.asarray(columns[weight_col]) if weight_col else None
        if labelled:
            self.classes = [self._numbers(label) for label in columns[str(y_col)]]
            self.labels = self.classes
        elif class_mode == "multi_output":
            self.labels = [np.asarray(columns[name]) for name in y_col]
        elif class_mode == "raw":
            many = not isinstance(y_col, str)
            self.labels = np.asarray([columns[name] for name in columns_of(y_col)])
            self.labels = self.labels.T if many else self.labels[0]
        kind = "validated" if validate_filenames else "non-validated"
        belonging = f" belonging to {self.num_classes} classes" if labelled else ""
        say(f"Found {self.samples} {kind} image filenames{belonging}.")
        super().__init__(self.samples, batch_size, shuffle, seed)

    def _check(self, table: Any, x_col: str, y_col: Any, weight_col: str | None) -> None:
        if not all(isinstance(name, str) for name in table[x_col]):
            raise TypeError(f"column {x_col!r} must hold file names")
        if self.class_mode == "multi_output" and isinstance(y_col, str):
            raise TypeError(f"class_mode='multi_output' needs a list of columns, got {y_col!r}")
        allowed = {"binary": str, "sparse": str, "categorical": str | list | tuple}
        kinds: Any = allowed.get(str(self.class_mode), object)
        if self.class_mode in allowed and not all(isinstance(v, kinds) for v in table[y_col]):
            raise TypeError(
                f"class_mode={self.class_mode!r} needs names in column {y_col!r}; "
                "give class_mode='raw' for numbers"
            )
        if weight_col and np.asarray(table[weight_col]).dtype.kind not in "iuf":
            raise TypeError(f"column {weight_col!r} must hold numbers")

    def _existing(self, columns: dict[str, list[Any]], x_col: str) -> dict[str, list[Any]]:
        ends = tuple(f".{end}" for end in EXTENSIONS)
        kept = [
            name.lower().endswith(ends) and os.path.isfile(os.path.join(self.directory, name))
            for name in columns[x_col]
        ]
        if not all(kept):
            warnings.warn(
                f"{kept.count(False)} names in column {x_col!r} are no picture's and are left out",
                stacklevel=5,
            )
        return rows_of(columns, kept)

    def _known_labels(
        self, columns: dict[str, list[Any]], y_col: str, classes: Sequence[str] | None
    ) -> dict[str, list[Any]]:
        found = classes or {name for value in columns[y_col] for name in labels_of(value)}
        names = dict.fromkeys(found if classes and self._given_order else sorted(found))
        if self.class_mode == "binary" and len(names) != 2:
            raise ValueError(
                f"class_mode='binary' needs 2 classes, got {len(names)}: {list(names)}"
            )
        self.class_indices = {name: number for number, name in enumerate(names)}
        known = [
            v if isinstance(v, str) else [name for name in v if name in names]
            for v in columns[y_col]
        ]
        kept = [v in names if isinstance(v, str) else bool(v) for v in known]
        return rows_of({**columns, y_col: known}, kept)

    def _numbers(self, label: str | Sequence[str]) -> Any:
        if isinstance(label, str):
            return self.class_indices[label]
        return [self.class_indices[name] for name in label]


def columns_of(*names: Any) -> list[str]:
    """The columns that are named, one or several in each place."""
    several = [[name] if isinstance(name, str) else list(name) for name in names if name]
    return [name for group in several for name in group]


def labels_of(value: str | Sequence[str]) -> Sequence[str]:
    """One label or several, as several."""
    return [value] if isinstance(value, str) else value


def rows_of(columns: Mapping[str, list[Any]], kept: Sequence[bool]) -> dict[str, list[Any]]:
    """The rows of a table that are kept."""
    return {
        name: [value for value, keep in zip(column, kept, strict=True) if keep]
        for name, column in columns.items()
    }
