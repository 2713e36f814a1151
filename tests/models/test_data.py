"""Data from everywhere trains as arrays do, and bad data is told of by its batch."""

import itertools
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import sparse

from funkeras import config
from funkeras.callbacks import Callback
from funkeras.layers import Dense
from funkeras.models import Sequential, checking, data
from funkeras.utils.io_utils import HDF5Matrix
from funkeras.utils.sequences import Sequence

RNG = np.random.default_rng(0)
X = RNG.standard_normal((22, 3)).astype("float32")
Y = RNG.standard_normal((22, 2)).astype("float32")
SIZE = 4
STEPS = 6


def small() -> Sequential:
    np.random.seed(7)
    model = Sequential([Dense(2, input_dim=3, activation="tanh")])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


def parts() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for start in range(0, len(X), SIZE):
        yield X[start : start + SIZE], Y[start : start + SIZE]


def forever() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    while True:
        yield from parts()


class Numbered(Sequence):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ends = 0

    def __len__(self) -> int:
        return STEPS

    def __getitem__(self, index: int) -> Any:
        rows = slice(index * SIZE, (index + 1) * SIZE)
        return X[rows], Y[rows]

    def on_epoch_end(self) -> None:
        self.ends += 1


class Endless(Numbered):
    """A `Sequence` that never ends, as a `PyDataset` may."""

    num_batches = None

    def __getitem__(self, index: int) -> Any:
        return super().__getitem__(index % STEPS)


class Loader:
    """Batches as lists, again and again: what torch, tf.data and grain have in common."""

    def __init__(self, wrap: Callable[[np.ndarray], Any]) -> None:
        self.wrap = wrap

    def __iter__(self) -> Iterator[Any]:
        for x, y in parts():
            yield [self.wrap(x), self.wrap(y)]


class Tensor:
    """What is needed of a torch tensor."""

    dtype = "torch.float32"

    def __init__(self, array: np.ndarray) -> None:
        self.array = array
        self.shape = array.shape

    def detach(self) -> "Tensor":
        return self

    def cpu(self) -> "Tensor":
        return self

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.asarray(self.array, dtype)


class Frame:
    """What is needed of a pandas table."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def to_numpy(self) -> np.ndarray:
        return self.array


def close(first: list[np.ndarray], second: list[np.ndarray]) -> None:
    for a, b in zip(first, second, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


@pytest.fixture(scope="module")
def expected() -> tuple[list[np.ndarray], dict[str, list[float]], list[float]]:
    """Two epochs over resident arrays, in their order."""
    model = small()
    history = model.fit(X, Y, batch_size=SIZE, epochs=2, shuffle=False, verbose=0).history
    return model.get_weights(), history, model.evaluate(X, Y, batch_size=SIZE)


def test_arrays_train_by_gradient_descent_in_their_order() -> None:
    model = Sequential([Dense(2, input_dim=3, use_bias=False)])
    model.compile("sgd", "mse")
    model.optimizer.learning_rate = 0.1
    w = model.get_weights()[0].astype("float64")
    for x, y in parts():
        w -= 0.1 * 2 * x.T @ (x @ w - y) / y.size
    model.fit(X, Y, batch_size=SIZE, epochs=1, shuffle=False, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], w, rtol=1e-5, atol=1e-6)


SOURCES: dict[str, tuple[Callable[[], Any], dict[str, Any]]] = {
    "a generator": (forever, {"steps_per_epoch": STEPS}),
    "a generator without a thread": (forever, {"steps_per_epoch": STEPS, "workers": 0}),
    "a sequence": (Numbered, {}),
    "a sequence and its steps": (Numbered, {"steps_per_epoch": STEPS}),
    "a sequence with four workers": (lambda: Numbered(workers=4), {}),
    "a sequence without an end": (Endless, {"steps_per_epoch": STEPS}),
    "a loader of tensors": (lambda: Loader(Tensor), {}),
    "a loader of jax arrays": (lambda: Loader(jnp.asarray), {}),
    "a loader that begins again": (lambda: Loader(np.asarray), {"steps_per_epoch": STEPS}),
    "dicts by name": (
        lambda: (({"dense_1_input": x}, {"dense_1": y}) for x, y in forever()),
        {"steps_per_epoch": STEPS},
    ),
    "weights of one": (
        lambda: ((x, y, np.ones(len(x))) for x, y in forever()),
        {"steps_per_epoch": STEPS},
    ),
}


@pytest.mark.parametrize("name", SOURCES)
def test_batches_from_anywhere_train_as_arrays_do(name: str, expected: Any) -> None:
    from funkeras.layers.layer import reset_names

    reset_names()
    source, options = SOURCES[name]
    model = small()
    run = model.fit(source(), epochs=2, shuffle=False, verbose=0, **options)
    close(model.get_weights(), expected[0])
    for key, values in expected[1].items():
        np.testing.assert_allclose(run.history[key], values, rtol=1e-5)


@pytest.mark.parametrize(
    "wrap",
    [np.asarray, jnp.asarray, Frame, Tensor, lambda a: a.tolist(), sparse.coo_array],
)
def test_arrays_of_other_libraries_train_as_numpy_s(wrap: Any, expected: Any) -> None:
    model = small()
    model.fit(wrap(X), wrap(Y), batch_size=SIZE, epochs=2, shuffle=False, verbose=0)
    close(model.get_weights(), expected[0])
    np.testing.assert_allclose(model.predict(wrap(X)), model.predict(X), rtol=1e-6)


def torch_loader() -> Any:
    torch = pytest.importorskip("torch")
    tensors = torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y))
    return torch.utils.data.DataLoader(tensors, SIZE)


def torch_stream() -> Any:
    """A loader that does not know its length."""
    torch = pytest.importorskip("torch")

    class Rows(torch.utils.data.IterableDataset):
        def __iter__(self) -> Iterator[Any]:
            return iter(zip(torch.from_numpy(X), torch.from_numpy(Y), strict=True))

    return torch.utils.data.DataLoader(Rows(), SIZE)


def tf_data() -> Any:
    tensorflow = pytest.importorskip("tensorflow")
    return tensorflow.data.Dataset.from_tensor_slices((X, Y)).batch(SIZE)


def grain_dataset() -> Any:
    grain = pytest.importorskip("grain")
    rows = grain.MapDataset.source(list(zip(X, Y, strict=True)))
    return rows.batch(SIZE)


def genuine_sequence() -> Any:
    keras = pytest.importorskip("keras")
    members = {name: vars(Numbered)[name] for name in ("__len__", "__getitem__")}
    return type("Numbers", (keras.utils.PyDataset,), members)()


LIBRARIES = [torch_loader, torch_stream, tf_data, grain_dataset, genuine_sequence]


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda made: made.__name__)
def test_loaders_of_the_libraries_themselves(library: Any, expected: Any) -> None:
    model = small()
    model.fit(library(), epochs=2, shuffle=False, verbose=0)
    close(model.get_weights(), expected[0])
    np.testing.assert_allclose(model.evaluate(library()), expected[2], rtol=1e-5)
    np.testing.assert_allclose(model.predict(library()), model.predict(X), rtol=1e-5, atol=1e-6)


def test_pandas_and_torch_themselves(expected: Any) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, index=range(100, 122))
    for x in (frame, frame.convert_dtypes()):
        model = small()
        y = pandas.DataFrame(Y)
        model.fit(x, y, batch_size=SIZE, epochs=2, shuffle=False, verbose=0)
        close(model.get_weights(), expected[0])
    series = pandas.Series(Y[:, 0], index=range(22, 44))
    np.testing.assert_array_equal(checking.arrays(series, ["y"], "y")[0], Y[:, 0])
    missing = pandas.DataFrame({"a": pandas.array([1, None]), "b": [2.0, 3.0]})
    np.testing.assert_array_equal(checking.arrays(missing, ["x"], "x")[0], [[1, 2], [np.nan, 3]])
    with pytest.raises(TypeError, match="must hold numbers, got dtype"):
        checking.arrays(pandas.DataFrame({"a": ["text"]}), ["x"], "x")
    torch = pytest.importorskip("torch")
    low = torch.from_numpy(X).bfloat16().requires_grad_()
    np.testing.assert_allclose(checking.arrays(low, ["x"], "x")[0], X, rtol=2**-8)


LARGE = 3_000_000_000
DTYPES: dict[str, tuple[np.ndarray, str]] = {
    "float64": (np.array([1.5, 1e30]), "float32"),
    "long double": (np.array([1.5], np.longdouble), "float32"),
    "the other byte order": (np.array([1.5, -2], ">f4"), "float32"),
    "words of the other byte order": (np.array([1, -2], ">i2"), "int16"),
    "int64": (np.array([-5, 2**31 - 1]), "int32"),
    "int64 beyond 32 bits": (np.array([-5, LARGE]), "float32"),
    "uint64": (np.array([7], "uint64"), "int32"),
    "uint64 beyond 63 bits": (np.array([2**63], "uint64"), "float32"),
    "no rows": (np.zeros((0, 2), int), "int32"),
    "bytes": (np.array([200], "uint8"), "uint8"),
    "truth values": (np.array([True]), "bool"),
}


@pytest.mark.parametrize("case", DTYPES)
def test_numbers_keep_their_value_on_the_way_to_the_device(case: str) -> None:
    given, dtype = DTYPES[case]
    found = checking.arrays([given], ["x"], "x")[0]
    assert found.dtype == dtype
    assert found.dtype.isnative
    np.testing.assert_array_equal(found, given.astype(dtype))
    np.testing.assert_array_equal(jnp.asarray(found), given.astype(dtype))


def test_numbers_on_disk_keep_their_value_too(tmp_path: Path) -> None:
    for dtype in (">f8", "<f8"):
        x = np.memmap(tmp_path / "x", dtype, "w+", shape=X.shape)
        x[:] = X
        model = small()
        y = model.predict(X)
        np.testing.assert_allclose(model.predict(x), y, rtol=1e-6)
        np.testing.assert_allclose(model.predict(x[:1]), y[:1], rtol=1e-6)
    large = np.memmap(tmp_path / "y", "int64", "w+", shape=(4,))
    large[:] = LARGE
    batch = data.take(checking.as_batch([large]), np.array([3, 0]))
    np.testing.assert_array_equal(batch.x[0], [LARGE, LARGE])


def test_weights_of_samples_may_be_given_for_some_outputs() -> None:
    names, ones = ["a", "b"], np.ones(3, "float32")
    for given, present in (
        ({"b": ones}, [False, True]),
        ([ones, None], [True, False]),
        ((None, ones), [False, True]),
        (ones, [True, True]),
        ([1, 1, 1], [True, True]),
        ([[1, 1, 1], [1, 1, 1]], [True, True]),
    ):
        found = checking.weight_arrays(given, names)
        assert [part is not None for part in found] == present
        assert all(part is None or part.tolist() == [1, 1, 1] for part in found)
    with pytest.raises(ValueError, match=r"names the outputs \['c'\]"):
        checking.weight_arrays({"c": ones}, names)
    with pytest.raises(ValueError, match="expected 2 arrays as sample_weight"):
        checking.weight_arrays([ones, ones, ones], names)


def test_masked_arrays_have_to_be_filled() -> None:
    with pytest.raises(TypeError, match="is a masked array: fill it"):
        checking.arrays(np.ma.array(X), ["x"], "x")


def test_generators_evaluate_and_predict_as_arrays_do(expected: Any) -> None:
    model = small()
    model.set_weights(expected[0])
    np.testing.assert_allclose(model.evaluate(X, Y), expected[2], rtol=1e-5)
    for result in (
        model.evaluate_generator(forever(), steps=STEPS),
        model.evaluate_generator(Numbered()),
        model.evaluate(forever(), steps=STEPS),
        model.evaluate_generator(forever(), val_samples=22),
    ):
        np.testing.assert_allclose(result, expected[2], rtol=1e-5)
    for y in (
        model.predict_generator(forever(), steps=STEPS),
        model.predict_generator((x for x, _ in parts()), val_samples=22),
        model.predict_generator(Numbered(), workers=3),
        model.predict(Loader(np.asarray)),
        model.predict(X, steps=STEPS, batch_size=SIZE),
    ):
        np.testing.assert_allclose(y, model.predict(X), rtol=1e-5, atol=1e-7)


class Pulled:
    """A generator that counts what is taken from it."""

    def __init__(self) -> None:
        self.count = 0
        self.source = forever()

    def __iter__(self) -> "Pulled":
        return self

    def __next__(self) -> Any:
        self.count += 1
        return next(self.source)


COUNTING: dict[str, tuple[tuple[Any, ...], dict[str, Any], str, int]] = {
    "samples of Keras 1": ((), {"samples_per_epoch": 10, "nb_epoch": 2}, "classic", 6),
    "samples by position": ((10, 2), {}, "classic", 6),
    "batches by position in Keras 2": ((3, 2), {}, "keras2", 6),
    "batches by position beside a word of Keras 2": ((3,), {"epochs": 2}, "classic", 6),
    "batches": ((), {"steps_per_epoch": 3, "epochs": 2}, "classic", 6),
}


@pytest.mark.parametrize("case", COUNTING)
def test_an_epoch_is_counted_as_its_generation_counts(case: str) -> None:
    args, kwargs, dialect, pulled = COUNTING[case]
    with config.using_dialect(dialect):
        source = Pulled()
        run = small().fit_generator(source, *args, verbose=0, **kwargs)
    assert source.count == pulled  # not one batch more, though they are fetched early
    assert run.epoch == [0, 1]


def test_validation_data_may_come_in_batches_too(expected: Any) -> None:
    model = small()
    run = model.fit_generator(
        forever(),
        steps_per_epoch=STEPS,
        epochs=2,
        verbose=0,
        validation_data=forever(),
        validation_steps=STEPS,
    )
    np.testing.assert_allclose(run.history["val_loss"][-1], expected[2][0], rtol=1e-5)
    run = small().fit_generator(
        forever(), 22, 2, verbose=0, validation_data=forever(), nb_val_samples=22
    )
    np.testing.assert_allclose(run.history["val_loss"][-1], expected[2][0], rtol=1e-5)


def test_in_keras_3_batches_are_counted_and_numbers_are_in_order(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with config.using_dialect("modern"):
        model = Sequential([Dense(2, input_dim=3)])
        model.compile("sgd", "mse", metrics=["accuracy"])
        model.fit(X, Y, batch_size=SIZE, verbose=2)
        model.predict(X, batch_size=SIZE, verbose=1)
    _, line, bar = capsys.readouterr().out.splitlines()
    assert re.fullmatch(rf"{STEPS}/{STEPS} - \d+s - .*/step - accuracy: .* - loss: .*", line)
    assert re.fullmatch(rf"{STEPS}/{STEPS} ━+ \d+s \S+/step", bar)


def test_what_a_pass_shows_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    model = small()
    quiet = model.evaluate(X, Y, batch_size=SIZE), model.predict(X, batch_size=SIZE)
    assert not capsys.readouterr().out
    loud = model.evaluate(X, Y, SIZE, verbose=1), model.predict(X, SIZE, verbose=2)
    assert loud[0] == quiet[0]
    np.testing.assert_array_equal(loud[1], quiet[1])
    bar, line = capsys.readouterr().out.splitlines()
    assert bar.startswith("22/22 [==============================]")
    assert f"loss: {quiet[0][0]:.4f}" in bar
    assert line.startswith("22/22 - ")
    model.predict_generator(Numbered(), verbose=1)
    model.evaluate_generator(forever(), steps=STEPS, verbose=1)
    assert [text.split()[0] for text in capsys.readouterr().out.splitlines()] == ["6/6", "6/6"]


def test_a_generator_may_use_its_memory_again(expected: Any) -> None:
    def reusing() -> Iterator[Any]:
        for x, y in forever():
            memory[0][: len(x)], memory[1][: len(x)] = x, y
            yield memory[0][: len(x)], memory[1][: len(x)]

    memory = np.empty_like(X[:SIZE]), np.empty_like(Y[:SIZE])
    model = small()
    model.fit(reusing(), steps_per_epoch=STEPS, epochs=2, verbose=0)
    close(model.get_weights(), expected[0])


def test_a_sequence_hears_of_every_epoch_and_is_shuffled_by_batches() -> None:
    source = Numbered()
    small().fit_generator(source, epochs=3, verbose=0)
    assert source.ends == 3


def test_an_unbuilt_model_takes_its_shape_from_the_first_batch() -> None:
    model = Sequential([Dense(2)])
    model.compile("sgd", "mse")
    source = Pulled()
    model.fit(source, steps_per_epoch=2, epochs=1, verbose=0)
    assert [w.shape for w in model.get_weights()] == [(3, 2), (2,)]
    assert source.count == 2


def test_steps_of_arrays_go_on_in_the_next_epoch() -> None:
    """22 rows in batches of 4, 4 steps an epoch: the third epoch begins at the third batch."""
    model, other = small(), small()
    model.fit(X, Y, batch_size=SIZE, steps_per_epoch=4, epochs=2, shuffle=False, verbose=0)
    for x, y in [*parts(), *list(parts())[:2]]:
        other.train_on_batch(x, y)
    close(model.get_weights(), other.get_weights())


# Data that do not fit into memory


def on_disk(folder: Path, kind: str) -> tuple[Any, Any]:
    if kind == "memmap":
        x = np.memmap(folder / "x", "float32", "w+", shape=X.shape)
        x[:] = X
        return x, Y
    with h5py.File(folder / "data.h5", "w") as file:
        file["x"], file["y"] = np.concatenate([X[:5], X]), Y
    return HDF5Matrix(folder / "data.h5", "x", start=5), HDF5Matrix(folder / "data.h5", "y")


@pytest.mark.parametrize("kind", ["memmap", "hdf5"])
@pytest.mark.parametrize("shuffle", [False, True, "batch"])
def test_streamed_training_equals_resident_training(
    kind: str, shuffle: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "CHUNK_BYTES", 2 * SIZE * 20)  # two batches in a chunk

    def run(x: Any, y: Any) -> tuple[list[np.ndarray], Any, Any]:
        model = small()
        np.random.seed(3)
        model.fit(x, y, batch_size=SIZE, epochs=3, shuffle=shuffle, verbose=0)
        return model.get_weights(), model.evaluate(x, y, batch_size=SIZE), model.predict(x)

    def run_held_out(x: Any, y: Any) -> Any:
        np.random.seed(3)
        return small().fit(x, y, SIZE, 2, 0, shuffle=shuffle, validation_split=0.4).history

    streamed, resident = run(*on_disk(tmp_path, kind)), run(X, Y)
    held = [run_held_out(*given) for given in (on_disk(tmp_path, kind), (X, Y))]
    for name, values in held[1].items():
        np.testing.assert_allclose(held[0][name], values, rtol=1e-6)
    close(streamed[0], resident[0])
    np.testing.assert_allclose(streamed[1], resident[1], rtol=1e-6)
    np.testing.assert_allclose(streamed[2], resident[2], rtol=1e-6)


def test_chunks_are_read_once_however_short_the_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "CHUNK_BYTES", 3 * SIZE * 20)
    reads = []
    take = data.take

    def reading(*args: Any) -> Any:
        reads.append(threading.current_thread())
        return take(*args)

    monkeypatch.setattr(data, "take", reading)

    class Watching(Callback):
        def on_batch_end(self, batch: int, logs: Any = None) -> None:
            pass

    x, _ = on_disk(tmp_path, "memmap")
    small().fit(x, Y, batch_size=SIZE, epochs=1, verbose=0, callbacks=[Watching()])
    assert len(reads) == 3  # two chunks of three batches hold five, then the last, smaller batch
    assert threading.main_thread() not in reads  # the next one comes while this one trains


LIMITED = """
import resource, sys, h5py, numpy as np
resource.setrlimit(resource.RLIMIT_DATA, (2 << 30, 2 << 30))
from funkeras.layers import Dense
from funkeras.models import Sequential
from funkeras.utils.io_utils import HDF5Matrix
folder, rows, width = sys.argv[1], 3 << 18, 1024  # 3 GiB of float32, most of them zeros
first = np.arange(width, dtype="float32")
x = np.memmap(folder + "/x", "float32", "w+", shape=(rows, width))
x[0] = first
with h5py.File(folder + "/x.h5", "w") as file:
    file.create_dataset("x", (rows, width), "float32", chunks=(1024, width))[0] = first
y = np.ones((rows, 1), "float32")
ends = []
for data in (x, HDF5Matrix(folder + "/x.h5", "x")):
    model = Sequential([Dense(1, input_dim=width, kernel_initializer="zeros")])
    model.compile("sgd", "mse")
    model.optimizer.learning_rate = 1e-9
    run = model.fit(data, y, batch_size=4096, epochs=1, shuffle=False, verbose=0)
    ends.append((run.history["loss"], model.get_weights()[0].sum()))
assert ends[0] == ends[1], ends
try:
    np.array(x)
except MemoryError:
    print("larger than memory", ends[0][0][0])
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs a limit of memory")
def test_data_larger_than_memory_trains(tmp_path: Path) -> None:
    """The process may take two thirds of what the data need."""
    root = Path(__file__).parents[2]
    paths = os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])
    ran = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    said, loss = ran.stdout.rsplit(maxsplit=1)
    assert said == "larger than memory"
    np.testing.assert_allclose(float(loss), 1.0, rtol=1e-2)  # of predictions that are nearly 0


def test_rows_of_an_hdf5_file(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["x"] = X
    rows = HDF5Matrix(tmp_path / "data.h5", "x", 2, -3, normalizer=lambda a: a * 2)
    inside = X[2:-3] * 2
    assert (rows.shape, rows.dtype, len(rows), rows.ndim) == (inside.shape, X.dtype, 17, 2)
    for key in (3, -1, slice(2, 9), slice(None, None, -2), [5, 1, 1, -2], np.arange(17) % 2 == 0):
        np.testing.assert_array_equal(rows[key], inside[key])
    np.testing.assert_array_equal(np.asarray(rows), inside)
    with pytest.raises(IndexError, match="row 17 of 17"):
        rows[17]
    with pytest.raises(ValueError, match="no dataset 'z'; it has x"):
        HDF5Matrix(tmp_path / "data.h5", "z")


# What goes wrong


def ending() -> Iterator[Any]:
    yield from list(parts())[:3]


def failing() -> Iterator[Any]:
    yield from list(parts())[:2]
    raise OSError("the disk is gone")


def wrong(item: Any) -> Callable[[], Iterator[Any]]:
    def source() -> Iterator[Any]:
        yield from list(parts())[:2]
        yield item

    return source


BAD: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "it ends": (ending, ValueError, "ended before batch 3 .* needs 6 batches and got 3 batches"),
    "it fails": (failing, OSError, "the disk is gone"),
    "four things": (wrong((X, Y, Y, Y)), ValueError, "must be .* got a tuple of 4"),
    "one thing": (wrong(X), ValueError, "got a ndarray"),
    "another shape": (wrong((X[:, :2], Y)), ValueError, r"shape \(None, 3\)"),
    "another count": (wrong((X, Y[:4])), ValueError, "x has 22, y has 4"),
    "text": (wrong((np.array([["a"] * 3]), Y[:1])), TypeError, "must hold numbers"),
}


GOOD_FOR_PREDICT = ("one thing", "another count")
"""What stands beside the inputs does not matter to `predict`."""

FAILURES = [
    (action, case)
    for action in ("fit", "evaluate", "predict")
    for case in BAD
    if action != "predict" or case not in GOOD_FOR_PREDICT
]


@pytest.mark.parametrize(("action", "case"), FAILURES)
def test_bad_batches_are_told_of_and_leave_a_model_that_works(case: str, action: str) -> None:
    source, error, message = BAD[case]
    model = small()
    before = threading.active_count()
    run = {
        "fit": lambda: model.fit(source(), steps_per_epoch=STEPS, epochs=1, verbose=0),
        "evaluate": lambda: model.evaluate(source(), steps=STEPS),
        "predict": lambda: model.predict(source(), steps=STEPS),
    }
    with pytest.raises(error, match=message) as caught:
        run[action]()
    batch = 3 if case == "it ends" else 2
    assert any(f"in batch {batch} (from 0)" in note for note in caught.value.__notes__)
    assert threading.active_count() == before
    trained = small()
    for x, y in list(parts())[:batch] if action == "fit" else []:
        trained.train_on_batch(x, y)
    close(model.get_weights(), trained.get_weights())
    model.fit(X, Y, epochs=1, verbose=0)
    assert np.isfinite(model.evaluate(X, Y)[0])


def test_bad_batches_to_validate_on_are_told_of_as_such() -> None:
    def source() -> Iterator[Any]:
        yield from list(parts())[:2]
        raise OSError("the disk is gone")

    model, trained = small(), small()
    with pytest.raises(OSError, match="the disk is gone") as caught:
        model.fit(
            *(X, Y, SIZE, 1, 0),
            shuffle=False,
            validation_data=source(),
            validation_steps=STEPS,
        )
    assert caught.value.__notes__ == ["in batch 2 (from 0) of the validation data, epoch 1"]
    trained.fit(X, Y, SIZE, 1, 0, shuffle=False)
    close(model.get_weights(), trained.get_weights())
    np.testing.assert_allclose(model.evaluate(X, Y), trained.evaluate(X, Y), rtol=1e-6)


def test_a_generator_that_is_used_up_has_no_second_epoch() -> None:
    with pytest.raises(ValueError, match=r"ended before batch 0 .* of an epoch, which needs some"):
        small().fit(parts(), epochs=2, verbose=0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (lambda m: m.fit(forever(), Y), "y and sample_weight must be None"),
        (lambda m: m.fit(forever(), validation_split=0.5), "validation_split needs arrays"),
        (lambda m: m.fit(forever(), steps_per_epoch=0, epochs=1), "positive integer, got 0"),
        (lambda m: m.fit(X, Y, epochs=1.5), "epochs must be an integer of at least 0, got 1.5"),
        (lambda m: m.fit(X, Y, epochs=-1), "epochs must be an integer of at least 0, got -1"),
        (
            lambda m: m.fit_generator(forever(), samples_per_epoch=22, steps_per_epoch=6),
            "so many batches or so many samples",
        ),
        (lambda m: m.fit_generator(forever(), epochs=1), "give steps_per_epoch"),
        (lambda m: m.evaluate_generator(forever()), "may never end: give steps"),
        (lambda m: m.predict_generator(forever()), "may never end: give steps"),
        (lambda m: m.fit(X, Y, validation_data=forever()), "give validation_steps"),
        (lambda m: m.fit(Endless(), epochs=1), "has no end: give the number of steps"),
    ],
)
def test_what_batches_cannot_be_combined_with(given: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        given(small())


def test_a_generator_may_be_read_on_by_the_next_fit_or_another_model():
    def rows():
        for number in itertools.count():
            yield np.full((2, 3), 0.1 / (1 + number)), np.zeros((2, 1))

    first, second = rows(), rows()
    for _ in range(2):
        model = Sequential([Dense(1, input_shape=(3,))])
        model.compile("sgd", "mse")
        given = {"validation_data": second, "validation_steps": 1, "verbose": 0}
        model.fit(first, steps_per_epoch=2, epochs=1, **given)
        assert model.predict(second, steps=2).shape == (4, 1)
    assert 0 < next(first)[0].max() < 0.1
