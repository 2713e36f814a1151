"""Every layer of the table keeps the promises that all layers make."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cases import CASES, is_shape
from jax.test_util import check_grads

from funkeras import functional as F

KEY = jax.random.key(7)


def program(case, training):
    """What the layer computes, as text."""
    pair = case.pair()
    variables = jax.eval_shape(lambda key: pair.init(key, case.shape), KEY)

    def run(params, state, x, key):
        return pair.apply(params, state, x, training=training, key=key)

    return str(jax.make_jaxpr(run)(*variables, case.inputs(), KEY))


TRAINING = {case for case in CASES if program(case, True) != program(case, False)}
"""Cases that act in training otherwise than at inference."""
RANDOM = {case for case in TRAINING if "random_" in program(case, True)}

each = pytest.mark.parametrize("case", CASES, ids=str)
either = pytest.mark.parametrize(
    ("case", "training"),
    [
        pytest.param(case, training, id=f"{case}-{name}")
        for case in CASES
        for training, name in ((False, "inference"), (True, "training"))
        if case in TRAINING or not training
    ],
)


SEQUENCES = ("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D")
"""Layers with a data format whose inputs have an axis for time steps too."""


def close(a, b, tolerance=1e-5):
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(
            np.asarray(a, np.float64), np.asarray(b, np.float64), rtol=tolerance, atol=tolerance
        ),
        a,
        b,
    )


def shapes(tree):
    return jax.tree.map(lambda a: a.shape, tree)


def real(tree):
    """Leaves that have a gradient."""
    return [a for a in jax.tree.leaves(tree) if jnp.issubdtype(a.dtype, jnp.floating)]


def objective(case, pair, state, training):
    """A number that depends on every output, as a function of what has a gradient."""
    x = case.inputs()

    def function(params, x):
        y, _ = pair.apply(params, state, x, training=training, key=KEY)
        terms = (jnp.vdot(jnp.cos(jnp.arange(a.size)), a.ravel()) for a in real(y))
        return sum(terms, jnp.zeros(()))

    if case.below is None:
        return function, x
    return lambda params, _: function(params, x), jnp.zeros(())


def test_every_registered_layer_has_a_row():
    assert {case.name for case in CASES} == {name for name, _ in F.builders.items()}
    assert len({str(case) for case in CASES}) == len(CASES)


@each
def test_declared_shape_is_the_real_one(case):
    pair, x = case.pair(), case.inputs()
    y, _ = pair.apply(*case.variables(pair), x)
    assert F.output_shape(pair, case.shape) == shapes(y)


@each
def test_unknown_sizes_stay_unknown_in_the_declared_shape(case):
    pair, real_shape = case.pair(), F.output_shape(case.pair(), case.shape)
    for unknown in ((0,), (0, *case.free)):
        given = jax.tree.map(
            lambda shape, unknown=unknown: tuple(
                None if axis in unknown else size for axis, size in enumerate(shape)
            ),
            case.shape,
            is_leaf=is_shape,
        )
        declared = F.output_shape(pair, given)
        for guess, fact in zip(
            jax.tree.leaves(declared, is_leaf=F.shapes.is_shape),
            jax.tree.leaves(real_shape, is_leaf=is_shape),
            strict=True,
        ):
            if isinstance(guess, tuple):
                assert guess[0] is None
                assert len(guess) == len(fact)
                assert all(a in (None, b) for a, b in zip(guess, fact, strict=True))


@either
def test_compiled_and_eager_runs_agree(case, training):
    pair, x = case.pair(), case.inputs()
    variables = case.variables(pair)

    def run(params, state, x):
        return pair.apply(params, state, x, training=training, key=KEY)

    close(jax.jit(run)(*variables, x), run(*variables, x))


@each
def test_inference_needs_no_key_and_changes_no_weights(case):
    pair, x = case.pair(), case.inputs()
    params, state = case.variables(pair)
    y, after = pair.apply(params, state, x)
    assert all(jnp.isfinite(a).all() for a in real(y))
    assert shapes(after) == shapes(state)
    close(pair.apply(params, state, x, key=KEY)[0], y)


@either
def test_gradients_equal_finite_differences(case, training):
    pair = case.pair()
    params, state = case.variables(pair)
    function, x = objective(case, pair, state, training)
    if case.smooth:
        check_grads(jax.jit(function), (params, x), 1, ("rev",), atol=2e-2, rtol=2e-2, eps=5e-3)


@either
def test_second_derivatives_are_finite(case, training):
    pair = case.pair()
    params, state = case.variables(pair)
    function, x = objective(case, pair, state, training)
    tangents = jax.tree.map(jnp.ones_like, (params, x))
    gradient = jax.jit(jax.grad(function, argnums=(0, 1)))
    _, second = jax.jvp(gradient, (params, x), tangents)
    assert all(jnp.isfinite(a).all() for a in jax.tree.leaves(second))


@each
def test_vmap_equals_a_loop_over_models(case):
    pair = case.pair()
    models = [case.variables(pair, seed) for seed in range(3)]
    batches = [case.inputs(seed) for seed in range(3)]
    stacked, xs = jax.tree.map(lambda *a: jnp.stack(a), *zip(models, batches, strict=True))

    def run(variables, x):
        def loss(params):
            y, _ = pair.apply(params, variables[1], x, training=True, key=KEY)
            return sum(((a**2).sum() for a in real(y)), jnp.zeros(())), y

        return jax.grad(loss, has_aux=True)(variables[0])

    together = jax.jit(jax.vmap(run))(stacked, xs)
    one_by_one = [jax.jit(run)(*each) for each in zip(models, batches, strict=True)]
    close(together, jax.tree.map(lambda *a: jnp.stack(a), *one_by_one), 1e-4)


@either
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_stays_and_agrees_with_float32(case, training, dtype):
    pair, x = case.pair(), case.inputs()
    params, state = case.variables(pair)
    half = F.cast(pair, dtype)
    flow = {"training": training, "key": KEY}
    with jax.numpy_dtype_promotion("strict"):
        y, after = jax.jit(lambda *variables: half.apply(*variables, x, **flow))(params, state)
    exact, _ = jax.jit(lambda *variables: pair.apply(*variables, x, **flow))(params, state)
    assert all(a.dtype == dtype for a in real(y))
    jax.tree.map(lambda a, b: a.dtype == b.dtype or pytest.fail("state changed"), after, state)
    if case not in RANDOM:
        close(y, exact, {"bfloat16": 5e-2, "float16": 1e-2}[dtype])


@pytest.mark.parametrize("case", sorted(RANDOM, key=str), ids=str)
def test_the_key_alone_decides_and_is_used_once(case):
    pair, x = case.pair(), case.inputs()
    variables = case.variables(pair)

    def run(key):
        return pair.apply(*variables, x, training=True, key=key)[0]

    close(run(KEY), run(KEY))
    with jax.debug_key_reuse(True):
        jax.jit(run)(jax.random.key(3))
    with pytest.raises(ValueError, match="needs a key"):
        pair.apply(*variables, x, training=True)


@pytest.mark.parametrize("case", [case for case in CASES if case.accepts("data_format")], ids=str)
def test_channels_first_is_channels_last_transposed(case):
    last, first = case.pair(data_format="channels_last"), case.pair(data_format="channels_first")
    params, state = case.variables(last)
    x = case.inputs()
    y, _ = last.apply(params, state, x)
    front = 2 if case.name in SEQUENCES else 1
    rank = jax.tree.leaves(x)[0].ndim

    def moved(a):
        """Channels behind the batch, or behind the time steps of a sequence."""
        return jnp.moveaxis(a, -1, front if a.ndim == rank else 1) if a.ndim > 2 else a

    moved_x = jax.tree.map(moved, x)
    same, _ = first.apply(params, state, moved_x)
    close(same, jax.tree.map(moved, y))
    assert shapes(first.init(KEY, shapes(moved_x))) == shapes(last.init(KEY, shapes(x)))


# The checks of classes (config and file round trips, class equals function) take the same rows.
