"""A recurrent net that starts from the identity, its initializers given as functions."""

import numpy as np
from keras.initializations import identity, normal
from keras.layers import Activation, Dense, SimpleRNN
from keras.models import Sequential
from keras.optimizers import RMSprop

np.random.seed(2)

model = Sequential()
model.add(
    SimpleRNN(
        output_dim=12,
        init=lambda shape, name: normal(shape, scale=0.001, name=name),
        inner_init=lambda shape, name: identity(shape, scale=0.9, name=name),
        activation="relu",
        input_shape=(10, 1),
    )
)
model.add(Dense(2))
model.add(Activation("softmax"))
kernel, recurrent, bias = model.layers[0].get_weights()
assert kernel.shape == (1, 12)
assert 0.0002 < kernel.std() < 0.003
np.testing.assert_array_equal(recurrent, np.float32(0.9) * np.eye(12, dtype="float32"))
np.testing.assert_array_equal(bias, 0)

model.compile(loss="categorical_crossentropy", optimizer=RMSprop(lr=0.01), metrics=["accuracy"])
x = np.random.normal(size=(200, 10, 1))
y = np.eye(2)[(x.sum(axis=(1, 2)) > 0).astype(int)]
history = model.fit(x, y, batch_size=20, nb_epoch=10, verbose=0)
assert history.history["acc"][-1] > 0.8, history.history["acc"]
