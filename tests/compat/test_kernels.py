"""Kernels of Keras 1.2.2 scripts: those of genuine files are set by hand and given back."""

import json
import pickle
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from funkeras import compat, config
from funkeras.layers import Conv2D, Convolution1D, Convolution2D, TimeDistributed
from funkeras.models import Sequential, load_model
from funkeras.utils.layer_utils import convert_all_kernels_in_model
from funkeras.utils.np_utils import convert_kernel

GOLDEN = Path(__file__).parents[1] / "golden"
NETS = ("cnn_th", "cnn_tf", "conv1d", "conv3d_th", "conv3d_tf", "atrous_deconv_th", "separable")
FILES = [
    case
    for case in json.loads((GOLDEN / "files.json").read_text())
    if (case["generation"], case["kind"]) == ("keras-1.2.2", "model")
    and case["file"].removesuffix(".h5").split("-", 2)[2] in NETS
]


@pytest.fixture
def of_keras_1():
    def install(backend="tensorflow"):
        compat.install("1.2.2", backend)
        compat.uninstall()

    return install


@pytest.mark.parametrize("case", FILES, ids=lambda case: case["file"])
def test_arrays_of_a_genuine_file_are_set_layer_by_layer(case, of_keras_1, tmp_path):
    of_keras_1(case["backends"][0])
    with zipfile.ZipFile(GOLDEN / "files.zip") as archive:
        path = Path(archive.extract(case["file"], tmp_path))
    model = Sequential.from_config(load_model(path).get_config())
    with h5py.File(path) as file:
        groups = [file["model_weights"][layer.name] for layer in model.layers]
        stored = [[np.array(g[n]) for n in g.attrs["weight_names"]] for g in groups]
    for layer, arrays in zip(model.layers, stored, strict=True):
        layer.set_weights(arrays)
    with np.load(GOLDEN / "files.npz") as numbers:
        x, expected = (numbers[case["arrays"][name][0]] for name in ("input", "output"))
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-5, atol=1e-6)
    everything = [array for arrays in stored for array in arrays]
    again = Sequential.from_config(model.get_config())
    again.set_weights(everything)
    for owner in (model, again, pickle.loads(pickle.dumps(model))):
        for got, given in zip(owner.get_weights(), everything, strict=True):
            np.testing.assert_array_equal(got, given)


def correlated(x, kernel):
    """Images (n, in, rows, columns) with a kernel (out, in, rows, columns), by its definition."""
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[2:], (2, 3))
    return np.einsum("nirckl,oikl->norc", windows, kernel)


@pytest.mark.parametrize("backend", ["tensorflow", "theano"])
def test_kernels_are_those_of_keras_1_in_arguments_wrappers_and_models(backend, of_keras_1):
    of_keras_1(backend)
    random = np.random.RandomState(0)
    x = random.normal(size=(2, 3, 2, 5, 6)).astype("float32")
    kernel, bias = random.normal(size=(4, 2, 3, 2)).astype("float32"), np.ones(4, "float32")
    turned = convert_kernel(kernel, "th") if backend == "theano" else kernel
    inner = Convolution2D(4, 3, 2, dim_ordering="th", weights=[turned, bias])
    model = Sequential([TimeDistributed(inner, input_shape=x.shape[1:])])
    expected = [correlated(step, kernel) + 1 for step in x.swapaxes(0, 1)]
    np.testing.assert_allclose(model.predict(x), np.stack(expected, 1), rtol=1e-4, atol=1e-5)
    for owner in (inner, model.layers[0], model, Sequential([model])):
        np.testing.assert_array_equal(owner.get_weights()[0], turned)
    model.set_weights([2 * turned, bias])
    expected = [correlated(step, 2 * kernel) + 1 for step in x.swapaxes(0, 1)]
    np.testing.assert_allclose(model.predict(x), np.stack(expected, 1), rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="shape"):
        inner.set_weights([kernel.T, bias])


def test_turning_all_kernels_is_turning_each(of_keras_1):
    of_keras_1()
    model = Sequential([Convolution2D(4, 3, 2, dim_ordering="th", input_shape=(2, 5, 6))])
    kernel = model.get_weights()[0]
    convert_all_kernels_in_model(model)
    np.testing.assert_array_equal(model.get_weights()[0], kernel[:, :, ::-1, ::-1])


def test_kernels_of_later_versions_have_their_channels_last(of_keras_1):
    config.set_image_data_format("channels_first")
    shapes = {(3, 2, 5, 4), (3, 5, 4)}
    layers = [Conv2D(4, (3, 2)), Convolution1D(4, 3)]
    of_keras_1()
    old = [Conv2D(4, 3, 2), Convolution1D(4, 3)]
    for layer in (*layers, *old):
        layer.build((None, 7, 5) if "1" in type(layer).__name__ else (None, 5, 7, 7))
    assert {layer.get_weights()[0].shape for layer in layers} == shapes
    assert [layer.get_weights()[0].shape for layer in old] == [(4, 5, 3, 2), (3, 1, 5, 4)]
    compat.install("2.2.4")
    compat.uninstall()
    assert config.kernel_layout() == "keras2"
