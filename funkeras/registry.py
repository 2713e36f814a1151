"""Names to things and back: the only lookup and the only (de)serialisation code.

A `Registry` maps names to functions or classes of one kind. A `Configured` object is a function
that remembers the arguments it was made from; `Registry.configured` derives its class from a
builder, so that an initializer or a penalty is declared as one pure function.
"""

import inspect
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Generic, ParamSpec, TypeVar

from funkeras import spellings
from funkeras.typing import Config
from funkeras.variables import overridable

__all__ = [
    "Configured",
    "CustomObjectScope",
    "Registry",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_from_module",
    "get_registered_name",
    "get_registered_object",
    "register_keras_serializable",
    "serialize_keras_object",
]

P = ParamSpec("P")
T = TypeVar("T")
B = TypeVar("B", bound="Configured")

_custom_objects: dict[str, Any] = {}
_changing = threading.RLock()
"""Held while scopes change the names: threads may be in several."""


def get_custom_objects() -> dict[str, Any]:
    """The user's own names, looked up before the library's. Change it in place."""
    return _custom_objects


class CustomObjectScope:
    """Make names known inside a `with` block: `custom_object_scope({"my_loss": my_loss})`."""

    def __init__(
        self, custom_objects: Mapping[str, Any] | None = None, *others: Mapping[str, Any] | None
    ) -> None:
        self.mappings = (custom_objects, *others)
        self._saved: list[dict[str, Any]] = []

    def __enter__(self) -> dict[str, Any]:
        with _changing:
            self._saved.append(dict(_custom_objects))
            for mapping in self.mappings:
                _custom_objects.update(mapping or {})
        return _custom_objects

    def __exit__(self, *raised: object) -> None:
        with _changing:  # names that were there before are there at every moment
            saved = self._saved.pop()
            for name in _custom_objects.keys() - saved.keys():
                del _custom_objects[name]
            _custom_objects.update(saved)


custom_object_scope = CustomObjectScope


def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[T], T]:
    """Let files name a class or function: `@register_keras_serializable("my_package")`.

    They have it as `my_package>name`; a model that has it is loaded without `custom_objects`.

    Raises:
        ValueError: for a class without a `get_config`, of which no file could tell the arguments.

    >>> @register_keras_serializable("doc")
    ... def twice(x):
    ...     return 2 * x
    >>> get_registered_name(twice), get_registered_object("doc>twice") is twice
    ('doc>twice', True)
    """

    def register(thing: T) -> T:
        if inspect.isclass(thing) and not hasattr(thing, "get_config"):
            raise ValueError(f"{thing.__name__} can't be registered without a get_config")
        own: Any = thing
        _custom_objects[f"{package}>{name or own.__name__}"] = thing
        return thing

    return register


def get_registered_name(obj: Any) -> str:
    """The name under which files have a registered class or function; of others their own."""
    found = (name for name, known in _custom_objects.items() if known is obj and ">" in name)
    return next(found, getattr(obj, "__name__", type(obj).__name__))


def get_registered_object(
    name: str,
    custom_objects: Mapping[str, Any] | None = None,
    module_objects: Mapping[str, Any] | None = None,
) -> Any:
    """The class or function registered or given under a name; None if there is none."""
    known = {**(module_objects or {}), **(custom_objects or {}), **_custom_objects}
    return known.get(name)


def serialize_keras_object(instance: Any) -> Any:
    """A name, or a `{"class_name", "config"}` dict, of a thing; None of None."""
    if instance is None:
        return None
    if hasattr(instance, "get_config"):
        return {"class_name": type(instance).__name__, "config": instance.get_config()}
    if hasattr(instance, "__name__"):
        return instance.__name__
    raise ValueError(f"{instance!r} has neither get_config nor a name: it can't be serialized")


def deserialize_keras_object(
    identifier: Any,
    module_objects: Mapping[str, Any] | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    printable_module_name: str = "object",
) -> Any:
    """The thing that `serialize_keras_object` described, from a table of things by name.

    Raises:
        ValueError: for a name that neither the table nor the custom objects have.
    """
    with custom_object_scope(custom_objects):
        known = {**(module_objects or {}), **_custom_objects}

        def find(name: Any) -> Any:
            if name not in known:
                hint = spellings.nearest(str(name), known)
                raise ValueError(f"unknown {printable_module_name}: {name!r}{hint}")
            return known[name]

        if isinstance(identifier, str):
            return find(identifier)
        if not isinstance(identifier, Mapping) or "class_name" not in identifier:
            raise ValueError(
                f"a {printable_module_name} is a name or a dict with class_name and config; "
                f"got {identifier!r:.200}"
            )
        found, config = find(identifier["class_name"]), identifier.get("config", {})
        return found.from_config(config) if hasattr(found, "from_config") else found(**config)


def get_from_module(
    identifier: Any,
    module_params: Mapping[str, Any],
    module_name: str,
    instantiate: bool = False,
    kwargs: Mapping[str, Any] | None = None,
) -> Any:
    """What a name means in a table, as Keras 1 looked it up; anything but a name as it is.

    With `instantiate` what is found is called with `kwargs`; a dict has the arguments beside
    its `name`.
    """
    if isinstance(identifier, Mapping):
        arguments = {name: value for name, value in identifier.items() if name != "name"}
        found = deserialize_keras_object(identifier["name"], module_params, None, module_name)
        return found(**arguments)
    if not isinstance(identifier, str):
        return identifier
    found = deserialize_keras_object(identifier, module_params, None, module_name)
    return found(**(kwargs or {})) if instantiate else found


def canonical(name: str) -> str:
    """One form for all of `GlorotUniform`, `glorot_uniform` and `glorotuniform`."""
    return name.replace("_", "").lower()


class Configured:
    """A callable that remembers the arguments it was made from.

    Derived classes have a `build` that takes them and gives the function that is called. Users
    subclass with `__init__`, `__call__` and, to be saved, `get_config`.
    """

    build: ClassVar[Callable[..., Callable[..., Any]] | None] = None
    signature: ClassVar[inspect.Signature] = inspect.Signature()
    _config: Config

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._config = spellings.bind(type(self).__name__, self.signature, args, kwargs)
        if (build := type(self).build) is not None:
            self.__dict__["function"] = build(**self._config)

    def function(self, *args: Any, **kwargs: Any) -> Any:
        """The pure function that calling this object runs."""
        raise NotImplementedError(f"{type(self).__name__} must define __call__")

    @overridable
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the builder's function gives; symbolic tensors record it."""
        return self.function(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        config = self.__dict__.get("_config", {})
        if name in config:
            return config[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"

    def __reduce__(self) -> Any:
        if type(self).build is None:
            return super().__reduce__()
        return _rebuild, (type(self).__mro__[1], type(self).__name__, self._config)

    def get_config(self) -> Config:
        """The arguments that make an equal object."""
        return dict(self.__dict__.get("_config", {}))

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """The object that `get_config` described."""
        return cls(**config)


def _rebuild(base: type[Configured], name: str, config: Config) -> Configured:
    return _REGISTRIES[base].find(name)(**config)


_REGISTRIES: dict[type, "Registry[Any]"] = {}


class Registry(Generic[T]):
    """Things of one kind by name; every capitalisation of a name finds the same thing."""

    def __init__(self, kind: str, base: type[Configured] | None = None) -> None:
        self.kind = kind
        self.base = base
        self._things: dict[str, T] = {}
        self._names: dict[str, str] = {}
        if base is not None:
            _REGISTRIES[base] = self

    def add(self, thing: T, *names: str) -> T:
        """Register `thing` under its names; the first is the one that is written to files."""
        for name in names:
            known = self._things.setdefault(canonical(name), thing)
            if known is not thing:
                raise ValueError(f"{self.kind} {name!r} is registered already")
            self._names.setdefault(canonical(name), name)
        return thing

    def remove(self, name: str) -> None:
        """Forget a thing under all its names."""
        thing = self._things[canonical(name)]
        for key in [key for key, known in self._things.items() if known is thing]:
            del self._things[key], self._names[key]

    def register(self, *names: str) -> Callable[[T], T]:
        """Register the decorated function or class, under its own name when none is given."""

        def decorate(thing: T) -> T:
            return self.add(thing, *(names or (getattr(thing, "__name__", str(thing)),)))

        return decorate

    def configured(
        self, name: str, *aliases: str
    ) -> Callable[[Callable[P, Callable[..., Any]]], Callable[P, Any]]:
        """Derive a class from the decorated builder and register it.

        The class takes the builder's arguments in every spelling, and its objects call what the
        builder returns.
        """
        base = self.base
        if base is None:
            raise TypeError(f"the registry of {self.kind}s has no base class")

        def decorate(build: Callable[P, Callable[..., Any]]) -> Callable[P, Any]:
            members = {
                "build": staticmethod(build),
                "signature": inspect.signature(build),
                "__signature__": inspect.signature(build),
                "__doc__": build.__doc__,
                "__module__": build.__module__,
                "__wrapped__": build,
            }
            derived: Any = type(name, (base,), members)
            self.add(derived, name, *aliases)
            return derived

        return decorate

    def find(self, name: str) -> Any:
        """The function or class of that name, the user's before the library's.

        Raises:
            ValueError: for an unknown name; it says the nearest one.
        """
        if name in _custom_objects:
            return _custom_objects[name]
        found = self._things.get(canonical(name))
        if found is None:
            hint = spellings.nearest(name, self._names.values())
            raise ValueError(f"unknown {self.kind} {name!r}{hint}")
        return found

    def __contains__(self, name: str) -> bool:
        return name in _custom_objects or canonical(name) in self._things

    def __iter__(self) -> Iterator[str]:
        return iter(self._names.values())

    def items(self) -> Iterator[tuple[str, T]]:
        """Each thing once, under the name that files use."""
        seen: set[int] = set()
        for key, thing in self._things.items():
            if id(thing) not in seen:
                seen.add(id(thing))
                yield self._names[key], thing

    def get(self, identifier: Any) -> Any:
        """What a Keras argument means: a name, a `{"class_name", "config"}` dict, or the thing.

        Classes are made with their defaults; a callable is returned as it is.
        """
        if identifier is None or (callable(identifier) and not inspect.isclass(identifier)):
            return identifier
        if isinstance(identifier, str):
            identifier = self.find(identifier)
        elif isinstance(identifier, Mapping):
            return self.deserialize(identifier)
        if inspect.isclass(identifier):
            return identifier()
        if callable(identifier):
            return identifier
        raise ValueError(
            f"a {self.kind} is a name, a config, a function or None; "
            f"got {type(identifier).__name__}"
        )

    def serialize(self, thing: Any) -> Any:
        """A name or a `{"class_name", "config"}` dict that `get` turns back into `thing`."""
        if thing is None or isinstance(thing, str | Mapping):
            return thing
        if isinstance(thing, Configured) or hasattr(thing, "get_config"):
            name = next((n for n, known in self.items() if known is type(thing)), None)
            name = name or get_registered_name(type(thing))
            return {"class_name": name, "config": thing.get_config()}
        for name, known in (*_custom_objects.items(), *self.items()):
            if known is thing:
                return name
        return getattr(thing, "__name__", type(thing).__name__)

    def deserialize(self, config: Mapping[str, Any]) -> Any:
        """The thing that `serialize` described."""
        name = config.get("registered_name") or config.get("class_name") or config.get("name")
        if not isinstance(name, str):
            raise ValueError(f"a config of a {self.kind} has a 'class_name'; got {dict(config)!r}")
        if name not in self:
            name = str(config.get("class_name", name)).rpartition(">")[2]
        arguments = config.get("config")
        if "class_name" not in config:  # Keras 1: the arguments stand beside the name
            arguments = {key: value for key, value in config.items() if key != "name"}
        if isinstance(arguments, str):  # Keras 3 writes plain functions so
            return self.get(arguments)
        found = self.find(name)
        if hasattr(found, "from_config"):
            return found.from_config(arguments or {})
        return found(**(arguments or {})) if inspect.isclass(found) else found
