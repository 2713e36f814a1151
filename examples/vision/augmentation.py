"""Augmentation on the device: each step sees other turns, zooms and shifts of 500 digits.

The random layers are part of the model, run inside the compiled step and do nothing at inference.

Score: 92.9 % of 1,000 test digits, against 91.8 % without them, after 30 epochs, in 25 seconds.
"""

import sys
from pathlib import Path

import jax
import numpy as np

sys.path.append(str(Path(__file__).parents[1]))
from common import digits, start

from funkeras.layers import (
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    MaxPooling2D,
    RandomRotation,
    RandomTranslation,
    RandomZoom,
)
from funkeras.models import Sequential
from funkeras.utils.charts import plot_curves
from funkeras.utils.plotting import samples_grid


def random_layers():
    still = {"fill_mode": "constant", "fill_value": 0.0}
    return [
        RandomRotation(0.04, **still),
        RandomZoom(0.15, **still),
        RandomTranslation(0.08, 0.08, **still),
    ]


def classifier(first):
    return Sequential(
        [
            *first,
            Conv2D(16, 3, activation="relu"),
            MaxPooling2D(),
            Conv2D(32, 3, activation="relu"),
            MaxPooling2D(),
            Flatten(),
            Dropout(0.5),
            Dense(10, activation="softmax"),
        ]
    )


def main() -> float:
    run = start(__doc__, epochs=30)
    (x_train, y_train), test = digits(run)
    train = x_train[:500], y_train[:500]
    curves = {}
    for name, first in {"augmented": random_layers(), "as they are": []}.items():
        model = classifier(first)
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        history = model.fit(*train, epochs=run.epochs, validation_data=test, verbose=0)
        curves[name] = history.history["val_acc"]
        print(f"{name}: {curves[name][-1]:.1%} of the test digits")

    run.picture("augmentation_curves", plot_curves, curves, y_label="test accuracy")
    changing = Sequential(random_layers())
    changing.build((None, 28, 28, 1))
    shown = [x_train[:8]]
    for key in jax.random.split(run.key(), 3):
        shown.append(changing.functional.apply({}, {}, x_train[:8], training=True, key=key)[0])
    run.picture(
        "augmentation_samples",
        samples_grid,
        np.concatenate(shown),
        columns=8,
        row_names=["original", "step 1", "step 2", "step 3"],
    )
    return curves["augmented"][-1]


if __name__ == "__main__":
    main()
