"""Keras 3 on JAX with a `train_step(state, data)`: training against inputs made to mislead."""

import os

os.environ["KERAS_BACKEND"] = "jax"

import jax
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(11)
SIZE = 0.3

chance = np.random.default_rng(0)
x_train = chance.normal(size=(512, 10)).astype("float32")
y_train = (x_train[:, :2].sum(1) > 0).astype("int32")


class Hardened(keras.Model):
    """Each step also learns from its batch moved to where the loss grows fastest."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self.accuracy = keras.metrics.SparseCategoricalAccuracy(name="accuracy")

    @property
    def metrics(self):
        return [self.loss_tracker, self.accuracy]

    def loss_of(self, trainable, non_trainable, x, y, training=False):
        y_pred, non_trainable = self.stateless_call(trainable, non_trainable, x, training=training)
        return self.compute_loss(x, y, y_pred), (y_pred, non_trainable)

    def moved(self, trainable, non_trainable, x, y):
        slope, _ = jax.grad(self.loss_of, argnums=2, has_aux=True)(trainable, non_trainable, x, y)
        return x + SIZE * jax.numpy.sign(slope)

    def counted(self, counts, loss, y, y_pred):
        size = len(self.loss_tracker.variables)
        losses = self.loss_tracker.stateless_update_state(counts[:size], loss)
        hits = self.accuracy.stateless_update_state(counts[size:], y, y_pred)
        logs = {
            "loss": self.loss_tracker.stateless_result(losses),
            "accuracy": self.accuracy.stateless_result(hits),
        }
        return logs, losses + hits

    def train_step(self, state, data):
        trainable, non_trainable, optimizer, counts = state
        x, y = data

        def both(trainable, non_trainable, x, y):
            loss, (y_pred, after) = self.loss_of(trainable, non_trainable, x, y, training=True)
            hard = jax.lax.stop_gradient(self.moved(trainable, after, x, y))
            other, (_, after) = self.loss_of(trainable, after, hard, y, training=True)
            return (loss + other) / 2, (y_pred, after)

        step = jax.value_and_grad(both, has_aux=True)
        (loss, (y_pred, non_trainable)), grads = step(trainable, non_trainable, x, y)
        trainable, optimizer = self.optimizer.stateless_apply(optimizer, grads, trainable)
        logs, counts = self.counted(counts, loss, y, y_pred)
        return logs, (trainable, non_trainable, optimizer, counts)

    def test_step(self, state, data):
        trainable, non_trainable, counts = state
        x, y = data
        hard = self.moved(trainable, non_trainable, x, y)
        loss, (y_pred, non_trainable) = self.loss_of(trainable, non_trainable, hard, y)
        logs, counts = self.counted(counts, loss, y, y_pred)
        return logs, (trainable, non_trainable, counts)


def net(kind):
    inputs = keras.Input((10,))
    x = layers.Dense(32, activation="relu")(inputs)
    x = layers.Dropout(0.1)(layers.BatchNormalization()(x))
    model = kind(inputs, layers.Dense(2)(x))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(learning_rate=0.01), loss=loss)
    return model


plain, hardened = net(keras.Model), net(Hardened)
for model in (plain, hardened):
    model.fit(x_train, y_train, batch_size=64, epochs=12, verbose=0)
history = hardened.history.history
assert history["loss"][-1] < 0.7 * history["loss"][0], history["loss"]
assert history["accuracy"][-1] > 0.9, history["accuracy"]

judge = net(Hardened)  # attacks the plain net as it does the hardened one
judge.set_weights(plain.get_weights())
misled = judge.evaluate(x_train, y_train, verbose=0, return_dict=True)
held = hardened.evaluate(x_train, y_train, verbose=0, return_dict=True)
assert held["loss"] < misled["loss"], (held, misled)
assert hardened.optimizer.iterations == 12 * 8
print({"plain": misled, "hardened": held})
