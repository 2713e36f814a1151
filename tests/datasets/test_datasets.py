"""Every data set from a small file in its published format, laid into the cache by hand."""

import gzip
import hashlib
import inspect
import io
import json
import pickle
import re
import tarfile
import urllib.error
import urllib.request

import numpy as np
import pytest

from funkeras import config
from funkeras.datasets import (
    boston_housing,
    california_housing,
    cifar,
    cifar10,
    cifar100,
    fashion_mnist,
    imdb,
    mnist,
    reuters,
)


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    folder = tmp_path / "datasets"
    folder.mkdir()
    return folder


def accept(monkeypatch, module, path, name="SHA256", kind=hashlib.sha256):
    monkeypatch.setattr(module, name, kind(path.read_bytes()).hexdigest())


def objects(lists):
    array = np.empty(len(lists), object)
    array[:] = lists
    return array


@pytest.mark.parametrize("path", ["mnist.npz", "mnist.pkl.gz"])
def test_mnist(cache, monkeypatch, path):
    data = {
        name: np.arange(4, dtype=np.uint8) for name in ("x_train", "y_train", "x_test", "y_test")
    }
    np.savez(cache / "mnist.npz", **data)
    accept(monkeypatch, mnist, cache / "mnist.npz")
    (x, y), (x_test, y_test) = mnist.load_data(path)
    for array in (x, y, x_test, y_test):
        np.testing.assert_array_equal(array, np.arange(4))


def test_fashion_mnist(cache):
    folder = cache / "fashion-mnist"
    folder.mkdir()
    for part, count in (("train", 3), ("t10k", 2)):
        images = np.arange(count * 784).astype(np.uint8).reshape(count, 28, 28)
        for name, magic, array in (
            ("images-idx3", b"\0\0\x08\x03", images),
            ("labels-idx1", b"\0\0\x08\x01", np.arange(count, dtype=np.uint8)),
        ):
            content = magic + np.array(array.shape, ">u4").tobytes() + array.tobytes()
            (folder / f"{part}-{name}-ubyte.gz").write_bytes(gzip.compress(content))
    (x, y), (x_test, y_test) = fashion_mnist.load_data()
    assert x.shape == (3, 28, 28)
    assert x_test.shape == (2, 28, 28)
    assert x[2, 27, 27] == (3 * 784 - 1) % 256
    np.testing.assert_array_equal(y, [0, 1, 2])
    np.testing.assert_array_equal(y_test, [0, 1])
    path = folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ValueError, match=r"train-images.* is damaged"):
        fashion_mnist.load_data()
    path.write_bytes(gzip.compress(b"\0\0\x08\x01\0\0\0\x09short"))
    with pytest.raises(ValueError, match=r"train-images.* is not an IDX file"):
        fashion_mnist.load_data()


def write_cifar(path, folder, batches):
    with tarfile.open(path, "w:gz") as tar:
        for name, content in batches.items():
            data = pickle.dumps(content, 2)
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
def test_cifar10(cache, monkeypatch, data_format):
    images = {
        name: np.random.RandomState(i).randint(0, 256, (2, 3072)).astype(np.uint8)
        for i, name in enumerate([*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"])
    }
    batches = {
        name: {b"data": array, b"labels": [i, 9]} for i, (name, array) in enumerate(images.items())
    }
    path = cache / "cifar-10-batches-py.tar.gz"
    write_cifar(path, "cifar-10-batches-py", batches)
    accept(monkeypatch, cifar10, path)
    monkeypatch.setattr(config.settings._settings, "image_data_format", data_format)
    (x, y), (x_test, y_test) = cifar10.load_data()
    np.testing.assert_array_equal(y.ravel(), [0, 9, 1, 9, 2, 9, 3, 9, 4, 9])
    assert y_test.tolist() == [[5], [9]]
    assert x.dtype == y.dtype == np.uint8
    first = x if data_format == "channels_first" else x.transpose(0, 3, 1, 2)
    assert x_test.shape[-1] == (32 if data_format == "channels_first" else 3)
    assert first[2].tobytes() == images["data_batch_2"][0].tobytes()


@pytest.mark.parametrize("label_mode", ["fine", "coarse"])
def test_cifar100(cache, monkeypatch, label_mode):
    images = np.zeros((2, 3072), np.uint8)
    batch = {b"data": images, b"fine_labels": [99, 1], b"coarse_labels": [19, 0]}
    path = cache / "cifar-100-python.tar.gz"
    write_cifar(path, "cifar-100-python", {"train": batch, "test": batch})
    accept(monkeypatch, cifar100, path)
    (_, y), (x_test, _) = cifar100.load_data(label_mode=label_mode)
    assert y.tolist() == ([[99], [1]] if label_mode == "fine" else [[19], [0]])
    assert x_test.shape == (2, 32, 32, 3)
    with pytest.raises(ValueError, match="label_mode must be fine or coarse; got 'all'"):
        cifar100.load_data("all")


def test_cifar_without_a_batch_or_with_another_content(cache, monkeypatch):
    path = cache / "cifar-100-python.tar.gz"
    write_cifar(path, "cifar-100-python", {"train": {b"data": 1}})
    accept(monkeypatch, cifar100, path)
    with pytest.raises(ValueError, match="no CIFAR batch with 'data' and 'fine_labels'"):
        cifar100.load_data()
    write_cifar(path, "cifar-100-python", {"readme": []})
    accept(monkeypatch, cifar100, path)
    with pytest.raises(ValueError, match=r"cifar-100-python\.tar\.gz lacks test, train"):
        cifar100.load_data()
    path.write_bytes(path.read_bytes()[:50])
    accept(monkeypatch, cifar100, path)
    with pytest.raises(ValueError, match="is damaged"):
        cifar100.load_data()


def test_one_batch_of_cifar(tmp_path):
    content = {b"data": np.zeros((2, 3072), np.uint8), b"labels": [4, 2]}
    (tmp_path / "batch").write_bytes(pickle.dumps(content, 2))
    images, labels = cifar.load_batch(tmp_path / "batch")
    assert images.shape == (2, 3, 32, 32)
    assert labels == [4, 2]


TEXTS = [[1, 2, 3], [4, 5], [6], [7, 8, 9, 10], [11]]


@pytest.fixture
def reviews(cache, monkeypatch):
    np.savez(
        cache / "imdb.npz",
        x_train=objects(TEXTS),
        y_train=np.arange(5),
        x_test=objects(TEXTS[:3]),
        y_test=np.arange(3),
    )
    accept(monkeypatch, imdb, cache / "imdb.npz")


def test_imdb_order_is_that_of_keras(reviews):
    """Keras seeds once and shuffles the training part, then the test part."""
    random = np.random.RandomState(113)
    orders = [np.arange(5), np.arange(3)]
    for order in orders:
        random.shuffle(order)
    (x, y), (x_test, y_test) = imdb.load_data()
    np.testing.assert_array_equal(y, orders[0])
    np.testing.assert_array_equal(y_test, orders[1])
    limit = 14  # the greatest word is outside
    expected = [[1, *(w + 3 if w + 3 < limit else 2 for w in TEXTS[i])] for i in orders[0]]
    assert x.tolist() == expected
    assert x.dtype == object
    assert len(x_test) == 3


@pytest.mark.parametrize("name", ["num_words", "nb_words"])
def test_imdb_rare_and_frequent_words_are_marked(reviews, name):
    (x, y), _ = imdb.load_data("imdb.npz", **{name: 9}, skip_top=5)
    got = dict(zip(y.tolist(), x.tolist(), strict=True))
    assert got == {0: [2, 2, 5, 6], 1: [2, 7, 8], 2: [2, 2], 3: [2, 2, 2, 2, 2], 4: [2, 2]}
    with pytest.raises(TypeError, match="num_wrds"):
        imdb.load_data(num_wrds=9)


def test_imdb_words_can_be_dropped_and_long_texts_left_out(reviews):
    (x, y), (_, y_test) = imdb.load_data(
        num_words=6, start_char=None, oov_char=None, index_from=0, maxlen=3
    )
    got = dict(zip(y.tolist(), x.tolist(), strict=True))
    assert got == {1: [4, 5], 2: [], 4: []}
    assert sorted(y_test) == [1, 2]
    with pytest.raises(ValueError, match="maxlen=2 leaves no text; the shortest has 2"):
        imdb.load_data(maxlen=2)


def test_texts_of_one_length_stay_lists(cache, monkeypatch):
    np.savez(cache / "reuters.npz", x=objects([[1, 2]] * 5), y=np.arange(5))
    accept(monkeypatch, reuters, cache / "reuters.npz")
    (x, y), (x_test, y_test) = reuters.load_data(test_split=0.4)
    assert x.shape == (3,)
    assert x[0] == [1, 4, 2]
    order = np.arange(5)
    np.random.RandomState(113).shuffle(order)
    np.testing.assert_array_equal(np.r_[y, y_test], order)
    assert x_test.shape == (2,)


@pytest.mark.parametrize("module", [imdb, reuters])
def test_word_index(cache, monkeypatch, module):
    name = f"{module.__name__.rpartition('.')[2]}_word_index"
    (cache / f"{name}.json").write_text(json.dumps({"the": 1, "é": 2}))
    accept(monkeypatch, module, cache / f"{name}.json", "WORDS_MD5", hashlib.md5)
    assert module.get_word_index() == {"the": 1, "é": 2}
    assert module.get_word_index(f"{name}.pkl") == {"the": 1, "é": 2}


def test_topics():
    names = reuters.get_label_names()
    assert len(names) == len(set(names)) == 46
    assert names[3:5] == ("earn", "acq")


@pytest.mark.parametrize("module", [boston_housing, california_housing])
def test_houses_are_shuffled_by_the_seed(cache, monkeypatch, module):
    path = cache / f"{module.__name__.rpartition('.')[2]}.npz"
    np.savez(path, x=np.arange(20.0).reshape(10, 2), y=np.arange(10.0))
    accept(monkeypatch, module, path)
    (x, y), (x_test, y_test) = module.load_data(test_split=0.3, seed=7)
    order = np.arange(10)
    np.random.RandomState(7).shuffle(order)
    np.testing.assert_array_equal(np.r_[y, y_test], order)
    np.testing.assert_array_equal(x[:, 0], 2 * y)
    assert x_test.shape == (3, 2)
    with pytest.raises(ValueError, match=r"test_split must be in \[0, 1\), got 1"):
        module.load_data(test_split=1)


def test_houses_of_california_come_in_two_sizes(cache, monkeypatch):
    path = cache / "california_housing.npz"
    np.savez(path, x=np.zeros((700, 8)), y=np.zeros(700))
    accept(monkeypatch, california_housing, path)
    (x, _), (x_test, _) = california_housing.load_data("small")
    assert len(x) + len(x_test) == 600
    assert len(california_housing.load_data()[0][0]) == 560
    with pytest.raises(ValueError, match="version must be large or small; got 'big'"):
        california_housing.load_data("big")


def test_other_files_are_not_taken(cache, monkeypatch):
    (cache / "boston_housing.npz").write_bytes(b"no archive")
    accept(monkeypatch, boston_housing, cache / "boston_housing.npz")
    with pytest.raises(ValueError, match=r"boston_housing\.npz is not a data set as published"):
        boston_housing.load_data()


@pytest.mark.parametrize(
    ("load", "file", "stand_in"),
    [
        (mnist.load_data, "mnist.npz", "mnist_5k"),
        (fashion_mnist.load_data, "train-images-idx3-ubyte.gz", "mnist_5k"),
        (cifar10.load_data, "cifar-10-batches-py.tar.gz", "mnist_5k"),
        (cifar100.load_data, "cifar-100-python.tar.gz", "mnist_5k"),
        (imdb.load_data, "imdb.npz", "movie_sentences"),
        (imdb.get_word_index, "imdb_word_index.json", "movie_sentences"),
        (reuters.load_data, "reuters.npz", "movie_sentences"),
        (boston_housing.load_data, "boston_housing.npz", None),
        (california_housing.load_data, "california_housing.npz", None),
    ],
)
def test_without_a_network_the_error_names_file_folder_and_stand_in(
    cache, monkeypatch, load, file, stand_in
):
    def refuse(request, timeout):
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    with pytest.raises(ConnectionError, match=rf"put the file {re.escape(file)} into") as raised:
        load()
    assert str(cache) in str(raised.value)
    assert re.findall(r"funkeras\.datasets\.(\w+)", str(raised.value)) == [stand_in] * bool(
        stand_in
    )


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
        (mnist.load_data, "path='mnist.npz'"),
        (cifar10.load_data, ""),
        (cifar100.load_data, "label_mode='fine'"),
        (fashion_mnist.load_data, ""),
        (boston_housing.load_data, "path='boston_housing.npz', test_split=0.2, seed=113"),
        (
            imdb.load_data,
            "path='imdb.npz', num_words=None, skip_top=0, maxlen=None, seed=113, start_char=1, "
            "oov_char=2, index_from=3",
        ),
        (
            reuters.load_data,
            "path='reuters.npz', num_words=None, skip_top=0, maxlen=None, test_split=0.2, "
            "seed=113, start_char=1, oov_char=2, index_from=3",
        ),
    ],
)
def test_signatures_are_those_of_keras(function, parameters):
    shown = str(inspect.signature(function)).partition(" ->")[0].strip("()")
    assert re.sub(r": [^=]+ = ", "=", shown) == parameters
