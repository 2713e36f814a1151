"""What operations of arrays refuse, where they go beyond Keras 3, and sizes that are open."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental import sparse

from funkeras import Input, Model, config, ops
from funkeras.variables import Variable

X = np.arange(6, dtype="float32").reshape(2, 3)
SQUARE = np.eye(3, dtype="float32")
WAVE = np.sin(np.arange(64)).astype("float32")


@pytest.fixture(autouse=True)
def keras_3():
    config.set_dialect("modern")


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: ops.convert_to_tensor(X, ragged=True), "ragged must be"),
        (lambda: ops.array_split(X, 0), "positive integer, got 0"),
        (lambda: ops.array_split(X, [1]), r"positive integer, got \[1\]"),
        (lambda: ops.pad(X, 1, mode="edge", constant_values=1), "mode 'constant' only"),
        (lambda: ops.unstack(X, 3), "the size 2 of axis 0, got 3"),
        (lambda: ops.rearrange(X, "a b c -> c b a"), r"the 2 axes of an array of shape \(2, 3\)"),
        (lambda: ops.rearrange(X, "a b -> a"), "same names once"),
        (lambda: ops.rearrange(X, "a b b a"), "same names once"),
        (lambda: ops.rearrange(X, "a (b c) -> a b c", b=2), "size 3 can't be split"),
        (lambda: ops.rearrange(X, "a (b c) -> a b c"), "size 3 can't be split"),
        (lambda: ops.scatter_update(X, [[0, 0]], [1.0], "div"), "reduction must be one of"),
        (lambda: ops.segment_sum(X, [0, 1]), "num_segments must be a number"),
        (lambda: ops.segment_sum(X, [0, 1, 1], 2), r"shapes \(3,\) and \(2, 3\)"),
        (lambda: ops.select(X > 1, [X]), "condlist must be a list"),
        (lambda: ops.select([X > 1], []), "choicelist must be a list"),
        (lambda: jax.jit(ops.nonzero)(X), "what nonzero gives depends on the values"),
        (lambda: jax.jit(ops.unique)(X), "unique without a size"),
        (lambda: ops.cdist(X, X.T), r"shapes \(2, 3\) and \(3, 2\)"),
        (lambda: ops.cholesky(-SQUARE), "symmetric positive definite"),
        (lambda: ops.matrix_rank(X[0]), r"got shape \(3,\)"),
        (lambda: ops.pinv(X[0]), r"got shape \(3,\)"),
        (lambda: ops.qr(X, mode="raw"), "reduced, complete; got 'raw'"),
        (lambda: ops.fft(X), r"tuple \(real, imaginary\)"),
        (lambda: ops.fft((X, X.T)), r"float32 \(2, 3\) and float32 \(3, 2\)"),
        (lambda: ops.irfft((X.astype("int32"), X)), "must be floats"),
        (lambda: ops.extract_sequences(X, 2, 0), "sequence_stride must be a positive"),
        (lambda: ops.stft(WAVE, 8, 4, 6), "fft_length must be at least sequence_length 8"),
        (lambda: ops.stft(WAVE, 8, 4, 8, window="flattop"), "one of hann, hamming"),
        (lambda: ops.stft(WAVE, 8, 4, 8, window=[1.0]), "8 entries"),
        (lambda: ops.stft(WAVE, 8, 0, 8), "sequence_stride must be a positive"),
        (lambda: ops.istft((WAVE, WAVE), 8, 4, 8), r"\(\.\.\., pieces, frequencies\)"),
    ],
)
def test_bad_arguments_are_told(call, told):
    with pytest.raises(ValueError, match=told):
        call()


def test_only_floats_have_a_spectrum_over_time():
    with pytest.raises(TypeError, match="float32 or float64, got int32"):
        ops.stft(np.arange(64, dtype="int32"), 8, 4, 8)


def test_floatx_is_the_default_dtype(monkeypatch):
    monkeypatch.setattr(config.settings._settings, "floatx", "bfloat16")
    for made in (ops.zeros(2), ops.eye(2), ops.arange(2.0), ops.hanning(3), ops.full(2, 1)):
        assert made.dtype == "bfloat16"
    assert ops.arange(2).dtype == "int32"
    assert ops.linspace(0, 1).dtype == "float32"


def test_a_batch_of_open_size_stays_open():
    x = Input((4, 6))
    assert ops.shape(x) == (None, 4, 6)
    assert ops.ndim(x) == 3
    assert not ops.is_tensor(x)
    assert ops.dtype(x) == "float32"
    made = {
        "reshape": ops.reshape(x, (-1, 24)),
        "rearrange": ops.rearrange(x, "b (h w) c -> (b h) w c", h=2),
        "zeros_like": ops.zeros_like(x),
        "slice": ops.slice(x, (0, 1, 1), (-1, 2, 3)),
        "matmul": ops.matmul(x, ops.swapaxes(x, 1, 2)),
        "stft": ops.stft(x, 4, 2, 4)[0],
        "size": ops.size(x),
    }
    assert {name: tensor.shape for name, tensor in made.items()} == {
        "reshape": (None, 24),
        "rearrange": (None, 2, 6),
        "zeros_like": (None, 4, 6),
        "slice": (None, 2, 3),
        "matmul": (None, 4, 4),
        "stft": (None, 4, 4, 3),
        "size": (),
    }
    found = Model(x, made["slice"])(jnp.ones((5, 4, 6)))
    assert found.shape == (5, 2, 3)


def test_variables_are_taken_for_their_values():
    v = Variable(X)
    assert ops.shape(v) == (2, 3)
    assert ops.dtype(v) == "float32"
    np.testing.assert_array_equal(ops.convert_to_numpy(v), X)
    np.testing.assert_array_equal(ops.concatenate([v, v], axis=1), np.concatenate([X, X], 1))


def test_a_signal_comes_back_from_pieces_side_by_side():
    parts = ops.stft(WAVE, 8, 8, 8, window="hamming", center=False)
    back = ops.istft(parts, 8, 8, 8, window="hamming", center=False)
    np.testing.assert_allclose(back, WAVE, atol=1e-6)


def test_few_pieces_give_the_whole_signal():
    parts = ops.stft(WAVE[:6], 4, 1, 4, window="hamming", center=False)
    back = ops.istft(parts, 4, 1, 4, window="hamming", center=False)
    np.testing.assert_allclose(back, WAVE[:6], atol=1e-6)


def test_operations_are_functions_to_transform():
    def loss(x):
        real, imag = ops.stft(x, 8, 4, 8)
        return jnp.sum(ops.einsum("ij,ij->", real, real)) + ops.vdot(imag, imag)

    assert jax.jit(jax.grad(loss))(WAVE).shape == WAVE.shape
    roots = jax.vmap(ops.cholesky)(np.stack([SQUARE, 4 * SQUARE]))
    np.testing.assert_allclose(roots, [SQUARE, 2 * SQUARE])


def test_many_factors_are_inverted_at_once():
    roots = np.stack([2 * SQUARE, SQUARE + 0.5 * np.eye(3, k=-1, dtype="float32")])
    wanted = np.linalg.inv(roots @ roots.swapaxes(1, 2))
    np.testing.assert_allclose(ops.cholesky_inverse(roots), wanted, atol=1e-6)


def test_sparse_matrices_become_dense():
    found = ops.convert_to_tensor(sparse.BCOO.fromdense(jnp.asarray(X)))
    np.testing.assert_array_equal(found, X)
