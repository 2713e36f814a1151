"""Where a network looks: the gradient of a class's score by the pixels, with `jax.grad`.

`model.functional` is a pure function of the variables and the input, so the gradient by the input
is one line. It is averaged over noisy copies of the image (Smilkov et al. 2017,
https://arxiv.org/abs/1706.03825). Whether it tells the truth is measured: the pixels it names are
painted over, and as many others.

Score: without the 40 pixels it names 74.7 % of 300 test digits are known, without 40 random pixels
of ink 95.7 %, in 12 seconds.
"""

import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

sys.path.append(str(Path(__file__).parents[1]))
from common import digits, start

from funkeras.layers import Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from funkeras.models import Sequential
from funkeras.utils.plotting import samples_grid

PIXELS, COPIES = 40, 16


def without(images, order):
    """The images with the first 40 pixels of an order of each painted grey."""
    flat = images.reshape(len(images), -1).copy()
    np.put_along_axis(flat, order[:, :PIXELS], 0.5, axis=1)
    return flat.reshape(images.shape)


def main() -> float:
    run = start(__doc__, epochs=6)
    train, (x_test, y_test) = digits(run)
    model = Sequential(
        [
            Conv2D(32, 3, activation="relu", input_shape=(28, 28, 1)),
            MaxPooling2D(),
            Conv2D(32, 3, activation="relu"),
            MaxPooling2D(),
            Flatten(),
            Dropout(0.5),
            Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(*train, epochs=run.epochs, validation_data=(x_test, y_test))

    def surprise(image, digit):
        """Minus the logarithm of the probability of a digit."""
        scores, _ = model.functional.apply(model.params, model.state, image[None])
        return -jnp.log(scores[0, digit] + 1e-7)

    def saliency(image, digit, key):
        noisy = image + 0.3 * jax.random.normal(key, (COPIES, *image.shape))
        slopes = jax.vmap(jax.grad(surprise), (0, None))(noisy, digit)
        return jnp.abs(slopes).mean(0)

    x, y = x_test[:300], y_test[:300]
    keys = jax.random.split(run.key(), len(x))
    maps = jax.lax.map(lambda case: saliency(*case), (x, y, keys), batch_size=20)
    maps = np.asarray(maps)[..., 0]

    by_slope = np.argsort(-maps.reshape(len(x), -1))
    ink = x.reshape(len(x), -1) > 0.5
    by_chance = np.argsort(-1.0 * ink - run.random().random(ink.shape))
    known, unnamed, named = (
        np.mean(model.predict_classes(images) == y)
        for images in (x, without(x, by_chance), without(x, by_slope))
    )
    print(f"{known:.1%} are known; without {PIXELS} pixels of ink {unnamed:.1%}")
    print(f"without the {PIXELS} pixels of the steepest slopes {named:.1%}")
    shown = [x[:10, ..., 0], maps[:10] / maps[:10].max((1, 2), keepdims=True)]
    run.picture(
        "saliency",
        samples_grid,
        np.concatenate([*shown, without(x, by_slope)[:10, ..., 0]]),
        columns=10,
        row_names=["digit", "saliency", "without"],
    )
    return float(named)


if __name__ == "__main__":
    main()
