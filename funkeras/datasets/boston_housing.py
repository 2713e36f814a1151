"""Boston housing: 506 suburbs, 13 attributes, median price (Harrison and Rubinfeld, 1978).

One attribute was computed from the share of Black residents on the assumption that segregation
raises prices. Old scripts need these data; for new work take `california_housing`.
"""

from funkeras.datasets.cache import Split, fetch, shuffled_split
from funkeras.datasets.unpickle import load_npz

__all__ = ["load_data"]

SHA256 = "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"


def load_data(path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113) -> Split:
    """Attributes (n, 13) and prices in thousands of dollars (n,), float64."""
    file = load_npz(fetch(path, SHA256))
    return shuffled_split(file["x"], file["y"], test_split, seed)
