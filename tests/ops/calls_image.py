"""Calls of functions of images: by name, inputs and what to do with them."""

import ml_dtypes
import numpy as np

R = np.random.RandomState(3)
IMAGES = R.uniform(size=(2, 5, 4, 3)).astype("float32")
FIRST = np.moveaxis(IMAGES, -1, 1)
ONE = IMAGES[0]
HALF = ONE.astype(ml_dtypes.bfloat16)
BYTES = R.randint(0, 256, (5, 4, 3)).astype("uint8")
WHOLE = R.randint(0, 256, (1, 4, 5, 3)).astype("int32")
TALL = R.uniform(size=(2, 14, 13, 2)).astype("float32")
OTHER = np.clip(TALL + R.normal(size=TALL.shape) * 0.1, 0, 1).astype("float32")
VOLUMES = R.uniform(size=(1, 4, 4, 5, 2)).astype("float32")
COLORS = np.asarray([[[0, 0, 0], [1, 1, 1], [0.5, 0.2, 0.2], [0.2, 0.2, 0.5]]], "float32")
MOVES = np.asarray(
    [[1.5, 0.1, -1.2, 0.2, 0.8, 0.7, 0, 0], [1, 0.5, 0.3, -0.3, 1, 1.1, 0, 0]], "float32"
)
STARTS = np.asarray([[0, 0], [3, 0], [0, 4], [3, 4]], "float32")
ENDS = np.asarray([[0.5, 0.2], [2.7, 0.4], [0.1, 3.5], [3.2, 4.5]], "float32")
PLACES = R.uniform(-1, 5, (2, 4, 3)).astype("float32")
SCALE, SHIFT = np.asarray([1.7, 0.8], "float32"), np.asarray([0.3, -0.6], "float32")
cf = {"data_format": "channels_first"}
cl = {"data_format": "channels_last"}

CALLS = {
    "affine_transform": [
        ((IMAGES, MOVES), lambda ops, x, t: ops.image.affine_transform(x, t)),
        ((ONE, MOVES[0]), lambda ops, x, t: ops.image.affine_transform(x, t, "nearest")),
        (
            (FIRST, MOVES),
            lambda ops, x, t: ops.image.affine_transform(x, t, fill_mode="reflect", **cf),
        ),
        *(
            (
                (IMAGES, MOVES),
                lambda ops, x, t, mode=mode: ops.image.affine_transform(
                    x, t, fill_mode=mode, fill_value=0.5
                ),
            )
            for mode in ("constant", "nearest", "wrap", "mirror")
        ),
        ((BYTES, MOVES[1]), lambda ops, x, t: ops.image.affine_transform(x, t)),
    ],
    "perspective_transform": [
        ((ONE, STARTS, ENDS), lambda ops, *all: ops.image.perspective_transform(*all)),
        (
            (IMAGES, np.stack([STARTS, ENDS]), np.stack([ENDS, STARTS])),
            lambda ops, *all: ops.image.perspective_transform(*all, fill_value=0.3),
        ),
        (
            (FIRST[0], STARTS, ENDS),
            lambda ops, *all: ops.image.perspective_transform(*all, "nearest", **cf),
        ),
    ],
    "elastic_transform": [
        ((IMAGES,), lambda ops, x: ops.image.elastic_transform(x, sigma=0.7, seed=3)),
        ((ONE,), lambda ops, x: ops.image.elastic_transform(x, 3.0, 0.5, "nearest", seed=5)),
        (
            (FIRST,),
            lambda ops, x: ops.image.elastic_transform(
                x, 5.0, 0.6, fill_mode="constant", fill_value=0.2, seed=1, **cf
            ),
        ),
    ],
    "map_coordinates": [
        ((ONE[..., 0], PLACES), lambda ops, x, c: ops.image.map_coordinates(x, c, order=1)),
        ((ONE[..., 0], PLACES), lambda ops, x, c: ops.image.map_coordinates(x, c, 0, "reflect")),
        (
            (ONE[..., 0], PLACES),
            lambda ops, x, c: ops.image.map_coordinates(x, c, 1, fill_value=-1.0),
        ),
        ((WHOLE[0, ..., 0], PLACES), lambda ops, x, c: ops.image.map_coordinates(x, c, 1)),
    ],
    "resize": [
        *(
            ((IMAGES,), lambda ops, x, way=way: ops.image.resize(x, (4, 7), way))
            for way in ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5")
        ),
        ((ONE,), lambda ops, x: ops.image.resize(x, (3, 3), antialias=True)),
        ((ONE,), lambda ops, x: ops.image.resize(x, (3, 5), crop_to_aspect_ratio=True)),
        (
            (ONE,),
            lambda ops, x: ops.image.resize(x, (3, 8), pad_to_aspect_ratio=True, fill_value=0.5),
        ),
        ((IMAGES,), lambda ops, x: ops.image.resize(x, (9, 3), pad_to_aspect_ratio=True)),
        ((FIRST,), lambda ops, x: ops.image.resize(x, [4, 7], **cf)),
        ((BYTES,), lambda ops, x: ops.image.resize(x, (7, 3), "bicubic")),
        ((HALF,), lambda ops, x: ops.image.resize(x, (4, 4))),
    ],
    "scale_and_translate": [
        (
            (IMAGES, SCALE, SHIFT),
            lambda ops, x, s, t: ops.image.scale_and_translate(
                x, (2, 7, 4, 3), s, t, (1, 2), "linear"
            ),
        ),
        (
            (ONE, SCALE, SHIFT),
            lambda ops, x, s, t: ops.image.scale_and_translate(
                x, (4, 4, 3), s, t, spatial_dims=(0, 1), method="lanczos3", antialias=False
            ),
        ),
    ],
    "crop_images": [
        ((IMAGES,), lambda ops, x: ops.image.crop_images(x, 1, 2, target_height=3, target_width=2)),
        ((ONE,), lambda ops, x: ops.image.crop_images(x, 1, 0, 2, 2)),
        (
            (FIRST,),
            lambda ops, x: ops.image.crop_images(
                x,
                bottom_cropping=1,
                right_cropping=1,
                target_height=3,
                target_width=2,
                data_format="channels_first",
            ),
        ),
    ],
    "pad_images": [
        ((IMAGES,), lambda ops, x: ops.image.pad_images(x, 1, 2, target_height=9, target_width=8)),
        ((ONE,), lambda ops, x: ops.image.pad_images(x, 1, 0, 2, 2)),
        (
            (FIRST,),
            lambda ops, x: ops.image.pad_images(
                x,
                bottom_padding=1,
                right_padding=0,
                target_height=8,
                target_width=6,
                data_format="channels_first",
            ),
        ),
        ((BYTES,), lambda ops, x: ops.image.pad_images(x, 1, 1, 1, 1)),
    ],
    "extract_patches": [
        ((IMAGES,), lambda ops, x: ops.image.extract_patches(x, (3, 2))),
        ((ONE,), lambda ops, x: ops.image.extract_patches(x, 2, 1, padding="same")),
        ((FIRST,), lambda ops, x: ops.image.extract_patches(x, 2, 1, 2, **cf)),
        ((VOLUMES,), lambda ops, x: ops.image.extract_patches(x, (2, 2, 2))),
    ],
    "extract_patches_3d": [
        ((VOLUMES,), lambda ops, x: ops.image.extract_patches_3d(x, 2)),
        ((VOLUMES[0],), lambda ops, x: ops.image.extract_patches_3d(x, (2, 2, 3), (2, 2, 1))),
    ],
    "rgb_to_grayscale": [
        ((IMAGES,), lambda ops, x: ops.image.rgb_to_grayscale(x)),
        ((FIRST[0],), lambda ops, x: ops.image.rgb_to_grayscale(x, **cf)),
        ((ONE[..., :1],), lambda ops, x: ops.image.rgb_to_grayscale(x)),
        ((BYTES,), lambda ops, x: ops.image.rgb_to_grayscale(x)),
        ((HALF,), lambda ops, x: ops.image.rgb_to_grayscale(x)),
    ],
    "rgb_to_hsv": [
        ((IMAGES,), lambda ops, x: ops.image.rgb_to_hsv(x)),
        ((COLORS,), lambda ops, x: ops.image.rgb_to_hsv(x)),
        ((FIRST,), lambda ops, x: ops.image.rgb_to_hsv(x, **cf)),
    ],
    "hsv_to_rgb": [
        ((IMAGES,), lambda ops, x: ops.image.hsv_to_rgb(x)),
        ((COLORS,), lambda ops, x: ops.image.hsv_to_rgb(x)),
        ((FIRST[0],), lambda ops, x: ops.image.hsv_to_rgb(x, **cf)),
    ],
    "gaussian_blur": [
        ((IMAGES,), lambda ops, x: ops.image.gaussian_blur(x, **cl)),
        ((ONE,), lambda ops, x: ops.image.gaussian_blur(x, (5, 3), (0.7, 1.5), **cl)),
        ((FIRST,), lambda ops, x: ops.image.gaussian_blur(x, (2, 4), (1.0, 2.0), **cf)),
    ],
    "sobel_edges": [
        ((IMAGES,), lambda ops, x: ops.image.sobel_edges(x)),
        ((FIRST,), lambda ops, x: ops.image.sobel_edges(x, **cf)),
        ((WHOLE,), lambda ops, x: ops.image.sobel_edges(x)),
    ],
    "ssim": [
        ((TALL, OTHER), lambda ops, x, y: ops.image.ssim(x, y)),
        ((TALL[0], OTHER[0]), lambda ops, x, y: ops.image.ssim(x, y, 2.0, 5, 0.8, 0.02, 0.05)),
        ((FIRST, FIRST[::-1]), lambda ops, x, y: ops.image.ssim(x, y, filter_size=4, **cf)),
    ],
}
EAGER = set()
"""Operations that take no symbolic tensors here."""
