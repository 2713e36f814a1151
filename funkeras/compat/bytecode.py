"""Functions as text that a script keeps by itself; no file of a model is ever read by this."""

import base64
import binascii
import marshal
from collections.abc import Callable, Mapping, Sequence
from types import CellType, CodeType, FunctionType
from typing import Any, TypeAlias

__all__ = ["func_dump", "func_load"]

Dumped: TypeAlias = tuple[str, tuple[Any, ...] | None, tuple[Any, ...] | None]


def func_dump(func: Callable[..., Any]) -> Dumped:
    """The code of a function as text, its defaults, and what it closes over.

    >>> func_load(func_dump(lambda x, y=2: x * y))(3)
    6
    """
    code, closure = (getattr(func, f"__{name}__") for name in ("code", "closure"))
    text = base64.b64encode(marshal.dumps(code)).decode("ascii")
    cells = None if closure is None else tuple(cell.cell_contents for cell in closure)
    return text, getattr(func, "__defaults__", None), cells


def func_load(
    code: str | Sequence[Any],
    defaults: Sequence[Any] | None = None,
    closure: Sequence[Any] | None = None,
    globs: Mapping[str, Any] | None = None,
) -> Callable[..., Any]:
    """The function that `func_dump` of the same Python version gave.

    Whoever wrote the text decides what the function does: give it none of unknown origin.

    Args:
        code: the text, or all that `func_dump` gave.
        globs: the global names that it sees.
    """
    if isinstance(code, tuple | list):
        code, defaults, closure = code
    assert isinstance(code, str)
    try:
        stored = marshal.loads(base64.b64decode(code, validate=True))
    except (ValueError, EOFError, TypeError, binascii.Error):  # as before Keras 2.1.2
        stored = marshal.loads(code.encode("raw_unicode_escape"))
    if not isinstance(stored, CodeType):
        raise ValueError(f"the text holds no function but {type(stored).__name__}")
    cells = None
    if closure is not None:
        cells = tuple(own if isinstance(own, CellType) else CellType(own) for own in closure)
    defaults = None if defaults is None else tuple(defaults)
    seen = dict(globals() if globs is None else globs)
    return FunctionType(stored, seen, stored.co_name, defaults, cells)
