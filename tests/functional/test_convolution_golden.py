import pytest
from golden_cases import load

CASES = [*load("convolution"), *load("convolution_keras3")]
BRIEF = {case.name: case for case in CASES}.values()
"""One case of each name of a layer; the others are slow only because they are many."""


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, marks=[] if case in BRIEF else pytest.mark.slow) for case in CASES],
    ids=str,
)
def test_layer_equals_genuine_keras(case):
    case.check()
