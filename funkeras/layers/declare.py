"""`layer`: a user's pure builder as a full Keras layer."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, overload

from funkeras import registry
from funkeras.functional.pair import Pair, builder_of
from funkeras.functional.plain import pair_of
from funkeras.layers.facade import class_names, facade
from funkeras.layers.layer import Layer
from funkeras.layers.special import CONTAINERS

__all__ = ["layer"]

OWN = ("name", "trainable", "activity_regularizer", "weights", "remat")
"""Options that every layer has, so no builder may."""

KINDS = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@overload
def layer(build: Callable[..., Any], *, name: str | None = None) -> type[Layer]: ...
@overload
def layer(
    build: None = None, *, name: str | None = None
) -> Callable[[Callable[..., Any]], type[Layer]]: ...
def layer(build: Any = None, *, name: str | None = None) -> Any:
    """Make a Keras layer of a pure builder: a function from arguments to a pair.

    The class has the builder's arguments in every generation's spelling, `get_config`, weights in
    files; models with it are saved and loaded without `custom_objects` wherever the definition
    has run. An argument `x_initializer` brings `x_regularizer` and `x_constraint`, and layers
    may be arguments too. The builder gives a `Pair` (from `stateless`, `stateful`, `serial`, …) or
    a plain `(init, apply)`, as `functional.pair_of` takes them. `Scale.builder(…)` is the pair.

    >>> import jax.numpy as jnp
    >>> @layer
    ... def Scale(initial=1.0):
    ...     '''Multiply each feature by a learned factor.'''
    ...     def init(key, input_shape):
    ...         return {"factor": jnp.full(input_shape[-1], initial)}
    ...
    ...     def apply(params, x):
    ...         return params["factor"] * x
    ...
    ...     return init, apply
    >>> scale = Scale(0.5, input_dim=3, name="half")
    >>> scale(jnp.ones((1, 3))), scale.get_config()["initial"]
    (Array([[0.5, 0.5, 0.5]], dtype=float32), 0.5)

    Args:
        name: of the class, in configs and files; the function's own if left out.

    Raises:
        TypeError: for arguments that no config can hold (`*args`), or that every layer has.
        ValueError: for the name of one of the library's layers.
    """
    if build is None:
        return lambda build: layer(build, name=name)
    spelling: str = name or build.__name__
    if spelling in class_names() or spelling in CONTAINERS:
        raise ValueError(f"the library has a layer {spelling!r}: choose another name")
    for own, parameter in inspect.signature(build).parameters.items():
        if own in OWN or parameter.kind in KINDS:
            reason = "is an option of every layer" if own in OWN else "can't stand in a config"
            raise TypeError(f"the argument {own!r} of the layer {spelling!r} {reason}")

    @wraps(build)
    def paired(*args: Any, **kwargs: Any) -> Pair:
        made = build(*args, **kwargs)
        if isinstance(made, tuple) and len(made) == 2:
            return pair_of(*made)
        if not isinstance(made, Pair):
            raise TypeError(
                f"the builder of the layer {spelling!r} gives a Pair or (init, apply); "
                f"got {type(made).__name__}"
            )
        return made

    derived = facade(builder_of(paired, spelling))
    derived.__module__, derived.__qualname__ = build.__module__, build.__qualname__
    registry.get_custom_objects()[spelling] = derived
    return derived
