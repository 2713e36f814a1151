"""What the examples share: the command line and their data, one's own data too."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def common() -> ModuleType:
    spec = importlib.util.spec_from_file_location("examples_common", EXAMPLES / "common.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_of(common: ModuleType, monkeypatch: pytest.MonkeyPatch, *arguments: object):
    monkeypatch.setattr("sys.argv", ["example", *map(str, arguments)])
    return common.start("What it shows.", epochs=7)


def test_the_command_line_is_read(common, monkeypatch, tmp_path):
    run = run_of(common, monkeypatch)
    assert (run.epochs, run.seed, run.fast, run.data, run.out) == (7, 1337, False, None, None)
    run = run_of(common, monkeypatch, "--fast", "--seed", 3, "--out", tmp_path)
    assert (run.epochs, run.seed, run.fast, run.out) == (1, 3, True, tmp_path)
    assert run_of(common, monkeypatch, "--fast", "--epochs", 2).epochs == 2


def test_the_seed_fixes_all_generators(common, monkeypatch):
    def draws():
        run = run_of(common, monkeypatch, "--seed", 5)
        return np.random.random(), run.random().random(), int(run.key()._base_array[1])

    assert draws() == draws()
    assert draws()[2] == 5


def test_fast_takes_few(common, monkeypatch):
    rows, labels = np.arange(500), list(range(500))
    fast, whole = run_of(common, monkeypatch, "--fast"), run_of(common, monkeypatch)
    assert [len(part) for part in fast.few(rows, labels)] == [100, 100]
    assert [len(part) for part in whole.few(rows, labels)] == [500, 500]
    assert (fast.size(64, 8), whole.size(64, 8)) == (8, 64)


def test_pictures_and_texts_are_written_only_where_wanted(common, monkeypatch, tmp_path):
    def draw():
        raise AssertionError("nothing is drawn without --out")

    run = run_of(common, monkeypatch)
    run.picture("curves", draw)
    run.write("text.txt", "x")
    run = run_of(common, monkeypatch, "--out", tmp_path / "new" / "folder")
    run.write("text.txt", "In the beginning")
    assert (tmp_path / "new" / "folder" / "text.txt").read_text() == "In the beginning"


def test_digits_are_scaled(common, monkeypatch):
    (x, y), (x_test, y_test) = common.digits(run_of(common, monkeypatch))
    assert (x.shape, x_test.shape) == ((4000, 28, 28, 1), (1000, 28, 28, 1))
    assert (len(y), len(y_test), x.min(), x.max(), x.dtype) == (4000, 1000, 0, 1, "float32")


def test_digits_come_from_a_file_like_that_of_keras(common, monkeypatch, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (12, 28, 28), np.uint8)
    parts = {"x_train": images[:8], "x_test": images[8:], "y_train": range(8), "y_test": range(4)}
    np.savez(tmp_path / "own.npz", **parts)
    train, test = common.digits(run_of(common, monkeypatch, "--data", tmp_path / "own.npz"))
    np.testing.assert_allclose(train[0][..., 0], images[:8] / 255, rtol=1e-6)
    np.testing.assert_array_equal(test[1], range(4))


def test_sentences_praise_or_blame(common, monkeypatch):
    (texts, y), (test_texts, y_test) = common.sentences(run_of(common, monkeypatch))
    assert (len(texts), len(y), len(test_texts), len(y_test)) == (8058, 8058, 2014, 2014)
    assert set(y) == {0, 1}
    assert y[texts.index("An extraordinary dramatic experience.")] == 1


def test_sentences_come_from_a_text_file(common, monkeypatch, tmp_path):
    (tmp_path / "own.txt").write_text("".join(f"{n % 2}\tsentence {n}\n" for n in range(10)))
    run = run_of(common, monkeypatch, "--data", tmp_path / "own.txt")
    (texts, y), (test_texts, y_test) = common.sentences(run)
    assert (len(texts), test_texts) == (8, ("sentence 8", "sentence 9"))
    assert (list(y), list(y_test)) == ([0, 1] * 4, [0, 1])


def test_a_book_is_cut_at_a_twentieth(common, monkeypatch, tmp_path):
    assert [len(part) for part in common.book(run_of(common, monkeypatch))] == [770815, 44144]
    (tmp_path / "own.txt").write_text("abcdefghij" * 10, encoding="utf-8")
    train, test = common.book(run_of(common, monkeypatch, "--data", tmp_path / "own.txt"))
    assert (len(train), test) == (95, "fghij")
    assert [len(part) for part in common.end_apart(train)] == [90, 5]
