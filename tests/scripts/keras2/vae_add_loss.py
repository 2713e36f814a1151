"""A variational autoencoder of two models, its loss an expression of tensors of the graph."""

import numpy as np
from keras import backend as K
from keras.layers import Dense, Input, Lambda
from keras.losses import binary_crossentropy, mse
from keras.models import Model

np.random.seed(21)
ORIGINAL, LATENT = 12, 2
centre = np.random.random((3, ORIGINAL)) > 0.5
x_train = (centre[np.random.randint(3, size=160)] * 0.9 + 0.05).astype("float32")


def sampling(args):
    z_mean, z_log_var = args
    batch, dim = K.shape(z_mean)[0], K.int_shape(z_mean)[1]
    epsilon = K.random_normal(shape=(batch, dim))
    return z_mean + K.exp(0.5 * z_log_var) * epsilon


inputs = Input(shape=(ORIGINAL,), name="encoder_input")
x = Dense(16, activation="relu")(inputs)
z_mean = Dense(LATENT, name="z_mean")(x)
z_log_var = Dense(LATENT, name="z_log_var")(x)
z = Lambda(sampling, output_shape=(LATENT,), name="z")([z_mean, z_log_var])
encoder = Model(inputs, [z_mean, z_log_var, z], name="encoder")

latent_inputs = Input(shape=(LATENT,), name="z_sampling")
x = Dense(16, activation="relu")(latent_inputs)
decoder = Model(latent_inputs, Dense(ORIGINAL, activation="sigmoid")(x), name="decoder")

outputs = decoder(encoder(inputs)[2])
vae = Model(inputs, outputs, name="vae_mlp")
reconstruction_loss = binary_crossentropy(inputs, outputs) * ORIGINAL
kl_loss = 1 + z_log_var - K.square(z_mean) - K.exp(z_log_var)
kl_loss = K.sum(kl_loss, axis=-1) * -0.5
vae.add_loss(K.mean(reconstruction_loss + kl_loss))
assert K.int_shape(mse(inputs, outputs)) == (None,)
vae.compile(optimizer="adam")
history = vae.fit(
    x_train, epochs=15, batch_size=16, verbose=0, validation_data=(x_train[:32], None)
)
losses = history.history["loss"]
assert losses[-1] < 0.9 * losses[0], losses
assert np.isfinite(history.history["val_loss"]).all()

vae.save_weights("vae.h5")
before = vae.get_weights()
vae.set_weights([0 * w for w in before])
vae.load_weights("vae.h5")
assert all((a == b).all() for a, b in zip(before, vae.get_weights()))

mean, log_var, drawn = encoder.predict(x_train, batch_size=32)
assert mean.shape == log_var.shape == drawn.shape == (160, LATENT)
assert decoder.predict(mean).shape == (160, ORIGINAL)
