"""One seed for every source of randomness that a script can draw from."""

import random

import numpy as np

__all__ = ["set_random_seed"]


def set_random_seed(seed: int) -> None:
    """Seed Python's and NumPy's generators, from which weights, shuffling and dropout follow.

    Raises:
        ValueError: for a seed outside [0, 2**32).
    """
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed must be in [0, 2**32), got {seed}")
    random.seed(seed)
    np.random.seed(seed)
