"""MNIST: 70,000 grey images of handwritten digits, 28×28 (LeCun, Cortes and Burges, 1998)."""

import numpy as np

from funkeras.datasets.cache import Split, fetch

__all__ = ["load_data"]

SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"


def load_data(path: str = "mnist.npz") -> Split:
    """Images (60000 and 10000, 28, 28) and labels 0–9, both uint8."""
    with np.load(fetch(path, SHA256), allow_pickle=False) as file:
        return (file["x_train"], file["y_train"]), (file["x_test"], file["y_test"])
