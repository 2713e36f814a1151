"""fastText: the mean vector of words and pairs of words decides, fast and well.

Pairs of neighbours have numbers too, by a hash into a table of their own, so that "not good" is
more than "not" and "good". Joulin et al. 2016, https://arxiv.org/abs/1607.01759

Score: 79.1 % of 2,014 held-out sentences (79.6 % with words alone: so few sentences have few pairs
in common) after 6 epochs, in 13 seconds.
"""

import sys
from itertools import pairwise
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
from common import sentences, start

from funkeras.layers import Dense, Dropout, Embedding, GlobalAveragePooling1D
from funkeras.models import Sequential
from funkeras.preprocessing.sequence import pad_sequences
from funkeras.preprocessing.text import Tokenizer, hashing_trick, text_to_word_sequence
from funkeras.utils.charts import plot_curves

WORDS, PAIRS, LENGTH = 16_000, 60_000, 80


def with_pairs(words, numbers):
    """Numbers of the words, then those of the pairs of neighbours."""
    pairs = " ".join(f"{first}_{second}" for first, second in pairwise(words))
    return numbers + [WORDS + number for number in hashing_trick(pairs, PAIRS, "md5", filters="")]


def main() -> float:
    run = start(__doc__, epochs=6)
    (texts, y_train), (test_texts, y_test) = sentences(run)
    tokenizer = Tokenizer(num_words=WORDS)
    tokenizer.fit_on_texts(texts)

    def tensor(texts, pairs):
        rows = tokenizer.texts_to_sequences(texts)
        if pairs:
            rows = map(with_pairs, map(text_to_word_sequence, texts), rows)
        return pad_sequences(list(rows), LENGTH)

    curves = {}
    for name, pairs in {"words": False, "words and pairs": True}.items():
        x_train, x_test = tensor(texts, pairs), tensor(test_texts, pairs)
        model = Sequential(
            [
                Embedding(WORDS + PAIRS, 32, input_length=LENGTH, mask_zero=True),
                Dropout(0.3),
                GlobalAveragePooling1D(),
                Dense(1, activation="sigmoid"),
            ]
        )
        model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
        history = model.fit(
            x_train, y_train, epochs=run.epochs, validation_data=(x_test, y_test), verbose=0
        )
        curves[name] = history.history["val_acc"]
        print(f"{name}: test accuracy {curves[name][-1]:.4f}")
    run.picture("fasttext", plot_curves, curves, y_label="test accuracy")
    return curves["words and pairs"][-1]


if __name__ == "__main__":
    main()
