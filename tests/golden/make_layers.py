"""Writes `layers.json` and `layers.npz` from a folder of genuine Keras results.

Run as `python tests/golden/make_layers.py FOLDER`. Each row keeps what a test needs: the
constructor call in its own generation's spelling, the arrays, and how far float32 and float64 of
that Keras were apart.
"""

import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent

CLASSES = {
    "Dense",
    "Activation",
    "Dropout",
    "Flatten",
    "Reshape",
    "Permute",
    "RepeatVector",
    "Conv1D",
    "Conv2D",
    "Conv3D",
    "Convolution1D",
    "Convolution2D",
    "Convolution3D",
    "AtrousConvolution1D",
    "AtrousConvolution2D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "BatchNormalization",
    "LayerNormalization",
    "GroupNormalization",
    "UnitNormalization",
}
"""Layers whose cases are kept; a family that is done adds its names."""

LEFT = ("train_output_sample", "output_mask")
"""Arrays that no test compares: one draw of a generator that is not ours."""


def wanted(case: dict) -> bool:
    """Whether the layer takes the options of the case."""
    padded_on_theano = case["backends"] == ["theano"] and "same" in case["ctor"]
    other_mode = "mode=1" in case["ctor"] or "mode=2" in case["ctor"]
    return case["class"] in CLASSES and not padded_on_theano and not other_mode


def main(folder: Path) -> None:
    """Write both files."""
    cases = json.loads((folder / "cases.json").read_text())["cases"]
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
                "trainable": case.get("trainable"),
                "precision": case["precision"],
                "difference": case["f32_f64_max_rel_diff"],
                "arrays": arrays,
            }
        )
    rows.sort(key=lambda row: row["id"])
    text = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    (HERE / "layers.json").write_text(f"[\n{text}\n]\n")
    np.savez_compressed(HERE / "layers.npz", **{key: kept[key] for key in sorted(kept)})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
