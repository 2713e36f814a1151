"""The data sets of Keras, read from its cache folder or downloaded, and 5,000 digits built in."""

from funkeras.datasets import (
    boston_housing,
    california_housing,
    cifar,
    cifar10,
    cifar100,
    fashion_mnist,
    imdb,
    mnist,
    mnist_5k,
    reuters,
)

__all__ = [
    "boston_housing",
    "california_housing",
    "cifar",
    "cifar10",
    "cifar100",
    "fashion_mnist",
    "imdb",
    "mnist",
    "mnist_5k",
    "reuters",
]
