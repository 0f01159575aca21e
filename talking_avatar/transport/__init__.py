"""Carrying calls: exchanges as values, one HTTP binding, retries and budgets."""
