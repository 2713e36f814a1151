"""Every example runs, says what it reaches, and reaches it."""

import ast
import re
import runpy
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import jax
import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
PATHS = {path.stem: path for path in sorted(EXAMPLES.glob("*/*.py"))}

SCORES = {
    "mnist_mlp": (0.94, 1),
    "mnist_cnn": (0.97, 1),
    "mnist_cnn_functional": (0.97, 1),
    "mnist_transfer": (0.91, 1),
    "variational_autoencoder": (100, 168),
    "gan": (0.1, 1),
    "siamese": (0.89, 1),
    "saliency": (0, 0.85),
    "augmentation": (0.92, 1),
    "denoising_autoencoder": (0, 0.02),
    "ensemble": (0.935, 1),
    "filter_visualization": (0.9, 1),
    "sentiment_bow": (0.75, 1),
    "sentiment_cnn": (0.75, 1),
    "sentiment_lstm": (0.75, 1),
    "sentiment_bilstm": (0.75, 1),
    "sentiment_attention": (0.75, 1),
    "fasttext": (0.75, 1),
    "char_rnn": (1, 2),
    "tiny_gpt": (1, 1.9),
    "seq2seq": (0.48, 1),
    "word2vec": (0.84, 1),
    "name_classification": (0.83, 1),
}
"""What `main` returns after a whole run: the least and the greatest that is accepted."""

Run = Callable[..., float]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs an example as its command line would, in a folder of its own; its score."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(EXAMPLES)])

    def run(name: str, *arguments: str) -> float:
        monkeypatch.setattr(sys, "argv", [name, *arguments])
        return runpy.run_path(str(PATHS[name]))["main"]()

    return run


@pytest.fixture
def quick_compilation() -> Iterator[None]:
    """Programs that run once are not worth the optimizer's time."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


def docstring(name: str) -> str:
    return ast.get_docstring(ast.parse(PATHS[name].read_text())) or ""


@pytest.mark.usefixtures("quick_compilation")
@pytest.mark.parametrize("name", PATHS)
def test_it_runs_and_draws(name: str, run: Run, tmp_path: Path):
    pytest.importorskip("matplotlib")
    score = run(name, "--fast", "--out", "pictures")
    assert isinstance(score, float)
    assert np.isfinite(score)
    pictures = list((tmp_path / "pictures").glob(f"{name}*.png"))
    assert pictures
    assert all(picture.stat().st_size > 4000 for picture in pictures)


@pytest.mark.usefixtures("quick_compilation")
def test_the_seed_decides(run: Run):
    first, second, other = (run("siamese", "--fast", "--seed", seed) for seed in "112")
    assert first == second != other


@pytest.mark.slow
@pytest.mark.parametrize("name", PATHS)
def test_it_reaches_its_score(name: str, run: Run):
    least, most = SCORES[name]
    assert least <= run(name) <= most


@pytest.mark.parametrize("name", PATHS)
def test_its_docstring_says_what_it_shows_and_reaches(name: str):
    first, *_, last = docstring(name).split("\n\n")
    assert first.endswith(".")
    assert "\n" not in first
    assert re.match(r"Score: .*\d.*\d\sseconds\.$", last, re.DOTALL)


@pytest.mark.parametrize("name", PATHS)
def test_it_is_short(name: str):
    text = PATHS[name].read_text()
    assert len(text.splitlines()) <= 110
    if name == "mnist_cnn_functional":
        code = text.replace(f'"""{docstring(name)}\n"""', "")
        assert len([line for line in code.splitlines() if line.strip()]) < 40


def test_the_table_has_them_all():
    rows = runpy.run_path(str(EXAMPLES / "__main__.py"))["table"]().splitlines()[2:]
    assert len(rows) == len(PATHS) == len(SCORES)
    for row, path in zip(rows, PATHS.values(), strict=True):
        assert f"`{path.parent.name}/{path.name}`" in row
        assert "seconds" in row
