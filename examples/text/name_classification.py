"""Women's and men's first names: a recurrent network tells them apart by their letters.

Names are read from both ends; four of five in the census of 1990 are women's, so a class weight
keeps the others from being overlooked.

Score: 85.7 % of 1,033 held-out names after 15 epochs (77 % are women's), in 13 seconds.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parents[1]))
from common import start

from funkeras.datasets import first_names
from funkeras.layers import GRU, Bidirectional, Dense, Dropout, Embedding
from funkeras.models import Sequential
from funkeras.preprocessing.sequence import pad_sequences
from funkeras.preprocessing.text import Tokenizer
from funkeras.utils.plotting import plot_confusion

LENGTH = 12


def load(run):
    """Names, and whether more men than women have them; --data has 0 or 1, a tab and a name."""
    if run.data is None:
        parts = first_names.load_data()
        parts = tuple((names, shares[:, 1] > shares[:, 0]) for names, shares in parts)
    else:
        rows = [line.split("\t") for line in run.data.read_text(encoding="utf-8").splitlines()]
        names, male = [row[1] for row in rows], np.array([row[0] == "1" for row in rows])
        cut = len(rows) * 4 // 5
        parts = (names[:cut], male[:cut]), (names[cut:], male[cut:])
    return tuple(run.few(*part) for part in parts)


def main() -> float:
    run = start(__doc__, epochs=15)
    (names, y), (test_names, y_test) = load(run)
    tokenizer = Tokenizer(char_level=True)
    tokenizer.fit_on_texts([name.lower() for name in names])

    def letters(names):
        return pad_sequences(tokenizer.texts_to_sequences([n.lower() for n in names]), LENGTH)

    x, x_test = letters(names), letters(test_names)
    model = Sequential(
        [
            Embedding(len(tokenizer.word_index) + 1, 32, input_length=LENGTH, mask_zero=True),
            Bidirectional(GRU(64, dropout=0.2)),
            Dropout(0.3),
            Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=run.epochs, validation_data=(x_test, y_test), class_weight={0: 1, 1: 2})
    _, accuracy = model.evaluate(x_test, y_test)
    print(f"Test accuracy {accuracy:.4f}; {1 - y_test.mean():.4f} are names of women")
    guessed = model.predict(x_test)[:, 0] > 0.5
    run.picture("name_classification", plot_confusion, y_test, guessed, ["women", "men"])
    return accuracy


if __name__ == "__main__":
    main()
