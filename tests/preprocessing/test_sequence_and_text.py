import json
import random

import numpy as np
import pytest

from funkeras import config
from funkeras.preprocessing.sequence import (
    TimeseriesGenerator,
    make_sampling_table,
    pad_sequences,
    skipgrams,
)
from funkeras.preprocessing.text import (
    FILTERS,
    Tokenizer,
    base_filter,
    hashing_trick,
    one_hot,
    text_to_word_sequence,
    tokenizer_from_json,
)

TEXTS = ["The cat sat on the mat.", "A dog, a cat!", ""]


def test_padding_keeps_further_axes_and_takes_strings():
    rows = [np.ones((2, 3)), np.zeros((0, 3)), 2 * np.ones((4, 3))]
    padded = pad_sequences(rows, maxlen=3, dtype="float32", value=-1)
    assert padded.shape == (3, 3, 3)
    np.testing.assert_array_equal(padded[:, :, 0], [[-1, 1, 1], [-1, -1, -1], [2, 2, 2]])
    words = pad_sequences([["a"], ["bc", "d"]], dtype=object, padding="post", value="<pad>")
    assert words.tolist() == [["a", "<pad>"], ["bc", "d"]]
    assert pad_sequences([], maxlen=2).shape == (0, 2)
    assert pad_sequences([[1], []], maxlen=0).shape == (2, 0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"padding": "both"}, "padding must be 'pre' or 'post', got 'both'"),
        ({"truncating": "left"}, "truncating must be"),
        ({"value": "x"}, "needs dtype=object"),
        ({"sequences": [[1], 2]}, "got 2 at position 1"),
        ({"sequences": [[[1, 2]], [[1, 2, 3]]]}, r"shape \(2,\) of the first one"),
    ],
)
def test_padding_refuses(given, message):
    with pytest.raises(ValueError, match=message):
        pad_sequences(**{"sequences": [[1]], **given})


def test_skipgrams_of_chance():
    couples, labels = skipgrams([3, 0, 1, 2], 9, negative_samples=2.0, seed=5)
    again = skipgrams([3, 0, 1, 2], 9, negative_samples=2.0, seed=5, shuffle=False)[0]
    assert sum(labels) == 6
    assert len(labels) == len(couples) == len(again) == 18
    assert {tuple(pair) for pair, label in zip(couples, labels, strict=True) if label} == {
        (a, b) for a in (1, 2, 3) for b in (1, 2, 3) if a != b
    }
    assert all(1 <= b < 9 for _, b in couples)
    assert skipgrams([0, 4], 9) == ([], [])
    random.seed(0)
    table = make_sampling_table(10, sampling_factor=1.0)
    assert skipgrams([1, 2], 9, negative_samples=0, sampling_table=table)[1] == [1, 1]


def test_windows_of_a_series():
    data = np.arange(40).reshape(20, 2)
    windows = TimeseriesGenerator(
        data, np.arange(20), length=4, sampling_rate=2, stride=3, batch_size=2, start_index=1
    )
    assert len(windows) == len(list(windows)) == 3
    x, y = windows[0]
    assert y.tolist() == [5, 8]
    assert x[..., 0].tolist() == [[2, 6], [8, 12]]
    assert windows[-1][1].tolist() == [17]
    with pytest.raises(IndexError):
        windows[3]
    backwards = TimeseriesGenerator(data, data, 4, reverse=True, shuffle=True, batch_size=7)
    x, y = backwards[0]
    assert x.shape == (7, 4, 2)
    assert (np.diff(x[..., 0], axis=1) == -2).all()
    np.testing.assert_array_equal(x[:, 0] + 2, y)


def test_series_described():
    described = json.loads(TimeseriesGenerator([1, 2, 3], np.arange(3), 1).to_json())
    assert described["class_name"] == "TimeseriesGenerator"
    assert described["config"]["data"] == "[1, 2, 3]"
    assert described["config"]["targets"] == "[0, 1, 2]"
    assert (described["config"]["start_index"], described["config"]["end_index"]) == (1, 2)
    with pytest.raises(ValueError, match="same length, got 2 and 3"):
        TimeseriesGenerator([1, 2], [1, 2, 3], 1)
    with pytest.raises(ValueError, match="no window fits"):
        TimeseriesGenerator([1, 2], [1, 2], 2)


def test_separators_of_several_characters():
    assert text_to_word_sequence("a-b c", split=" | ", filters="-") == ["a", "b c"]
    assert text_to_word_sequence(input_text="A b", lower=False) == ["A", "b"]
    assert base_filter() == FILTERS
    assert len(base_filter()) == 33


def test_hashes():
    words = "the cat and the hat"
    assert one_hot(words, 50, analyzer=lambda text: ["x"] * 3) == one_hot("x", 50) * 3
    assert hashing_trick(words, 9, len) == [4, 4, 4, 4, 4]
    with config.using_dialect("modern"):
        assert one_hot(words, 9) == [hash(word) % 8 + 1 for word in words.split()]
    assert one_hot(words, 9) == [abs(hash(word)) % 8 + 1 for word in words.split()]
    with pytest.raises(ValueError, match="'md5', a function or None; got 'sha'"):
        hashing_trick(words, 9, "sha")
    with pytest.raises(ValueError, match="at least 2"):
        one_hot(words, 1)


@pytest.mark.parametrize("dialect", ["classic", "keras2", "modern"])
def test_json_gives_an_equal_tokenizer(dialect):
    with config.using_dialect(dialect):
        tokenizer = Tokenizer(num_words=5, oov_token="?")
        tokenizer.fit_on_texts(TEXTS)
        again = tokenizer_from_json(tokenizer.to_json())
    assert again.get_config() == tokenizer.get_config()
    assert tokenizer.index_word[1] == "?"
    for mode in ("binary", "count", "freq", "tfidf"):
        np.testing.assert_array_equal(
            again.texts_to_matrix(TEXTS, mode), tokenizer.texts_to_matrix(TEXTS, mode)
        )
    assert again.sequences_to_texts([[2, 3, 4, 99]]) == ["the cat a ?"]


def test_texts_as_lists_of_words():
    tokenizer = Tokenizer(analyzer=str.split)
    tokenizer.fit_on_texts([["A", "b"], "a,b"])
    assert tokenizer.word_index == {"a": 1, "b": 2, "a,b": 3}
    assert tokenizer.texts_to_sequences([["B"]]) == [[2]]


def test_tokenizer_in_the_words_of_keras_1():
    tokenizer = Tokenizer(nb_words=3, filters=base_filter())
    assert tokenizer.nb_words == tokenizer.num_words == 3
    for _ in range(2):
        tokenizer.fit_on_texts(TEXTS)
    assert tokenizer.document_count == 3
    assert Tokenizer(3).num_words == 3
    with config.using_dialect("keras2"):
        tokenizer = Tokenizer()
        for _ in range(2):
            tokenizer.fit_on_texts(TEXTS)
    assert tokenizer.document_count == 6


def test_tokenizer_refuses():
    with pytest.raises(TypeError, match="did you mean 'num_words'"):
        Tokenizer(num_word=3)
    with pytest.raises(ValueError, match="number of columns is unknown"):
        Tokenizer().sequences_to_matrix([[1]])
    with pytest.raises(ValueError, match="mode must be one of binary, count, freq, tfidf"):
        Tokenizer(5).sequences_to_matrix([[1]], "bits")
    with pytest.raises(ValueError, match="needs counts"):
        Tokenizer(5).sequences_to_matrix([[1]], "tfidf")
