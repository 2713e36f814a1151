import json
from pathlib import Path

import jax
import numpy as np
import pytest

from funkeras import functional as F
from funkeras.functional.fingerprints import crossed, farm_hash, sip_hash

STORED = json.loads((Path(__file__).parents[1] / "golden" / "fingerprints.json").read_text())
BINS, DATA = STORED["bins"], [bytes.fromhex(text) for text in STORED["data"]]


def test_farm_hash_equals_tensorflows():
    assert [farm_hash(data) % BINS for data in DATA] == STORED["farm"]


@pytest.mark.parametrize(("key", "expected"), STORED["sip"], ids=str)
def test_sip_hash_equals_tensorflows(key, expected):
    assert [sip_hash(data, key) % BINS for data in DATA] == expected


def test_crosses_equal_tensorflows():
    rows = zip(DATA, STORED["numbers"], DATA[::-1], strict=True)
    got = [crossed([farm_hash(a), n % 2**64, farm_hash(b)]) % BINS for a, n, b in rows]
    assert got == STORED["crossed"]


@pytest.mark.parametrize("given", [{}, {"salt": 7}, {"mask_value": 3}])
def test_numbers_are_hashed_in_a_compiled_step_as_on_the_host(given):
    pair = F.hashing(5, **given)
    x = np.arange(-6, 6).reshape(3, 4)
    host = pair.apply({}, {}, x)[0]
    np.testing.assert_array_equal(jax.jit(lambda x: pair.apply({}, {}, x)[0])(x), host)
    rows = jax.vmap(lambda x: pair.apply({}, {}, x)[0])(x)
    np.testing.assert_array_equal(rows, host)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: F.hashing(0), "num_bins must be a positive integer"),
        (lambda: F.hashing(3, salt=(1, 2, 3)), "salt must be an integer or two"),
        (lambda: F.hashing(3, output_mode="binary"), "output_mode must be one of"),
        (lambda: F.hashed_crossing(3).apply({}, {}, np.arange(3)), "at least two inputs"),
        (lambda: F.hashed_crossing(3).apply({}, {}, (np.ones(3), np.ones(3))), "got real numbers"),
        (lambda: F.hashed_crossing(3).apply({}, {}, ([1], [1, 2])), "must all be of shape"),
    ],
)
def test_wrong_use_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
