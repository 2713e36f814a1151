"""Writes `applications.json`: what Keras 3 says of its nets for ImageNet.

Run with genuine Keras: `KERAS_BACKEND=jax python tests/golden/make_applications.py`.
Each net's arguments with their defaults; for those of Keras 3 alone also its parameters with the
top and without, its number of layers, and a digest of their names and shapes of weights.
"""

import hashlib
import inspect
import json
from pathlib import Path

import keras

OLD = ("VGG", "Inception", "Xception", "DenseNet", "NASNet")
OLD_NETS = ("ResNet50", "MobileNet", "MobileNetV2")

VARIANTS = {
    "MobileNetV3Small": (
        {"alpha": 0.75},
        {"alpha": 1.25},
        {"minimalistic": True},
        {"classes": 7, "include_preprocessing": False},
    ),
    "MobileNetV3Large": ({"alpha": 0.75}, {"minimalistic": True}),
    "EfficientNetV2B0": ({"include_preprocessing": False},),
    "ConvNeXtTiny": ({"include_preprocessing": False, "name": "own"},),
}


def told(build, **options):
    """What the net says of itself."""
    keras.utils.clear_session()
    model = build(weights=None, **options)
    lines = [f"{own.name} {tuple(w.shape)}" for own in model.layers for w in own.weights]
    return {
        "options": options,
        "parameters": model.count_params(),
        "layers": len(model.layers),
        "digest": hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16],
    }


def main():
    """Ask each net and write the file."""
    nets = {}
    for name, build in sorted(vars(keras.applications).items()):
        if not inspect.isfunction(build):
            continue
        arguments = inspect.signature(build).parameters.values()
        nets[name] = {"arguments": [[own.name, own.default] for own in arguments], "told": []}
        if not name.startswith(OLD) and name not in OLD_NETS:
            options = ({}, {"include_top": False, "pooling": "max"}, *VARIANTS.get(name, ()))
            nets[name]["told"] = [told(build, **own) for own in options]
    rows = ",\n".join(f"{json.dumps(name)}: {json.dumps(net)}" for name, net in nets.items())
    Path(__file__).with_suffix("").with_name("applications.json").write_text(f"{{\n{rows}\n}}\n")


if __name__ == "__main__":
    main()
