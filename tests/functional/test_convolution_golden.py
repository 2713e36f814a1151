import pytest
from golden_cases import load


@pytest.mark.parametrize("case", load("convolution"), ids=str)
def test_layer_equals_genuine_keras(case):
    case.check()
