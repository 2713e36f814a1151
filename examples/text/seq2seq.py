"""From letters to sounds: one network reads a word, another says it and looks back at the letters.

Two GRUs read the letters, one from each end. A third begins with what they know and says sound
after sound; before each, attention picks the letters that matter. Luong, Pham and Manning 2015,
https://arxiv.org/abs/1508.04025

Score: 50.6 % of 4,000 held-out words are right with all stresses, 15.0 % of the sounds are wrong,
after 6 epochs, in 63 seconds.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parents[1]))
from common import start

from funkeras.datasets import letters_to_sounds
from funkeras.layers import GRU, Attention, Bidirectional, Dense, Dropout, Embedding, Input
from funkeras.layers import concatenate as beside
from funkeras.models import Model
from funkeras.optimizers import Adam
from funkeras.optimizers.schedules import CosineDecay
from funkeras.preprocessing.sequence import pad_sequences
from funkeras.preprocessing.text import Tokenizer
from funkeras.utils.charts import plot_heatmap

UNITS, BATCH = 128, 128


def load(run):
    """Words and their sounds; --data has lines like `cat K AE1 T`, the last tenth for the test."""
    parts = letters_to_sounds.load_data()
    if run.data is not None:
        rows = [line.split() for line in run.data.read_text(encoding="utf-8").splitlines()]
        words, sounds, cut = (
            [row[0] for row in rows],
            [row[1:] for row in rows],
            len(rows) * 9 // 10,
        )
        parts = (words[:cut], sounds[:cut]), (words[cut:], sounds[cut:])
    return tuple(run.few(*part) for part in parts)


def numbers(*texts, **options):
    """A tokenizer of the first texts, and all of them as numbers, with 0 behind the short ones."""
    tokenizer = Tokenizer(filters="", lower=False, **options)
    tokenizer.fit_on_texts(texts[0])
    rows = [tokenizer.texts_to_sequences(part) for part in texts]
    longest = max(len(row) for part in rows for row in part)
    return tokenizer, *(pad_sequences(part, longest, padding="post") for part in rows)


def distance(said, right):
    """How many sounds to put in, leave out or change, to make the second of the first."""
    row = list(range(len(right) + 1))
    for count, sound in enumerate(said, 1):
        above, row = row, [count]
        for place, other in enumerate(right):
            changed = above[place] + (sound != other)
            row.append(min(changed, above[place + 1] + 1, row[-1] + 1))
    return row[-1]


def main() -> float:
    run = start(__doc__, epochs=6)
    (words, sounds), (test_words, test_sounds) = load(run)
    names, letters, test_letters = numbers(words, test_words, char_level=True)
    marked = [[" ".join(["<", *row, ">"]) for row in part] for part in (sounds, test_sounds)]
    spoken, said, right = numbers(*marked)
    units = run.size(UNITS, 8)

    word, before = Input(shape=letters.shape[1:]), Input(shape=(said.shape[1] - 1,))
    x = Embedding(len(names.word_index) + 1, 32, mask_zero=True)(word)
    read, *ends = Bidirectional(GRU(units // 2, return_sequences=True, return_state=True))(x)
    y = Embedding(len(spoken.word_index) + 1, 32, mask_zero=True)(before)
    state = GRU(units, return_sequences=True)(y, initial_state=beside(ends))
    found, looks = Attention(return_attention_scores=True)([state, read])
    mixed = Dropout(0.3)(Dense(units, activation="tanh")(beside([state, found])))
    model = Model([word, before], Dense(len(spoken.word_index) + 1, activation="softmax")(mixed))
    rate = CosineDecay(4e-3, run.epochs * -(-len(words) // BATCH))
    model.compile(Adam(rate, clipnorm=1.0), "sparse_categorical_crossentropy")
    held_out = [test_letters, right[:, :-1]], right[:, 1:, None]
    x, y = [letters, said[:, :-1]], said[:, 1:, None]
    model.fit(x, y, batch_size=BATCH, epochs=run.epochs, validation_data=held_out)

    guess = np.zeros_like(right)
    guess[:, 0] = spoken.word_index["<"]
    for place in range(guess.shape[1] - 1):
        likely = model.predict([test_letters, guess[:, :-1]], batch_size=500)
        guess[:, place + 1] = likely[:, place].argmax(-1)
    texts = [text.split(" >")[0].split()[1:] for text in spoken.sequences_to_texts(guess)]
    wrong = [distance(*pair) for pair in zip(texts, test_sounds, strict=True)]
    accuracy, error = np.mean(np.array(wrong) == 0), sum(wrong) / sum(map(len, test_sounds))
    print(f"{accuracy:.1%} of the held-out words are right, {error:.1%} of the sounds are wrong")
    for name, *spelt in list(zip(test_words, texts, test_sounds, strict=True))[:12]:
        print(name, *(" ".join(row) for row in dict.fromkeys(map(tuple, spelt))), sep=" | ")

    row = max(range(len(texts)), key=lambda row: (wrong[row] == 0) * len(test_words[row]))
    look = Model([word, before], looks).predict([test_letters[[row]], guess[[row], :-1]])[0]
    shown = look[: len(texts[row]), : len(test_words[row])], texts[row], list(test_words[row])
    run.picture("seq2seq", plot_heatmap, *shown, x_label="looks at", y_label="says")
    return float(accuracy)


if __name__ == "__main__":
    main()
