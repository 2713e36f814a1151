"""Write preprocessing_layers.{json,npz}: what Keras 3's preprocessing layers give.

Run with genuine Keras and tf_keras:
`KERAS_BACKEND=jax python tests/golden/make_preprocessing_layers.py`.
Random layers have factors of which each is a single value, so that nothing is left to chance.
"""

import json
from pathlib import Path

import keras
import numpy as np
import tf_keras

HERE = Path(__file__).parent
FILLS = ("reflect", "wrap", "constant", "nearest")
RNG = np.random.default_rng(0)
INPUTS = {
    "image": RNG.uniform(0, 255, (2, 7, 5, 3)).astype("float32"),
    "bytes": RNG.integers(0, 256, (2, 6, 8, 1)).astype("uint8"),
    "numbers": RNG.integers(0, 6, (3, 4)).astype("int32"),
    "column": RNG.integers(0, 6, (4, 1)).astype("int32"),
    "reals": RNG.normal(size=(3, 4)).astype("float32"),
}
INPUTS["shares"] = np.random.default_rng(1).uniform(0, 1, (3, 6, 5, 3)).astype("float32")
SIZES = ((3, 3), (14, 4), (5, 12))
CASES = [
    ("Rescaling", {"scale": 0.5, "offset": -1.0}, "image"),
    ("Rescaling", {"scale": [0.5, 1.0, 2.0], "offset": [0.0, 1.0, 2.0]}, "image"),
    ("Rescaling", {"scale": 2}, "bytes"),
    *(
        ("Resizing", {"height": height, "width": width, **given}, source)
        for height, width in SIZES
        for given in (
            {},
            {"interpolation": "nearest"},
            {"interpolation": "bicubic", "antialias": True},
            {"interpolation": "lanczos3"},
            {"interpolation": "lanczos5"},
            {"crop_to_aspect_ratio": True},
            {"pad_to_aspect_ratio": True, "fill_value": 7.0},
        )
        for source in ("image", "bytes")
        if source == "image" or len(given) == 0 or height == 3
    ),
    *(("CenterCrop", {"height": h, "width": w}, "image") for h, w in ((3, 3), (4, 2), *SIZES)),
    *(
        ("RandomRotation", {"factor": [f, f], "fill_mode": fill, "fill_value": 9.0}, "image")
        for f, fill in zip((0.1, -0.3, 0.25, 0.5), FILLS, strict=True)
    ),
    ("RandomRotation", {"factor": [0.1, 0.1], "interpolation": "nearest"}, "bytes"),
    *(
        (
            "RandomZoom",
            {"height_factor": [f, f], "width_factor": [g, g], "fill_mode": fill},
            "image",
        )
        for f, g, fill in zip((0.3, -0.4, 0.9, 1.0), (0.1, 0.5, -0.5, 0), FILLS, strict=True)
    ),
    ("RandomZoom", {"height_factor": [-0.4, -0.4]}, "image"),
    *(
        (
            "RandomTranslation",
            {"height_factor": [f, f], "width_factor": [g, g], "fill_mode": fill},
            "image",
        )
        for f, g, fill in zip((0.3, -0.4, 1.0, 0.0), (0.1, 0.5, -0.5, 1), FILLS, strict=True)
    ),
    ("RandomHue", {"factor": [0.0, 0.0]}, "image"),
    ("RandomHue", {"factor": [1.0, 1.0]}, "image"),
    ("RandomHue", {"factor": [1.0, 1.0], "value_range": [0, 1]}, "shares"),
    *(("RandomSaturation", {"factor": [f, f]}, "image") for f in (-0.5, 0.0, 0.3, 0.7)),
    *(("RandomColorDegeneration", {"factor": [f, f]}, "image") for f in (-0.5, 0.3, 1.0)),
    *(("RandomGrayscale", {"factor": factor}, "image") for factor in (0.0, 1.0)),
    ("RandomInvert", {"factor": [1.0, 1.0]}, "image"),
    ("RandomInvert", {"factor": [1.0, 1.0], "value_range": [0, 1]}, "shares"),
    *(("RandomPosterization", {"factor": [n, n]}, "image") for n in (1, 3, 8)),
    ("RandomPosterization", {"factor": [2, 2], "value_range": [0, 1]}, "shares"),
    ("Solarization", {}, "image"),
    ("Solarization", {"value_range": [0, 1]}, "shares"),
    ("AutoContrast", {}, "image"),
    ("AutoContrast", {}, "bytes"),
    ("AutoContrast", {"value_range": [0, 1]}, "shares"),
    *(
        ("ContrastLimitedAdaptiveHistogramEqualization", given, source)
        for given, source in (
            ({}, "image"),
            ({"clip_limit": 0}, "image"),
            ({"tile_grid_size": (2, 3)}, "image"),
            ({"tile_grid_size": (3, 2), "clip_limit": 1.5, "value_range": (0, 1)}, "shares"),
        )
    ),
    ("Equalization", {}, "image"),
    ("Equalization", {"bins": 16}, "image"),
    ("Equalization", {"value_range": [0, 1]}, "shares"),
    *(("RandomSharpness", {"factor": [f, f]}, "image") for f in (0.0, 0.3, 1.0)),
    *(
        ("RandomGaussianBlur", {"sigma": [f, f], "kernel_size": size, "factor": [1, 1]}, "image")
        for f, size in ((0.4, 3), (1.0, 5), (0.8, (3, 7)))
    ),
    ("RandomColorJitter", {"brightness_factor": [0.1, 0.1], "hue_factor": [1.0, 1.0]}, "image"),
    ("RandomColorJitter", {"saturation_factor": [0.3, 0.3]}, "image"),
    ("RandomErasing", {"factor": [1, 1], "scale": [1, 1], "fill_value": 300.0}, "image"),
    ("RandomErasing", {"factor": [0, 0]}, "image"),
    ("RandomBrightness", {"factor": [0.3, 0.3]}, "image"),
    ("RandomBrightness", {"factor": [-0.2, -0.2], "value_range": [0, 200]}, "image"),
    *(
        ("CategoryEncoding", {"num_tokens": 5, "output_mode": mode}, source)
        for mode in ("one_hot", "multi_hot", "count")
        for source in ("numbers", "column")
    ),
    *(
        ("Discretization", {"bin_boundaries": [-0.5, 0.0, 0.8], "output_mode": mode}, "reals")
        for mode in ("int", "one_hot", "multi_hot", "count")
    ),
]
WARPS = [
    *({"interpolation": name} for name in ("bilinear", "nearest")),
    *({"fill_mode": fill, "sigma": 0.9} for fill in (*FILLS, "mirror")),
    {"fill_mode": "reflect", "sigma": 0.3},
]
QUIET = ("Rescaling", "Resizing", "CenterCrop", "CategoryEncoding", "Discretization")
"""Layers that are the same in training."""
SHEARS = ((0.0, 0.4), (0.3, 0.0), (0.2, 0.5))
ADAPTED = [
    ({"num_bins": bins, "epsilon": epsilon}, sizes)
    for bins, epsilon in ((4, 0.01), (3, 0.1), (10, 0.05))
    for sizes in ((7,), (500,), (64, 300, 20))
]


def main():
    rows, stored = [], {f"in_{name}": x for name, x in INPUTS.items()}
    for number, (name, kwargs, source) in enumerate(CASES):
        layer = getattr(keras.layers, name)(**kwargs)
        random = {} if name in QUIET else {"training": True}
        stored[f"out_{number}"] = np.asarray(layer(INPUTS[source], **random))
        rows.append({"class": name, "kwargs": kwargs, "input": source, "output": f"out_{number}"})
    for number, (x, y) in enumerate(SHEARS):  # both signs, as a draw decides
        layer = keras.layers.RandomShear(x, y)
        signed = np.array([[x, y], [-x, -y]], "float32")
        for sign, factors in enumerate(signed):
            drawn = {"shear_factor": np.tile(factors, (2, 1)), "input_shape": (2, 7, 5, 3)}
            stored[f"shear_{number}_{sign}"] = layer.transform_images(INPUTS["image"], drawn)
        kwargs = {"x_factor": [x, x], "y_factor": [y, y]}
        outputs = [f"shear_{number}_{sign}" for sign in range(2)]
        rows.append({"class": "RandomShear", "kwargs": kwargs, "outputs": outputs})
    for number, (kwargs, sizes) in enumerate(ADAPTED):
        batches = [RNG.normal(size=size).astype("float32") for size in sizes]
        layer = keras.layers.Discretization(**kwargs)
        for batch in batches:  # as `adapt` does, which asks for TensorFlow
            layer.update_state(batch)
        layer.finalize_state()
        stored |= {f"data_{number}_{place}": batch for place, batch in enumerate(batches)}
        row = {"kwargs": kwargs, "batches": [f"data_{number}_{i}" for i in range(len(sizes))]}
        rows.append({"class": "adapt", **row, "boundaries": layer.bin_boundaries})
    stored["in_crop"] = np.random.default_rng(2).uniform(0, 255, (2, 9, 7, 3)).astype("float32")
    for height, width in ((3, 4), (12, 5), (9, 3), (4, 9), (5, 7)):
        layer = tf_keras.layers.RandomCrop(height, width)
        stored[f"crop_{height}_{width}"] = np.asarray(layer(stored["in_crop"], training=False))
    images, corners = INPUTS["image"], np.array([[0, 0], [4, 0], [0, 6], [4, 6]], "float32")
    starts = np.tile(corners, (2, 1, 1))
    ends = starts * np.random.default_rng(3).uniform(0.6, 1.4, starts.shape).astype("float32")
    stored |= {"warp_starts": starts, "warp_ends": ends}
    for number, given in enumerate(WARPS):  # in elastic transforms one noise moves rows and columns
        if "interpolation" in given:
            y = keras.ops.image.perspective_transform(images, starts, ends, **given, fill_value=7.0)
        else:
            y = keras.ops.image.elastic_transform(images, 2.5, **given, fill_value=3.0, seed=5)
        stored[f"warp_{number}"] = np.asarray(y)
        rows.append({"class": "warp", "kwargs": given, "warped": f"warp_{number}"})
    stored["warp_noise"] = np.asarray(keras.random.normal(images.shape[:3], seed=5))
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    (HERE / "preprocessing_layers.json").write_text(f"[\n{lines}\n]\n")
    np.savez_compressed(HERE / "preprocessing_layers.npz", **stored)


if __name__ == "__main__":
    main()
