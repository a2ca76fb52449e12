"""Fixtures: what the notebooks hand to the explorers, of one small demo."""

import pytest
from explored import opened, tables_of
from matplotlib import pyplot as plt

from helpers import look
from helpers.data import cache as results


@pytest.fixture(scope="session")
def given(small_demo):
    look.use("en", small_demo.currency)
    return tables_of(small_demo)


@pytest.fixture(scope="session")
def at_page(given):
    """Give an explorer, opened once, to tests that leave it as they found it."""
    made = {}

    def explorer(name: str):
        if name not in made:
            made[name] = opened(name, given[name])
        return made[name]

    return explorer


@pytest.fixture(autouse=True)
def _spoken(small_demo, monkeypatch):
    # a card's network is worked out once a scope, as for people
    monkeypatch.setattr(results, "IN_USE", True)
    look.use("en", small_demo.currency)
    yield
    assert not plt.get_fignums(), "an explorer leaves a figure open"
