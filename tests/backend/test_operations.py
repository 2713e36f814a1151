"""Each simple function is its formula, on arrays, variables and placeholders."""

import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import backend as K
from funkeras import config

x = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
y = np.random.default_rng(1).normal(size=(3, 4)).astype("float32")
p = np.abs(x) + 0.5
words = x > 0.3

FORMULAS = {
    "abs": ((x,), np.abs(x)),
    "square": ((x,), x**2),
    "sqrt": ((x,), np.sqrt(np.maximum(x, 0))),
    "exp": ((x,), np.exp(x)),
    "log": ((p,), np.log(p)),
    "sin": ((x,), np.sin(x)),
    "cos": ((x,), np.cos(x)),
    "round": ((np.array([0.5, 1.5, -0.4, 2.5], "f"),), np.array([0, 2, 0, 2], "f")),
    "sign": ((x,), np.sign(x)),
    "pow": ((p, 1.5), p**1.5),
    "clip": ((x, -0.2, 0.4), np.clip(x, -0.2, 0.4)),
    "maximum": ((x, y), np.maximum(x, y)),
    "minimum": ((x, y), np.minimum(x, y)),
    "equal": ((x, x * 1), np.ones((3, 4), bool)),
    "not_equal": ((x, y), x != y),
    "greater": ((x, y), x > y),
    "greater_equal": ((x, y), x >= y),
    "lesser": ((x, y), x < y),
    "less_equal": ((x, y), x <= y),
    "sigmoid": ((x,), 1 / (1 + np.exp(-x))),
    "hard_sigmoid": ((x * 4,), np.clip(0.8 * x + 0.5, 0, 1)),
    "tanh": ((x,), np.tanh(x)),
    "softplus": ((x,), np.log1p(np.exp(x))),
    "softsign": ((x,), x / (1 + np.abs(x))),
    "softmax": ((x,), np.exp(x) / np.exp(x).sum(-1, keepdims=True)),
    "sum": ((x, 0), x.sum(0)),
    "mean": ((x, [0, 1]), x.mean()),
    "prod": ((x, -1, True), x.prod(-1, keepdims=True)),
    "max": ((x, 1), x.max(1)),
    "min": ((x,), x.min()),
    "var": ((x, 0), x.var(0)),
    "std": ((x, 0, True), x.std(0, keepdims=True)),
    "logsumexp": ((x, 1), np.log(np.exp(x).sum(1))),
    "any": ((words, 1), words.any(1)),
    "all": ((words, 0), words.all(0)),
    "argmax": ((x,), x.argmax(-1)),
    "argmin": ((x, 0), x.argmin(0)),
    "cumsum": ((x, 1), x.cumsum(1)),
    "cumprod": ((x,), x.cumprod(0)),
    "dot": ((x, y.T), x @ y.T),
    "transpose": ((x,), x.T),
    "permute_dimensions": ((x[None], (2, 0, 1)), x[None].transpose(2, 0, 1)),
    "reshape": ((x, (-1, 2)), x.reshape(-1, 2)),
    "flatten": ((x,), x.ravel()),
    "batch_flatten": ((x[:, None],), x),
    "expand_dims": ((x, 1), x[:, None]),
    "squeeze": ((x[:, None], 1), x),
    "concatenate": (([x, y],), np.concatenate([x, y], -1)),
    "stack": (([x, y], 1), np.stack([x, y], 1)),
    "tile": ((x, [2, 3]), np.tile(x, (2, 3))),
    "repeat": ((x, 2), np.repeat(x[:, None], 2, 1)),
    "repeat_elements": ((x, 2, 1), np.repeat(x, 2, 1)),
    "reverse": ((x, 1), x[:, ::-1]),
    "slice": ((x, (1, 0), (2, -1)), x[1:3]),
    "gather": ((x, np.array([2, 0])), x[[2, 0]]),
    "one_hot": ((np.array([1, 3]), 4), np.eye(4, dtype="f")[[1, 3]]),
    "cast": ((p, "int32"), p.astype("int32")),
    "shape": ((x,), np.array([3, 4])),
    "zeros_like": ((x,), np.zeros_like(x)),
    "ones_like": ((x,), np.ones_like(x)),
    "identity": ((x,), x),
    "l2_normalize": ((x, -1), x / np.linalg.norm(x, axis=-1, keepdims=True)),
    "classification_error": ((x, y), np.mean(x.argmax(-1) != y.argmax(-1))),
}
SMOOTH = ["square", "exp", "log", "sin", "pow", "sigmoid", "tanh", "softplus", "softmax", "var"]
SMOOTH += ["std", "prod", "logsumexp", "cumsum", "cumprod", "dot", "l2_normalize", "mean", "clip"]
SMOOTH += ["maximum", "max", "concatenate", "repeat_elements", "slice", "gather", "transpose"]


def changed(args, change):
    def one(leaf):
        return change(leaf) if isinstance(leaf, np.ndarray) else leaf

    return jax.tree.map(one, args)


@pytest.mark.parametrize("name", FORMULAS)
def test_a_function_is_its_formula_wherever_it_is_used(name):
    args, expected = FORMULAS[name]
    function = getattr(K, name)

    def same(value):
        assert np.shape(value) == expected.shape
        np.testing.assert_allclose(np.asarray(value), expected, rtol=1e-5, atol=1e-6)

    same(function(*args))
    same(K.eval(function(*changed(args, lambda a: K.variable(a, dtype=a.dtype)))))
    leaves = [leaf for leaf in jax.tree.leaves(args) if isinstance(leaf, np.ndarray)]
    rows = [a.shape[:1] if name == "dot" and n else (None,) for n, a in enumerate(leaves)]
    entered = iter(
        [K.placeholder(n + a.shape[1:], dtype=a.dtype) for n, a in zip(rows, leaves, strict=True)]
    )
    inputs = []
    symbolic = function(*changed(args, lambda a: inputs.append(next(entered)) or inputs[-1]))
    same(K.function(inputs, [symbolic])(leaves)[0])
    assert len(symbolic.shape) == expected.ndim
    assert all(n in (None, m) for n, m in zip(symbolic.shape, expected.shape, strict=True))
    if name not in ("shape",):
        traced = jax.jit(lambda first: function(*(first, *args[1:])))
        same(traced(jax.tree.map(jnp.asarray, args[0])))


@pytest.mark.parametrize("name", SMOOTH)
def test_gradients_are_those_of_finite_differences(name):
    args, _ = FORMULAS[name]
    first = args[0]
    place = K.placeholder((None, 4))
    start = first[0] if isinstance(first, list) else first
    given = [place, *first[1:]] if isinstance(first, list) else place
    result = getattr(K, name)(given, *args[1:])
    weights = np.cos(np.arange(np.prod(FORMULAS[name][1].shape)))
    weights = weights.reshape(FORMULAS[name][1].shape).astype("float32")
    loss = K.sum(result * weights)
    value = K.function([place], [loss])
    (gradient,) = K.function([place], K.gradients(loss, place))([start])
    step = 1e-2
    for index in [(0, 0), (1, 2), (2, 3)]:
        ends = []
        for sign in (1, -1):
            moved = start.copy()
            moved[index] += sign * step
            ends.append(float(value([moved])[0]))
        slope = (ends[0] - ends[1]) / (2 * step)
        assert gradient[index] == pytest.approx(slope, rel=5e-3, abs=3e-3)


def test_operators_and_slices_of_symbolic_tensors():
    a = K.placeholder((None, 4))
    outputs = [
        a + 1,
        2 - a,
        a * a,
        a / 2,
        -a,
        abs(a),
        a**2,
        a[:, 1:3],
        a[:, 0],
        a > 0,
        1 / (a * a + 1),
    ]
    found = K.function([a], outputs)([x])
    expected = [x + 1, 2 - x, x * x, x / 2, -x, abs(x), x**2, x[:, 1:3], x[:, 0], x > 0]
    for value, true in zip(found, [*expected, 1 / (x * x + 1)], strict=True):
        np.testing.assert_allclose(value, true, rtol=1e-6)


def test_shapes_take_part_in_arithmetic():
    a = K.placeholder((None, 4))
    rows = K.shape(a)[0]
    halves = K.reshape(a, (rows * 2, 2))
    assert halves.shape == (None, 2)
    (value,) = K.function([a], [halves])([x])
    np.testing.assert_array_equal(value, x.reshape(6, 2))
    assert K.zeros(shape=(rows, 3)).shape == (None, 3)


def test_arguments_in_each_generations_spelling():
    target, output = np.array([1.0, 0.0], "f"), np.array([0.9, 0.2], "f")
    entropy = -np.log([0.9, 0.8])
    for dialect, order in [
        ("classic", (output, target)),
        ("keras2", (target, output)),
        ("modern", (target, output)),
    ]:
        with config.using_dialect(dialect):
            for value in (
                K.binary_crossentropy(*order),
                K.binary_crossentropy(target=target, output=output),
            ):
                np.testing.assert_allclose(value, entropy, rtol=1e-5)
    image, kernel = np.ones((1, 5, 5, 2), "f"), np.ones((3, 3, 2, 4), "f")
    wide = K.conv2d(image, kernel, (1, 1), "same", "tf", None, None, (2, 2))
    assert wide.shape == (1, 5, 5, 4)
    assert K.conv2d(image, kernel, border_mode="same", dim_ordering="tf").shape == (1, 5, 5, 4)
    with config.using_dialect("keras2"):
        same = K.conv2d(image, kernel, (1, 1), "same", None, (2, 2))
        np.testing.assert_array_equal(same, wide)
    assert K.random_uniform((3,), low=2.0, high=2.5).shape == (3,)
    assert K.expand_dims(x, dim=0).shape == (1, 3, 4)
    np.testing.assert_array_equal(K.batch_get_value(xs=[K.variable(x)])[0], x)


def test_functions_that_keras_3_has_too_keep_the_backends_arguments():
    np.testing.assert_array_equal(K.maximum(x=x, y=y), np.maximum(x, y))
    np.testing.assert_array_equal(K.max(x, axis=[0, 1], keepdims=True), [[x.max()]])
    np.testing.assert_allclose(K.cumsum(x), x.cumsum(0), rtol=1e-5)
    assert K.expand_dims(x).shape == (3, 4, 1)
    np.testing.assert_array_equal(K.abs([1.0, -2.0]), [1, 2])
    with pytest.raises(TypeError, match="unknown argument 'initial'"):
        K.max(x, initial=0.0)
    for function in (K.flatten, K.less, K.max, K.softmax, K.sum):
        assert pickle.loads(pickle.dumps(function)) is function
        assert getattr(K, function.__name__) is function
        assert "x1" not in function.__doc__


def test_kernels_of_keras_1_with_channels_first_are_stored_filters_first():
    image = np.random.default_rng(2).normal(size=(2, 3, 6, 5)).astype("float32")
    kernel = np.random.default_rng(3).normal(size=(4, 3, 3, 2)).astype("float32")
    last = K.conv2d(image.transpose(0, 2, 3, 1), kernel.transpose(2, 3, 1, 0), dim_ordering="tf")
    first = K.conv2d(image, kernel, dim_ordering="th")
    np.testing.assert_allclose(first, np.moveaxis(last, -1, 1), rtol=1e-5, atol=1e-5)
    with config.using_dialect("keras2"):
        same = K.conv2d(image, kernel.transpose(2, 3, 1, 0), data_format="channels_first")
    np.testing.assert_allclose(first, same, rtol=1e-5, atol=1e-5)


def test_products_over_a_batch_in_keras_1_and_2():
    a = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype("float32")
    b = np.random.default_rng(1).normal(size=(2, 3, 5, 2)).astype("float32")
    with config.using_dialect("keras2"):  # stacks of matrices, as TensorFlow's matmul
        np.testing.assert_allclose(K.batch_dot(a, b), a @ b, rtol=1e-4, atol=1e-5)
    with config.using_dialect("modern"):
        every = np.einsum("nijk,nlkm->nijlm", a, b)
        np.testing.assert_allclose(K.batch_dot(a, b), every, rtol=1e-4, atol=1e-5)
    rows = np.einsum("ni,ni->n", x, y)[:, None]
    np.testing.assert_allclose(K.batch_dot(x, y, axes=1), rows, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: K.get_session, AttributeError, "there is no session"),
        (lambda: K.tf, AttributeError, "jax.numpy"),
        (lambda: K.squares, AttributeError, "did you mean 'square'"),
        (lambda: K.placeholder(), ValueError, "shape= or ndim="),
        (lambda: K.repeat(x[0], 2), ValueError, "two axes"),
        (lambda: K.batch_dot(x, y, axes=(1, 1, 1)), ValueError, "one whole number or two"),
        (lambda: K.bias_add(x, x), ValueError, "1 or 1 axes"),
        (lambda: K.pool2d(x[None, :, :, None], (2, 2), pool_mode="min"), ValueError, "max or avg"),
        (lambda: K.conv2d(x, x, kernel_width=3), TypeError, "unknown argument 'kernel_width'"),
        (lambda: K.dropout(x, 1.0), ValueError, "level must be in"),
        (lambda: K.set_learning_phase(2), ValueError, "must be 0 or 1"),
        (lambda: K.set_value(3.0, 4.0), TypeError, "takes a variable"),
        (lambda: K.set_value(K.variable(x), y.T), ValueError, "has shape"),
        (lambda: K.ctc_decode(x[None], [3], False, 1, 2), ValueError, "at most beam_width"),
    ],
)
def test_wrong_input_says_what_is_wrong(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_batch_dot_of_unequal_ranks_sums_over_stacks_as_before_keras_3():
    rng = np.random.default_rng(0)
    c, u = rng.normal(size=(2, 5, 7)), rng.normal(size=(2, 5, 7, 3))
    summed = np.einsum("bij,bijk->bik", c, u)
    np.testing.assert_allclose(K.batch_dot(c, u, [2, 2]), summed, rtol=1e-5)
    back = np.einsum("bik,bijk->bij", summed, u)
    np.testing.assert_allclose(K.batch_dot(summed, u, [2, 3]), back, rtol=1e-4)


def test_settings_have_the_names_that_scripts_of_keras_1_read():
    found = K._BACKEND, K._EPSILON, K._FLOATX
    assert found == (K.backend(), K.epsilon(), K.floatx())
    assert K.image_dim_ordering() == K._IMAGE_DIM_ORDERING
