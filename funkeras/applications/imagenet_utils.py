"""What nets for ImageNet share: inputs, ends, published weights, names of classes."""

import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from funkeras import config
from funkeras.backend import cast, is_keras_tensor, is_tensor
from funkeras.layers import Dense, GlobalAveragePooling2D, GlobalMaxPooling2D, Input
from funkeras.models import Model
from funkeras.preprocessing.spelling import any_spelling
from funkeras.symbolic import SymbolicTensor
from funkeras.utils.data_utils import get_file
from funkeras.utils.layer_utils import convert_dense_weights_data_format

__all__ = [
    "addresses",
    "channel_axis",
    "decode_predictions",
    "ending",
    "entry",
    "filled",
    "preprocess_input",
    "sizes_of",
    "strided_edges",
]

STORE = "https://storage.googleapis.com/tensorflow/keras-applications/"
CLASSES = (
    "https://storage.googleapis.com/download.tensorflow.org/data/imagenet_class_index.json",
    "c2c37ea517e94d9795004a39431a14cb",
)

CAFFE = (103.939, 116.779, 123.68)
"""Means of blue, green and red in the data that the oldest weights were trained on."""
TORCH = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Means and deviations of red, green and blue, of values up to 1."""


CLASS_INDEX = None
"""Keras's variable for the names of classes before they are read; here it stays None."""
CLASS_INDEX_PATH = CLASSES[0]


def _caffe(x: Any, along: Callable[[Sequence[float]], np.ndarray], axis: int) -> Any:
    after = (slice(None),) * (-1 - axis)
    return x[(..., slice(None, None, -1), *after)] - along(CAFFE)


def _tf(x: Any, along: Callable[[Sequence[float]], np.ndarray], axis: int) -> Any:
    return x / 127.5 - 1.0


def _torch(x: Any, along: Callable[[Sequence[float]], np.ndarray], axis: int) -> Any:
    return (x / 255.0 - along(TORCH[0])) / along(TORCH[1])


MODES = {"caffe": _caffe, "tf": _tf, "torch": _torch}


@any_spelling()
def preprocess_input(x: Any, data_format: str | None = None, mode: str = "caffe") -> Any:
    """Pictures with values from 0 to 255 as the nets take them.

    Args:
        x: one picture or a batch, red, green and blue; an array or a tensor of a net.
        data_format: where the colours are; as set in the configuration if left out. `tf` and `th`
            in Keras 1.
        mode: `caffe` swaps red and blue and takes the means off, `tf` scales to [-1, 1], `torch`
            scales to [0, 1] and then by means and deviations.

    >>> preprocess_input(np.full((1, 1, 1, 3), 255.0), "channels_last", mode="tf").tolist()
    [[[[1.0, 1.0, 1.0]]]]
    """
    if mode not in MODES:
        raise ValueError(f"mode must be one of {', '.join(MODES)}; got {mode!r}")
    place = config.ORDERINGS.get(str(data_format), data_format) or config.image_data_format()
    axis = -1 if place == "channels_last" else -3
    x = cast(x, config.floatx()) if is_tensor(x) else np.asarray(x, config.floatx())
    if len(x.shape) not in (3, 4) or x.shape[axis] != 3:
        raise ValueError(f"expected pictures with 3 colours on axis {axis}, got shape {x.shape}")

    def along(values: Sequence[float]) -> np.ndarray:
        return np.asarray(values, config.floatx()).reshape((3,) + (1,) * (-1 - axis))

    return MODES[mode](x, along, axis)


@cache
def _class_index(path: str) -> list[tuple[str, str]]:
    table = json.loads(Path(path).read_text(encoding="utf-8"))
    return [tuple(table[str(number)]) for number in range(len(table))]


def decode_predictions(preds: Any, top: int = 5) -> list[list[tuple[str, str, float]]]:
    """For each row of 1000 probabilities the likeliest classes: (WordNet id, name, probability).

    The names come from a file in the cache folder, downloaded at the first use.

    Raises:
        ValueError: for another number of classes.
        ConnectionError: without the file and without a network; it says where to put the file.
    """
    preds = np.asarray(preds)
    if preds.ndim != 2 or preds.shape[1] != 1000:
        raise ValueError(f"expected probabilities of shape (rows, 1000), got {preds.shape}")
    address, digest = CLASSES
    name = Path(address).name
    names = _class_index(get_file(name, address, cache_subdir="models", file_hash=digest))
    order = np.argsort(preds, axis=1)[:, ::-1][:, :top]
    return [
        [(*names[index], float(row[index])) for index in best]
        for row, best in zip(preds, order, strict=True)
    ]


def addresses(release: str, net: str, backends: Sequence[str] = ("tf", "th")) -> list[str]:
    """Where Keras 1 had the weights of a net for each backend, with the top and without."""
    store = "https://github.com/fchollet/deep-learning-models/releases/download"
    return [
        f"{store}/{release}/{net}_weights_{own}_dim_ordering_{own}_kernels{ending}.h5"
        for own in backends
        for ending in ("", "_notop")
    ]


def channel_axis() -> int:
    """The axis of the channels."""
    return -1 if config.image_data_format() == "channels_last" else 1


def sizes_of(shape: Sequence[Any]) -> Sequence[Any]:
    """Rows and columns of pictures of that shape, without the batch."""
    return shape[:2] if config.image_data_format() == "channels_last" else shape[1:]


def strided_edges(x: Any, size: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """What goes around pictures before a kernel with stride 2, so that it ends at their edge."""
    odd = [1 if own is None else 1 - own % 2 for own in sizes_of(x.shape[1:])]
    half = size // 2
    return (half - odd[0], half), (half - odd[1], half)


def entry(
    input_tensor: Any,
    input_shape: Sequence[int | None] | None,
    size: int,
    smallest: int,
    include_top: bool,
    weights: Any,
    classes: int,
) -> Any:
    """The tensor that a net begins with.

    Raises:
        ValueError: for shapes that the net, its top or the published weights do not take.
    """
    if weights == "imagenet" and include_top and classes != 1000:
        raise ValueError(f"the published weights have 1000 classes, got classes={classes}")
    last = config.image_data_format() == "channels_last"
    usual = (size, size, 3) if last else (3, size, size)
    if input_shape is None:
        free = (None, None, 3) if last else (3, None, None)
        shape: Any = usual if include_top else free
    else:
        shape = tuple(input_shape)
        if len(shape) != 3 or any(own and own < smallest for own in sizes_of(shape)):
            raise ValueError(f"input_shape needs at least {smallest} rows and columns: {shape}")
        if include_top and None in shape:
            raise ValueError(f"with include_top the sizes of the input must be known: {shape}")
        if weights == "imagenet" and include_top and shape != usual:
            raise ValueError(f"the published weights with their top take {usual}, got {shape}")
    if input_tensor is None:
        return Input(shape=shape)
    if not isinstance(input_tensor, SymbolicTensor):
        raise TypeError(f"input_tensor must be a symbolic tensor, got {input_tensor!r:.100}")
    return input_tensor if is_keras_tensor(input_tensor) else Input(tensor=input_tensor)


def ending(
    x: Any, include_top: bool, pooling: Any, classes: int, pooled: bool = True, name: str = ""
) -> Any:
    """The end of a net: its classifier, or what pooling makes of its features."""
    if include_top:
        x = GlobalAveragePooling2D(name="avg_pool")(x) if pooled else x
        return Dense(classes, activation="softmax", name=name or "predictions")(x)
    pools = {"avg": GlobalAveragePooling2D, "max": GlobalMaxPooling2D}
    if pooling is None:
        return x
    if pooling not in pools:
        raise ValueError(f"pooling must be None, avg or max; got {pooling!r}")
    return pools[pooling]()(x)


def filled(
    model: Model,
    weights: Any,
    folder: str,
    stem: str,
    hashes: tuple[str | None, str | None],
    without: str = "_notop",
) -> Model:
    """The model with the weights of a file, or of the published one, `imagenet`.

    Args:
        folder, stem: where it is published and how its name begins.
        hashes: of the files with the top and without.
        without: how the name of a file without the top ends.
    """
    if weights is None:
        return model
    path = weights
    if weights == "imagenet":
        top = any(layer.name in TOPS for layer in model.layers)
        name = f"{stem}{'' if top else without}.h5"
        digest = hashes[0 if top else 1]
        address = folder if folder.startswith("http") else f"{STORE}{folder}"
        kept = name.lower().replace("-", "_")  # as Keras names it in its cache
        path = get_file(kept, f"{address}/{name}", cache_subdir="models", file_hash=digest)
    elif not Path(weights).exists():
        raise ValueError(f"weights must be None, 'imagenet' or the path of a file; got {weights!r}")
    model.load_weights(path)
    dense = [layer for layer in model.layers if layer.name == "fc1"]
    if weights == "imagenet" and dense and config.image_data_format() == "channels_first":
        shape = model.get_layer("block5_pool").output_shape[1:]
        convert_dense_weights_data_format(dense[0], shape, "channels_first")
    return model


TOPS = ("predictions", "fc1000", "conv_preds", "Logits")
"""Names of the layers that classify."""
