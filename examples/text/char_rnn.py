"""A recurrent network learns to write, letter by letter, from the books of Moses.

An LSTM reads pieces of 100 letters and says after each which one it expects; what it writes is
drawn from what it expects. Karpathy 2015, https://karpathy.github.io/2015/05/21/rnn-effectiveness/
The rate was chosen by a part that is neither trained on nor scored: there it is 1.70 bits.

Score: 1.72 bits per letter of the held-out end of the text, read in pieces of 1,000 letters, after
8 epochs, in 65 seconds.
"""

import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

sys.path.append(str(Path(__file__).parents[1]))
from common import lettered, start

from funkeras.layers import LSTM, Dense, Embedding
from funkeras.losses import SparseCategoricalCrossentropy
from funkeras.models import Sequential
from funkeras.optimizers import Adam
from funkeras.optimizers.schedules import CosineDecay
from funkeras.utils.charts import plot_curves

LENGTH, BATCH = 100, 64


def pieces(numbers, length):
    """Pieces of the text, one after the other, and the same a letter later."""
    count = (len(numbers) - 1) // length
    cut = numbers[: count * length + 1]
    return cut[:-1].reshape(count, length), cut[1:].reshape(count, length)


def write(model, numbers, letters, key, warmth=0.7):
    """As many letters as asked for, each drawn from what the last 100 let the model expect."""

    def step(window, key):
        expected, _ = model.functional.apply(model.params, model.state, window[None])
        letter = jax.random.categorical(key, expected[0, -1] / warmth)
        return jnp.append(window[1:], letter), letter

    return jax.lax.scan(step, jnp.asarray(numbers), jax.random.split(key, letters))[1]


def main() -> float:
    run = start(__doc__, epochs=8)
    alphabet, parts = lettered(run)
    x, y = pieces(parts[0], LENGTH)
    chosen_by, held_out = (pieces(part, 10 * LENGTH) for part in parts[1:])  # long: memory counts

    model = Sequential(
        [
            Embedding(len(alphabet), 32, input_shape=(None,)),
            LSTM(run.size(128, 16), return_sequences=True),
            Dense(len(alphabet)),
        ]
    )
    rate = CosineDecay(1.6e-2, run.epochs * -(-len(x) // BATCH))
    model.compile(Adam(rate, clipnorm=1.0), SparseCategoricalCrossentropy(from_logits=True))
    given = {"batch_size": BATCH, "epochs": run.epochs, "validation_data": chosen_by}
    history = model.fit(x, y, **given).history
    bits = model.evaluate(*held_out, verbose=0) / np.log(2)
    print(f"{bits:.3f} bits per letter of the held-out text")

    written = write(model, parts[2][:LENGTH], run.size(600, 20), run.key())
    text = "".join(alphabet[index] for index in written)
    print(text)
    run.write("char_rnn.txt", text)
    curves = {"training": history["loss"], "validation": history["val_loss"]}
    curves = {name: np.asarray(nats) / np.log(2) for name, nats in curves.items()}
    run.picture("char_rnn", plot_curves, curves, y_label="bits per letter")
    return float(bits)


if __name__ == "__main__":
    main()
