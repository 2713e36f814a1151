"""Helpers of Keras's inside that scripts and tests of old call."""

import re

import h5py
import numpy as np
import pytest

from funkeras import backend as K
from funkeras import compat, config, layers, losses
from funkeras.compat import bytecode, devices, engine, theano, training_utils
from funkeras.models import Sequential
from funkeras.utils.h5dict import H5Dict


def test_weighted_masked_objective_is_keras_2s_formula():
    rng = np.random.default_rng(0)
    y, p = rng.normal(size=(2, 3, 4, 2)).astype("float32")
    weights, mask = np.array([1.0, 0.0, 2.0]), rng.integers(0, 2, (3, 4)).astype("float32")
    score = np.abs(y - p).mean(-1) * mask / mask.mean()
    expected = (score.mean(-1) * weights / (2 / 3)).mean()
    found = engine.weighted_masked_objective(losses.get("mae"))(y, p, weights, mask)
    np.testing.assert_allclose(K.eval(found), expected, rtol=1e-5)
    assert engine.weighted_masked_objective(None) is None


def test_arrays_of_keras_1_are_rearranged_for_a_layer():
    lstm = layers.LSTM(2, input_shape=(3, 5))
    Sequential([lstm])
    now = lstm.get_weights()
    gates = [np.split(own, 4, axis=-1) for own in now]  # today i, f, c, o; then i, c, f, o
    old = [gates[role][gate] for gate in (0, 2, 1, 3) for role in range(3)]
    for new, own in zip(engine.preprocess_weights_for_loading(lstm, old, "1"), now, strict=True):
        np.testing.assert_array_equal(new, own)
    same = engine.preprocess_weights_for_loading(lstm, now)
    assert all((new == own).all() for new, own in zip(same, now, strict=True))


@pytest.mark.parametrize("by_name", [False, True])
def test_groups_of_an_open_file_are_read_into_chosen_layers(by_name, tmp_path):
    def net():
        return Sequential([layers.Dense(3, input_shape=(2,), name="a"), layers.Dense(4, name="b")])

    model, other = net(), net()
    model.compile("sgd", "mse")
    model.save(tmp_path / "model.h5")
    before = other.get_weights()
    with h5py.File(tmp_path / "model.h5") as file:
        group = file["model_weights"]
        if by_name:
            engine.load_weights_from_hdf5_group_by_name(group, other.layers[1:])
        else:
            engine.load_weights_from_hdf5_group(group, other.layers)
        with pytest.raises(ValueError, match="must be a file or its 'model_weights'"):
            engine.load_weights_from_hdf5_group(group["a"], other.layers)
    expected = [*(before if by_name else model.get_weights())[:2], *model.get_weights()[2:]]
    for own, wanted in zip(other.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(own, wanted)


def test_functions_go_through_text():
    y = 3
    assert bytecode.func_load(bytecode.func_dump(lambda x, z=2: x * y + z))(4) == 14


def test_h5dict_is_alike_in_a_file_and_in_a_dict(tmp_path):
    long = [b"x" * 1000] * 200
    for place in (tmp_path / "d.h5", {}):
        stored = H5Dict(place, "w")
        stored["group"]["text"] = "abc"
        stored["group"]["names"] = [b"a", b"b"]
        stored["group"]["long"] = long
        stored["array"] = np.arange(6).reshape(2, 3)
        stored.close()
        found = H5Dict(place, "r")
        assert "group" in found
        assert found["group"]["text"] == "abc"
        assert found["group"]["names"] == [b"a", b"b"]
        assert found["group"]["long"] == long
        np.testing.assert_array_equal(found["array"], np.arange(6).reshape(2, 3))
        with pytest.raises(ValueError, match="mode='r'"):
            found["new"] = 1
        found.close()


def test_several_gpus_are_asked_for_in_vain():
    model = Sequential([layers.Dense(1, input_dim=1)])
    with pytest.raises(ValueError, match="there are 0 here"):
        devices.multi_gpu_model(model, gpus=2)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: _compatible(np.ones((2, 3, 1)), (2, 3, 1)), "You are passing a target array"),
        (lambda: _compatible(np.ones((2, 3, 5)), (2, 3, 6)), "targets to have the same shape"),
        (
            lambda: training_utils.check_array_length_consistency([np.ones(2)], [np.ones(3)]),
            "2 and",
        ),
        (lambda: training_utils.standardize_weights(np.ones((2, 1)), np.ones(3)), "shape (2,)"),
        (lambda: training_utils.standardize_input_data([np.ones(2)], ["a", "b"]), "expected 2"),
    ],
)
def test_checks_of_data_say_what_is_wrong(call, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        call()


def _compatible(y, shape):
    check = training_utils.check_loss_and_target_compatibility
    check([y], [K.categorical_crossentropy], [shape])


def test_weights_and_metrics_are_spread_over_outputs():
    assert training_utils.standardize_sample_weights({"b": 1}, ["a", "b"]) == [None, 1]
    assert training_utils.collect_metrics(["mse"], ["a", "b"]) == [["mse"], ["mse"]]
    y = np.eye(3)[[0, 2]]
    weighted = training_utils.standardize_weights(y, class_weight={0: 1.0, 1: 2.0, 2: 3.0})
    np.testing.assert_array_equal(weighted, [1.0, 3.0])


def test_each_backends_module_has_its_numbers_whichever_is_set():
    compat.install("1.2.2")
    try:
        from keras.backend import tensorflow_backend, theano_backend
    finally:
        compat.uninstall()
    rng = np.random.default_rng(0)
    images, kernel = rng.normal(size=(1, 5, 5, 2)), rng.normal(size=(3, 3, 2, 4))
    plain = K.conv2d(images, kernel, dim_ordering="tf")
    with config.using_backend("theano"):
        same = tensorflow_backend.conv2d(images, kernel, dim_ordering="tf")
    np.testing.assert_allclose(same, plain, rtol=1e-5)
    turned = theano_backend.conv2d(images, kernel[::-1, ::-1].copy(), dim_ordering="tf")
    np.testing.assert_allclose(turned, plain, rtol=1e-5)
    assert theano_backend.th_sparse_module is None


def test_theano_backend_has_the_costs_of_samples_in_one_row():
    p = np.random.default_rng(0).dirichlet(np.ones(4), (3, 5))
    arguments = np.array([[0, 1], [1, 1], [2, 0]]), p, np.full((3, 1), 5), np.full((3, 1), 2)
    with config.using_backend("theano"):
        expected = K.ctc_batch_cost(*arguments)
    found = theano.ctc_batch_cost(*arguments)
    assert found.shape == (1, 3)
    np.testing.assert_array_equal(found[0], expected[:, 0])


def test_keras_1_has_a_penalty_for_each_gate_and_sequences_by_input_dim():
    with config.using_dialect("classic"):
        layer = layers.GRU(3, input_dim=4, W_regularizer="l2", b_regularizer="l2")
        model = Sequential([layer])
        assert model.input_shape == (None, None, 4)
        assert len(layer.losses) == 6
        whole = 0.01 * sum((layer.get_weights()[place] ** 2).sum() for place in (0, 2))
        np.testing.assert_allclose(sum(K.eval(loss) for loss in layer.losses), whole, rtol=1e-5)


def test_unknown_sizes_become_those_that_arithmetic_meets():
    y = K.placeholder(ndim=2)
    total = K.variable(np.ones((4, 2))) + y
    assert K.int_shape(total) == (4, 2)
    np.testing.assert_array_equal(
        K.function([y], [total])([np.ones((4, 2))])[0], np.full((4, 2), 2)
    )


def test_a_layer_tells_whether_it_computes_otherwise_in_training():
    inputs = layers.Input((3,))
    dropped = layers.Dropout(0.5)
    dense = layers.Dense(2)
    dense(dropped(inputs))
    assert dropped.uses_learning_phase
    assert not dense.uses_learning_phase


def test_sparse_variables_stay_so_when_joined_and_ranges_have_64_bits():
    sparse = pytest.importorskip("scipy.sparse")
    parts = [K.variable(sparse.csr_matrix(np.eye(3))) for _ in range(2)]
    assert K.is_sparse(K.concatenate(parts))
    assert not K.is_sparse(K.concatenate([parts[0], K.variable(np.eye(3))]))
    assert K.dtype(K.arange(3, dtype="int64")) == "int64"
    np.testing.assert_array_equal(K.eval(K.arange(1, 4, 2)), [1, 3])
