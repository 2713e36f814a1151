"""`keras.backend.theano_backend`: the backend's functions with the numbers that Theano gave."""

from typing import Any

import jax.numpy as jnp

from funkeras.backend.lifting import op
from funkeras.compat.of_backend import of_backend


@op
def ctc_batch_cost(y_true: Any, y_pred: Any, input_length: Any, label_length: Any) -> Any:
    """The cost of each sample as Theano gave it, in one row: (1, samples)."""
    costs = of_backend("theano", "ctc_batch_cost")(y_true, y_pred, input_length, label_length)
    return jnp.transpose(costs)


def __getattr__(name: str) -> Any:
    """A function of the backend, as on Theano."""
    return of_backend("theano", name)
