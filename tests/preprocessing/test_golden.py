"""Every stored case of genuine Keras 1.2.2, 2.2.4 and 3, in the spelling of its generation."""

import json
import random
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from funkeras import config
from funkeras.preprocessing import image, sequence, text
from funkeras.preprocessing.image import ImageDataGenerator
from funkeras.preprocessing.text import Tokenizer
from funkeras.utils import np_utils

GOLDEN = Path(__file__).parents[1] / "golden"
DIALECTS = {"keras-1.2.2": "classic", "keras-2.2.4": "keras2", "keras-3.15.1": "modern"}
CASES = json.loads((GOLDEN / "preprocessing.json").read_text())


@cache
def stored():
    with np.load(GOLDEN / "preprocessing.npz") as archive:
        return {key: archive[key] for key in archive.files}


def arrays(case):
    """The arrays of a case by name."""
    return {
        name: [stored()[key] for key in keys] if isinstance(keys, list) else stored()[keys]
        for name, keys in case["arrays"].items()
    }


def close(got, expected):
    got, expected = np.asarray(got), np.asarray(expected)
    assert got.shape == expected.shape
    assert got.dtype == expected.dtype
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-6)


def error(got, expected):
    return (np.abs(got - expected) / (1 + np.abs(expected))).max()


def check_sequence(case, given, inputs):
    expected = arrays(case)
    table = expected.get("in_sampling_table")
    given = {**given, **inputs, **({} if table is None else {"sampling_table": table})}
    random.seed(11)
    got = getattr(sequence, case["class"])(**given)
    if case["class"] == "skipgrams":
        assert got == (case["json_outputs"]["couples"], case["json_outputs"]["labels"])
    else:
        close(got, expected["out_value"])


def check_words(case, given, inputs):
    assert text.text_to_word_sequence(**inputs, **given) == case["json_outputs"]["value"]


def check_one_hot(case, given, inputs):
    got, expected = text.one_hot(**inputs, **given), case["json_outputs"]
    words = text.text_to_word_sequence(**inputs)
    assert len(got) == expected["length"]
    assert len(set(zip(words, got, strict=True))) == len(set(words))
    assert min(got) >= expected["min_at_least"]
    assert max(got) < expected["max_below"]


def check_tokenizer(case, given, inputs):
    tokenizer, expected = Tokenizer(**given), case["json_outputs"]
    tokenizer.fit_on_texts(inputs["texts"])
    assert tokenizer.texts_to_sequences(inputs["new_texts"]) == expected["texts_to_sequences"]
    assert tokenizer.document_count == expected["document_count"]
    assert tokenizer.word_index == expected["word_index"]
    for name in ("word_counts", "word_docs", "index_docs"):
        assert getattr(tokenizer, name) == dict(map(tuple, expected[name]))
    for name, matrix in arrays(case).items():
        mode = name.removeprefix("out_matrix_")
        close(tokenizer.texts_to_matrix(inputs["new_texts"], mode), matrix)
    for name in set(expected) - {
        "texts_to_sequences",
        "document_count",
        "word_index",
        "word_counts",
        "word_docs",
        "index_docs",
    }:
        assert name == "sequences_to_texts", name
        sequences = tokenizer.texts_to_sequences(inputs["new_texts"])
        assert tokenizer.sequences_to_texts(sequences) == expected[name]


def check_matrix(case, given, inputs):
    tokenizer = Tokenizer(**given)
    tokenizer.fit_on_sequences(inputs["sequences"])
    for name, matrix in arrays(case).items():
        mode = name.removeprefix("out_matrix_")
        close(tokenizer.sequences_to_matrix(inputs["sequences"], mode), matrix)


def check_numbers(case, given, inputs):
    function, found = getattr(np_utils, case["class"]), arrays(case)
    if case["class"] == "conv_output_length":
        for *row, expected in case["json_outputs"]["rows"]:
            assert function(*row) == expected
    elif case["class"] == "probas_to_classes":
        for name in "ab":
            np.testing.assert_array_equal(function(found[f"in_{name}"]), found[f"out_{name}"])
    else:
        ((_, x),) = ((name, a) for name, a in found.items() if name.startswith("in_"))
        close(function(x, **given), found["out_value"])


def check_image(case, given, inputs):
    found = arrays(case)
    np.random.seed(4 if case["class"] == "random_channel_shift" else 3)
    given = {**given, **{k[3:]: a for k, a in found.items() if k.startswith("in_") and k != "in_x"}}
    args = [found["in_x"]] if "in_x" in found else []
    got = getattr(image, case["class"])(*args, *given.pop("args", ()), **given)
    close(got, found["out_value"])


def check_standardize(case, given, inputs):
    found, generator = arrays(case), ImageDataGenerator(**given)
    generator.fit(found["in_fit_data"])
    before = found["in_x"].copy()
    got = generator.standardize(found["in_x"])
    np.testing.assert_array_equal(found["in_x"], before)
    exact = ImageDataGenerator(**given, dtype="float64")
    exact.fit(found["in_fit_data"])
    rounding = error(got, exact.standardize(found["in_x"].astype("float64")))
    assert got.dtype == found["out_value"].dtype
    assert error(got, found["out_value"]) <= max(1e-6, 4 * rounding)
    for name in ("mean", "std"):
        if f"out_{name}" in found:
            close(getattr(generator, name), found[f"out_{name}"])


def check_flow(case, given, inputs):
    found, options = arrays(case), given.pop("flow")
    iterator = ImageDataGenerator(**given).flow(found["in_x"], found["in_y"], **options)
    for x, y in zip(found["out_batches_x"], found["out_batches_y"], strict=True):
        got = next(iterator)
        close(got[0], x)
        close(got[1], y)


CHECKS = {
    **dict.fromkeys(("pad_sequences", "make_sampling_table", "skipgrams"), check_sequence),
    "text_to_word_sequence": check_words,
    "one_hot": check_one_hot,
    "Tokenizer": check_tokenizer,
    "Tokenizer.sequences_to_matrix": check_matrix,
    **dict.fromkeys(
        (
            "to_categorical",
            "normalize",
            "convert_kernel",
            "conv_output_length",
            "probas_to_classes",
        ),
        check_numbers,
    ),
    "ImageDataGenerator.standardize": check_standardize,
    "ImageDataGenerator.flow": check_flow,
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_equals_genuine_keras(case):
    with config.using_dialect(DIALECTS[case["generation"]]):
        check = CHECKS.get(case["class"], check_image)
        check(case, dict(case["kwargs"]), case.get("json_inputs", {}))
