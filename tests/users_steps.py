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

    class Measuring(keras.Model):
        """It counts in a metric of its own beside the compiled ones, and reports the batch too."""

        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.size = keras.metrics.Mean(name="size")

        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            logs = super().compute_metrics(x, y, y_pred, sample_weight)
            self.size.update_state(keras.ops.abs(y_pred), sample_weight=sample_weight)
            logs["size"] = self.size.result()
            logs["batch"] = keras.ops.max(x) + keras.ops.max(y)
            return logs

    class Doubling(keras.Model):
        """What it reports has the names of its metrics: at the end of a pass these count."""

        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            logs = super().compute_metrics(x, y, y_pred, sample_weight)
            return {name: 2 * value for name, value in logs.items()}

    class Through(keras.Model):
        """Its steps are those of any model, on other targets and with more to report."""

        def train_step(self, state, data):
            x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
            logs, state = super().train_step(state, (x, 2 * y, weight))
            return {**logs, "kernel": keras.ops.sum(keras.ops.abs(state[0][0]))}, state

        def test_step(self, state, data):
            x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
            logs, state = super().test_step(state, (x, 2 * y, weight))
            return {**logs, "kernel": keras.ops.sum(keras.ops.abs(state[0][0]))}, state

        def predict_step(self, state, data):
            y, non_trainable = super().predict_step(state, data)
            return 3 * y, non_trainable

    class Twice(Through, Measuring):
        """Each batch is two steps; a loss of its own takes part."""

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            loss = super().compute_loss(x, y, y_pred, sample_weight)
            return loss + 0.1 * keras.ops.mean(keras.ops.square(y_pred))

        def train_step(self, state, data):
            _, state = super().train_step(state, data)
            return super().train_step(state, data)

    return {
        "steps": Steps,
        "own": Own,
        "noting": Noting,
        "measuring": Measuring,
        "doubling": Doubling,
        "through": Through,
        "twice": Twice,
    }


def models(keras):
    """One of each class, compiled, with the same weights."""
    for name, kind in define(keras).items():
        if name == "noting":
            model = kind()
            model(np.zeros((1, 3)))
        else:
            x = keras.Input((3,))
            penalty = None if name in ("steps", "own") else "l2"
            y = keras.layers.Dense(4, activation="tanh", kernel_regularizer=penalty)(x)
            y = keras.layers.BatchNormalization(momentum=0.8)(y)
            model = kind(x, keras.layers.Dense(2)(y))
        chance = np.random.default_rng(3)
        model.set_weights([chance.random(w.shape) for w in model.get_weights()])
        compiled = {"loss": "mse", "metrics": ["mae", "cosine_similarity"]}
        if name in ("measuring", "twice"):
            compiled["weighted_metrics"] = ["mse"]
        optimizer = keras.optimizers.Adam(learning_rate=0.05)
        if name in ("through", "twice"):
            optimizer = keras.optimizers.SGD(learning_rate=0.02, momentum=0.9)
        model.compile(optimizer=optimizer, **({} if name in ("own", "noting") else compiled))
        yield name, model


def results(keras):
    """What training, judging and predicting give, as lists of numbers by model."""
    x, y, weight = data()
    found = {}
    for name, model in models(keras):
        metrics = [metric.name for metric in model.metrics]
        options = {"batch_size": 4, "shuffle": False, "verbose": 0}
        judged = None if name in ("doubling", "twice") else (x[:6], y[:6])
        told = model.fit(x, y, epochs=3, validation_data=judged, **options).history
        weighted = {}
        if name in ("steps", "own", "measuring"):
            weighted = model.fit(x, y, sample_weight=weight, epochs=1, **options).history
        evaluated = model.evaluate(x, y, batch_size=4, verbose=0, return_dict=True)
        listed = model.evaluate(x, y, batch_size=4, verbose=0)
        counted = model.get_metrics_result()
        found[name] = {
            "history": {key: [float(v) for v in values] for key, values in told.items()},
            "weighted": {key: [float(v) for v in values] for key, values in weighted.items()},
            "evaluated": {key: float(value) for key, value in evaluated.items()},
            "listed": [float(value) for value in listed],
            "counted": {key: float(value) for key, value in counted.items()},
            "metrics": [metrics, [metric.name for metric in model.metrics]],
            "predicted": model.predict(x[:5], verbose=0).tolist(),
            "weights": [w.tolist() for w in model.get_weights()],
        }
    return found


def masked(keras):
    """What a model of two outputs, the first with a mask, learns and is judged by: numbers by name.

    Of training the losses alone: Keras 3 on JAX has lost the mask before it counts in metrics then.
    """

    class Lossy(define(keras)["through"]):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return 2 * super().compute_loss(x, y, y_pred, sample_weight)

        def train_step(self, state, data):
            return keras.Model.train_step(self, state, data)

        def test_step(self, state, data):
            return keras.Model.test_step(self, state, data)

    chance = np.random.default_rng(5)
    x = chance.integers(0, 6, (8, 5))
    x[:, -1] = 0
    y = [chance.normal(size=(8, 5, size)).astype("float32") for size in (2, 1)]
    weights = [chance.uniform(0, 2, (8, 5)).astype("float32") for _ in y]
    inputs = keras.Input((5,), dtype="int32")
    steps = keras.layers.Embedding(6, 4, mask_zero=True)(inputs)
    plain = keras.layers.Embedding(6, 3)(inputs)
    ends = [keras.layers.Dense(2, name="a")(steps), keras.layers.Dense(1, name="b")(plain)]
    model = Lossy(inputs, ends)
    model.set_weights([chance.random(w.shape) for w in model.get_weights()])
    model.compile(
        keras.optimizers.SGD(learning_rate=0.1),
        ["mse", "mae"],
        loss_weights=[1.0, 0.5],
        metrics=[["mae"], ["mse"]],
        weighted_metrics=[["mse"], []],
    )
    before = [metric.name for metric in model.metrics]
    options = {"sample_weight": weights, "batch_size": 4, "verbose": 0}
    told = model.fit(x, y, epochs=2, shuffle=False, **options).history
    judged = model.evaluate(x, y, return_dict=True, **options)
    return {
        "metrics": [before, [metric.name for metric in model.metrics]],
        "history": {key: told[key] for key in told if key.endswith("loss")},
        "evaluated": {key: float(value) for key, value in judged.items()},
        "counted": {key: float(value) for key, value in model.get_metrics_result().items()},
        "listed": [float(value) for value in model.evaluate(x, y, **options)],
    }


def apart(keras):
    """What the step of any model does outside of `fit`: its logs and the lists of its state."""
    x, y, weight = data()
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Dense(2, kernel_regularizer="l2")(inputs))
    chance = np.random.default_rng(3)
    model.set_weights([chance.random(w.shape) for w in model.get_weights()])
    model.compile(keras.optimizers.SGD(learning_rate=0.1, momentum=0.5), "mse")
    model.optimizer.build(model.trainable_variables)
    step, told = jax.jit(model.train_step), []
    lists = model.trainable_variables, model.non_trainable_variables
    lists = (*lists, model.optimizer.variables, model.metrics_variables)
    state = tuple([variable.value for variable in own] for own in lists)
    for given in ((x, y), (x, y, weight)):
        logs, state = step(state, given)
        told.append({name: float(value) for name, value in logs.items()})
    trained, others, _, counts = state
    slots = [a for a in state[2] if np.ndim(a)]  # momenta, without rates and counts of steps
    logs, (*_, counts) = jax.jit(model.test_step)((trained, others, counts), (x, y))
    told.append({name: float(value) for name, value in logs.items()})
    arrays = [np.asarray(a).tolist() for a in (*trained, *slots, *counts)]
    return {"told": told, "arrays": arrays}


if __name__ == "__main__":
    import keras

    with open(sys.argv[1], "w") as file:
        everything = results(keras) | {"masked": masked(keras), "apart": apart(keras)}
        json.dump(everything, file)
