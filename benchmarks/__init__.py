"""Speed, measured: `python -m benchmarks` times epochs; `benchmarks.NAME` times the rest."""
