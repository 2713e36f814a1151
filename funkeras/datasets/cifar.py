"""Batches of CIFAR-10 and CIFAR-100 (Krizhevsky, 2009), from the archive or its folder."""

import os
import tarfile
from pathlib import Path

import numpy as np

from funkeras import config
from funkeras.datasets.cache import Split, fetch
from funkeras.datasets.unpickle import load_pickle

__all__ = ["load_batch", "load_split"]


def load_batch(
    fpath: str | os.PathLike[str], label_key: str = "labels"
) -> tuple[np.ndarray, list[int]]:
    """Images (n, 3, 32, 32) and labels of one unpacked batch file."""
    return _images_and_labels(load_pickle(Path(fpath)), Path(fpath), label_key)


def load_split(
    folder: str, sha256: str, origin: str, train: list[str], test: str, label_key: str
) -> Split:
    """Training and test batches out of the archive `<folder>.tar.gz` in the cache.

    Images are uint8 with the channels where `config.image_data_format()` says; labels (n, 1).
    """
    path = fetch(f"{folder}.tar.gz", sha256, origin)
    batches: dict[str, tuple[np.ndarray, list[int]]] = {}
    wanted = {f"{folder}/{name}": name for name in (*train, test)}
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                name = wanted.get(member.name)
                file = archive.extractfile(member) if name and member.isfile() else None
                if name and file:
                    content = load_pickle(path / member.name, file)
                    batches[name] = _images_and_labels(content, path / member.name, label_key)
    except (tarfile.TarError, EOFError) as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    if missing := set(wanted.values()) - set(batches):
        raise ValueError(f"{path} lacks {', '.join(sorted(missing))}")
    parts = [[batches[name] for name in names] for names in (train, [test])]
    (x_train, y_train), (x_test, y_test) = (
        (
            _arranged(np.concatenate([images for images, _ in part])),
            np.concatenate([np.asarray(labels, np.uint8) for _, labels in part])[:, None],
        )
        for part in parts
    )
    return (x_train, y_train), (x_test, y_test)


def _images_and_labels(content: object, path: Path, label_key: str) -> tuple[np.ndarray, list[int]]:
    entries = content if isinstance(content, dict) else {}
    images, labels = entries.get(b"data"), entries.get(label_key.encode())
    if not isinstance(images, np.ndarray) or labels is None:
        raise ValueError(f"{path} is no CIFAR batch with 'data' and {label_key!r}")
    return images.reshape(len(images), 3, 32, 32), labels


def _arranged(images: np.ndarray) -> np.ndarray:
    last = config.image_data_format() == "channels_last"
    return images.transpose(0, 2, 3, 1) if last else images
