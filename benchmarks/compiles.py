"""Counts the programs that XLA compiles in a fit with a last partial batch and validation."""

import logging

import jax
import numpy as np

from funkeras.layers import Dense
from funkeras.models import Sequential

__all__: list[str] = []

OURS = ("jit(run_steps)", "jit(evaluate_steps)", "jit(run)")
"""Training, evaluation and prediction; the others make variables and logs."""


class Counter(logging.Handler):
    """Collects the names of compiled programs from jax's log."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Note the program of a "Compiling ..." message."""
        message = record.getMessage()
        if message.startswith("Compiling "):
            self.names.append(message.split()[1])


def main() -> None:
    """Print how many programs each call compiled."""
    counter = Counter()
    logger = logging.getLogger("jax")
    logger.addHandler(counter)
    logger.propagate = False
    jax.config.update("jax_log_compiles", True)
    x = np.random.default_rng(0).random((1000, 20), dtype=np.float32)
    y = x[:, :1]
    model = Sequential([Dense(8, input_dim=20, activation="relu"), Dense(1)])
    model.compile(loss="mse", optimizer="adam", metrics=["mae"])
    calls = {
        "fit, 5 epochs, 800 rows by 96, 200 to validate": lambda: model.fit(
            x, y, batch_size=96, epochs=5, validation_split=0.2, verbose=0
        ),
        "the same again": lambda: model.fit(
            x, y, batch_size=96, epochs=5, validation_split=0.2, verbose=0
        ),
        "predict": lambda: model.predict(x),
    }
    for name, call in calls.items():
        counter.names.clear()
        call()
        own = [n for n in counter.names if n in OURS]
        others = len(counter.names) - len(own)
        print(f"{name}: {', '.join(own) or 'nothing'}, and {others} small ones")


if __name__ == "__main__":
    main()
