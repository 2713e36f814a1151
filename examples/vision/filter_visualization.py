"""What excites a filter: images that gradient ascent makes, for all filters in one program.

A Keras model is trained, then cut at its second convolution: `Model(model.inputs, layer.output)`.
The cut model's `functional` is a pure function, to `grad` by its input and `vmap` over filters.

Score: all of 32 filters are excited more than by any of 1,000 test digits, in 10 seconds.
"""

import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

sys.path.append(str(Path(__file__).parents[1]))
from common import digits, start

from funkeras.layers import Activation, Conv2D, Dense, Flatten, Input, MaxPooling2D
from funkeras.models import Model
from funkeras.utils.plotting import samples_grid

STEPS = 50


def main() -> float:
    run = start(__doc__, epochs=4)
    train, (x_test, y_test) = digits(run)

    image = Input(shape=(28, 28, 1))
    seen = Conv2D(16, 5, activation="relu")(image)
    seen = Conv2D(32, 5, name="filters")(MaxPooling2D()(seen))
    seen = MaxPooling2D()(Activation("relu")(seen))
    scores = Dense(10, activation="softmax")(Flatten()(seen))
    model = Model(image, scores)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(*train, epochs=run.epochs, validation_data=(x_test, y_test))

    cut = Model(image, model.get_layer("filters").output)

    def excitement(image, channel):
        """How strongly one filter answers to an image, on the whole."""
        maps, _ = cut.functional.apply(cut.params, cut.state, image[None])
        return maps[..., channel].mean()

    def climb(channel, key):
        def step(_, image):
            slope = jax.grad(excitement)(image, channel)
            return jnp.clip(image + 0.02 * slope / slope.std(), 0, 1)

        grey = jax.random.uniform(key, (28, 28, 1), minval=0.4, maxval=0.6)
        return jax.lax.fori_loop(0, STEPS, step, grey)

    channels = jnp.arange(32)
    keys = jax.random.split(run.key(), 32)
    made = jax.jit(jax.vmap(climb))(channels, keys)
    by_made = jax.vmap(excitement)(made, channels)
    by_digits = cut.predict(x_test).mean((1, 2)).max(0)
    most = float(np.mean(by_made > by_digits))
    print(f"{most:.1%} of the filters are excited more than by any of {len(x_test)} digits")
    run.picture("filter_visualization", samples_grid, np.asarray(made), columns=8)
    return most


if __name__ == "__main__":
    main()
