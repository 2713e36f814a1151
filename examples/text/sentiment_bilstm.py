"""Praise or blame by two LSTMs, one from each end of the sentence, in the spelling of today.

`mask_zero` lets both skip the padding.

Score: 79.7 % of 2,014 held-out sentences after 3 epochs, in 70 seconds.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
from common import sentences, start

from funkeras.layers import LSTM, Bidirectional, Dense, Dropout, Embedding, Input, SpatialDropout1D
from funkeras.models import Model
from funkeras.preprocessing.sequence import pad_sequences
from funkeras.preprocessing.text import Tokenizer
from funkeras.utils.plotting import plot_confusion

WORDS, LENGTH = 6000, 40


def main() -> float:
    run = start(__doc__, epochs=3)
    (texts, y_train), (test_texts, y_test) = sentences(run)
    tokenizer = Tokenizer(num_words=WORDS, oov_token="?")
    tokenizer.fit_on_texts(texts)
    x_train = pad_sequences(tokenizer.texts_to_sequences(texts), LENGTH, padding="post")
    x_test = pad_sequences(tokenizer.texts_to_sequences(test_texts), LENGTH, padding="post")

    words = Input(shape=(LENGTH,), dtype="int32")
    x = Embedding(WORDS, 64, mask_zero=True)(words)
    x = SpatialDropout1D(0.4)(x)
    x = Bidirectional(LSTM(48, dropout=0.3))(x)
    x = Dropout(0.5)(x)
    model = Model(words, Dense(1, activation="sigmoid")(x))
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    model.fit(x_train, y_train, epochs=run.epochs, validation_data=(x_test, y_test))
    _, accuracy = model.evaluate(x_test, y_test)
    print(f"Test accuracy {accuracy:.4f}")
    praises = model.predict(x_test)[:, 0] > 0.5
    run.picture("sentiment_bilstm", plot_confusion, y_test, praises, ["blame", "praise"])
    return accuracy


if __name__ == "__main__":
    main()
