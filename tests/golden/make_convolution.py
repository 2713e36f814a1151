"""Writes `convolution.*` from a folder of genuine Keras results: what `make_layers.py` leaves out.

Run as `python tests/golden/make_convolution.py FOLDER`. Rows are those of `make_layers.py`.
"""

import json
import re
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
FAMILY = re.compile(r"conv|pooling|cropping|padding|upsampling|locally", re.IGNORECASE)


def main(folder: Path) -> None:
    """Write both files."""
    known = {row["id"] for row in json.loads((HERE / "layers.json").read_text())}
    rows, kept, opened = [], {}, {}
    for case in json.loads((folder / "cases.json").read_text())["cases"]:
        wanted = FAMILY.search(case["class"]) and not case["class"].startswith("ConvLSTM")
        if case["group"] != "layers" or case["id"] in known or not wanted:
            continue
        source = opened.setdefault(case["npz"], np.load(folder / case["npz"]))
        for keys in case["arrays"].values():
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
                "arrays": case["arrays"],
            }
        )
    rows.sort(key=lambda row: row["id"])
    text = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    (HERE / "convolution.json").write_text(f"[\n{text}\n]\n")
    np.savez_compressed(HERE / "convolution.npz", **{key: kept[key] for key in sorted(kept)})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
