import numpy as np
import pytest

from funkeras import layers
from funkeras.layers import (
    Discretization,
    IntegerLookup,
    RandomFlip,
    Rescaling,
    StringLookup,
    TextVectorization,
)
from funkeras.models import Sequential
from funkeras.optimizers import SGD

TEXTS = ["The cat sat.", "A cat, a DOG!", "dog"]


@pytest.mark.parametrize("batches", [False, True])
def test_bins_from_data(batches):
    data = np.arange(1000, dtype="float32")
    layer = Discretization(num_bins=4)
    layer.adapt([data] if batches else data)
    np.testing.assert_allclose(layer.bin_boundaries, [249, 499, 749], atol=12)
    assert np.bincount(np.asarray(layer(data))).shape == (4,)
    again = Discretization.from_config(layer.get_config())
    np.testing.assert_array_equal(again(data), layer(data))
    with pytest.raises(ValueError, match="nothing to adapt"):
        Discretization([0.0]).adapt(data)


def test_vocabulary_of_numbers():
    layer = IntegerLookup(max_tokens=4, mask_token=0)
    layer.adapt(np.array([[7, 3, 3], [9, 7, 0]]))
    assert layer.get_vocabulary() == [0, -1, 7, 3]
    assert layer.get_vocabulary(include_special_tokens=False) == [7, 3]
    assert layer.vocabulary_size() == 4
    assert np.asarray(layer(np.array([3, 9, 0, 7]))).tolist() == [3, 1, 0, 2]
    assert IntegerLookup.from_config(layer.get_config()).get_vocabulary() == [0, -1, 7, 3]
    layer.set_vocabulary(np.array([5, 6]))
    assert np.asarray(layer(np.array([5, 7]))).tolist() == [2, 1]


def test_a_single_token_is_a_sample_too():
    layer = IntegerLookup()
    layer.adapt(np.array(2))
    assert layer.get_vocabulary() == [-1, 2]


def test_vocabulary_of_strings_in_batches():
    layer = StringLookup()
    layer.adapt(iter([np.array(["b", "a", "b"]), ["c", "c", "[UNK]"]]))
    assert layer.get_vocabulary() == ["[UNK]", "c", "b", "a"]
    assert layer(np.array([["a", "x"], ["b", "c"]], object)).tolist() == [[3, 0], [2, 1]]
    assert layer([b"a"]).tolist() == [3]
    back = StringLookup(vocabulary=layer.get_vocabulary(), invert=True)
    assert back(np.array([3, 9, 1])).tolist() == ["a", "[UNK]", "c"]
    few = StringLookup()
    few.adapt(iter([["a"], ["b"]]), steps=1)
    assert few.get_vocabulary() == ["[UNK]", "a"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, [[0, 1, 2], [0, 2, 2]]),
        ({"num_oov_indices": 0, "vocabulary": ["a", "b", "x"]}, [[2, 0, 1], [2, 1, 1]]),
        ({"mask_token": "x"}, [[0, 2, 3], [0, 3, 3]]),
        ({"output_mode": "multi_hot"}, [[1, 1, 1], [1, 0, 1]]),
        ({"output_mode": "count", "mask_token": "x"}, [[0, 1, 1], [0, 0, 2]]),
        ({"output_mode": "tf_idf", "idf_weights": [1.0, 3.0]}, [[2, 1, 3], [2, 0, 6]]),
        (
            {"output_mode": "count", "max_tokens": 4, "pad_to_max_tokens": True},
            [[1, 1, 1, 0], [1, 0, 2, 0]],
        ),
    ],
)
def test_strings_in_each_mode(given, expected):
    layer = StringLookup(**{"vocabulary": ["a", "b"], **given})
    assert layer(np.array([["x", "a", "b"], ["x", "b", "b"]])).tolist() == expected


def test_texts_as_places():
    layer = TextVectorization()
    layer.adapt(TEXTS)
    assert layer.get_vocabulary() == ["", "[UNK]", "dog", "cat", "a", "the", "sat"]
    assert layer(TEXTS).tolist() == [[5, 3, 6, 0], [4, 3, 4, 2], [2, 0, 0, 0]]
    assert layer(np.array([["new dog"]])).tolist() == [[1, 2]]
    assert layer(["new dog"]).dtype.kind == "i"
    short = TextVectorization(output_sequence_length=2, vocabulary=["cat"])
    assert short(TEXTS).tolist() == [[1, 2], [1, 2], [1, 0]]
    again = TextVectorization.from_config(layer.get_config())
    assert again(TEXTS).tolist() == layer(TEXTS).tolist()
    assert layers.layer_class("TextVectorization") is TextVectorization


def test_rules_of_splitting():
    def words(text, **given):
        layer = TextVectorization(**given)
        layer.adapt([text])
        return layer.get_vocabulary(include_special_tokens=False)

    assert words("b A", standardize=None) == ["b", "A"]
    assert words("B!a", standardize="lower") == ["b!a"]
    assert words("É B", standardize="lower") == ["É", "b"]
    assert words("ab", split="character", standardize="strip_punctuation") == ["b", "a"]
    assert words("a b c", ngrams=(2,)) == ["b c", "a b"]
    assert words("a b", ngrams=2) == ["b", "a b", "a"]
    assert words("a-b", standardize=lambda x: np.char.replace(x, "-", " ")) == ["b", "a"]
    assert words("a-b", standardize=None, split=lambda x: np.char.split(x, "-")) == ["b", "a"]
    assert words("a b", split=None) == ["a b"]


def test_weights_by_rarity():
    layer = TextVectorization(output_mode="tf_idf")
    layer.adapt(TEXTS)
    weights = dict(zip(layer.get_vocabulary()[1:], layer.idf_weights, strict=True))
    np.testing.assert_allclose(weights["a"], np.log(1 + 3 / 2))
    np.testing.assert_allclose(weights["cat"], np.log(1 + 3 / 3))
    row = layer(["cat cat new"])[0]
    np.testing.assert_allclose(row.max(), 2 * np.log(2), rtol=1e-6)
    np.testing.assert_allclose(row[0], np.mean(layer.idf_weights), rtol=1e-6)
    binary = TextVectorization(output_mode="multi_hot", vocabulary=["cat"])
    assert binary(TEXTS).tolist() == [[1, 1], [1, 1], [1, 0]]


@pytest.mark.parametrize(
    ("layer", "batches"),
    [
        (Discretization(num_bins=3), [np.arange(9.0), np.arange(30.0, 20, -1)]),
        (IntegerLookup(), [np.array([[1, 2], [2, 3]]), np.array([[3], [3]])]),
        (StringLookup(), [np.array([["b", "a"]]), np.array([["c"], ["c"]])]),
        (TextVectorization(), [np.array(TEXTS[:1]), np.array(TEXTS[1:])]),
        (layers.Normalization(), [np.ones((2, 3)), np.arange(9.0).reshape(3, 3)]),
    ],
)
def test_batches_seen_one_by_one_are_those_of_adapt(layer, batches):
    again = type(layer).from_config({**layer.get_config(), "name": "again"})
    again.adapt(iter(batches))
    layer.update_state(batches[1])
    layer.reset_state()
    for batch in batches:
        layer.update_state(batch)
    layer.finalize_state()
    np.testing.assert_array_equal(np.asarray(layer(batches[0])), np.asarray(again(batches[0])))
    if hasattr(layer, "get_vocabulary"):
        assert layer.get_vocabulary() == again.get_vocabulary()


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "bfloat16"])
def test_dtypes_of_encodings_are_those_of_genuine_keras(policy):
    """Keras 3.15.1 on JAX; symbolic outputs, of which it says otherwise, have them too."""
    low = {"mixed_bfloat16": "float32", "bfloat16": "bfloat16"}[policy]
    numbers, words = np.array([[1], [2]], "int32"), np.array([["a"], ["b"]])
    made = [
        (layers.CategoryEncoding(3, dtype=policy), numbers, low),
        (layers.CategoryEncoding(3, "count", dtype=policy), numbers, low),
        (layers.Hashing(3, output_mode="one_hot", dtype=policy), words, low),
        (layers.HashedCrossing(3, output_mode="one_hot", dtype=policy), [numbers, words], low),
        (Discretization([1.5], output_mode="one_hot", dtype=policy), numbers, "bfloat16"),
        (Discretization([1.5], dtype=policy), numbers, "int32"),
        (IntegerLookup(vocabulary=[1], output_mode="multi_hot", dtype=policy), numbers, "int32"),
        (
            StringLookup(vocabulary=["a"], output_mode="tf_idf", idf_weights=[2.0], dtype=policy),
            words,
            "float32",
        ),
    ]
    for layer, x, expected in made:
        assert str(layer(x).dtype) == expected, layer
        kinds = {"U": "string", "i": "int32"}
        parts = x if isinstance(x, list) else [x]
        inputs = [layers.Input((1,), dtype=kinds[part.dtype.kind]) for part in parts]
        y = layer(inputs if isinstance(x, list) else inputs[0])
        assert y.dtype == expected, layer
        assert y.shape[1:] == layer(x).shape[1:]


def test_a_policy_leaves_what_is_sorted_into_bins_as_it_is():
    layer = Discretization([1.001], dtype="bfloat16")
    assert np.asarray(layer(np.array([1.002, 1.0], "float32"))).tolist() == [1, 0]
    counts = layers.CategoryEncoding(2, "count", dtype="mixed_bfloat16")
    assert float(counts(np.zeros((1, 257), "int32"))[0, 0]) == 257


def test_files_are_read_on_request_only(tmp_path):
    (tmp_path / "words.txt").write_text("cat\nhut\n")
    path = str(tmp_path / "words.txt")
    layer = StringLookup()
    layer.set_vocabulary(path)
    assert layer.get_vocabulary() == ["[UNK]", "cat", "hut"]
    for made in (StringLookup, TextVectorization):
        with pytest.raises(TypeError, match=r"set_vocabulary\(path\)"):
            made.from_config({"vocabulary": path})


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: StringLookup(vocabulary=["a"]).adapt(["a"]), ValueError, "nothing to adapt"),
        (lambda: StringLookup()(["a"]), ValueError, "adapt to data first"),
        (lambda: StringLookup(num_oov_indices=0, vocabulary=["a"])(["b"]), ValueError, "got 'b'"),
        (lambda: StringLookup(vocabulary=["a"])([1]), TypeError, "expected strings"),
        (lambda: StringLookup(vocabulary=["a"])(layers.Input((2,))), TypeError, "looks up strings"),
        (lambda: TextVectorization(ragged=True), ValueError, "ragged=True is not possible"),
        (lambda: TextVectorization(standardize="upper"), ValueError, "standardize must be one of"),
        (lambda: TextVectorization(split="line"), ValueError, "split must be one of"),
        (
            lambda: TextVectorization(output_mode="count", output_sequence_length=3),
            ValueError,
            "needs output_mode='int'",
        ),
        (
            lambda: TextVectorization(vocabulary=["a"])(np.array([["a", "b"]])),
            ValueError,
            r"shape \(n,\) or \(n, 1\)",
        ),
    ],
)
def test_wrong_use_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_augmentation_trains_inside_a_model():
    np.random.seed(0)
    model = Sequential(
        [Rescaling(1 / 255, input_shape=(4, 4, 1)), RandomFlip(), layers.Flatten(), layers.Dense(1)]
    )
    model.compile(SGD(0.1), "mse")
    x = np.random.default_rng(0).integers(0, 256, (8, 4, 4, 1)).astype("uint8")
    history = model.fit(x, x.mean((1, 2)) / 255, epochs=60, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0] / 2
    np.testing.assert_array_equal(model.predict(x), model.predict(x))
