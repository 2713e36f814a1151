"""What every example takes from its command line, and where its pictures go.

An example begins with

    sys.path.append(str(Path(__file__).parents[1]))
    from common import start

and its `main` with `run = start(__doc__, epochs=10)`.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from funkeras.utils import set_random_seed

__all__ = ["Run", "start"]


@dataclass(frozen=True)
class Run:
    """One run of an example, as the command line wants it."""

    epochs: int
    seed: int
    fast: bool
    data: Path | None
    out: Path | None

    def few(self, *arrays: Any, rows: int = 128) -> tuple[Any, ...]:
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
