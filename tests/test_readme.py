"""The README's code runs as it stands."""

import re
from pathlib import Path
from typing import Any

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_blocks_run_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    scope: dict[str, Any] = {}
    for block in BLOCKS:
        exec(block, scope)
    from funkeras import layers
    from funkeras.functional.pair import builders

    try:
        assert layers.Scale(0.5, input_dim=3).initial == 0.5
    finally:
        builders.remove("Scale")
