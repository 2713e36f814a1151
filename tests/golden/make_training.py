"""Writes `training.*` from a folder of genuine Keras results: `make_training.py FOLDER`.

Whole training runs, and the weights that layers of Keras 1 on Theano draw after a seed.
"""

import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
KEPT = ("id", "group", "generation", "backends", "ctor", "model_code", "compile", "calls")
ALSO = ("metrics_names", "notes", "f32_f64_max_rel_diff")


def wanted(case: dict) -> bool:
    """Whether a case is one of these kinds."""
    return case["group"] == "training" or case["variant"] == "seeded layer"


def main(folder: Path) -> None:
    """Write both files."""
    rows, kept, opened = [], {}, {}
    for case in json.loads((folder / "cases.json").read_text())["cases"]:
        if not wanted(case):
            continue
        source = opened.setdefault(case["npz"], np.load(folder / case["npz"]))
        for keys in case["arrays"].values():
            for key in keys if isinstance(keys, list) else [keys]:
                kept[key] = source[key]
        row = {name: case[name] for name in (*KEPT, *ALSO) if case.get(name) is not None}
        rows.append({**row, "arrays": case["arrays"]})
    text = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    (HERE / "training.json").write_text(f"[\n{text}\n]\n")
    np.savez_compressed(HERE / "training.npz", **{key: kept[key] for key in sorted(kept)})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
