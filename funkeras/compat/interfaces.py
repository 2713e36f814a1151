"""Decorators of `keras.legacy.interfaces` (Keras 2): a user's method takes old spellings too."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from funkeras import spellings

__all__ = ["LEGACY", "legacy_get_updates_support"]

T = TypeVar("T")

LEGACY = {
    "add_weight": "add_weight",
    "batchnorm": "BatchNormalization",
    "conv1d": "Conv1D",
    "conv2d": "Conv2D",
    "conv3d": "Conv3D",
    "convlstm2d": "ConvLSTM2D",
    "cropping2d": "Cropping2D",
    "cropping3d": "Cropping3D",
    "deconv2d": "Conv2DTranspose",
    "dense": "Dense",
    "dropout": "Dropout",
    "embedding": "Embedding",
    "gaussiandropout": "GaussianDropout",
    "gaussiannoise": "GaussianNoise",
    "generator_methods": "fit_generator",
    "global_pooling": "GlobalAveragePooling2D",
    "input": "Input",
    "lambda": "Lambda",
    "model_constructor": "Model",
    "pooling1d": "MaxPooling1D",
    "pooling2d": "MaxPooling2D",
    "pooling3d": "MaxPooling3D",
    "prelu": "PReLU",
    "recurrent": "SimpleRNN",
    "separable_conv2d": "SeparableConv2D",
    "spatialdropout1d": "SpatialDropout1D",
    "upsampling1d": "UpSampling1D",
    "upsampling2d": "UpSampling2D",
    "upsampling3d": "UpSampling3D",
    "zeropadding2d": "ZeroPadding2D",
    "zeropadding3d": "ZeroPadding3D",
}
"""`legacy_NAME_support` → the class or method whose old spelling it takes."""


def _today(name: str) -> tuple[str, ...]:
    """The names that an argument of some generation has today."""
    merged = [new for new, groups in spellings.MERGED.items() if any(name in g for g in groups)]
    return (name, *spellings.RENAMED.get(name, ()), *merged)


def supporting(owner: str) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """Let a method be called in the spelling that Keras 1 had for `owner`.

    Arguments that only its `**kwargs` takes are passed on as they are.
    """

    def decorate(method: Callable[..., T]) -> Callable[..., T]:
        signature = inspect.signature(method)
        kinds = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD
        parameters = list(signature.parameters.values())[1:]
        names = tuple(one.name for one in parameters if one.kind not in kinds)

        @wraps(method)
        def translated(self: Any, *args: Any, **kwargs: Any) -> T:
            others = [name for name in kwargs if not set(names).intersection(_today(name))]
            return method(self, **spellings.translate(owner, (*names, *others), args, kwargs))

        return translated

    return decorate


def legacy_get_updates_support(method: Callable[..., T]) -> Callable[..., T]:
    """Let `get_updates(self, loss, params)` be called `(params, constraints, loss)` too."""

    @wraps(method)
    def translated(self: Any, *args: Any, **kwargs: Any) -> T:
        old = bool(args) and isinstance(args[0], list | tuple)
        order = ("params", "constraints", "loss") if old else ("loss", "params")
        given = spellings.by_name("get_updates", order, args, kwargs)
        given.pop("constraints", None)
        return method(self, **given)

    return translated


def __getattr__(name: str) -> Any:
    owner = LEGACY.get(name.removeprefix("legacy_").removesuffix("_support"))
    if owner is None or not name.startswith("legacy_") or not name.endswith("_support"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return supporting(owner)
