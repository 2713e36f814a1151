"""Write feature_space.{json,npz}, feature_space_{space,model,texts}.keras: what Keras 3 encodes.

Run with genuine Keras and TensorFlow, whose backend alone has strings within a model:
`KERAS_BACKEND=tensorflow python tests/golden/make_feature_space.py`.
"""

import json
import zipfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras.utils import FeatureSpace

HERE = Path(__file__).parent
RNG = np.random.default_rng(0)
ROWS = 70
PRICES = RNG.gamma(2, 30, ROWS).astype("float32").round(2)
TABLE = {
    "price": PRICES.tolist(),
    "rate": RNG.normal(3, 2, ROWS).astype("float32").tolist(),
    "rooms": RNG.integers(1, 6, ROWS).tolist(),
    "zip": RNG.integers(10000, 10012, ROWS).tolist(),
    "street": RNG.choice(["Oak", "Elm", "Main", "High", "Straße"], ROWS).tolist(),
    "kind": RNG.choice(["flat", "house", "loft"], ROWS, p=[0.6, 0.3, 0.1]).tolist(),
}
NEW = {
    "price": [10.0, 500.0, 47.5],
    "rate": [0.0, 3.0, -1.0],
    "rooms": [2, 77, 5],
    "zip": [10003, 99999, 10000],
    "street": ["Elm", "Nowhere", "Straße"],
    "kind": ["loft", "flat", "tent"],
}
WORDS = {
    "price": "float_discretized",
    "rate": "float_normalized",
    "rooms": "integer_categorical",
    "zip": "integer_hashed",
    "street": "string_hashed",
    "kind": "string_categorical",
}
OWN = {
    "price": ["float_discretized", {"num_bins": 5}],
    "rate": ["float_rescaled", {"scale": 0.5, "offset": 1.0}],
    "rooms": ["integer_categorical", {"max_tokens": 5, "num_oov_indices": 2}],
    "zip": ["integer_hashed", {"num_bins": 7}],
    "street": ["string_categorical", {"max_tokens": 4}],
    "kind": ["string_hashed", {"num_bins": 3}],
}
INT = {
    "price": ["float_discretized", {"num_bins": 3, "output_mode": "int"}],
    "rate": ["float", {}],
    "rooms": ["integer_categorical", {"num_oov_indices": 0, "output_mode": "int"}],
    "zip": ["integer_hashed", {"num_bins": 9, "output_mode": "int"}],
    "street": ["string_categorical", {"num_oov_indices": 3, "output_mode": "int"}],
    "kind": ["string_categorical", {"output_mode": "int"}],
}
CASES = [
    {"features": WORDS, "crosses": [["rooms", "kind"], ["street", "price"]]},
    {"features": WORDS, "crossing_dim": 6, "hashing_dim": 4, "num_discretization_bins": 6}
    | {"crosses": [["kind", "zip"]], "output_mode": "dict"},
    {"features": OWN, "crosses": [["zip", "rooms"], {"names": ["price", "kind"], "dim": 11}]},
    {"features": INT, "output_mode": "dict"}
    | {"crosses": [{"names": ["zip", "rooms"], "dim": 50, "output_mode": "int"}]},
    {"features": {"rate": "float_normalized"}},
]


def space(case):
    """The FeatureSpace that a case describes."""
    given = dict(case)
    features = {
        name: kind if isinstance(kind, str) else getattr(FeatureSpace, kind[0])(**kind[1])
        for name, kind in given.pop("features").items()
    }
    crosses = [
        FeatureSpace.cross(cross["names"], cross["dim"], cross.get("output_mode", "one_hot"))
        if isinstance(cross, dict)
        else tuple(cross)
        for cross in given.pop("crosses", [])
    ]
    return FeatureSpace(features, crosses=crosses, **given)


def packed(name):
    """Compress a file of Keras, whose members stay as they are."""
    path = HERE / name
    with zipfile.ZipFile(path) as archive:
        members = [(member, archive.read(member)) for member in archive.namelist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, text in members:
            archive.writestr(zipfile.ZipInfo(member), text, zipfile.ZIP_DEFLATED)


def main():
    """Encode the table and new rows in each case, adapted to single rows and to batches."""
    arrays, told = {}, []
    for number, case in enumerate(CASES):
        known = {name: np.array(TABLE[name]) for name in case["features"]}
        new = {name: NEW[name] for name in case["features"]}
        if number == 3:  # no place for the unknown
            new["rooms"] = [2, 1, 5]
        for batch in (None, 8):
            made = space(case)
            rows = tf.data.Dataset.from_tensor_slices(known)
            made.adapt(rows.batch(batch) if batch else rows)
            for what, data in (("known", known), ("new", new)):
                found = made(data)
                parts = found if isinstance(found, dict) else {"": found}
                for name, array in parts.items():
                    arrays[f"{number}/{batch}/{what}/{name}"] = np.asarray(array)
        one = made({name: values[0] for name, values in new.items()})
        shapes = {name: list(part.shape) for name, part in one.items()} if number in (1, 3) else {}
        told.append({**case, "single": shapes or list(one.shape), "columns": list(parts)})
    keras.utils.set_random_seed(0)
    saved = space(CASES[0])
    saved.adapt({name: np.array(values) for name, values in TABLE.items()})
    saved.save(HERE / "feature_space_space.keras")
    arrays["space"] = np.asarray(saved(NEW))
    y = keras.layers.Dense(1, activation="sigmoid")(saved.get_encoded_features())
    model = keras.Model(saved.get_inputs(), y)
    model.save(HERE / "feature_space_model.keras")
    tensors = {name: tf.constant(values)[:, None] for name, values in NEW.items()}
    arrays["model"] = np.asarray(model(tensors))
    texts = ["The cat sat", "a dog", "cat cat dog bird"]
    rare = keras.layers.TextVectorization(output_mode="tf_idf")
    rare.adapt(texts)
    model = keras.Sequential([keras.Input((), dtype="string"), rare, keras.layers.Dense(2)])
    model.save(HERE / "feature_space_texts.keras")
    arrays["texts"] = np.asarray(model(tf.constant(texts)))
    packed("feature_space_texts.keras")
    packed("feature_space_space.keras")
    packed("feature_space_model.keras")
    described = {"table": TABLE, "new": NEW, "cases": told}
    (HERE / "feature_space.json").write_text(json.dumps(described, ensure_ascii=False))
    np.savez_compressed(HERE / "feature_space.npz", **arrays)


if __name__ == "__main__":
    main()
