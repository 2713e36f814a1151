"""`python tests/ops_genuine.py [THEME ...]`, with Keras 3: write what its operations give.

Each `ops/calls_THEME.py` has calls; `tests/golden/ops_THEME.json` gets their results.
"""

import importlib.util
import json
import os
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent / "ops"
GOLDEN = Path(__file__).parent / "golden"
THEMES = sorted(path.stem.removeprefix("calls_") for path in HERE.glob("calls_*.py"))


def calls(theme):
    """The module with the calls of a theme."""
    spec = importlib.util.spec_from_file_location(f"calls_{theme}", HERE / f"calls_{theme}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def plain(value):
    """Results as JSON has them: arrays with dtype, shape and entries; lists of results."""
    if isinstance(value, tuple | list):
        return [plain(part) for part in value]
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    array = np.asarray(value)
    parts = [array.real, array.imag] if array.dtype.kind == "c" else [array]
    numbers = [part.astype("float64" if part.dtype.kind == "f" else part.dtype) for part in parts]
    data = [
        [repr(n) if n != n or abs(n) == np.inf else n for n in part.ravel().tolist()]
        for part in numbers
    ]
    return {"dtype": str(value.dtype), "shape": list(array.shape), "data": data}


if __name__ == "__main__":
    os.environ["KERAS_BACKEND"] = "jax"
    import keras

    for theme in sys.argv[1:] or THEMES:
        space = getattr(keras, getattr(calls(theme), "SPACE", "ops"))
        found = {
            name: [plain(call(space, *inputs)) for inputs, call in rows]
            for name, rows in calls(theme).CALLS.items()
        }
        lines = ",\n".join(
            f"{json.dumps(name)}: {json.dumps(rows)}" for name, rows in found.items()
        )
        (GOLDEN / f"ops_{theme}.json").write_text(f"{{\n{lines}\n}}\n")
        print(theme, len(found))
