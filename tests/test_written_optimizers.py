"""Optimizers whose steps users write: Keras 1 and 2's `get_updates`, Keras 3's `update_step`."""

import json
from pathlib import Path

import numpy as np
import pytest

from funkeras import backend as K
from funkeras import config, constraints, models, optimizers
from funkeras.callbacks import LearningRateScheduler
from funkeras.compat.interfaces import legacy_dense_support, legacy_get_updates_support
from funkeras.layers import Dense, Layer
from funkeras.models import Sequential, load_model

random = np.random.RandomState(0)
X, Y = random.normal(size=(16, 4)).astype("f4"), random.normal(size=(16, 2)).astype("f4")
W = random.normal(size=(4, 2)).astype("f4")
GENUINE = json.loads((Path(__file__).parent / "golden" / "written_optimizers.json").read_text())
"""Weights after training by the same classes in Keras 3.15 on JAX, and the shapes of their state.

`beta_2` is 0.9, as Keras computes `1 - beta_2ᵗ` in float32, which has few digits for 0.999.
Made by this file's `trained` with W, X and Y above and the classes of `MODERN`.
"""


def trained(optimizer, epochs=2, callbacks=(), **options):
    model = Sequential([Dense(2, input_dim=4, **options)])
    model.set_weights([W, np.zeros(2, "f4")])
    model.compile(optimizer=optimizer, loss="mse")
    rest = {"epochs": epochs, "batch_size": 4, "shuffle": False, "verbose": 0}
    model.fit(X, Y, callbacks=list(callbacks), **rest)
    return model


def followed(step, epochs=2):
    """Weights after training by `step(gradients, values, t)` in NumPy."""
    values = [W.astype("f8"), np.zeros(2)]
    for t in range(4 * epochs):
        x, y = X[t * 4 % 16 :][:4], Y[t * 4 % 16 :][:4]
        slope = 2 * (x @ values[0] + values[1] - y) / y.size
        values = step([x.T @ slope, slope.sum(0)], values, t)
    return values


def close(model, expected):
    for got, wanted in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=2e-5, atol=1e-6)


# Keras 2


class Momentum(optimizers.Optimizer):
    """Heavy ball, with a momentum that grows: a number that is state."""

    def __init__(self, lr=0.1, decay=0.0, growth=0.5, **kwargs):
        super().__init__(**kwargs)
        with K.name_scope(type(self).__name__):
            self.iterations = K.variable(0, dtype="int64", name="iterations")
            self.lr = K.variable(lr, name="lr")
            self.decay = K.variable(decay, name="decay")
            self.momentum = K.variable(0.0, name="momentum")
        self.initial_decay = decay
        self.growth = growth

    @legacy_get_updates_support
    def get_updates(self, loss, params):
        grads = self.get_gradients(loss, params)
        self.updates = [K.update_add(self.iterations, 1)]
        lr = self.lr
        if self.initial_decay > 0:
            lr = lr * (1.0 / (1.0 + self.decay * K.cast(self.iterations, K.dtype(self.decay))))
        grown = self.momentum + (0.9 - self.momentum) * self.growth
        self.updates.append((self.momentum, grown))
        moments = [K.zeros(K.int_shape(p), dtype=K.dtype(p)) for p in params]
        self.weights = [self.iterations, *moments]
        for p, g, m in zip(params, grads, moments, strict=True):
            v = self.momentum * m - lr * g
            self.updates.append(K.update(m, v))
            new = p + v
            if getattr(p, "constraint", None) is not None:
                new = p.constraint(new)
            self.updates.append(K.update(p, new))
        return self.updates

    def get_config(self):
        own = {"lr": float(K.get_value(self.lr)), "decay": float(K.get_value(self.decay))}
        return {**super().get_config(), **own, "growth": self.growth}


def heavy_ball(rates, decay=0.0, growth=0.5, clip=None, project=None):
    moments, momentum = [0, 0], 0.0

    def step(slopes, values, t):
        nonlocal moments, momentum
        if clip:
            norm = np.sqrt(sum((g**2).sum() for g in slopes))
            slopes = [g * min(1, clip / norm) for g in slopes]
        lr = rates[t] / (1 + decay * t)
        moments = [momentum * m - lr * g for m, g in zip(moments, slopes, strict=True)]
        momentum += (0.9 - momentum) * growth
        values = [p + m for p, m in zip(values, moments, strict=True)]
        return values if project is None else [project(values[0]), values[1]]

    return step


@pytest.mark.parametrize("dialect", ["classic", "keras2"])
@pytest.mark.parametrize("options", [{}, {"decay": 0.3}, {"growth": 0.1}])
def test_get_updates_of_keras_2_is_the_step(dialect, options):
    config.set_dialect(dialect)
    close(trained(Momentum(**options)), followed(heavy_ball([0.1] * 8, **options)))


def test_get_gradients_are_clipped_by_the_optimizers_arguments():
    close(trained(Momentum(clipnorm=0.2)), followed(heavy_ball([0.1] * 8, clip=0.2)))


def test_constraints_and_rates_that_callbacks_set_hold():
    def project(kernel):
        return kernel * np.minimum(1, 0.5 / np.sqrt((kernel**2).sum(0)))

    scheduler = LearningRateScheduler(lambda epoch: 0.2 / (epoch + 1))
    limited = constraints.MaxNorm(0.5)
    model = trained(Momentum(), callbacks=[scheduler], kernel_constraint=limited)
    close(model, followed(heavy_ball([0.2] * 4 + [0.1] * 4, project=project)))
    assert float(K.get_value(model.optimizer.lr)) == pytest.approx(0.1)
    K.set_value(model.optimizer.lr, 0.0)
    before = model.get_weights()
    model.fit(X, Y, epochs=1, batch_size=16, verbose=0)
    assert not np.allclose(before[0], model.get_weights()[0])  # the momentum goes on


@pytest.mark.parametrize("ending", ["h5", "keras"])
def test_training_goes_on_from_a_file(tmp_path, ending):
    model = trained(Momentum(decay=0.1))
    model.save(str(tmp_path / f"m.{ending}"))
    with pytest.raises(ValueError, match="Momentum"):
        load_model(str(tmp_path / f"m.{ending}"))
    again = load_model(str(tmp_path / f"m.{ending}"), custom_objects={"Momentum": Momentum})
    assert float(K.get_value(again.optimizer.decay)) == pytest.approx(0.1)
    for one in (model, again):
        one.fit(X, Y, epochs=1, batch_size=4, shuffle=False, verbose=0)
    close(again, model.get_weights())
    close(again, followed(heavy_ball([0.1] * 12, decay=0.1), epochs=3))
    # as Keras 2 saves `[iterations] + moments`, after the number of __init__ that is state
    assert [w.shape for w in model.optimizer.get_weights()] == [(), (), (4, 2), (2,)]


def test_get_updates_of_keras_1_is_the_step():
    class Old(optimizers.Optimizer):
        def __init__(self, lr=0.1, **kwargs):
            super().__init__(**kwargs)
            self.__dict__.update(locals())
            self.iterations = K.variable(0.0)
            self.lr = K.variable(lr)

        def get_updates(self, params, constraints, loss):
            grads = self.get_gradients(loss, params)
            self.updates = [(self.iterations, self.iterations + 1.0)]
            for p, g in zip(params, grads, strict=True):
                new = p - self.lr / (self.iterations + 1.0) * g
                if p in constraints:
                    new = constraints[p](new)
                self.updates.append((p, new))
            return self.updates

    def step(slopes, values, t):
        return [p - 0.1 / (t + 1) * g for p, g in zip(values, slopes, strict=True)]

    close(trained(Old()), followed(step))


def test_gradients_that_a_subclass_changes_are_those_of_its_rule():
    class Centred(optimizers.SGD):
        def get_gradients(self, loss, params):
            found = super().get_gradients(loss, params)
            return [g - K.mean(g, axis=0) if K.ndim(g) > 1 else g for g in found]

    def step(slopes, values, t):
        slopes = [slopes[0] - slopes[0].mean(0), slopes[1]]
        moments[:] = [0.9 * m - 0.1 * g for m, g in zip(moments, slopes, strict=True)]
        return [p + m for p, m in zip(values, moments, strict=True)]

    moments = [0, 0]
    model = trained(Centred(lr=0.1, momentum=0.9))
    close(model, followed(step))
    assert [w.shape for w in model.optimizer.get_weights()] == [(), (4, 2), (2,)]


def test_what_get_updates_gives_is_checked():
    outside = K.variable(0.0)

    class Foreign(Momentum):
        def get_updates(self, loss, params):
            return [(outside, 1.0)]

    class Misshapen(Momentum):
        def get_updates(self, loss, params):
            return [(params[0], K.ones((3, 2)))]

    with pytest.raises(ValueError, match=r"Foreign gives .* neither trained nor made"):
        trained(Foreign())
    with pytest.raises(ValueError, match=r"Misshapen gives .* shape \(3, 2\)"):
        trained(Misshapen())


def test_methods_with_the_decorators_of_keras_2_take_old_spellings():
    class Own(Layer):
        @legacy_dense_support
        def __init__(self, units, kernel_initializer="uniform", **kwargs):
            self.units, self.kernel_initializer = units, kernel_initializer
            super().__init__(**kwargs)

    own = Own(output_dim=3, init="zeros", input_shape=(2,))
    assert (own.units, own.kernel_initializer) == (3, "zeros")
    assert Own(4, name="four").units == 4


# Keras 3


def signed(kind, *args, **options):
    """An optimizer of twice the rate that sees a tenth of the gradients' signs."""
    from funkeras import ops

    class Signed(kind):
        def update_step(self, gradient, variable, learning_rate):
            super().update_step(ops.sign(gradient) * 0.1, variable, learning_rate * 2)

    return Signed(*args, **options)


class Clipped(optimizers.SGD):
    """Gradients of matrices as long as a tenth of the weights at most."""

    def apply(self, grads, trainable_variables=None):
        from funkeras import ops

        variables = trainable_variables or self._trainable_variables
        grads = [
            g * ops.minimum(1.0, 0.1 * ops.norm(v) / (ops.norm(g) + 1e-6)) if v.ndim > 1 else g
            for g, v in zip(grads, variables, strict=True)
        ]
        super().apply(grads, trainable_variables)


class Slowed(optimizers.Adam):
    """Adam by a moving average of the gradients, which is state beside Adam's own."""

    def build(self, variables):
        super().build(variables)
        self.slow = [self.add_variable_from_reference(v, name="slow") for v in variables]

    def update_step(self, gradient, variable, learning_rate):
        slow = self.slow[self._get_variable_index(variable)]
        self.assign(slow, 0.5 * slow + 0.5 * gradient)
        super().update_step(slow, variable, learning_rate)


def falling():
    return optimizers.schedules.ExponentialDecay(0.05, 3, 0.5)


MODERN = {
    "SGD": lambda: signed(optimizers.SGD, 0.05, momentum=0.9, nesterov=True),
    "Adam": lambda: signed(optimizers.Adam, 0.05, beta_2=0.9, amsgrad=True),
    "AdamW": lambda: signed(optimizers.AdamW, 0.05, beta_2=0.9, weight_decay=0.1),
    "Nadam": lambda: signed(optimizers.Nadam, 0.05),
    "RMSprop": lambda: signed(optimizers.RMSprop, 0.05, centered=True, momentum=0.5),
    "Adagrad": lambda: signed(optimizers.Adagrad, 0.05),
    "Adadelta": lambda: signed(optimizers.Adadelta, 0.5),
    "Adamax": lambda: signed(optimizers.Adamax, 0.05),
    "Ftrl": lambda: signed(optimizers.Ftrl, 0.05),
    "Lion": lambda: signed(optimizers.Lion, 0.05),
    "Adafactor": lambda: signed(optimizers.Adafactor, 0.05),
    "Lamb": lambda: signed(optimizers.Lamb, 0.05),
    "Muon": lambda: signed(optimizers.Muon, 0.05),
    "ScheduleFreeAdamW": lambda: signed(optimizers.ScheduleFreeAdamW, 0.05),
    "accum": lambda: signed(
        optimizers.Adam, 0.05, beta_2=0.9, gradient_accumulation_steps=2, clipnorm=0.1
    ),
    "ema": lambda: signed(optimizers.SGD, falling(), use_ema=True, ema_momentum=0.9),
    "apply": lambda: Clipped(0.1, momentum=0.9),
    "apply accum": lambda: Clipped(0.1, momentum=0.9, gradient_accumulation_steps=2),
    "build": lambda: Slowed(0.05, beta_2=0.9),
}


@pytest.fixture
def keras_3():
    config.set_dialect("modern")


@pytest.mark.usefixtures("keras_3")
@pytest.mark.parametrize("name", MODERN)
def test_steps_that_subclasses_of_keras_3_write_are_taken(name):
    weights, shapes = GENUINE[name]
    model = trained(MODERN[name]())
    np.testing.assert_allclose(model.get_weights()[0].ravel(), weights, rtol=2e-5, atol=1e-6)
    assert [list(own.shape) for own in model.optimizer.variables] == shapes


@pytest.mark.usefixtures("keras_3")
@pytest.mark.parametrize("name", ["apply", "build", "RMSprop"])
def test_they_are_taken_once_in_loops_of_users_too(name):
    from funkeras import ops

    model, optimizer = trained("sgd", epochs=0), MODERN[name]()
    kernel, bias = model.trainable_variables
    for t in range(8):
        x, y = X[t * 4 % 16 :][:4], Y[t * 4 % 16 :][:4]
        slope = 2 * (ops.matmul(x, kernel) + bias - y) / y.size
        optimizer.apply([ops.matmul(x.T, slope), ops.sum(slope, 0)], [kernel, bias])
    np.testing.assert_allclose(kernel.numpy().ravel(), GENUINE[name][0], rtol=2e-5, atol=1e-6)
    assert int(optimizer.iterations) == 8


@pytest.mark.usefixtures("keras_3")
def test_their_training_goes_on_from_a_file(tmp_path):
    model = trained(Slowed(0.05, beta_2=0.9), epochs=1)
    model.save(tmp_path / "m.keras")
    again = models.load_model(tmp_path / "m.keras", custom_objects={"Slowed": Slowed})
    again.fit(X, Y, epochs=1, batch_size=4, shuffle=False, verbose=0)
    weights, _ = GENUINE["build"]
    np.testing.assert_allclose(again.get_weights()[0].ravel(), weights, rtol=2e-5, atol=1e-6)


@pytest.mark.usefixtures("keras_3")
def test_a_step_outside_of_training_is_refused():
    optimizer = Slowed()
    optimizer.build(trained("sgd", epochs=0).trainable_variables)
    with pytest.raises(RuntimeError, match="update_step is for subclasses to call in a step"):
        optimizer.update_step(0.0, optimizer._trainable_variables[0], 0.1)
