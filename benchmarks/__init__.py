"""Measures the portal beside its limits (`bin/bench`); docs/benchmarks.md says what and how."""
