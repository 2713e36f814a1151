"""Images of any size to one size, on the host, with the numbers of TensorFlow's `image.resize`.

Every method is a weighted mean of a few rows, and then of a few columns: nothing is compiled, so
that a folder in which each image has its own size is read fast.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

__all__ = ["INTERPOLATIONS", "resized"]


def _cubic(a: float) -> Callable[[np.ndarray], np.ndarray]:
    """The cubic of Keys (1981), of a distance in pixels."""

    def kernel(x: np.ndarray) -> np.ndarray:
        near = (a + 2) * x**3 - (a + 3) * x**2 + 1
        far = a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a
        return np.where(x <= 1, near, np.where(x < 2, far, 0))

    return kernel


def _lanczos(radius: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: np.where(x <= radius, np.sinc(x) * np.sinc(x / radius), 0)


def _mitchell(x: np.ndarray) -> np.ndarray:
    """The cubic of Mitchell and Netravali (1988) with B = C = 1/3."""
    near = 7 / 6 * x**3 - 2 * x**2 + 8 / 9
    far = -7 / 18 * x**3 + 2 * x**2 - 10 / 3 * x + 16 / 9
    return np.where(x < 1, near, np.where(x < 2, far, 0))


KERNELS: dict[str, tuple[float, Callable[[np.ndarray], np.ndarray]]] = {
    "bilinear": (1, lambda x: np.maximum(1 - x, 0)),
    "bicubic": (2, _cubic(-0.5)),
    "lanczos3": (3, _lanczos(3)),
    "lanczos5": (5, _lanczos(5)),
    "gaussian": (1.5, lambda x: np.where(x < 1.5, np.exp(-2 * x**2), 0)),
    "mitchellcubic": (2, _mitchell),
}
"""Name → radius in pixels, and the weight of a pixel by its distance."""

INTERPOLATIONS = (*KERNELS, "nearest", "area")
DIVIDED = ("bilinear", "bicubic", "nearest", "area")
"""Those that TensorFlow computes apart from the others, which multiply by a rounded inverse."""
TABLE = 1024
"""TensorFlow looks the cubic up at that many places between two pixels."""


def resized(image: np.ndarray, size: tuple[int, int], interpolation: str) -> np.ndarray:
    """An image (rows, columns, channels) with `size` rows and columns.

    Floats in single precision; `nearest` keeps the dtype, having nothing to compute.

    >>> resized(np.array([[[0.0], [4.0]]]), (1, 4), "bilinear")[0, :, 0].tolist()
    [0.0, 1.0, 3.0, 4.0]
    """
    for axis, target in enumerate(size):
        pixels, weights = _taps(image.shape[axis], target, interpolation)
        if interpolation == "nearest":
            image = np.take(image, pixels[:, 0], axis)
            continue
        shape = (-1, *(1,) * (image.ndim - axis - 1))
        image = sum(  # pyright: ignore[reportAssignmentType]: there is at least one pixel
            np.take(image, pixels[:, k], axis) * weights[:, k].reshape(shape)
            for k in range(pixels.shape[1])
        )
    return image


@lru_cache(maxsize=256)
def _taps(count: int, target: int, interpolation: str) -> tuple[np.ndarray, np.ndarray]:
    """Which of `count` pixels make each of `target`, and their weights: (target, pixels) both."""
    # In the precision and with the roundings by which TensorFlow chooses the pixels.
    have, want = np.float32(count), np.float32(target)
    scale = have / want if interpolation in DIVIDED else 1 / (want / have)
    middle = (np.arange(target, dtype="float32") + np.float32(0.5)) * scale
    if interpolation == "nearest":
        return np.minimum(middle.astype(int), count - 1)[:, None], np.ones((target, 1), "float32")
    if interpolation == "area":
        first = middle - scale / 2
        pixels = first.astype(int)[:, None] + np.arange(int(scale) + 2)
        last = np.minimum(first + scale, count)[:, None]
        covered = np.minimum(pixels + 1, last) - np.maximum(pixels, first[:, None])
        weights = np.maximum(covered, 0)
    else:
        radius, kernel = KERNELS[interpolation]
        pixels = np.ceil(middle - radius - 0.5).astype(int)[:, None]
        pixels = pixels + np.arange(int(2 * radius) + 1)
        distance = np.abs(pixels + 0.5 - middle[:, None])
        if interpolation == "bicubic":
            distance = np.round(distance * TABLE) / TABLE
        weights = kernel(distance) * ((pixels >= 0) & (pixels < count))
    weights = (weights / weights.sum(1, keepdims=True)).astype("float32")
    used = weights.any(0)  # of which there are few where the sizes fit
    return np.clip(pixels, 0, count - 1)[:, used], weights[:, used]
