"""Every public name and argument of Keras 1.2.2 and 2.2.4 is there, or is listed with a reason."""

import json
from pathlib import Path

import public_names
import pytest

from funkeras import compat

GOLDEN = Path(__file__).parents[1] / "golden"
NAMES = json.loads((GOLDEN / "names.json").read_text())
EXCEPTIONS = json.loads((GOLDEN / "names_exceptions.json").read_text())
"""Reason → names; whoever adds a name to the library takes it out."""
EXCEPTED = {name for names in EXCEPTIONS.values() for name in names}


@pytest.mark.parametrize("version", NAMES)
def test_every_public_name_takes_its_arguments_or_is_an_exception(version):
    compat.install(version)
    try:
        found = dict(public_names.failures(NAMES[version]))
    finally:
        compat.uninstall()
    assert {name: what for name, what in found.items() if name not in EXCEPTED} == {}


def test_every_exception_is_a_name_of_keras():
    known = {
        path
        for names in NAMES.values()
        for name, row in names.items()
        for path in (name, *row.get("also", "").split())
    }
    known |= {
        f"{name}.{member}"
        for names in NAMES.values()
        for name, row in names.items()
        for member in row.get("members", {})
    }
    assert known >= EXCEPTED
    assert all(EXCEPTIONS)


def test_a_missing_argument_is_found():
    rows = {"keras.layers.Dense": {"params": "output_dim no_such", "members": {"nothing": ""}}}
    compat.install()
    try:
        found = dict(public_names.failures(rows))
    finally:
        compat.uninstall()
    assert found == {
        "keras.layers.Dense": "takes no no_such",
        "keras.layers.Dense.nothing": "missing",
    }
