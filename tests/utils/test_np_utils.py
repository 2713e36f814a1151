import numpy as np
import pytest

from funkeras import config, utils
from funkeras.utils import np_utils
from funkeras.utils.np_utils import normalize, to_categorical


@pytest.mark.parametrize(
    ("dialect", "dtype"), [("classic", "float64"), ("keras2", "float32"), ("modern", "float64")]
)
def test_one_hot_type_of_each_generation(dialect, dtype):
    with config.using_dialect(dialect):
        rows = to_categorical([0, 2, 1, 2], 4)
    assert rows.dtype == dtype
    np.testing.assert_array_equal(rows, np.eye(4)[[0, 2, 1, 2]])


def test_old_spellings_and_positions():
    expected = np.eye(3)[[1, 2]]
    for got in (
        to_categorical([1, 2]),
        to_categorical([1, 2], nb_classes=3),
        to_categorical(x=[1, 2], num_classes=3),
        to_categorical(np.array([[1], [2]]), 3, "float64"),
        utils.to_categorical([1.0, 2.9]),
    ):
        np.testing.assert_array_equal(got, expected)
    assert to_categorical([1], 3, dtype="int32").dtype == "int32"


@pytest.mark.parametrize("dialect", ["keras2", "modern"])
def test_axes_are_kept_but_a_last_one_of_size_one(dialect):
    with config.using_dialect(dialect):
        assert to_categorical(np.zeros((2, 3), int), 4).shape == (2, 3, 4)
        assert to_categorical(np.zeros((2, 3, 1), int), 4).shape == (2, 3, 4)
        assert to_categorical(3, 4).shape == (4,)
    with config.using_dialect("classic"):
        assert to_categorical(np.zeros((2, 3), int), 4).shape == (6, 4)


def test_labels_outside_the_classes_are_refused():
    with pytest.raises(ValueError, match=r"labels must be in \[0, 3\), got 5"):
        to_categorical([0, 5], 3)
    with pytest.raises(ValueError, match="got -1"):
        to_categorical([0, -1], 3)
    with pytest.raises(ValueError, match="num_classes"):
        to_categorical([])
    with pytest.raises(TypeError, match="y or x"):
        to_categorical()


@pytest.mark.parametrize("order", [1, 2, np.inf])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_normalize_divides_by_the_norm(order, axis):
    x = np.random.RandomState(0).randn(4, 5)
    powers = {
        1: lambda v: abs(v).sum(),
        2: lambda v: (v * v).sum() ** 0.5,
        np.inf: lambda v: abs(v).max(),
    }
    expected = x / np.expand_dims(np.apply_along_axis(powers[order], axis, x), axis)
    np.testing.assert_allclose(normalize(x, axis, order), expected)
    np.testing.assert_allclose(normalize(a=x, axis=axis, order=order), expected)


def test_scores_of_keras_1():
    p = np.array([[0.2, 0.8], [0.6, 0.4]])
    np.testing.assert_array_equal(np_utils.probas_to_classes(p), [1, 0])
    np.testing.assert_array_equal(np_utils.probas_to_classes(np.array([[0.2], [0.7]])), [0, 1])
    assert np_utils.accuracy([1, 0, 1], [1, 1, 1]) == pytest.approx(2 / 3)
    got = np_utils.multiclass_logloss(p, [2, 1])
    assert got == pytest.approx(-(np.log(0.8) + np.log(0.6)) / 2)
    got = np_utils.binary_logloss(np.array([0.2, 1.0]), np.array([0, 1]))
    assert got == pytest.approx(-np.log(0.8) / 2)


def test_kernels_are_flipped_in_space_only():
    kernel = np.arange(24.0).reshape(1, 2, 3, 4)
    np.testing.assert_array_equal(np_utils.convert_kernel(kernel, "th"), kernel[:, :, ::-1, ::-1])
    np.testing.assert_array_equal(np_utils.convert_kernel(kernel, "tf"), kernel[::-1, ::-1])
    with pytest.raises(ValueError, match="4 or 5 axes"):
        np_utils.convert_kernel(kernel[0], "th")


def test_lengths_of_dilated_filters():
    assert np_utils.conv_output_length(10, 3, "valid", 1, dilation=2) == 6
    assert np_utils.conv_output_length(None, 3, "valid", 1) is None
    assert np_utils.conv_input_length(None, 3, "valid", 1) is None
    assert np_utils.conv_output_length(10, 3, border_mode="full", stride=2) == 6
    with pytest.raises(ValueError, match="padding must be one of valid, same, causal, full"):
        np_utils.conv_output_length(10, 3, "diagonal", 1)
