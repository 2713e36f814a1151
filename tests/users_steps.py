"""Models with steps of their own, as users of Keras 3 write them for its backend JAX.

Run with genuine Keras and JAX: `python users_steps.py FILE` writes what training them gives there.
"""

import json
import sys

import jax
import numpy as np


def data():
    """Inputs, targets and weights of ten samples: the last batch of four is smaller."""
    chance = np.random.default_rng(7)
    x, y = (chance.normal(size=(10, size)).astype("float32") for size in (3, 2))
    return x, y, chance.random(10).astype("float32")


def define(keras):
    """The classes, for genuine Keras or something with its names."""

    class Steps(keras.Model):
        """Its steps update the metrics that `metrics` lists, whichever these are."""

        def loss_and_updates(self, trainable, non_trainable, x, y, weight, training=False):
            y_pred, non_trainable = self.stateless_call(
                trainable, non_trainable, x, training=training
            )
            loss = self.compute_loss(x, y, y_pred, sample_weight=weight)
            return loss, (y_pred, non_trainable)

        def counted(self, metric_variables, loss, y, y_pred):
            after, logs = [], {}
            for metric in self.metrics:
                own = metric_variables[len(after) : len(after) + len(metric.variables)]
                given = (loss,) if metric.name == "loss" else (y, y_pred)
                own = metric.stateless_update_state(own, *given)
                logs[metric.name] = metric.stateless_result(own)
                after += own
            return logs, after

        def train_step(self, state, data):
            trainable, non_trainable, optimizer_variables, metric_variables = state
            x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
            grad = jax.value_and_grad(self.loss_and_updates, has_aux=True)
            (loss, (y_pred, non_trainable)), grads = grad(
                trainable, non_trainable, x, y, weight, training=True
            )
            trainable, optimizer_variables = self.optimizer.stateless_apply(
                optimizer_variables, grads, trainable
            )
            logs, metric_variables = self.counted(metric_variables, loss, y, y_pred)
            return logs, (trainable, non_trainable, optimizer_variables, metric_variables)

        def test_step(self, state, data):
            trainable, non_trainable, metric_variables = state
            x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
            loss, (y_pred, non_trainable) = self.loss_and_updates(
                trainable, non_trainable, x, y, weight
            )
            logs, metric_variables = self.counted(metric_variables, loss, y, y_pred)
            return logs, (trainable, non_trainable, metric_variables)

        def predict_step(self, state, data):
            y, non_trainable = self.stateless_call(*state, data)
            return 2 * y, non_trainable

    class Own(Steps):
        """A loss and metrics that are not compiled."""

        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.mean_loss = keras.metrics.Mean(name="loss")
            self.error = keras.metrics.MeanAbsoluteError(name="error")
            self.loss_function = keras.losses.MeanSquaredError()

        @property
        def metrics(self):
            return [self.mean_loss, self.error]

        def compute_loss(self, x, y, y_pred, sample_weight=None):
            return self.loss_function(y, y_pred, sample_weight)

    class Noting(keras.Model):
        """Its loss counts in metrics of its own; the steps are those of Keras."""

        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(2)
            self.size = keras.metrics.Mean(name="size")
            self.tracker = keras.metrics.Mean(name="loss")

        def call(self, x):
            return self.dense(x)

        def compute_loss(self, x, y, y_pred, sample_weight=None, training=True):
            loss = keras.ops.mean(keras.ops.square(y - y_pred)) + keras.ops.sum(self.losses)
            self.tracker.update_state(loss)
            self.size.update_state(keras.ops.abs(y_pred))
            return loss

        def reset_metrics(self):
            self.tracker.reset_state()
            self.size.reset_state()

        @property
        def metrics(self):
            return [self.tracker, self.size]

    return {"steps": Steps, "own": Own, "noting": Noting}


def models(keras):
    """One of each class, compiled, with the same weights."""
    for name, kind in define(keras).items():
        if name == "noting":
            model = kind()
            model(np.zeros((1, 3)))
        else:
            x = keras.Input((3,))
            y = keras.layers.Dense(4, activation="tanh")(x)
            y = keras.layers.BatchNormalization(momentum=0.8)(y)
            model = kind(x, keras.layers.Dense(2)(y))
        chance = np.random.default_rng(3)
        model.set_weights([chance.random(w.shape) for w in model.get_weights()])
        compiled = {"loss": "mse", "metrics": ["mae", "cosine_similarity"]}
        optimizer = keras.optimizers.Adam(learning_rate=0.05)
        model.compile(optimizer=optimizer, **(compiled if name == "steps" else {}))
        yield name, model


def results(keras):
    """What training, judging and predicting give, as lists of numbers by model."""
    x, y, weight = data()
    found = {}
    for name, model in models(keras):
        options = {"batch_size": 4, "shuffle": False, "verbose": 0}
        told = model.fit(x, y, epochs=3, validation_data=(x[:6], y[:6]), **options).history
        weighted = {}
        if name != "noting":
            weighted = model.fit(x, y, sample_weight=weight, epochs=1, **options).history
        evaluated = model.evaluate(x, y, batch_size=4, verbose=0, return_dict=True)
        found[name] = {
            "history": {key: [float(v) for v in values] for key, values in told.items()},
            "weighted": {key: [float(v) for v in values] for key, values in weighted.items()},
            "evaluated": {key: float(value) for key, value in evaluated.items()},
            "predicted": model.predict(x[:5], verbose=0).tolist(),
            "weights": [w.tolist() for w in model.get_weights()],
        }
    return found


if __name__ == "__main__":
    import keras

    with open(sys.argv[1], "w") as file:
        json.dump(results(keras), file)
