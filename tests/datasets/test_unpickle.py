import os
import pickle
import re
import zipfile

import numpy as np
import pytest

from funkeras.datasets.unpickle import load_npz, load_pickle


class Evil:
    def __reduce__(self):
        return os.system, ("touch /tmp/funkeras-evil",)


@pytest.mark.parametrize("protocol", range(2, 5))
def test_arrays_and_containers_come_back(tmp_path, protocol):
    data = {
        "a": np.arange(6, dtype=">i2").reshape(2, 3),
        "fortran": np.asfortranarray(np.eye(3)),
        "words": [1, 2.5, None, (True, "x")],
        "scalar": np.float32(1.5),
        "text": np.array(["ab", "c"]),
        "flags": np.array([True, False]),
    }
    (tmp_path / "p").write_bytes(pickle.dumps(data, protocol))
    got = load_pickle(tmp_path / "p")
    assert got["words"] == data["words"]
    assert got["scalar"] == 1.5
    for name in ("a", "fortran", "text", "flags"):
        assert type(got[name]) is np.ndarray
        assert got[name].dtype == data[name].dtype.newbyteorder("=")
        np.testing.assert_array_equal(got[name], data[name])


def test_pickles_of_python_2_have_bytes(tmp_path):
    text = (
        b"(dp0\nS'data'\np1\ncnumpy.core.multiarray\n_reconstruct\np2\n(cnumpy\nndarray\np3\n(I0\n"
        b"tS'b'\ntRp4\n(I1\n(I2\ntcnumpy\ndtype\np5\n(S'u1'\nI0\nI1\ntRp6\n(I3\nS'|'\nNNNI-1\nI-1\n"
        b"I0\ntbI00\nS'\\x01\\xff'\ntbsS'labels'\n(lp7\nI3\nas."
    )
    (tmp_path / "p").write_bytes(text)
    got = load_pickle(tmp_path / "p")
    np.testing.assert_array_equal(got[b"data"], np.array([1, 255], np.uint8))
    assert got[b"labels"] == [3]


def test_ragged_arrays_of_an_npz(tmp_path):
    x = np.empty(2, object)
    x[:] = [[1, 2], [3]]
    np.savez(tmp_path / "a.npz", x=x, y=np.arange(2))
    got = load_npz(tmp_path / "a.npz")
    assert got["x"].tolist() == [[1, 2], [3]]
    assert type(got["x"]) is np.ndarray
    np.testing.assert_array_equal(got["y"], [0, 1])


def dtype_with_flags():
    """A pickle that makes an object array from raw bytes, by lying about its type's flags."""
    return (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
        b"(I1\n(I1\ntcnumpy\ndtype\n(S'O8'\nI0\nI1\ntR(I3\nS'|'\nNNNI-1\nI-1\nI0\ntb"
        b"I00\nS'AAAAAAAA'\ntb."
    )


@pytest.mark.parametrize(
    "content",
    [
        pickle.dumps(Evil()),
        pickle.dumps([np.arange(3), Evil()]),
        pickle.dumps(np.zeros(2, [("a", "i4")])),
        pickle.dumps(np.zeros(2, "M8[s]")),
        pickle.dumps(np.zeros(3))[:-20],
        dtype_with_flags(),
        b"cnumpy\nndarray\n(I99999999\ntR.",
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\ndtype\n(I0\ntS'b'\ntR.",
        b"cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(S'O8'\ntRS'AAAAAAAA'\ntR.",
        b"c_codecs\nencode\n(Va\nS'zlib'\ntR.",
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"cfunkeras.datasets.unpickle\nnp.load\n(S'x'\ntR.",
        b"P1\n.",
        b"text",
        b"",
    ],
)
def test_everything_else_is_refused(tmp_path, content):
    (tmp_path / "p").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        header = (
            b"\x93NUMPY\x01\x00\x46\x00"
            + b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(69)
            + b"\n"
        )
        archive.writestr("x.npy", header + content)
    for load, name in ((load_pickle, "p"), (load_npz, "a.npz")):
        with pytest.raises(ValueError, match=re.escape(str(tmp_path / name))):
            load(tmp_path / name)
    assert not os.path.exists("/tmp/funkeras-evil")


def test_missing_files_are_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_npz(tmp_path / "a.npz")
