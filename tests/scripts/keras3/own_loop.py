"""Keras 3's training loop for JAX, written out: every piece is a function of arrays."""

import jax
import keras
import numpy as np

keras.utils.set_random_seed(5)
x_train = np.random.random((96, 6)).astype("float32")
y_train = (x_train[:, :3].sum(1) > x_train[:, 3:].sum(1)).astype("int32")

model = keras.Sequential(
    [
        keras.Input((6,)),
        keras.layers.Dense(16, activation="relu"),
        keras.layers.Dropout(0.1, seed=1),
        keras.layers.BatchNormalization(),
        keras.layers.Dense(2),
    ]
)
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = keras.optimizers.Adam(learning_rate=0.01)
metric = keras.metrics.SparseCategoricalAccuracy()
optimizer.build(model.trainable_variables)


def compute_loss_and_updates(trainable, non_trainable, metric_variables, x, y):
    y_pred, non_trainable = model.stateless_call(trainable, non_trainable, x, training=True)
    loss = loss_fn(y, y_pred)
    metric_variables = metric.stateless_update_state(metric_variables, y, y_pred)
    return loss, (non_trainable, metric_variables)


grad_fn = jax.value_and_grad(compute_loss_and_updates, has_aux=True)


@jax.jit
def train_step(state, data):
    trainable, non_trainable, optimizer_variables, metric_variables = state
    x, y = data
    (loss, (non_trainable, metric_variables)), grads = grad_fn(
        trainable, non_trainable, metric_variables, x, y
    )
    trainable, optimizer_variables = optimizer.stateless_apply(
        optimizer_variables, grads, trainable
    )
    return loss, (trainable, non_trainable, optimizer_variables, metric_variables)


state = tuple(
    [variable.value for variable in own]
    for own in (
        model.trainable_variables,
        model.non_trainable_variables,
        optimizer.variables,
        metric.variables,
    )
)
for _ in range(30):
    for start in range(0, 96, 16):
        data = (x_train[start : start + 16], y_train[start : start + 16])
        loss, state = train_step(state, data)

trainable, non_trainable, optimizer_variables, metric_variables = state
for variable, value in zip(model.trainable_variables, trainable):
    variable.assign(value)
for variable, value in zip(model.non_trainable_variables, non_trainable):
    variable.assign(value)
assert metric.stateless_result(metric_variables) > 0.8
predicted = model.predict(x_train, verbose=0).argmax(1)
assert (predicted == y_train).mean() > 0.9, (predicted == y_train).mean()
