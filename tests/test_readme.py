"""The README's code runs as it stands."""

import re
import runpy
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


def test_the_table_of_examples_is_what_they_say() -> None:
    examples = runpy.run_path(str(Path(__file__).parents[1] / "examples" / "__main__.py"))
    shown = README.partition("<!-- examples -->")[2].partition("<!-- /examples -->")[0]
    assert shown.strip() == examples["table"](), "python examples prints the present one"
