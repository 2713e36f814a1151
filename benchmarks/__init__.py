"""Speed, measured: `python -m benchmarks` times epochs, other modules (`benchmarks.NAME`) the rest."""
