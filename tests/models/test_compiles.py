"""What XLA compiles: few programs, none twice, and none in a process that finds them on disk."""

import logging
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from funkeras import config
from funkeras.callbacks import LambdaCallback, LearningRateScheduler
from funkeras.layers import BatchNormalization, Dense, Dropout
from funkeras.models import Sequential

RNG = np.random.default_rng(0)
X = RNG.standard_normal((22, 3)).astype("float32")
Y = RNG.standard_normal((22, 2)).astype("float32")


class Compiled(logging.Handler):
    """The names of the programs that jax says it compiles."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        words = record.getMessage().split()
        if words[0] == "Compiling":
            self.names.append(words[1])

    def taken(self) -> list[str]:
        names, self.names = self.names, []
        return names

    def own(self) -> dict[str, int]:
        """How many programs there are of each kind that runs a model."""
        names = self.taken()
        kinds = {"run_steps": "train", "evaluate_steps": "evaluate", "run": "predict"}
        counts = {kind: names.count(f"jit({name})") for name, kind in kinds.items()}
        return {kind: count for kind, count in counts.items() if count}


@pytest.fixture
def compiled() -> Iterator[Compiled]:
    handler, logger = Compiled(), logging.getLogger("jax")
    kept = logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    jax.config.update("jax_log_compiles", True)
    yield handler
    jax.config.update("jax_log_compiles", False)
    logger.removeHandler(handler)
    logger.propagate = kept


def built() -> Sequential:
    np.random.seed(3)
    model = Sequential([Dense(4, input_dim=3), BatchNormalization(), Dropout(0.5), Dense(2)])
    model.compile("adam", "mse", metrics=["mae"])
    return model


def test_a_model_needs_few_programs_and_each_once(compiled: Compiled) -> None:
    model = built()
    whole: dict[str, Any] = {"batch_size": 11, "epochs": 3, "verbose": 0}
    parted: dict[str, Any] = {**whole, "batch_size": 4}  # the last batch has two rows
    compiled.taken()
    model.fit(X, Y, **whole)
    assert compiled.own() == {"train": 1}
    model.fit(X, Y, validation_data=(X[:7], Y[:7]), **parted)
    assert compiled.own() == {"train": 2, "evaluate": 1}
    model.evaluate(X[:7], Y[:7], batch_size=4)
    assert compiled.own() == {}
    model.predict(X, batch_size=4)
    assert compiled.own() == {"predict": 1}
    model.predict(X[:7], batch_size=4)
    assert compiled.taken() == []
    for options in (whole, parted):
        model.fit(X, Y, validation_data=(X[:7], Y[:7]), **options)
    compiled.taken()  # the second batch size of the validation
    for options in (whole, parted):
        model.fit(X, Y, validation_data=(X[:7], Y[:7]), **options)
    assert compiled.taken() == []


def test_neither_rates_nor_hooks_nor_weights_compile_anything(compiled: Compiled) -> None:
    model = built()
    halve = LearningRateScheduler(lambda epoch, rate: rate / 2)
    watch = LambdaCallback(on_batch_end=lambda batch, logs: None)
    options: dict[str, Any] = {"batch_size": 4, "epochs": 3, "verbose": 0}
    model.fit(X, Y, callbacks=[halve, watch], **options)
    model.train_on_batch(X[:4], Y[:4])
    compiled.taken()
    model.optimizer.learning_rate = 0.5
    model.optimizer.lr = 0.25
    model.fit(X, Y, callbacks=[halve], **options)
    model.fit(X, Y, callbacks=[watch], **options)
    model.fit(X, Y, **options)
    model.set_weights([0.5 * w for w in model.get_weights()])
    model.fit(X, Y, callbacks=[halve], **options)
    model.train_on_batch(X[:4], Y[:4])
    assert compiled.taken() == []


def test_streams_share_the_programs_of_arrays(compiled: Compiled) -> None:
    model = built()
    model.fit(X[:20], Y[:20], batch_size=4, epochs=1, verbose=0)
    compiled.taken()
    parts = [(X[start : start + 4], Y[start : start + 4]) for start in range(0, 20, 4)]
    model.fit((parts[i % 5] for i in range(100)), steps_per_epoch=5, epochs=3, verbose=0)
    first = compiled.own().get("train", 0)
    model.fit((parts[i % 5] for i in range(100)), steps_per_epoch=5, epochs=3, verbose=0)
    assert (first <= 1, compiled.own()) == (True, {})


SCRIPT = """
import sys
sys.path.insert(0, {tests!r})
from jax import monitoring
counts = {{"cache_hits": 0, "cache_misses": 0}}
def hear(event, **kwargs):
    name = event.rpartition("/")[2]
    if name in counts:
        counts[name] += 1
monitoring.register_event_listener(hear)
from test_compiles import *
from funkeras import config
model = built()
model.fit(X, Y, batch_size=4, epochs=1, verbose=0)
model.predict(X)
print(config.compilation_cache(), counts["cache_hits"], counts["cache_misses"])
"""


def test_a_later_process_finds_the_programs(tmp_path: Path) -> None:
    tests = Path(__file__).parent
    folder = tmp_path / "home" / "compiled"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(tests.parents[1]), os.environ.get("PYTHONPATH", "")]),
        "KERAS_HOME": str(tmp_path / "home"),
        "FUNKERAS_COMPILATION_CACHE": "1",
    }
    command = [sys.executable, "-c", SCRIPT.format(tests=str(tests))]
    counts = []
    for _ in range(2):
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        named, *numbers = ran.stdout.split()
        assert named == str(folder)
        counts.append([int(number) for number in numbers])
    assert counts[0][1] >= 3
    assert counts[1] == [sum(counts[0]), 0]
    if os.name == "posix":
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.skipif(os.name != "posix", reason="needs modes of files")
def test_a_folder_that_others_may_write_to_keeps_no_programs(tmp_path: Path) -> None:
    before = jax.config.jax_compilation_cache_dir
    open_folder = tmp_path / "open"
    open_folder.mkdir()
    open_folder.chmod(0o777)
    with pytest.raises(PermissionError, match=r"writable by nobody else, .* its mode is 777"):
        config.set_compilation_cache(open_folder)
    assert config.compilation_cache() is None
    assert jax.config.jax_compilation_cache_dir == before
    try:
        config.set_compilation_cache(tmp_path / "own")
        assert jax.config.jax_compilation_cache_dir == str(tmp_path / "own")
    finally:
        config.set_compilation_cache(None)
        jax.config.update("jax_compilation_cache_dir", before)
