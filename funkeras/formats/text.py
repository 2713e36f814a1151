"""Text of a file as plain data."""

import importlib
import json
import os
from typing import Any

from funkeras.formats.errors import FileFormatError

__all__ = ["EXPANSION", "as_yaml", "parsed", "parsed_yaml"]

EXPANSION = 16
"""How many times the size of a file what is in it may have: some files are compressed."""


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


def parsed_yaml(path: str | os.PathLike[str], what: str, text: bytes | str) -> dict[str, Any]:
    """YAML text as a dict, by PyYAML's safe loader: it makes plain data and nothing else.

    Raises:
        FileFormatError: for text that is not YAML, or not a mapping.
        ImportError: without PyYAML.
    """
    yaml = _yaml()
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise FileFormatError(f"{path}: {what} is not YAML of plain data: {error}") from error
    if not isinstance(value, dict):
        raise FileFormatError(f"{path}: {what} is not a mapping, but {type(value).__name__}")
    return value


def as_yaml(value: Any, **options: Any) -> str:
    """Plain data as YAML.

    Raises:
        ImportError: without PyYAML.
    """
    return _yaml().safe_dump(value, **{"sort_keys": False, **options})


def _yaml() -> Any:
    try:
        return importlib.import_module("yaml")
    except ImportError as error:
        raise ImportError('configs in YAML need PyYAML: pip install "funkeras[yaml]"') from error
