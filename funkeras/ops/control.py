"""Branches, loops, maps over functions, and derivatives that are told or taken."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from funkeras.ops.arguments import array
from funkeras.ops.lifting import op
from funkeras.variables import in_any_order

__all__ = [
    "associative_scan",
    "cond",
    "custom_gradient",
    "fori_loop",
    "jvp",
    "map",
    "scan",
    "switch",
    "vectorize",
    "vectorized_map",
    "while_loop",
]


@op
def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """`true_fn()` where `pred` holds, else `false_fn()`; both give the same shapes and dtypes."""
    return lax.cond(pred, true_fn, false_fn)


@op
def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """`branches[index](*operands)`; an index beyond either end is that end."""
    return lax.switch(index, branches, *operands)


@op
def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    maximum_iterations: int | None = None,
) -> Any:
    """`loop_vars = body(*loop_vars)` while `cond(*loop_vars)`, at most so many times."""
    many = isinstance(loop_vars, tuple | list)
    start = tuple(loop_vars) if many else (loop_vars,)

    def goes_on(carry: Any) -> Any:
        count, values = carry
        wanted = cond(*values)
        return wanted if maximum_iterations is None else wanted & (count < maximum_iterations)

    def step(carry: Any) -> Any:
        count, values = carry
        after = body(*values)
        return count + 1, tuple(after) if many else (after,)

    _, values = lax.while_loop(goes_on, step, (0, start))
    return values if many else values[0]


@op
def fori_loop(lower: Any, upper: Any, body_fun: Callable[[Any, Any], Any], init_val: Any) -> Any:
    """`value = body_fun(i, value)` for each i from `lower` up to, but without, `upper`."""
    return lax.fori_loop(lower, upper, body_fun, init_val)


@op
def scan(
    f: Callable[[Any, Any], Any],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
) -> Any:
    """`carry, y = f(carry, x)` for each x along the first axis: the last carry and all y."""
    if not isinstance(unroll, int) or (unroll < 1 and not isinstance(unroll, bool)):
        raise ValueError(f"unroll must be a positive integer or a bool, got {unroll!r}")
    return lax.scan(f, init, xs, length, reverse, unroll)


@op
def associative_scan(
    f: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0
) -> Any:
    """All partial results of an associative `f` along an axis, in logarithmically many steps."""
    return lax.associative_scan(f, jax.tree.map(array, elems), reverse, axis)


@op
def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """`f` of each entry of the first axis, one after another."""
    return lax.map(f, xs)


@op
def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """`function` of each entry of the first axis, all at once."""
    with in_any_order():
        return jax.vmap(function)(elements)


def vectorize(
    pyfunc: Callable[..., Any], *, excluded: Any = None, signature: str | None = None
) -> Callable[..., Any]:
    """`pyfunc`, of scalars or the shapes in `signature`, over all leading axes, broadcast."""
    if not callable(pyfunc):
        raise ValueError(f"pyfunc must be a function, got {pyfunc!r}")
    return op(jnp.vectorize(pyfunc, excluded=frozenset(excluded or ()), signature=signature))


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """`f`, which gives a value and the function from its cotangent to those of its arguments."""
    return op(jax.custom_gradient(f))


@op
def jvp(
    fun: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False
) -> Any:
    """`fun(*primals)` and its derivative along `tangents`; with `has_aux` what else it gives."""
    with in_any_order():
        return jax.jvp(fun, tuple(primals), tuple(tangents), has_aux=has_aux)
