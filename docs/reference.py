"""A hook of mkdocs: one page of reference for each public module, from its docstrings."""

from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

__all__: list[str] = []

ROOT = Path(__file__).parents[1]
HIDDEN = ("__main__", "stub")


def modules() -> list[str]:
    """Dotted names of the modules to describe: every one that a user may import."""
    names = []
    for path in sorted((ROOT / "funkeras").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        if len(parts) > 1 and not any(part in HIDDEN for part in parts):
            names.append(".".join(parts))
    return names


def on_config(config: Any) -> Any:
    """Put the pages into the contents, a section for each package."""
    sections: dict[str, list[Any]] = {}
    for name in modules():
        _, section, *rest = name.split(".")
        title = ".".join(rest) or section
        sections.setdefault(section, []).append({title: f"reference/{name}.md"})
    config.nav.append({"Reference": [{title: pages} for title, pages in sections.items()]})
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the pages themselves: a title, and the directive that mkdocstrings fills."""
    for name in modules():
        content = f"# {name}\n\n::: {name}\n"
        files.append(File.generated(config, f"reference/{name}.md", content=content))
    return files
