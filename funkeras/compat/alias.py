"""Modules that stand for Keras's: their names are looked up in this package."""

import importlib
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Any

from funkeras import spellings
from funkeras.compat.paths import GONE, MODULES, sources

__all__ = ["Alias", "CallableAlias", "children", "missing"]


class Alias(ModuleType):
    """A module of Keras by another name; it holds nothing itself.

    Fields:
        keras_root: what stands for `keras` in its name, `tensorflow.keras` for one.
        keras_path: the rest of its name.
        keras_version: the version that was asked for, if one was.
    """

    keras_root: str
    keras_path: str
    keras_version: str | None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__all__":
            raise AttributeError(name)
        if name == "__all__":
            return sorted(names_of(self.keras_path))
        if name in children(self.keras_path):
            return importlib.import_module(f"{self.__name__}.{name}")
        for source in modules_of(self.keras_path, self.keras_version):
            try:
                return getattr(source, name)
            except AttributeError:
                continue
        raise AttributeError(missing(self.keras_root, self.keras_path, name))

    def __dir__(self) -> list[str]:
        return sorted({*names_of(self.keras_path), *children(self.keras_path)})


class CallableAlias(Alias):
    """A module that is a function too: Keras 1's `merge`."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the module it stands for gives."""
        called: Any = modules_of(self.keras_path)[0]
        return called(*args, **kwargs)


def modules_of(path: str, version: str | None = None) -> list[ModuleType]:
    """The modules in which the names of a path within Keras are looked up."""
    return [importlib.import_module(name) for name in sources(path, version)]


@cache
def children(path: str) -> list[str]:
    """Names of the modules directly below a path.

    >>> children("legacy")
    ['interfaces', 'layers', 'models']
    """
    start = f"{path}." if path else ""
    below = (name.removeprefix(start) for name in MODULES if name.startswith(start) and name != "")
    return [name for name in below if "." not in name]


def names_of(path: str) -> Iterator[str]:
    """The public names at a path."""
    for source in modules_of(path):
        public = getattr(source, "__all__", None) or dir(source)
        yield from (name for name in public if not name.startswith("_"))


def missing(root: str, path: str, name: str) -> str:
    """What to say of a name that is not there: why, where else it is, or which is nearest."""
    where = ".".join(part for part in (root, path) if part)
    full = f"{path}.{name}".removeprefix(".")
    if full in GONE:
        return f"{where} has no {name!r} here: {GONE[full]}"
    elsewhere = [
        ".".join(part for part in (root, other) if part)
        for other in MODULES
        if other.count(".") == 0 and other != path and name in set(names_of(other))
    ]
    if elsewhere and name not in names_of(path):  # there, and no module
        return f"{where} has no {name!r}; {elsewhere[0]} has it"
    others = (other for other in (*names_of(path), *children(path)) if other != name)
    near = spellings.nearest(name, others)
    return f"{where} has no {name!r} in funkeras{near}"
