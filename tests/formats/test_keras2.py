import importlib.util
import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np
import pytest

from funkeras.formats import FileFormatError, WeightsFile, load_weights, save_weights, weight_shapes

FILES = Path(__file__).parents[1] / "golden" / "files"
EXPECTED = json.loads((FILES / "expected.json").read_text())
RANDOM = np.random.RandomState(0)
LAYERS = [
    (
        "dense_1",
        [
            ("dense_1/kernel:0", RANDOM.randn(5, 6).astype("float32")),
            ("dense_1/bias:0", RANDOM.randn(6).astype("float32")),
        ],
    ),
    ("dropout_1", []),
    ("a/b", [("a/b/step:0", np.int64(7)), ("a/b/half:0", np.zeros((0, 3), "float16"))]),
]


def assert_same(got, expected):
    assert [(name, [weight for weight, _ in weights]) for name, weights in got] == [
        (name, [weight for weight, _ in weights]) for name, weights in expected
    ]
    for (_, weights), (_, wanted) in zip(got, expected, strict=True):
        for (_, array), (_, value) in zip(weights, wanted, strict=True):
            assert array.dtype == np.asarray(value).dtype
            np.testing.assert_array_equal(array, value)


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "weights.h5"
    save_weights(path, LAYERS)
    return path


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_files_of_every_keras_are_read(name):
    got = load_weights(FILES / name)
    with np.load(FILES / "expected.npz") as arrays:
        expected = [arrays[f"{name}/{index}"] for index in range(4)]
    assert [len(weights) for _, weights in got.layers] == [2, 0, 2]
    weights = [entry for _, weights in got.layers for entry in weights]
    for (_, array), wanted in zip(weights, expected, strict=True):
        assert array.dtype == wanted.dtype
        np.testing.assert_array_equal(array, wanted)
    names = [weight for weight, _ in weights]
    if EXPECTED[name]["generation"] == "keras-0.3.3":
        assert [layer for layer, _ in got.layers] == ["layer_0", "layer_1", "layer_2"]
        assert names == ["param_0", "param_1"] * 2
    else:
        assert names == EXPECTED[name]["weight_names"]
    shapes = [shape for _, weights in weight_shapes(FILES / name) for _, shape in weights]
    assert shapes == [array.shape for array in expected]


def test_attributes_of_a_whole_model_are_text():
    attributes = load_weights(FILES / "k1-theano-mlp.h5").attributes
    assert attributes["keras_version"] == "1.2.2"
    assert json.loads(attributes["model_config"])["class_name"] == "Sequential"


def test_round_trip_keeps_order_types_and_scalars(saved):
    layers, attributes = load_weights(saved)
    assert_same(layers, LAYERS)
    assert attributes == {"backend": "tensorflow", "keras_version": "2.2.4"}


def test_layout_is_that_of_keras_2(saved):
    with h5py.File(saved) as file:
        assert file.attrs["layer_names"].tolist() == [b"dense_1", b"dropout_1", b"a/b"]
        assert file["dense_1"].attrs["weight_names"].dtype == "S16"
        assert file["dense_1/dense_1/kernel:0"].shape == (5, 6)
        assert file["dropout_1"].attrs["weight_names"].dtype == "float64"
    genuine = FILES / "k2-tensorflow-mlp.weights_only.h5"
    copy = saved.with_name("copy.h5")
    save_weights(copy, load_weights(genuine).layers)

    def facts(path):
        found = {}
        with h5py.File(path) as file:
            for node in (file, *(file[layer] for layer in file)):
                for name in node.attrs:
                    kind = node.attrs.get_id(name)
                    found[node.name, name] = (kind.dtype, kind.shape)
            file.visititems(lambda name, node: found.update({name: getattr(node, "dtype", None)}))
        return {key: fact for key, fact in found.items() if "funkeras" not in key[1]}

    assert facts(copy) == facts(genuine)


def test_attributes_of_any_length(tmp_path):
    attributes = {"model_config": "x" * 200_000, "backend": "theano", "number": 3}
    save_weights(tmp_path / "a.h5", [], attributes)
    assert load_weights(tmp_path / "a.h5", limit=0) == WeightsFile(
        [], {**attributes, "keras_version": "2.2.4"}
    )


def test_many_names_are_split_like_keras_does(tmp_path):
    layers = [(f"layer_with_a_rather_long_name_{i:05d}", []) for i in range(5000)]
    layers[1] = (layers[1][0], [(f"w{i:04d}" + 100 * "x", np.float32(i)) for i in range(1000)])
    save_weights(tmp_path / "a.h5", layers)
    with h5py.File(tmp_path / "a.h5") as file:
        assert "layer_names" not in file.attrs
        chunks = [file.attrs[f"layer_names{i}"] for i in range(3)]
        assert max(chunk.nbytes for chunk in chunks) <= 64512
        assert sum(map(len, chunks)) == 5000
    assert_same(load_weights(tmp_path / "a.h5").layers, layers)


@pytest.mark.parametrize(
    ("layers", "error", "message"),
    [
        ([("a", []), ("a", [])], ValueError, "layers: the name 'a' occurs twice"),
        ([("a", [("w", 1), ("w", 2)])], ValueError, "layer 'a': the name 'w' occurs twice"),
        ([("../a", [])], ValueError, "'../a' cannot be a name"),
        ([("a", [("", 1)])], ValueError, "layer 'a': '' cannot be a name"),
        ([("a", [("w", np.array(["x"]))])], TypeError, "w: HDF5 takes numbers, got .*U1"),
        ([("x" * 70000, [])], ValueError, "a name has 70000 bytes"),
    ],
)
def test_what_cannot_be_saved_leaves_the_old_file(saved, layers, error, message):
    before = saved.read_bytes()
    with pytest.raises(error, match=message):
        save_weights(saved, layers)
    assert saved.read_bytes() == before
    assert os.listdir(saved.parent) == ["weights.h5"]


@pytest.mark.parametrize("change", ["value", "name", "order"])
def test_changed_files_are_noticed(saved, change):
    with h5py.File(saved, "r+") as file:
        if change == "value":
            file["dense_1/dense_1/bias:0"][2] += 1e-6
        elif change == "name":
            file.move("dense_1/dense_1/bias:0", "dense_1/dense_1/b:0")
            file["dense_1"].attrs["weight_names"] = [b"dense_1/kernel:0", b"dense_1/b:0"]
        else:
            file["dense_1"].attrs["weight_names"] = [b"dense_1/bias:0", b"dense_1/kernel:0"]
    with pytest.raises(FileFormatError, match=r"weights\.h5 was changed or damaged"):
        load_weights(saved)


def test_every_truncation_is_an_error_of_the_format(saved):
    content = saved.read_bytes()
    for length in [*range(200), *range(200, len(content), 97), len(content) - 1]:
        saved.write_bytes(content[:length])
        with pytest.raises(FileFormatError, match=r"weights\.h5"):
            load_weights(saved)


def test_flipped_bytes_give_the_weights_or_an_error_of_the_format(saved):
    content = saved.read_bytes()
    for position in range(0, len(content), 61):
        damaged = bytearray(content)
        damaged[position] ^= 0xFF
        saved.write_bytes(damaged)
        with suppress(FileFormatError):
            assert_same(load_weights(saved, limit=10_000).layers, LAYERS)


def test_damaged_heaps_of_strings_are_refused(saved):
    """HDF5 itself never returns from the second one."""
    content = saved.read_bytes()
    heap = content.index(b"GCOL")
    sizes = [heap + 8, content.index(b"2.2.4\0") - 8]
    for position in sizes:
        damaged = bytearray(content)
        damaged[position] ^= 0xFF
        damaged[position + 6] ^= 0xFF if position == heap + 8 else 0
        saved.write_bytes(damaged)
        with pytest.raises(FileFormatError, match=r"weights\.h5 is damaged: a heap of strings"):
            load_weights(saved)


@pytest.mark.parametrize(("offset", "value"), [(-4, 2**31), (0, 1 << 20), (0, 8), (-4, 5000)])
def test_texts_that_the_file_does_not_have_are_refused(saved, offset, value):
    """HDF5 itself takes as much memory as such a reference asks for."""
    content = bytearray(saved.read_bytes())
    address = content.index(content.index(b"GCOL").to_bytes(8, "little"))
    place = slice(address + offset, address + offset + (4 if offset else 8))
    content[place] = value.to_bytes(place.stop - place.start, "little")
    saved.write_bytes(content)
    with pytest.raises(FileFormatError, match=r"weights\.h5 is damaged: no text for the attr"):
        load_weights(saved)


def edited(path, edit):
    with h5py.File(path, "r+") as file:
        del file.attrs["funkeras_digest"], file.attrs["funkeras_digested"]
        edit(file)
    return path


def replace_bias(create):
    def edit(file):
        del file["dense_1/dense_1/bias:0"]
        create(file["dense_1/dense_1"], "bias:0", file)

    return edit


def create_virtual(group, name, file):
    layout = h5py.VirtualLayout((6,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", (6,))
    group.create_virtual_dataset(name, layout)


def create_external(group, name, file):
    path = file.filename + ".raw"
    Path(path).write_bytes(bytes(24))
    group.create_dataset(name, (6,), "f4", external=[(path, 0, 24)])


def create_filtered(group, name, file):
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((6,))
    plist.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, (3,))
    space = h5py.h5s.create_simple((6,))
    h5py.h5d.create(group.id, name.encode(), h5py.h5t.NATIVE_FLOAT, space, plist)


MALFORMED = {
    "missing": (replace_bias(lambda *_: None), "/dense_1/dense_1/bias:0: missing"),
    "external link": (
        replace_bias(lambda g, n, f: g.__setitem__(n, h5py.ExternalLink("/etc/x.h5", "/x"))),
        r"bias:0: refused, it is a link \(ExternalLink\)",
    ),
    "soft link": (
        replace_bias(lambda g, n, f: g.__setitem__(n, h5py.SoftLink("/dense_1/dense_1/kernel:0"))),
        r"bias:0: refused, it is a link \(SoftLink\)",
    ),
    "virtual": (replace_bias(create_virtual), "bias:0: refused, its data lie in another file"),
    "external": (replace_bias(create_external), "bias:0: refused, its data lie in another file"),
    "filter": (replace_bias(create_filtered), "bias:0: refused, it needs the filter plug-in 32015"),
    "text": (
        replace_bias(lambda g, n, f: g.create_dataset(n, data="evil")),
        "bias:0: numbers are expected, not object",
    ),
    "compound": (
        replace_bias(lambda g, n, f: g.create_dataset(n, data=np.zeros(2, [("a", "f4")]))),
        "bias:0: numbers are expected",
    ),
    "references": (
        replace_bias(lambda g, n, f: g.create_dataset(n, (2,), h5py.ref_dtype)),
        "bias:0: numbers are expected",
    ),
    "empty": (
        replace_bias(lambda g, n, f: g.create_dataset(n, data=h5py.Empty("f4"))),
        "bias:0: an array is expected, not an empty dataspace",
    ),
    "group": (replace_bias(lambda g, n, f: g.create_group(n)), "bias:0: an array is expected here"),
    "huge": (
        replace_bias(lambda g, n, f: g.create_dataset(n, (1 << 40,), "f8")),
        "bias:0: 8796093022208 bytes, but at most",
    ),
    "bomb": (
        replace_bias(lambda g, n, f: g.create_dataset(n, (1 << 22,), "f8", compression="gzip")),
        "bias:0: 33554432 bytes, but at most",
    ),
    "chunks": (
        replace_bias(
            lambda g, n, f: g.create_dataset(
                n, (6,), "f4", chunks=(1 << 24,), maxshape=(None,), compression="gzip"
            )
        ),
        "bias:0: refused, its chunks are larger",
    ),
    "layer is an array": (
        lambda f: (f.move("dense_1", "x"), f.create_dataset("dense_1", data=1.0)),
        "/dense_1: a group is expected here, not an array",
    ),
    "name leaves": (
        lambda f: f["dense_1"].attrs.__setitem__("weight_names", [b"../a/b/step:0"]),
        "the path leaves its group",
    ),
    "absolute name": (
        lambda f: f["dense_1"].attrs.__setitem__("weight_names", [b"/a/b/step:0"]),
        "the path leaves its group",
    ),
    "through an array": (
        lambda f: f["dense_1"].attrs.__setitem__("weight_names", [b"dense_1/bias:0/x"]),
        "the path goes through an array",
    ),
    "doubled": (
        lambda f: f.attrs.__setitem__("layer_names", [b"dense_1", b"dense_1"]),
        "the attribute 'layer_names' has a name twice",
    ),
    "no names": (
        lambda f: f["dense_1"].attrs.__delitem__("weight_names"),
        "dense_1: the attribute 'weight_names' is missing",
    ),
    "numbers for names": (
        lambda f: f["dense_1"].attrs.__setitem__("weight_names", [1, 2]),
        "the attribute 'weight_names' is not a list of names",
    ),
    "no weights": (lambda f: f.attrs.__delitem__("layer_names"), "'layer_names' is missing"),
    "not UTF-8": (
        lambda f: f.attrs.__setitem__("layer_names", [b"\xff"]),
        "not a readable HDF5 file at '/@layer_names'",
    ),
    "count": (
        lambda f: f.attrs.__setitem__("nb_layers", "many"),
        "'nb_layers' must be a number of nodes, not 'many'",
    ),
    "counted layers": (lambda f: f.attrs.__setitem__("nb_layers", 10**9), "/layer_0: missing"),
    "sequence attribute": (
        lambda f: (
            f.attrs.__delitem__("backend"),
            h5py.h5a.create(
                f.id,
                b"backend",
                h5py.h5t.vlen_create(h5py.h5t.STD_I32LE),
                h5py.h5s.create_simple((1,)),
            ),
        ),
        "the attribute 'backend' is neither text nor number",
    ),
    "reference attribute": (
        lambda f: f.attrs.__setitem__("backend", f.ref),
        "the attribute 'backend' is neither text nor number",
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_and_hostile_files(saved, name):
    edit, message = MALFORMED[name]
    with pytest.raises(FileFormatError, match=message) as raised:
        load_weights(edited(saved, edit))
    assert str(saved) in str(raised.value)


def test_layers_linked_to_one_array_do_not_multiply_it(saved):
    def edit(file):
        file["dense_1/big"] = np.zeros(20_000, "f4")
        for index in range(50):
            file[f"dense_1/link{index}"] = file["dense_1/big"]
        file["dense_1"].attrs["weight_names"] = [f"link{i}".encode() for i in range(50)]

    with pytest.raises(FileFormatError, match="80000 bytes, but at most"):
        load_weights(edited(saved, edit))


def test_limits_are_those_of_the_caller(saved):
    sizes = {"dense_1/kernel:0": 120, "dense_1/bias:0": 24}
    assert_same(load_weights(saved, lambda layer, weight: sizes.get(weight)).layers, LAYERS)
    assert_same(load_weights(saved, 152).layers, LAYERS)
    with pytest.raises(FileFormatError, match="24 bytes, but at most 23 are expected"):
        load_weights(saved, lambda layer, weight: {**sizes, "dense_1/bias:0": 23}.get(weight))
    with pytest.raises(FileFormatError, match="8 bytes, but at most 7 are expected"):
        load_weights(saved, 151)


def test_compressed_files_are_read_within_a_limit(tmp_path):
    big = np.zeros(100_000, "f4")
    save_weights(tmp_path / "a.h5", [("a", [("w", big)])])

    def edit(file):
        del file["a/w"]
        file["a"].create_dataset("w", data=big, compression="gzip", shuffle=True)

    edited(tmp_path / "a.h5", edit)
    with h5py.File(tmp_path / "a.h5") as old, h5py.File(tmp_path / "b.h5", "w") as new:
        old.copy("a", new)
        new.attrs.update(old.attrs)
    with pytest.raises(FileFormatError, match="400000 bytes, but at most"):
        load_weights(tmp_path / "b.h5")
    assert_same(load_weights(tmp_path / "b.h5", 400_000).layers, [("a", [("w", big)])])


@pytest.mark.parametrize(
    ("content", "looks_like"),
    [
        (b"", "empty"),
        (b"PK\x03\x04rest", "a zip archive"),
        (b"\x1f\x8b\x08", "compressed with gzip"),
        (b"\n<!DOCTYPE html>", "a web page"),
        (b'{"class_name": "Sequential"}', "JSON text"),
        (b"version https://git-lfs.github.com/spec/v1", "a Git LFS pointer"),
        ("Gewichte für später".encode() * 50, "text, beginning with 'Gewichte für"),
        (b"\x93NUMPY\x01", "a NumPy .npy file"),
        (b"\x80\x04\x95", "a pickle"),
        (bytes(range(256)) * 9, "something else"),
    ],
)
def test_other_files_are_named_by_their_looks(tmp_path, content, looks_like):
    (tmp_path / "w.h5").write_bytes(content)
    with pytest.raises(FileFormatError, match=f"w.h5 is not an HDF5 file: it is {looks_like}"):
        load_weights(tmp_path / "w.h5")


def test_weights_of_keras_3_are_told_apart(tmp_path):
    with h5py.File(tmp_path / "a.weights.h5", "w") as file:
        file.create_group("layers/dense/vars")
    with pytest.raises(FileFormatError, match=r"this is a \.weights\.h5 file of Keras 3"):
        load_weights(tmp_path / "a.weights.h5")


def test_missing_and_locked_files_keep_their_errors(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError):
        load_weights(tmp_path / "a.h5")
    with pytest.raises(IsADirectoryError):
        load_weights(tmp_path)
    if os.geteuid():
        (tmp_path / "a.h5").touch(mode=0)
        with pytest.raises(PermissionError):
            load_weights(tmp_path / "a.h5")


def test_top_level_weights_come_last(saved):
    def edit(file):
        group = file.create_group("top_level_model_weights")
        group.attrs["weight_names"] = [b"scale:0"]
        group["scale:0"] = np.float32(2)

    layers = load_weights(edited(saved, edit)).layers
    assert layers[-1] == ("top_level_model_weights", [("scale:0", np.float32(2))])


def test_files_with_a_user_block_are_read(saved):
    with (
        h5py.File(saved.with_name("b.h5"), "w", userblock_size=1024) as new,
        h5py.File(saved) as old,
    ):
        for name in old:
            old.copy(name, new)
        new.attrs.update(old.attrs)
    assert_same(load_weights(saved.with_name("b.h5")).layers, LAYERS)


KERAS = os.environ.get("KERAS_PYTHON") or (importlib.util.find_spec("keras") and sys.executable)


@pytest.mark.skipif(not KERAS, reason="needs genuine Keras 3, here or in the python $KERAS_PYTHON")
def test_genuine_keras_reads_our_weights(tmp_path):
    random = np.random.RandomState(1)
    kernels = [random.randn(*shape).astype("float32") for shape in ((5, 6), (6,), (6, 3), (3,))]
    names = ["kernel:0", "bias:0"]
    layers = [
        ("dense_1", list(zip([f"dense_1/{name}" for name in names], kernels[:2], strict=True))),
        ("dropout_1", []),
        ("dense_2", list(zip([f"dense_2/{name}" for name in names], kernels[2:], strict=True))),
    ]
    save_weights(tmp_path / "w.h5", layers)
    script = (
        "import keras, numpy as np\n"
        "model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(6, 'tanh'),"
        " keras.layers.Dropout(0.5), keras.layers.Dense(3)])\n"
        "model.load_weights('w.h5')\n"
        "np.save('y.npy', model.predict(np.ones((2, 5), 'float32'), verbose=0))\n"
    )
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    subprocess.run([KERAS, "-c", script], cwd=tmp_path, env=environment, check=True)
    expected = np.tanh(kernels[0].sum(0) + kernels[1]) @ kernels[2] + kernels[3]
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), [expected] * 2, atol=1e-5)
