"""The texts inside the package are those of their sources, and are cut as they say."""

import hashlib
import re

import numpy as np
import pytest

from funkeras.datasets import first_names, king_james, letters_to_sounds, movie_sentences
from funkeras.datasets.packaged import read_rows

HASHES = {
    "movie_sentences.txt.gz": "7600d8c822f32d2b101268e04152123e81417ab8f3c53296e0645d9d1e8ecb9f",
    "king_james.txt.gz": "b9581f08563ee2941b6a6aaff8feff198290ee9f0baf24b87be32517a1a03529",
    "letters_to_sounds.txt.gz": "12c975921abb3e58b88b9f100faf7e8a30f31c299ae15fc56d1dbc23d8f93c7e",
    "first_names.txt.gz": "55b233d7b95f19d3fb4c5e58b10daba4461e3bbc4c01c83c7b6d48ccad323f32",
}
MODULES = [movie_sentences, letters_to_sounds, first_names]


@pytest.mark.parametrize("name", HASHES)
def test_lines_are_those_that_were_taken_from_the_source(name):
    """The hash is that of the lines as they left the source, sorted."""
    lines = sorted("\t".join(row) for row in read_rows(name))
    assert hashlib.sha256("\n".join(lines).encode()).hexdigest() == HASHES[name]


@pytest.mark.parametrize("module", MODULES)
def test_the_test_part_is_the_end_of_the_rows(module):
    (texts, labels), (rest, _) = module.load_data(0)
    (train, y_train), (test, y_test) = module.load_data(0.25)
    assert rest == []
    assert train + test == texts
    assert len(test) == pytest.approx(0.25 * len(texts), abs=1)
    assert len(y_train) + len(y_test) == len(labels)


@pytest.mark.parametrize("module", [*MODULES, king_james])
def test_split_is_a_share(module):
    with pytest.raises(ValueError, match=r"test_split must be in \[0, 1\], got 1000"):
        module.load_data(1000)


def test_ratings():
    """VADER's readme: 10,605 sentences, rated from -4 to 4."""
    (texts, ratings), _ = movie_sentences.load_data(0)
    assert len(texts) == len(ratings) == 10605
    assert np.all(np.abs(ratings) <= 4)
    clear = movie_sentences.load_data(0, least=0.5)[0][1]
    assert len(clear) == np.sum(np.abs(ratings) >= 0.5)
    assert np.abs(clear).min() >= 0.5


def test_book_has_the_verses_of_the_five_books():
    """1,533 + 1,213 + 859 + 1,288 + 959 verses, as every edition counts them."""
    places = [place.split(" ")[0] for place, _ in king_james.load_verses()]
    counts = [places.count(book) for book in dict.fromkeys(places)]
    assert counts == [1533, 1213, 859, 1288, 959]
    train, test = king_james.load_data()
    assert (train + test).count("\n") == 5852


def test_sounds_are_those_of_the_dictionary():
    (words, sounds), _ = letters_to_sounds.load_data(0)
    assert len(set(words)) == len(words) == 40000
    assert all(re.fullmatch("[a-z]{3,12}", word) for word in words)
    assert sounds[words.index("silkworm")] == ["S", "IH1", "L", "K", "W", "ER0", "M"]
    assert len({re.sub(r"\d", "", sound) for row in sounds for sound in row}) == 39


def test_names_have_the_shares_of_the_census():
    """The census list begins with Mary 2.629 % of the women and James 3.318 % of the men."""
    (names, shares), _ = first_names.load_data(0)
    assert shares[names.index("Mary"), 0] == 2.629
    assert shares[names.index("James"), 1] == 3.318
    assert np.count_nonzero(shares[:, 0]) > 3 * np.count_nonzero(shares[:, 1])
