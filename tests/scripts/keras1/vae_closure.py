"""A variational autoencoder whose loss is a closure over tensors of the graph."""

import numpy as np
from keras import backend as K
from keras import objectives
from keras.layers import Dense, Input, Lambda
from keras.models import Model
from keras.optimizers import RMSprop

np.random.seed(7)
BATCH, ORIGINAL, LATENT = 20, 12, 2

centre = np.random.random((3, ORIGINAL)) > 0.5
x_train = (centre[np.random.randint(3, size=200)] * 0.9 + 0.05).astype("float32")

x = Input(batch_shape=(BATCH, ORIGINAL))
h = Dense(16, activation="relu")(x)
z_mean = Dense(LATENT)(h)
z_log_var = Dense(LATENT)(h)


def sampling(args):
    mean, log_var = args
    epsilon = K.random_normal(shape=(BATCH, LATENT), mean=0.0, std=1.0)
    return mean + K.exp(log_var / 2) * epsilon


z = Lambda(sampling, output_shape=(LATENT,))([z_mean, z_log_var])
decoder_h = Dense(16, activation="relu")
decoder_mean = Dense(ORIGINAL, activation="sigmoid")
decoded = decoder_mean(decoder_h(z))


def vae_loss(x, decoded):
    reconstruction = ORIGINAL * objectives.binary_crossentropy(x, decoded)
    kl = -0.5 * K.sum(1 + z_log_var - K.square(z_mean) - K.exp(z_log_var), axis=-1)
    return reconstruction + kl


vae = Model(x, decoded)
vae.compile(optimizer=RMSprop(lr=0.01), loss=vae_loss)
history = vae.fit(
    x_train,
    x_train,
    shuffle=True,
    nb_epoch=15,
    batch_size=BATCH,
    verbose=0,
    validation_data=(x_train[:40], x_train[:40]),
)
losses = history.history["loss"]
assert losses[-1] < 0.8 * losses[0], losses
assert np.isfinite(history.history["val_loss"]).all()

encoder = Model(x, z_mean)
assert encoder.predict(x_train, batch_size=BATCH).shape == (200, LATENT)
code = Input(shape=(LATENT,))
generator = Model(code, decoder_mean(decoder_h(code)))
made = generator.predict(np.array([[0.0, 0.0]]))
assert made.shape == (1, ORIGINAL)
assert ((made > 0) & (made < 1)).all()
