"""Things by the paths of layers and variables, which regular expressions may stand for."""

import re
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, ClassVar, TypeVar

__all__ = ["PatternMap"]

T = TypeVar("T")


class PatternMap(MutableMapping[str, T]):
    """What stands under a path, else under the regular expression that fits the whole of it.

    Subclasses say what may be entered, and what a path has that nothing fits.
    """

    thing: ClassVar[str]
    """What it has, for errors."""

    def __init__(self, entries: Mapping[str, Any] | None = None) -> None:
        self._entries: dict[str, T] = {}
        for path, value in (entries or {}).items():
            self[path] = value

    def checked(self, path: str, value: Any) -> T:
        """What is entered for a value."""
        return value

    def otherwise(self) -> Any:
        """What a path has that nothing fits."""
        return None

    def __getitem__(self, path: str) -> Any:
        """What a path has.

        Raises:
            ValueError: if several expressions fit.
        """
        if path in self._entries:
            return self._entries[path]
        fitting = [pattern for pattern in self._entries if re.fullmatch(pattern, path)]
        if len(fitting) > 1:
            raise ValueError(f"path {path!r} must fit one {self.thing}, it fits those of {fitting}")
        return self._entries[fitting[0]] if fitting else self.otherwise()

    def __setitem__(self, path: str, value: Any) -> None:
        """Enter something.

        Raises:
            ValueError: if the path, or expression, has something.
        """
        if not isinstance(path, str):
            raise ValueError(f"a key is a path or a regular expression, got {path!r}")
        if path in self._entries:
            raise ValueError(f"path {path!r} has the {self.thing} {self._entries[path]!r} already")
        self._entries[path] = self.checked(path, value)

    def __delitem__(self, path: str) -> None:
        del self._entries[path]

    def __contains__(self, path: object) -> bool:
        return path in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)
