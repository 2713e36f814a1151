"""CIFAR-10: 60,000 colour images in 10 classes, 32×32 (Krizhevsky, 2009)."""

from funkeras.datasets.cache import Split
from funkeras.datasets.cifar import load_batch, load_split

__all__ = ["load_batch", "load_data"]

SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
ORIGIN = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"


def load_data() -> Split:
    """Images (50000 and 10000, 32, 32, 3), or channels first, and labels (n, 1), all uint8."""
    train = [f"data_batch_{i}" for i in range(1, 6)]
    return load_split("cifar-10-batches-py", SHA256, ORIGIN, train, "test_batch", "labels")
