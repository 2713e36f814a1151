"""`Program`: a compiled function that also gets what it reads besides its arguments."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import jax
import numpy as np
from jax import random

from funkeras.distribution import distribution
from funkeras.distribution.placing import alike
from funkeras.variables import DRAWS, Flow, current_flow, flowing, noting

__all__ = ["Program"]

CPU_OPTIONS = {
    # All of YNNPACK's kinds but convolutions, which XLA's own code runs much faster: an epoch of
    # the MNIST CNN takes 0.45 s instead of 1.13 (jax 0.10.2; `python -m benchmarks mnist_cnn`).
    "xla_cpu_experimental_ynn_fusion_type": (
        "LIBRARY_FUSION_TYPE_INDIVIDUAL_DOT,LIBRARY_FUSION_TYPE_REDUCE"
    ),
}

ROUNDS = 20
"""Traces after which a program must know what it reads."""


@cache
def compiler_options(backend: str) -> dict[str, Any] | None:
    """What XLA is told for a backend, if this version of it knows such options."""
    if backend != "cpu":
        return None
    try:
        jax.jit(lambda: 0).lower().compile(compiler_options=dict(CPU_OPTIONS))
    except jax.errors.JaxRuntimeError:  # no such option: no such convolutions to avoid either
        return None
    return CPU_OPTIONS


class Program:
    """A pure function `f(*args)`, compiled once for each shape of its arguments.

    What it reads beside them, variables that user code closes over and random numbers, is found
    while it is traced and handed in at each call: a value that is set later counts.

    Args:
        function: takes arrays and gives arrays.
        static: positions of arguments that are compiled in.
        training: the phase that user code outside of layers sees.
        drawing: whether it gets a key in any case, rather than if it is seen to draw.
        first_order: whether it takes no derivatives but first ones, backwards.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        static: tuple[int, ...] = (),
        training: bool = False,
        drawing: bool = False,
        first_order: bool = False,
    ) -> None:
        self.function = function
        self.training = training
        self.first_order = first_order
        self.owners: list[Any] = []
        self.draws = drawing
        self._seed: int | None = None
        self._calls = 0
        self.compiles = 0
        """How many shapes it has been compiled for since it knew what it reads."""
        shifted = tuple(position + 2 for position in static)
        self._static = shifted
        self._spread: Any = None
        """The distribution it was traced for."""
        self._compiled = self._jitted()

    def _jitted(self) -> Callable[..., Any]:
        """The function, to be compiled under its own name: logs and profiles show it."""

        def run(held: tuple[Any, ...], seed: Any, *args: Any) -> Any:
            return self._run(held, seed, *args)

        inner = self.function.func if isinstance(self.function, partial) else self.function
        run.__name__ = getattr(inner, "__name__", type(inner).__name__)
        options = compiler_options(jax.default_backend())
        return jax.jit(run, static_argnums=self._static, compiler_options=options)

    def _run(self, held: tuple[Any, ...], seed: Any, *args: Any) -> Any:
        self.compiles += 1  # this runs where it is traced
        outer = current_flow()
        bound = {} if outer is None else dict(outer.bound)
        bound.update(zip(self.owners, held, strict=True))
        key = None if seed is None else random.key(seed)
        drawn = {} if key is None else {"key": key}
        with flowing(Flow(self.training, key, bound, first_order=self.first_order)):
            return self.function(*args, **drawn)

    def __call__(self, *args: Any) -> Any:
        """What the function gives for these arguments."""
        if self._spread is not distribution():
            self._spread, self._compiled = distribution(), self._jitted()
        for _ in range(ROUNDS):
            held = tuple(owner.held for owner in self.owners)
            seed = self._next_seed() if self.draws else None
            with noting() as noted:
                result = self._compiled(*alike((held, seed, *args)))
            if not noted:
                return result
            # It was traced just now and read more than it got: trace it again with that.
            self.compiles = 0
            self.draws = self.draws or DRAWS in noted
            self.owners += [owner for owner in noted if owner is not DRAWS]
            self._compiled = self._jitted()
        last = ", ".join(str(getattr(owner, "name", owner)) for owner in self.owners[-3:])
        raise RuntimeError(
            f"each of {ROUNDS} traces of the program read variables that the one before did not; "
            f"the last were {last}"
        )

    def _next_seed(self) -> np.uint32:
        if self._seed is None:
            generator = np.random.RandomState()
            generator.set_state(np.random.get_state())  # scripts expect its next draws for data
            self._seed = int(generator.randint(1 << 31))
        self._calls += 1
        return np.uint32((self._seed + 0x9E3779B9 * self._calls) % (1 << 32))

    def _cache_size(self) -> int:  # as of a function of `jax.jit`
        return self.compiles
