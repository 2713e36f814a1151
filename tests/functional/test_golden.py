import pytest
from golden_cases import exceptions, load

KNOWN = exceptions("layers")
CASES = [*load("layers"), *load("normalization")]


BRIEF = {case.id.rpartition("-")[0]: case.id for case in CASES}.values()
"""One case of each layer and generation; the others are slow only because they are many."""


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, marks=[] if case.id in BRIEF else pytest.mark.slow) for case in CASES],
    ids=str,
)
def test_layer_equals_genuine_keras(case):
    left, _, _ = KNOWN.get(case.id, "").partition(":")
    case.check(leave=(left,))
