"""`python -m benchmarks.first_epoch NAME`: trains an MLP for one epoch, importing no other library.

Timed from outside, as a process: interpreter, imports, tracing, compilation and the epoch itself.
"""

import importlib
import resource
import sys
from collections.abc import Callable
from itertools import pairwise

import numpy as np

__all__ = ["LEARNERS"]

ROWS, BATCH = 3840, 128


def data() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    x = generator.random((ROWS, 784), dtype=np.float32)
    return x, np.eye(10, dtype=np.float32)[generator.integers(0, 10, ROWS)]


def fit(library: str) -> None:
    """The net in a library that speaks Keras."""
    models = importlib.import_module(f"{library}.models")
    layers = importlib.import_module(f"{library}.layers")
    hidden = [layers.Dense(512, activation="relu"), layers.Dropout(0.2)]
    more = [layers.Dense(512, activation="relu"), layers.Dropout(0.2)]
    last = layers.Dense(10, activation="softmax")
    model = models.Sequential([layers.Input((784,)), *hidden, *more, last])
    model.compile(loss="categorical_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
    model.fit(*data(), batch_size=BATCH, epochs=1, verbose=0)


def by_hand() -> None:
    """A jitted step in a loop, its optimizer from optax."""
    jax, optax = importlib.import_module("jax"), importlib.import_module("optax")
    jnp, random = jax.numpy, jax.random
    x, y = data()
    generator = np.random.default_rng(1)
    params = [
        (generator.normal(0, 0.05, pair).astype("float32"), np.zeros(pair[1], "float32"))
        for pair in pairwise([784, 512, 512, 10])
    ]
    optimizer = optax.rmsprop(0.001)

    def loss(params, key, x, y):
        for (kernel, bias), own in zip(params[:-1], random.split(key), strict=True):
            x = jax.nn.relu(x @ kernel + bias)
            x = jnp.where(random.bernoulli(own, 0.8, x.shape), x / 0.8, 0)
        logits = x @ params[-1][0] + params[-1][1]
        value = optax.softmax_cross_entropy(logits, y).mean()
        return value, (logits.argmax(-1) == y.argmax(-1)).mean()

    @jax.jit
    def step(params, state, key, x, y):
        logs, gradients = jax.value_and_grad(loss, has_aux=True)(params, key, x, y)
        updates, state = optimizer.update(gradients, state, params)
        return optax.apply_updates(params, updates), state, logs

    state = optimizer.init(params)
    keys = random.split(random.key(0), ROWS // BATCH)
    for key, rows in zip(keys, np.random.permutation(ROWS).reshape(-1, BATCH), strict=True):
        params, state, logs = step(params, state, key, x[rows], y[rows])
        float(logs[0])


def torch() -> None:
    torch = importlib.import_module("torch")
    nn = torch.nn
    hidden = [nn.Linear(784, 512), nn.ReLU(), nn.Dropout(0.2)]
    more = [nn.Linear(512, 512), nn.ReLU(), nn.Dropout(0.2)]
    net = nn.Sequential(*hidden, *more, nn.Linear(512, 10))
    optimizer = torch.optim.RMSprop(net.parameters(), 0.001, alpha=0.9, eps=1e-7)
    loss = nn.CrossEntropyLoss()
    x, y = map(torch.from_numpy, data())
    for rows in torch.randperm(ROWS).split(BATCH):
        value = loss(net(x[rows]), y[rows])
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        value.item()


LEARNERS: dict[str, Callable[[], None]] = {
    "funkeras": lambda: fit("funkeras"),
    "step loop by hand": by_hand,
    "Keras 3": lambda: fit("keras"),
    "PyTorch": torch,
}

if __name__ == "__main__":
    LEARNERS[sys.argv[1]]()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, "MiB at the most")
