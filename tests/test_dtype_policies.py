"""Dtype policies, by name and as objects of Keras 3."""

import numpy as np
import pytest

from funkeras import compat, config, dtype_policies, layers
from funkeras.dtype_policies import DTypePolicy


@pytest.fixture(autouse=True)
def keras_3():
    config.set_dialect("modern")
    yield
    config.set_dtype_policy(None)


def test_a_policy_is_its_name_and_tells_both_types():
    policy = DTypePolicy("mixed_float16")
    assert policy == policy.name == "mixed_float16"
    assert (policy.compute_dtype, policy.variable_dtype) == ("float16", "float32")
    assert (DTypePolicy("bfloat16").compute_dtype, DTypePolicy().name) == ("bfloat16", "float32")
    assert dtype_policies.get(dtype_policies.serialize(policy)) == policy
    assert DTypePolicy.from_config(policy.get_config()) == policy


def test_layers_take_policies_and_have_them():
    layer = layers.Dense(2, dtype=DTypePolicy("mixed_bfloat16"))
    y = layer(np.ones((1, 3), "float32"))
    assert (str(y.dtype), layer.kernel.dtype.name) == ("bfloat16", "float32")
    assert layer.dtype_policy.compute_dtype == "bfloat16"
    described = layer.get_config()
    assert type(described["dtype"]) is str
    assert layers.Dense.from_config(described).dtype_policy == "mixed_bfloat16"


def test_the_policy_of_new_layers_by_the_names_it_had():
    compat.install("3")
    try:
        from keras import mixed_precision

        mixed_precision.set_global_policy(mixed_precision.Policy("mixed_bfloat16"))
        assert mixed_precision.global_policy() == "mixed_bfloat16"
        assert layers.Dense(2).compute_dtype == "bfloat16"
    finally:
        compat.uninstall()


@pytest.mark.parametrize("wrong", [3, 1.5])
def test_what_is_no_policy_is_refused(wrong):
    with pytest.raises(TypeError, match="is a str"):
        DTypePolicy(wrong)
    with pytest.raises(ValueError, match="a name or a configuration"):
        dtype_policies.get(wrong)
