"""The files in a folder, their labels, and a dataset of what is read from them."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from funkeras.utils.messages import say
from funkeras.utils.pipelines import Dataset

__all__ = ["Labelling", "datasets"]

LABEL_MODES = ("int", "categorical", "binary", None)
SUBSETS = ("training", "validation", "both", None)
FORMATS = ("tf", "grain")
ALL_CORES = -1
UNBATCHED_BUFFER = 1024
"""Samples among which the next one is drawn when they are not batched."""


@dataclass(frozen=True)
class Labelling:
    """What every function for datasets of files takes, checked.

    Raises:
        ValueError: for a value that is not allowed, or does not go with another one.
    """

    directory: Any
    labels: Any
    label_mode: str | None
    class_names: Sequence[str] | None
    batch_size: int | None
    shuffle: bool
    seed: int | None
    validation_split: float | None
    subset: str | None
    follow_links: bool
    verbose: bool
    format: str = "tf"

    def __post_init__(self) -> None:
        for name, allowed in (
            ("label_mode", LABEL_MODES),
            ("subset", SUBSETS),
            ("format", FORMATS),
        ):
            if (value := getattr(self, name)) not in allowed:
                raise ValueError(f"{name} must be one of {allowed}, got {value!r}")
        inferred = isinstance(self.labels, str) and self.labels == "inferred"
        if not inferred and not isinstance(self.labels, list | tuple | None):
            raise ValueError(
                'labels must be "inferred" from the folders, None, or a list with a number for '
                f"each file; got {self.labels!r}"
            )
        if not self.inferred and self.class_names:
            raise ValueError('class_names go with labels="inferred": they are folders')
        share = self.validation_split
        if share and not 0 < share < 1:
            raise ValueError(f"validation_split must be between 0 and 1, got {share}")
        if bool(share) != bool(self.subset):
            raise ValueError("validation_split and subset go together: give both or neither")
        if share and self.shuffle and self.seed is None:
            raise ValueError(
                "validation_split of shuffled files needs a seed, or the two subsets overlap"
            )

    @property
    def labelled(self) -> bool:
        """Whether there are labels; if not, the folders within are no classes either."""
        return self.labels is not None and self.label_mode is not None

    @property
    def inferred(self) -> bool:
        """Whether the folders are the classes."""
        return self.labelled and isinstance(self.labels, str)

    def say(self, message: str) -> None:
        """Print that, if anything is to be printed."""
        if self.verbose:
            say(message)


def datasets(
    asked: Labelling,
    read: Callable[[str], Any],
    ends: tuple[str, ...],
    join: Callable[[Dataset, int], Dataset] = Dataset.batch,
) -> Any:
    """A dataset of what `read` makes of the files, or two: to train on and to validate on.

    Args:
        ends: of the names of the files that are meant.
        join: makes batches.
    """
    seed = int(np.random.randint(10**6)) if asked.seed is None else asked.seed
    paths, labels, names = _indexed(asked, ends)
    if asked.labelled and asked.label_mode == "binary" and len(names or ()) != 2:
        raise ValueError(f'label_mode="binary" needs two classes, got {names}')
    targets = None if labels is None else _targets(labels, asked.label_mode, len(names or ()))
    rows = np.arange(len(paths))
    if asked.shuffle:
        np.random.RandomState(seed).shuffle(rows)

    def part(chosen: np.ndarray, shuffle: bool) -> Dataset:
        if not len(chosen):
            raise ValueError(
                f"there are no files for it in {asked.directory}: they end in {', '.join(ends)}"
            )

        def sample(row: int) -> Any:
            what = _read(read, paths[row])
            return what if targets is None else (what, targets[row])

        dataset = Dataset.from_tensor_slices(chosen)
        if shuffle:
            size = asked.batch_size
            dataset = dataset.shuffle(UNBATCHED_BUFFER if size is None else 8 * size, seed)
        dataset = dataset.map(sample, num_parallel_calls=ALL_CORES)
        if asked.batch_size is not None:
            dataset = join(dataset, asked.batch_size)
        dataset.class_names = names
        dataset.file_paths = [paths[row] for row in chosen]
        return dataset

    if asked.subset is None:
        return part(rows, asked.shuffle)
    held_out = int((asked.validation_split or 0) * len(rows))
    # Of no file to validate on Keras makes the same as here: -0 is the beginning.
    parts = {"training": rows[:-held_out], "validation": rows[-held_out:]}
    wanted = list(parts) if asked.subset == "both" else [asked.subset]
    for name in wanted:
        asked.say(f"Using {len(parts[name])} files for {name}.")
    found = [part(parts[name], asked.shuffle and name == wanted[0]) for name in wanted]
    return found if asked.subset == "both" else found[0]


def _read(read: Callable[[str], Any], path: str) -> Any:
    try:
        return read(path)
    except Exception as error:
        error.add_note(f"in the file {path}")
        raise


def _indexed(
    asked: Labelling, ends: tuple[str, ...]
) -> tuple[list[str], list[Any] | None, list[str] | None]:
    """Paths, labels and names of classes, in the order of the folders and names."""
    folders = [""]
    if asked.inferred:
        folders = sorted(
            entry.name
            for entry in os.scandir(asked.directory)
            if entry.is_dir() and not entry.name.startswith(".")
        )
        if asked.class_names is not None:
            if absent := set(asked.class_names) - set(folders):
                raise ValueError(
                    f"class_names {sorted(absent)} have no folder in {asked.directory}, "
                    f"which has {folders}"
                )
            folders = list(asked.class_names)
    found = [_files(os.path.join(asked.directory, f), ends, asked.follow_links) for f in folders]
    paths = [path for files in found for path in files]
    if not asked.labelled:
        asked.say(f"Found {len(paths)} files.")
        return paths, None, None
    if asked.inferred:
        labels = [number for number, files in enumerate(found) for _ in files]
        names = folders
    else:
        labels = list(asked.labels)
        names = [str(label) for label in sorted(set(labels))]
        if len(labels) != len(paths):
            raise ValueError(
                f"labels has {len(labels)} entries for {len(paths)} files in {asked.directory}"
            )
    asked.say(f"Found {len(paths)} files belonging to {len(names)} classes.")
    return paths, labels, names


def _files(folder: str, ends: tuple[str, ...], follow_links: bool) -> list[str]:
    walked = sorted(os.walk(folder, followlinks=follow_links), key=lambda place: place[0])
    return [
        os.path.join(place, name)
        for place, _, names in walked
        for name in sorted(names)
        if name.lower().endswith(ends)
    ]


def _targets(labels: list[Any], mode: str | None, classes: int) -> np.ndarray:
    """Labels as `int` numbers, a `binary` column, or `categorical` rows of zeros and a one.

    >>> _targets([0, 1], "binary", 2).tolist(), _targets([1, 0], "categorical", 2).tolist()
    ([[0.0], [1.0]], [[0.0, 1.0], [1.0, 0.0]])
    """
    numbers = np.asarray(labels)
    if mode == "binary":
        return numbers.astype("float32")[:, None]
    if mode == "categorical":
        return (numbers[:, None] == np.arange(classes)).astype("float32")
    return numbers.astype("int32") if numbers.dtype.kind in "iu" else numbers.astype("float32")
