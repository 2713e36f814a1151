"""One-hot labels and normalisation, with the results of each Keras generation."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from funkeras import config

__all__ = [
    "accuracy",
    "binary_logloss",
    "categorical_probas_to_classes",
    "conv_input_length",
    "conv_output_length",
    "convert_kernel",
    "deconv_length",
    "multiclass_logloss",
    "normalize",
    "normalize_padding",
    "normalize_tuple",
    "probas_to_classes",
    "to_categorical",
]

DTYPES = {"classic": "float64", "keras2": "float32", "modern": "float64"}
"""What `to_categorical` gave in each generation."""


def to_categorical(
    y: Any = None,
    num_classes: int | None = None,
    dtype: str | None = None,
    *,
    x: Any = None,
    nb_classes: int | None = None,
) -> np.ndarray:
    """One-hot rows of integer labels, with the classes on a new last axis.

    Labels of shape `(n, 1)` count as `(n,)`. Keras 1 flattens labels of any shape. The result is
    float32 in the dialect of Keras 2 and else float64, unless `dtype` says so.

    Args:
        y: labels from 0 to `num_classes - 1`; Keras 3 calls them `x`.
        num_classes: `max(y) + 1` by default; Keras 1 calls it `nb_classes`.

    >>> to_categorical([2, 0])
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """
    y = _one_of(("y", y), ("x", x))
    num_classes = num_classes or nb_classes
    labels = np.asarray(y).astype("int64")
    shape = labels.shape
    if config.dialect() == "classic":
        shape = (labels.size,)
    elif len(shape) > 1 and shape[-1] == 1:
        shape = shape[:-1]
    labels = labels.reshape(-1)
    if not num_classes:
        if not labels.size:
            raise ValueError("num_classes is needed when there are no labels")
        num_classes = int(labels.max()) + 1
    wrong = labels[(labels < 0) | (labels >= num_classes)]
    if wrong.size:
        raise ValueError(f"labels must be in [0, {num_classes}), got {wrong[0]}")
    rows = np.zeros((labels.size, num_classes), dtype or DTYPES[config.dialect()])
    rows[np.arange(labels.size), labels] = 1
    return rows.reshape(*shape, num_classes)


def normalize(x: Any = None, axis: int = -1, order: int | float = 2, *, a: Any = None) -> Any:
    """`x / norm(x)` along an axis, for the norm of that order; slices of norm 0 stay 0.

    >>> normalize([[3.0, 4.0], [0.0, 0.0]])
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    values = np.asarray(_one_of(("x", x), ("a", a)))
    norms = np.linalg.norm(values, order, axis, keepdims=True)
    return values / np.where(norms == 0, 1, norms)


def _one_of(*candidates: tuple[str, Any]) -> Any:
    given = [value for _, value in candidates if value is not None]
    if len(given) != 1:
        names = " or ".join(name for name, _ in candidates)
        raise TypeError(f"needs exactly one of {names}, got {len(given)}")
    return given[0]


def probas_to_classes(y_pred: Any) -> np.ndarray:
    """Class of each row: the largest column, or `p > 0.5` for one column (Keras 1)."""
    y_pred = np.asarray(y_pred)
    if y_pred.ndim > 1 and y_pred.shape[1] > 1:
        return categorical_probas_to_classes(y_pred)
    return np.array([1 if p > 0.5 else 0 for p in y_pred.reshape(-1)])


def categorical_probas_to_classes(p: Any) -> np.ndarray:
    """Index of the largest column of each row (Keras 1)."""
    return np.argmax(p, axis=1)


def accuracy(p: Any, y: Any) -> float:
    """Share of entries in which two arrays agree (Keras 1)."""
    return float(np.mean(np.asarray(p) == np.asarray(y)))


def binary_logloss(p: Any, y: Any) -> float:
    """Mean of `-y log p - (1 - y) log(1 - p)`, with p kept 1e-15 away from 0 and 1 (Keras 1)."""
    p = np.clip(np.asarray(p), 1e-15, 1 - 1e-15)
    y = np.asarray(y)
    return float(np.mean(-y * np.log(p) - (1 - y) * np.log(1 - p)))


def multiclass_logloss(p: Any, y: Any) -> float:
    """Mean of `-log p[i, y[i] - 1]`: here Keras 1 counts the classes from 1."""
    p = np.asarray(p)
    return float(-np.mean(np.log(p[np.arange(len(p)), np.asarray(y).reshape(-1) - 1])))


def convert_kernel(kernel: Any, dim_ordering: str | None = None) -> np.ndarray:
    """A convolution kernel with its spatial axes reversed: from Theano's order, or back to it.

    `dim_ordering` says where those axes are: last (`th`) or first (`tf`).
    """
    kernel = np.asarray(kernel)
    ordering = dim_ordering or config.image_dim_ordering()
    if not 4 <= kernel.ndim <= 5 or ordering not in ("th", "tf"):
        raise ValueError(
            f"kernel must have 4 or 5 axes and dim_ordering be 'th' or 'tf'; "
            f"got shape {kernel.shape} and {ordering!r}"
        )
    first = 2 if ordering == "th" else 0
    return np.flip(kernel, tuple(range(first, first + kernel.ndim - 2))).copy()


def conv_output_length(
    input_length: int | None,
    filter_size: int,
    padding: str = "valid",
    stride: int = 1,
    dilation: int = 1,
    *,
    border_mode: str | None = None,
) -> int | None:
    """How many places a filter takes along an axis; `border_mode` is Keras 1's name of `padding`.

    >>> [conv_output_length(10, 3, mode, 2) for mode in ("valid", "same", "causal", "full")]
    [4, 5, 5, 6]
    """
    if input_length is None:
        return None
    span = (filter_size - 1) * dilation
    extra = {"valid": -span, "same": 0, "causal": 0, "full": span}
    return -(-(input_length + _known("padding", border_mode or padding, extra)) // stride)


def conv_input_length(
    output_length: int | None,
    filter_size: int,
    padding: str = "valid",
    stride: int = 1,
    *,
    border_mode: str | None = None,
) -> int | None:
    """The shortest input that gives that many places; `border_mode` is Keras 1's name of `padding`.

    >>> [conv_input_length(4, 3, mode, 2) for mode in ("valid", "same", "full")]
    [9, 7, 5]
    """
    if output_length is None:
        return None
    pads = {"valid": 0, "same": filter_size // 2, "full": filter_size - 1}
    pad = _known("padding", border_mode or padding, pads)
    return (output_length - 1) * stride - 2 * pad + filter_size


def deconv_length(
    dim_size: int | None,
    stride_size: int,
    kernel_size: int,
    padding: str,
    output_padding: int | None,
    dilation: int = 1,
) -> int | None:
    """Length of what a transposed convolution gives along an axis (Keras 2).

    >>> [deconv_length(4, 2, 3, mode, None) for mode in ("valid", "same", "full")]
    [9, 8, 5]
    """
    if dim_size is None:
        return None
    kernel_size = kernel_size + (kernel_size - 1) * (dilation - 1)
    if output_padding is None:
        free = max(kernel_size - stride_size, 0)
        if padding == "same":
            return dim_size * stride_size
        ends = {"valid": free, "full": -(stride_size + kernel_size - 2)}
        return dim_size * stride_size + _known("padding", padding, ends)
    pads = {"same": kernel_size // 2, "valid": 0, "full": kernel_size - 1}
    pad = _known("padding", padding, pads)
    return (dim_size - 1) * stride_size + kernel_size - 2 * pad + output_padding


def normalize_tuple(value: Any, n: int, name: str) -> tuple[int, ...]:
    """A number as `n` equal ones, or `n` numbers as a tuple.

    >>> normalize_tuple(3, 2, "kernel_size"), normalize_tuple([3, 4], 2, "kernel_size")
    ((3, 3), (3, 4))
    """
    several = isinstance(value, Iterable) and not isinstance(value, str)
    sizes: tuple[Any, ...] = tuple(value) if several else (value,) * n
    if len(sizes) != n or not all(isinstance(size, int | np.integer) for size in sizes):
        raise ValueError(f"{name} must be an integer or {n} of them, got {value!r}")
    return tuple(int(size) for size in sizes)


def normalize_padding(value: str) -> str:
    """The name of a padding in lower case: `valid`, `same` or `causal`."""
    name = value.lower()
    if name not in ("valid", "same", "causal"):
        raise ValueError(f"padding must be valid, same or causal, got {value!r}")
    return name


def _known(name: str, value: str, table: dict[str, int]) -> int:
    if value not in table:
        raise ValueError(f"{name} must be one of {', '.join(table)}; got {value!r}")
    return table[value]
