import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax, random

from funkeras.functional.convolve import convolve, explicit_padding, output_sizes

GEOMETRIES = [
    # size, kernel, strides, padding, dilation, groups, channels, filters, batch
    ((7,), (3,), (2,), "same", (1,), 1, 3, 2, 2),
    ((7,), (3,), (1,), "causal", (2,), 2, 4, 6, 2),
    ((6, 7), (3, 2), (1, 1), "valid", (1, 1), 1, 8, 2, 19),
    ((6, 7), (3, 2), (2, 1), "valid", (1, 2), 1, 9, 2, 16),
    ((6, 7), (2, 3), (2, 2), "same", (1, 1), 1, 3, 2, 3),
    ((5, 5), (2, 2), (1, 1), "full", (2, 1), 1, 2, 3, 2),
    ((6, 7), (3, 3), (2, 1), "same", (1, 1), 2, 6, 4, 2),
    ((6, 7), (3, 3), (2, 1), "same", (1, 1), 3, 3, 6, 2),
    ((5, 5), (1, 1), (1, 1), "valid", (1, 1), 1, 3, 4, 2),
    ((5, 5), (1, 1), (2, 2), "valid", (1, 1), 1, 3, 4, 2),
    ((4, 5, 4), (2, 2, 1), (1, 2, 1), "same", (1, 1, 2), 1, 2, 3, 2),
    ((4, 5, 4), (2, 2, 1), (1, 1, 1), "valid", (1, 1, 1), 2, 4, 4, 2),
]


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def pair_of_functions(geometry):
    """Ours and the library's convolution, and arrays for both."""
    size, width, strides, padding, dilation, groups, channels, filters, batch = geometry
    edges = explicit_padding(padding, size, width, strides, dilation)
    space = "DHW"[3 - len(size) :]

    def library(x, kernel):
        return lax.conv_general_dilated(
            x,
            kernel,
            strides,
            edges,
            rhs_dilation=dilation,
            dimension_numbers=(f"N{space}C", f"{space}IO", f"N{space}C"),
            feature_group_count=groups,
        )

    def ours(x, kernel):
        return convolve(x, kernel, strides, edges, dilation, groups)

    x = random.normal(random.key(0), (batch, *size, channels), "float64")
    kernel = random.normal(random.key(1), (*width, channels // groups, filters), "float64")
    return ours, library, x, kernel


def agree(a, b):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9), a, b)


each = pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)


@each
def test_values_gradients_and_second_derivatives_equal_the_librarys(geometry):
    ours, library, x, kernel = pair_of_functions(geometry)

    def results(convolution):
        def loss(x, kernel):
            return jnp.sum(jnp.sin(convolution(x, kernel)))

        gradient = jax.grad(loss, argnums=(0, 1))
        second = jax.jvp(gradient, (x, kernel), (jnp.cos(x), jnp.cos(kernel)))[1]
        return convolution(x, kernel), gradient(x, kernel), second

    agree(jax.jit(lambda: results(ours))(), jax.jit(lambda: results(library))())


@each
def test_vmap_over_inputs_over_kernels_and_over_both(geometry):
    ours, library, x, kernel = pair_of_functions(geometry)
    xs, kernels = jnp.stack([x, 2 * x, x - 1]), jnp.stack([kernel, kernel + 1, -kernel])

    def results(convolution):
        def gradients(x, kernel):
            return jax.grad(lambda *a: jnp.sum(jnp.sin(convolution(*a))), argnums=(0, 1))(x, kernel)

        return (
            jax.vmap(gradients)(xs, kernels),
            jax.vmap(gradients, (0, None))(xs, kernel),
            jax.vmap(jax.vmap(gradients, (0, None)), (None, 0))(xs, kernels),
        )

    agree(jax.jit(lambda: results(ours))(), jax.jit(lambda: results(library))())


def test_derivatives_of_every_mode_agree():
    ours, library, x, kernel = pair_of_functions(
        ((3, 3), (2, 2), (1, 1), "same", (1, 1), 1, 1, 2, 2)
    )

    def results(convolution):
        def loss(x, kernel):
            return jnp.sum(jnp.sin(convolution(x, kernel)))

        modes = [(outer, inner) for outer in MODES for inner in MODES]
        return [outer(inner(loss, 0), 1)(x, kernel) for outer, inner in modes]

    agree(jax.jit(lambda: results(ours))(), jax.jit(lambda: results(library))())


MODES = (jax.jacfwd, jax.jacrev)


@pytest.mark.parametrize("padding", ["valid", "same", "full", "causal"])
def test_output_sizes_count_the_places_of_the_kernel(padding):
    for n in range(5, 12):
        for k, s, d in ((1, 1, 1), (2, 1, 2), (3, 2, 1), (4, 3, 1)):
            ((lo, hi),) = edges = explicit_padding(padding, (n,), (k,), (s,), (d,))
            places = range(-lo, n + hi - (k - 1) * d, s)
            assert output_sizes((n,), (k,), (s,), edges, (d,)) == (len(places),)
            if padding == "same":
                assert len(places) == -(-n // s)


def test_integers_are_promoted_to_the_kernels_dtype():
    ours, _, x, kernel = pair_of_functions(GEOMETRIES[3])
    whole = (10 * x).astype(int)
    agree(ours(whole, kernel), ours(whole.astype("float64"), kernel))
