"""A trained net is made wider and deeper by operations on its weights and computes the same."""

import numpy as np
from keras.layers import Convolution2D, Dense, Flatten, MaxPooling2D
from keras.models import Sequential
from keras.optimizers import SGD

np.random.seed(9)
x = np.random.random((60, 8, 8, 1))
labels = (x[:, :4].mean(axis=(1, 2, 3)) > x[:, 4:].mean(axis=(1, 2, 3))).astype(int)
y = np.eye(2)[labels]


def compiled(model):
    optimizer = SGD(lr=0.01, momentum=0.9)
    model.compile(loss="categorical_crossentropy", optimizer=optimizer, metrics=["accuracy"])
    return model


teacher = Sequential()
teacher.add(Convolution2D(4, 3, 3, input_shape=(8, 8, 1), border_mode="same", name="conv1"))
teacher.add(MaxPooling2D(name="pool1"))
teacher.add(Flatten(name="flatten"))
teacher.add(Dense(6, activation="relu", name="fc1"))
teacher.add(Dense(2, activation="softmax", name="fc2"))
compiled(teacher).fit(x, y, nb_epoch=3, verbose=0)

# Wider: two units of fc1 are doubled, and what they send on is halved.
w1, b1 = teacher.get_layer("fc1").get_weights()
w2, b2 = teacher.get_layer("fc2").get_weights()
chosen = np.concatenate([np.arange(6), [1, 4]])
counts = np.bincount(chosen, minlength=6)
wider = Sequential()
wider.add(
    Convolution2D(
        4,
        3,
        3,
        input_shape=(8, 8, 1),
        border_mode="same",
        name="conv1",
        weights=teacher.get_layer("conv1").get_weights(),
    )
)
wider.add(MaxPooling2D(name="pool1"))
wider.add(Flatten(name="flatten"))
wider.add(Dense(8, activation="relu", name="fc1", weights=[w1[:, chosen], b1[chosen]]))
wide = w2[chosen] / counts[chosen][:, None]
wider.add(Dense(2, activation="softmax", name="fc2", weights=[wide, b2]))
np.testing.assert_allclose(wider.predict(x), teacher.predict(x), rtol=1e-4, atol=1e-6)

# Deeper: a layer that begins as the identity.
deeper = Sequential()
for layer in teacher.layers[:4]:
    deeper.add(layer)
deeper.add(Dense(6, activation="relu", name="fc1-deeper", init="identity"))
deeper.add(Dense(2, activation="softmax", name="fc2"))
deeper.get_layer("fc2").set_weights([w2, b2])
np.testing.assert_allclose(deeper.predict(x), teacher.predict(x), rtol=1e-4, atol=1e-6)

history = compiled(deeper).fit(x, y, nb_epoch=3, verbose=0)
assert np.isfinite(history.history["loss"]).all()
