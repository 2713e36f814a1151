import hashlib

import numpy as np
import pytest

from funkeras.datasets import mnist_5k


def test_digits_are_those_of_the_source():
    """The hash is that of the rows of the source, pixels then label, sorted."""
    (x, y), (rest, _) = mnist_5k.load_data(test_split=0)
    assert x.shape == (5000, 28, 28)
    assert x.dtype == y.dtype == np.uint8
    assert len(rest) == 0
    rows = sorted(image.tobytes() + bytes([label]) for image, label in zip(x, y, strict=True))
    assert hashlib.sha256(b"".join(rows)).hexdigest() == SOURCE


@pytest.mark.parametrize("test_split", [0.2, 0.5, 0.1])
def test_parts_have_all_classes_alike(test_split):
    (_, y_train), (_, y_test) = mnist_5k.load_data(test_split)
    assert set(np.bincount(y_test)) == {round(500 * test_split)}
    assert len(y_train) + len(y_test) == 5000


def test_order_is_mixed_and_fixed():
    (x, y), _ = mnist_5k.load_data()
    assert len({tuple(block) for block in y[:500].reshape(-1, 10)}) == 50
    np.testing.assert_array_equal(x, mnist_5k.load_data()[0][0])


def test_split_is_a_share():
    with pytest.raises(ValueError, match=r"test_split must be in \[0, 1\], got 1000"):
        mnist_5k.load_data(1000)


SOURCE = "f1864be470111ed639726bc0dbc2416fcd002c793718733e7ae49adceba327ac"
