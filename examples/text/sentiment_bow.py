"""Praise or blame from a bag of words: logistic regression, and the words that decide.

Each sentence is a row of zeros and ones, one for each frequent word and whether it occurs; their
order is lost. Ridge regression's penalty (`l2`) keeps rare words from being learned by heart.

Score: 78.6 % of 2,014 held-out sentences after 10 epochs, in 6 seconds.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parents[1]))
from common import sentences, start

from funkeras.layers import Dense
from funkeras.models import Sequential
from funkeras.preprocessing.text import Tokenizer
from funkeras.regularizers import l2
from funkeras.utils.charts import plot_bars

WORDS = 5000


def main() -> float:
    run = start(__doc__, epochs=10)
    (texts, y_train), (test_texts, y_test) = sentences(run)
    tokenizer = Tokenizer(num_words=WORDS)
    tokenizer.fit_on_texts(texts)
    x_train = tokenizer.texts_to_matrix(texts, mode="binary")
    x_test = tokenizer.texts_to_matrix(test_texts, mode="binary")

    model = Sequential(
        [Dense(1, activation="sigmoid", kernel_regularizer=l2(3e-4), input_shape=(WORDS,))]
    )
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    model.fit(x_train, y_train, epochs=run.epochs, validation_data=(x_test, y_test))
    _, accuracy = model.evaluate(x_test, y_test)

    weights = model.get_weights()[0][:, 0]
    order = np.argsort(weights)
    order = [number for number in order if number in tokenizer.index_word]
    decisive = [*order[:-13:-1], *order[11::-1]]
    print(f"Test accuracy {accuracy:.4f}")
    run.picture(
        "sentiment_bow",
        plot_bars,
        {tokenizer.index_word[number]: float(weights[number]) for number in decisive},
        x_label="weight",
        title="Words that praise and words that blame",
    )
    return accuracy


if __name__ == "__main__":
    main()
