"""Stateful LSTMs carry what they saw from one batch to the next, until they are reset."""

import numpy as np
from keras.layers import LSTM, Dense
from keras.models import Sequential

np.random.seed(3)
BATCH, STEPS = 5, 4

model = Sequential()
model.add(LSTM(8, batch_input_shape=(BATCH, STEPS, 1), return_sequences=True, stateful=True))
model.add(LSTM(8, return_sequences=False, stateful=True))
model.add(Dense(1))
model.compile(loss="mse", optimizer="rmsprop")

x = np.random.random((BATCH, STEPS, 1))
first = model.predict(x, batch_size=BATCH)
second = model.predict(x, batch_size=BATCH)
assert np.abs(first - second).max() > 1e-4
model.reset_states()
np.testing.assert_allclose(model.predict(x, batch_size=BATCH), first, rtol=1e-5)

cosine = np.cos(np.arange(BATCH * STEPS * 10) / 5.0).reshape(-1, STEPS, 1)
target = cosine.mean(axis=1)
losses = []
for _epoch in range(12):
    history = model.fit(cosine, target, batch_size=BATCH, verbose=0, nb_epoch=1, shuffle=False)
    losses.append(history.history["loss"][0])
    model.reset_states()
assert losses[-1] < losses[0], losses
assert model.predict(cosine, batch_size=BATCH).shape == (50, 1)
