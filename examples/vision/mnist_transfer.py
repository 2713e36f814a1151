"""Transfer learning: what a network sees in the digits 0–4 helps it to learn 5–9 from few images.

A convolutional network learns 0–4 from 2,000 images. Its convolutions are frozen, a new head is put
on them and learns 5–9 from 100 images. The same network from scratch has no such start.

Score: 93.0 % of 500 test digits 5–9, against 92.2 % from scratch, in 10 seconds.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
from common import digits, start

from funkeras.layers import Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from funkeras.models import Sequential
from funkeras.utils.charts import plot_curves


def features():
    return [
        Conv2D(32, 3, activation="relu", input_shape=(28, 28, 1)),
        MaxPooling2D(),
        Conv2D(32, 3, activation="relu"),
        MaxPooling2D(),
        Flatten(),
    ]


def trained(layers, train, test, epochs):
    """The network of these layers and a new head, and its test accuracy after each epoch."""
    head = [Dense(64, activation="relu"), Dropout(0.5), Dense(5, activation="softmax")]
    model = Sequential([*layers, *head])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(*train, batch_size=20, epochs=epochs, validation_data=test, verbose=0)
    return history.history["val_acc"]


def main() -> float:
    run = start(__doc__, epochs=30)
    (x_train, y_train), (x_test, y_test) = digits(run)
    low, high, high_test = y_train < 5, y_train >= 5, y_test >= 5
    few = x_train[high][:100], y_train[high][:100] - 5
    test = x_test[high_test], y_test[high_test] - 5

    layers = features()
    known = trained(
        layers,
        (x_train[low], y_train[low]),
        (x_test[y_test < 5], y_test[y_test < 5]),
        run.size(4, 1),
    )
    print(f"The digits 0 to 4: {known[-1]:.1%} right")
    for layer in layers:
        layer.trainable = False
    transferred = trained(layers, few, test, run.epochs)
    scratch = trained(features(), few, test, run.epochs)
    print(f"5 to 9, from 100 images: {transferred[-1]:.1%} right; {scratch[-1]:.1%} from scratch")
    run.picture(
        "mnist_transfer",
        plot_curves,
        {"on features of 0–4": transferred, "from scratch": scratch},
        y_label="test accuracy on 5–9",
        title="Learning five digits from 100 images",
    )
    return transferred[-1]


if __name__ == "__main__":
    main()
