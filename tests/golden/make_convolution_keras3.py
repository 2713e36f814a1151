"""Writes `convolution_keras3.*`: what Keras 3 computes in cases that the other files leave out.

Run with genuine Keras: `KERAS_BACKEND=jax python tests/golden/make_convolution_keras3.py`.
"""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import keras
import numpy as np
from keras.src import backend

HERE = Path(__file__).parent
CASES = {
    "Conv1DTranspose(3, 4, strides=3, padding='same', output_padding=1)": (2, 5, 2),
    "Conv1DTranspose(3, 3, dilation_rate=2, padding='same')": (2, 5, 2),
    "Conv1DTranspose(2, 2, strides=3, output_padding=2)": (2, 4, 2),
    "Conv2DTranspose(2, (2, 3), strides=3, padding='same')": (2, 3, 4, 2),
    "Conv2DTranspose(2, 3, strides=2, padding='same', output_padding=(0, 1))": (2, 3, 4, 2),
    "Conv2DTranspose(2, 3, padding='valid', dilation_rate=(2, 3))": (2, 3, 4, 2),
    "Conv2DTranspose(2, (5, 2), strides=(2, 1), padding='same', dilation_rate=1)": (2, 3, 4, 2),
    "Conv3DTranspose(2, 3, strides=2, padding='same', use_bias=False)": (1, 2, 3, 2, 2),
    "DepthwiseConv1D(3, strides=2, padding='same', depth_multiplier=2)": (2, 6, 3),
    "DepthwiseConv2D((2, 3), dilation_rate=2, activation='tanh')": (2, 5, 6, 2),
    "SeparableConv1D(3, 2, dilation_rate=2, depth_multiplier=2)": (2, 6, 2),
    "SeparableConv2D(3, 3, dilation_rate=2, padding='same')": (2, 6, 5, 2),
    "UpSampling2D((2, 3), interpolation='bilinear')": (2, 3, 4, 2),
    "UpSampling2D(3, interpolation='bicubic')": (2, 4, 3, 2),
    "UpSampling2D((1, 2), interpolation='lanczos3')": (2, 5, 4, 2),
    "UpSampling2D(2, data_format='channels_first', interpolation='lanczos5')": (2, 2, 5, 4),
    "AdaptiveAveragePooling1D(4)": (2, 7, 3),
    "AdaptiveAveragePooling2D((3, 2), data_format='channels_first')": (2, 2, 7, 4),
    "AdaptiveAveragePooling3D(2)": (2, 3, 4, 5, 1),
    "AdaptiveMaxPooling1D(5)": (2, 7, 3),
    "AdaptiveMaxPooling2D((3, 6))": (2, 8, 4, 2),
    "AdaptiveMaxPooling3D((1, 2, 3))": (2, 3, 4, 5, 1),
}
"""Constructor call → shape of the input."""


def computed(ctor: str, x: np.ndarray, weights: list[np.ndarray], dtype: str) -> dict[str, list]:
    """Output and gradients of the sum of its squares."""
    keras.config.set_floatx(dtype)
    layer = eval(ctor, vars(keras.layers))
    layer.build(x.shape)
    variables = layer.trainable_variables

    def loss(values: list, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        with backend.StatelessScope(list(zip(variables, values, strict=True))):
            y = layer(x)
        return jnp.sum(jnp.square(y)), y

    values = [jnp.asarray(weight, dtype) for weight in weights]
    gradient = jax.grad(loss, argnums=(0, 1), has_aux=True)
    (by_weight, by_input), y = gradient(values, jnp.asarray(x, dtype))
    return {"output": [y], "grad_input": [by_input], "grad_weights": by_weight}


def main() -> None:
    """Write both files."""
    generator = np.random.default_rng(0)
    rows, stored = [], {}
    for number, (ctor, shape) in enumerate(CASES.items()):
        x = generator.normal(size=shape).astype("float32")
        keras.config.set_floatx("float32")
        layer = eval(ctor, vars(keras.layers))
        layer.build(shape)
        weights = [generator.normal(0, 0.5, w.shape).astype("float32") for w in layer.weights]
        with jax.enable_x64(True):
            exact = computed(ctor, x, weights, "float64")
        rough = computed(ctor, x, weights, "float32")
        difference = max(
            float(np.max(np.abs(a - b) / (1 + np.abs(a))))
            for name in exact
            for a, b in zip(exact[name], rough[name], strict=True)
        )
        arrays: dict[str, list[str]] = {}
        for name, values in {"input": [x], "weights": weights, **exact}.items():
            arrays[name] = [f"c{number}_{name}_{index}" for index in range(len(values))]
            stored |= {
                key: np.asarray(value, np.float32)
                for key, value in zip(arrays[name], values, strict=True)
            }
        rows.append(
            {
                "id": f"conv-k3-{number:02d}-{ctor.partition('(')[0]}",
                "generation": f"keras-{keras.__version__}",
                "backends": ["jax"],
                "ctor": ctor,
                "pre": None,
                "precision": "float64",
                "difference": float(f"{difference:.3g}"),
                "arrays": {name: keys for name, keys in arrays.items() if keys},
            }
        )
    text = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    (HERE / "convolution_keras3.json").write_text(f"[\n{text}\n]\n")
    np.savez_compressed(HERE / "convolution_keras3.npz", **stored)


if __name__ == "__main__":
    main()
