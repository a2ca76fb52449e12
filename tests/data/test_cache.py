"""Kept results: the same as worked out anew, by all they are made of, and never half a file."""

import functools
import os
import pickle
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from helpers import data, settings
from helpers.consumers import groups, month
from helpers.data import cache as results
from helpers.data import read, tables

LINES = "dealer_id,date,revenue\n001,2026-01-02,1.00\n002,2026-01-31,2.00\n"


@pytest.fixture
def asked(cache, monkeypatch):
    """A kept function that counts how often it is really asked."""
    monkeypatch.setattr(results, "IN_USE", True)
    calls = []

    @data.kept
    def totals(*args, **kwargs):
        calls.append((args, kwargs))
        return pd.DataFrame({"n": [len(calls)]})

    totals.calls = calls
    return totals


def files(cache) -> list:
    return sorted((cache / "kept").glob("*"))


def test_a_result_is_worked_out_once_and_comes_back_as_it_was(make_book, cache, monkeypatch):
    monkeypatch.setattr(results, "IN_USE", True)
    book = make_book(sell_in=LINES)
    first = data.dealer_totals(book, "2026-01")
    monkeypatch.setattr(read, "_finished", lambda *_: pytest.fail("worked out again"))
    again = data.dealer_totals(book, "2026-01")
    pd.testing.assert_frame_equal(first, again)
    again.loc[0, "revenue"] = -1.0  # whoever changes what he was given changes nobody else's
    pd.testing.assert_frame_equal(
        first, data.dealer_totals(settings.workbook(book.path), "2026-01")
    )


def test_groups_come_back_as_they_were(cache, monkeypatch):
    monkeypatch.setattr(results, "IN_USE", True)
    rng = np.random.default_rng(5)
    people = pd.DataFrame(
        {
            "consumer_id": [f"p{i}" for i in range(200)],
            "price_tier": np.exp(np.repeat([0.0, 9.0], 100) + rng.normal(size=200)),
        }
    )
    asked = functools.partial(month.kept_groups, k=2, stable_index=0.9)
    first = asked(people, before=None)
    monkeypatch.setattr(
        groups.number_of_groups, "choice_of_k", lambda *_, **__: pytest.fail("worked out again")
    )
    again = asked(people, before=None)
    pd.testing.assert_series_equal(first.labels, again.labels)
    pd.testing.assert_frame_equal(first.choice, again.choice)
    assert groups.scaled(people, first.model).equals(groups.scaled(people, again.model))
    with pytest.raises(pytest.fail.Exception):  # another model to agree with is another question
        asked(people, before=first.model)


def test_anything_a_result_is_made_of_makes_it_anew(asked, make_book, cache, monkeypatch):
    book = make_book(sell_in=LINES)
    table = pd.DataFrame({"a": [1.0, 2.0]})
    questions = [
        ((book, "2026-01"), {}),
        ((book, "2026-02"), {}),
        ((book, "2026-01"), {"n": 2}),
        ((table,), {}),
        ((table.assign(a=[1.0, 3.0]),), {}),
        ((table.rename(columns={"a": "b"}),), {}),
    ]
    for args, kwargs in questions * 2:
        asked(*args, **kwargs)
    assert len(asked.calls) == len(questions)
    (book.folder / "plan.csv").write_text("factor_id\n")  # what people wrote beside the workbook
    asked(book, "2026-01")
    (book.folder / "sell_in.csv").write_text(LINES.replace("2.00", "9.00"))
    os.utime(book.folder / "sell_in.csv", (1, 1))
    asked(book, "2026-01")
    book.path.write_text(book.path.read_text().replace("Lumora", "Kaltern"))
    asked(settings.workbook(book.path), "2026-01")
    assert len(asked.calls) == len(questions) + 3


def test_code_that_was_edited_since_it_was_loaded_keeps_nothing(asked, cache, monkeypatch):
    monkeypatch.setattr(results, "_LOADED", [("read.py", 1, 1)])
    asked(1)
    asked(1)
    assert len(asked.calls) == 2
    assert not files(cache)


def test_a_servers_tables_are_kept_within_a_run_only(asked, make_book, monkeypatch):
    book = make_book(sell_in=LINES)
    monkeypatch.setattr(settings.Workbook, "embedded", property(lambda _self: False))
    monkeypatch.setattr(
        tables, "fingerprint", lambda _book: pytest.fail("a server was asked for all it has")
    )
    asked(book, "2026-01")
    asked(book, "2026-01")
    assert len(asked.calls) == 2
    monkeypatch.setenv("WORKBOOK_DATA", "as the run found them")
    asked(book, "2026-01")
    asked(book, "2026-01")
    assert len(asked.calls) == 3


@pytest.mark.parametrize("broken", [b"", b"nonsense", pickle.dumps(pd.DataFrame({"n": [1]}))[:40]])
def test_a_file_that_is_broken_is_made_anew(asked, cache, broken):
    asked(1)
    files(cache)[0].write_bytes(broken)
    assert asked(1)["n"].tolist() == [2]
    assert asked(1)["n"].tolist() == [2]


def test_a_folder_that_cannot_be_written_to_keeps_nothing_and_stops_nobody(asked, cache):
    cache.mkdir(exist_ok=True)
    (cache / "kept").write_text("a file in its place")
    assert asked(1)["n"].tolist() == [1]
    assert asked(1)["n"].tolist() == [2]


def test_what_nobody_asked_for_lately_goes(asked, cache):
    asked(1)
    asked(2)
    week_ago = time.time() - (results.KEPT_DAYS + 1) * 86400
    for file in files(cache):
        os.utime(file, (week_ago, week_ago))
    asked(1)  # in use again
    asked(3)
    assert len(files(cache)) == 2
    asked(1)
    assert len(asked.calls) == 3
    asked(2)
    assert len(asked.calls) == 4


def test_two_processes_that_keep_the_same_leave_one_whole_file(make_book, cache):
    book = make_book(sell_in=LINES)
    ask = (
        f"from helpers import data; print(data.dealer_totals(data.workbook({str(book.path)!r}), "
        "'2026-01').to_csv())"
    )
    env = {**os.environ, "WORKBOOK_CACHE": str(cache)}
    runs = [
        subprocess.Popen([sys.executable, "-c", ask], stdout=subprocess.PIPE, env=env)
        for _ in range(3)
    ]
    said = {run.communicate()[0] for run in runs}
    assert len(said) == 1
    assert b"001" in said.pop()
    assert len([file for file in files(cache) if file.name.startswith("dealer_totals")]) == 1
