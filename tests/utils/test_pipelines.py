"""`Dataset` and `split_dataset`."""

import math
import threading

import jax.numpy as jnp
import numpy as np
import pytest

from funkeras.layers import Dense
from funkeras.models import Sequential
from funkeras.utils import split_dataset
from funkeras.utils.pipelines import Dataset


def count(n=6):
    return Dataset.from_tensor_slices(np.arange(n))


def values(dataset):
    return [np.asarray(element).tolist() for element in dataset]


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (lambda d: d.map(lambda x: x * x), [0, 1, 4, 9, 16, 25]),
        (lambda d: d.map(lambda x: x + 1, num_parallel_calls=-1), [1, 2, 3, 4, 5, 6]),
        (lambda d: d.filter(lambda x: x % 2 == 1), [1, 3, 5]),
        (lambda d: d.batch(4), [[0, 1, 2, 3], [4, 5]]),
        (lambda d: d.batch(4, drop_remainder=True), [[0, 1, 2, 3]]),
        (lambda d: d.batch(4).unbatch(), [0, 1, 2, 3, 4, 5]),
        (lambda d: d.take(2), [0, 1]),
        (lambda d: d.take(-1), [0, 1, 2, 3, 4, 5]),
        (lambda d: d.skip(4), [4, 5]),
        (lambda d: d.skip(-1), []),
        (lambda d: d.take(2).repeat(2), [0, 1, 0, 1]),
        (lambda d: d.repeat().skip(5).take(3), [5, 0, 1]),
        (lambda d: d.prefetch(3), [0, 1, 2, 3, 4, 5]),
        (lambda d: d.prefetch(-1).batch(6), [[0, 1, 2, 3, 4, 5]]),
        (lambda d: d.cache(), [0, 1, 2, 3, 4, 5]),
    ],
)
def test_methods_give_the_same_elements_in_each_pass(made, expected):
    dataset = made(count())
    assert values(dataset) == values(dataset) == expected
    if dataset.cardinality() >= 0:
        assert len(dataset) == dataset.cardinality() == len(expected)


def test_lengths_that_nobody_knows():
    unknown, endless = count().filter(lambda x: x > 2), count().repeat()
    assert unknown.cardinality() == unknown.batch(2).cardinality() == -2
    assert endless.cardinality() == endless.batch(2).cardinality() == -1
    for dataset in (unknown, endless):
        with pytest.raises(TypeError, match="length"):
            len(dataset)


def test_elements_of_several_parts_are_taken_apart_and_may_be_dicts():
    pairs = Dataset.from_tensor_slices((np.arange(4), np.arange(4) * 10))
    assert values(pairs.map(lambda x, y: x + y).batch(2)) == [[0, 11], [22, 33]]
    named = Dataset.from_tensor_slices({"a": np.arange(3)}).map(lambda row: {"b": row["a"] + 1})
    assert [row["b"].tolist() for row in named.batch(2)] == [[1, 2], [3]]
    with pytest.raises(ValueError, match=r"equally long; got lengths \[2, 3\]"):
        Dataset.from_tensor_slices((np.zeros(2), np.zeros(3)))


def test_elements_are_arrays_that_scripts_ask_for_numpy():
    (batch,) = count().map(lambda x: jnp.asarray(x)).batch(6)
    assert type(batch.numpy()) is np.ndarray
    assert float(batch.mean()) == 2.5
    assert jnp.sum(batch) == 15
    assert all(type(x) is np.int64 for x in count().as_numpy_iterator())


def test_a_small_buffer_shuffles_near_elements_and_a_large_one_all():
    near = values(count(100).shuffle(5, seed=0))
    assert sorted(near) == list(range(100)) != near
    assert all(place + 5 > element for place, element in enumerate(near))
    steady = count(100).shuffle(None, seed=0, reshuffle_each_iteration=False)
    assert values(steady) == values(steady) != list(range(100))


def test_a_draw_from_the_buffer_is_even():
    firsts = [values(count(3).shuffle(3, seed=seed).take(1))[0] for seed in range(600)]
    shares = np.bincount(firsts) / 600
    assert np.abs(shares - 1 / 3).max() < 4 * math.sqrt(2 / 9 / 600)


def test_a_cache_calls_once_and_parallel_calls_meet():
    calls = []
    cached = count().map(lambda x: calls.append(int(x)) or x).cache()
    assert values(cached.take(2)) == [0, 1]  # not the whole pass
    assert values(cached) == values(cached) == list(range(6))
    assert calls == [0, 1, *range(6)]
    together = threading.Barrier(2, timeout=20)
    assert values(count(4).map(lambda x: together.wait() * 0 + x, num_parallel_calls=2)) == [
        *range(4)
    ]
    with pytest.raises(ValueError, match="in memory"):
        count().cache("file")


def test_a_model_trains_on_a_dataset_as_on_its_arrays():
    x = np.random.RandomState(0).rand(10, 3).astype("float32")
    y = x @ np.array([[1.0], [2], [3]], "float32")
    losses = []
    for given in ((x, y), (Dataset.from_tensor_slices((x, y)).batch(4),)):
        model = Sequential([Dense(1, input_shape=(3,), kernel_initializer="ones")])
        model.compile("sgd", "mse")
        sizes = {"batch_size": 4} if len(given) == 2 else {}
        fitted = model.fit(*given, epochs=3, shuffle=False, verbose=0, **sizes)
        losses.append(fitted.history["loss"])
    np.testing.assert_allclose(*losses, rtol=1e-5)
    endless = Dataset.from_tensor_slices((x, y)).batch(5).repeat()
    assert len(model.fit(endless, steps_per_epoch=3, epochs=2, verbose=0).history["loss"]) == 2


def test_a_dataset_of_batches_is_split_by_samples():
    whole = Dataset.from_tensor_slices((np.arange(7), np.arange(7) % 2)).batch(3).prefetch(2)
    left, right = split_dataset(whole, left_size=4)
    assert [x.tolist() for x, _ in left] == [[0, 1, 2], [3]]
    assert [x.tolist() for x, _ in right] == [[4, 5, 6]]


def test_any_source_of_samples_is_split():
    class Samples:
        def __len__(self):
            return 5

        def __getitem__(self, index):
            if index >= 5:
                raise IndexError
            return np.full(2, index), index

    left, right = split_dataset(Samples(), right_size=0.4)
    assert [int(y) for _, y in left] == [0, 1, 2]
    assert [x.tolist() for x, _ in right] == [[3, 3], [4, 4]]


@pytest.mark.parametrize(
    ("dataset", "sizes", "error", "message"),
    [
        (np.arange(5), {}, ValueError, "needs left_size or right_size"),
        (np.arange(5), {"left_size": "2"}, TypeError, "must be an int"),
        (np.arange(5), {"left_size": 5}, ValueError, "between 0 and the number of samples, 5"),
        (np.arange(5), {"right_size": 1.0}, ValueError, "share"),
        (np.arange(5), {"left_size": 3, "right_size": 3}, ValueError, "would be 3 and 3"),
        (np.arange(5), {"left_size": 0.05}, ValueError, "would be 0 and 5"),
        ([np.arange(5), np.arange(4)], {"left_size": 1}, ValueError, "equally long"),
        ([], {"left_size": 1}, ValueError, "has arrays"),
        (3, {"left_size": 1}, TypeError, "got int"),
        (np.zeros((0, 2)), {"left_size": 1}, ValueError, "no samples"),
    ],
)
def test_what_cannot_be_split(dataset, sizes, error, message):
    with pytest.raises(error, match=message):
        split_dataset(dataset, **sizes)
