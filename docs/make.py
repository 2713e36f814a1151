"""Makes what these pages contain besides their words: pictures, and the table of all layers.

`python docs/make.py` after a page's code or a layer was changed. The pages themselves are built by
`mkdocs build`, without a network; its reference comes from docstrings.
"""

import inspect
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from funkeras import spellings
from funkeras.functional import builders

__all__ = ["GUIDE", "TABLE", "run_blocks", "table_of_layers", "with_table"]

GUIDE = Path(__file__).parent / "guide"
TABLE = GUIDE / "04-layers.md"

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
GENERATED = re.compile(r"(<!-- layers -->\n).*(<!-- end -->)", re.DOTALL)


def run_blocks(page: Path) -> None:
    """Run a page's Python in the present folder, in order, in one scope; pictures go below it."""
    Path("pictures").mkdir(exist_ok=True)
    text = page.read_text(encoding="utf-8")
    scope: dict[str, Any] = {"__name__": page.stem}
    for found in BLOCK.finditer(text):
        line = text.count("\n", 0, found.start(1))
        exec(compile("\n" * line + found[1], str(page), "exec"), scope)


def table_of_layers() -> str:
    """Each registered layer by family: its class, its builder, its old names, what it computes."""
    old: dict[str, list[str]] = {}
    for name, (current, _) in spellings.CLASSES.items():
        old.setdefault(current, []).append(name)
    return "\n".join(_lines(old))


def _lines(old: dict[str, list[str]]) -> Iterator[str]:
    layers = sorted(builders.items(), key=lambda item: (item[1].__module__, item[0]))
    for module, family in groupby(layers, key=lambda item: item[1].__module__):
        title = (inspect.getdoc(sys.modules[module]) or "").split("\n")[0].split(":")[0]
        yield f"\n### {title.rstrip('.')}\n"
        yield "| layer | pure | also | computes |"
        yield "|---|---|---|---|"
        for name, build in family:
            summary = (inspect.getdoc(build) or "").split("\n\n")[0].replace("\n", " ")
            others = ", ".join(f"`{alias}`" for alias in old.get(name, ()))
            shown = summary.replace("|", "\\|")
            yield f"| `{name}` | `F.{build.__name__}` | {others} | {shown} |"


def with_table(page: str) -> str:
    """The page of layers with the present table."""
    return GENERATED.sub(lambda found: f"{found[1]}{table_of_layers()}\n\n{found[2]}", page)


def main() -> None:
    """Write pictures and table in place."""
    TABLE.write_text(with_table(TABLE.read_text(encoding="utf-8")), encoding="utf-8")
    chosen = [GUIDE / f"{name}.md" for name in sys.argv[1:]] or sorted(GUIDE.glob("*.md"))
    for page in (page for page in chosen if "pictures/" in page.read_text(encoding="utf-8")):
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            run_blocks(page)
            for picture in Path("pictures").iterdir():
                (GUIDE / "pictures" / picture.name).write_bytes(picture.read_bytes())


if __name__ == "__main__":
    main()
