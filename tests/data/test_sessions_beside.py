"""Sessions that people keep beside the toml: added to what it names, each of them once."""

import pandas as pd
import pytest

from conftest import small_tables
from helpers import data, settings
from helpers.data import checks, tables
from helpers.settings import DataError

HEAD = "session,scored_date,participant,kind,item_id,score"
W1 = f"{HEAD}\nW1,2026-09-01,P01,factor,f01,6\nW1,2026-09-01,P02,factor,f01,7\n"
PAIRS = "session,participant,item_a,item_b,ratio\nW1,P01,b1,b2,3\n"


def session(name="W2", score=8.0, n=2):
    return pd.DataFrame(
        {
            "session": name,
            "scored_date": pd.Timestamp("2026-10-31"),
            "participant": [f"P{i:02d}" for i in range(1, n + 1)],
            "kind": "factor",
            "item_id": "f01",
            "score": score,
            "brand": "Lumora",
            "round": 1.0,
        }
    )


NO_PAIRS = pd.DataFrame(columns=["session", "participant", "item_a", "item_b", "ratio"])


@pytest.fixture
def book(make_book):
    """Open a workbook whose toml names scores and comparisons in a folder of their own."""
    opened = make_book(**small_tables())
    lines = ""
    for name, text in (("scores", W1), ("comparisons", PAIRS)):
        (opened.folder / "given").mkdir(exist_ok=True)
        (opened.folder / "given" / f"{name}.csv").write_text(text, encoding="utf-8")
        lines += f'[data.{name}]\nsource = "given/{name}.csv"\n'
    opened.path.write_text(opened.path.read_text(encoding="utf-8") + lines, encoding="utf-8")
    return settings.workbook(opened.path)


def again(book):
    return settings.workbook(book.path)


def test_they_are_added_to_what_the_toml_names(book):
    before = data.fingerprint(book)
    data.keep_session(book, session(), NO_PAIRS)
    opened = again(book)
    rows = data.records(opened, "scores")
    assert rows.groupby("session").size().to_dict() == {"W1": 2, "W2": 2}
    # a column that only one of them has is empty in the other
    assert rows.set_index("session")["round"].loc["W1"].isna().all()
    assert rows.set_index("session")["brand"].loc["W2"].eq("Lumora").all()
    assert data.fingerprint(opened) != before, "pages are printed anew"
    assert data.described(opened, "scores")["rows"] == 4
    assert (checks.findings(opened)["severity"] == "error").sum() == 0
    assert len(data.records(opened, "comparisons")) == 1, "and the other table is as it was"


def test_they_are_found_where_the_toml_names_none(make_book):
    book = make_book(**small_tables())
    data.keep_session(book, session(), NO_PAIRS)
    assert data.records(again(book), "scores")["session"].tolist() == ["W2", "W2"]


def test_the_file_that_the_toml_names_is_not_added_to_itself(make_book):
    book = make_book(scores=W1, **small_tables())
    for source in ("scores.csv", "./scores.csv", "s*.csv"):
        text = book.path.read_text(encoding="utf-8")
        book.path.write_text(text.replace('"scores.csv"', f'"{source}"'), encoding="utf-8")
        assert len(data.records(again(book), "scores")) == 2, source
        book.path.write_text(text, encoding="utf-8")
    data.keep_session(book, session(), NO_PAIRS)
    assert len(data.records(again(book), "scores")) == 4, "and sessions are written into it"


def test_a_session_that_stands_twice_is_refused_with_the_next_step(book):
    (book.folder / "scores.csv").write_text(W1, encoding="utf-8")
    with pytest.raises(DataError, match=r"scores\.session: 2 rows of scores\.csv.*'W1'"):
        data.records(again(book), "scores")
    with pytest.raises(DataError, match="name it otherwise"):
        data.prepare(again(book))
    (found,) = checks.findings(again(book)).to_dict("records")
    assert (found["check"], found["severity"], found["file"]) == (
        "session_twice",
        "error",
        "scores.csv",
    )


def test_what_is_wrong_beside_the_toml_is_told_of_that_file(book):
    (book.folder / "scores.csv").write_text(W1.replace("W1", "W2").replace(",7", ",seven"))
    with pytest.raises(DataError, match=r"scores\.csv.*seven"):
        data.records(again(book), "scores")


def test_a_session_is_kept_once(book):
    data.keep_session(book, session(), NO_PAIRS)
    file = book.folder / "scores.csv"
    before = file.read_bytes()
    data.keep_session(again(book), session(), NO_PAIRS)
    assert file.read_bytes() == before and not file.with_name("scores.csv.bak").exists()
    with pytest.raises(DataError, match=r"W2.*says otherwise"):
        data.keep_session(again(book), session(score=3.0), NO_PAIRS)
    assert file.read_bytes() == before
    data.keep_session(again(book), session(score=3.0), NO_PAIRS, again=True)
    assert data.records(again(book), "scores").query("session == 'W2'")["score"].eq(3).all()
    assert file.with_name("scores.csv.bak").read_bytes() == before


def test_a_session_of_the_tomls_own_table_is_never_replaced(book):
    for more in ({}, {"again": True}):
        with pytest.raises(DataError, match=r"W1.*has it already"):
            data.keep_session(book, session("W1"), NO_PAIRS, **more)
    assert not (book.folder / "scores.csv").exists()


def test_nothing_is_written_before_all_is_known_to_be_right(book):
    pairs = pd.DataFrame([("W2", "P01", "b1", None, 2.0)], columns=NO_PAIRS.columns)
    with pytest.raises(DataError, match="no item_b"):
        data.keep_session(book, session(), pairs)
    assert not (book.folder / "scores.csv").exists()
    with pytest.raises(DataError, match="one is kept at a time"):
        data.keep_session(book, session().head(0), NO_PAIRS)
    with pytest.raises(DataError, match="one is kept at a time"):
        data.keep_session(book, pd.concat([session("W2"), session("W3")]), NO_PAIRS)


@pytest.mark.parametrize("name", ["", "=1+1", "../x", "a/b", "x" * 41, " W2", "W2 ", "a\nb", "@x"])
def test_a_session_has_a_name_that_files_can_have(name):
    with pytest.raises(DataError, match="letters, digits"):
        data.require_session(name)


def test_a_file_that_is_read_in_its_own_way_is_not_written_to(make_book):
    book = make_book(scores=W1.replace("session,", "Sitzung,"), **small_tables())
    text = book.path.read_text(encoding="utf-8")
    mapped = text + '[data.scores.columns]\nsession = "Sitzung"\n'
    book.path.write_text(mapped, encoding="utf-8")
    with pytest.raises(DataError, match="another name"):
        data.keep_session(again(book), session(), NO_PAIRS)


def test_a_scope_leaves_the_network_s_answers(book):
    data.keep_session(book, session(), NO_PAIRS)
    cut = again(book).only(dealer_id="001")
    assert len(data.records(cut, "scores")) == 4


def test_actions_agreed_before_stay_and_the_same_one_is_said_anew(make_book):
    head = "factor_id,dealer_id,owner,owner_en,due_date,target_score,status\n"
    rows = "f01,001,李雷,Li Lei,2026-06-30,7.5,done\nf02,,us,,2026-12-01,6.0,open\n"
    book = make_book(plan=head + rows, **small_tables())
    new = pd.DataFrame(
        [("f02", None, "us", "2027-01-31", 8.0), ("f03", None, "Anna", "2027-02-28", 7.0)],
        columns=["factor_id", "dealer_id", "owner", "due_date", "target_score"],
    )
    data.add_to_plan(book, new)
    found = data.records(again(book), "plan", "zh-Hans").set_index("factor_id")
    assert found["target_score"].to_dict() == {"f01": 7.5, "f02": 8.0, "f03": 7.0}
    assert found.loc["f01", "owner"] == "李雷" and found.loc["f01", "status"] == "done"
    english = data.records(again(book), "plan", "en").set_index("factor_id")
    assert english.loc["f01", "owner"] == "Li Lei", "both names of an owner are kept"


def test_a_table_without_sessions_beside_it_is_read_as_ever(book):
    assert tables.with_sessions(book, "scores") is None
    assert tables.with_sessions(book, "sell_in") is None
