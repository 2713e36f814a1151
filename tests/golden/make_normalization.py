"""Writes `normalization.*` and `conv_recurrent.*` from a folder of genuine Keras results.

Run as `python tests/golden/make_normalization.py FOLDER`. Rows are those of `make_layers.py`.
"""

import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
LEFT = ("train_output_sample", "output_mask")
"""Arrays that no test compares: one draw of a generator that is not ours."""
GROUPS = {
    "normalization": lambda case: (
        case["ctor"]
        in (
            "BatchNormalization(mode=1)",
            "BatchNormalization(mode=2)",
        )
    ),
    "conv_recurrent": lambda case: case["class"].startswith("ConvLSTM"),
}
"""File → which cases it holds."""


def main(folder: Path) -> None:
    """Write both pairs of files."""
    cases = json.loads((folder / "cases.json").read_text())["cases"]
    for group, wanted in GROUPS.items():
        rows, kept, opened = [], {}, {}
        for case in cases:
            if case["group"] != "layers" or not wanted(case):
                continue
            arrays = {name: keys for name, keys in case["arrays"].items() if name not in LEFT}
            source = opened.setdefault(case["npz"], np.load(folder / case["npz"]))
            for keys in arrays.values():
                for key in keys if isinstance(keys, list) else [keys]:
                    kept[key] = source[key].astype(np.float32)
            rows.append(
                {
                    "id": case["id"],
                    "generation": case["generation"],
                    "backends": case["backends"],
                    "ctor": case["ctor"],
                    "pre": case.get("pre"),
                    "precision": case["precision"],
                    "difference": case["f32_f64_max_rel_diff"],
                    "arrays": arrays,
                }
            )
        text = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
        (HERE / f"{group}.json").write_text(f"[\n{text}\n]\n")
        np.savez_compressed(HERE / f"{group}.npz", **{key: kept[key] for key in sorted(kept)})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
