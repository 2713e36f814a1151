"""A run that was interrupted, by whatever, ends bit for bit as one that was not."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from funkeras import callbacks
from funkeras.callbacks import BackupAndRestore, Callback
from funkeras.callbacks.packing import pack, unpack
from funkeras.layers import BatchNormalization, Dense, Dropout, TimeDistributed
from funkeras.models import Sequential

RNG = np.random.default_rng(0)
X = RNG.standard_normal((22, 3)).astype("float32")
Y = RNG.standard_normal((22, 2)).astype("float32")
EPOCHS = 5
STEPS = 6


def build() -> Sequential:
    np.random.seed(11)
    model = Sequential(
        [
            Dense(4, input_dim=3),
            BatchNormalization(),
            Dropout(0.5),
            Dense(2, kernel_constraint="maxnorm"),
        ]
    )
    model.compile("adam", "mse", metrics=["mae"])
    return model


@pytest.fixture(scope="module", autouse=True)
def programs_are_compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Every run has the same programs."""
    options = {
        "jax_compilation_cache_dir": str(tmp_path_factory.getbasetemp()),
        "jax_persistent_cache_min_compile_time_secs": 0,
        "jax_persistent_cache_min_entry_size_bytes": -1,
    }
    before = {name: getattr(jax.config, name) for name in options}
    for name, value in options.items():
        jax.config.update(name, value)
    yield
    for name, value in before.items():
        jax.config.update(name, value)


class Killed(Exception):
    pass


class Kill(Callback):
    """Ends the run before a batch."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        if self.at == 0:
            raise Killed
        self.at -= 1


def watchers() -> list[Callback]:
    return [
        callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=0, min_delta=10),
        callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.9),
        callbacks.EarlyStopping("loss", patience=2, min_delta=-10, restore_best_weights=True),
    ]


def source() -> Iterator[Any]:
    np.random.seed(5)
    while True:
        for start in range(0, len(X), 4):
            noise = np.random.standard_normal(X[start : start + 4].shape)
            yield X[start : start + 4] + noise, Y[start : start + 4]


DATA: dict[str, Callable[[], tuple[tuple[Any, ...], dict[str, Any]]]] = {
    "arrays": lambda: ((X, Y), {"batch_size": 4, "validation_data": (X, Y)}),
    "a generator": lambda: ((source(),), {"steps_per_epoch": STEPS}),
}


def run(kind: str, *given: Callback) -> tuple[Sequential, dict[str, Any]]:
    args, options = DATA[kind]()
    model = build()
    listed = [*watchers(), *given]
    history = model.fit(*args, epochs=EPOCHS, verbose=0, callbacks=listed, **options)
    return model, history.history


def equal(first: Any, second: Any) -> None:
    for a, b in zip(first[0].get_weights(), second[0].get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert first[1] == second[1]
    one, other = first[0].optimizer, second[0].optimizer
    assert (one.iterations, one.values()) == (other.iterations, other.values())


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    return {kind: run(kind) for kind in DATA}


@pytest.mark.parametrize(
    ("kind", "freq"), [("arrays", "epoch"), ("arrays", 1), ("arrays", 4), ("a generator", 4)]
)
def test_a_run_goes_on_as_if_nothing_had_been(
    kind: str, freq: Any, tmp_path: Path, whole: dict[str, Any]
) -> None:
    for at in (3, 9):  # batches after each beginning, so that one run is killed twice
        with pytest.raises(Killed):
            run(kind, BackupAndRestore(tmp_path, save_freq=freq), Kill(at))
    equal(run(kind, BackupAndRestore(tmp_path, save_freq=freq)), whole[kind])
    assert not list(tmp_path.iterdir())


def test_a_finished_epoch_is_not_run_again(tmp_path: Path) -> None:
    begun: list[int] = []
    with pytest.raises(Killed):
        run("arrays", BackupAndRestore(tmp_path), Kill(2 * STEPS + 1))
    run(
        "arrays",
        BackupAndRestore(tmp_path, delete_checkpoint=False),
        callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: begun.append(epoch)),
    )
    assert begun == [2, 3]  # it is stopped early
    assert [path.name for path in tmp_path.iterdir()] == ["run.npz"]


def test_a_damaged_backup_is_told_of_or_replaced_by_the_one_before(
    tmp_path: Path, whole: dict[str, Any]
) -> None:
    with pytest.raises(Killed):
        run("arrays", BackupAndRestore(tmp_path, double_checkpoint=True), Kill(2 * STEPS + 1))
    path = tmp_path / "run.npz"
    path.write_bytes(path.read_bytes()[:-200])
    equal(run("arrays", BackupAndRestore(tmp_path, double_checkpoint=True)), whole["arrays"])
    path.write_bytes(b"no backup")
    with pytest.raises(ValueError, match="is no backup"):
        run("arrays", BackupAndRestore(tmp_path))


def test_a_backup_of_another_model_or_other_data_changes_nothing(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        run("arrays", BackupAndRestore(tmp_path), Kill(STEPS + 1))
    model = Sequential([Dense(2, input_dim=3)])
    model.compile("adam", "mse")
    before = model.get_weights()
    with pytest.raises(ValueError, match="backup is of another model: its parameters differ in"):
        model.fit(X, Y, epochs=1, verbose=0, callbacks=[BackupAndRestore(tmp_path)])
    np.testing.assert_array_equal(model.get_weights()[0], before[0])
    other = build()
    before = other.get_weights()
    with pytest.raises(ValueError, match="made with other data"):
        other.fit(X[:9], Y[:9], epochs=1, verbose=0, callbacks=[BackupAndRestore(tmp_path)])
    np.testing.assert_array_equal(other.get_weights()[0], before[0])


@pytest.mark.parametrize("freq", [0, -1, "day", True])
def test_how_often_to_save(freq: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="save_freq must be"):
        BackupAndRestore(tmp_path, save_freq=freq)
    with pytest.raises(ValueError, match="must name a folder"):
        BackupAndRestore("")


def test_plain_data_come_back_and_nothing_else_is_taken() -> None:
    import jax.numpy as jnp

    low = np.asarray(jnp.ones(3, "bfloat16"))
    value = {"a": [1, 2.5, None, True, "x", (float("inf"), {"b": np.arange(3)})], 4: low}
    again = unpack(pack(value))
    assert repr(again) == repr(value)
    assert again[4].dtype == low.dtype
    with pytest.raises(TypeError, match="cannot pack a function"):
        pack({"a": 1, "b": pack})
    with pytest.raises(TypeError, match="cannot pack a ndarray"):
        pack(np.array([{}]))


SCRIPT = """
import sys, time
sys.path.insert(0, {tests!r})
from test_callbacks_backup import *
class Slow(Callback):
    def on_train_begin(self, logs=None):
        print("begun", flush=True)
    def on_batch_end(self, batch, logs=None):
        print("batch", flush=True)
        time.sleep({pause})
model, history = run("arrays", BackupAndRestore({folder!r}, save_freq={freq!r}), Slow())
np.savez({out!r}, *model.get_weights(), loss=history["loss"])
"""


def start(folder: Path, freq: Any, pause: float) -> "subprocess.Popen[str]":
    tests = str(Path(__file__).parent)
    code = SCRIPT.format(
        tests=tests, folder=str(folder / "b"), freq=freq, pause=pause, out=str(folder / "end.npz")
    )
    paths = os.pathsep.join([str(Path(tests).parent), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": paths, "JAX_COMPILATION_CACHE_DIR": str(folder.parent)},
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_for(process: "subprocess.Popen[str]", batches: int) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    for _ in range(batches):
        assert process.stdout.readline() == "batch\n"


def ended(process: "subprocess.Popen[str]") -> int:
    assert process.stdout is not None
    process.stdout.read()
    process.stdout.close()
    return process.wait(timeout=120)


def check_end(folder: Path, whole: Any) -> None:
    model, history = whole
    with np.load(folder / "end.npz") as end:
        np.testing.assert_array_equal(end["loss"], history["loss"])
        for index, array in enumerate(model.get_weights()):
            np.testing.assert_array_equal(end[f"arr_{index}"], array)


def test_sigterm_saves_and_ends_and_sigkill_loses_little(
    tmp_path: Path, whole: dict[str, Any]
) -> None:
    process = start(tmp_path, False, 0.05)
    wait_for(process, 3)
    process.send_signal(signal.SIGTERM)
    assert ended(process) == -signal.SIGTERM
    with np.load(tmp_path / "b" / "run.npz") as saved:
        assert 3 <= unpack(dict(saved))["batch"] <= 5
    process = start(tmp_path, 1, 0.0)
    wait_for(process, 4)
    process.kill()
    assert ended(process) == -signal.SIGKILL
    assert ended(start(tmp_path, 1, 0.0)) == 0
    check_end(tmp_path, whole["arrays"])


@pytest.mark.slow
def test_fifty_kills_at_random_moments(tmp_path: Path, whole: dict[str, Any]) -> None:
    random, kills, ends = np.random.default_rng(1), 0, 0
    while kills < 50:
        process = start(tmp_path, [1, 3, "epoch"][kills % 3], 0.01)
        wait_for(process, 0)  # a run that goes on at its very end has no batch left
        time.sleep(random.uniform(0, 0.6))
        process.kill()
        if ended(process) == 0:  # it was faster: begin anew
            check_end(tmp_path, whole["arrays"])
            ends += 1
        else:
            kills += 1
    assert ends < 50
    assert ended(start(tmp_path, 1, 0.0)) == 0
    check_end(tmp_path, whole["arrays"])


@pytest.mark.parametrize("freq", ["epoch", 1])
def test_batch_normalization_within_time_distributed_goes_on_exactly(
    tmp_path: Path, freq: Any
) -> None:
    x, y = np.random.RandomState(0).rand(12, 3, 4), np.random.RandomState(1).rand(12, 3, 4)

    def run(*callbacks: Callback) -> list[np.ndarray]:
        np.random.seed(1)
        inner = Sequential([Dense(4, input_dim=4), BatchNormalization()])
        first = TimeDistributed(BatchNormalization(), input_shape=(3, 4))
        model = Sequential([first, TimeDistributed(inner)])
        model.compile("adam", "mse")
        model.fit(x, y, batch_size=4, epochs=3, verbose=0, callbacks=list(callbacks))
        return model.get_weights()

    whole = run()
    with pytest.raises(Killed):
        run(BackupAndRestore(tmp_path, save_freq=freq), Kill(5))
    for old, new in zip(whole, run(BackupAndRestore(tmp_path, save_freq=freq)), strict=True):
        np.testing.assert_array_equal(old, new)
