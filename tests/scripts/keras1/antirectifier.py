"""A layer without weights that keeps both signs of what it normalizes."""

import numpy as np
from keras import backend as K
from keras.layers import Activation, Dense, Dropout, Layer
from keras.models import Sequential
from keras.optimizers import RMSprop
from keras.utils import np_utils

np.random.seed(5)


class Antirectifier(Layer):
    def get_output_shape_for(self, input_shape):
        shape = list(input_shape)
        assert len(shape) == 2
        shape[-1] *= 2
        return tuple(shape)

    def call(self, x, mask=None):
        x -= K.mean(x, axis=1, keepdims=True)
        x = K.l2_normalize(x, axis=1)
        return K.concatenate([K.relu(x), K.relu(-x)], axis=1)


model = Sequential()
model.add(Dense(16, input_shape=(10,)))
model.add(Antirectifier())
model.add(Dropout(0.1))
model.add(Dense(3))
model.add(Activation("softmax"))
assert model.layers[1].output_shape == (None, 32)
model.compile(loss="categorical_crossentropy", optimizer=RMSprop(lr=0.01), metrics=["accuracy"])

labels = np.random.randint(3, size=150)
x = np.random.normal(size=(150, 10)) + 2.0 * np.eye(3, 10)[labels]
y = np_utils.to_categorical(labels, 3)
history = model.fit(x, y, batch_size=25, nb_epoch=15, verbose=0, validation_data=(x, y))
assert history.history["val_acc"][-1] > 0.85, history.history["val_acc"]
