"""Every name that Keras 1, 2 and 3 used for one thing, as tables, and one function to apply them.

An old spelling is translated once, at the boundary: a constructor, `from_config`, `compile`, `fit`.
A name that the callee accepts is never translated, and of several candidates the first that it
accepts is meant. So `output_dim` stays itself where a layer has such an argument, and a new layer
that uses our names has its old spelling already.
"""

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from funkeras import config
from funkeras.utils.tracebacks import shown

__all__ = ["bind", "by_name", "current_name", "nearest", "placed", "spelled", "translate"]

P = ParamSpec("P")
T = TypeVar("T")

RENAMED: dict[str, tuple[str, ...]] = {
    "X": ("x",),
    "W_constraint": ("kernel_constraint", "embeddings_constraint", "alpha_constraint"),
    "W_regularizer": ("kernel_regularizer", "embeddings_regularizer", "alpha_regularizer"),
    "U_regularizer": ("recurrent_regularizer",),
    "U_constraint": ("recurrent_constraint",),
    "alpha": ("negative_slope",),
    "atrous_rate": ("dilation_rate",),
    "b_constraint": ("bias_constraint",),
    "b_regularizer": ("bias_regularizer",),
    "batch_input_shape": ("batch_shape",),
    "beta_init": ("beta_initializer",),
    "bias": ("use_bias",),
    "broatcastable": ("broadcastable",),
    "border_mode": ("padding",),
    "consume_less": ("implementation",),
    "dim": ("axis",),
    "dim_ordering": ("data_format",),
    "dropout_U": ("recurrent_dropout",),
    "dropout_W": ("dropout",),
    "e": ("value",),
    "filter_dilation": ("dilation_rate",),
    "filter_length": ("kernel_size",),
    "floatx": ("value",),
    "forget_bias_init": ("unit_forget_bias",),
    "gamma_init": ("gamma_initializer",),
    "grayscale": ("color_mode",),
    "high": ("max_value", "maxval"),
    "init": (
        "kernel_initializer",
        "embeddings_initializer",
        "alpha_initializer",
        "depthwise_initializer",
    ),
    "inner_activation": ("recurrent_activation",),
    "inner_init": ("recurrent_initializer",),
    "input": ("inputs",),
    "input_mask": ("mask",),
    "x": ("inputs",),
    "input_dtype": ("dtype",),
    "input_text": ("text",),
    "intensity": ("intensity_range",),
    "length": ("size",),
    "low": ("min_value", "minval"),
    "l": ("l1", "l2"),
    "lr": ("learning_rate",),
    "m": ("max_value",),
    "max_q_size": ("max_queue_size",),
    "nb_classes": ("num_classes",),
    "nb_epoch": ("epochs",),
    "nb_filter": ("filters",),
    "nb_words": ("num_words",),
    "nb_worker": ("workers",),
    "output": ("outputs",),
    "output_dim": ("units",),
    "p": ("rate",),
    "pickle_safe": ("use_multiprocessing",),
    "pool_length": ("pool_size",),
    "scale": ("stddev",),
    "show_accuracy": ("metrics",),
    "sigma": ("stddev",),
    "a_left_init": ("a_left_initializer",),
    "a_right_init": ("a_right_initializer",),
    "std": ("stddev",),
    "stride": ("strides",),
    "subsample": ("strides",),
    "subsample_length": ("strides",),
    "t_left_init": ("t_left_initializer",),
    "t_right_init": ("t_right_initializer",),
    "variable": ("x",),
    "xs": ("tensors",),
    "ops": ("tensors",),
}
"""Old argument → today's candidates."""

ALSO: dict[tuple[str, str], str] = {
    ("init", "depthwise_initializer"): "pointwise_initializer",
}
"""Old argument and what it became → what else it set."""

MERGED: dict[str, tuple[tuple[str, ...], ...]] = {
    "kernel_size": (("nb_row", "nb_col"), ("kernel_dim1", "kernel_dim2", "kernel_dim3")),
}
"""Today's argument ← several old ones, as a tuple in this order."""

VALUES: dict[str, dict[Any, Any]] = {
    "data_format": {"tf": "channels_last", "th": "channels_first", "default": None},
    "implementation": {"cpu": 0, "mem": 1, "gpu": 2},
    "unit_forget_bias": {"one": True, "ones": True, "zero": False, "zeros": False},
}
"""Today's argument → old value → today's value."""

_MIDDLE = ("init", "activation", "weights", "border_mode", "subsample")
_REGULARIZED = ("W_regularizer", "b_regularizer", "activity_regularizer")
_END = (*_REGULARIZED, "W_constraint", "b_constraint", "bias")
_IMAGE = ("filters", "nb_row", "nb_col")
_CONV_1D = ("filters", "kernel_size", *_MIDDLE, *_END, "input_dim", "input_length")
_CONV_2D = (*_IMAGE, *_MIDDLE, "dim_ordering", *_END)
_CONV_3D = (
    *("filters", "kernel_dim1", "kernel_dim2", "kernel_dim3"),
    *(*_MIDDLE, "dim_ordering", *_END),
)
_ATROUS_1D = ("filters", "kernel_size", *_MIDDLE, "atrous_rate", *_END)
_ATROUS_2D = (*_IMAGE, *_MIDDLE, "atrous_rate", "dim_ordering", *_END)
_DECONV_2D = (*_IMAGE, "output_shape", *_MIDDLE, "dim_ordering", *_END)
_SEPARABLE_2D = (
    *(*_IMAGE, *_MIDDLE, "depth_multiplier", "dim_ordering"),
    *("depthwise_regularizer", "pointwise_regularizer", "b_regularizer", "activity_regularizer"),
    *("depthwise_constraint", "pointwise_constraint", "b_constraint", "bias"),
)
_CONV_LSTM_2D = (
    *(*_IMAGE, "init", "inner_init", "forget_bias_init", "activation", "inner_activation"),
    *("dim_ordering", "border_mode", "subsample", "W_regularizer", "U_regularizer"),
    *("b_regularizer", "dropout_W", "dropout_U"),
)

_MOMENTS = ("beta_init", "gamma_init", "gamma_regularizer", "beta_regularizer")
_DENSE = ("init", "activation", "weights", *_END, "input_dim")
_GATES = ("W_regularizer", "U_regularizer", "b_regularizer", "dropout_W", "dropout_U")
_EMBEDDING = (
    *("input_dim", "output_dim", "init", "input_length", "W_regularizer", "activity_regularizer"),
    *("W_constraint", "mask_zero", "weights", "dropout"),
)
_EMBEDDING_2 = (
    *("input_dim", "output_dim", "embeddings_initializer", "embeddings_regularizer"),
    *("activity_regularizer", "embeddings_constraint", "mask_zero", "input_length"),
)
_CONV_2_END = (
    *("activation", "use_bias", "kernel_initializer", "bias_initializer"),
    *("kernel_regularizer", "bias_regularizer", "activity_regularizer", "kernel_constraint"),
    "bias_constraint",
)
_CONV_2_BEGIN = ("filters", "kernel_size", "strides", "padding")
_CONV_2 = (*_CONV_2_BEGIN, "data_format", "dilation_rate", *_CONV_2_END)
_DECONV_2 = (*_CONV_2_BEGIN, "output_padding", "data_format", *_CONV_2_END)
_RULES_2 = (
    *("kernel_regularizer", "recurrent_regularizer", "bias_regularizer", "activity_regularizer"),
    *("kernel_constraint", "recurrent_constraint", "bias_constraint"),
)
_STARTS_2 = ("kernel_initializer", "recurrent_initializer", "bias_initializer")
_GATED_2 = ("activation", "recurrent_activation", "use_bias", *_STARTS_2)
_RUN_2 = (
    *("dropout", "recurrent_dropout", "implementation", "return_sequences", "return_state"),
    *("go_backwards", "stateful", "unroll"),
)
_CUDNN_END = (*_RULES_2, "return_sequences", "return_state", "stateful")
_CONV_LSTM_2 = (
    *(*_CONV_2_BEGIN, "data_format", "dilation_rate", *_GATED_2, "unit_forget_bias", *_RULES_2),
    *("return_sequences", "go_backwards", "stateful", "dropout", "recurrent_dropout"),
)
_DEPTHWISE_2 = (
    *("kernel_size", "strides", "padding", "depth_multiplier", "data_format", "activation"),
    *("use_bias", "depthwise_initializer", "bias_initializer"),
    *("depthwise_regularizer", "bias_regularizer", "activity_regularizer"),
    *("depthwise_constraint", "bias_constraint"),
)

CLASSES: dict[str, tuple[str, tuple[str, ...]]] = {
    "AtrousConv1D": ("Conv1D", _ATROUS_1D),
    "AtrousConv2D": ("Conv2D", _ATROUS_2D),
    "AtrousConvolution1D": ("Conv1D", _ATROUS_1D),
    "AtrousConvolution2D": ("Conv2D", _ATROUS_2D),
    "Convolution1D": ("Conv1D", _CONV_1D),
    "Convolution2D": ("Conv2D", _CONV_2D),
    "Convolution3D": ("Conv3D", _CONV_3D),
    "Convolution1DTranspose": ("Conv1DTranspose", ()),
    "Convolution2DTranspose": ("Conv2DTranspose", ()),
    "Convolution3DTranspose": ("Conv3DTranspose", ()),
    "Deconv2D": ("Conv2DTranspose", _DECONV_2D),
    "Deconv3D": ("Conv3DTranspose", ()),
    "Deconvolution2D": ("Conv2DTranspose", _DECONV_2D),
    "Deconvolution3D": ("Conv3DTranspose", ()),
    "ConvRNN2D": ("RNN", ()),
    "CuDNNGRU": ("GRU", ("units", *_STARTS_2, *_CUDNN_END)),
    "CuDNNLSTM": ("LSTM", ("units", *_STARTS_2, "unit_forget_bias", *_CUDNN_END)),
    "TimeDistributedDense": ("Dense", ("units", "init", "activation", "weights", *_END)),
    "SeparableConvolution1D": ("SeparableConv1D", ()),
    "SeparableConvolution2D": ("SeparableConv2D", _SEPARABLE_2D),
    "GroupQueryAttention": ("GroupedQueryAttention", ()),
    "MaxPool1D": ("MaxPooling1D", ()),
    "MaxPool2D": ("MaxPooling2D", ()),
    "MaxPool3D": ("MaxPooling3D", ()),
    "AvgPool1D": ("AveragePooling1D", ()),
    "AvgPool2D": ("AveragePooling2D", ()),
    "AvgPool3D": ("AveragePooling3D", ()),
    "GlobalMaxPool1D": ("GlobalMaxPooling1D", ()),
    "GlobalMaxPool2D": ("GlobalMaxPooling2D", ()),
    "GlobalMaxPool3D": ("GlobalMaxPooling3D", ()),
    "GlobalAvgPool1D": ("GlobalAveragePooling1D", ()),
    "GlobalAvgPool2D": ("GlobalAveragePooling2D", ()),
    "GlobalAvgPool3D": ("GlobalAveragePooling3D", ()),
}
"""Old class → today's, with the positional order of its arguments where that was another."""

SPREAD: dict[str, tuple[tuple[str, ...], ...]] = {
    "Conv1D": (_CONV_1D, _CONV_2),
    "Conv2D": (_CONV_2D, _CONV_2),
    "Conv3D": (_CONV_3D, _CONV_2),
    "Conv2DTranspose": (_DECONV_2D,),
    "Conv3DTranspose": (_DECONV_2,),
    "DepthwiseConv2D": (_DEPTHWISE_2,),
    "SeparableConv2D": (_SEPARABLE_2D,),
    "LocallyConnected1D": (_CONV_1D,),
    "LocallyConnected2D": (_CONV_2D,),
    "ConvLSTM2D": (_CONV_LSTM_2D, _CONV_LSTM_2),
    "BatchNormalization": (("epsilon", "mode", "axis", "momentum", "weights", *_MOMENTS),),
    "Dense": (("units", *_DENSE),),
    "Highway": (_DENSE,),
    "MaxoutDense": (("output_dim", "nb_feature", *_DENSE[:1], *_DENSE[2:]),),
    "Embedding": (_EMBEDDING, _EMBEDDING_2),
    "SimpleRNN": (("units", "init", "inner_init", "activation", *_GATES),),
    "GRU": (
        ("units", "init", "inner_init", "activation", "inner_activation", *_GATES),
        ("units", *_GATED_2, *_RULES_2, *_RUN_2, "reset_after"),
    ),
    "LSTM": (
        (
            *("units", "init", "inner_init", "forget_bias_init"),
            *("activation", "inner_activation", *_GATES),
        ),
        ("units", *_GATED_2, "unit_forget_bias", *_RULES_2, *_RUN_2),
    ),
    "PReLU": (("init", "weights", "shared_axes"),),
    "ParametricSoftplus": (("alpha_initializer", "beta_initializer", "weights", "shared_axes"),),
    "SReLU": (
        (
            *("t_left_initializer", "a_left_initializer", "t_right_initializer"),
            *("a_right_initializer", "shared_axes"),
        ),
    ),
    "Lambda": (("function", "output_shape", "arguments"),),
    "Input": (("shape", "batch_shape", "name", "dtype", "sparse"),),
    "InputLayer": (
        ("input_shape", "batch_shape", "input_dtype"),
        ("input_shape", "batch_size", "batch_shape", "dtype"),
    ),
}
"""Classes that kept their name → their positional orders in Keras 1 and 2, if these were others.

Genuine Keras 2 reads `Conv2D(32, 3, 3)` so too; Keras 3 takes the last number for the strides.
"""

_SCORES = ("output", "target", "from_logits")
KERAS_1: dict[str, tuple[str, ...]] = {
    "K.batch_normalization": ("x", "mean", "var", "beta", "gamma", "epsilon"),
    "K.binary_crossentropy": _SCORES,
    "K.categorical_crossentropy": _SCORES,
    "K.sparse_categorical_crossentropy": _SCORES,
    "K.conv1d": ("x", "kernel", "strides", "padding", "image_shape", "filter_shape"),
    "K.conv2d": (
        *("x", "kernel", "strides", "padding", "data_format", "image_shape", "filter_shape"),
        "dilation_rate",
    ),
    "K.conv3d": (
        *("x", "kernel", "strides", "padding", "data_format", "volume_shape", "filter_shape"),
        "dilation_rate",
    ),
}
"""Functions of the backend → their positional order in Keras 1, where the dialect is classic."""

INITIAL = (
    *("uniform", "lecun_uniform", "normal", "identity", "orthogonal", "zero", "one"),
    *("glorot_normal", "glorot_uniform", "he_normal", "he_uniform"),
)
"""Keras 1's initializers: where a name may be one or an activation, these are the former."""

MEANT: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys((*_IMAGE[1:], *_CONV_3D[1:4]), lambda value: isinstance(value, int)),
    "init": lambda value: value in INITIAL if isinstance(value, str) else callable(value),
    "epsilon": lambda value: isinstance(value, float),
    "weights": lambda value: value is None or isinstance(value, list | tuple),
    "input_length": lambda value: value is None or isinstance(value, int),
    "arguments": lambda value: value is None or isinstance(value, Mapping),
    "batch_shape": lambda value: value is None or isinstance(value, list | tuple),
    "return_sequences": lambda value: isinstance(value, bool),
    "output_padding": lambda value: not isinstance(value, str),
    "activation": lambda value: not isinstance(value, int | tuple | list),
}
"""Argument → whether such a value can be meant for it, which tells positional orders apart."""

LAST = {"data_format": "channels_last"}
NEAREST = {"interpolation_order": 0}
JPEG = {"save_format": "jpeg"}
GATED = {"recurrent_activation": "hard_sigmoid"}

DEFAULTS: dict[str, dict[str, dict[str, Any]]] = {
    "classic": {
        "fit": {"epochs": 10},
        "Conv1D": LAST,
        "SeparableConv1D": LAST,
        "LocallyConnected1D": LAST,
        "ZeroPadding1D": LAST,
        "MaxPooling1D": LAST,
        "AveragePooling1D": LAST,
        "GlobalMaxPooling1D": LAST,
        "GlobalAveragePooling1D": LAST,
        "LSTM": {**GATED, "implementation": 0},
        "GRU": {**GATED, "implementation": 0, "reset_after": False},
        "LSTMCell": {**GATED, "implementation": 1},
        **dict.fromkeys(("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "ConvLSTM2DCell"), GATED),
        "CuDNNGRU": {"recurrent_activation": "sigmoid", "reset_after": True},
        "CuDNNLSTM": {"recurrent_activation": "sigmoid"},
        "GRUCell": {**GATED, "implementation": 1, "reset_after": False},
        "Orthogonal": {"gain": 1.1},
        "VarianceScaling": {"distribution": "normal"},
        "l1_l2": {"l1": 0.01, "l2": 0.01},
        "RMSprop": {"epsilon": 1e-8},
        "Adagrad": {
            "learning_rate": 0.01,
            "initial_accumulator_value": 0.0,
            "epsilon": 1e-8,
        },
        "Adadelta": {"learning_rate": 1.0, "epsilon": 1e-8},
        "Adam": {"epsilon": 1e-8},
        "Adamax": {"learning_rate": 0.002, "epsilon": 1e-8},
        "Nadam": {"learning_rate": 0.002, "epsilon": 1e-8, "schedule_decay": 0.004},
        "random_rotation": NEAREST,
        "random_shift": NEAREST,
        "random_shear": NEAREST,
        "random_zoom": NEAREST,
        "apply_affine_transform": {"row_axis": 0, "col_axis": 1, "channel_axis": 2},
        "list_pictures": {"ext": "jpg|jpeg|bmp|png"},
        "flow": JPEG,
        "flow_from_directory": JPEG,
        "NumpyArrayIterator": JPEG,
        "DirectoryIterator": JPEG,
        "ImageDataGenerator": NEAREST,
    },
    "keras2": {
        "fit": {"epochs": 1},
        "LSTM": {**GATED, "implementation": 1},
        "GRU": {**GATED, "implementation": 1, "reset_after": False},
        "Orthogonal": {"gain": 1.0},
        "RMSprop": {},
        "Adagrad": {"learning_rate": 0.01, "initial_accumulator_value": 0.0},
        "Adadelta": {"learning_rate": 1.0},
        "Adam": {},
        "Adamax": {"learning_rate": 0.002},
        "Nadam": {"learning_rate": 0.002, "schedule_decay": 0.004},
        "random_rotation": {},
        "random_shift": {},
        "random_shear": {},
        "random_zoom": {},
        "list_pictures": {},
        "flow": {},
        "flow_from_directory": {},
        "NumpyArrayIterator": {},
        "DirectoryIterator": {},
        "ImageDataGenerator": {},
    },
    "modern": {},
}
"""Dialect → callee → argument → default, where it differs from the signature (Keras 3's values).

`keras2` has the rows of `classic` except where it has its own.
"""
DEFAULTS["keras2"] = DEFAULTS["classic"] | DEFAULTS["keras2"]


def current_name(name: str) -> str:
    """Today's name of a class.

    >>> current_name("Convolution2D")
    'Conv2D'
    """
    return CLASSES.get(name, (name, ()))[0]


def nearest(word: str, candidates: Iterable[str]) -> str:
    """A hint for an error message: the candidate most like `word`, or nothing.

    >>> nearest("unit", ["units", "rate"])
    "; did you mean 'units'?"
    """
    by_letters = {name.lower(): name for name in reversed(list(candidates))}
    close = difflib.get_close_matches(word.lower(), by_letters, n=1, cutoff=0.55)
    return f"; did you mean {by_letters[close[0]]!r}?" if close else ""


def dialect_defaults(owner: str) -> dict[str, Any]:
    """Defaults of a callee that the present dialect sets apart from its signature."""
    return DEFAULTS[config.dialect()].get(owner, {})


def _positional(
    owner: str, args: tuple[Any, ...], named: Iterable[str], accepted: tuple[str, ...]
) -> tuple[str, ...]:
    """Names of positional arguments, by the generation that the call was written for."""
    own = CLASSES.get(owner, ("", ()))[1]
    old = SPREAD.get(owner, ()) if config.dialect() != "modern" else ()
    if config.dialect() == "classic" and owner in KERAS_1:
        old = (KERAS_1[owner],)
    orders = (own,) if own else old
    return next((order for order in orders if _fits(order, args, named)), accepted)


def _fits(order: tuple[str, ...], args: tuple[Any, ...], named: Iterable[str]) -> bool:
    """Whether positional arguments, beside those that are named, can be meant in that old order.

    A function in the place of `init` may be an activation, unless sizes before it tell the order.
    """
    given = dict(zip(order, args, strict=False))
    sizes = [name for groups in MERGED["kernel_size"] for name in groups if name in order]
    unclear = callable(given.get("init")) and "filters" not in order
    return (
        len(args) <= len(order)
        and all(name in given or name in named for name in sizes)
        and not unclear
        and all(MEANT[name](value) for name, value in given.items() if name in MEANT)
    )


def translate(
    owner: str, accepted: tuple[str, ...], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """Arguments of a call in any generation's spelling, under the names in `accepted`.

    Raises:
        TypeError: for an argument that no generation had, given twice, or too many.
    """
    order = _positional(owner, args, kwargs, accepted)
    if len(args) > len(order):
        raise TypeError(f"{owner}() takes at most {len(order)} positional arguments: {order}")
    given = dict(zip(order, args, strict=False))
    for name, value in kwargs.items():
        if name in given:
            raise TypeError(f"{owner}() got argument {name!r} twice")
        given[name] = value
    for new, groups in MERGED.items():
        for group in groups:
            if new in accepted and all(old in given for old in group):
                given[new] = tuple(given.pop(old) for old in group)
    result: dict[str, Any] = {}
    for name, value in given.items():
        target = name
        if name not in accepted:
            target = next((new for new in RENAMED.get(name, ()) if new in accepted), "")
        if not target:
            hint = nearest(name, (*accepted, *(old for old in RENAMED if _reaches(old, accepted))))
            raise TypeError(
                f"{owner}() got an unknown argument {name!r}{hint} It takes: {', '.join(accepted)}"
            )
        if target in result:
            raise TypeError(f"{owner}() got argument {target!r} twice, once as {name!r}")
        known = VALUES.get(target, {})
        result[target] = known[value] if isinstance(value, str) and value in known else value
        if (also := ALSO.get((name, target))) in accepted:
            result[also] = result[target]
    return result


def _reaches(old: str, accepted: tuple[str, ...]) -> bool:
    return any(new in accepted for new in RENAMED[old])


def bind(
    owner: str, signature: inspect.Signature, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """All arguments of a call to `signature`, old spellings translated and defaults filled in.

    Raises:
        TypeError: for an unknown, doubled or missing argument; it names the callee, the argument
            and the nearest valid one.
    """
    accepted = tuple(signature.parameters)
    given = translate(owner, accepted, args, kwargs)
    defaults = dialect_defaults(current_name(owner)) | dialect_defaults(owner)
    result: dict[str, Any] = {}
    for name, parameter in signature.parameters.items():
        if name in given:
            result[name] = given[name]
        elif name in defaults:
            result[name] = defaults[name]
        elif parameter.default is not inspect.Parameter.empty:
            result[name] = parameter.default
        else:
            raise TypeError(f"{owner}() needs the argument {name!r}. It takes: {signature}")
    return result


def spelled(method: Callable[P, T]) -> Callable[P, T]:
    """Let a method be called in every generation's spelling of its arguments.

    Its class may have a `keras_1_order`: names of positional arguments in the classic dialect.
    """
    signature = inspect.signature(method)
    inner = signature.replace(parameters=list(signature.parameters.values())[1:])
    names, owner = frozenset(inner.parameters), method.__name__

    @wraps(method)
    def translated(*args: P.args, **kwargs: P.kwargs) -> T:
        order: tuple[str, ...] = getattr(type(args[0]), "keras_1_order", {}).get(owner, ())
        order = order if config.dialect() == "classic" else ()
        if names.issuperset(kwargs) and not (order or dialect_defaults(owner)):
            return shown(method, *args, **kwargs)
        given: dict[str, Any] = dict(kwargs)
        given.update(zip(order, args[1:], strict=False))
        positional = () if order else args[1:]
        return shown(method, args[0], **bind(owner, inner, positional, given))

    return translated


def by_name(
    owner: str, order: Sequence[str], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """All arguments of a call by name, positional ones in that order.

    >>> by_name("fit", ("x", "y"), [1], {"y": 2})
    {'y': 2, 'x': 1}

    Raises:
        TypeError: for an argument given twice, or too many.
    """
    if len(args) > len(order):
        raise TypeError(f"{owner}() takes at most {len(order)} positional arguments: {order}")
    given = dict(kwargs)
    for name, value in zip(order, args, strict=False):
        if name in given:
            raise TypeError(f"{owner}() got argument {name!r} twice")
        given[name] = value
    return given


def placed(**orders: tuple[str, ...]) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Give a method's positional arguments the order that a dialect has for them, by its name."""

    def decorate(method: Callable[P, T]) -> Callable[P, T]:
        owner = method.__qualname__.removesuffix(".__init__")

        @wraps(method)
        def ordered(*args: P.args, **kwargs: P.kwargs) -> T:
            order = orders.get(config.dialect())
            call: Callable[..., T] = method
            if order is None:
                return call(*args, **kwargs)
            return call(args[0], **by_name(owner, order, args[1:], kwargs))

        return ordered

    return decorate
