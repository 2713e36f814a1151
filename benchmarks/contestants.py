"""The epochs of a workload in funkeras, by hand in two ways, in Keras and in PyTorch.

Each function here makes what is timed: a call that trains `work.epochs` epochs and gives the mean
loss of the last one.
"""

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax, random

from benchmarks.timing import repeated
from benchmarks.workloads import CLASSES, Workload
from funkeras import config, layers, models

__all__ = ["CONTESTANTS", "available"]

Run = Callable[[], float]

OPTAX = {
    "sgd": lambda: optax.sgd(0.01),
    "rmsprop": lambda: optax.rmsprop(0.001, decay=0.9, eps=1e-7),
    "adadelta": lambda: optax.adadelta(0.001, rho=0.95, eps=1e-7),
    "adam": lambda: optax.adam(0.001, eps=1e-7),
}
TORCH: dict[str, Callable[[Any, Any], Any]] = {
    "sgd": lambda optim, params: optim.SGD(params, 0.01),
    "rmsprop": lambda optim, params: optim.RMSprop(params, 0.001, alpha=0.9, eps=1e-7),
    "adadelta": lambda optim, params: optim.Adadelta(params, 0.001, rho=0.95, eps=1e-7),
    "adam": lambda optim, params: optim.Adam(params, 0.001, eps=1e-7),
}
"""Optimizers with the defaults of Keras 3."""


def keras_like(models: Any, layers: Any, work: Workload) -> Any:
    """The compiled model of a library that speaks Keras, built on the data's shape.

    Ours computes as Keras 3 does: in Keras 1 and 2 a plain SGD keeps a momentum, for example.
    """
    x, _ = work.data()
    with config.using_dialect("modern"):
        first = layers.Input(x.shape[1:], dtype=x.dtype.name)
        model = models.Sequential([first, *work.layers(layers)])
        model.compile(loss=work.loss, optimizer=work.optimizer, metrics=["accuracy"])
    return model


def fitted(models: Any, layers: Any, work: Workload) -> Run:
    """`fit` of the model of a library that speaks Keras."""
    x, y = work.data()
    model = keras_like(models, layers, work)

    def run() -> float:
        history = model.fit(x, y, batch_size=work.batch, epochs=work.epochs, verbose=0)
        return float(history.history["loss"][-1])

    return run


def funkeras(work: Workload) -> Run:
    return fitted(models, layers, work)


def keras(work: Workload) -> Run:
    keras = importlib.import_module("keras")
    return fitted(keras.models, keras.layers, work)


def initial_params(work: Workload) -> list[Any]:
    """Params of the layers that have some; the jitted programs do not donate them."""
    model = keras_like(models, layers, work)
    return [jax.tree.map(jnp.copy, layer.params) for layer in model.layers if layer.params]


def of_logits(logits: jax.Array, y: jax.Array) -> jax.Array:
    return optax.softmax_cross_entropy(logits, y).mean()


def training_step(
    work: Workload, optimizer: Any, of_classes: Callable[..., jax.Array] = of_logits
) -> Callable[..., Any]:
    """What anyone would write: gradient, optax update, and the logs of a batch."""

    def loss(params: Any, key: jax.Array, x: jax.Array, y: jax.Array) -> Any:
        logits = work.by_hand(params, key, x)
        if work.loss == CLASSES:
            value = of_classes(logits, y)
            return value, (logits.argmax(-1) == y.argmax(-1)).mean()
        value = optax.sigmoid_binary_cross_entropy(logits, y).mean()
        return value, ((logits > 0) == (y > 0.5)).mean()

    def step(params: Any, state: Any, key: jax.Array, x: jax.Array, y: jax.Array) -> Any:
        logs, gradients = jax.value_and_grad(loss, has_aux=True)(params, key, x, y)
        updates, state = optimizer.update(gradients, state, params)
        return optax.apply_updates(params, updates), state, jnp.stack(logs)

    return step


def step_loop(work: Workload) -> Run:
    """A jitted step called from a Python loop over batches of NumPy rows."""
    x, y = work.data()
    optimizer = OPTAX[work.optimizer]()
    step = jax.jit(training_step(work, optimizer))
    params = initial_params(work)
    state = optimizer.init(params)
    steps = len(x) // work.batch

    def epoch() -> float:
        nonlocal params, state
        order = np.random.permutation(len(x))
        keys = random.split(random.key(0), steps)
        total = np.zeros(2)
        for index in range(steps):
            rows = order[index * work.batch : (index + 1) * work.batch]
            params, state, logs = step(params, state, keys[index], x[rows], y[rows])
            total += np.asarray(logs)
        jax.block_until_ready(params)
        return total[0] / steps

    return repeated(epoch, work.epochs)


def whole_epoch(work: Workload, make: Callable[..., Any] = training_step) -> Run:
    """All steps of an epoch, which `make` makes, as one program, over data that stays there."""
    x, y = map(jnp.asarray, work.data())
    optimizer = OPTAX[work.optimizer]()
    step = make(work, optimizer)
    params = initial_params(work)
    state = optimizer.init(params)
    steps = len(x) // work.batch

    @jax.jit
    def run(params: Any, state: Any, key: jax.Array, x: Any, y: Any, order: jax.Array) -> Any:
        def body(index: Any, carry: Any) -> Any:
            params, state, total = carry
            rows = order[index]
            own = random.fold_in(key, index)
            params, state, logs = step(params, state, own, x[rows], y[rows])
            return params, state, total + logs

        return lax.fori_loop(0, steps, body, (params, state, jnp.zeros(2)))

    def epoch() -> float:
        nonlocal params, state
        order = np.random.permutation(len(x))[: steps * work.batch].reshape(steps, work.batch)
        params, state, total = run(params, state, random.key(0), x, y, order)
        jax.block_until_ready(params)
        return float(total[0]) / steps

    return repeated(epoch, work.epochs)


def torch(work: Workload) -> Run:
    """A loop over batches of tensors; images have their channels first, as PyTorch wants them."""
    torch = importlib.import_module("torch")
    x, y = map(torch.from_numpy, work.data())
    x = x.movedim(-1, 1).contiguous() if x.ndim == 4 else x
    net = work.torch(torch.nn)
    optimizer = TORCH[work.optimizer](torch.optim, net.parameters())
    nn = torch.nn
    loss = nn.CrossEntropyLoss() if work.loss == CLASSES else nn.BCEWithLogitsLoss()

    def epoch() -> float:
        order = torch.randperm(len(x))
        total = right = 0.0
        for rows in order.split(work.batch):
            logits, targets = net(x[rows]), y[rows]
            value = loss(logits, targets)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            total += value.item()
            if work.loss == CLASSES:
                right += (logits.argmax(-1) == targets.argmax(-1)).float().mean().item()
            else:
                right += ((logits > 0) == (targets > 0.5)).float().mean().item()
        return total / -(-len(x) // work.batch)

    return repeated(epoch, work.epochs)


CONTESTANTS: dict[str, Callable[[Workload], Run]] = {
    "funkeras": funkeras,
    "step loop by hand": step_loop,
    "whole epoch by hand": whole_epoch,
    "Keras 3": keras,
    "PyTorch": torch,
}
"""Name in the tables → what makes the timed call of a workload."""

NEEDS = {"Keras 3": "keras", "PyTorch": "torch"}
"""Contestants that take part where their package is installed."""


def available() -> list[str]:
    """Names of the contestants whose packages are installed."""
    return [
        name
        for name in CONTESTANTS
        if name not in NEEDS or importlib.util.find_spec(NEEDS[name]) is not None
    ]
