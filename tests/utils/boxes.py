"""`KERAS_BACKEND=jax python tests/utils/boxes.py`, with genuine Keras 3: boxes it gives.

Writes `tests/golden/bounding_boxes.npz`.
"""

from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).parents[1] / "golden" / "bounding_boxes.npz"
RNG = np.random.RandomState(0)
IMAGE = {"height": 90, "width": 120}
SHAPE = (90, 120, 3)
EACH = {"height": [90, 45], "width": [120, 60]}
ABSOLUTE = ("xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw")
FORMATS = (*ABSOLUTE, "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh")


def corners(*shape):
    """Boxes as corners in the image."""
    p, q = np.sort(RNG.rand(2, *shape, 2) * (118, 88), 0)
    return np.concatenate([p, q + 2], -1).astype("float32")


ONE, TWO, MANY, OTHERS = corners(5), corners(7), corners(2, 5), corners(2, 7)
OUTSIDE = {
    "boxes": np.array([[-10, -20, 150, 160], [50, 40, 70, 80], [130, 10, 140, 20]], "float32"),
    "labels": np.array([0, 1, 2]),
}
SHARES = {"boxes": OUTSIDE["boxes"] / 100, "labels": OUTSIDE["labels"]}
GONE = np.where(np.arange(5)[:, None] == 2, -1, ONE).astype("float32")
TURN = {
    name: np.array(values, "float32")
    for name, values in {
        "angle": [30, -100],
        "translate_x": [0.1, 0],
        "translate_y": [-0.2, 0.3],
        "scale": [1.5, 0.5],
        "shear_x": [10, 0],
        "shear_y": [0, -20],
    }.items()
}
VARIANCE = [0.1, 0.1, 0.2, 0.2]

CASES = {
    **{
        f"{a} to {b}": ("convert_format", (ONE / 120, a, b), IMAGE)
        for a in FORMATS
        for b in FORMATS
    },
    "sizes of each image": (
        "convert_format",
        (MANY, "xywh", "rel_yxyx"),
        {name: np.array(sizes, "float32")[:, None, None] for name, sizes in EACH.items()},
    ),
    "clipped": ("clip_to_image_size", (OUTSIDE,), IMAGE),
    "clipped shares": ("clip_to_image_size", (SHARES,), {"bounding_box_format": "rel_xyxy"}),
    "turned": ("affine_transform", (MANY,), {**TURN, **IMAGE}),
    "turned about a corner": (
        "affine_transform",
        (MANY,),
        {**TURN, **IMAGE, "center_x": 0.0, "center_y": 1.0},
    ),
    "cropped": ("crop", (ONE, 10, 20, 50, 60), {}),
    "padded": ("pad", (MANY, 10, 20), {}),
    **{
        f"encoded {kind}": (
            "encode_box_to_deltas",
            (ONE, MANY, "xyxy", "xyxy", kind),
            {"variance": variance},
        )
        for kind, variance in (("center_yxhw", None), ("center_xywh", VARIANCE))
    },
    "encoded shares": (
        "encode_box_to_deltas",
        (ONE, ONE / 120, "yxyx", "rel_xywh"),
        {"image_shape": SHAPE},
    ),
    "decoded": (
        "decode_deltas_to_boxes",
        (ONE, MANY / 120, "xywh", "yxyx"),
        {"variance": VARIANCE},
    ),
    "decoded shares": (
        "decode_deltas_to_boxes",
        (ONE, ONE / 120, "xyxy", "rel_center_xywh", "center_xywh"),
        {"image_shape": SHAPE},
    ),
    **{
        f"iou {a.ndim} {b.ndim}": ("compute_iou", (a, b, "xyxy"), {})
        for a in (ONE, MANY)
        for b in (TWO, OTHERS)
    },
    "iou of shares": ("compute_iou", (ONE / 120, TWO / 120, "rel_yxyx"), {"image_shape": SHAPE}),
    "iou masked": ("compute_iou", (GONE, TWO, "xyxy"), {"use_masking": True, "mask_val": -2}),
    **{f"ciou {kind}": ("compute_ciou", (MANY, MANY[::-1], kind), {}) for kind in ABSOLUTE},
}
"""Name → function, arguments and named ones."""


def result(name, functions):
    """What a case gives, as arrays by name."""
    function, args, given = CASES[name]
    copied = [dict(a) if isinstance(a, dict) else a for a in args]
    found = getattr(functions, function)(*copied, **given)
    parts = found if isinstance(found, dict) else {"": found}
    return {f"{name}/{part}": np.asarray(value) for part, value in parts.items()}


if __name__ == "__main__":
    import keras

    functions = keras.utils.bounding_boxes
    np.savez_compressed(GOLDEN, **{k: v for n in CASES for k, v in result(n, functions).items()})
