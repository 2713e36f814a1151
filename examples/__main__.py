"""`python examples` prints a table of all examples: what each shows, and the score it reaches."""

import ast
from pathlib import Path

HERE = Path(__file__).parent


def described(path: Path) -> tuple[str, str]:
    """The first line of an example's docstring, and what follows `Score:` there."""
    lines = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    first, *paragraphs = lines.split("\n\n")
    scores = [text.removeprefix("Score: ") for text in paragraphs if text.startswith("Score: ")]
    return " ".join(first.split()), " ".join(" ".join(scores).split())


def table() -> str:
    """All examples in Markdown."""
    rows = ["| example | what it shows | score and time on two cores |", "|---|---|---|"]
    for path in sorted(HERE.glob("*/*.py")):
        shows, score = described(path)
        rows.append(f"| `{path.relative_to(HERE)}` | {shows} | {score} |")
    return "\n".join(rows)


if __name__ == "__main__":
    print(table())
