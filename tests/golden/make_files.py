"""Packs files that genuine Keras wrote, and what it computed with them, for the tests.

`python make_files.py FOLDER`, where FOLDER has `cases.json`, the arrays and the files of the
conformance vectors. Weights are left out: predictions tell whether they came through.
"""

import json
import sys
import zipfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
KEPT = ("id", "generation", "kind", "backends")
ARRAYS = ("input", "output", "y", "resume_loss", "resume_weights", "resume_weights_reloaded")


ENDS = ("h5", "keras")
"""Files with a config."""


def stem(name):
    return name.replace(".weights_only.h5", "").replace(".weights.h5", "")


def main(source):
    cases = json.loads((source / "cases.json").read_text())["cases"]
    rows, stored, keys = [], {}, {}
    described = {Path(case["file"]).name for case in cases if case["group"] == "files"}
    with zipfile.ZipFile(HERE / "files.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for case in cases:
            if case["group"] != "files":
                continue
            arrays = np.load(source / case["npz"])
            row = {name: case[name] for name in KEPT}
            row["file"] = Path(case["file"]).name
            row["arrays"] = {}
            for name in ARRAYS:
                listed = case["arrays"].get(name)
                if listed is None:
                    continue
                listed = listed if isinstance(listed, list) else [listed]
                row["arrays"][name] = []
                for key in listed:
                    content = arrays[key].tobytes(), str(arrays[key].dtype), arrays[key].shape
                    short = keys.setdefault(content, f"a{len(keys)}")
                    stored[short] = arrays[key]
                    row["arrays"][name].append(short)
            if case.get("config") and not described & {
                f"{stem(row['file'])}.{end}" for end in ENDS
            }:
                row["config"] = case["config"]
            rows.append(row)
            info = zipfile.ZipInfo(row["file"], (2000, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, (source / case["file"]).read_bytes())
    np.savez_compressed(HERE / "files.npz", **stored)
    (HERE / "files.json").write_text(json.dumps(rows, separators=(",", ":")))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
