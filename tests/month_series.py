"""Months of invented networks, for the forecast's tests and its benchmark."""

import numpy as np


def network(draw: np.random.Generator, n: int) -> np.ndarray:
    """Draw a network's months: season, growth, drift, and errors that hold on."""
    rho, spread = draw.choice([0, 0.3, 0.6]), draw.uniform(0.03, 0.15)
    errors, at = draw.normal(0, spread, n), np.arange(n)
    for i in range(1, n):
        errors[i] += rho * errors[i - 1]
    drift = np.cumsum(draw.normal(0, 0.01, n)) * draw.choice([0, 1])
    season = draw.normal(0, 0.2, 12)[at % 12]
    return 1e6 * np.exp(season + draw.normal(0, 0.05) * at / 12 + errors + drift)
