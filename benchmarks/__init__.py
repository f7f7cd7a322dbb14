"""How long numnet takes, and how long PyTorch takes for the same numbers: ``python -m benchmarks``."""
