"""Files with layers that users wrote: those of Keras 3 load here, and those of here there."""

import numpy as np
import pytest

from funkeras import config, formats
from funkeras.layers import Dense, Input
from funkeras.models import Sequential


class Named(Dense):
    """A built-in layer under another name."""


@pytest.mark.parametrize("place", ["named", "dense"])
def test_files_have_a_derived_class_by_its_name_and_once_by_that_of_the_built_in_one(
    place, tmp_path
):
    """Genuine Keras 3 writes `layers/named`; this library wrote `layers/dense` before."""
    arrays = [np.full((3, 2), 5, "float32"), np.full(2, 7, "float32")]
    path = tmp_path / "a.weights.h5"
    formats.save_holders(path, {"": ("sequential", []), f"layers/{place}": ("named", arrays)})
    with config.using_dialect("modern"):
        model = Sequential([Input((3,)), Named(2)])
        model.load_weights(path)
        np.testing.assert_array_equal(model.get_weights()[0], arrays[0])
        model.save_weights(path)
    assert "layers/named" in formats.load_holders(path, 1 << 20)
