"""Training on pictures that a generator turns, shifts and mirrors anew in every epoch."""

import numpy as np
from keras.callbacks import EarlyStopping
from keras.layers import Activation, Convolution2D, Dense, Flatten
from keras.models import Sequential
from keras.preprocessing.image import ImageDataGenerator

np.random.seed(8)
x = np.random.random((64, 12, 12, 3)).astype("float32")
labels = np.arange(64) % 2
x[labels == 1, :, :, 0] += 0.5
y = np.eye(2)[labels]

datagen = ImageDataGenerator(
    featurewise_center=True,
    featurewise_std_normalization=True,
    rotation_range=10,
    width_shift_range=0.1,
    height_shift_range=0.1,
    horizontal_flip=True,
)
datagen.fit(x)
batch, targets = next(datagen.flow(x, y, batch_size=16))
assert batch.shape == (16, 12, 12, 3)
assert targets.shape == (16, 2)
assert abs(float(batch.mean())) < 0.4

model = Sequential()
model.add(Convolution2D(4, 3, 3, activation="relu", input_shape=x.shape[1:]))
model.add(Flatten())
model.add(Dense(2))
model.add(Activation("softmax"))
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])


def centred():
    while True:
        yield datagen.standardize(x.copy()), y


history = model.fit_generator(
    datagen.flow(x, y, batch_size=16),
    samples_per_epoch=64,
    nb_epoch=12,
    verbose=0,
    validation_data=centred(),
    nb_val_samples=64,
    callbacks=[EarlyStopping(monitor="val_loss", patience=12)],
)
assert len(history.history["loss"]) == 12
assert history.history["val_acc"][-1] > 0.8, history.history
