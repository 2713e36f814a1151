"""Write losses_keras3.{json,npz}: values of Keras 3's loss objects.

Run with genuine Keras: `KERAS_BACKEND=jax python tests/golden/make_losses.py`.
"""

import json
from pathlib import Path

import keras
import numpy as np

HERE = Path(__file__).parent

CASES = [
    ("MeanSquaredError", {}, "real"),
    ("MeanSquaredError", {}, "real_3d"),
    ("MeanAbsoluteError", {}, "real"),
    ("MeanAbsolutePercentageError", {}, "real"),
    ("MeanSquaredLogarithmicError", {}, "real"),
    ("Huber", {"delta": 0.5}, "real"),
    ("LogCosh", {}, "real"),
    ("CosineSimilarity", {"axis": 0}, "real"),
    ("Hinge", {}, "multilabel"),
    ("SquaredHinge", {}, "multilabel"),
    ("CategoricalHinge", {}, "onehot"),
    ("KLDivergence", {}, "onehot"),
    ("Poisson", {}, "onehot"),
    ("BinaryCrossentropy", {"label_smoothing": 0.2}, "multilabel"),
    ("BinaryCrossentropy", {"from_logits": True}, "real_multilabel"),
    ("BinaryFocalCrossentropy", {}, "multilabel"),
    ("BinaryFocalCrossentropy", {"apply_class_balancing": True, "gamma": 3.0}, "multilabel"),
    ("BinaryFocalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, "real_multilabel"),
    ("CategoricalCrossentropy", {"label_smoothing": 0.2}, "onehot"),
    ("CategoricalCrossentropy", {"from_logits": True}, "real_onehot"),
    ("CategoricalFocalCrossentropy", {"alpha": 0.4, "label_smoothing": 0.1}, "onehot"),
    ("CategoricalFocalCrossentropy", {"from_logits": True}, "real_onehot"),
    ("SparseCategoricalCrossentropy", {}, "sparse"),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, "real_sparse"),
    ("SparseCategoricalCrossentropy", {"ignore_class": 1}, "sparse"),
    ("SparseCategoricalCrossentropy", {"ignore_class": 1, "from_logits": True}, "real_sparse"),
    ("CategoricalGeneralizedCrossEntropy", {"q": 0.7}, "sparse"),
    ("Dice", {}, "multilabel"),
    ("Dice", {"axis": -1}, "multilabel"),
    ("Tversky", {"alpha": 0.3, "beta": 0.7}, "multilabel"),
    ("Tversky", {"alpha": 0.3, "beta": 0.7, "axis": [1]}, "multilabel"),
    ("Circle", {}, "embedded"),
    ("Circle", {"gamma": 10.0, "margin": 0.2, "remove_diagonal": False}, "embedded"),
    ("CTC", {}, "sequence"),
]
REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", None)


def targets(kind, rng, size=6):
    """Targets and predictions."""
    scores = rng.random((size, 4))
    classes = rng.integers(0, 4, size)
    logits = rng.normal(size=(size, 4))
    softmax = scores / scores.sum(-1, keepdims=True)
    units = logits / np.linalg.norm(logits, axis=-1, keepdims=True)
    flags = rng.random((size, 4)) < scores
    labels = np.array([[1, 2, 2], [3, 0, 0], [1, 1, 0], [2, 3, 1], [3, 3, 3], [1, 0, 0]])
    made = {
        "real": (rng.normal(size=(size, 4)), logits),
        "real_3d": (rng.normal(size=(size, 2, 3)), rng.normal(size=(size, 2, 3))),
        "multilabel": (flags, scores),
        "real_multilabel": (flags, logits),
        "onehot": (np.eye(4)[classes], softmax),
        "real_onehot": (np.eye(4)[classes], logits),
        "sparse": (classes, softmax),
        "real_sparse": (classes, logits),
        "embedded": (np.array([0, 1, 0, 1, 2, 0]), units),
        "sequence": (labels, rng.normal(size=(size, 9, 4))),
    }[kind]
    return [np.asarray(a, np.int32 if a.dtype.kind == "i" else np.float32) for a in made]


def main():
    arrays = {"weights": np.array([1, 0, 2, 0.5, 1, 3], np.float32)}
    cases = []
    for name, kwargs, kind in CASES:
        y_true, y_pred = targets(kind, np.random.default_rng(len(kind)))
        arrays[f"{kind}/y_true"], arrays[f"{kind}/y_pred"] = y_true, y_pred
        key = f"{name}-{kind}-{len(cases)}"
        values = np.asarray(getattr(keras.losses, name)(**kwargs).call(y_true, y_pred))
        weights = arrays["weights"].reshape((-1,) + (1,) * (values.ndim - 1))
        for reduction in REDUCTIONS:
            loss = getattr(keras.losses, name)(**kwargs, reduction=reduction)
            arrays[f"{key}/{reduction}"] = np.asarray(loss(y_true, y_pred))
            if len(values.shape) and len(values) == len(weights):
                weighted = loss(y_true, y_pred, sample_weight=weights)
                arrays[f"{key}/{reduction}/weighted"] = np.asarray(weighted)
        cases.append({"id": key, "class": name, "kwargs": kwargs, "data": kind})
    lines = ",\n".join(json.dumps(case) for case in cases)
    (HERE / "losses_keras3.json").write_text(f"[\n{lines}\n]\n")
    np.savez_compressed(HERE / "losses_keras3.npz", **arrays)


if __name__ == "__main__":
    main()
