import jax
import jax.numpy as jnp
import numpy as np
import pytest
from golden_layers import cases, check

from funkeras import config
from funkeras import functional as F

CLASSES = (
    "Add",
    "Average",
    "Concatenate",
    "Dot",
    "Maximum",
    "Merge",
    "Minimum",
    "Multiply",
    "Subtract",
)


@pytest.mark.parametrize("case", cases(*CLASSES), ids=lambda case: case["id"])
def test_layer_equals_genuine_keras(case):
    check(case)


A, B = jnp.asarray([[True, True, False]]), jnp.asarray([[True, False, False]])
X = (jnp.ones((1, 3, 2)), jnp.ones((1, 3, 2)))


@pytest.mark.parametrize("dialect", ["classic", "keras2"])
def test_masks_of_keras_1_and_2_are_intersections(dialect):
    with config.using_dialect(dialect):
        total, joined = F.add(), F.concatenate()
    np.testing.assert_array_equal(total.mask(X, (A, B)), B)
    np.testing.assert_array_equal(total.mask(X, (A, None)), A)
    np.testing.assert_array_equal(joined.mask(X, (A, B)), B)
    assert total.mask(X, None) is None
    assert joined.mask(X, (None, None)) is None


def test_products_end_the_mask():
    assert F.dot(axes=1).mask(X, (A, B)) is None
    assert F.merge("cos").mask(X, (A, B)) is None


def test_inputs_that_do_not_fit_are_shown_by_their_shapes():
    x = (jnp.ones((2, 3)), jnp.ones((2, 4)))
    for pair in (F.add(), F.concatenate(axis=0), F.dot(axes=1), F.merge("cos")):
        with pytest.raises(ValueError, match=r"\(2, 3\), \(2, 4\)"):
            pair.apply({}, {}, x)
    with pytest.raises(ValueError, match="expected a tuple of 2 inputs, got 3 inputs"):
        F.subtract().apply({}, {}, (x[0],) * 3)
    with pytest.raises(ValueError, match="do not fit inputs"):
        F.dot(axes=0).apply({}, {}, x)


@pytest.mark.parametrize("name", ["add", "multiply", "average", "maximum", "concatenate"])
def test_one_input_is_merged_in_keras_3_only(name):
    x = jnp.ones((2, 3))
    with config.using_dialect("keras2"):
        pair = getattr(F, name)()
    with pytest.raises(ValueError, match="a tuple of at least 2 inputs, got 1 input"):
        pair.apply({}, {}, (x,))
    with config.using_dialect("modern"):
        pair = getattr(F, name)()
    np.testing.assert_array_equal(pair.apply({}, {}, (x,))[0], x)


def test_a_function_as_mode_gets_its_arguments_and_says_the_mask():
    def weighted(xs, share=1.0):
        return xs[0] + share * xs[1]

    pair = F.merge(weighted, arguments={"share": 2.0}, output_mask=lambda masks: masks[1])
    np.testing.assert_array_equal(pair.apply({}, {}, X)[0], 3 * X[0])
    assert pair.mask(X, (A, B)) is B


def test_an_unknown_mode_is_refused():
    with pytest.raises(ValueError, match="mode must be one of sum, mul, ave"):
        F.merge("add")


def test_cosines_of_zero_vectors_have_finite_gradients():
    pair = F.dot(axes=1, normalize=True)
    x = (jnp.zeros((2, 3)), jnp.ones((2, 3)))
    gradient = jax.grad(lambda x: pair.apply({}, {}, x)[0].sum())(x)
    assert all(np.isfinite(part).all() for part in gradient)
