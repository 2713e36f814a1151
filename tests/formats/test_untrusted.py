"""A file is data: nothing in it is run, and nothing outside it is opened."""

import base64
import ctypes
import io
import json
import marshal
import os
import struct
import sys
import threading
import zipfile
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pytest

from funkeras.formats import FileFormatError
from funkeras.layers import LSTM, Dense
from funkeras.models import Model, Sequential, load_model, model_from_config, model_from_json

RUNS = ("os.system", "os.exec", "os.posix_spawn", "subprocess.Popen", "marshal.loads")
RUNS += ("pickle.find_class", "code.__new__", "function.__new__", "socket.connect", "ctypes.dlopen")
"""Events of the interpreter that reading data must not cause."""

_watch = threading.local()


def _hook(event, args):
    events = getattr(_watch, "events", None)
    if events is not None:
        events.append((event, args))


sys.addaudithook(_hook)


@contextmanager
def watched(*allowed):
    """Fails if code is run, or if files other than `allowed` and Python's own are opened."""
    _watch.events = []
    try:
        yield
    finally:
        events, _watch.events = _watch.events, None
    known = (sys.prefix, sys.base_prefix, str(Path(__file__).parents[2]), "/proc", "/sys")
    for event, args in events:
        imported = event == "marshal.loads" and args[0] != EVIL  # Python reads modules so
        assert event not in RUNS or imported, (event, args)
        if event in ("open", "os.listdir", "os.scandir", "shutil.move", "os.remove"):
            path = args[0]
            if isinstance(path, str | os.PathLike) and str(path) not in map(str, allowed):
                assert str(path).startswith(known), (event, args)


EVIL = marshal.dumps((lambda x: x).__code__)
BYTECODE = base64.b64encode(EVIL).decode()
BYTECODE_RAW = EVIL.decode("raw_unicode_escape")


def layer(kind, **config):
    return {"class_name": kind, "config": {"name": "evil", **config}}


def keras_3(name, module, config):
    return {"class_name": name, "module": module, "registered_name": None, "config": config}


FUNCTION = {"class_name": "function", "registered_name": "function"}
LAYERS = {
    "bytecode of Keras 2": (
        layer("Lambda", function=[BYTECODE_RAW, None, None], function_type="lambda"),
        r"custom_objects=\{'evil': lambda x: …\}",
    ),
    "bytecode of Keras 3": (
        layer(
            "Lambda",
            function={
                "class_name": "__lambda__",
                "config": {"code": BYTECODE, "defaults": None, "closure": None},
            },
        ),
        r"custom_objects=\{'evil': lambda x: …\}",
    ),
    "function of a module": (
        layer("Lambda", function="system", function_type="function", module="os"),
        r"custom_objects=\{'evil': lambda x: …\}",
    ),
    "bytecode in Merge": (
        layer("Merge", mode=[BYTECODE_RAW, None, None], mode_type="lambda", layers=[]),
        "never run",
    ),
    "a class of a module": (keras_3("Popen", "subprocess", {"args": "x"}), "no layer 'Popen'"),
    "a path to a class": (layer("os.system", command="x"), r"no layer 'system'"),
    "a registered name": (
        {**layer("Dense", units=1), "registered_name": "os>system", "module": "os"},
        None,
    ),
    "TFSMLayer": (layer("TFSMLayer", filepath="/etc/passwd"), "no layer 'TFSMLayer'"),
    "TorchModuleWrapper": (layer("TorchModuleWrapper", module="gASV"), "no layer 'TorchModule"),
    "an activation of a module": (
        layer("Dense", units=1, activation={**FUNCTION, "module": "os", "config": "system"}),
        "unknown activation 'system'",
    ),
    "unsafe deserialization": (
        layer(
            "Dense",
            units=1,
            kernel_initializer=keras_3("enable_unsafe_deserialization", "keras.config", {}),
        ),
        "unknown initializer 'enable_unsafe_deserialization'",
    ),
    "a download": (
        layer(
            "Dense",
            units=1,
            activation={
                "class_name": "function",
                "module": "keras.utils",
                "config": "get_file",
                "registered_name": "get_file",
            },
        ),
        "unknown activation 'get_file'",
    ),
    "another model": (
        layer("Dense", units=1, kernel_regularizer=keras_3("load_model", "keras.saving", "x.h5")),
        "load_model|unknown regularizer",
    ),
    "a cell of a module": (
        layer("RNN", cell=keras_3("system", "os", {})),
        "no layer 'system'",
    ),
    "a policy of a module": (
        layer("Dense", units=1, dtype=keras_3("system", "os", {"name": "x"})),
        None,
    ),
    "a vocabulary that is a path": (
        layer("StringLookup", vocabulary="/etc/passwd"),
        "vocabulary",
    ),
    "a wrapper of it": (
        layer("TimeDistributed", layer=layer("Lambda", function=BYTECODE, name="inner")),
        r"custom_objects=\{'inner': lambda x: …\}",
    ),
}


def described(entry):
    entries = [layer("InputLayer", batch_input_shape=[None, 3], name="in"), entry]
    return {"class_name": "Sequential", "config": {"name": "m", "layers": entries}}


def h5_with(path, config, training=None):
    Sequential([Dense(1, input_dim=3)]).save(path)
    with h5py.File(path, "r+") as file:
        del file.attrs["funkeras_digest"], file.attrs["funkeras_digested"]
        file.attrs["model_config"] = json.dumps(config)
        if training is not None:
            file.attrs["training_config"] = json.dumps(training)
    return path


def keras_with(path, config, **more):
    Sequential([Dense(1, input_dim=3)]).save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["metadata.json"] = b'{"keras_version": "3.15.1"}'
    members["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**members, **more}.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("name", LAYERS)
def test_code_in_a_config_is_not_run(tmp_path, name, monkeypatch):
    entry, message = LAYERS[name]
    config = described(entry)
    called = []
    monkeypatch.setattr(os, "system", called.append)
    h5 = h5_with(tmp_path / "a.h5", config)
    keras = keras_with(tmp_path / "a.keras", config)
    ways = [
        lambda: model_from_config(config),
        lambda: model_from_json(json.dumps(config)),
        lambda: load_model(h5),
        lambda: load_model(keras),
        lambda: load_model(keras, safe_mode=False),
    ]
    for way in ways:
        with watched(h5, keras, tmp_path):
            if message is None:
                way()  # what it names beside the class means nothing
            else:
                with pytest.raises(FileFormatError, match=message):
                    way()
    assert not called


TRAININGS = {
    "an optimizer that is none": ({"class_name": "Dense", "config": {"units": 1}}, "mse"),
    "an optimizer of a module": (keras_3("system", "os", {"command": "x"}), "mse"),
    "a loss of a module": ("sgd", {**FUNCTION, "module": "os", "config": "system"}),
    "a loss that loads": ("sgd", "load_model"),
    "a loss in bytecode": ("sgd", {"class_name": "__lambda__", "config": {"code": BYTECODE}}),
    "a schedule of a module": (
        {"class_name": "Adam", "config": {"learning_rate": keras_3("system", "os", {})}},
        "mse",
    ),
}


@pytest.mark.parametrize("name", TRAININGS)
def test_what_compiles_a_model_is_looked_up_not_imported(tmp_path, name):
    optimizer, loss = TRAININGS[name]
    config = described(layer("Dense", units=1))
    old = {"optimizer_config": optimizer, "loss": loss, "metrics": []}
    new = {"optimizer": optimizer, "loss": loss, "metrics": []}
    files = [
        h5_with(tmp_path / "a.h5", config, old),
        keras_with(tmp_path / "a.keras", {**config, "compile_config": new}),
    ]
    for path in files:
        with (
            watched(*files, tmp_path),
            pytest.raises(FileFormatError, match=r"custom_objects; or pass compile=False"),
        ):
            load_model(path)
        with watched(*files, tmp_path):
            assert load_model(path, compile=False).built


def test_a_lambda_layer_is_loaded_with_its_function_only(tmp_path):
    config = described({**LAYERS["bytecode of Keras 2"][0]})
    config["config"]["layers"][1]["config"]["name"] = "lambda_1"
    path = h5_with(tmp_path / "a.h5", config)
    with h5py.File(path, "r+") as file:
        file["model_weights"].attrs["layer_names"] = np.array([b"lambda_1"])
        file["model_weights"].create_group("lambda_1").attrs["weight_names"] = np.array([])
    with pytest.raises(FileFormatError, match=r"custom_objects=\{'lambda_1': lambda x: …\}"):
        load_model(path)
    with watched(path):
        model = load_model(path, custom_objects={"lambda_1": lambda x: x * 7})
    np.testing.assert_array_equal(model.predict(np.ones((1, 3))), [[7, 7, 7]])


@pytest.mark.parametrize("content", [b"\x80\x04\x95pickle", b"cos\nsystem\n(S'x'\ntR."])
def test_pickles_are_refused(tmp_path, content):
    path = tmp_path / "a.h5"
    path.write_bytes(content)
    with watched(path), pytest.raises(FileFormatError, match="not an HDF5 file"):
        load_model(path)


# Nothing outside of the file


@contextmanager
def untouched(folder):
    """Fails if any file in the folder is opened, also by a library in C."""
    if not sys.platform.startswith("linux"):
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.inotify_init1(os.O_NONBLOCK)
    opened, read = 0x20, 0x1
    assert libc.inotify_add_watch(descriptor, os.fsencode(folder), opened | read) >= 0
    try:
        yield
        try:
            events = os.read(descriptor, 4096)
        except BlockingIOError:
            events = b""
        names = []
        while events:
            length = struct.unpack_from("iIII", events)[3]
            names.append(events[16 : 16 + length].rstrip(b"\0"))
            events = events[16 + length :]
        assert not [name for name in names if name]
    finally:
        os.close(descriptor)


@pytest.fixture
def outside(tmp_path):
    """A folder with a file whose contents must not be read."""
    folder = tmp_path / "outside"
    folder.mkdir()
    with h5py.File(folder / "secret.h5", "w") as file:
        file["kernel:0"] = np.full((3, 1), 42, "f4")
        file["bias:0"] = np.full(1, 42, "f4")
        file.create_group("g/kernel:0")
    (folder / "raw").write_bytes(struct.pack("3f", 42, 42, 42))
    return folder


def test_the_guard_itself_notices_an_open_in_c(outside):
    with pytest.raises(AssertionError), untouched(outside):
        h5py.File(outside / "secret.h5").close()


def external(group, name, outside):
    group[name] = h5py.ExternalLink(str(outside / "secret.h5"), "kernel:0")


def soft_to_external(group, name, outside):
    group.file["hidden"] = h5py.ExternalLink(str(outside / "secret.h5"), "/")
    group[name] = h5py.SoftLink("/hidden/kernel:0")


def raw_storage(group, name, outside):
    group.create_dataset(name, (3, 1), "f4", external=[(str(outside / "raw"), 0, 12)])


def virtual(group, name, outside):
    layout = h5py.VirtualLayout((3, 1), "f4")
    layout[:] = h5py.VirtualSource(str(outside / "secret.h5"), "kernel:0", (3, 1))
    group.create_virtual_dataset(name, layout)


REACHES = {f.__name__: f for f in (external, soft_to_external, raw_storage, virtual)}


@pytest.mark.parametrize("name", REACHES)
@pytest.mark.parametrize("kind", ["weights", "model", "holders"])
def test_no_array_of_another_file_is_read(tmp_path, outside, name, kind):
    model = Sequential([Dense(1, input_dim=3, name="d")])
    path = tmp_path / ("a.weights.h5" if kind == "holders" else "a.h5")
    model.save(path) if kind == "model" else model.save_weights(path)
    place = {"weights": "d/d", "model": "model_weights/d/d", "holders": "layers/dense/vars"}[kind]
    with h5py.File(path, "r+") as file:
        del file.attrs["funkeras_digest"], file.attrs["funkeras_digested"]
        array = "0" if kind == "holders" else "kernel:0"
        del file[place][array]
        REACHES[name](file[place], array, outside)
    before = model.get_weights()
    with untouched(outside), watched(path), pytest.raises(FileFormatError, match="refused"):
        load_model(path) if kind == "model" else model.load_weights(path)
    assert all(map(np.array_equal, before, model.get_weights()))


@pytest.mark.parametrize("kind", ["weights", "model", "holders"])
@pytest.mark.parametrize("soft", [False, True])
def test_no_group_on_the_way_is_in_another_file(tmp_path, outside, kind, soft):
    model = Sequential([Dense(1, input_dim=3, name="d")])
    path = tmp_path / ("a.weights.h5" if kind == "holders" else "a.h5")
    model.save(path) if kind == "model" else model.save_weights(path)
    place = {"weights": "d", "model": "model_weights", "holders": "layers"}[kind]
    with h5py.File(path, "r+") as file:
        del file.attrs["funkeras_digest"], file.attrs["funkeras_digested"]
        file.move(place, "elsewhere")
        target = h5py.ExternalLink(str(outside / "secret.h5"), "/g")
        file[place] = h5py.SoftLink("/elsewhere") if soft else target
    with untouched(outside), watched(path), pytest.raises(FileFormatError, match="it is a link"):
        load_model(path) if kind == "model" else model.load_weights(path)


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "d/./x", ".."])
def test_names_of_layers_do_not_leave_their_group(tmp_path, name):
    model = Sequential([Dense(1, input_dim=3, name="d")])
    path = tmp_path / "a.h5"
    model.save_weights(path)
    with h5py.File(path, "r+") as file:
        del file.attrs["funkeras_digest"], file.attrs["funkeras_digested"]
        file.attrs["layer_names"] = np.array([name.encode()])
    with watched(path), pytest.raises(FileFormatError, match=r"leaves its group|missing"):
        model.load_weights(path)


def linked(name):
    info = zipfile.ZipInfo(name)
    info.external_attr = 0o120777 << 16
    return info


@pytest.mark.parametrize(
    "member", ["../x", "/etc/x", "a/../../x", "..\\x", "C:\\x", linked("link")], ids=str
)
def test_archives_stay_within_themselves(tmp_path, member):
    path = tmp_path / "inner" / "a.keras"
    path.parent.mkdir()
    Sequential([Dense(1, input_dim=3)]).save(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(member, "/etc/passwd")
    with watched(path), pytest.raises(FileFormatError, match=r"refused, the member"):
        load_model(path)
    assert os.listdir(tmp_path) == ["inner"]
    assert os.listdir(path.parent) == ["a.keras"]


# Sizes


def peak():
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


LARGE = 200 << 20


def zeros(group, name, shape, **options):
    del group[name]
    group.create_dataset(name, shape, "f4", **options)


HUGE = {
    "a petabyte": lambda g, n: zeros(g, n, (1 << 48,)),
    "many axes": lambda g, n: zeros(g, n, (2,) * 32),
    "gzip of zeros": lambda g, n: zeros(g, n, (1 << 28,), chunks=(1 << 20,), compression="gzip"),
    "one huge chunk": lambda g, n: zeros(
        g, n, (3, 1), chunks=(1 << 14, 1 << 14), maxshape=(None, None), compression="gzip"
    ),
}


@pytest.mark.parametrize("name", HUGE)
@pytest.mark.parametrize("kind", ["weights", "model", "holders", "archive"])
def test_declared_sizes_are_refused_before_memory_is_taken(tmp_path, name, kind):
    model = Sequential([Dense(1, input_dim=3, name="d")])
    ending = {"holders": ".weights.h5", "archive": ".keras"}.get(kind, ".h5")
    path = tmp_path / f"a{ending}"
    model.save(path) if kind in ("model", "archive") else model.save_weights(path)
    place = {"weights": "d/d", "model": "model_weights/d/d"}.get(kind, "layers/dense/vars")

    def edit(file):
        for key in ("funkeras_digest", "funkeras_digested"):
            del file.attrs[key]
        HUGE[name](file[place], "0" if place.endswith("vars") else "kernel:0")

    if kind == "archive":
        with zipfile.ZipFile(path) as archive:
            members = {m: archive.read(m) for m in archive.namelist()}
        with io.BytesIO(members["model.weights.h5"]) as memory:
            with h5py.File(memory, "r+") as file:
                edit(file)
            members["model.weights.h5"] = memory.getvalue()
        members["metadata.json"] = b"{}"
        with zipfile.ZipFile(path, "w") as archive:
            for member, content in members.items():
                archive.writestr(member, content)
    else:
        with h5py.File(path, "r+") as file:
            edit(file)
    before = peak()
    with pytest.raises(FileFormatError, match=r"at most|chunks are larger|axes|expected"):
        load_model(path) if kind in ("model", "archive") else model.load_weights(path)
    assert peak() - before < LARGE


@pytest.mark.parametrize("member", ["config.json", "model.weights.h5", "metadata.json"])
def test_zip_bombs_are_refused(tmp_path, member):
    path = tmp_path / "a.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in ("metadata.json", "config.json", "model.weights.h5"):
            content = b"{}" if name != member else None
            if content is not None:
                archive.writestr(name, content)
                continue
            with archive.open(name, "w") as stream:
                for _ in range(300):
                    stream.write(bytes(1 << 20))
    before = peak()
    with pytest.raises(FileFormatError, match=f"the member '{member}' would have 314572800 bytes"):
        load_model(path)
    assert peak() - before < LARGE


@pytest.mark.parametrize(
    "entry",
    [
        layer("Dense", units=1 << 40),
        layer("Embedding", input_dim=1 << 40, output_dim=1 << 20),
        layer("LSTM", units=1 << 30),
        layer("Conv2D", filters=1 << 30, kernel_size=[1 << 10, 1 << 10]),
        layer("RepeatVector", n=1 << 40),
        layer("Bidirectional", layer=layer("LSTM", units=1 << 30)),
    ],
    ids=lambda entry: entry["class_name"],
)
def test_models_larger_than_their_file_are_refused(tmp_path, entry):
    ends = {"Embedding": [None, 3], "Conv2D": [None, 4, 4, 3], "Dense": [None, 3]}
    shape = ends.get(entry["class_name"], [None, 3, 3])
    shape = [None, 3] if entry["class_name"] == "RepeatVector" else shape
    config = described(entry)
    config["config"]["layers"][0]["config"]["batch_input_shape"] = shape
    path = h5_with(tmp_path / "a.h5", config)
    before = peak()
    with pytest.raises(FileFormatError):
        load_model(path)
    assert peak() - before < LARGE


@pytest.mark.parametrize("text", ["[" * 100_000, '{"config":' * 50_000, '"' + "x" * 1_000_000])
def test_deep_and_long_json_is_refused(tmp_path, text):
    with pytest.raises(FileFormatError, match="not valid JSON"):
        model_from_json(text)
    path = tmp_path / "a.h5"
    Sequential([Dense(1, input_dim=3)]).save(path)
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = text
    with pytest.raises(FileFormatError):
        load_model(path)


def test_a_failed_load_changes_nothing(tmp_path):
    first = Sequential([LSTM(3, input_shape=(4, 2), name="a"), Dense(2, name="b")])
    second = Sequential([LSTM(3, input_shape=(4, 2), name="a"), Dense(3, name="b")])
    first.compile("adam", "mse")
    first.train_on_batch(np.ones((2, 4, 2)), np.ones((2, 2)))
    before, state = first.get_weights(), first._optimizer_state
    for ending in (".h5", ".weights.h5"):
        path = tmp_path / f"a{ending}"
        second.save_weights(path)
        with pytest.raises(FileFormatError, match=r"must have shape \(3, 2\).*\(3, 3\)"):
            first.load_weights(path)
    assert all(map(np.array_equal, before, first.get_weights()))
    assert first._optimizer_state is state
    assert isinstance(first, Model)
