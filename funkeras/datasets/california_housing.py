"""California housing: 20,640 districts, 8 attributes, median price (Pace and Barry, 1997)."""

from funkeras.datasets.cache import Split, fetch, shuffled_split
from funkeras.datasets.unpickle import load_npz

__all__ = ["load_data"]

SHA256 = "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"
ROWS = {"large": None, "small": 600}


def load_data(
    version: str = "large",
    path: str = "california_housing.npz",
    test_split: float = 0.2,
    seed: int = 113,
) -> Split:
    """Attributes (n, 8) and prices in dollars (n,); `small` has the first 600 districts."""
    if version not in ROWS:
        raise ValueError(f"version must be large or small; got {version!r}")
    file = load_npz(fetch(path, SHA256))
    return shuffled_split(file["x"][: ROWS[version]], file["y"][: ROWS[version]], test_split, seed)
