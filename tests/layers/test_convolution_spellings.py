"""Calls of one layer as each Keras wrote them."""

import pytest

from funkeras import config, layers

IMAGE = {"padding": "same", "strides": (2, 2), "activation": "relu", "filters": 8}


def arguments(layer, names):
    made = layer.get_config()
    return {name: made[name] for name in names}


@pytest.mark.parametrize("name", ["Convolution2D", "Conv2D", "LocallyConnected2D"])
def test_positional_calls_of_keras_1(name):
    layer = getattr(layers, name)(8, 3, 5, "uniform", "relu", None, "valid", (2, 2), "th")
    expected = {**IMAGE, "padding": "valid", "kernel_size": (3, 5), "data_format": "channels_first"}
    assert arguments(layer, expected) == expected
    assert layer.get_config()["kernel_initializer"]["class_name"] == "RandomUniform"


@pytest.mark.parametrize("name", ["Convolution2D", "Conv2D"])
def test_positional_calls_of_keras_2_and_3(name):
    layer = getattr(layers, name)(8, (3, 5), (2, 2), "same", activation="relu")
    expected = {**IMAGE, "kernel_size": (3, 5)}
    assert arguments(layer, expected) == expected


def test_the_modern_dialect_reads_three_numbers_as_keras_3_does():
    with config.using_dialect("modern"):
        layer = layers.Conv2D(8, 3, 2)
    assert arguments(layer, ("kernel_size", "strides")) == {
        "kernel_size": (3, 3),
        "strides": (2, 2),
    }


@pytest.mark.parametrize("name", ["Deconvolution2D", "Deconv2D", "Conv2DTranspose"])
def test_deconvolutions_of_keras_1_have_an_output_shape(name):
    make = getattr(layers, name)
    layer = make(8, 3, 3, (None, 8, 8, 8), "uniform", "relu", None, "same", (2, 2))
    expected = {**IMAGE, "kernel_size": (3, 3), "output_shape": (None, 8, 8, 8)}
    assert arguments(layer, expected) == expected
    assert layer.compute_output_shape((None, 4, 4, 2)) == (None, 8, 8, 8)


def test_atrous_and_one_dimensional_layers_of_keras_1():
    layer = layers.AtrousConv1D(8, 3, "uniform", "relu", None, "same", 1, 2)
    expected = {"kernel_size": (3,), "padding": "same", "dilation_rate": (2,), "strides": (1,)}
    assert arguments(layer, expected) == expected
    layer = layers.LocallyConnected1D(8, 3, "uniform", "relu", subsample_length=2)
    assert arguments(layer, ("strides", "activation")) == {"strides": 2, "activation": "relu"}


def test_one_init_of_keras_1_serves_both_kernels_of_a_separable_convolution():
    layer = layers.SeparableConvolution2D(8, 3, 3, "uniform")
    made = layer.get_config()
    for name in ("depthwise_initializer", "pointwise_initializer"):
        assert made[name]["class_name"] == "RandomUniform"


def test_sequences_had_their_channels_last_before_keras_3():
    config.set_image_data_format("channels_first")
    shapes = {}
    for dialect in ("classic", "keras2", "modern"):
        config.set_dialect(dialect)
        shapes[dialect] = layers.ZeroPadding1D(2).compute_output_shape((None, 5, 4))
    assert shapes == {"classic": (None, 9, 4), "keras2": (None, 9, 4), "modern": (None, 5, 8)}
