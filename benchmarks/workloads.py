"""The nets that are timed: each once as Keras layers, once by hand and once for PyTorch.

All of a row's contestants learn the same data in the same batches with the same optimizer, and all
report the mean loss and accuracy of the epoch.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax, random

from funkeras.datasets import mnist_5k

__all__ = ["WORKLOADS", "Workload"]

Data = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Workload:
    """A net, its data and how it is trained.

    Fields:
        title: what stands in the table.
        batch: rows of a step.
        optimizer: its name in Keras; it has the defaults of Keras 3.
        loss: its name in Keras.
        data: makes inputs and targets: one-hot rows, or one column of 0 and 1.
        layers: the net, from a module of Keras layers.
        by_hand: logits from the params of the layers that have some, a key and inputs.
        torch: the net that gives logits, from the module `torch.nn`.
        epochs: how many a timed call trains; several where one takes only milliseconds.
    """

    title: str
    batch: int
    optimizer: str
    loss: str
    data: Callable[[], Data]
    layers: Callable[[Any], Sequence[Any]]
    by_hand: Callable[[Sequence[Any], jax.Array, jax.Array], jax.Array]
    torch: Callable[[Any], Any]
    epochs: int = 1


def affine(p: Any, x: jax.Array) -> jax.Array:
    return x @ p["kernel"] + p["bias"]


def drop(key: jax.Array, rate: float, x: jax.Array) -> jax.Array:
    return jnp.where(random.bernoulli(key, 1 - rate, x.shape), x / (1 - rate), 0)


def conv(p: Any, x: jax.Array, padding: str = "VALID") -> jax.Array:
    """A convolution over images or sequences with channels last, and relu."""
    inner = "HW"[: x.ndim - 2]
    numbers = (f"N{inner}C", f"{inner}IO", f"N{inner}C")
    ones = (1,) * len(inner)
    y = lax.conv_general_dilated(x, p["kernel"], ones, padding, dimension_numbers=numbers)
    return jax.nn.relu(y + p["bias"])


def pool(x: jax.Array) -> jax.Array:
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


def lstm(p: Any, x: jax.Array) -> jax.Array:
    """The last output; the inputs of all steps are multiplied before the loop."""
    units = p["recurrent_kernel"].shape[0]
    given = jnp.swapaxes(affine(p, x), 0, 1)

    def step(carry: tuple[jax.Array, jax.Array], z: jax.Array) -> tuple[Any, None]:
        h, c = carry
        i, f, g, o = jnp.split(z + h @ p["recurrent_kernel"], 4, axis=-1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

    zero = jnp.zeros((x.shape[0], units), x.dtype)
    (h, _), _ = lax.scan(step, (zero, zero), given)
    return h


def one_hot(labels: np.ndarray, classes: int = 10) -> np.ndarray:
    return np.eye(classes, dtype=np.float32)[labels]


def noise(rows: int) -> Data:
    """Normal numbers with ten classes drawn at random."""
    generator = np.random.default_rng(0)
    x = generator.standard_normal((rows, 100), dtype=np.float32)
    return x, one_hot(generator.integers(0, 10, rows))


def digits(rows: int, shape: tuple[int, ...]) -> Data:
    (x, y), _ = mnist_5k.load_data()
    return x[:rows].reshape(-1, *shape).astype("float32") / 255, one_hot(y[:rows])


def pictures(rows: int) -> Data:
    generator = np.random.default_rng(0)
    x = generator.random((rows, 32, 32, 3), dtype=np.float32)
    return x, one_hot(generator.integers(0, 10, rows))


def words(rows: int, length: int, vocabulary: int) -> Data:
    generator = np.random.default_rng(0)
    x = generator.integers(0, vocabulary, (rows, length)).astype("int32")
    return x, generator.integers(0, 2, (rows, 1)).astype("float32")


def characters(rows: int) -> Data:
    generator = np.random.default_rng(0)
    x = one_hot(generator.integers(0, 57, (rows, 40)), 57)
    return x, one_hot(generator.integers(0, 57, rows), 57)


def first_model(layers: Any) -> Sequence[Any]:
    return [layers.Dense(64, activation="relu"), layers.Dense(10, activation="softmax")]


def first_model_by_hand(params: Any, key: jax.Array, x: jax.Array) -> jax.Array:
    first, second = params
    return affine(second, jax.nn.relu(affine(first, x)))


def first_model_torch(nn: Any) -> Any:
    return nn.Sequential(nn.Linear(100, 64), nn.ReLU(), nn.Linear(64, 10))


def mlp(layers: Any) -> Sequence[Any]:
    return [
        layers.Dense(512, activation="relu"),
        layers.Dropout(0.2),
        layers.Dense(512, activation="relu"),
        layers.Dropout(0.2),
        layers.Dense(10, activation="softmax"),
    ]


def mlp_by_hand(params: Any, key: jax.Array, x: jax.Array) -> jax.Array:
    first, second, third = params
    one, two = random.split(key)
    h = drop(one, 0.2, jax.nn.relu(affine(first, x)))
    return affine(third, drop(two, 0.2, jax.nn.relu(affine(second, h))))


def mlp_torch(nn: Any) -> Any:
    hidden = [nn.Linear(784, 512), nn.ReLU(), nn.Dropout(0.2)]
    return nn.Sequential(
        *hidden, nn.Linear(512, 512), nn.ReLU(), nn.Dropout(0.2), nn.Linear(512, 10)
    )


def cnn(layers: Any) -> Sequence[Any]:
    return [
        layers.Conv2D(32, 3, activation="relu"),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Dropout(0.25),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(10, activation="softmax"),
    ]


def cnn_by_hand(params: Any, key: jax.Array, x: jax.Array) -> jax.Array:
    first, second, third, fourth = params
    one, two = random.split(key)
    h = drop(one, 0.25, pool(conv(second, conv(first, x)))).reshape(len(x), -1)
    return affine(fourth, drop(two, 0.5, jax.nn.relu(affine(third, h))))


def cnn_torch(nn: Any) -> Any:
    convolutions = [nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 32, 3), nn.ReLU()]
    dense = [nn.Linear(32 * 12 * 12, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10)]
    return nn.Sequential(*convolutions, nn.MaxPool2d(2), nn.Dropout(0.25), nn.Flatten(), *dense)


def word_lstm(layers: Any) -> Sequence[Any]:
    return [layers.Embedding(20000, 128), layers.LSTM(128), layers.Dense(1, activation="sigmoid")]


def word_lstm_by_hand(params: Any, key: jax.Array, x: jax.Array) -> jax.Array:
    table, recurrent, last = params
    return affine(last, lstm(recurrent, table["embeddings"][x]))


def word_lstm_torch(nn: Any) -> Any:
    return nn.Sequential(nn.Embedding(20000, 128), last_output(nn, 128, 128), nn.Linear(128, 1))


def word_cnn(layers: Any) -> Sequence[Any]:
    return [
        layers.Embedding(5000, 50),
        layers.Dropout(0.2),
        layers.Conv1D(250, 3, activation="relu"),
        layers.GlobalMaxPooling1D(),
        layers.Dense(250, activation="relu"),
        layers.Dropout(0.2),
        layers.Dense(1, activation="sigmoid"),
    ]


def word_cnn_by_hand(params: Any, key: jax.Array, x: jax.Array) -> jax.Array:
    table, first, second, last = params
    one, two = random.split(key)
    h = conv(first, drop(one, 0.2, table["embeddings"][x])).max(1)
    return affine(last, drop(two, 0.2, jax.nn.relu(affine(second, h))))


def word_cnn_torch(nn: Any) -> Any:
    class LargestOverTime(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv1d(50, 250, 3)

        def forward(self, x: Any) -> Any:
            return self.conv(x.transpose(1, 2)).relu().amax(-1)

    dense = [nn.Linear(250, 250), nn.ReLU(), nn.Dropout(0.2), nn.Linear(250, 1)]
    return nn.Sequential(nn.Embedding(5000, 50), nn.Dropout(0.2), LargestOverTime(), *dense)


def char_lstm(layers: Any) -> Sequence[Any]:
    return [layers.LSTM(128), layers.Dense(57, activation="softmax")]


def char_lstm_by_hand(params: Any, key: jax.Array, x: jax.Array) -> jax.Array:
    recurrent, last = params
    return affine(last, lstm(recurrent, x))


def char_lstm_torch(nn: Any) -> Any:
    return nn.Sequential(last_output(nn, 57, 128), nn.Linear(128, 57))


def last_output(nn: Any, features: int, units: int) -> Any:
    """An LSTM of PyTorch that gives its last output."""

    class LastOutput(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(features, units, batch_first=True)

        def forward(self, x: Any) -> Any:
            return self.lstm(x)[0][:, -1]

    return LastOutput()


def cifar(layers: Any) -> Sequence[Any]:
    def block(filters: int) -> list[Any]:
        return [
            layers.Conv2D(filters, 3, padding="same", activation="relu"),
            layers.Conv2D(filters, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Dropout(0.25),
        ]

    head = [
        layers.Dense(512, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(10, activation="softmax"),
    ]
    return [*block(32), *block(64), layers.Flatten(), *head]


def cifar_by_hand(params: Any, key: jax.Array, x: jax.Array) -> jax.Array:
    keys = random.split(key, 3)
    h = drop(keys[0], 0.25, pool(conv(params[1], conv(params[0], x, "SAME"))))
    h = drop(keys[1], 0.25, pool(conv(params[3], conv(params[2], h, "SAME"))))
    h = jax.nn.relu(affine(params[4], h.reshape(len(x), -1)))
    return affine(params[5], drop(keys[2], 0.5, h))


def cifar_torch(nn: Any) -> Any:
    def block(channels: int, filters: int) -> list[Any]:
        same = [nn.Conv2d(channels, filters, 3, padding="same"), nn.ReLU()]
        return [*same, nn.Conv2d(filters, filters, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25)]

    head = [nn.Linear(64 * 6 * 6, 512), nn.ReLU(), nn.Dropout(0.5), nn.Linear(512, 10)]
    return nn.Sequential(*block(3, 32), *block(32, 64), nn.Flatten(), *head)


CLASSES, YES_NO = "categorical_crossentropy", "binary_crossentropy"

WORKLOADS = {
    "first_model": Workload(
        "First model: Dense 64, 10",
        32, "sgd", CLASSES, lambda: noise(10_000),
        first_model, first_model_by_hand, first_model_torch, epochs=5,
    ),
    "mnist_mlp": Workload(
        "MNIST MLP 784-512-512-10",
        128, "rmsprop", CLASSES, lambda: digits(30 * 128, (784,)),
        mlp, mlp_by_hand, mlp_torch,
    ),
    "mnist_cnn": Workload(
        "MNIST CNN: Conv 32, Conv 32, Dense 128",
        128, "adadelta", CLASSES, lambda: digits(8 * 128, (28, 28, 1)),
        cnn, cnn_by_hand, cnn_torch,
    ),
    "word_lstm": Workload(
        "Embedding 20000 x 128, LSTM 128, 80 steps",
        32, "adam", YES_NO, lambda: words(20 * 32, 80, 20000),
        word_lstm, word_lstm_by_hand, word_lstm_torch,
    ),
    "word_cnn": Workload(
        "Embedding 5000 x 50, Conv1D 250, 400 steps",
        32, "adam", YES_NO, lambda: words(20 * 32, 400, 5000),
        word_cnn, word_cnn_by_hand, word_cnn_torch,
    ),
    "char_lstm": Workload(
        "Character LSTM 128 on 40 x 57",
        128, "adam", CLASSES, lambda: characters(12 * 128),
        char_lstm, char_lstm_by_hand, char_lstm_torch,
    ),
    "cifar_cnn": Workload(
        "CIFAR CNN: Conv 32, 32, 64, 64, Dense 512",
        32, "rmsprop", CLASSES, lambda: pictures(12 * 32),
        cifar, cifar_by_hand, cifar_torch,
    ),
}  # fmt: skip
"""Name on the command line → net."""
