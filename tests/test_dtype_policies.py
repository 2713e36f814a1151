"""Dtype policies, by name and as objects of Keras 3."""

import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import compat, config, dtype_policies, layers, ops
from funkeras.dtype_policies import DTypePolicy, DTypePolicyMap
from funkeras.layers import Dense, Flatten, Input, Lambda, Layer
from funkeras.models import Model, load_model
from funkeras.models.serializing import deserialize_keras_object, serialize_keras_object


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


# What genuine Keras 3.15 gives

REAL = ("float16", "bfloat16", "float32")


@pytest.mark.parametrize("given", [*REAL, "int32", "bool", "uint8"])
def test_real_inputs_come_in_the_type_of_computation_and_whole_numbers_as_they_are(given):
    x = jnp.ones((2, 3), given)
    expected = "float32" if given in REAL else given
    assert Flatten()(x).dtype == layers.Add()([x, x]).dtype == expected
    assert Flatten(autocast=False)(x).dtype == given
    assert Dense(2)(x).dtype == "float32"


def test_models_take_what_their_inputs_and_layers_say():
    inputs = Input((3,), dtype="float16")
    for layer, expected in ((Flatten(), "float32"), (Flatten(autocast=False), "float16")):
        model = Model(inputs, layer(inputs))
        assert model(np.ones((2, 3))).dtype == expected
        assert model.predict(np.ones((2, 3)), verbose=0).dtype == expected
    inputs = Input((3,), dtype="int32")
    model = Model(inputs, Flatten()(inputs))
    assert model(np.ones((2, 3))).dtype == "int32"
    inputs = Input((3,))
    model = Model(inputs, layers.ReLU()(Dense(2, dtype="float16")(inputs)))
    assert model.predict(np.ones((2, 3)), verbose=0).dtype == "float32"


class Own(Layer):
    """Tells the types of what it meets in its call."""

    def build(self, input_shape):
        self.w = self.add_weight(shape=(3,), initializer="ones")
        self.still = self.add_weight(shape=(3,), initializer="ones", trainable=False)
        self.whole = self.add_weight(shape=(3,), initializer="ones", dtype="int32", trainable=False)
        self.uncast = self.add_weight(shape=(3,), initializer="ones", autocast=False)

    def call(self, x):
        met = (x, x * self.w, x * self.still, x * self.whole, x * self.uncast)
        self.met = [str(a.dtype) for a in met]
        self.read = str(self.w.dtype)
        self.still.assign_add(x[0])
        return met[1]


LOW, SINGLE = "bfloat16", "float32"


@pytest.mark.parametrize(
    ("policy", "options", "given", "met", "read"),
    [
        ("float32", {}, "float16", [SINGLE] * 5, SINGLE),
        ("float32", {}, "int32", ["int32", SINGLE, SINGLE, "int32", SINGLE], SINGLE),
        ("mixed_bfloat16", {}, "float32", [LOW] * 4 + [SINGLE], LOW),
        ("mixed_bfloat16", {}, "int32", ["int32", LOW, LOW, "int32", SINGLE], LOW),
        ("mixed_bfloat16", {"autocast": False}, "float32", [SINGLE] * 5, LOW),
        ("bfloat16", {}, "float32", [LOW] * 5, LOW),
        ("bfloat16", {}, "int32", ["int32", LOW, LOW, "int32", LOW], LOW),
    ],
)
def test_a_call_of_the_user_s_computes_as_its_policy_says(policy, options, given, met, read):
    layer = Own(dtype=policy, **options)
    y = layer(jnp.ones((2, 3), given))
    assert (layer.met, layer.read, y.dtype) == (met, read, met[1])
    kept = "bfloat16" if policy == "bfloat16" else "float32"
    assert [str(w.dtype) for w in layer.weights if w is not layer.whole] == [kept] * 3
    symbolic = Own(dtype=policy, **options)
    inputs = Input((3,), dtype=given)
    model = Model(inputs, symbolic(inputs))
    assert model(jnp.ones((2, 3), given)).dtype == met[1]
    assert (symbolic.met, symbolic.read) == (met, read)


class Outer(Layer):
    """A layer of single precision within one that computes low."""

    def __init__(self, **options):
        super().__init__(**options)
        self.single, self.other = Dense(3, dtype="float32"), Dense(3)

    def call(self, x):
        y = self.single(x)
        self.met = [str(a.dtype) for a in (x, y, self.other(y))]
        return y


class Widened(Dense):
    """Its outputs are of a type that it chose."""

    def call(self, x):
        return ops.cast(super().call(x), "float32")


class Chosen(Model):
    """A model that computes as its policy says."""

    def __init__(self, **options):
        super().__init__(**options)
        self.dense = Dense(2)

    def call(self, x):
        self.met = str(x.dtype)
        return self.dense(x)


def test_each_layer_inside_has_a_policy_of_its_own_and_calls_choose_what_they_give():
    x = jnp.ones((2, 3))
    outer = Outer(dtype="mixed_bfloat16")
    assert (outer(x).dtype, outer.met) == ("float32", ["bfloat16", "float32", "float32"])
    assert Widened(2, dtype="mixed_bfloat16")(x).dtype == "float32"
    assert Dense(2, dtype="mixed_bfloat16", autocast=False)(x).dtype == "float32"
    assert Lambda(lambda x: ops.cast(x, "float32"), dtype="mixed_bfloat16")(x).dtype == "float32"
    for dtype, met in (("mixed_bfloat16", "bfloat16"), (None, "float32")):
        model = Chosen(dtype=dtype)
        assert (model(x).dtype, model.met) == ("float32", met)


def test_a_layer_of_the_user_s_trains_low_and_keeps_single_weights():
    model = Model(inputs := Input((3,)), Own(dtype="mixed_bfloat16")(inputs))
    model.compile("sgd", "mse")
    model.fit(np.ones((8, 3)), np.zeros((8, 3)), batch_size=4, epochs=1, verbose=0)
    layer = model.layers[1]
    assert layer.w.dtype == layer.uncast.dtype == "float32"
    assert (layer.w.numpy() < 1).all()
    np.testing.assert_array_equal(layer.still.numpy(), [3, 3, 3])  # one more in each step


def test_a_map_gives_layers_the_policies_of_their_paths(tmp_path):
    policies = DTypePolicyMap(policy_map={"first": "float16"})
    policies["enc/.*"] = DTypePolicy("mixed_bfloat16")
    assert (list(policies), len(policies), policies.name) == (["first", "enc/.*"], 2, "map_float32")
    assert [policies[path] for path in ("first", "enc/a", "enc")] == [
        *("float16", "mixed_bfloat16", "float32"),
    ]
    assert ("enc/a" in policies, policies.compute_dtype) == (False, "float32")
    made = [Dense(2, name=name, dtype=policies) for name in ("first", "other")]
    assert [layer.compute_dtype for layer in made] == ["float16", "float32"]
    inputs = Input((3,))
    model = Model(inputs, made[1](made[0](inputs)))
    model.save(tmp_path / "a.keras")
    again = load_model(tmp_path / "a.keras")
    assert [layer.compute_dtype for layer in again.layers[1:]] == ["float16", "float32"]


def test_a_map_is_data_and_refuses_what_is_unclear():
    policies = DTypePolicyMap("bfloat16", {"a/.*": "float16"})
    described = {  # of genuine Keras, for a policy given as such
        "module": "keras.dtype_policies",
        "class_name": "DTypePolicyMap",
        "config": {
            "default_policy": "bfloat16",
            "policy_map": {"a/.*": dtype_policies.serialize(DTypePolicy("float16"))},
        },
        "registered_name": None,
    }
    assert dtype_policies.serialize(policies) == serialize_keras_object(policies) == described
    for again in (dtype_policies.get(described), deserialize_keras_object(described)):
        assert (again["a/b"], again["b"]) == ("float16", "bfloat16")
    with pytest.raises(ValueError, match="has the policy 'float16' already"):
        policies["a/.*"] = "float32"
    policies["a/b.*"] = "float32"
    with pytest.raises(ValueError, match="must fit one policy"):
        policies["a/bc"]
    del policies["a/b.*"]
    assert policies["a/bc"] == "float16"
    with pytest.raises(ValueError, match="got a DTypePolicyMap"):
        DTypePolicyMap(policies)
    with pytest.raises(TypeError, match="policy_map is a dict"):
        DTypePolicyMap(policy_map=[1])


def test_what_a_call_would_give_is_told():
    spec = Dense(4, dtype="mixed_bfloat16").compute_output_spec(Input((None, 3)))
    assert (spec.shape, spec.dtype) == ((None, None, 4), "bfloat16")
    words = Input((3,), dtype="int32")
    assert Flatten().compute_output_spec(words).dtype == "int32"
    outputs = layers.LSTM(2, return_state=True).compute_output_spec(Input((4, 3)))
    assert [tensor.shape for tensor in outputs] == [(None, 2)] * 3
    assert Own().compute_output_spec(words).dtype == "float32"
