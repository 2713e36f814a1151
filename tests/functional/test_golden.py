import pytest
from golden_cases import exceptions, load

KNOWN = exceptions("layers")
CASES = [*load("layers"), *load("normalization")]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_layer_equals_genuine_keras(case):
    left, _, _ = KNOWN.get(case.id, "").partition(":")
    case.check(leave=(left,))
