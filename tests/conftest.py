"""Settings of every test: a home of its own, shapes checked as types, the classic dialect."""

import importlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from jaxtyping import install_import_hook

os.environ["KERAS_HOME"] = tempfile.mkdtemp(prefix="funkeras-tests-")
for setting in (
    "FUNKERAS_DIALECT",
    "KERAS_BACKEND",
    "KERAS_MAX_EPOCHS",
    "KERAS_MAX_STEPS_PER_EPOCH",
):
    os.environ.pop(setting, None)

sys.path.insert(0, str(Path(__file__).parent))  # modules that tests share

FUNCTIONAL = Path(__file__).parents[1] / "funkeras" / "functional"
UNCHECKED = {"__init__", "pair", "cells", "preprocessing_changes", "shapes"}
"""Modules that annotate with the protocol `Apply`, which is no type at run time, and `shapes`: it
calls layers of users, in whose tracebacks the checks would stand."""
CHECKER = "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))"
"""Of an annotation `float` it accepts whole numbers, as the language does."""

# Before the first import of the library, so that no layer is seen without the checks.
checked = sorted({path.stem for path in FUNCTIONAL.glob("*.py")} - UNCHECKED)
with install_import_hook([f"funkeras.functional.{name}" for name in checked], CHECKER):
    importlib.import_module("funkeras.functional")


@pytest.fixture(autouse=True)
def settings() -> Iterator[None]:
    """Every test starts in the classic dialect and leaves no setting behind."""
    from funkeras import config

    names = ("floatx", "epsilon", "image_data_format", "dialect", "backend", "kernel_layout")
    before = [getattr(config, name)() for name in names]
    setters = [getattr(config, f"set_{name}") for name in names]
    config.set_dialect("classic")
    config.disable_traceback_filtering()  # a test that fails shows where
    yield
    for change, value in zip(setters, before, strict=True):
        change(value)
