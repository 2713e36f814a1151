"""Training on several devices, beside genuine Keras 3 and beside one device."""

import json
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest
from jax.sharding import PartitionSpec

from funkeras.distribution import (
    DataParallel,
    DeviceMesh,
    LayoutMap,
    ModelParallel,
    TensorLayout,
    distribute_tensor,
    distribution,
    get_device_count,
    list_devices,
    set_distribution,
)
from funkeras.layers import Input

HERE = Path(__file__).parent
GOLDEN = json.loads((HERE / "golden" / "on_devices.json").read_text())
CLOSE = {"rtol": 2e-5, "atol": 2e-5}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What four devices give: a process of its own has them."""
    path = tmp_path_factory.mktemp("devices") / "found.json"
    program = [sys.executable, str(HERE / "on_devices.py"), "funkeras", str(path)]
    done = subprocess.run(program, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(path.read_text())


@pytest.mark.parametrize("name", GOLDEN)
def test_models_on_devices_train_as_in_keras_3(found, name):
    own, expected = found["results"][name], GOLDEN[name]
    assert own.get("layouts") == expected.get("layouts")
    for what in ("loss", "accuracy", "judged", "predicted"):
        np.testing.assert_allclose(own[what], expected[what], err_msg=what, **CLOSE)


def test_whatever_the_devices_the_numbers_are_those_of_one(found):
    for what, (got, wanted) in found["checks"].items():
        assert jax.tree.structure(got) == jax.tree.structure(wanted), what
        for own, expected in zip(jax.tree.leaves(got), jax.tree.leaves(wanted), strict=True):
            if isinstance(expected, float):
                np.testing.assert_allclose(own, expected, err_msg=what, **CLOSE)
            else:
                assert own == expected, what


WORKER = """
import sys
import numpy as np
import funkeras as fk
from funkeras import config, distribution, layers

config.set_dialect("modern")
distribution.initialize("127.0.0.1:{port}", 2, int(sys.argv[1]))
mesh = distribution.DeviceMesh((1, 2), ["batch", "model"])
layouts = distribution.LayoutMap(mesh)
layouts[".*kernel"] = ("model", None)
x = np.random.default_rng(0).normal(size=(32, 8)).astype("float32")
for chosen in (distribution.DataParallel(), distribution.ModelParallel(layout_map=layouts)):
    distribution.set_distribution(chosen)
    model = fk.Sequential([layers.Input((8,)), layers.Dense(8, name="dense")])
    model.set_weights([np.eye(8), np.zeros(8)])
    model.compile("adam", "mse")
    losses = model.fit(x, 1 - x, epochs=2, batch_size=8, shuffle=False, verbose=0).history["loss"]
    print(chosen.num_processes, chosen.data_shard_id, model.predict(x[:8]).shape)
    print(losses, [w.sum().item() for w in model.get_weights()])
    model.save(sys.argv[2])
"""


@pytest.mark.slow
def test_two_processes_train_one_model(tmp_path, unused_port):
    program = WORKER.format(port=unused_port)
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(number), str(tmp_path / f"{number}.keras")],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(2)
    ]
    said = []
    for worker in workers:
        out, err = worker.communicate(timeout=300)
        assert worker.returncode == 0, err
        said.append([line for line in out.splitlines() if line and not line.startswith("[Gloo]")])
    assert said[0][0] == "2 0 (8, 8)"
    assert said[1][0] == "2 1 (8, 8)"
    assert said[0][1::2] == said[1][1::2]
    numbers = [json.loads(f"[{line.replace('] [', '], [')}]") for line in said[0][1::2]]
    np.testing.assert_allclose(*map(np.ravel, numbers), rtol=1e-5)


@pytest.fixture
def unused_port():
    import socket

    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return asked.getsockname()[1]


@pytest.fixture
def mesh():
    return DeviceMesh((1, 1), ["batch", "model"], ["cpu:0"])


def test_devices_have_names_and_are_counted():
    assert list_devices("CPU")[0] == "cpu:0"
    assert len(list_devices()) == get_device_count() == jax.device_count()


def test_layouts_are_shardings_of_jax(mesh):
    layout = TensorLayout(["batch", None], mesh)
    assert layout.backend_layout.spec == PartitionSpec("batch", None)
    assert layout.backend_layout.mesh is mesh.backend_mesh
    assert mesh.backend_mesh.axis_names == ("batch", "model")
    y = distribute_tensor(np.ones((2, 3), "float32"), layout)
    assert y.sharding == layout.backend_layout
    traced = jax.jit(lambda x: distribute_tensor(x, layout) + 1)
    assert traced(np.ones((2, 3))).sharding.is_equivalent_to(layout.backend_layout, 2)
    symbolic = Input((3,))
    assert distribute_tensor(symbolic, layout) is symbolic


def test_layouts_are_found_by_the_whole_path(mesh):
    layouts = LayoutMap(mesh)
    layouts[".*dense.*kernel"] = (None, "model")
    layouts["net/out/bias"] = ("model",)
    assert layouts["net/dense_1/kernel"].axes == (None, "model")
    assert layouts["net/dense_1/kernel"].device_mesh is mesh
    assert layouts["net/out/bias"].axes == ("model",)
    assert layouts["net/dense_1/kernel_more"] is None
    assert [*layouts] == [".*dense.*kernel", "net/out/bias"]
    layouts[".*kernel"] = (None, None)
    with pytest.raises(ValueError, match="'net/dense/kernel' must fit one layout"):
        layouts["net/dense/kernel"]
    with pytest.raises(ValueError, match=r"'\.\*kernel' has the layout .* already"):
        layouts[".*kernel"] = (None, None)
    with pytest.raises(ValueError, match="must be a TensorLayout, got 3"):
        layouts["a"] = 3
    del layouts[".*kernel"]
    assert len(layouts) == 2


def test_the_current_distribution_ends_with_its_scope(mesh):
    layouts = LayoutMap(mesh)
    chosen = ModelParallel(layout_map=layouts, batch_dim_name="model")
    assert chosen.num_model_replicas == 1
    assert chosen.get_data_layout((4, 2)).axes == ("model", None)
    with chosen.scope():
        assert distribution() is chosen
    assert distribution() is None

    def interrupted():
        with chosen.scope():
            raise KeyError

    with pytest.raises(KeyError):
        interrupted()
    assert distribution() is None
    set_distribution(None)


def test_a_first_axis_of_several_splits_batches(mesh):
    with pytest.warns(UserWarning, match="the first axis of .* splits batches"):
        assert DataParallel(mesh).batch_dim_name == "batch"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda mesh: DeviceMesh((1,), ["a", "b"]), "a name for each axis"),
        (lambda mesh: DeviceMesh((), []), "a name for each axis"),
        (lambda mesh: DeviceMesh((3,), ["a"], ["cpu:0"]), r"shape \(3,\) can't hold 1 devices"),
        (
            lambda mesh: DeviceMesh((1,), ["a"], ["cpu:99"]).backend_mesh,
            "no device 'cpu:99'; there are",
        ),
        (lambda mesh: TensorLayout(["c"], mesh), r"has no axes \['c'\]"),
        (lambda mesh: TensorLayout(["c"]).backend_layout, "has no mesh yet"),
        (lambda mesh: ModelParallel(layout_map=LayoutMap()), "must be a LayoutMap with a mesh"),
        (lambda mesh: ModelParallel(layout_map={}), "must be a LayoutMap with a mesh"),
        (lambda mesh: DataParallel([1]), "must be a DeviceMesh"),
    ],
)
def test_what_does_not_fit_is_refused(make, message, mesh):
    with pytest.raises(ValueError, match=message):
        make(mesh)


def test_a_mesh_is_told_once(mesh):
    layout = TensorLayout(["batch"], mesh)
    with pytest.raises(ValueError, match="has a mesh already"):
        layout.device_mesh = mesh
