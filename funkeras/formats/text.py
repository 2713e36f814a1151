"""JSON text of a file as plain data."""

import json
import os
from typing import Any

from funkeras.formats.errors import FileFormatError

__all__ = ["parsed"]


def parsed(path: str | os.PathLike[str], what: str, text: bytes | str) -> dict[str, Any]:
    """JSON text of a file as a dict; text in text, as some files have it, is looked into.

    Raises:
        FileFormatError: for text that is not JSON, nested too deeply, or not a dict.
    """
    try:
        value = json.loads(text)
        if isinstance(value, str):
            value = json.loads(value)
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"{path}: {what} is not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise FileFormatError(f"{path}: {what} is not a JSON object, but {type(value).__name__}")
    return value
