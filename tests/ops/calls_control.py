"""Calls of branches, loops and maps: by name, inputs and what to do with them."""

import numpy as np

A = np.linspace(-2, 2, 6, dtype="float32").reshape(3, 2)
B = np.asarray([[1, 2], [-1, 0.5], [3, 4]], "float32")
N = np.asarray([1, -2, 3], "int32")


def squared(ops):
    """x², whose derivative is told to be 3."""

    @ops.custom_gradient
    def function(x):
        return x * x, lambda upstream: 3 * upstream

    return function


def slope(ops, x):
    """What `squared` gives as its derivative, where all outputs count 1."""
    import jax
    import jax.numpy as jnp

    return jax.grad(lambda x: squared(ops)(x).sum())(jnp.asarray(x))


CALLS = {
    "associative_scan": [
        ((A,), lambda ops, x: ops.associative_scan(lambda a, b: a + b, x)),
        ((A,), lambda ops, x: ops.associative_scan(lambda a, b: a * b, x, reverse=True, axis=1)),
        (
            (A, B),
            lambda ops, x, y: ops.associative_scan(
                lambda a, b: (a[0] * b[0], a[1] * b[0] + b[1]), (x, y)
            ),
        ),
    ],
    "cond": [
        ((A,), lambda ops, x: ops.cond(x.sum() > 1, lambda: x + 1, lambda: x * 2)),
        ((), lambda ops: ops.cond(True, lambda: 1.0, lambda: 2.0)),
    ],
    "custom_gradient": [((A,), lambda ops, x: squared(ops)(x))],
    "custom_gradient_slope": [((A,), slope)],
    "fori_loop": [
        ((A,), lambda ops, x: ops.fori_loop(0, 3, lambda i, v: v * 2 + i, x)),
        ((A,), lambda ops, x: ops.fori_loop(2, 2, lambda i, v: v + i, x)),
    ],
    "jvp": [
        ((A, B), lambda ops, x, t: ops.jvp(lambda x: x * x, (x,), (t,))),
        ((A, B), lambda ops, x, t: ops.jvp(lambda x: (x * x, x + 1), (x,), (t,), has_aux=True)),
        ((A, B), lambda ops, x, t: ops.jvp(ops.sigmoid, [x], [t])),
    ],
    "map": [
        ((A,), lambda ops, x: ops.map(lambda row: row * row.sum(), x)),
        ((A, B), lambda ops, x, y: ops.map(lambda pair: pair[0] + pair[1], (x, y))),
    ],
    "scan": [
        ((A,), lambda ops, x: ops.scan(lambda c, v: (c + v, c * v), x[0] * 0, x)),
        ((A,), lambda ops, x: ops.scan(lambda c, v: (c + v, c), x[0], x, reverse=True, unroll=2)),
        ((N,), lambda ops, x: ops.scan(lambda c, _: (c * 2, c + 1), x, length=3)),
    ],
    "switch": [
        ((A,), lambda ops, x: ops.switch(1, [lambda x: x + 1, lambda x: x * 2], x)),
        ((A, B), lambda ops, x, y: ops.switch(7, [lambda x, y: x, lambda x, y: y], x, y)),
    ],
    "vectorize": [
        ((A,), lambda ops, x: ops.vectorize(lambda a, b: a + b)(x, 2.0)),
        (
            (A, B),
            lambda ops, x, y: ops.vectorize(lambda a, b: a @ b, signature="(n),(n)->()")(x, y),
        ),
        ((A,), lambda ops, x: ops.vectorize(lambda a, b: a * b, excluded={1})(x, 3.0)),
    ],
    "vectorized_map": [
        ((A,), lambda ops, x: ops.vectorized_map(lambda row: row * row.sum(), x)),
        (
            (A, B),
            lambda ops, x, y: ops.vectorized_map(
                function=lambda pair: pair[0] * pair[1], elements=(x, y)
            ),
        ),
    ],
    "while_loop": [
        ((A,), lambda ops, x: ops.while_loop(lambda x: x.sum() < 50, lambda x: x * 2 + 1, x)),
        (
            (A,),
            lambda ops, x: ops.while_loop(
                lambda i, x: i < 5, lambda i, x: (i + 1, x + i), (0, x), maximum_iterations=3
            ),
        ),
        ((N,), lambda ops, x: ops.while_loop(lambda x: x[0] < 9, lambda x: [x * 2], [x])),
    ],
}
EAGER = {"cond", "custom_gradient_slope"}
"""Operations that take no symbolic tensors here."""
