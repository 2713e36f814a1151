"""Models of which inputs are strings: layers look these up before the compiled step."""

import io
import itertools
import pickle
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from funkeras import config
from funkeras.layers import (
    Activation,
    CategoryEncoding,
    Concatenate,
    Dense,
    Discretization,
    Embedding,
    GlobalAveragePooling1D,
    HashedCrossing,
    Hashing,
    Input,
    StringLookup,
    TextVectorization,
)
from funkeras.models import Model, Sequential, load_model

GOLDEN = Path(__file__).parents[1] / "golden"
CITY = np.array(["a", "b", "zz", "b", "c"])
ROWS = {"city": CITY, "size": np.arange(5), "more": np.ones((5, 3))}
TEXTS = ["The cat", "a dog", "cat cat dog"]


@pytest.fixture(params=["classic", "modern"])
def dialect(request):
    with config.using_dialect(request.param):
        yield request.param


def mixed():
    """A model of a string, a whole number and three real ones in each row."""
    city = Input((1,), dtype="string", name="city")
    size, more = Input((1,), dtype="int32", name="size"), Input((3,), name="more")
    place = StringLookup(vocabulary=["a", "b"])(city)
    parts = [
        more,
        CategoryEncoding(3)(place),
        Hashing(5, output_mode="one_hot")(city),
        HashedCrossing(4, output_mode="one_hot")([city, size]),
        HashedCrossing(4, output_mode="one_hot")([place, size]),
    ]
    model = Model([city, size, more], Dense(1)(Concatenate()(parts)))
    model.compile("sgd", "mse")
    return model


def encoded():
    """What the dense layer is given, by the layers one by one."""
    place = np.array([1, 2, 0, 2, 0])
    sizes = ROWS["size"]
    parts = [ROWS["more"], np.eye(3)[place], Hashing(5, output_mode="one_hot")(CITY[:, None])]
    for first in (CITY, place):
        parts.append(HashedCrossing(4, output_mode="one_hot")([first, sizes]))
    return np.concatenate([np.asarray(part) for part in parts], 1)


def texts():
    """A text classifier, from the strings on."""
    words = TextVectorization(output_sequence_length=4, vocabulary=["cat", "dog"])
    model = Sequential(
        [Input((1,), dtype="string"), words, Embedding(4, 3), GlobalAveragePooling1D(), Dense(1)]
    )
    model.compile("sgd", "mse")
    return model


def test_a_graph_of_strings_and_numbers(dialect):
    model = mixed()
    kernel, bias = model.get_weights()
    expected = encoded() @ kernel + bias
    columns = [CITY[:, None], ROWS["size"][:, None], ROWS["more"]]
    for x in (ROWS, columns, [CITY.tolist(), *columns[1:]]):
        np.testing.assert_allclose(model.predict(x), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.predict_on_batch(ROWS), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model(columns), expected, rtol=1e-5, atol=1e-6)
    if dialect == "modern":
        np.testing.assert_allclose(model(ROWS), expected, rtol=1e-5, atol=1e-6)
    y = np.ones((5, 1))
    np.testing.assert_allclose(
        model.evaluate(ROWS, y, verbose=0), ((expected - y) ** 2).mean(), rtol=1e-5
    )
    copy = pickle.loads(pickle.dumps(model))
    model.fit(ROWS, y, epochs=3, batch_size=5, shuffle=False, verbose=0)
    source = itertools.repeat((ROWS, y))
    copy.fit(source, steps_per_epoch=1, epochs=3, verbose=0)
    np.testing.assert_allclose(copy.predict(ROWS), model.predict(ROWS), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("ending", ["keras", "h5"])
@pytest.mark.parametrize("make", [mixed, texts])
def test_files_of_them(dialect, tmp_path, make, ending):
    model, x = make(), ROWS if make is mixed else np.array(TEXTS)
    model.save(tmp_path / f"model.{ending}")
    read = load_model(tmp_path / f"model.{ending}")
    np.testing.assert_allclose(read.predict(x), model.predict(x), rtol=1e-5, atol=1e-6)


def test_a_chain_of_texts(dialect, tmp_path):
    model = texts()
    embeddings, kernel, bias = model.get_weights()
    places = [[1, 2, 0, 0], [1, 3, 0, 0], [2, 2, 3, 0]]
    expected = embeddings[places].mean(1) @ kernel + bias
    for x in (np.array(TEXTS), TEXTS, np.array(TEXTS)[:, None]):
        np.testing.assert_allclose(model.predict(x), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model(np.array(TEXTS)[:, None]), expected, rtol=1e-5, atol=1e-6)
    model.fit(np.array(TEXTS), np.ones(3), verbose=0)
    whole = Sequential([model, Activation("sigmoid")])
    logits = model.predict(TEXTS)
    np.testing.assert_allclose(whole.predict(TEXTS), 1 / (1 + np.exp(-logits)), rtol=1e-5)
    outer = Input((1,), dtype="string")
    graph = Model(outer, model(outer))
    np.testing.assert_allclose(graph.predict(TEXTS), logits, rtol=1e-5, atol=1e-6)
    graph.save(tmp_path / "graph.keras")
    read = load_model(tmp_path / "graph.keras")
    np.testing.assert_allclose(read.predict(TEXTS), logits, rtol=1e-5, atol=1e-6)


def test_words_before_a_trained_model_make_one_of_texts(dialect):
    words = TextVectorization(output_sequence_length=4, vocabulary=["cat", "dog"])
    trained = Sequential([Input((4,)), Embedding(4, 3), GlobalAveragePooling1D(), Dense(1)])
    expected = trained.predict(np.asarray(words(TEXTS)))
    np.testing.assert_allclose(Sequential([words, trained]).predict(TEXTS), expected, rtol=1e-6)


def test_weights_of_words_by_rarity_are_where_genuine_keras_has_them(tmp_path):
    """In the arrays of a `.keras` file, twice, and not in the config."""
    words = ["The cat sat", "a dog", "cat cat dog bird"]
    model = load_model(GOLDEN / "feature_space_texts.keras")
    expected = np.load(GOLDEN / "feature_space.npz")["texts"]
    np.testing.assert_allclose(model.predict(words), expected, rtol=1e-5, atol=1e-6)
    model.save(tmp_path / "again.keras")
    read = load_model(tmp_path / "again.keras")
    np.testing.assert_allclose(read.predict(words), expected, rtol=1e-5, atol=1e-6)
    held = {}
    for name in (GOLDEN / "feature_space_texts.keras", tmp_path / "again.keras"):
        with zipfile.ZipFile(name) as archive, archive.open("model.weights.h5") as text:
            root = h5py.File(io.BytesIO(text.read()))["layers/text_vectorization"]
            held[name] = [root[f"{place}vars/idf_weights"][:] for place in ("", "_lookup_layer/")]
    np.testing.assert_allclose(*held.values(), rtol=1e-6)
    words_of = read.layers[0]
    words_of.load_own_variables({"idf_weights": np.arange(7.0)})
    assert words_of.idf_weights == [1, 2, 3, 4, 5, 6]
    with pytest.raises(ValueError, match="vocabulary of 7, got"):
        words_of.load_own_variables({"idf_weights": np.ones(3)})


def test_layers_of_a_graph_may_be_adapted_afterwards(dialect):
    """The vocabulary is [UNK], b, a; the median of 0 … 8 parts the numbers."""
    word, number = Input((1,), dtype="string"), Input((1,))
    lookup, bins = StringLookup(), Discretization(num_bins=2, output_mode="one_hot")
    places, halves = lookup(word), bins(number)
    assert halves.shape == (None, 2)
    lookup.adapt(np.array([["b"], ["b"], ["a"]]))
    bins.adapt(np.arange(9.0)[:, None])
    model = Model([word, number], [places, halves])
    found = model.predict([np.array(["a", "b", "c"]), np.array([1.0, 7.0, 8.0])])
    assert found[0].tolist() == [[2], [1], [0]]
    assert found[1].tolist() == [[1, 0], [0, 1], [0, 1]]


def test_a_single_column_may_come_as_a_row(dialect):
    x = Input((1,))
    model = Model(x, Dense(2)(x))
    numbers = np.arange(4.0)
    np.testing.assert_allclose(
        model.predict(numbers), numbers[:, None] @ model.get_weights()[0], rtol=1e-6
    )


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Dense(2)(Input((1,), dtype="string")), TypeError, "got strings: StringLookup"),
        (lambda: mixed().predict({**ROWS, "city": np.arange(5)}), TypeError, "rows of strings"),
        (lambda: mixed().predict({**ROWS, "city": CITY[:3]}), ValueError, "same number of samples"),
        (lambda: mixed().predict({**ROWS, "more": CITY}), TypeError, "must hold numbers"),
        (
            lambda: StringLookup(vocabulary=["a"], invert=True)(Input((1,), dtype="int32")),
            TypeError,
            "strings are no part of a model",
        ),
    ],
)
def test_wrong_use_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_strings_beside_what_is_computed_are_refused():
    city, size = Input((1,), dtype="string"), Input((1,))
    rounded = Dense(1)(size)
    crossed = HashedCrossing(4, output_mode="one_hot")([city, rounded])
    with pytest.raises(TypeError, match="takes strings beside"):
        Model([city, size], crossed)
