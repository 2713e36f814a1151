"""Write fingerprints.json: TensorFlow's hashes of strings and of what inputs say together.

Run with TensorFlow: `python tests/golden/make_fingerprints.py`.
"""

import json
from pathlib import Path

import numpy as np
import tensorflow as tf

BINS = 2**62 + 12345
SIZES = (0, 1, 3, 4, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 200, 256, 300)
KEYS = ((0, 0), (133, 137), (-5, 2**63 - 1))


def crossed(*columns):
    columns = [tf.constant([[value] for value in column]) for column in columns]
    return tf.sparse.to_dense(tf.sparse.cross_hashed(columns, BINS)).numpy().ravel().tolist()


def main():
    rng = np.random.default_rng(0)
    data = [bytes(rng.integers(0, 256, size).astype("uint8")) for size in SIZES]
    numbers = rng.integers(-(2**63), 2**63 - 1, len(SIZES)).tolist()
    stored = {
        "bins": BINS,
        "data": [own.hex() for own in data],
        "numbers": numbers,
        "farm": tf.strings.to_hash_bucket_fast(data, BINS).numpy().tolist(),
        "sip": [
            [key, tf.strings.to_hash_bucket_strong(data, BINS, list(key)).numpy().tolist()]
            for key in KEYS
        ],
        "crossed": crossed(data, numbers, data[::-1]),
    }
    text = json.dumps(stored, separators=(",", ":"))
    (Path(__file__).parent / "fingerprints.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
