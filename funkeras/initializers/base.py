"""The `Initializer` class, their registry, and `draw`, which takes any of them."""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Self, TypeAlias

import numpy as np

from funkeras import config
from funkeras.initializers.sources import KeySource, NumpySource, Sizes, Source
from funkeras.registry import Configured, Registry, custom_object_scope
from funkeras.typing import Config, Identifier, Key
from funkeras.variables import Variable

__all__ = ["Draw", "Drawn", "Initializer", "deserialize", "draw", "get", "registry", "serialize"]

Draw: TypeAlias = Callable[..., Any]
"""`draw(source, shape)` gives the starting values, as an array of the source's kind."""


class Initializer(Configured):
    """Gives a weight its first values. Subclass it with `__call__(shape, dtype=None)`."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """An initializer, or the values themselves for the call `glorot_uniform(shape)` of Keras 1.

        Its other arguments were `name` and `dim_ordering`, after `scale` where there was one.
        """
        if cls.build is None or cls.__name__ == "Constant" or not args:
            return super().__new__(cls)
        shape, *rest = args
        if not isinstance(shape, tuple | list):
            return super().__new__(cls)
        order = ("name", "dim_ordering")
        if cls.__name__ in SCALES:
            order = ("scale", *order)
        options = {"dim_ordering": "th", **dict(zip(order, rest, strict=False)), **kwargs}
        return cls()(shape, **options)  # not an instance, so Python leaves out `__init__`

    def clone(self) -> Self:
        """Another one like it."""
        return type(self).from_config(self.get_config())

    def __call__(
        self,
        shape: Any,
        dtype: Any = None,
        key: Key | None = None,
        *,
        scale: float | None = None,
        name: str | None = None,
        dim_ordering: str | None = None,
    ) -> Any:
        """Values of that shape, from NumPy's global generator or, if given, from a JAX key.

        `scale` and `dim_ordering` (where a 4- or 5-D kernel has its channels: `tf`, the default,
        or `th`) are the options that Keras 1 had in this call; it wrote `name` on its variables.
        """
        initializer = self
        if scale is not None:
            if type(self).__name__ not in SCALES:
                raise TypeError(f"{type(self).__name__} takes no scale; {', '.join(SCALES)} do")
            initializer = type(self)(**{**self._config, **SCALES[type(self).__name__](scale)})
        source = NumpySource() if key is None else KeySource(key)
        return _cast(initializer, initializer._values, source, shape, dtype, dim_ordering)

    def _values(self, source: Source, shape: Sizes, dtype: str, dim_ordering: str) -> Any:
        if self.build is None:
            raise NotImplementedError(f"{type(self).__name__} must define __call__")
        seed = self.get_config().get("seed")
        source = source if seed is None else source.seeded(seed)
        options = {"dim_ordering": dim_ordering} if "input_axes" in self._config else {}
        return self.function(source, shape, **options)


class Drawn(Initializer):
    """Values that `draw(source, shape)` gives: what a weight has that is not declared by a name."""

    def __init__(self, draw: Draw) -> None:
        super().__init__()
        self.draw = draw

    def _values(self, source: Source, shape: Sizes, dtype: str, dim_ordering: str) -> Any:
        return self.draw(source, shape)


SCALES: dict[str, Callable[[float], Config]] = {
    "RandomUniform": lambda scale: {"minval": -scale, "maxval": scale},
    "RandomNormal": lambda scale: {"stddev": scale},
    "Orthogonal": lambda scale: {"gain": scale},
    "Identity": lambda scale: {"gain": scale},
}
"""What the argument `scale` of a Keras 1 initializer sets today."""

registry: Registry[Any] = Registry("initializer", Initializer)


def draw(
    initializer: Identifier,
    source: Source,
    shape: Any,
    dtype: Any = None,
    *,
    dim_ordering: str | None = None,
) -> Any:
    """First values of a weight, whatever the initializer is: ours, a user's class or function.

    NumPy arrays from a `NumpySource`, JAX arrays from a `KeySource`. A user's function is called
    with the shape and with those of `dtype`, `name` and `dim_ordering` that it names; its own
    randomness is its own affair.

    Raises:
        ValueError: for values of another shape.
    """
    found = registry.get(initializer)
    if found is None:
        raise TypeError("an initializer is a name, a config or a function; got None")
    ours = isinstance(found, Initializer) and type(found).__call__ is Initializer.__call__
    draw = found._values if ours else partial(_call_of_user, found)
    return _cast(found, draw, source, shape, dtype, dim_ordering)


def _drawn(initializer: Identifier, shape: tuple[int, ...], dtype: Any) -> Any:
    """Values of a variable that is made with an initializer."""
    return draw(initializer, NumpySource(), shape, dtype)


Variable.draw = staticmethod(_drawn)


def _cast(
    initializer: Any,
    draw: Draw,
    source: Source,
    shape: Any,
    dtype: Any,
    dim_ordering: str | None,
) -> Any:
    """What `draw` gives, as an array of the source's kind, checked."""
    if dim_ordering not in (None, "tf", "th"):
        raise ValueError(f"dim_ordering must be 'tf' or 'th'; got {dim_ordering!r}")
    shape = tuple(int(size) for size in shape)
    dtype = np.dtype(dtype or config.floatx())
    values = source.xp.asarray(draw(source, shape, dtype.name, dim_ordering or "tf"), dtype)
    if values.shape != shape:
        raise ValueError(f"{initializer!r} must give an array of shape {shape}; got {values.shape}")
    return values


def _call_of_user(
    function: Callable[..., Any], source: Source, shape: Sizes, dtype: str, dim_ordering: str
) -> Any:
    options = {"dtype": dtype, "name": None, "dim_ordering": dim_ordering}
    try:
        parameters = inspect.signature(function).parameters
    except ValueError:  # some compiled functions have no signature
        parameters = {}
    return function(shape, **{name: options[name] for name in options if name in parameters})


def get(identifier: Identifier, **options: Any) -> Any:
    """The initializer of that name or config. Options (Keras 1) are kept for its later calls."""
    found = registry.get(identifier)
    return partial(found, **options) if options else found


def serialize(initializer: Any) -> Any:
    """A config that `get` turns back into the initializer."""
    return registry.serialize(initializer)


def deserialize(config: Identifier, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The initializer that `serialize` described."""
    with custom_object_scope(custom_objects):
        return registry.get(config)
