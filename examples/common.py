"""What the examples share: their command line, their data, and where their pictures go.

An example begins with

    sys.path.append(str(Path(__file__).parents[1]))
    from common import digits, start

its `main` with `run = start(__doc__, epochs=10)`, and it returns the score that its docstring
states.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import jax
import numpy as np

from funkeras.datasets import king_james, mnist_5k, movie_sentences
from funkeras.utils import set_random_seed

__all__ = ["Run", "book", "digits", "sentences", "start"]

Split: TypeAlias = tuple[tuple[Any, np.ndarray], tuple[Any, np.ndarray]]
"""Samples and labels for training, then for the test."""


@dataclass(frozen=True)
class Run:
    """One run of an example, as the command line wants it."""

    epochs: int
    seed: int
    fast: bool
    data: Path | None
    out: Path | None

    def few(self, *arrays: Any, rows: int = 100) -> tuple[Any, ...]:
        """The arrays (or lists) themselves; only their first `rows` with --fast."""
        return tuple(array[:rows] for array in arrays) if self.fast else arrays

    def size(self, full: int, fast: int) -> int:
        """`full`, or `fast` with --fast: for widths, depths and numbers of samples."""
        return fast if self.fast else full

    def picture(self, name: str, draw: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Save the figure that `draw(*args, **kwargs)` makes to `<out>/<name>.png`.

        Nothing is drawn, and no matplotlib needed, without --out.
        """
        if self.out is None:
            return
        self.out.mkdir(parents=True, exist_ok=True)
        path = self.out / f"{name}.png"
        draw(*args, **kwargs).savefig(path, dpi=150, bbox_inches="tight")
        print(f"Picture saved to {path}")

    def write(self, name: str, text: str) -> None:
        """Save a text to `<out>/<name>`, if there is --out."""
        if self.out is not None:
            self.out.mkdir(parents=True, exist_ok=True)
            (self.out / name).write_text(text, encoding="utf-8")

    def random(self) -> np.random.Generator:
        """A generator of NumPy that --seed fixes."""
        return np.random.default_rng(self.seed)

    def key(self) -> jax.Array:
        """A key of JAX that --seed fixes."""
        return jax.random.key(self.seed)


def start(doc: str | None, epochs: int, seed: int = 1337) -> Run:
    """Read the command line, seed everything.

    Args:
        doc: the example's `__doc__`, shown by --help.
        epochs: what --epochs is by default; with --fast it is 1.
        seed: what --seed is by default.
    """
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--epochs", type=int, help=f"default {epochs}, or 1 with --fast")
    parser.add_argument("--data", type=Path, help="your own file in place of the data built in")
    parser.add_argument("--seed", type=int, default=seed, help="default %(default)s")
    parser.add_argument("--fast", action="store_true", help="a few rows, to see that it runs")
    parser.add_argument("--out", type=Path, help="folder for pictures; without it, none are made")
    given = parser.parse_args()
    set_random_seed(given.seed)
    chosen = given.epochs if given.epochs is not None else (1 if given.fast else epochs)
    return Run(chosen, given.seed, given.fast, given.data, given.out)


def digits(run: Run) -> Split:
    """Images of digits (n, 28, 28, 1), black 0 to white 1, and labels 0–9: 4,000 and 1,000.

    --data is a file like Keras's `mnist.npz`: arrays `x_train`, `y_train`, `x_test`, `y_test`.
    """
    if run.data is None:
        parts = mnist_5k.load_data()
    else:
        with np.load(run.data, allow_pickle=False) as file:
            parts = tuple((file[f"x_{name}"], file[f"y_{name}"]) for name in ("train", "test"))
    train, test = (run.few(x.reshape(-1, 28, 28, 1).astype("float32") / 255, y) for x, y in parts)
    return train, test


def sentences(run: Run) -> Split:
    """Sentences of film reviews and whether they praise (1) or not (0): 8,058 and 2,014.

    Left out are those whose mean rating, -4 to 4, is nearer to 0 than 0.5. --data is a text file:
    in each line 0 or 1, a tab and a sentence; its last fifth is for the test.
    """
    if run.data is None:
        parts = movie_sentences.load_data(least=0.5)
    else:
        lines = run.data.read_text(encoding="utf-8").splitlines()
        labels, texts = zip(*(line.split("\t", 1) for line in lines), strict=True)
        cut, marks = len(lines) * 4 // 5, np.asarray(labels, "float32")
        parts = (texts[:cut], marks[:cut]), (texts[cut:], marks[cut:])
    train, test = (run.few(texts, (marks > 0).astype("float32")) for texts, marks in parts)
    return train, test


def book(run: Run) -> tuple[str, str]:
    """A text for training and one for the test: the books of Moses, 770,815 and 44,144 letters.

    --data is any other text in UTF-8; its last twentieth is for the test.
    """
    if run.data is None:
        train, test = king_james.load_data()
    else:
        train, test = end_apart(run.data.read_text(encoding="utf-8"))
    return (train[:24_000], test[:2000]) if run.fast else (train, test)


def lettered(run: Run) -> tuple[list[str], list[np.ndarray]]:
    """The letters of the book, and the book as numbers of them in three parts.

    The first is to learn from; settings are chosen by the second, the end of what there is to learn
    from; the third is held out.
    """
    train, test = book(run)
    parts = (*end_apart(train), test)
    alphabet = sorted(set("".join(parts)))
    number = {letter: index for index, letter in enumerate(alphabet)}
    return alphabet, [np.array([number[own] for own in part], np.int32) for part in parts]


def end_apart(text: str) -> tuple[str, str]:
    """A text without its last twentieth, and that."""
    cut = len(text) * 19 // 20
    return text[:cut], text[cut:]
