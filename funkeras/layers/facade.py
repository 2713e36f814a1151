"""The Keras class of a functional layer, derived from its builder's signature."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from funkeras import registry, spellings
from funkeras.functional.pair import Pair, builders
from funkeras.layers.calling import first_by_name, inputs_of_super
from funkeras.layers.layer import Layer
from funkeras.layers.options import OPTIONS
from funkeras.layers.special import BASES, CONTAINERS
from funkeras.typing import Config
from funkeras.variables import current_flow

__all__ = ["class_names", "deserialize", "facade", "layer_class", "serialize"]

PENALIZED = ("moving_mean", "moving_variance")
"""Initializers of weights that training does not change: they take no penalty or constraint."""

INITIAL = ("_initializer", "unit_forget_bias")
"""How arguments end that say where weights start; penalties and constraints follow the last."""

PLACES = (
    ("activity_regularizer", "kernel_constraint"),
    ("activity_regularizer", "depthwise_constraint"),
    ("weights", "backward_layer"),
)
"""Option that every layer takes by name → the argument before which it may stand by position."""


def class_signature(build: Callable[..., Pair]) -> inspect.Signature:
    """The builder's arguments and, after the initializers, a penalty and a constraint for each.

    A class that has more than a pair may have arguments `before` and `after` those.
    """
    base = BASES.get(getattr(build, "keras_name", ""), Layer)
    own = inspect.signature(build).parameters
    stems = [
        name.removesuffix("_initializer")
        for name in own
        if name.endswith("_initializer") and not name.startswith(PENALIZED)
    ]
    extra = [f"{stem}_{kind}" for kind in ("regularizer", "constraint") for stem in stems]
    keyword = inspect.Parameter.POSITIONAL_OR_KEYWORD

    def optional(names: Iterable[str]) -> list[inspect.Parameter]:
        return [inspect.Parameter(name, keyword, default=None) for name in names if name not in own]

    last = max(
        (place for place, name in enumerate(own, 1) if name.endswith(INITIAL)), default=len(own)
    )
    parameters = list(own.values())
    return inspect.Signature(
        [
            *optional(base.before),
            *parameters[:last],
            *optional(extra),
            *parameters[last:],
            *optional(base.after),
        ]
    )


def shown_signature(build: Callable[..., Pair]) -> inspect.Signature:
    """What `inspect` and `help` tell of a class: its arguments, and by name what any layer takes.

    >>> from funkeras import functional as F
    >>> list(shown_signature(F.flatten).parameters)[:4]
    ['data_format', 'name', 'trainable', 'dtype']
    """
    own = class_signature(build)
    keyword, others = inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD
    options = [
        inspect.Parameter(name, keyword, default=default)
        for name, default in OPTIONS.items()
        if name not in own.parameters
    ]
    spelled = inspect.Parameter("old_spellings", others)
    return own.replace(parameters=[*own.parameters.values(), *options, spelled])


def positional(build: Callable[..., Pair]) -> tuple[str, ...]:
    """The order of positional arguments: those of the class, and the options that Keras puts there.

    >>> from funkeras import functional as F
    >>> positional(F.dense)[6:10]
    ('bias_regularizer', 'activity_regularizer', 'kernel_constraint', 'bias_constraint')
    """
    names = list(class_signature(build).parameters)
    if not getattr(build, "keras_name", "").endswith("Cell"):
        for option, following in PLACES:
            if following in names and option not in names:
                names.insert(names.index(following), option)
    return tuple(names)


def call(self: Layer, *inputs: Any, **options: Any) -> Any:
    """What the layer computes of its inputs (in Keras 1 `x`), as calling it does.

    Within the `call` of a subclass: what the built-in layer computes.
    """
    inputs = first_by_name(self.name, inputs, options)
    flow = current_flow()
    if self.inherited is not None and flow is not None and self in flow.bound:
        x, mask, training = inputs_of_super(self, *inputs, **options)
        return self.inherited_call(x, mask, training)
    return self(*inputs, **options)


@cache
def facade(build: Any) -> type[Layer]:
    """The Keras class of a functional layer."""
    members: dict[str, Any] = {
        "builder": staticmethod(build),
        "signature": class_signature(build),
        "positional": positional(build),
        "__signature__": shown_signature(build),
        "spelling": build.keras_name,
        "call": call,
        "__doc__": build.__doc__,
        "__module__": "funkeras.layers",
    }
    return type(build.keras_name, (BASES.get(build.keras_name, Layer),), members)


def layer_class(name: str) -> Any:
    """The class of that name: a custom object, a kind of model, or a layer of any generation.

    An old name that only moved arguments (`Convolution2D`) is a subclass that reads them in their
    old order.

    Raises:
        AttributeError: if no generation has such a layer.
    """
    written = registry.get_custom_objects().get(name) or CONTAINERS.get(name)
    return written or _derived(name)


Layer.lookup = staticmethod(layer_class)


@cache
def _derived(name: str) -> type[Layer]:
    current = spellings.current_name(name)
    if current not in class_names():
        hint = spellings.nearest(name, class_names())
        raise AttributeError(f"funkeras.layers has no layer {name!r}{hint}")
    base = facade(builders.find(current))
    if name == current:
        return base
    return type(name, (base,), {"spelling": name, "__module__": "funkeras.layers"})


def class_names() -> list[str]:
    """Every class that a functional layer or an old spelling of one gives."""
    current = [name for name, _ in builders.items()]
    return current + [old for old, (new, _) in spellings.CLASSES.items() if new in current]


def serialize(layer: Layer) -> Config:
    """A `{"class_name", "config"}` dict that `deserialize` turns back into the layer."""
    return {"class_name": type(layer).__name__, "config": layer.get_config()}


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The layer or model that `serialize` of any generation described."""
    with registry.custom_object_scope(custom_objects):
        return layer_class(config["class_name"]).from_config(config["config"])
