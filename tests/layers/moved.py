"""`KERAS_BACKEND=jax python tests/layers/moved.py`, with genuine Keras 3: what its image layers do.

Writes `tests/golden/moved.npz`: images, masks, labels and boxes after given transformations.
"""

from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).parents[1] / "golden" / "moved.npz"
RNG = np.random.RandomState(0)
SIZES = {"square": (9, 9), "wide": (6, 10)}
FORMATS = (
    *("xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw"),
    *("rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh"),
)
IMAGES = {
    size: RNG.uniform(0, 255, (2, *shape, 3)).astype("float32") for size, shape in SIZES.items()
}
MASKS = {size: RNG.randint(0, 4, (2, *shape, 1)).astype("int32") for size, shape in SIZES.items()}
LABELS = np.eye(4, dtype="float32")[[1, 3]]
CORNERS = np.array(
    [[[0, 1, 4, 5], [3, 2, 9, 6], [1, 1, 2, 3]], [[2, 0, 5, 3], [0, 0, 9, 6], [6, 4, 8, 5]]],
    "float32",
)
CLASSES = np.array([[0, 1, 2], [2, 1, 0]])
ANGLES = np.array([30, -100], "float32")
STARTS = np.tile(np.array([[0, 0], [9, 0], [0, 5], [9, 5]], "float32"), (2, 1, 1))
ENDS = STARTS * np.random.RandomState(3).uniform(0.7, 1.3, STARTS.shape).astype("float32")
DRAWN = np.random.RandomState(4).uniform(size=2).astype("float32")
PER_IMAGE = DRAWN.reshape(2, 1, 1, 1)


def shape_of(size, first=False):
    rows, columns = SIZES[size]
    return (2, 3, rows, columns) if first else (2, rows, columns, 3)


def rotation(rows, columns):
    """Matrices of turns about the middle, by the formula."""
    turn = ANGLES * np.float32(np.pi / 180)
    cos, sin, none = np.cos(turn), np.sin(turn), np.zeros(2, "float32")
    x, y = (columns - 1) / 2, (rows - 1) / 2
    entries = [cos, -sin, x - x * cos + y * sin, sin, cos, y - x * sin - y * cos, none, none]
    return np.stack(entries, -1).astype("float32")


def turned(size):
    rows, columns = SIZES[size]
    of_image = {"image_height": rows, "image_width": columns, "batch_size": 2}
    return {"angle": ANGLES, "rotation_matrix": rotation(rows, columns), **of_image}


def drawn(**arrays):
    """A transformation of these, which knows the shape of the images."""
    return lambda size, first: {**arrays, "input_shape": shape_of(size, first)}


def plain(transformation):
    return lambda size, first: transformation


FLIPS = np.array([True, False]).reshape(2, 1, 1, 1)
ZOOMS = [np.array(zoom, "float32") for zoom in ([[0.7], [1.3]], [[0.8], [1.2]])]
SHIFTS = np.array([[3.25, -2], [-4, 1.5]], "float32")
SHEARS = [np.array(shear, "float32") for shear in ([[0.3, 0], [-0.4, 0]], [[0, 0.3], [0, -0.4]])]
CHANGED = np.array([True, False])
RECTANGLE = np.zeros((2, 6, 10, 1), bool)
RECTANGLE[0, 1:4, 2:9] = RECTANGLE[1, :3, :4] = True

CASES = {
    **{
        f"flip {mode}": ("RandomFlip", {"mode": mode}, "wide", drawn(flips=FLIPS))
        for mode in ("horizontal", "vertical", "horizontal_and_vertical")
    },
    "shift": (
        "RandomTranslation",
        {"height_factor": 0.5, "width_factor": 0.5, "fill_mode": "constant", "fill_value": 2.0},
        "wide",
        drawn(translations=SHIFTS),
    ),
    "zoom": (
        "RandomZoom",
        {"height_factor": 0.4, "width_factor": 0.3},
        "wide",
        drawn(height_zoom=ZOOMS[0], width_zoom=ZOOMS[1]),
    ),
    "turn": ("RandomRotation", {"factor": 0.5}, "wide", lambda size, first: turned(size)),
    **{
        f"shear {axis}": ("RandomShear", {"x_factor": 0.5}, "square", drawn(shear_factor=shear))
        for axis, shear in zip("xy", SHEARS, strict=True)
    },
    "perspective": (
        "RandomPerspective",
        {},
        "wide",
        drawn(apply_perspective=CHANGED, start_points=STARTS, end_points=ENDS),
    ),
    "middle": ("CenterCrop", {"height": 4, "width": 6}, "wide", drawn()),
    "middle enlarged": ("CenterCrop", {"height": 8, "width": 4}, "wide", drawn()),
    **{
        f"resized {name}": (
            "Resizing",
            {"height": 12, "width": 8, **how},
            "wide",
            lambda size, first: SIZES[size],
        )
        for name, how in {
            "freely": {},
            "cropped": {"crop_to_aspect_ratio": True},
            "padded": {"pad_to_aspect_ratio": True},
        }.items()
    },
    "brightness": (
        "RandomBrightness",
        {"factor": 0.5},
        "wide",
        plain({"rgb_delta": 99 * PER_IMAGE}),
    ),
    "contrast": ("RandomContrast", {"factor": 0.5}, "wide", plain({"contrast_factor": PER_IMAGE})),
    "hue": ("RandomHue", {"factor": 0.5}, "wide", plain({"factor": DRAWN / 4})),
    "saturation": ("RandomSaturation", {"factor": 0.5}, "wide", plain({"factor": DRAWN})),
    "grayer": ("RandomColorDegeneration", {"factor": 0.5}, "wide", plain({"factor": PER_IMAGE})),
    "gray": ("RandomGrayscale", {}, "wide", plain(CHANGED.reshape(2, 1, 1, 1))),
    "inverted": ("RandomInvert", {}, "wide", plain({"apply_inversion": CHANGED})),
    "posterized": (
        "RandomPosterization",
        {"factor": 4},
        "wide",
        plain({"shift_factor": np.array([5, 7], "uint8")}),
    ),
    "solarized": (
        "Solarization",
        {},
        "wide",
        plain({"additions": 40 * PER_IMAGE, "thresholds": 200 * PER_IMAGE}),
    ),
    "sharpness": ("RandomSharpness", {"factor": 0.5}, "wide", plain({"factor": DRAWN})),
    "blur": (
        "RandomGaussianBlur",
        {"kernel_size": (3, 5)},
        "wide",
        plain({"should_apply_blur": CHANGED, "blur_factor": DRAWN}),
    ),
    "erased": (
        "RandomErasing",
        {},
        "wide",
        plain({"apply_erasing": CHANGED, "batch_masks": RECTANGLE, "fill_value": PER_IMAGE}),
    ),
    "auto contrast": ("AutoContrast", {}, "wide", plain(None)),
    "equalization": ("Equalization", {}, "wide", plain(None)),
    "tiles": (
        "ContrastLimitedAdaptiveHistogramEqualization",
        {"tile_grid_size": (2, 2)},
        "wide",
        plain(None),
    ),
    "mixed": (
        "MixUp",
        {},
        "wide",
        plain({"mix_weight": DRAWN, "permutation_order": np.array([1, 0])}),
    ),
    "cut": (
        "CutMix",
        {},
        "wide",
        plain(
            {
                "batch_masks": RECTANGLE,
                "mix_weight": PER_IMAGE,
                "permutation_order": np.array([1, 0]),
            }
        ),
    ),
}
"""Name → layer, its arguments, which images, and from their size and layout a transformation."""

STEPS = {
    "random_shear": "shear x",
    "random_translation": "shift",
    "random_rotation": "turn",
    "random_brightness": "brightness",
    "random_color_degeneration": "grayer",
    "random_contrast": "contrast",
    "random_sharpness": "sharpness",
    "random_posterization": "posterized",
    "solarization": "solarized",
    "auto_contrast": "auto contrast",
    "equalization": "equalization",
}


def in_turn(size, first):
    transforms = {name: CASES[case][3](size, first) for name, case in STEPS.items()}
    return {"transforms": transforms, "layer_idxes": np.array([1, 3])}


CASES["in turn"] = ("RandAugment", {}, "wide", in_turn)

THROUGH_CORNERS = ("RandomRotation", "RandomPerspective")
"""Layers that take boxes as corners, or give such, whatever format they are told in Keras 3.15."""
NO_BOXES = ("MixUp", "CutMix", "ContrastLimitedAdaptiveHistogramEqualization")
"""Layers that refuse boxes, or give their labels another shape than the boxes in Keras 3.15."""
NO_MASKS = ("MixUp", "ContrastLimitedAdaptiveHistogramEqualization")
"""Layers that refuse masks, or mix up their pixels in Keras 3.15."""
BLURRED = ("middle enlarged",)
"""Cases in which masks get values between those of their pixels in Keras 3.15."""


def given_boxes(utils, kind, size):
    """The boxes in a format, with their labels."""
    rows, columns = SIZES[size]
    boxes = utils.convert_format(CORNERS, "xyxy", kind, height=rows, width=columns)
    return {"boxes": np.asarray(boxes), "labels": CLASSES}


def result(keras, name):
    """What a layer makes of a case, as arrays by name of part, the format of boxes behind it."""
    kind, kwargs, size, transformation = CASES[name]
    layer = getattr(keras.layers, kind)(**kwargs)
    how = transformation(size, False)
    found = {"images": layer.transform_images(IMAGES[size].copy(), how)}
    if kind not in NO_MASKS and name not in BLURRED:
        found["masks"] = layer.transform_segmentation_masks(MASKS[size].copy(), how)
    if kind in ("MixUp", "CutMix"):
        found["labels"] = layer.transform_labels(LABELS.copy(), how)
    if kind not in NO_BOXES:
        found |= {f"boxes {form}": boxes(keras, name, form) for form in FORMATS}
    return {part: np.asarray(value) for part, value in found.items()}


def boxes(keras, name, form):
    """What becomes of boxes: their numbers and, in a last column, their labels."""
    kind, kwargs, size, transformation = CASES[name]
    utils, convert = keras.utils.bounding_boxes, keras.ops.convert_to_tensor
    how = transformation(size, False)
    own = "xyxy" if kind in THROUGH_CORNERS else form
    held = {k: convert(v) for k, v in given_boxes(utils, own, size).items()}
    layer = getattr(keras.layers, kind)(**kwargs, bounding_box_format=own)
    held = layer.transform_bounding_boxes(held, transformation=how)
    if own != form:
        rows, columns = SIZES[size]
        held = utils.convert_format(held, own, form, height=rows, width=columns)
    labels = np.asarray(held["labels"])[..., None]
    return np.concatenate([np.asarray(held["boxes"]), labels.astype("float32")], -1)


if __name__ == "__main__":
    import keras

    stored = {}
    for name in CASES:
        stored |= {f"{name}/{part}": value for part, value in result(keras, name).items()}
    np.savez_compressed(GOLDEN, **stored)
