import numpy as np

from funkeras.utils import generic_utils


def test_rows_of_one_array_or_several():
    x = np.arange(5)
    np.testing.assert_array_equal(generic_utils.slice_arrays(x, 1, 3), [1, 2])
    np.testing.assert_array_equal(generic_utils.slice_arrays([x], [4, 0])[0], [4, 0])
    assert generic_utils.slice_arrays(None) == [None]


def test_nothing_but_none():
    assert generic_utils.is_all_none([None, None])
    assert generic_utils.is_all_none(None)
    assert not generic_utils.is_all_none([None, 0])
    assert generic_utils.make_tuple(1, 2) == (1, 2)
