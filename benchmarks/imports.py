"""Import time of funkeras beside that of jax alone, each in fresh processes in turns."""

import statistics
import subprocess
import sys

__all__: list[str] = []

STATEMENTS = {
    "import jax": "import jax, jax.numpy",
    "import funkeras": "import funkeras, funkeras.models, funkeras.layers",
}


def seconds(statement: str) -> float:
    """Seconds that a statement takes as the first of a process."""
    code = f"import time; t = time.perf_counter(); {statement}; print(time.perf_counter() - t)"
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return float(output.stdout)


def main(rounds: int = 9) -> None:
    """Print the medians and their difference."""
    taken: dict[str, list[float]] = {name: [] for name in STATEMENTS}
    for index in range(rounds + 1):
        for name, statement in STATEMENTS.items():
            value = seconds(statement)
            if index:
                taken[name].append(value)
    medians = {name: statistics.median(values) for name, values in taken.items()}
    for name, value in medians.items():
        print(f"{name:<16} {value:.3f} s")
    print(f"difference       {medians['import funkeras'] - medians['import jax']:.3f} s")


if __name__ == "__main__":
    main()
