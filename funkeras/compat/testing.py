"""What `keras.utils.test_utils` offered to those who test layers of their own."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numpy.testing import assert_allclose

from funkeras import config
from funkeras.layers.input import Input
from funkeras.layers.layer import Layer, reset_names
from funkeras.models import Model, Sequential, model_from_json

__all__ = ["get_test_data", "keras_test", "layer_test"]

P = ParamSpec("P")
T = TypeVar("T")

TOLERANCE = 1e-3


def get_test_data(
    num_train: int = 1000,
    num_test: int = 500,
    input_shape: tuple[int, ...] = (10,),
    output_shape: tuple[int, ...] = (2,),
    classification: bool = True,
    num_classes: int = 2,
    *,
    nb_train: int | None = None,
    nb_test: int | None = None,
    nb_class: int | None = None,
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Made-up data that can be learned: each input is normal around its label.

    The names with `nb_` are those of Keras 1. Without `classification` labels have `output_shape`
    and lie around a number between 0 and 1.

    >>> (x, y), (x_test, y_test) = get_test_data(6, 2, (3,), num_classes=4)
    >>> x.shape, y.shape, x_test.shape
    ((6, 3), (6,), (2, 3))
    """
    num_train = num_train if nb_train is None else nb_train
    count = num_train + (num_test if nb_test is None else nb_test)
    classes = num_classes if nb_class is None else nb_class
    centre = np.random.randint(0, classes, count) if classification else np.random.random(count)

    def around(shape: tuple[int, ...]) -> np.ndarray:
        return np.stack([np.random.normal(place, 0.7, shape) for place in centre])

    x = around(tuple(input_shape)).astype("float32")
    y = centre if classification else around(tuple(output_shape)).astype("float32")
    return (x[:num_train], y[:num_train]), (x[num_train:], y[num_train:])


def layer_test(
    layer_cls: type[Layer],
    kwargs: Mapping[str, Any] | None = None,
    input_shape: Any = None,
    input_dtype: Any = None,
    input_data: Any = None,
    expected_output: Any = None,
    expected_output_dtype: Any = None,
    fixed_batch_size: bool = False,
) -> np.ndarray:
    """Make a layer, run it in both kinds of model, save it and load it; gives what it predicts.

    Args:
        layer_cls, kwargs: the layer's class and its arguments.
        input_shape: with the batch first; sizes that are None are drawn.
        input_data: by default random numbers of that shape and `input_dtype`.
        expected_output, expected_output_dtype: checked where given.

    Raises:
        AssertionError: if the output differs from what is expected, from the shape that the layer
            announces, or after a round trip through its config.
    """
    arguments = dict(kwargs or {})
    if input_data is None:
        sizes = [np.random.randint(1, 4) if size is None else size for size in input_shape]
        input_dtype = input_dtype or config.floatx()
        input_data = (10 * np.random.random(sizes)).astype(input_dtype)
    shape = tuple(input_data.shape if input_shape is None else input_shape)
    dtype = str(input_dtype or np.asarray(input_data).dtype)

    layer = layer_cls(**arguments)
    layer.set_weights(weights := layer.get_weights())
    if weights:
        layer = layer_cls(**arguments, weights=weights)
    given = {"batch_shape": shape} if fixed_batch_size else {"shape": shape[1:]}
    x = Input(**given, dtype=dtype)
    y = layer(x)
    if expected_output_dtype is not None and np.dtype(y.dtype) != np.dtype(expected_output_dtype):
        raise AssertionError(f"expected an output of {expected_output_dtype}, got {y.dtype}")
    announced = layer.compute_output_shape(shape)
    graph = Model(x, y)
    output = _checked(graph, input_data, announced, expected_output)

    described = {**layer.get_config(), "batch_input_shape": shape}
    chain = Sequential([type(layer).from_config(described)])
    chain.set_weights(graph.get_weights())
    _checked(chain, input_data, announced, output)
    own: dict[str, Any] = {layer_cls.__name__: layer_cls}
    if callable(function := arguments.get("function")):  # of a Lambda, which no config holds
        own = {layer.name: function}
    _checked(
        _filled(model_from_json(chain.to_json(), own), chain),
        input_data,
        announced,
        output,
    )
    graph.compile("rmsprop", "mse")
    graph.train_on_batch(input_data, output)
    return output


def _filled(model: Model, like: Model) -> Model:
    model.set_weights(like.get_weights())
    return model


def _checked(model: Model, x: Any, announced: Any, expected: Any) -> np.ndarray:
    """What a model predicts, if that has the shape and the values that it should have."""
    output = model.predict(x)
    wrong = [
        size for size, own in zip(announced, output.shape, strict=True) if size not in (None, own)
    ]
    if wrong:
        raise AssertionError(f"the layer announces {announced} and gives {output.shape}")
    if expected is not None:
        assert_allclose(output, expected, rtol=TOLERANCE, atol=1e-6)
    return output


def keras_test(func: Callable[P, T]) -> Callable[P, T]:
    """Number layers from the beginning again after a test."""

    @wraps(func)
    def alone(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return func(*args, **kwargs)
        finally:
            reset_names()

    return alone
