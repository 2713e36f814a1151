"""A recurrent net reads each row of an image, another one what the first made of the rows."""

import numpy as np
from keras.layers import LSTM, Dense, Input, TimeDistributed
from keras.models import Model
from keras.optimizers import RMSprop

np.random.seed(61)
labels = np.random.randint(2, size=96)
x = np.random.random((96, 6, 5, 1))
x[labels == 1, 3:] += 1.5
y = np.eye(2)[labels]

image = Input(shape=(6, 5, 1))
encoded_rows = TimeDistributed(LSTM(8))(image)
assert encoded_rows.shape == (None, 6, 8)
encoded_columns = LSTM(8)(encoded_rows)
prediction = Dense(2, activation="softmax")(encoded_columns)
model = Model(image, prediction)
model.compile(loss="categorical_crossentropy", optimizer=RMSprop(lr=0.01), metrics=["accuracy"])
history = model.fit(x, y, batch_size=16, epochs=8, verbose=0, validation_data=(x, y))
scores = model.evaluate(x, y, verbose=0)
assert scores[1] > 0.85, history.history

# A row alone gives what it gives inside the image.
row = Input(shape=(5, 1))
alone = Model(row, LSTM(8, weights=model.layers[1].get_weights())(row))
rows = Model(image, encoded_rows)
np.testing.assert_allclose(rows.predict(x[:3])[:, 2], alone.predict(x[:3, 2]), rtol=1e-4)
