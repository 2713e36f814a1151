"""Packages that only images need, imported when they are first used."""

import importlib
from typing import Any

__all__ = ["needed"]

PACKAGES = {"PIL": "Pillow", "scipy": "SciPy"}


def needed(module: str, what: str) -> Any:
    """A module of an optional package; `what` is what cannot be done without it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = PACKAGES[module.partition(".")[0]]
        raise ImportError(
            f"{what} needs {package}, which is not installed: pip install 'funkeras[images]'"
        ) from error
