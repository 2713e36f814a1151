"""Speed, measured: each module is a workload that anyone can run (`python -m benchmarks.NAME`)."""
