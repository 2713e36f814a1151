"""What a name of Keras is here, and which of its arguments it takes: for the tests."""

import importlib
import inspect

from funkeras import spellings
from funkeras.initializers import Initializer
from funkeras.layers.layer import Layer
from funkeras.layers.options import OPTIONS
from funkeras.registry import Configured

ANY = inspect.Parameter.VAR_KEYWORD
AT_ONCE = ("shape", "scale", "name", "dim_ordering")
"""What the functions of Keras 1 take that give initial values at once."""


def find(path):
    """The thing that `keras.a.b.c` is, under the alias."""
    parts = path.split(".")
    thing = importlib.import_module(parts[0])
    for part in parts[1:]:
        thing = getattr(thing, part)
    return thing


def taken(thing):
    """Names of arguments of a class or function, whether there are others, and old ones too."""
    if inspect.isclass(thing) and issubclass(thing, Layer) and thing.builder is not None:
        return (*thing.signature.parameters, *OPTIONS), False, True
    if inspect.isclass(thing) and issubclass(thing, Configured) and thing.build is not None:
        at_once = AT_ONCE if issubclass(thing, Initializer) else ()
        return (*thing.signature.parameters, *at_once), False, True
    function = thing.__init__ if inspect.isclass(thing) else thing
    parameters = inspect.signature(function).parameters
    named = [name for name, own in parameters.items() if own.kind is not ANY]
    others = len(named) < len(parameters)
    return tuple(named), others, hasattr(function, "__wrapped__")


def refused(thing, names):
    """Those of the arguments that it does not take, in any spelling."""
    own, others, translated = taken(thing)
    wrong = []
    for name in names:
        if name.startswith("*") or name in own or others:
            continue
        if translated:
            group = next((g for gs in spellings.MERGED.values() for g in gs if name in g), (name,))
            try:
                spellings.translate("f", own, (), dict.fromkeys(group, 0))
                continue
            except TypeError:
                pass
        wrong.append(name)
    return wrong


def failures(names):
    """For each name of a table that is not here, or not whole: what is missing."""
    for name, row in names.items():
        for path in (name, *row.get("also", "").split()):
            try:
                thing = find(path)
            except (AttributeError, ImportError):
                yield path, "missing"
                continue
            if path != name or not row or not callable(thing):
                continue
            if wrong := refused(thing, row["params"].split()):
                yield path, f"takes no {', '.join(wrong)}"
            for member, parameters in row["members"].items():
                if member in (taken(thing)[0] if inspect.isclass(thing) else ()):
                    continue
                if not hasattr(thing, member):
                    yield f"{path}.{member}", "missing"
                elif parameters and (wrong := refused(getattr(thing, member), parameters.split())):
                    yield f"{path}.{member}", f"takes no {', '.join(wrong)}"


def count(names):
    """How many names and arguments a table has."""
    return sum(
        1
        + len(row.get("also", "").split())
        + len(row.get("params", "").split())
        + sum(1 + len((p or "").split()) for p in row.get("members", {}).values())
        for row in names.values()
    )
