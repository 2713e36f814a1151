"""The data sets of Keras, read from its cache folder or downloaded, and small ones built in."""

from funkeras.datasets import (
    boston_housing,
    california_housing,
    cifar,
    cifar10,
    cifar100,
    fashion_mnist,
    first_names,
    imdb,
    king_james,
    letters_to_sounds,
    mnist,
    mnist_5k,
    movie_sentences,
    reuters,
)

__all__ = [
    "boston_housing",
    "california_housing",
    "cifar",
    "cifar10",
    "cifar100",
    "fashion_mnist",
    "first_names",
    "imdb",
    "king_james",
    "letters_to_sounds",
    "mnist",
    "mnist_5k",
    "movie_sentences",
    "reuters",
]
