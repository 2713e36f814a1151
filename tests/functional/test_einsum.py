import jax
import numpy as np
import pytest

from funkeras import config
from funkeras import functional as F

CASES = [
    ("ab,bc->ac", 4, "c", (3, 5), [(5, 4), (4,)]),
    ("abc,cde->abde", (None, 2, 4), "de", (2, 3, 5), [(5, 2, 4), (2, 4)]),
    ("abc,cde->abde", (None, 2, 4), "d", (2, 3, 5), [(5, 2, 4), (2, 1)]),
    ("abcd,cde->abe", (3, 4), None, (2, 3, 2, 5), [(2, 5, 4)]),
    ("...x,xy->...y", 4, "y", (2, 3, 2, 5), [(5, 4), (4,)]),
    ("ab...,bc->ac...", 4, "c", (2, 3, 2, 5), [(3, 4), (4, 1, 1)]),
]
"""Equation, output's sizes, bias, input's shape; shapes of weights, as in genuine Keras 3.15."""


@pytest.mark.parametrize(("equation", "sizes", "bias", "shape", "weights"), CASES)
def test_weights_are_shaped_as_in_keras_and_give_the_sum_of_the_equation(
    equation, sizes, bias, shape, weights
):
    pair = F.einsum_dense(equation, sizes, "tanh", bias)
    assert [weight.shape for weight in pair.weights((None, *shape[1:]))] == weights
    draws = np.random.default_rng(0)
    params = {
        name: draws.normal(0, 0.3, own).astype("float32")
        for name, own in zip(("kernel", "bias"), weights, strict=False)
    }
    x = draws.normal(size=shape).astype("float32")
    y, _ = jax.jit(pair.apply)(params, {}, x)
    expected = np.tanh(np.einsum(equation, x, params["kernel"]) + params.get("bias", 0))
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("equation", "limit"), [("abc,cde->abde", 6 / 11), ("ab,cb->ac", 6 / 7)])
def test_first_weights_are_as_wide_as_inputs_and_outputs_ask(equation, limit):
    with config.using_dialect("modern"):
        pair = F.einsum_dense(equation, 4 if "cb" in equation else (None, 2, 4))
        shape = (None, 3) if "cb" in equation else (None, 7, 3)
        draws = [pair.init(jax.random.key(n), shape)[0]["kernel"] for n in range(60)]
    top = np.abs(np.stack(draws)).max()
    assert 0.97 * limit**0.5 < top <= limit**0.5


@pytest.mark.parametrize(
    ("equation", "sizes", "bias", "message"),
    [
        ("ab,bc", 4, None, "equation must be of the form"),
        ("...ab...,bc->...ac...", 4, None, "equation must be of the form"),
        ("a,b->c", 4, None, "axis 'c' of the output is in neither"),
        ("ab,bcz->ac", 4, None, "axis 'z' of the kernel has no size"),
        ("ab,bc->ac", 4, "b", r"bias_axes must be of the output 'ac', got \['b'\]"),
        ("abc,cd->abd", 4, None, r"a size for each of b, d, got \(4,\)"),
        ("abc,cd->abd", (5, 4), None, "axis 'b' is 3 in the input and 5 in the output"),
        ("abcd,de->abce", (3, 2, 4), None, r"an input of 4 axes, got shape \(2, 3, 6\)"),
    ],
)
def test_what_does_not_fit_is_said(equation, sizes, bias, message):
    with pytest.raises(ValueError, match=message):
        F.einsum_dense(equation, sizes, bias_axes=bias).init(jax.random.key(0), (2, 3, 6))
