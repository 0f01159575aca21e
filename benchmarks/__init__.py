"""Measurements with the command that shows each: ``python -m benchmarks SCENARIO``."""
