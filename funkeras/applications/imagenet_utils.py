"""What nets for ImageNet share: inputs, ends, published weights, names of classes."""

import inspect
import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from funkeras import activations, config
from funkeras.backend import cast, is_keras_tensor, is_tensor
from funkeras.layers import Dense, GlobalAveragePooling2D, GlobalMaxPooling2D, Input
from funkeras.models import Model
from funkeras.preprocessing.spelling import any_spelling
from funkeras.symbolic import SymbolicTensor
from funkeras.tracing import entries
from funkeras.utils.data_utils import get_file
from funkeras.utils.layer_utils import convert_dense_weights_data_format

__all__ = [
    "Asked",
    "Published",
    "activation_of",
    "addresses",
    "assembled",
    "channel_axis",
    "classified",
    "decode_predictions",
    "dense",
    "net",
    "pooled",
    "preprocess_input",
    "sizes_of",
    "spelled_as",
    "strided_edges",
    "unchanged",
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


def unchanged(x: Any, data_format: str | None = None) -> Any:
    """Pictures with values from 0 to 255 as they are: the net itself scales them."""
    return x


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


class Asked(NamedTuple):
    """What callers ask of every net, whatever the order of its arguments."""

    include_top: bool = True
    weights: Any = "imagenet"
    input_tensor: Any = None
    input_shape: Sequence[int | None] | None = None
    pooling: Any = None
    classes: int = 1000
    classifier_activation: Any = "softmax"
    name: str | None = None
    include_preprocessing: bool = True


class Published(NamedTuple):
    """Where the weights of a net are, and how their files are called."""

    folder: str
    """An address, or a folder within that of Keras's applications."""
    stem: str
    """How the names of the files begin."""
    hashes: tuple[str | None, str | None] = (None, None)
    """Of the files with the top and without."""
    without: str = "_notop"
    """How the name of the file without the top ends."""
    lowered: bool = False
    """Whether Keras's cache has the files in small letters, with underscores."""


def net(
    build: Callable[[Asked], Model],
    spelled: str,
    name: str | None = None,
    preprocessing_after: str | None = None,
) -> Callable[..., Model]:
    """The function that users call to get a net, with the arguments that most nets have.

    Args:
        build: makes the net that is asked for.
        spelled: how the function is called.
        name: of its models, if it is not that in small letters.
        preprocessing_after: the argument after which `include_preprocessing` stands, if the net
            has it.
    """
    usual = Asked(name=name or spelled.lower())._asdict()
    order = [own for own in Asked._fields if own != "include_preprocessing"]
    if preprocessing_after is not None:
        order.insert(order.index(preprocessing_after) + 1, "include_preprocessing")
    keyword = inspect.Parameter.POSITIONAL_OR_KEYWORD
    signature = inspect.Signature(
        [inspect.Parameter(own, keyword, default=usual[own]) for own in order]
    )

    def called(*args: Any, **kwargs: Any) -> Model:
        """The net.

        Args:
            include_top: with the classifier of 1000 classes.
            weights: `imagenet` for the published ones, a file, or None for random ones.
            input_tensor, input_shape: what it begins with; pictures of the usual size if left out.
            pooling: without the top, `avg` or `max` over the places, or None for the map of
                features.
            classes: of the classifier.
            classifier_activation: of the classifier; None for its logits.
            include_preprocessing: whether the net itself scales values from 0 to 255, if it can.
            name: of the model.
        """
        given = {**usual, **signature.bind(*args, **kwargs).arguments}
        if isinstance(given["pooling"], int):  # the fifth argument of Keras 1
            given |= {"pooling": None, "classes": given["pooling"]}
        return build(Asked(**given))

    called.__signature__ = signature  # pyright: ignore[reportFunctionMemberAccess]: of any function
    return spelled_as(spelled, called)


def spelled_as(name: str, function: Callable[..., Model]) -> Callable[..., Model]:
    """The function, which goes by that name among the applications from now on."""
    function.__name__ = function.__qualname__ = name
    function.__module__ = "funkeras.applications"
    return function


def entry(asked: Asked, size: int | None, smallest: int) -> Any:
    """The tensor that a net begins with.

    Raises:
        ValueError: for shapes that the net, its top or the published weights do not take.
    """
    published = asked.weights == "imagenet" and asked.include_top
    if published and asked.classes != 1000:
        raise ValueError(f"the published weights have 1000 classes, got classes={asked.classes}")
    last = config.image_data_format() == "channels_last"
    usual = (size, size, 3) if last else (3, size, size)
    if asked.input_shape is None:
        free = (None, None, 3) if last else (3, None, None)
        shape: Any = usual if asked.include_top else free
    else:
        shape = tuple(asked.input_shape)
        if len(shape) != 3 or any(own and own < smallest for own in sizes_of(shape)):
            raise ValueError(f"input_shape needs at least {smallest} rows and columns: {shape}")
        if size and asked.include_top and None in shape:
            raise ValueError(f"with include_top the sizes of the input must be known: {shape}")
        if size and published and shape != usual:
            raise ValueError(f"the published weights with their top take {usual}, got {shape}")
    tensor = asked.input_tensor
    if tensor is None:
        return Input(shape=shape)
    if not isinstance(tensor, SymbolicTensor):
        raise TypeError(f"input_tensor must be a symbolic tensor, got {tensor!r:.100}")
    return tensor if is_keras_tensor(tensor) else Input(tensor=tensor)


def activation_of(asked: Asked) -> Any:
    """The activation of the classifier.

    Raises:
        ValueError: for one that the published weights were not trained with.
    """
    chosen = asked.classifier_activation
    allowed = [activations.get(name) for name in (None, "linear", "softmax")]
    if asked.weights == "imagenet" and activations.get(chosen) not in allowed:
        raise ValueError(
            "with the published weights classifier_activation must be softmax or None, "
            f"got {chosen!r}"
        )
    return chosen


def classified(x: Any, asked: Asked, name: str = "predictions", **options: Any) -> Any:
    """Means over the places, and of them the classes.

    Args:
        name, options: of the layer that classifies.
    """
    return dense(GlobalAveragePooling2D(name="avg_pool")(x), asked, name, **options)


def dense(x: Any, asked: Asked, name: str = "predictions", **options: Any) -> Any:
    """The classes of features without places."""
    return Dense(asked.classes, activation=activation_of(asked), name=name, **options)(x)


def pooled(x: Any, asked: Asked, named: bool = False) -> Any:
    """What pooling makes of the features of a net without its top.

    Args:
        named: whether the layer is called `avg_pool` or `max_pool`.
    """
    if asked.pooling is None:
        return x
    if asked.pooling not in POOLS:
        raise ValueError(f"pooling must be None, avg or max; got {asked.pooling!r}")
    return POOLS[asked.pooling](name=f"{asked.pooling}_pool" if named else None)(x)


POOLS = {"avg": GlobalAveragePooling2D, "max": GlobalMaxPooling2D}


def filled(model: Model, asked: Asked, published: Published) -> Model:
    """The model with the weights of a file, or of the published one, `imagenet`."""
    weights = path = asked.weights
    if weights is None:
        return model
    if weights == "imagenet":
        name = f"{published.stem}{'' if asked.include_top else published.without}.h5"
        digest = published.hashes[0 if asked.include_top else 1]
        folder = published.folder
        address = folder if folder.startswith("http") else f"{STORE}{folder}"
        kept = name.lower().replace("-", "_") if published.lowered else name
        path = get_file(kept, f"{address}/{name}", cache_subdir="models", file_hash=digest)
    elif not Path(weights).exists():
        raise ValueError(f"weights must be None, 'imagenet' or the path of a file; got {weights!r}")
    model.load_weights(path)
    flat = [layer for layer in model.layers if layer.name == "fc1"]
    if weights == "imagenet" and flat and config.image_data_format() == "channels_first":
        shape = model.get_layer("block5_pool").output_shape[1:]
        convert_dense_weights_data_format(flat[0], shape, "channels_first")
    return model


def assembled(
    asked: Asked,
    body: Callable[[Any], Any],
    published: Published,
    size: int | None = 224,
    smallest: int = 32,
    top: Callable[[Any, Asked], Any] = classified,
    bottom: Callable[[Any, Asked], Any] = pooled,
) -> Model:
    """The net that is asked for.

    Args:
        body: from pictures to features.
        size: of the pictures that it takes with its top; None for any.
        smallest: rows and columns that it takes.
        top: from features to classes.
        bottom: what it ends with without the top.
    """
    begin = entry(asked, size, smallest)
    x = (top if asked.include_top else bottom)(body(begin), asked)
    first, *others = reversed(entries([begin]))  # more than it, if layers gave the tensor
    model = Model([first, *others] if others else first, x, name=asked.name)
    return filled(model, asked, published)
