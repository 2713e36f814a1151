"""Calls of cross-entropies and the like: by name, inputs and what to do with them."""

import ml_dtypes
import numpy as np

R = np.random.RandomState(1)
LOGITS = R.normal(size=(4, 5)).astype("float32")
ODDS = np.exp(LOGITS)
P = ODDS / ODDS.sum(-1, keepdims=True)
TARGET = np.eye(5, dtype="float32")[[1, 0, 4, 4]]
LABELS = np.asarray([1, 0, 4, 3], "int32")
EDGES = np.asarray([[0.0, 1.0, 0.5, 1.0]], "float32")
BITS = np.asarray([[0, 1, 1, 0]], "int32")
SPEECH = R.normal(size=(2, 6, 4)).astype("float32") * 2
SHORT = R.normal(size=(2, 4, 3)).astype("float32")
WORDS = np.asarray([[1, 2, 2], [3, 1, 0]], "int32")
FEW, STEPS, FEWER = (np.asarray(x, "int32") for x in ([3, 2], [6, 4], [4, 3]))
REPEATS = np.asarray(
    [[[0, 1, 3], [0, 1, 3], [4, 1, 0], [0, 1, 3], [0, 5, 3], [0, 5, 2]]], "float32"
)
SIX = np.asarray([6], "int32")

CALLS = {
    "binary_crossentropy": [
        ((TARGET, P), lambda ops, t, y: ops.binary_crossentropy(t, y)),
        ((TARGET, LOGITS), lambda ops, t, y: ops.binary_crossentropy(t, y, from_logits=True)),
        ((BITS, EDGES), lambda ops, t, y: ops.binary_crossentropy(t, y)),
        (
            (TARGET, P.astype(ml_dtypes.bfloat16)),
            lambda ops, t, y: ops.binary_crossentropy(t, y),
        ),
    ],
    "categorical_crossentropy": [
        ((TARGET, ODDS), lambda ops, t, y: ops.categorical_crossentropy(t, y)),
        ((TARGET, LOGITS), lambda ops, t, y: ops.categorical_crossentropy(t, y, True)),
        ((TARGET, ODDS), lambda ops, t, y: ops.categorical_crossentropy(t, y, axis=0)),
        ((BITS, EDGES), lambda ops, t, y: ops.categorical_crossentropy(t, y)),
    ],
    "sparse_categorical_crossentropy": [
        ((LABELS, P), lambda ops, t, y: ops.sparse_categorical_crossentropy(t, y)),
        ((LABELS[:, None], P), lambda ops, t, y: ops.sparse_categorical_crossentropy(t, y)),
        (
            (LABELS, LOGITS),
            lambda ops, t, y: ops.sparse_categorical_crossentropy(t, y, from_logits=True),
        ),
    ],
    "ctc_loss": [
        ((WORDS, SPEECH, FEW, STEPS), lambda ops, *all: ops.ctc_loss(*all)),
        ((WORDS, SPEECH, FEW, STEPS), lambda ops, *all: ops.ctc_loss(*all, mask_index=3)),
        (
            (WORDS, SPEECH.astype(ml_dtypes.bfloat16), FEW, STEPS),
            lambda ops, *all: ops.ctc_loss(*all),
        ),
    ],
    "ctc_decode": [
        ((SPEECH, STEPS), lambda ops, x, n: ops.ctc_decode(x, n)),
        ((REPEATS, SIX), lambda ops, x, n: ops.ctc_decode(x, n)),
        ((REPEATS, SIX), lambda ops, x, n: ops.ctc_decode(x, n, merge_repeated=False)),
        ((REPEATS, SIX), lambda ops, x, n: ops.ctc_decode(x, n, mask_index=None)),
        (
            (SHORT, FEWER),
            lambda ops, x, n: ops.ctc_decode(x, n, "beam_search", beam_width=40, top_paths=3),
        ),
        (
            (SHORT, FEWER),
            lambda ops, x, n: ops.ctc_decode(
                x, n, strategy="beam_search", beam_width=50, top_paths=2, mask_index=1
            ),
        ),
        (
            (SHORT, FEWER),
            lambda ops, x, n: ops.ctc_decode(
                x, n, strategy="beam_search", beam_width=3, top_paths=2, mask_index=None
            ),
        ),
    ],
    "psnr": [((P, P[::-1]), lambda ops, x, y: ops.psnr(x, y, 1.0))],
}
EAGER = set()
"""Operations that take no symbolic tensors here."""
