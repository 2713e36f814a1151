"""Write layers_more_keras3.{json,npz}: outputs, masks and gradients of Keras 3's layers.

Run with genuine Keras: `KERAS_BACKEND=jax python tests/golden/make_layers_more.py`.
"""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import keras
import numpy as np
from keras.src import backend

HERE = Path(__file__).parent
CALLED = ("use_causal_mask", "return_attention_scores")
"""Arguments of the call that are the layer's own here."""

QV, QVK = ((2, 4, 3), (2, 5, 3)), ((2, 4, 3), (2, 5, 6), (2, 5, 3))
HEADS = ((2, 4, 6), (2, 5, 8))
M4, M5 = "mask 2 4", "mask 2 5"
CASES = [
    ("Softmax", {"axis": -1}, ((2, 3, 4),), ("mask 2 3 4",)),
    ("Softmax", {"axis": (1, 2)}, ((2, 3, 4),), None),
    ("Softmax", {"axis": (1, 2)}, ((2, 3, 4),), ("mask 2 3 4",)),
    ("Masking", {"mask_value": 2.0}, ((2, 3, 1),), None),
    ("Embedding", {"input_dim": 8, "output_dim": 3, "mask_zero": True}, ("below 8 2 5",), None),
    ("Add", {}, ((2, 3, 4), (2, 4)), None),
    ("Add", {}, ((2, 4, 3), (2, 4, 3), (2, 4, 3)), (M4, M4, M4)),
    ("Add", {}, ((2, 4, 3), (2, 4, 3)), (M4, None)),
    ("Subtract", {}, ((2, 4, 3), (2, 4, 3)), (M4, M4)),
    ("Multiply", {}, ((2, 3, 1), (2, 1, 4)), None),
    ("Average", {}, ((2, 4, 3), (2, 4, 3), (2, 3)), None),
    ("Minimum", {}, ((2, 4, 3), (2, 4, 3)), None),
    ("Concatenate", {"axis": 1}, ((2, 4, 3), (2, 5, 3)), (M4, M5)),
    ("Concatenate", {"axis": 1}, ((2, 4, 3), (2, 5, 3)), (M4, None)),
    ("Concatenate", {"axis": -1}, ((2, 4, 3), (2, 4, 5)), (M4, M4)),
    ("Concatenate", {"axis": -1}, ((2, 4, 3), (2, 4, 5)), (None, M4)),
    ("Dot", {"axes": (1, 2)}, ((2, 4, 3), (2, 5, 4)), None),
    ("Dot", {"axes": 1}, ((2, 4, 3), (2, 4)), None),
    ("Dot", {"axes": (3, 1)}, ((2, 4, 3, 5), (2, 5, 3)), None),
    ("Dot", {"axes": 2, "normalize": True}, QV, None),
    ("Attention", {"use_scale": True}, QVK, None),
    ("Attention", {"score_mode": "concat"}, QV, None),
    ("Attention", {"score_mode": "concat", "use_scale": True}, QV, (M4, M5)),
    ("Attention", {"use_causal_mask": True, "return_attention_scores": True}, QV, (None, M5)),
    ("Attention", {"dropout": 0.5, "use_causal_mask": True}, ((2, 4, 3), (2, 4, 3)), None),
    ("AdditiveAttention", {"use_scale": False}, QV, (M4, None)),
    ("AdditiveAttention", {"return_attention_scores": True}, QVK, (M4, M5, M5)),
    ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3}, HEADS, None),
    (
        "MultiHeadAttention",
        {"num_heads": 2, "key_dim": 3, "value_dim": 5, "return_attention_scores": True},
        HEADS,
        None,
    ),
    (
        "MultiHeadAttention",
        {"num_heads": 3, "key_dim": 2, "use_bias": False, "output_shape": (7, 2)},
        ((2, 4, 6), (2, 5, 8), (2, 5, 3)),
        None,
    ),
    ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3, "output_shape": 4}, HEADS, (None, M5)),
    ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3}, HEADS, (M4, M5)),
    (
        "MultiHeadAttention",
        {"num_heads": 2, "key_dim": 3},
        HEADS,
        (M4, None, None, "mask 2 4 5"),
    ),
    (
        "MultiHeadAttention",
        {"num_heads": 2, "key_dim": 3, "use_causal_mask": True},
        ((2, 4, 6), (2, 4, 6)),
        None,
    ),
    (
        "MultiHeadAttention",
        {"num_heads": 2, "key_dim": 3, "use_causal_mask": True, "sliding_window": 2},
        HEADS,
        None,
    ),
    (
        "MultiHeadAttention",
        {"num_heads": 2, "key_dim": 3, "sliding_window": 2, "return_attention_scores": True},
        HEADS,
        (None, M5),
    ),
    (
        "MultiHeadAttention",
        {"num_heads": 2, "key_dim": 3, "use_causal_mask": True, "dropout": 0.5},
        ((2, 4, 6), (2, 4, 6)),
        (None, M4),
    ),
    ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3, "use_gate": True}, HEADS, None),
    (
        "MultiHeadAttention",
        {"num_heads": 2, "key_dim": 3, "return_attention_scores": True},
        ((2, 2, 3, 4), (2, 3, 2, 4)),
        None,
    ),
    (
        "MultiHeadAttention",
        {"num_heads": 2, "key_dim": 3, "attention_axes": (2,), "return_attention_scores": True},
        ((2, 2, 3, 4), (2, 2, 5, 4)),
        None,
    ),
    (
        "MultiHeadAttention",
        {"num_heads": 2, "key_dim": 3, "attention_axes": (1,)},
        ((2, 2, 3, 4), (2, 5, 3, 4)),
        None,
    ),
    (
        "MultiHeadAttention",
        {"num_heads": 2, "key_dim": 3, "attention_axes": (1, 3)},
        ((2, 2, 3, 2, 4), (2, 3, 3, 1, 4)),
        (None, None, None, "mask 2 2 2 3 1"),
    ),
    (
        "GroupQueryAttention",
        {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2},
        HEADS,
        (None, M5),
    ),
    (
        "GroupQueryAttention",
        {"head_dim": 3, "num_query_heads": 6, "num_key_value_heads": 2, "use_gate": True},
        ((2, 4, 6), (2, 5, 8), (2, 5, 3)),
        None,
    ),
    (
        "GroupQueryAttention",
        {
            "head_dim": 3,
            "num_query_heads": 4,
            "num_key_value_heads": 1,
            "use_bias": False,
            "sliding_window": 3,
            "return_attention_scores": True,
        },
        HEADS,
        (M4, None, M5),
    ),
    (
        "GroupQueryAttention",
        {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2, "use_causal_mask": True},
        ((2, 4, 6), (2, 4, 6)),
        None,
    ),
    ("PReLU", {"shared_axes": (1, 2)}, ((2, 3, 4, 2),), None),
    ("ReLU", {"max_value": 0.9, "negative_slope": 0.2, "threshold": 0.3}, ((2, 6),), None),
]


def drawn(what, generator):
    """Inputs by shape; `mask 2 4` is a mask of that shape, `below 8 2 5` holds integers."""
    if what is None:
        return None
    if isinstance(what, tuple):
        return jnp.asarray(generator.normal(size=what), jnp.float32)
    kind, *sizes = what.split()
    if kind == "below":
        top, *sizes = sizes
        return jnp.asarray(generator.integers(0, int(top), [int(size) for size in sizes]), "int32")
    mask = generator.random([int(size) for size in sizes]) < 0.6
    mask[..., 0] = True
    return jnp.asarray(mask)


def call(layer, name, x, masks, options):
    """Outputs and the mask that goes on."""
    if name in ("MultiHeadAttention", "GroupQueryAttention"):
        names = ("query_mask", "value_mask", "key_mask", "attention_mask")
        given = dict(zip(names, masks or (), strict=False))
        if name == "MultiHeadAttention" and given.get("query_mask") is not None:
            backend.set_keras_mask(x[0], given.pop("query_mask"))
        query, value, *key = x
        return layer(query, value, *key, **given, **options), masks[0] if masks else None
    if name == "Softmax":
        return layer(x[0], mask=None if masks is None else masks[0]), None
    if len(x) == 1:
        return layer(x[0]), layer.compute_mask(x[0], None)
    given = {} if masks is None else {"mask": list(masks)}
    after = layer.compute_mask(list(x), given.get("mask"))
    return layer(list(x), **(given if "Attention" in name else {}), **options), after


def computed(name, arguments, x, masks, weights, dtype):
    """Outputs, gradients and the mask that goes on, in one precision."""
    keras.config.set_floatx(dtype)
    options = {key: arguments[key] for key in CALLED if key in arguments}
    layer = getattr(keras.layers, name)(
        **{key: value for key, value in arguments.items() if key not in CALLED}
    )
    real = [jnp.issubdtype(a.dtype, jnp.floating) for a in x]
    x = tuple(a.astype(dtype) if is_real else a for a, is_real in zip(x, real, strict=True))
    call(layer, name, x, masks, options)
    variables = layer.trainable_variables
    trainable = [jnp.asarray(weights(v.path, v.shape), dtype) for v in variables]

    def run(trainable, x):
        with backend.StatelessScope(list(zip(variables, trainable, strict=True))):
            return call(layer, name, x, masks, options)

    def squares(trainable, x):
        return sum(jnp.sum(jnp.square(y)) for y in jax.tree.leaves(run(trainable, x)[0]))

    y, after = run(trainable, x)
    arrays = {"output": list(y) if isinstance(y, tuple) else [y]}
    if trainable:
        arrays["grad_weights"] = jax.grad(squares)(trainable, x)
    if all(real):
        arrays["grad_input"] = list(jax.grad(squares, argnums=1)(trainable, x))
    assert all(a.dtype == dtype for values in arrays.values() for a in values)
    return arrays, [a.astype("float32") for a in trainable], after


def main():
    generator = np.random.default_rng(0)
    cases, stored = [], {}

    def keep(values):
        keys = []
        for value in values:
            keys.append(None if value is None else f"a{len(stored)}")
            if value is not None:
                stored[keys[-1]] = np.asarray(value)
        return keys

    for number, (name, arguments, shapes, masked) in enumerate(CASES):
        x = tuple(drawn(shape, generator) for shape in shapes)
        if name == "Masking":
            x = (jnp.where(x[0] > 0, jnp.float32(2), x[0]),)
        masks = None if masked is None else tuple(drawn(what, generator) for what in masked)

        def weights(path, shape, number=number):
            seed = [number, *path.partition("/")[2].encode()]
            return np.random.default_rng(seed).normal(0, 0.5, shape).astype("float32")

        given = (name, arguments, x, masks, weights)
        with jax.enable_x64(True):
            exact, trainable, after = computed(*given, "float64")
        rough, _, _ = computed(*given, "float32")
        difference = max(
            float(np.max(np.abs(a - b) / (1 + np.abs(a))))
            for key in exact
            for a, b in zip(exact[key], rough[key], strict=True)
        )
        arrays = {"input": keep(x), "weights": keep(trainable)}
        arrays |= {key: keep(values) for key, values in exact.items()}
        if masks is not None:
            arrays["mask"] = keep(masks)
        if name != "Softmax" and "return_attention_scores" not in arguments:
            arrays["output_mask"] = keep([after])
        cases.append(
            {
                "id": f"more-k3-{name}-{number:02d}",
                "class": name,
                "generation": "keras-3.15.1",
                "args": [],
                "kwargs": arguments,
                "difference": float(f"{difference:.3g}"),
                "arrays": arrays,
            }
        )
    text = ",\n".join(json.dumps(case) for case in cases)
    (HERE / "layers_more_keras3.json").write_text(f"[\n{text}\n]\n")
    np.savez_compressed(HERE / "layers_more_keras3.npz", **stored)


if __name__ == "__main__":
    main()
