"""Models of Keras 3 with a `compute_loss` of their own: a distilled student, an autoencoder."""

import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(7)
x = np.random.normal(size=(256, 8)).astype("float32")
y = (x[:, 0] + x[:, 1] * x[:, 2] > 0).astype("int32")


def classifier(width):
    return keras.Sequential(
        [keras.Input((8,)), layers.Dense(width, activation="relu"), layers.Dense(2)]
    )


class Distiller(keras.Model):
    def __init__(self, student, teacher):
        super().__init__()
        self.teacher = teacher
        self.student = student

    def compile(self, optimizer, metrics, student_loss, distillation_loss, alpha, temperature):
        super().compile(optimizer=optimizer, metrics=metrics)
        self.student_loss = student_loss
        self.distillation_loss = distillation_loss
        self.alpha, self.temperature = alpha, temperature

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, allow_empty=False):
        soft, own = self.teacher(x, training=False) / self.temperature, y_pred / self.temperature
        distilled = self.distillation_loss(ops.softmax(soft, axis=1), ops.softmax(own, axis=1))
        return self.alpha * self.student_loss(y, y_pred) + (1 - self.alpha) * distilled

    def call(self, x):
        return self.student(x)


teacher = classifier(32)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
teacher.compile("adam", loss, metrics=["accuracy"])
teacher.fit(x, y, epochs=30, verbose=0)
teacher.trainable = False
before = [np.array(w) for w in teacher.get_weights()]
distiller = Distiller(classifier(8), teacher)
distiller.compile(
    keras.optimizers.Adam(0.01),
    [keras.metrics.SparseCategoricalAccuracy()],
    loss,
    keras.losses.KLDivergence(),
    alpha=0.1,
    temperature=3.0,
)
history = distiller.fit(x, y, epochs=20, verbose=0).history
assert history["loss"][-1] < history["loss"][0] / 2, history["loss"]
assert history["sparse_categorical_accuracy"][-1] > 0.8, history
assert all(np.array_equal(a, b) for a, b in zip(before, teacher.get_weights()))
found = distiller.evaluate(x, y, verbose=0, return_dict=True)
soft = ops.softmax(teacher.predict(x, verbose=0) / 3.0, axis=1)
logits = distiller.predict(x, verbose=0)
distilled = keras.losses.KLDivergence()(soft, ops.softmax(logits / 3.0, axis=1))
assert np.isclose(found["loss"], 0.1 * loss(y, logits) + 0.9 * distilled, rtol=1e-4), found


class Autoencoder(keras.Model):
    """A graph whose loss compares with the input, beside what the layers add."""

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return ops.mean(ops.square(x - y_pred)) + super().compute_loss(
            x, x, y_pred, sample_weight, training
        )


inputs = keras.Input((8,))
code = layers.Dense(3, activity_regularizer=keras.regularizers.L2(0.01))(inputs)
model = Autoencoder(inputs, layers.Dense(8, kernel_regularizer="l2")(code))
model.compile("adam", "mae")
model.fit(x, x, epochs=2, verbose=0)
total = model.evaluate(x, x, batch_size=256, verbose=0)
decoded = model.predict(x, verbose=0)
weights = model.get_weights()
expected = np.mean((x - decoded) ** 2) + np.mean(np.abs(x - decoded))
expected += 0.01 * np.sum((x @ weights[0] + weights[1]) ** 2) / len(x) + 0.01 * np.sum(
    weights[2] ** 2
)
total = total[0] if isinstance(total, list) else total
assert np.isclose(total, expected, rtol=1e-4), (total, expected)
