"""A trained net meets new classes: its features are frozen, its head is learned anew."""

import numpy as np
from keras.layers import Activation, Convolution2D, Dense, Dropout, Flatten, MaxPooling2D
from keras.models import Sequential
from keras.optimizers import Adam

np.random.seed(6)


def digits(count, low):
    labels = np.random.randint(3, size=count)
    x = np.random.random((count, 8, 8, 1)) * 0.3
    for image, label in zip(x, labels):
        image[:, label + low] += 1.0
    return x, np.eye(3)[labels]


features = [
    Convolution2D(6, 3, 3, border_mode="valid", input_shape=(8, 8, 1)),
    Activation("relu"),
    MaxPooling2D(pool_size=(2, 2)),
    Dropout(0.25),
    Flatten(),
]
head = [Dense(16), Activation("relu"), Dense(3), Activation("softmax")]
model = Sequential(features + head)
model.compile(Adam(lr=0.01), "categorical_crossentropy", metrics=["accuracy"])
x, y = digits(120, 0)
model.fit(x, y, batch_size=20, nb_epoch=3, verbose=0)

for layer in features:
    layer.trainable = False
model.compile(Adam(lr=0.01), "categorical_crossentropy", metrics=["accuracy"])
assert len(model.trainable_weights) == 4
frozen, free = features[0].get_weights(), head[0].get_weights()
x, y = digits(120, 4)
first = model.evaluate(x, y, verbose=0)
history = model.fit(x, y, batch_size=20, nb_epoch=8, verbose=0)
assert all((a == b).all() for a, b in zip(frozen, features[0].get_weights()))
assert any((a != b).any() for a, b in zip(free, head[0].get_weights()))
assert model.evaluate(x, y, verbose=0)[0] < 0.7 * first[0]
