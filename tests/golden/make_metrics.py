"""Write metrics_keras3.{json,npz}: running values of Keras 3's metrics over three batches.

Run with genuine Keras: `KERAS_BACKEND=jax python tests/golden/make_metrics.py`.
"""

import json
import warnings
from pathlib import Path

import keras
import numpy as np

HERE = Path(__file__).parent
BATCHES = (8, 8, 5)

PLAIN = [
    ("Mean", {}, "values"),
    ("Mean", {}, "values_2d"),
    ("Sum", {}, "values"),
    ("Sum", {}, "values_2d"),
    ("Accuracy", {}, "labels"),
    ("BinaryAccuracy", {}, "binary"),
    ("BinaryAccuracy", {"threshold": 0.3}, "multilabel"),
    ("CategoricalAccuracy", {}, "onehot"),
    ("SparseCategoricalAccuracy", {}, "sparse"),
    ("SparseCategoricalAccuracy", {}, "sparse_column"),
    ("TopKCategoricalAccuracy", {"k": 2}, "onehot"),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, "sparse"),
    ("MeanSquaredError", {}, "real"),
    ("MeanSquaredError", {}, "real_3d"),
    ("RootMeanSquaredError", {}, "real"),
    ("MeanAbsoluteError", {}, "real"),
    ("MeanAbsolutePercentageError", {}, "real"),
    ("MeanSquaredLogarithmicError", {}, "real"),
    ("CosineSimilarity", {}, "real"),
    ("LogCoshError", {}, "real"),
    ("PearsonCorrelation", {}, "real"),
    ("ConcordanceCorrelation", {}, "real"),
    ("R2Score", {}, "real"),
    ("R2Score", {"class_aggregation": None}, "real"),
    ("R2Score", {"class_aggregation": "variance_weighted_average"}, "real"),
    ("R2Score", {"num_regressors": 2}, "real"),
    ("Hinge", {}, "binary_column"),
    ("SquaredHinge", {}, "binary_column"),
    ("CategoricalHinge", {}, "onehot"),
    ("KLDivergence", {}, "onehot"),
    ("Poisson", {}, "onehot"),
    ("BinaryCrossentropy", {"label_smoothing": 0.1}, "multilabel"),
    ("BinaryCrossentropy", {"from_logits": True}, "binary_logits"),
    ("CategoricalCrossentropy", {"label_smoothing": 0.1}, "onehot"),
    ("SparseCategoricalCrossentropy", {}, "sparse"),
    ("SparseCategoricalCrossentropy", {"ignore_class": 1}, "sparse"),
    ("TruePositives", {}, "binary"),
    ("TrueNegatives", {"thresholds": [0.2, 0.7]}, "binary"),
    ("FalsePositives", {"thresholds": [0.7, 0.2]}, "multilabel"),
    ("FalseNegatives", {"thresholds": [0.0, 0.5, 1.0]}, "binary"),
    ("Precision", {}, "binary"),
    ("Precision", {"thresholds": [0.3, 0.5, 0.9]}, "binary"),
    ("Precision", {"top_k": 2}, "multilabel"),
    ("Precision", {"class_id": 1}, "multilabel"),
    ("Precision", {"top_k": 2, "class_id": 3}, "multilabel"),
    ("Recall", {}, "binary"),
    ("Recall", {"thresholds": [0.0, 0.5, 1.0]}, "multilabel"),
    ("Recall", {"top_k": 1}, "onehot"),
    ("PrecisionAtRecall", {"recall": 0.6}, "binary"),
    ("RecallAtPrecision", {"precision": 0.6}, "binary"),
    ("SensitivityAtSpecificity", {"specificity": 0.5}, "binary"),
    ("SpecificityAtSensitivity", {"sensitivity": 0.5, "num_thresholds": 50}, "binary"),
    ("SpecificityAtSensitivity", {"sensitivity": 0.5, "num_thresholds": 1}, "binary"),
    *(
        ("AUC", {"curve": curve, "summation_method": method}, "binary")
        for curve in ("ROC", "PR", "PRGAIN")
        for method in ("interpolation", "minoring", "majoring")
    ),
    ("AUC", {"num_thresholds": 7}, "extreme"),
    ("AUC", {"thresholds": [0.1, 0.35, 0.8]}, "binary"),
    ("AUC", {"from_logits": True}, "binary_logits"),
    ("AUC", {"multi_label": True}, "multilabel"),
    ("AUC", {"multi_label": True, "curve": "PR", "num_labels": 4}, "multilabel"),
    ("AUC", {"multi_label": True, "label_weights": [1.0, 2.0, 0.5, 1.0]}, "multilabel"),
    ("AUC", {"label_weights": [1.0, 2.0, 0.5, 1.0]}, "multilabel"),
    ("F1Score", {}, "onehot"),
    ("F1Score", {"average": "micro", "threshold": 0.4}, "multilabel"),
    ("FBetaScore", {"average": "macro", "beta": 2.0}, "onehot"),
    ("FBetaScore", {"average": "weighted", "beta": 0.5, "threshold": 0.5}, "multilabel"),
    ("IoU", {"num_classes": 4, "target_class_ids": [0, 2]}, "labels"),
    ("IoU", {"num_classes": 4, "target_class_ids": [0, 1], "ignore_class": 1}, "labels"),
    ("BinaryIoU", {"threshold": 0.4}, "binary"),
    ("BinaryIoU", {"target_class_ids": [1]}, "binary"),
    ("MeanIoU", {"num_classes": 4}, "labels"),
    ("MeanIoU", {"num_classes": 4, "sparse_y_pred": False}, "sparse"),
    ("OneHotIoU", {"num_classes": 4, "target_class_ids": [1, 3]}, "onehot"),
    ("OneHotMeanIoU", {"num_classes": 4}, "onehot"),
]


def batch(kind, size, rng):
    """Targets and predictions; one array for `values`."""
    scores = rng.random((size, 4))
    softmax = scores / scores.sum(-1, keepdims=True)
    classes = rng.integers(0, 4, size)
    coarse = np.round(rng.random(size), 1)  # several scores at thresholds and in ties
    flags = rng.random(size) < 0.3 + 0.4 * coarse
    made = {
        "values": (rng.normal(size=size),),
        "values_2d": (rng.normal(size=(size, 3)),),
        "labels": (classes, np.where(rng.random(size) < 0.6, classes, rng.integers(0, 4, size))),
        "binary": (flags, coarse),
        "binary_column": (flags[:, None], rng.normal(size=(size, 1))),
        "binary_logits": (flags[:, None], rng.normal(size=(size, 1))),
        "extreme": (flags, rng.choice([0.0, 0.5, 1.0, 1.2, -0.3], size)),
        "multilabel": (rng.random((size, 4)) < scores, scores),
        "onehot": (np.eye(4)[classes], softmax),
        "sparse": (classes, softmax),
        "sparse_column": (classes[:, None], softmax),
        "real": (rng.normal(size=(size, 3)), rng.normal(size=(size, 3))),
        "real_3d": (rng.normal(size=(size, 2, 3)), rng.normal(size=(size, 2, 3))),
    }[kind]
    return [np.asarray(a, np.int32 if a.dtype.kind == "i" else np.float32) for a in made]


def main():
    arrays, cases = {}, []
    for kind in dict.fromkeys(kind for _, _, kind in PLAIN):
        rng = np.random.default_rng(len(kind))
        for i, size in enumerate(BATCHES):
            for j, array in enumerate(batch(kind, size, rng)):
                arrays[f"{kind}/{i}/{j}"] = array
    rng = np.random.default_rng(0)
    for i, size in enumerate(BATCHES):
        arrays[f"weights/{i}"] = rng.integers(0, 4, size).astype(np.float32)
    for name, kwargs, kind in PLAIN:
        for weighted in (False, True):
            metric = getattr(keras.metrics, name)(**kwargs)
            key = f"{name}-{kind}-{'weighted' if weighted else 'plain'}-{len(cases)}"
            values = []
            for i in range(len(BATCHES)):
                data = [arrays[f"{kind}/{i}/{j}"] for j in range(1 if "values" in kind else 2)]
                weights = arrays[f"weights/{i}"] if weighted else None
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    metric.update_state(*data, sample_weight=weights)
                values.append(np.asarray(metric.result()))
            arrays[key] = np.stack(values)
            cases.append(
                {"id": key, "class": name, "kwargs": kwargs, "data": kind, "weighted": weighted}
            )
    lines = ",\n".join(json.dumps(case) for case in cases)
    (HERE / "metrics_keras3.json").write_text(f"[\n{lines}\n]\n")
    np.savez_compressed(HERE / "metrics_keras3.npz", **arrays)


if __name__ == "__main__":
    main()
