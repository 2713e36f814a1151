"""Fashion-MNIST: 70,000 grey images of clothes in 10 classes, 28×28 (Xiao et al., 2017)."""

import gzip

import numpy as np

from funkeras.datasets.cache import Split, fetch

__all__ = ["load_data"]


def load_data() -> Split:
    """Images (60000 and 10000, 28, 28) and labels 0–9, both uint8."""
    train, test = (
        (_read(f"{part}-images-idx3-ubyte.gz"), _read(f"{part}-labels-idx1-ubyte.gz"))
        for part in ("train", "t10k")
    )
    return train, test


def _read(name: str) -> np.ndarray:
    """An array in the IDX format: two zeros, 8 for uint8, the number of axes, sizes, data."""
    path = fetch(name, cache_subdir="datasets/fashion-mnist")
    try:
        with gzip.open(path) as file:
            content = file.read()
    except (gzip.BadGzipFile, EOFError) as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    axes = content[3] if content[:3] == b"\0\0\x08" else 0
    shape = np.frombuffer(content, ">u4", axes, 4)
    if not axes or len(content) != 4 + 4 * axes + shape.prod():
        raise ValueError(f"{path} is not an IDX file of bytes")
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)
