"""Whatever happens, a model is at a step that was finished, and the next call works."""

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from funkeras.backend import clear_session
from funkeras.callbacks import LambdaCallback, TerminateOnNaN
from funkeras.layers import Activation, BatchNormalization, Dense, Dropout
from funkeras.layers.layer import Layer
from funkeras.models import Sequential, fitting

RNG = np.random.default_rng(0)
X = RNG.standard_normal((22, 3)).astype("float32")
Y = RNG.standard_normal((22, 2)).astype("float32")
STEPS = 6


def build() -> Sequential:
    np.random.seed(3)
    model = Sequential([Dense(4, input_dim=3), BatchNormalization(), Dropout(0.5), Dense(2)])
    model.compile("adam", "mse")
    return model


@pytest.fixture(scope="module")
def shared() -> tuple[Sequential, list[np.ndarray]]:
    """One compiled model for all interrupts, and its first weights."""
    model = build()
    return model, model.get_weights()


@pytest.fixture(scope="module")
def known(shared: Any) -> list[list[np.ndarray]]:
    """Weights after 0, 1, … steps of a run that nothing interrupts."""
    model = begun(shared)
    steps = [model.get_weights()]
    hook = LambdaCallback(on_batch_end=lambda batch, logs: steps.append(model.get_weights()))
    model.fit(X, Y, batch_size=4, epochs=1, shuffle=False, verbose=0, callbacks=[hook])
    assert len(steps) == STEPS + 1
    return steps


def begun(shared: Any) -> Sequential:
    """The shared model as it was at first, its programs kept."""
    model, weights = shared
    model.set_weights(weights)
    if model._engine is not None:
        model._engine.slots, model._engine.step = None, 0
    return model


def same(first: list[np.ndarray], second: list[np.ndarray]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


class Interrupted(KeyboardInterrupt):
    """Stands for Ctrl-C: nothing is raised, the process sends itself the signal."""


def stop(error: type[BaseException]) -> None:
    if error is not Interrupted:
        raise error
    os.kill(os.getpid(), signal.SIGINT)


def raising(error: type[BaseException], at: int) -> Callable[..., None]:
    calls = iter(range(1000))

    def hook(*args: Any) -> None:
        if next(calls) == at:
            stop(error)

    return hook


def from_hook(name: str) -> Callable[..., Any]:
    def run(model: Any, error: type[BaseException], at: int, monkeypatch: Any) -> Any:
        hook = LambdaCallback(**{name: raising(error, at)})
        model.fit(X, Y, batch_size=4, epochs=1, shuffle=False, verbose=0, callbacks=[hook])

    return run


def from_generator(model: Any, error: type[BaseException], at: int, monkeypatch: Any) -> Any:
    def batches() -> Iterator[Any]:
        for index in range(STEPS):
            if index == at:
                stop(error)
            yield X[4 * index : 4 * index + 4], Y[4 * index : 4 * index + 4]

    model.fit(batches(), steps_per_epoch=STEPS, epochs=1, verbose=0)


def from_program(model: Any, error: type[BaseException], at: int, monkeypatch: Any) -> Any:
    hook, engine_run = raising(error, at), fitting.run_piece

    def run(*args: Any) -> Any:
        hook()
        return engine_run(*args)

    monkeypatch.setattr(fitting, "run_piece", run)
    watch = LambdaCallback(on_batch_end=lambda batch, logs: None)
    model.fit(X, Y, batch_size=4, epochs=1, shuffle=False, verbose=0, callbacks=[watch])


def between_layers(model: Any, error: type[BaseException], at: int, monkeypatch: Any) -> Any:
    """At the second layer that takes its new weights over."""
    adopt, hook = Layer.adopt, raising(error, 4 * at + 1)

    def adopting(self: Any, params: Any, state: Any) -> None:
        hook()
        adopt(self, params, state)

    monkeypatch.setattr(Layer, "adopt", adopting)
    watch = LambdaCallback(on_batch_end=lambda batch, logs: None)
    model.fit(X, Y, batch_size=4, epochs=1, shuffle=False, verbose=0, callbacks=[watch])


# What interrupts, and how many steps are finished when it does so at number n.
INTERRUPTS: dict[str, tuple[Callable[..., Any], int]] = {
    "before a batch": (from_hook("on_batch_begin"), 0),
    "after a batch": (from_hook("on_batch_end"), 1),
    "the generator": (from_generator, 0),
    "the program": (from_program, 0),
}


ERRORS = [KeyboardInterrupt, RuntimeError, MemoryError, Interrupted]


def caught(error: type[BaseException]) -> Any:
    return pytest.raises(KeyboardInterrupt if error is Interrupted else error)


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("name", INTERRUPTS)
def test_fit_interrupted_at_every_batch(
    name: str, error: Any, shared: Any, known: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted, finished = INTERRUPTS[name]
    for at in range(STEPS):
        model = begun(shared)
        with monkeypatch.context() as patched, caught(error):
            interrupted(model, error, at, patched)
        if error is Interrupted and name == "the generator":  # in another thread, some steps ahead
            assert model._engine is not None
            finished = model._engine.step - at
        assert same(model.get_weights(), known[at + finished])
        assert int(model.optimizer.iterations) == at + finished or at + finished == 0
        rows = slice(4 * (at + finished), 4 * (at + finished) + 4)
        if at + finished < STEPS:  # the next step is the one that was next
            model.train_on_batch(X[rows], Y[rows])
            assert same(model.get_weights(), known[at + finished + 1])


def test_an_interrupt_while_layers_take_their_weights_over(
    shared: Any, known: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = begun(shared)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        between_layers(model, KeyboardInterrupt, 0, patched)
    assert same(model.get_weights(), known[1])


def judged_by_hooks(model: Any, error: type[BaseException], at: int) -> None:
    hook = LambdaCallback(on_test_batch_end=raising(error, at))
    model.evaluate(X, Y, batch_size=4, callbacks=[hook])


def judged_by_generator(model: Any, error: type[BaseException], at: int) -> None:
    hook = raising(error, at)
    model.evaluate(((hook(), (X[:4], Y[:4]))[1] for _ in range(STEPS)), steps=STEPS)


def judged_by_program(model: Any, error: type[BaseException], at: int) -> None:
    hook, judge = raising(error, at), model._engine.judge
    watch = LambdaCallback(on_test_batch_end=lambda batch, logs: None)
    model._engine.judge = lambda *args: (hook(), judge(*args))[1]
    try:
        model.evaluate(X, Y, batch_size=4, callbacks=[watch])
    finally:
        model._engine.judge = judge


def predicted_by_hooks(model: Any, error: type[BaseException], at: int) -> None:
    hook = LambdaCallback(on_predict_batch_begin=raising(error, at))
    model.predict(X, batch_size=4, callbacks=[hook])


def predicted_by_generator(model: Any, error: type[BaseException], at: int) -> None:
    hook = raising(error, at)
    model.predict(((hook(), X[:4])[1] for _ in range(STEPS)), steps=STEPS)


def predicted_by_program(model: Any, error: type[BaseException], at: int) -> None:
    hook, run = raising(error, at), model._predict
    model._predict = lambda *args: (hook(), run(*args))[1]
    try:
        model.predict(X, batch_size=4)
    finally:
        model._predict = run


PASSES = [
    judged_by_hooks,
    judged_by_generator,
    judged_by_program,
    predicted_by_hooks,
    predicted_by_generator,
    predicted_by_program,
]


@pytest.mark.parametrize("interrupted", PASSES, ids=lambda made: made.__name__)
def test_passes_interrupted_at_every_batch(interrupted: Any, shared: Any) -> None:
    model = begun(shared)
    expected = model.evaluate(X, Y, batch_size=4), model.predict(X, batch_size=4)
    before, threads = model.get_weights(), set(threading.enumerate())
    for error in ERRORS:
        for at in range(STEPS):
            with caught(error):
                interrupted(model, error, at)
                time.sleep(0.1)  # a signal may come when the pass is over
            assert same(model.get_weights(), before)
    assert model.evaluate(X, Y, batch_size=4) == expected[0]
    np.testing.assert_array_equal(model.predict(X, batch_size=4), expected[1])
    for thread in set(threading.enumerate()) - threads:
        thread.join(10)
        assert not thread.is_alive()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer that signals")
# A signal within a callback of the garbage collector (jax has one) interrupts nothing: Python
# reports it and goes on, so that run reaches its end.
@pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")
def test_interrupts_by_signal_at_random_moments(shared: Any) -> None:
    """The steps of an endless run are those of one that is recorded."""
    steps = 120
    model = begun(shared)
    x, y = np.tile(X[:4], (steps, 1)), np.tile(Y[:4], (steps, 1))
    recorded = {0: [w.tobytes() for w in model.get_weights()]}

    def record(batch: int, logs: Any) -> None:
        recorded[batch + 1] = [w.tobytes() for w in model.get_weights()]

    options: dict[str, Any] = {"batch_size": 4, "epochs": 1, "shuffle": False, "verbose": 0}
    model.fit(x, y, callbacks=[LambdaCallback(on_batch_end=record)], **options)
    watch = LambdaCallback(on_batch_begin=lambda batch, logs: None)

    def interrupt(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    ended = []
    try:
        for seconds in np.random.default_rng(0).uniform(0.001, 0.06, 25):
            model = begun(shared)
            try:
                signal.setitimer(signal.ITIMER_REAL, seconds)
                model.fit(x, y, callbacks=[watch], **options)
            except KeyboardInterrupt:
                assert model._engine is not None
                ended.append(model._engine.step)
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
            assert model._engine is not None
            assert [w.tobytes() for w in model.get_weights()] == recorded[model._engine.step]
    finally:
        signal.signal(signal.SIGALRM, before)
    assert ended


# Threads


def in_threads(count: int, work: Callable[[int], None]) -> None:
    errors: list[BaseException] = []

    def safe(index: int) -> None:
        try:
            work(index)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=safe, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def predictions(calls: int, beside: Callable[[], object] | None = None) -> None:
    model = build()
    expected = [model.predict(X[: rows + 1]) for rows in range(8)]
    fresh = build()  # its program is made while all threads ask for it
    left = [16]

    def work(index: int) -> None:
        if index == 16:
            while left[0] and beside is not None:
                beside()
            return
        try:
            for call in range(calls):
                rows = (index + call) % 8
                np.testing.assert_array_equal(fresh.predict(X[: rows + 1]), expected[rows])
        finally:
            left[0] -= 1

    in_threads(17, work)


def fitting_beside(model: Sequential) -> Callable[[], object]:
    return lambda: model.fit(X, Y, batch_size=4, epochs=3, verbose=0)


def test_predictions_of_sixteen_threads_are_those_of_one(shared: Any) -> None:
    predictions(20, fitting_beside(begun(shared)))


@pytest.mark.slow
def test_sixteen_thousand_predictions_of_sixteen_threads() -> None:
    predictions(1000)


@pytest.mark.slow
def test_sixteen_thousand_predictions_while_another_model_trains() -> None:
    predictions(1000, fitting_beside(build()))


def predictions_of_steps(epochs: int) -> None:
    """Every output that other threads see is that of one of the steps."""
    model = build()
    at_once = X[:3]
    model.fit(X, Y, batch_size=4, epochs=1, verbose=0)
    model.predict(at_once)
    steps, seen, done = [model.get_weights()], [], threading.Event()
    hook = LambdaCallback(on_batch_end=lambda batch, logs: steps.append(model.get_weights()))

    def work(index: int) -> None:
        if index == 0:
            try:
                model.fit(X, Y, batch_size=4, epochs=epochs, verbose=0, callbacks=[hook])
            finally:
                done.set()
        while index and not done.is_set():
            seen.append(model.predict(at_once).tobytes())

    in_threads(5, work)
    known = set()
    for weights in steps:
        model.set_weights(weights)
        known.add(model.predict(at_once).tobytes())
    assert len(known) == len(steps) == 1 + epochs * STEPS
    assert len(set(seen)) > 1
    assert set(seen) <= known


def test_predictions_beside_a_fit_are_those_of_its_steps() -> None:
    predictions_of_steps(10)


@pytest.mark.slow
def test_predictions_beside_a_long_fit_are_those_of_its_steps() -> None:
    predictions_of_steps(500)


def test_predictions_while_another_thread_trains_are_those_of_a_step(shared: Any) -> None:
    """The weights move so that the output tells the step, and a mixture of two would show."""
    model = Sequential(
        [Dense(1, input_dim=1, use_bias=False), Dense(1, use_bias=False), Activation("linear")]
    )
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 1)), np.zeros((4, 1)), batch_size=4, epochs=1, verbose=0)
    model.predict(np.ones((1, 1)))
    step = iter(range(1, 10**6))

    def double() -> None:
        """Both layers hold the same number, so that the product is a square."""
        value = np.full((1, 1), next(step), "float32")
        first, second = (layer.name for layer in model.layers[:2])
        model.adopt(
            {first: {"kernel": jax.device_put(value)}, second: {"kernel": jax.device_put(value)}},
            {},
        )

    double()
    done = threading.Event()

    def work(index: int) -> None:
        if index == 0:
            for _ in range(2000):
                double()
            done.set()
        while index and not done.is_set():
            root = np.sqrt(model.predict(np.ones((1, 1)))[0, 0])
            assert root == round(float(root))

    in_threads(5, work)


def test_other_threads_predict_and_evaluate_while_one_fits() -> None:
    model = build()
    model.fit(X, Y, batch_size=4, epochs=1, verbose=0)
    done = threading.Event()

    def work(index: int) -> None:
        if index == 0:
            try:
                model.fit(X, Y, batch_size=4, epochs=30, verbose=0)
            finally:
                done.set()
        while index and not done.is_set():
            assert np.isfinite(model.predict(X)).all()
            assert np.isfinite(model.evaluate(X, Y))

    in_threads(4, work)


# The same seed, the same run

SCRIPT = """
import sys
sys.path.insert(0, {tests!r})
from test_robustness import *
model = build()
def batches():
    while True:
        yield X[:4] + np.random.standard_normal((4, 3)), Y[:4]
model.fit(X, Y, batch_size=4, epochs=3, verbose=0)
model.fit_generator(batches(), steps_per_epoch=30, epochs=2, verbose=0)
sys.stdout.write("".join(w.tobytes().hex() for w in model.get_weights()))
"""


def test_the_same_seed_in_two_processes_gives_the_same_bits() -> None:
    folder = Path(__file__).parent
    code = SCRIPT.format(tests=str(folder))
    paths = os.pathsep.join([str(folder.parents[1]), os.environ.get("PYTHONPATH", "")])
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": paths, "PYTHONHASHSEED": str(seed)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in (1, 2)
    ]
    first, second = (process.communicate(timeout=300)[0] for process in running)
    assert [process.returncode for process in running] == [0, 0]
    assert first == second
    assert len(first) > 100


# Memory


def resident() -> float:
    """Megabytes of this process that are in memory."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


on_linux = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")


@on_linux
@pytest.mark.slow
def test_models_that_are_dropped_take_their_memory_along() -> None:
    def one() -> None:
        model = build()
        model.fit(X, Y, batch_size=11, epochs=1, verbose=0)
        del model
        clear_session()

    for _ in range(20):
        one()
    gc.collect()
    before = resident()
    for _ in range(200):
        one()
    gc.collect()
    assert (resident() - before) / 200 < 0.2


def fits_of_one(model: Sequential, times: int) -> None:
    for _ in range(50):
        model.fit(X, Y, batch_size=4, epochs=1, verbose=0)
    assert model._engine is not None
    compiled = model._engine.run._cache_size()
    gc.collect()
    before = resident()
    for _ in range(times):
        model.fit(X, Y, batch_size=4, epochs=1, verbose=0)
    gc.collect()
    assert resident() - before < 2
    assert model._engine.run._cache_size() == compiled


@on_linux
def test_many_fits_of_one_model_take_no_more_memory(shared: Any) -> None:
    fits_of_one(begun(shared), 100)


@on_linux
@pytest.mark.slow
def test_a_thousand_fits_of_one_model_take_no_more_memory() -> None:
    fits_of_one(build(), 1000)


def test_a_model_that_is_dropped_is_gone() -> None:
    import weakref

    model = build()
    model.fit(X, Y, batch_size=4, epochs=1, verbose=0)
    model.predict(X)
    layer = weakref.ref(model.layers[0])
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None
    assert layer() is None


# Numbers that are none


@pytest.mark.parametrize("row", [0, 9, 21])
def test_training_stops_at_the_batch_that_has_no_loss(
    row: int, capsys: pytest.CaptureFixture[str]
) -> None:
    model = Sequential([Dense(2, input_dim=3)])
    model.compile("sgd", "mse")
    x = X.copy()
    x[row, 0] = np.inf
    run = model.fit(
        x, Y, batch_size=4, epochs=3, shuffle=False, verbose=0, callbacks=[TerminateOnNaN()]
    )
    assert run.epoch == [0]
    assert f"Batch {row // 4}:" in capsys.readouterr().out
    with pytest.raises(RuntimeError, match="the loss is nan in batch 0"):
        model.fit(x, Y, batch_size=4, epochs=1, verbose=0, callbacks=[TerminateOnNaN(True)])


@pytest.fixture
def debugging() -> Iterator[None]:
    jax.config.update("jax_debug_nans", True)
    yield
    jax.config.update("jax_debug_nans", False)


def logarithm(x: Any) -> Any:
    return jax.numpy.log(x)


def root(x: Any) -> Any:
    return jax.numpy.sqrt(x * 0)  # its value is finite, its gradient is not


@pytest.mark.parametrize(
    ("activation", "scale", "message"),
    [
        (logarithm, 1.0, "step 2 .* are the output of layer 'middle'"),
        (root, 1.0, "step 0 .* are the gradient of first/bias, first/kernel"),
        ("linear", np.nan, "step 2 .* are the inputs"),
        ("linear", 1e30, "step 2 .* are the loss, of outputs that are finite"),
    ],
)
def test_debugging_tells_the_layer(
    activation: Any, scale: float, message: str, debugging: None
) -> None:
    model = Sequential(
        [
            Dense(2, input_dim=3, name="first", kernel_initializer="ones"),
            Activation(activation, name="middle"),
            Dense(2, name="last"),
        ]
    )
    model.compile("sgd", "mse")
    model.optimizer.learning_rate = 0.0
    x = np.ones((22, 3), "float32")
    x[9] = -1 if activation is logarithm else scale
    before = model.get_weights()
    with pytest.raises(FloatingPointError, match=message):
        model.fit(x, Y, batch_size=4, epochs=1, shuffle=False, verbose=0)
    assert same(model.get_weights(), before)


def test_a_slow_generator_does_not_outlive_the_interrupt() -> None:
    """It hangs in its own code; the run ends all the same."""
    release = threading.Event()

    def batches() -> Iterator[Any]:
        yield X[:4], Y[:4]
        release.wait(30)
        yield X[:4], Y[:4]

    model = build()
    began = time.perf_counter()
    hook = LambdaCallback(on_batch_end=raising(KeyboardInterrupt, 0))
    try:
        with pytest.raises(KeyboardInterrupt):
            model.fit(batches(), steps_per_epoch=2, epochs=1, verbose=0, callbacks=[hook])
    finally:
        release.set()
    assert time.perf_counter() - began < 20
