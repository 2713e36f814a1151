"""Calls of normalisations, codes of classes and attention: by name, inputs and what to do."""

import ml_dtypes
import numpy as np

R = np.random.RandomState(2)


def draw(*shape):
    return R.normal(size=shape).astype("float32")


A, HALF = draw(3, 4), draw(3, 4).astype(ml_dtypes.bfloat16)
CUBE = draw(2, 3, 4) + 2
MEAN, VARIANCE, SHIFT, SCALE = draw(4), np.abs(draw(4)) + 0.1, draw(4), draw(4)
N = np.asarray([[1, -2, 3], [4, 0, -6]], "int32")
LABELS = np.asarray([[0, 2, 2], [3, -1, 1]], "int32")
ROW = np.asarray([1, 3], "int32")
Q, K, V = draw(2, 3, 4, 8), draw(2, 5, 4, 8), draw(2, 5, 4, 8)
FEW = draw(2, 5, 2, 8)
BIAS, MASK = draw(2, 4, 3, 5), R.uniform(size=(2, 1, 3, 5)) < 0.7
MASK[..., 0] = True

CALLS = {
    "batch_normalization": [
        (
            (A, MEAN, VARIANCE, SHIFT, SCALE),
            lambda ops, x, m, v, b, g: ops.batch_normalization(x, m, v, -1, b, g),
        ),
        (
            (A, MEAN, VARIANCE),
            lambda ops, x, m, v: ops.batch_normalization(x, m, v, axis=1, epsilon=0.1),
        ),
        (
            (CUBE, MEAN[:3], VARIANCE[:3], SCALE[:3]),
            lambda ops, x, m, v, g: ops.batch_normalization(x, m, v, 1, scale=g),
        ),
        ((HALF, MEAN, VARIANCE), lambda ops, x, m, v: ops.batch_normalization(x, m, v, -1)),
    ],
    "layer_normalization": [
        ((A,), lambda ops, x: ops.layer_normalization(x)),
        ((A, SCALE, SHIFT), lambda ops, x, g, b: ops.layer_normalization(x, g, b, epsilon=0.1)),
        ((CUBE, CUBE[0]), lambda ops, x, g: ops.layer_normalization(x, g, axis=(1, 2))),
        ((CUBE, SCALE[:3]), lambda ops, x, g: ops.layer_normalization(x, g, axis=1)),
        ((HALF, SCALE), lambda ops, x, g: ops.layer_normalization(x, g)),
        ((N,), lambda ops, x: ops.layer_normalization(x)),
    ],
    "rms_normalization": [
        ((A,), lambda ops, x: ops.rms_normalization(x)),
        ((A, SCALE), lambda ops, x, g: ops.rms_normalization(x, g, epsilon=0.1)),
        ((CUBE,), lambda ops, x: ops.rms_normalization(x, axis=(1, 2))),
        ((HALF,), lambda ops, x: ops.rms_normalization(x)),
    ],
    "moments": [
        ((A,), lambda ops, x: ops.moments(x, 0)),
        ((CUBE,), lambda ops, x: ops.moments(x, [0, 2], keepdims=True)),
        ((HALF,), lambda ops, x: ops.moments(x, (1,))),
        ((N,), lambda ops, x: ops.moments(x, (0,))),
    ],
    "normalize": [
        ((A,), lambda ops, x: ops.normalize(x)),
        ((A,), lambda ops, x: ops.normalize(x * 0, axis=0)),
        ((A,), lambda ops, x: ops.normalize(x, axis=0, order=1)),
        ((A,), lambda ops, x: ops.normalize(x, order=3, epsilon=10.0)),
        ((CUBE,), lambda ops, x: ops.normalize(x, axis=(1, 2), epsilon=0.5)),
        ((N,), lambda ops, x: ops.normalize(x, order=1)),
        ((HALF,), lambda ops, x: ops.normalize(x)),
    ],
    "one_hot": [
        ((LABELS,), lambda ops, x: ops.one_hot(x, 4)),
        ((LABELS,), lambda ops, x: ops.one_hot(x, 3, axis=1, dtype="int32")),
        ((LABELS,), lambda ops, x: ops.one_hot(x, 3, axis=0, dtype="bool")),
    ],
    "one_hot_sparse": [
        ((LABELS,), lambda ops, x: ops.one_hot(x, 4, sparse=True).todense()),
        ((LABELS,), lambda ops, x: ops.one_hot(x, 4, axis=1, sparse=True).todense()),
    ],
    "multi_hot": [
        ((LABELS,), lambda ops, x: ops.multi_hot(x, 4)),
        ((ROW,), lambda ops, x: ops.multi_hot(x, num_classes=5, dtype="int32")),
        ((LABELS,), lambda ops, x: ops.multi_hot(x, num_tokens=4)),
    ],
    "multi_hot_sparse": [
        ((ROW,), lambda ops, x: ops.multi_hot(x, 4, sparse=True).todense()),
    ],
    "dot_product_attention": [
        ((Q, K, V), lambda ops, q, k, v: ops.dot_product_attention(q, k, v)),
        ((Q, Q, Q), lambda ops, q, k, v: ops.dot_product_attention(q, k, v, is_causal=True)),
        (
            (Q, K, V, BIAS),
            lambda ops, q, k, v, b: ops.dot_product_attention(q, k, v, bias=b, scale=0.3),
        ),
        ((Q, K, V, MASK), lambda ops, q, k, v, m: ops.dot_product_attention(q, k, v, mask=m)),
        ((Q, FEW, FEW), lambda ops, q, k, v: ops.dot_product_attention(q, k, v)),
        (
            tuple(x.astype(ml_dtypes.bfloat16) for x in (Q, K, V)),
            lambda ops, q, k, v: ops.dot_product_attention(q, k, v, flash_attention=False),
        ),
    ],
}
EAGER = {"multi_hot_sparse", "one_hot_sparse"}
"""Operations that take no symbolic tensors here."""
