"""Helpers of scripts about layers, names and shapes."""

import numpy as np
import pytest

from funkeras import registry
from funkeras.layers import Conv2D, Dense, Flatten
from funkeras.models import Sequential
from funkeras.utils import generic_utils, layer_utils, np_utils


def chain(**options):
    return Sequential([Conv2D(2, (3, 2), input_shape=(5, 5, 1), **options), Flatten(), Dense(3)])


def test_kernels_of_all_convolutions_are_turned_around_and_back():
    model = chain()
    before = model.get_weights()
    layer_utils.convert_all_kernels_in_model(model)
    after = model.get_weights()
    np.testing.assert_array_equal(after[0], before[0][::-1, ::-1])
    for same in (1, 2, 3):
        np.testing.assert_array_equal(after[same], before[same])
    layer_utils.convert_all_kernels_in_model(model)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


def test_rows_of_a_dense_layer_follow_the_place_of_the_channels():
    layer = Dense(4)
    layer.build((None, 2 * 3 * 5))
    kernel, bias = layer.get_weights()
    maps = np.random.default_rng(0).normal(size=(6, 2, 3, 5)).astype("float32")  # channels last
    expected = maps.reshape(6, -1) @ kernel + bias
    layer_utils.convert_dense_weights_data_format(layer, (5, 2, 3), "channels_first")
    first = np.moveaxis(maps, -1, 1).reshape(6, -1)
    np.testing.assert_allclose(
        first @ layer.get_weights()[0] + bias, expected, rtol=1e-5, atol=1e-6
    )
    layer_utils.convert_dense_weights_data_format(layer, (2, 3, 5), "channels_last")
    np.testing.assert_array_equal(layer.get_weights()[0], kernel)
    with pytest.raises(ValueError, match=r"has 30 inputs, a map of \(2, 3\) has 6"):
        layer_utils.convert_dense_weights_data_format(layer, (2, 3), "channels_first")
    with pytest.raises(ValueError, match="target_data_format must be"):
        layer_utils.convert_dense_weights_data_format(layer, (2, 3, 5), "th")


def test_parameters_are_counted_and_tables_printed():
    model = chain()
    model.layers[0].trainable = False
    assert layer_utils.count_total_params(model.layers) == (24 * 3 + 3, 3 * 2 * 2 + 2)
    assert layer_utils.count_params(model.weights) == 89
    lines = []
    layer_utils.print_summary(model, print_fn=lines.append)
    assert "Total params: 89" in "\n".join(lines)


def test_names_of_things_and_back():
    class Half:
        def __init__(self, share=0.5):
            self.share = share

        def get_config(self):
            return {"share": self.share}

    described = registry.serialize_keras_object(Half(0.25))
    assert described == {"class_name": "Half", "config": {"share": 0.25}}
    assert registry.deserialize_keras_object(described, {"Half": Half}).share == 0.25
    again = registry.deserialize_keras_object("Half", custom_objects={"Half": Half})
    assert again is Half
    assert registry.serialize_keras_object(np.mean) == "mean"
    assert registry.serialize_keras_object(None) is None
    with pytest.raises(ValueError, match="unknown metric: 'Halve'; did you mean 'Half'"):
        registry.deserialize_keras_object("Halve", {"Half": Half}, printable_module_name="metric")
    with pytest.raises(ValueError, match="neither get_config nor a name"):
        registry.serialize_keras_object(3)
    found = registry.get_from_module("Half", {"Half": Half}, "share", True, {"share": 2})
    assert found.share == 2
    assert registry.get_from_module({"name": "Half", "share": 3}, {"Half": Half}, "s").share == 3
    assert registry.get_from_module(abs, {}, "function") is abs
    with registry.CustomObjectScope({"Half": Half}):
        assert registry.get_custom_objects()["Half"] is Half
    assert "Half" not in registry.get_custom_objects()


def test_arguments_and_shapes():
    assert not generic_utils.has_arg(lambda **any: any, "b")
    assert generic_utils.object_list_uid([abs]) == generic_utils.object_list_uid(abs)
    with pytest.raises(ValueError, match="target_format must be"):
        generic_utils.transpose_shape((1, 2, 3), "tf", (1,))
    with pytest.raises(ValueError, match=r"strides must be an integer or 2 of them, got \(1,\)"):
        np_utils.normalize_tuple((1,), 2, "strides")
    assert np_utils.normalize_padding("SAME") == "same"
    with pytest.raises(ValueError, match="padding must be valid, same or causal"):
        np_utils.normalize_padding("full")
    assert np_utils.deconv_length(None, 2, 3, "same", None) is None
    # (length - 1) * stride + kernel - 2 * pad + output_padding, as Keras 2 documents it
    assert np_utils.deconv_length(5, 2, 3, "same", 1) == 4 * 2 + 3 - 2 + 1
    assert np_utils.deconv_length(5, 1, 3, "valid", None, dilation=2) == 9
