"""A variational autoencoder of Keras 3: a sampling layer and a penalty, both of operations."""

import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(21)
ORIGINAL, LATENT = 12, 2
centre = np.random.random((3, ORIGINAL)) > 0.5
x_train = (centre[np.random.randint(3, size=160)] * 0.9 + 0.05).astype("float32")


@keras.saving.register_keras_serializable(package="vae")
class Sampling(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(1337)

    def call(self, inputs):
        z_mean, z_log_var = inputs
        kl = -0.5 * (1 + z_log_var - ops.square(z_mean) - ops.exp(z_log_var))
        self.add_loss(ops.mean(ops.sum(kl, axis=1)))
        epsilon = keras.random.normal(shape=ops.shape(z_mean), seed=self.seed_generator)
        return z_mean + ops.exp(0.5 * z_log_var) * epsilon


@keras.saving.register_keras_serializable(package="vae")
def reconstruction(y_true, y_pred):
    return ops.sum(keras.losses.binary_crossentropy(y_true[..., None], y_pred[..., None]), axis=-1)


inputs = keras.Input(shape=(ORIGINAL,))
x = layers.Dense(16, activation="relu")(inputs)
z_mean = layers.Dense(LATENT, name="z_mean")(x)
z_log_var = layers.Dense(LATENT, name="z_log_var")(x)
z = Sampling()([z_mean, z_log_var])
x = layers.Dense(16, activation="relu")(z)
outputs = layers.Dense(ORIGINAL, activation="sigmoid")(x)
vae = keras.Model(inputs, outputs)
vae.compile(optimizer=keras.optimizers.Adam(0.01), loss=reconstruction)
losses = vae.fit(x_train, x_train, epochs=15, batch_size=16, verbose=0).history["loss"]
assert losses[-1] < 0.95 * losses[0], losses

vae.save("vae.keras")
again = keras.models.load_model("vae.keras")
assert all(np.array_equal(a, b) for a, b in zip(vae.get_weights(), again.get_weights()))
assert again.predict(x_train, verbose=0).shape == (160, ORIGINAL)
