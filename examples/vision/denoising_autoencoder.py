"""A denoising autoencoder: what it is shown is noisy, what it has to give back is not.

`GaussianNoise` draws new noise in every step, on the device. Convolutions with strides bring an
image down to 7×7, transposed ones bring it back.

Score: the mean squared error of noisy test digits falls from 0.251 to 0.017 after 5 epochs, in 17
seconds.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parents[1]))
from common import digits, start

from funkeras.layers import Conv2D, Conv2DTranspose, GaussianNoise
from funkeras.models import Sequential
from funkeras.utils.plotting import samples_grid

NOISE = 0.5


def main() -> float:
    run = start(__doc__, epochs=5)
    (x_train, _), (x_test, _) = digits(run)
    noisy = x_test + run.random().normal(0, NOISE, x_test.shape).astype("float32")

    model = Sequential(
        [
            GaussianNoise(NOISE, input_shape=(28, 28, 1)),
            Conv2D(16, 3, strides=2, padding="same", activation="relu"),
            Conv2D(32, 3, strides=2, padding="same", activation="relu"),
            Conv2D(32, 3, padding="same", activation="relu"),
            Conv2DTranspose(32, 3, strides=2, padding="same", activation="relu"),
            Conv2DTranspose(16, 3, strides=2, padding="same", activation="relu"),
            Conv2D(1, 3, padding="same", activation="sigmoid"),
        ]
    )
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["mse"])
    model.fit(x_train, x_train, batch_size=64, epochs=run.epochs, validation_data=(noisy, x_test))

    clean = model.predict(noisy)
    before, after = np.mean((noisy - x_test) ** 2), np.mean((clean - x_test) ** 2)
    print(f"Mean squared error {before:.4f} with noise, {after:.4f} without")
    run.picture(
        "denoising_autoencoder",
        samples_grid,
        np.concatenate([noisy[:10], clean[:10], x_test[:10]]),
        columns=10,
        row_names=["noisy", "denoised", "original"],
        limits=(0, 1),
    )
    return float(after)


if __name__ == "__main__":
    main()
