"""An optimizer of one's own for Keras 3, with each option that all have; the numbers are Keras's.

`python own_optimizer.py` runs it with whatever Keras is installed.
"""

import jax
import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable("mine")
class Yogi(keras.optimizers.Optimizer):
    """Zaheer et al. 2018."""

    def __init__(self, learning_rate=0.01, beta_1=0.9, beta_2=0.99, name="yogi", **kwargs):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.momentums, self.velocities = [], []
        for variable in variables:
            self.momentums.append(self.add_variable_from_reference(variable, name="momentum"))
            self.velocities.append(
                self.add_variable_from_reference(variable, name="velocity", initializer="ones")
            )
        self.calls = self.add_variable((), name="calls", dtype="int32")

    def update_step(self, gradient, variable, learning_rate):
        rate = ops.cast(learning_rate, variable.dtype)
        gradient = ops.cast(gradient, variable.dtype)
        step = ops.cast(self.iterations + 1, variable.dtype)
        place = self._get_variable_index(variable)
        m, v = self.momentums[place], self.velocities[place]
        self.assign_add(m, (gradient - m) * (1 - self.beta_1))
        square = ops.square(gradient)
        self.assign_sub(v, (1 - self.beta_2) * ops.sign(v - square) * square)
        self.assign(self.calls, self.calls + 1)
        unbiased = m / (1 - ops.power(self.beta_1, step))
        self.assign_sub(variable, rate * unbiased / (ops.sqrt(ops.abs(v)) + 1e-3))

    def get_config(self):
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2}


random = np.random.RandomState(0)
x = random.randn(16, 4).astype("float32")
y = np.tanh(x @ random.randn(4, 2)).astype("float32")
weights = [random.randn(4, 3) / 2, random.randn(3) / 10, random.randn(3, 2) / 2, np.zeros(2)]


def build_model():
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(3, activation="tanh"),
            keras.layers.Dense(2),
        ]
    )
    model.set_weights(weights)
    return model


def train(model, epochs):
    options = {"batch_size": 4, "epochs": epochs, "shuffle": False, "verbose": 0}
    return model.fit(x, y, **options).history["loss"]


schedule = keras.optimizers.schedules.ExponentialDecay(0.05, 3, 0.5)
CASES = {
    "plain": ({}, (0.3183736801147461, 0.5753493309020996)),
    "clipped": ({"clipnorm": 0.1}, (0.34691983461380005, 0.5708814263343811)),
    "clipped together": ({"global_clipnorm": 0.1}, (0.34904584288597107, 0.570429265499115)),
    "decaying": ({"weight_decay": 0.1}, (0.31711649894714355, 0.5685328841209412)),
    "averages taken over": (
        {"use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": 3},
        (0.33779385685920715, 0.5708361864089966),
    ),
    "averages in the end": (
        {"use_ema": True, "ema_momentum": 0.9},
        (0.3183736801147461, 0.5722205638885498),
    ),
    "accumulated": ({"gradient_accumulation_steps": 2}, (0.3362624943256378, 0.5727919340133667)),
    "scheduled": ({"learning_rate": schedule}, (0.2749948799610138, 0.5781407952308655)),
    "scaled": ({"loss_scale_factor": 8.0}, (0.3183736801147461, 0.5753493309020996)),
}
for name, (options, wanted) in CASES.items():
    model = build_model()
    model.compile(Yogi(**options), "mse")
    found = train(model, 3)[-1], model.get_weights()[0][0, 0]
    np.testing.assert_allclose(found, wanted, rtol=1e-5, err_msg=name)

model = build_model()
model.compile(Yogi(clipnorm=0.5), "mse")
train(model, 2)
model.save("yogi.keras")
loaded = keras.models.load_model("yogi.keras")
assert loaded.optimizer.clipnorm == 0.5
np.testing.assert_allclose(train(loaded, 2), train(model, 2), rtol=1e-6)

model = build_model()
optimizer = Yogi()
optimizer.build(model.trainable_variables)
trained = [variable.value for variable in model.trainable_variables]
kept = [variable.value for variable in optimizer.variables]
assert len(kept) == 2 + 2 * 4 + 1


def loss_of(trained, x, y):
    outputs, _ = model.stateless_call(trained, [], x)
    return ops.mean(ops.square(outputs - y))


@jax.jit
def step(trained, kept, x, y):
    loss, gradients = jax.value_and_grad(loss_of)(trained, x, y)
    trained, kept = optimizer.stateless_apply(kept, gradients, trained)
    return loss, trained, kept


for start in range(0, 48, 4):
    loss, trained, kept = step(trained, kept, x[start % 16 :][:4], y[start % 16 :][:4])
np.testing.assert_allclose(trained[0][0, 0], CASES["plain"][1][1], rtol=1e-5)
assert int(kept[-1]) == 4 * 12  # calls: one for each variable and step

optimizer = Yogi()
gradients = jax.grad(loss_of)([variable.value for variable in model.trainable_variables], x, y)
before = float(loss_of([variable.value for variable in model.trainable_variables], x, y))
for _ in range(5):
    optimizer.apply(gradients, model.trainable_variables)
assert float(loss_of([variable.value for variable in model.trainable_variables], x, y)) < before
