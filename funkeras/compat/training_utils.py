"""The checks of data that scripts took from the inside of Keras's training loop.

Training here has its own, at its boundary; these are for loops that users wrote.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from funkeras import config

__all__ = [
    "check_array_length_consistency",
    "check_array_lengths",
    "check_loss_and_target_compatibility",
    "check_num_samples",
    "collect_metrics",
    "iter_sequence_infinite",
    "standardize_class_weights",
    "standardize_input_data",
    "standardize_sample_or_class_weights",
    "standardize_sample_weights",
    "standardize_single_array",
    "standardize_weights",
]

SAME_SHAPE = ("mean_squared_error", "binary_crossentropy", "categorical_crossentropy")
"""Losses that compare each entry of the targets with one of the predictions."""


def standardize_single_array(x: Any) -> Any:
    """An array with an axis of samples and one more at least; None stays.

    >>> standardize_single_array(np.arange(3)).shape
    (3, 1)
    """
    if x is None:
        return None
    x = np.asarray(x)
    return x[:, None] if x.ndim == 1 else x


def standardize_input_data(
    data: Any,
    names: Sequence[str],
    shapes: Sequence[Any] | None = None,
    check_batch_axis: bool = True,
    exception_prefix: str = "",
) -> list[Any]:
    """Data of a model as a list of arrays, one for each name; None for those without data.

    Raises:
        ValueError: for another number of arrays, or one of another shape.
    """
    what = f"model {exception_prefix}".rstrip()
    if data is None:
        return [None] * len(names)
    if isinstance(data, Mapping):
        absent = [name for name in names if name not in data]
        if absent:
            raise ValueError(f'No data provided for "{absent[0]}". Need data for: {list(names)}')
        data = [data[name] for name in names]
    single = not isinstance(data, list) or (len(names) == 1 and np.isscalar((data or [None])[0]))
    arrays = [standardize_single_array(own) for own in ([data] if single else data)]
    if len(arrays) != len(names):
        raise ValueError(f"{what}: expected {len(names)} arrays ({names}), got {len(arrays)}")
    for name, array, shape in zip(names, arrays, shapes or [None] * len(names), strict=True):
        if shape is None or array is None:
            continue
        first = 0 if check_batch_axis else 1
        pairs = zip(array.shape[first:], tuple(shape)[first:], strict=False)
        if array.ndim != len(shape) or any(size not in (None, own) for own, size in pairs):
            raise ValueError(f"{what}: expected {name} of shape {shape}, got {array.shape}")
    return arrays


def standardize_sample_or_class_weights(
    x_weight: Any, output_names: Sequence[str], weight_type: str
) -> list[Any]:
    """Weights given for all outputs, by name or as a list, as a list with one for each output.

    >>> standardize_sample_or_class_weights({"b": 3}, ["a", "b"], "class_weight")
    [None, 3]
    """
    if x_weight is None or len(x_weight) == 0:
        return [None] * len(output_names)
    if isinstance(x_weight, list) and len(x_weight) == len(output_names):
        return x_weight
    if isinstance(x_weight, Mapping) and (len(output_names) > 1 or output_names[0] in x_weight):
        return [x_weight.get(name) for name in output_names]
    if len(output_names) == 1:
        return [x_weight]
    if isinstance(x_weight, list):
        raise ValueError(f"{weight_type} has {len(x_weight)} entries, outputs are {output_names}")
    raise TypeError(f"{weight_type} must be a list or dict for several outputs, got {x_weight!r}")


def standardize_class_weights(class_weight: Any, output_names: Sequence[str]) -> list[Any]:
    """Class weights as a list with those of each output."""
    return standardize_sample_or_class_weights(class_weight, output_names, "class_weight")


def standardize_sample_weights(sample_weight: Any, output_names: Sequence[str]) -> list[Any]:
    """Sample weights as a list with those of each output."""
    return standardize_sample_or_class_weights(sample_weight, output_names, "sample_weight")


def standardize_weights(
    y: Any,
    sample_weight: Any = None,
    class_weight: Mapping[int, float] | None = None,
    sample_weight_mode: str | None = None,
) -> np.ndarray:
    """The weight of each sample, or with `temporal` of each step; those of samples come first.

    Raises:
        ValueError: for weights of a shape that does not fit, or a class without a weight.
    """
    if sample_weight_mode not in (None, "temporal"):
        raise ValueError(
            f"sample_weight_mode must be None or 'temporal', got {sample_weight_mode!r}"
        )
    axes = 1 if sample_weight_mode is None else 2
    if axes == 2 and y.ndim < 3:
        raise ValueError(f"sample_weight_mode 'temporal' needs (batch, time, ...), got {y.shape}")
    if sample_weight is not None:
        if sample_weight.ndim != axes or y.shape[:axes] != sample_weight.shape:
            raise ValueError(
                f"sample_weight must have shape {y.shape[:axes]}, got {sample_weight.shape}"
            )
        return sample_weight
    if class_weight is None:
        return np.ones(y.shape[:axes], config.floatx())
    if y.ndim > 2:
        raise ValueError(f"class_weight needs targets of at most two axes, got shape {y.shape}")
    classes = y.argmax(1) if y.ndim == 2 and y.shape[1] > 1 else y.reshape(len(y))
    absent = set(classes.tolist()) - set(class_weight)
    if absent:
        raise ValueError(f"class_weight has nothing for the classes {sorted(absent)}")
    return np.asarray([class_weight[own] for own in classes.tolist()])


def _lengths(arrays: Sequence[Any] | None) -> set[int]:
    arrays = [None] if arrays is None else arrays
    return {0 if array is None else len(array) for array in arrays}


def check_array_length_consistency(
    inputs: Sequence[Any] | None, targets: Sequence[Any] | None, weights: Any = None
) -> None:
    """Refuse inputs, targets and weights with unequal numbers of samples.

    Raises:
        ValueError: saying which differ, and the numbers.
    """
    groups = {"x": _lengths(inputs), "y": _lengths(targets), "sample_weight": _lengths(weights)}
    for name, found in groups.items():
        if len(found) > 1:
            raise ValueError(f"all arrays of {name} must have as many samples, got {sorted(found)}")
    counts = {name: next(iter(found), 0) for name, found in groups.items()}
    for name, other in (("x", "y"), ("y", "sample_weight")):
        if groups[name] and groups[other] and counts[name] != counts[other]:
            raise ValueError(
                f"{name} and {other} must have as many samples, got {counts[name]} and "
                f"{counts[other]}"
            )


check_array_lengths = check_array_length_consistency


def check_loss_and_target_compatibility(
    targets: Sequence[Any], loss_fns: Sequence[Any], output_shapes: Sequence[Any]
) -> None:
    """Refuse targets that a loss would compare with the wrong entries, or broadcast.

    Raises:
        ValueError: for labels given to `categorical_crossentropy`, or another shape.
    """
    for y, loss, shape in zip(targets, loss_fns, output_shapes, strict=True):
        name = getattr(loss, "__name__", None)
        if y is None or name not in SAME_SHAPE:
            continue
        if name == "categorical_crossentropy" and y.shape[-1] == 1:
            raise ValueError(
                f"You are passing a target array of shape {y.shape} while using as loss "
                "categorical_crossentropy, which takes one-hot rows: use to_categorical, or "
                "sparse_categorical_crossentropy for labels"
            )
        pairs = zip(y.shape[1:], shape[1:], strict=False)
        if any(size is not None and own != size for own, size in pairs):
            raise ValueError(
                f"A target array of shape {y.shape} was passed for an output of shape {shape}: "
                f"the loss {name} expects targets to have the same shape as the output"
            )


def collect_metrics(metrics: Any, output_names: Sequence[str]) -> list[list[Any]]:
    """Metrics given for all outputs, or by name, as a list with those of each output.

    >>> collect_metrics({"a": "mse"}, ["a", "b"])
    [['mse'], []]
    """
    if not metrics:
        return [[] for _ in output_names]
    if isinstance(metrics, list):
        return [list(metrics) for _ in output_names]
    if not isinstance(metrics, Mapping):
        raise TypeError(f"metrics must be a list or a dict, got {metrics!r}")
    found = [metrics.get(name, []) for name in output_names]
    return [own if isinstance(own, list) else [own] for own in found]


def check_num_samples(
    ins: Sequence[Any],
    batch_size: int | None = None,
    steps: int | None = None,
    steps_name: str = "steps",
) -> int | None:
    """The number of samples, or None where the number of steps is given.

    Raises:
        ValueError: if there is neither data nor a number of steps, or two sizes are given.
    """
    if steps is not None and batch_size is not None:
        raise ValueError(f"with {steps_name} batch_size must be None, got {batch_size}")
    if not ins and steps is None:
        raise ValueError(f"{steps_name} must be given where there is no data")
    return len(ins[0]) if ins and hasattr(ins[0], "shape") else None


def iter_sequence_infinite(seq: Any) -> Iterator[Any]:
    """The batches of a `Sequence`, again and again."""
    while True:
        yield from seq
