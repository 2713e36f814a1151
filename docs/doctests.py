"""An extension of griffe, which reads docstrings: examples in them are shown as code."""

import re
from typing import Any

import griffe

__all__ = ["Doctests"]

EXAMPLE = re.compile(r"^>>> .*?(?=\n\n|\Z)", re.DOTALL | re.MULTILINE)


class Doctests(griffe.Extension):
    """Fences around the examples of every docstring."""

    def on_object(self, *, obj: griffe.Object, **others: Any) -> None:
        """Change the docstring of anything that has one."""
        if obj.docstring is not None:
            obj.docstring.value = EXAMPLE.sub(r"```pycon\n\g<0>\n```", obj.docstring.value)
