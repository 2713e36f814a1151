"""A generator learns where the data lie, against a discriminator that it can't change."""

import numpy as np
from keras.layers import Dense, Input
from keras.layers.advanced_activations import LeakyReLU
from keras.models import Model, Sequential
from keras.optimizers import Adam

np.random.seed(1337)


def real(count):
    return np.random.normal(loc=(2.0, -1.0), scale=0.1, size=(count, 2))


generator = Sequential()
generator.add(Dense(output_dim=16, input_dim=4))
generator.add(LeakyReLU(alpha=0.2))
generator.add(Dense(output_dim=2))

discriminator = Sequential()
discriminator.add(Dense(output_dim=16, input_dim=2))
discriminator.add(LeakyReLU(alpha=0.2))
discriminator.add(Dense(output_dim=1, activation="sigmoid"))
discriminator.compile(optimizer=Adam(lr=0.01), loss="binary_crossentropy", metrics=["accuracy"])

discriminator.trainable = False
noise = Input(shape=(4,))
combined = Model(input=noise, output=discriminator(generator(noise)))
combined.compile(optimizer=Adam(lr=0.01), loss="binary_crossentropy")


def distance():
    made = generator.predict(np.random.normal(size=(200, 4)))
    return np.abs(made.mean(axis=0) - (2.0, -1.0)).sum()


before, start = discriminator.get_weights(), distance()
combined.train_on_batch(np.random.normal(size=(32, 4)), np.ones(32))
assert all((a == b).all() for a, b in zip(before, discriminator.get_weights()))

loss, accuracy = discriminator.train_on_batch(real(32), np.ones(32))
assert any((a != b).any() for a, b in zip(before, discriminator.get_weights()))

for _step in range(40):
    fake = generator.predict(np.random.normal(size=(32, 4)))
    x, y = np.concatenate([real(32), fake]), np.concatenate([np.ones(32), np.zeros(32)])
    discriminator.train_on_batch(x, y)
assert discriminator.evaluate(real(100), np.ones(100), verbose=0)[1] > 0.9

settled, losses = discriminator.get_weights(), []
for _step in range(60):
    losses.append(combined.train_on_batch(np.random.normal(size=(32, 4)), np.ones(32)))
assert losses[-1] < losses[0] / 2, losses
assert all((a == b).all() for a, b in zip(settled, discriminator.get_weights()))
assert distance() < start, (start, distance())
