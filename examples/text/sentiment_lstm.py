"""Praise or blame by an LSTM that reads word after word, in the spelling of Keras 1.

`dropout_W` and `dropout_U` hide parts of the inputs and of the state, the same ones in each step of
a sentence. `sentiment_bilstm.py` has the spelling of today.

Score: 80.0 % of 2,014 held-out sentences after 4 epochs, in 48 seconds.
"""

# pyright: reportCallIssue=false
# The names of arguments are those of Keras 1.

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
from common import sentences, start

from funkeras.layers import LSTM, Activation, Dense, Embedding
from funkeras.models import Sequential
from funkeras.preprocessing import sequence
from funkeras.preprocessing.text import Tokenizer

max_features = 6000
maxlen = 40


def main() -> float:
    run = start(__doc__, epochs=4)
    (texts, y_train), (test_texts, y_test) = sentences(run)
    tokenizer = Tokenizer(nb_words=max_features)
    tokenizer.fit_on_texts(texts)
    X_train = sequence.pad_sequences(tokenizer.texts_to_sequences(texts), maxlen=maxlen)
    X_test = sequence.pad_sequences(tokenizer.texts_to_sequences(test_texts), maxlen=maxlen)

    model = Sequential()
    model.add(Embedding(max_features, 64, input_length=maxlen, dropout=0.4))
    model.add(LSTM(64, dropout_W=0.4, dropout_U=0.2))
    model.add(Dense(1))
    model.add(Activation("sigmoid"))
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])

    history = model.fit(
        X_train, y_train, batch_size=32, nb_epoch=run.epochs, validation_data=(X_test, y_test)
    )
    score, acc = model.evaluate(X_test, y_test, batch_size=32)
    print(f"Test loss {score:.4f}, test accuracy {acc:.4f}")
    run.picture("sentiment_lstm", history.plot)
    return acc


if __name__ == "__main__":
    main()
