"""Where a workbook's project is: its notebooks tell, else the checkout, else the toml."""

import pytest

from helpers import settings
from helpers.data import cache, connections
from helpers.press import editions
from helpers.settings import CHECKOUT, NOTEBOOKS, places
from toys import cell, write_book, write_notebook


@pytest.fixture
def tree(tmp_path):
    """Lay out a project with a toml of its own, and one below that of no notebooks."""
    write_notebook(tmp_path / "project" / "notebooks", "02_abc", cell("1"))
    (tmp_path / "project" / "east" / "2026").mkdir(parents=True)
    (tmp_path / "alone").mkdir()
    return tmp_path


@pytest.mark.parametrize("toml", ["project", "project/east", "project/east/2026"])
def test_the_nearest_folder_with_notebooks_is_the_project(tree, toml, monkeypatch):
    monkeypatch.setattr(connections, "CACHE", None)
    book = write_book(tree / toml)
    assert book.project == tree / "project"
    assert book.notebooks == tree / "project" / "notebooks"
    assert editions.base(book) == tree / "project" / "reports" / "tiny"
    assert connections.cache_of(book) == tree / "project" / "data" / "cache"


def test_without_notebooks_it_is_the_checkouts_or_the_tomls(tree, monkeypatch):
    book = write_book(tree / "alone")
    assert (book.project, book.notebooks) == (CHECKOUT, NOTEBOOKS)
    monkeypatch.setattr(places, "CHECKOUT", None)  # as where the package is installed
    assert (book.project, book.notebooks) == (tree / "alone", NOTEBOOKS)


def test_notebooks_without_a_number_make_no_project(tree):
    write_notebook(tree / "alone" / "notebooks", "scratch", cell("1"))
    assert write_book(tree / "alone").project == CHECKOUT


@pytest.mark.parametrize("path", sorted((CHECKOUT / "examples").glob("*/*.toml")), ids=str)
def test_the_examples_belong_to_the_checkout(path):
    assert settings.project_of(path) == CHECKOUT


def test_what_no_workbook_is_asked_for_is_kept_where_we_stand_or_nowhere(tree, monkeypatch):
    monkeypatch.setattr(connections, "CACHE", None)
    monkeypatch.chdir(tree / "project" / "east")
    assert cache._cache(None) == tree / "project" / "data" / "cache"
    monkeypatch.chdir(tree / "alone")
    assert cache._cache(None) == CHECKOUT / "data" / "cache"
    monkeypatch.setattr(places, "CHECKOUT", None)
    assert cache._cache(None) is None
    asked = []
    monkeypatch.setattr(cache, "IN_USE", True)
    assert cache.kept(lambda number: asked.append(number) or number)(3) == 3
    assert asked == [3] and not [*(tree / "alone").iterdir()]
