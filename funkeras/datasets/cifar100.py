"""CIFAR-100: 60,000 colour images in 100 classes or 20 groups, 32×32 (Krizhevsky, 2009)."""

from funkeras.datasets.cache import Split
from funkeras.datasets.cifar import load_batch, load_split

__all__ = ["load_batch", "load_data"]

SHA256 = "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"
ORIGIN = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"


def load_data(label_mode: str = "fine") -> Split:
    """Images (50000 and 10000, 32, 32, 3), or channels first, and labels (n, 1), all uint8.

    Args:
        label_mode: `fine` for the 100 classes, `coarse` for the 20 groups.
    """
    if label_mode not in ("fine", "coarse"):
        raise ValueError(f"label_mode must be fine or coarse; got {label_mode!r}")
    key = f"{label_mode}_labels"
    return load_split("cifar-100-python", SHA256, ORIGIN, ["train"], "test", key)
