"""Write `backend.json` and `backend.npz`: functions of tf_keras's backend on drawn arrays.

Run it where tf_keras is installed: `python tests/golden/make_backend.py`.
"""

import json
from pathlib import Path

import numpy as np
import tensorflow as tf
from tf_keras import backend as K


def array(*shape):
    return {"array": shape}


def share(*shape):
    return {"share": shape}


def whole(limit, *shape):
    return {"whole": shape, "limit": limit}


CASES = [
    ("conv1d", [array(2, 7, 3), array(3, 3, 4)], {"padding": "same", "strides": 2}),
    ("conv1d", [array(2, 7, 3), array(3, 3, 4)], {"padding": "causal", "dilation_rate": 2}),
    ("conv2d", [array(2, 6, 5, 3), array(3, 2, 3, 4)], {"padding": "same"}),
    ("conv2d", [array(2, 6, 5, 3), array(3, 3, 3, 4)], {"strides": (2, 1)}),
    ("conv2d", [array(2, 7, 7, 2), array(3, 3, 2, 3)], {"dilation_rate": (2, 2)}),
    ("conv3d", [array(1, 4, 5, 4, 2), array(2, 3, 2, 2, 3)], {"padding": "same"}),
    (
        "conv2d_transpose",
        [array(2, 4, 4, 3), array(3, 3, 2, 3), (2, 8, 8, 2)],
        {"strides": (2, 2), "padding": "same"},
    ),
    ("conv2d_transpose", [array(1, 3, 3, 2), array(3, 3, 4, 2), (1, 5, 5, 4)], {}),
    ("depthwise_conv2d", [array(2, 5, 5, 3), array(3, 3, 3, 2)], {"padding": "same"}),
    (
        "separable_conv2d",
        [array(2, 5, 5, 3), array(3, 3, 3, 2), array(1, 1, 6, 4)],
        {"strides": (2, 2)},
    ),
    ("local_conv1d", [array(2, 5, 3), array(3, 9, 4), (3,), (1,)], {}),
    ("local_conv2d", [array(2, 4, 4, 2), array(9, 8, 3), (2, 2), (1, 1), (3, 3)], {}),
    ("pool2d", [array(2, 5, 6, 2), (2, 3)], {"padding": "same", "strides": (2, 2)}),
    ("pool2d", [array(2, 5, 6, 2), (2, 2)], {"pool_mode": "avg", "padding": "same"}),
    ("pool3d", [array(1, 4, 4, 4, 2), (2, 2, 2)], {"strides": (2, 2, 2), "pool_mode": "avg"}),
    ("resize_images", [array(1, 3, 2, 2), 2, 3, "channels_last"], {}),
    ("resize_volumes", [array(1, 2, 3, 2, 1), 2, 1, 3, "channels_last"], {}),
    ("spatial_2d_padding", [array(1, 2, 3, 1)], {"padding": ((1, 0), (2, 1))}),
    ("spatial_3d_padding", [array(1, 2, 2, 2, 1)], {"padding": ((1, 0), (0, 1), (2, 0))}),
    ("temporal_padding", [array(2, 3, 2)], {"padding": (2, 1)}),
    ("batch_dot", [array(3, 4, 5), array(3, 5, 2)], {}),
    ("batch_dot", [array(3, 4), array(3, 4)], {"axes": 1}),
    ("batch_dot", [array(3, 4, 5), array(3, 5)], {"axes": (2, 1)}),
    ("batch_dot", [array(3, 4, 5), array(3, 4, 2)], {"axes": (1, 1)}),
    ("batch_dot", [array(2, 3, 4, 5), array(2, 3, 5, 2)], {}),
    ("dot", [array(2, 3, 4), array(4, 5)], {}),
    ("dot", [array(2, 3, 4), array(3, 4, 5)], {}),
    ("bias_add", [array(2, 3, 4, 5), array(5)], {}),
    ("bias_add", [array(2, 3, 4, 5), array(5)], {"data_format": "channels_last"}),
    ("bias_add", [array(2, 5, 3, 4), array(5)], {"data_format": "channels_first"}),
    (
        "batch_normalization",
        [array(2, 3, 4), array(4), share(4), array(4), array(4)],
        {"axis": -1, "epsilon": 0.01},
    ),
    ("normalize_batch_in_training", [array(4, 3), array(3), array(3), [0]], {"epsilon": 0.01}),
    ("l2_normalize", [array(3, 4)], {"axis": 1}),
    ("binary_crossentropy", [share(3, 4), share(3, 4)], {}),
    ("binary_crossentropy", [share(3, 4), array(3, 4)], {"from_logits": True}),
    ("binary_focal_crossentropy", [share(3, 4), share(3, 4)], {"gamma": 1.5}),
    ("categorical_crossentropy", [share(3, 4), share(3, 4)], {}),
    ("categorical_crossentropy", [share(2, 4, 3), share(2, 4, 3)], {"axis": 1}),
    ("categorical_focal_crossentropy", [share(3, 4), share(3, 4)], {"alpha": 0.3}),
    ("sparse_categorical_crossentropy", [whole(4, 5), share(5, 4)], {}),
    ("sparse_categorical_crossentropy", [whole(4, 5), array(5, 4)], {"from_logits": True}),
    ("in_top_k", [array(6, 5), whole(5, 6), 2], {}),
    ("relu", [array(4, 5)], {"alpha": 0.1, "max_value": 1.0, "threshold": 0.2}),
    ("elu", [array(4, 5)], {"alpha": 0.7}),
    ("hard_sigmoid", [array(4, 5)], {}),
    ("softsign", [array(4, 5)], {}),
    ("softmax", [array(4, 5)], {"axis": 0}),
    ("clip", [array(4, 5), -0.5, 0.3], {}),
    ("round", [array(4, 5)], {}),
    ("one_hot", [whole(4, 2, 3), 4], {}),
    ("gather", [array(4, 5), whole(4, 2, 3)], {}),
    ("repeat", [array(2, 3), 4], {}),
    ("repeat_elements", [array(2, 3, 2), 3, 1], {}),
    ("reverse", [array(2, 3, 2), (0, 2)], {}),
    ("cumprod", [array(2, 3)], {"axis": 1}),
    ("ctc_batch_cost", [whole(4, 3, 3), share(3, 8, 5), whole(1, 3, 1), whole(1, 3, 1)], {}),
    ("ctc_decode", [share(3, 6, 4), np.array([6, 5, 4])], {}),
    ("ctc_decode", [share(3, 5, 3), np.array([5, 5, 4])], {"greedy": False, "top_paths": 3}),
]


def drawn(part, random):
    if not isinstance(part, dict):
        return part
    if "array" in part:
        return random.normal(size=part["array"]).astype("float32")
    if "share" in part:
        values = random.uniform(0.05, 1.0, size=part["share"])
        return (values / values.sum(-1, keepdims=True)).astype("float32")
    return random.integers(0, part["limit"], size=part["whole"]).astype("int32")


def main():
    described, arrays = [], {}
    for number, (name, args, options) in enumerate(CASES):
        random = np.random.default_rng(number)
        values = [drawn(part, random) for part in args]
        if name == "ctc_batch_cost":
            values[2], values[3] = np.array([[8], [7], [8]]), np.array([[3], [2], [1]])
        tensors = [tf.constant(v) if isinstance(v, np.ndarray) else v for v in values]
        result = getattr(K, name)(*tensors, **options)
        flat = []
        for part in result if isinstance(result, tuple) else (result,):
            flat.extend(part if isinstance(part, list) else [part])
        for place, value in enumerate(values):
            if isinstance(value, np.ndarray):
                arrays[f"{number}/in/{place}"] = value
        for place, value in enumerate(flat):
            arrays[f"{number}/out/{place}"] = np.asarray(value)
        plain = [None if isinstance(value, np.ndarray) else value for value in values]
        described.append(
            {"function": name, "args": plain, "options": options, "outputs": len(flat)}
        )
    here = Path(__file__).parent
    lines = ",\n".join(json.dumps(case) for case in described)
    (here / "backend.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    np.savez_compressed(here / "backend.npz", **arrays)


if __name__ == "__main__":
    main()
