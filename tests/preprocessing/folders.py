"""`KERAS_BACKEND=tensorflow python tests/preprocessing/folders.py`, with genuine Keras 3.

Writes what its functions make of small folders of files: `tests/golden/folders.json`, `.npz`.
"""

import json
import tempfile
import wave
from pathlib import Path

import numpy as np
from PIL import Image

GOLDEN = Path(__file__).parents[1] / "golden"
IMAGES = {"directory": "images", "image_size": (5, 7), "batch_size": 4, "verbose": False}
STILL = {**IMAGES, "shuffle": False}
TEXTS = {"directory": "texts", "batch_size": 3, "verbose": False, "shuffle": False}
SOUNDS = {"directory": "sounds", "batch_size": 3, "verbose": False, "shuffle": False}
METHODS = ("bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5")
OTHERS = ("gaussian", "mitchellcubic")
SERIES = {
    "data": np.arange(60.0).reshape(30, 2),
    "targets": np.arange(30) * 2,
    "sequence_length": 4,
    "batch_size": 5,
}
PAIR = (np.arange(20.0).reshape(10, 2), np.arange(10))

CASES = {
    **{f"{m}": ("image", {**STILL, "interpolation": m}) for m in METHODS + OTHERS},
    **{
        f"{m} crop": ("image", {**STILL, "interpolation": m, "crop_to_aspect_ratio": True})
        for m in METHODS
    },
    **{
        f"{m} pad": ("image", {**STILL, "interpolation": m, "pad_to_aspect_ratio": True})
        for m in METHODS + OTHERS
    },
    "seed": ("image", {**IMAGES, "seed": 3}),
    "binary": ("image", {**IMAGES, "seed": 1, "label_mode": "binary"}),
    "categorical": ("image", {**IMAGES, "seed": 1, "label_mode": "categorical"}),
    "training": ("image", {**IMAGES, "seed": 3, "validation_split": 0.3, "subset": "training"}),
    "validation": ("image", {**IMAGES, "seed": 3, "validation_split": 0.3, "subset": "validation"}),
    "both": ("image", {**IMAGES, "seed": 2, "validation_split": 0.25, "subset": "both"}),
    "named": ("image", {**STILL, "class_names": ["dogs", "cats"]}),
    "no labels": ("image", {**STILL, "labels": None}),
    "no mode": ("image", {**STILL, "label_mode": None}),
    "given": ("image", {**STILL, "labels": [3, 1, 2, 1, 1, 1, 2, 2, 2, 3, 3, 1]}),
    "gray": (
        "image",
        {**STILL, "directory": "grays", "color_mode": "grayscale", "labels": None},
    ),
    "rgba": ("image", {**STILL, "color_mode": "rgba"}),
    "channels first": ("image", {**STILL, "data_format": "channels_first"}),
    "single": ("image", {**STILL, "batch_size": None}),
    "texts": ("text", TEXTS),
    "short texts": ("text", {**TEXTS, "max_length": 5, "label_mode": None}),
    "sounds": ("audio", SOUNDS),
    "sounds of a length": ("audio", {**SOUNDS, "output_sequence_length": 8}),
    "series": ("series", SERIES),
    "series without targets": ("series", {**SERIES, "targets": None}),
    "series with gaps": ("series", {**SERIES, "sequence_stride": 3, "sampling_rate": 2}),
    "part of a series": ("series", {**SERIES, "start_index": 3, "end_index": 20}),
    "single windows": ("series", {**SERIES, "batch_size": None}),
    "left": ("split", {"dataset": PAIR[0], "left_size": 0.75}),
    "right": ("split", {"dataset": PAIR, "right_size": 3}),
    "middle left out": ("split", {"dataset": PAIR, "left_size": 3, "right_size": 0.4}),
    "shuffled": ("split", {"dataset": list(PAIR), "left_size": 0.7, "shuffle": True, "seed": 4}),
}
"""Name → function and its arguments. The folders are those that `write` makes."""

FUNCTIONS = {
    "image": "image_dataset_from_directory",
    "text": "text_dataset_from_directory",
    "audio": "audio_dataset_from_directory",
    "series": "timeseries_dataset_from_array",
    "split": "split_dataset",
}


def write(folder):
    """Folders of images, texts and sounds."""
    rng = np.random.RandomState(0)

    def place(*parts):
        path = Path(folder, *parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    for name, count, axes in (
        ("images/cats", 6, (3,)),
        ("images/dogs", 5, (3,)),
        ("images/.hidden", 1, (3,)),
        ("grays", 1, ()),
    ):
        for i in range(count):
            size = (*rng.randint(3, 16, 2), *axes)
            path = place(name, *["deep"][: i % 3 == 0], f"{i}.png")
            Image.fromarray(rng.randint(0, 256, size).astype("uint8")).save(path)
    for name in ("neg", "pos"):
        for i in range(4):
            place("texts", name, f"{i}.txt").write_text(f"{name} hellö " * i, encoding="utf-8")
            with wave.open(str(place("sounds", name, f"{i}.wav")), "wb") as file:
                file.setparams((2, 2, 8000, 0, "NONE", ""))
                samples = rng.randint(-(2**15), 2**15, (rng.randint(3, 12), 2))
                file.writeframes(samples.astype("<i2").tobytes())


def results(name, functions, folder):
    """What a case gives: for each dataset its files, its classes and its batches."""
    kind, given = CASES[name]
    if "directory" in given:
        given = {**given, "directory": str(Path(folder, given["directory"]))}
    found = getattr(functions, FUNCTIONS[kind])(**given)
    shuffled = kind == "image" and given.get("shuffle", True)
    for part in found if isinstance(found, list | tuple) else [found]:
        batches = [b if isinstance(b, tuple) else (b,) for b in part.as_numpy_iterator()]
        described = {
            "paths": [str(Path(p).relative_to(folder)) for p in getattr(part, "file_paths", [])],
            "classes": getattr(part, "class_names", None),
            "sizes": [np.shape(batch[0])[:1] for batch in batches],
        }
        join = np.stack if given.get("batch_size", 1) is None or kind == "split" else np.concatenate
        yield described, [_joined(column, join, shuffled) for column in zip(*batches, strict=True)]


def _joined(column, join, shuffled):
    """The rows of all batches; sounds padded alike, texts as strings, what is shuffled sorted."""
    longest = max(np.shape(part)[1] if np.ndim(part) == 3 else 0 for part in column)
    if longest and join is np.concatenate:
        column = [
            np.pad(a, [(0, 0), (0, longest - a.shape[1]), (0, 0)]) if a.ndim == 3 else a
            for a in column
        ]
    rows = join(column)
    if rows.dtype == object:
        rows = np.array([t.decode() for t in rows])
    if shuffled:
        rows = rows[np.lexsort(rows.reshape(len(rows), -1).T)]
    return rows


def main():
    import keras

    described, arrays = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        write(folder)
        for name in CASES:
            for i, (facts, columns) in enumerate(results(name, keras.utils, folder)):
                described[f"{name} {i}"] = facts
                arrays |= {f"{name} {i} {j}": column for j, column in enumerate(columns)}
    (GOLDEN / "folders.json").write_text(json.dumps(described, indent=1) + "\n")
    np.savez_compressed(GOLDEN / "folders.npz", **arrays)


if __name__ == "__main__":
    main()
