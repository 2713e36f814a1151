"""Every code block of the guide runs as it stands, in the order of its page."""

import re
import runpy
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
MAKE = runpy.run_path(str(DOCS / "make.py"))
PAGES = sorted(DOCS.glob("**/*.md"))
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


def name(page: Path) -> str:
    return page.stem


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_the_blocks_of_a_page_run(page: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    MAKE["run_blocks"](page)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_table_of_layers_is_current() -> None:
    written = MAKE["TABLE"].read_text()
    assert MAKE["with_table"](written) == written, "run python docs/make.py"


def test_every_page_is_in_the_contents() -> None:
    contents = (DOCS.parent / "mkdocs.yml").read_text()
    missing = [page for page in PAGES if str(page.relative_to(DOCS)) not in contents]
    assert not missing
