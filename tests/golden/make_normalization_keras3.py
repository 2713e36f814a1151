"""Writes `normalization_keras3.*`: what Keras 3's normalising and ConvLSTM layers compute.

Run with genuine Keras: `KERAS_BACKEND=jax python tests/golden/make_normalization_keras3.py`.
"""

import json
from pathlib import Path

import jax
import keras
import numpy as np

HERE = Path(__file__).parent
VIDEO = (2, 3, 5, 4, 2)
CASES = [
    ("BatchNormalization", {"momentum": 0.8}, (4, 3, 2), "training mask"),
    ("BatchNormalization", {"axis": 1, "renorm": True}, (4, 3, 2), "training"),
    (
        "BatchNormalization",
        {"renorm": True, "renorm_clipping": {"rmin": 0.7, "rmax": 1.2, "dmax": 0.3}},
        (6, 3),
        "training",
    ),
    ("LayerNormalization", {"axis": [1, 2], "center": False}, (2, 3, 4), ""),
    ("LayerNormalization", {"scale": False, "epsilon": 0.1}, (2, 3, 4), ""),
    ("GroupNormalization", {"groups": 2, "axis": 1, "scale": False}, (2, 4, 3, 2), ""),
    ("GroupNormalization", {"groups": -1}, (2, 3, 4), ""),
    ("RMSNormalization", {}, (2, 3, 4), ""),
    ("RMSNormalization", {"axis": [1, 2], "epsilon": 0.1}, (2, 3, 4), ""),
    ("UnitNormalization", {"axis": [1, 2]}, (2, 3, 4), ""),
    ("Normalization", {"axis": [1, 2], "invert": True}, (2, 3, 4), ""),
    ("Normalization", {"mean": [1.0, 2.0], "variance": [0.0, 4.0]}, (2, 3, 2), ""),
    ("SpectralNormalization", {"power_iterations": 2}, (4, 3), "training"),
    ("SpectralNormalization", {}, (4, 3), ""),
    ("ConvLSTM1D", {"filters": 2, "kernel_size": 3, "dilation_rate": 2}, (2, 3, 6, 2), ""),
    (
        "ConvLSTM2D",
        {"filters": 2, "kernel_size": [2, 3], "strides": 2, "padding": "same", "use_bias": False},
        VIDEO,
        "",
    ),
    (
        "ConvLSTM2D",
        {"filters": 2, "kernel_size": 2, "return_sequences": True, "go_backwards": True},
        VIDEO,
        "",
    ),
    (
        "ConvLSTM2D",
        {"filters": 3, "kernel_size": 2, "return_state": True, "data_format": "channels_first"},
        (2, 3, 2, 5, 4),
        "",
    ),
    ("ConvLSTM3D", {"filters": 2, "kernel_size": 2, "activation": "relu"}, (2, 3, 3, 4, 3, 2), ""),
]


def main():
    generator = np.random.default_rng(0)
    rows, stored = [], {}

    def keep(value):
        stored[f"a{len(stored)}"] = np.asarray(value)
        return f"a{len(stored) - 1}"

    for number, (name, arguments, shape, flags) in enumerate(CASES):
        x = generator.normal(1, 2, shape).astype("float32")
        mask = (generator.random(shape[:2]) < 0.6) if "mask" in flags else None
        given = []
        outputs = {}
        for dtype in ("float64", "float32"):
            keras.config.set_floatx(dtype)
            inner = [keras.layers.Dense(5, dtype=dtype)] if name == "SpectralNormalization" else []
            layer = getattr(keras.layers, name)(*inner, **arguments, dtype=dtype)
            layer.build(shape)
            variables = [v for v in layer.variables if "float" in v.dtype]
            if not given:
                given = [generator.uniform(0.3, 1, v.shape).astype("float32") for v in variables]
            for variable, value in zip(variables, given, strict=True):
                variable.assign(value)
            if name == "Normalization":
                layer.finalize_state()
            flow = {} if mask is None else {"mask": mask}
            if "training" in flags:
                flow["training"] = True
            y = layer(x.astype(dtype), **flow)
            y = [
                np.asarray(part, "float64") for part in (y if isinstance(y, list | tuple) else [y])
            ]
            after = [np.asarray(v.value, "float64") for v in variables if not v.trainable]
            outputs[dtype] = [*y, *after]
        names = []
        for variable in variables:
            last = variable.path.rpartition("/")[2]
            within = name == "SpectralNormalization" and last != "vector_u"
            names.append(f"layer/{last}" if within else last)
        difference = max(
            float(np.max(np.abs(a - b) / (1 + np.abs(a))))
            for a, b in zip(outputs["float64"], outputs["float32"], strict=True)
        )
        rows.append(
            {
                "id": f"k3-{name}-{number:02d}",
                "class": name,
                "arguments": arguments,
                "training": "training" in flags,
                "difference": float(f"{difference:.3g}"),
                "input": keep(x),
                "mask": None if mask is None else keep(mask),
                "weights": {name: keep(value) for name, value in zip(names, given, strict=True)},
                "output": [keep(part) for part in outputs["float64"][: len(y)]],
                "after": {
                    name: keep(value)
                    for name, value in zip(
                        [n for n, v in zip(names, variables, strict=True) if not v.trainable],
                        outputs["float64"][len(y) :],
                        strict=True,
                    )
                },
            }
        )
    text = ",\n".join(json.dumps(row) for row in rows)
    (HERE / "normalization_keras3.json").write_text(f"[\n{text}\n]\n")
    np.savez_compressed(HERE / "normalization_keras3.npz", **stored)


if __name__ == "__main__":
    with jax.enable_x64(True):
        main()
