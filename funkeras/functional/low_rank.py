"""Low-rank adaptation: kernels that stay, and two thin factors of their change that are trained.

Hu et al. 2021, https://arxiv.org/abs/2106.09685
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from funkeras.functional.checks import positive
from funkeras.functional.combinators import real_as
from funkeras.functional.pair import Pair, Weight
from funkeras.functional.quantized import Quantized
from funkeras.functional.shapes import Shapes
from funkeras.typing import Array, Identifier, Params, PyTree, State

__all__ = ["full_rank", "low_rank"]

KERNELS = ("kernel", "embeddings")
"""Last names of the weights that are adapted unless others are told."""

BEGIN, ENDS = "lora_", ("_a", "_b")
"""How Keras 3 names the factors of `kernel`: `lora_kernel_a` and `lora_kernel_b`."""


def low_rank(
    pair: Pair,
    rank: int,
    alpha: float | None = None,
    kernels: Sequence[str] = KERNELS,
    a_initializer: Identifier = "he_uniform",
    b_initializer: Identifier = "zeros",
) -> Pair:
    """The pair, a layer or a whole net, with `kernel + alpha / rank * a @ b` in place of kernels.

    The kernels are in the state, where training leaves them alone; the parameters have the factors
    and whatever else the pair learns. `full_rank` makes variables of the pair itself of these.

    Args:
        rank: the columns of `a` and the rows of `b`, which are float32.
        alpha: how much the product counts; `rank`, that is once, when left out.
        kernels: last names of the weights that it adapts, of those with several axes.
        b_initializer: zeros let the pair begin as it was.

    >>> import jax
    >>> from funkeras import functional as F
    >>> net = low_rank(F.serial(F.dense(4, "relu"), F.dense(2)), rank=1, kernels=["kernel"])
    >>> params, state = net.init(jax.random.key(0), (None, 3))
    >>> jax.tree.map(lambda a: a.shape, params["dense"])
    {'bias': (4,), 'lora_kernel_a': (3, 1), 'lora_kernel_b': (1, 4)}
    >>> jax.tree.map(lambda a: a.shape, state)
    {'dense': {'kernel': (3, 4)}, 'dense_1': {'kernel': (4, 2)}}
    """
    positive("rank", rank)

    def is_adapted(weight: Weight) -> bool:
        named = weight.name.rpartition("/")[2] in kernels
        return weight.trainable and named and len(weight.shape) > 1

    def weights(input_shape: Shapes) -> Iterator[Weight]:
        declared = list(pair.weights(input_shape))
        adapted = [weight for weight in declared if is_adapted(weight)]
        if not adapted:
            raise ValueError(f"{pair.name} has no weight named {' or '.join(kernels)} to adapt")
        scale = scale_of(rank, alpha)
        for weight in declared:
            kept = is_adapted(weight)
            yield weight._replace(trainable=False, adapted=scale) if kept else weight
        for name, shape, *_ in adapted:
            a, b = factors(name)
            yield Weight(a, (*shape[:-1], rank), a_initializer, dtype="float32")
            yield Weight(b, (rank, shape[-1]), b_initializer, dtype="float32")

    def run(params: Params, state: State, x: PyTree, **flow: Any) -> tuple[PyTree, State, PyTree]:
        y, after, mask = pair.run(*full_rank(params, state, alpha), x, **flow)
        return y, _renewed(state, after), mask

    return pair.rerun(run, weights=weights)


def full_rank(params: Params, state: State, alpha: float | None = None) -> tuple[Params, State]:
    """Variables of the pair itself from those of `low_rank(pair, rank, alpha)`.

    >>> import jax
    >>> from funkeras import functional as F
    >>> dense = F.dense(4)
    >>> variables = low_rank(dense, rank=2).init(jax.random.key(0), (None, 3))
    >>> params, state = full_rank(*variables)
    >>> jax.tree.map(lambda a: a.shape, params), state
    ({'bias': (4,), 'kernel': (3, 4)}, {})
    """
    given, params, state = params, dict(params), dict(state)
    for name, value in given.items():
        if isinstance(value, dict):
            params[name], left = full_rank(value, state.pop(name, {}), alpha)
            state |= {name: left} if left else {}
        elif name.startswith(BEGIN) and name.endswith(ENDS[0]):
            kernel = name.removeprefix(BEGIN).removesuffix(ENDS[0])
            a, b = (params.pop(factor) for factor in factors(kernel))
            params[kernel] = changed(state.pop(kernel), a, b, scale_of(b.shape[0], alpha))
    return params, state


def changed(kernel: Any, a: Array, b: Array, scale: float) -> Any:
    """`kernel + scale * a @ b`, in the dtype of the factors; beside whole numbers."""
    if isinstance(kernel, Quantized):
        return replace(kernel, change=scale * (a @ b))
    return real_as(a.dtype.name, kernel) + scale * (a @ b)


def scale_of(rank: int, alpha: float | None) -> float:
    """How much the product of the factors counts."""
    return 1.0 if alpha is None else alpha / rank


def factors(kernel: str) -> tuple[str, str]:
    """The names of the factors of a kernel, beside it.

    >>> factors("dense/kernel")
    ('dense/lora_kernel_a', 'dense/lora_kernel_b')
    """
    around, slash, last = kernel.rpartition("/")
    a, b = (f"{around}{slash}{BEGIN}{last}{end}" for end in ENDS)
    return a, b


def _renewed(state: State, after: State) -> State:
    """The state with what a run has changed of it."""
    new = {
        name: _renewed(state[name], own) if isinstance(own, dict) and name in state else own
        for name, own in after.items()
    }
    return {**state, **new}
