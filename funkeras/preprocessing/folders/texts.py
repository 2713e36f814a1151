"""Texts in a folder as a dataset."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from funkeras.preprocessing.folders.files import Labelling, datasets

__all__ = ["text_dataset_from_directory"]


def text_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    format: str = "tf",  # noqa: A002  Keras calls it so
    verbose: bool = True,
) -> Any:
    """A `Dataset` of the `.txt` files in a folder, with a folder within it for each class.

    Each batch is `(texts, labels)`, or texts alone without labels: an array of strings, which a
    `TextVectorization` layer turns into numbers.

    Args:
        max_length: characters of a text that are kept.
        others: as in `image_dataset_from_directory`.

    Raises:
        ValueError: for arguments that do not go together, or a folder without texts.
    """
    asked = Labelling(
        *(directory, labels, label_mode, class_names, batch_size, shuffle, seed),
        *(validation_split, subset, follow_links, verbose, format),
    )
    return datasets(asked, lambda path: Path(path).read_text("utf-8")[:max_length], (".txt",))
