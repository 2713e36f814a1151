"""What all losses share: the registry, target alignment, reductions and the `Loss` class."""

import inspect
import re
from collections.abc import Callable
from functools import cache, partial, wraps
from typing import Any, ClassVar, Literal, TypeAlias, TypeVar

import jax.numpy as jnp
import numpy as np

from funkeras import config
from funkeras.registry import Configured, Registry, get_registered_name
from funkeras.typing import Array, ArrayLike, Config, Mask
from funkeras.variables import overridable

__all__ = [
    "Loss",
    "aligned",
    "as_float",
    "classes",
    "fixed",
    "labels_of",
    "loss",
    "loss_class",
    "name_of",
    "reduce",
    "registry",
    "same_rank",
    "snake_case",
    "targets_of",
    "written_name",
]

Targets: TypeAlias = Literal["same", "labels", "any"]
"""What `y_true` holds: a value for each prediction, an integer for each row, or either."""
Function = TypeVar("Function", bound=Callable[..., Array])

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", "auto", None)
OLD_NAMES = {"kl_divergence": "kullback_leibler_divergence", "log_cosh": "logcosh"}
"""Names that Keras 1 and 2 wrote where Keras 3 has another."""
NOT_OPTIONS = ("y_true", "y_pred", "dialect", "ref_labels", "ref_embeddings")

registry: Registry[Callable[..., Array]] = Registry("loss")
"""Loss functions; `classes` has the classes."""
_targets: dict[Callable[..., Array], Targets] = {}


def loss(*aliases: str, targets: Targets = "same") -> Callable[[Function], Function]:
    """Register the decorated function as a loss, and say what targets it takes.

    A loss whose values differ between generations of Keras has a keyword `dialect`: None means the
    present one, and looking the loss up by name binds it.
    """

    def decorate(function: Function) -> Function:
        known = overridable(function)
        _targets[known] = targets
        registry.add(known, function.__name__, *aliases)
        return known

    return decorate


def targets_of(function: Callable[..., Any]) -> Targets:
    """What targets a loss takes: "any" when it is not one of the library's."""
    return _targets.get(inspect.unwrap(function), "any")


@cache
def _bound(function: Callable[..., Array], dialect: str) -> Callable[..., Array]:
    @wraps(function)
    def bound(y_true: ArrayLike, y_pred: ArrayLike, **options: Any) -> Array:
        return function(y_true, y_pred, dialect=dialect, **options)

    return bound


def fixed(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as the present dialect computes it, whatever the dialect is later."""
    if inspect.isfunction(function) and not hasattr(function, "__wrapped__"):
        keyword = inspect.signature(function).parameters.get("dialect")
        if keyword is not None and keyword.kind is keyword.KEYWORD_ONLY:
            return _bound(function, config.dialect())
    return function


def name_of(function: Callable[..., Any]) -> str:
    """The name of a function in logs, as the present dialect writes it."""
    name = getattr(function, "__name__", type(function).__name__)
    return name if config.dialect() == "modern" else OLD_NAMES.get(name, name)


def written_name(function: Callable[..., Any]) -> str:
    """The name of a function in files: the one it is registered under, or its own."""
    registered = get_registered_name(function)
    return registered if ">" in registered else name_of(function)


def snake_case(name: str) -> str:
    """Keras's log name of a class.

    >>> snake_case("KLDivergence")
    'kl_divergence'
    """
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<!^)(?=[A-Z][a-z])", "_", name).lower()


def as_float(x: ArrayLike) -> Array:
    """An array of at least float32: half-precision sums of squares overflow and lose digits."""
    x = jnp.asarray(x)
    wide = jnp.issubdtype(x.dtype, jnp.floating) and x.dtype.itemsize >= 4
    return x if wide else x.astype(jnp.float32)


def same_rank(x: Array, y: Array) -> tuple[Array, Array]:
    """`(n,)` beside `(n, 1)` becomes `(n, 1)`; elsewhere a last axis of size 1 is dropped."""
    for longer, shorter, swap in ((x, y, False), (y, x, True)):
        if longer.ndim == shorter.ndim + 1 and longer.shape[-1] == 1 and shorter.ndim > 0:
            if shorter.ndim == 1:
                shorter = shorter[:, None]
            else:
                longer = longer[..., 0]
            return (shorter, longer) if swap else (longer, shorter)
    return x, y


def aligned(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[Array, Array]:
    """Targets and predictions as floats of one type and one shape; a scalar target is kept.

    Raises:
        ValueError: when the shapes differ; nothing is broadcast.
    """
    scores = as_float(y_pred)
    targets, scores = same_rank(jnp.asarray(y_true).astype(scores.dtype), scores)
    if targets.ndim and targets.shape != scores.shape:
        raise ValueError(
            f"y_true and y_pred must have one shape; got y_true {jnp.shape(y_true)} "
            f"and y_pred {jnp.shape(y_pred)}"
        )
    return targets, scores


def labels_of(y_true: ArrayLike, y_pred: Array, axis: int = -1) -> Array:
    """Integer labels with the shape of `y_pred` less its class axis; that axis may have size 1."""
    labels = jnp.asarray(y_true).astype(jnp.int32)
    expected = tuple(np.delete(y_pred.shape, axis).tolist())
    if labels.ndim == y_pred.ndim and labels.shape[axis] == 1:
        labels = jnp.squeeze(labels, axis)
    if labels.shape != expected:
        raise ValueError(
            f"y_true must hold integer labels of shape {expected} for y_pred {y_pred.shape}; "
            f"got {jnp.shape(y_true)}"
        )
    return labels


def divide_no_nan(x: ArrayLike, y: ArrayLike) -> Array:
    """`x / y`, and 0 where `y` is 0."""
    zero = jnp.equal(y, 0)
    return jnp.where(zero, 0, x / jnp.where(zero, 1, y))


def reduce(
    values: ArrayLike,
    sample_weight: ArrayLike | None = None,
    mask: Mask = None,
    reduction: str | None = "sum_over_batch_size",
) -> Array:
    """Per-sample losses as one number, by the rule of Keras 3.

    A mask scales what is left by `size / valid`, so that a mean is over the valid entries only.
    """
    values = jnp.asarray(values)
    mean = reduction in ("sum_over_batch_size", "mean", "auto")
    weights = None if sample_weight is None else jnp.asarray(sample_weight, values.dtype)
    if mask is not None:
        counted = jnp.asarray(mask).astype(values.dtype)
        if mean:
            counted = counted * divide_no_nan(counted.size, counted.sum())
        if weights is not None:
            counted, weights = same_rank(counted, weights)
        weights = counted if weights is None else weights * counted
    if weights is not None:
        values, weights = same_rank(values, weights)
        values = values * weights.reshape(weights.shape + (1,) * (values.ndim - weights.ndim))
    if reduction in (None, "none") or values.ndim == 0:
        return values
    if reduction == "mean_with_sample_weight" and weights is not None:
        return divide_no_nan(values.sum(), weights.sum())
    return values.sum() if reduction == "sum" else divide_no_nan(values.sum(), values.size)


class Loss(Configured):
    """A loss with options: `loss(y_true, y_pred, sample_weight)` is one number.

    The library's classes are derived from functions. Users subclass with `call(y_true, y_pred)`,
    which gives values of shape (batch, ...).
    """

    signature = inspect.Signature(
        [
            inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default)
            for name, default in (
                ("name", None),
                ("reduction", "sum_over_batch_size"),
                ("dtype", None),
            )
        ]
    )
    counted: ClassVar[Callable[[Config, ArrayLike, Array], Mask] | None] = None
    """Which values count in a mean: from the options, the targets and the values."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self._config["name"] is None:
            self._config["name"] = snake_case(type(self).__name__)
        if self._config["reduction"] not in REDUCTIONS:
            raise ValueError(
                f"reduction must be one of {REDUCTIONS}; got {self._config['reduction']!r}"
            )

    def get_config(self) -> Config:
        """The arguments that make an equal loss; a dtype only if one was given, as in Keras 3."""
        described = super().get_config()
        return {key: own for key, own in described.items() if key != "dtype" or own is not None}

    def call(self, y_true: Any, y_pred: Any) -> Array:
        """The unreduced loss, of shape (batch, ...)."""
        if type(self).build is None:
            raise NotImplementedError(f"{type(self).__name__} must define call(y_true, y_pred)")
        return self.function(y_true, y_pred)

    def masked_values(self, y_true: Any, y_pred: Any) -> tuple[Array, Mask]:
        """The unreduced loss and which of its entries count (None: all)."""
        dtype = self.dtype
        if dtype is not None:
            y_true, y_pred = jnp.asarray(y_true, dtype), jnp.asarray(y_pred, dtype)
        values = jnp.asarray(self.call(y_true, y_pred))
        counted = type(self).counted
        return values, None if counted is None else counted(self._config, y_true, values)

    @overridable
    def __call__(self, y_true: Any, y_pred: Any, sample_weight: ArrayLike | None = None) -> Array:
        """The loss, reduced."""
        values, mask = self.masked_values(y_true, y_pred)
        return reduce(values, sample_weight, mask, self.reduction)


classes: Registry[type[Loss]] = Registry("loss", Loss)


def loss_class(
    name: str,
    function: Callable[..., Array],
    order: str = "",
    *,
    log_name: str = "",
    counted: Callable[[Config, ArrayLike, Array], Mask] | None = None,
) -> type[Loss]:
    """Derive the Keras class of a loss function and register it.

    Its arguments are the function's options, then `reduction`, `name` and `dtype`; `order` gives
    another positional order.
    """
    defaults: Config = {
        parameter.name: parameter.default
        for parameter in inspect.signature(function).parameters.values()
        if parameter.name not in NOT_OPTIONS
    }
    defaults.update(reduction="sum_over_batch_size", name=log_name or function.__name__, dtype=None)

    def build(**options: Any) -> Callable[..., Array]:
        given = {key: options[key] for key in options if key not in ("reduction", "name", "dtype")}
        return partial(fixed(function), **given)

    signature = inspect.Signature(
        [
            inspect.Parameter(key, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=defaults[key])
            for key in order.split() or defaults
        ]
    )
    members = {
        "build": staticmethod(build),
        "signature": signature,
        "__signature__": signature,
        "__doc__": function.__doc__,
        "__module__": function.__module__,
        "counted": None if counted is None else staticmethod(counted),
    }
    return classes.add(type(name, (Loss,), members), name)
