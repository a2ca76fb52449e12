"""A workbook's own terms: what they add, what they may not change, and how a mistake is named."""

import pandas as pd
import pytest

from helpers import look, settings, words
from helpers.settings import DataError


@pytest.fixture
def opened(make_book):
    """Open a workbook that has these terms beside its toml."""

    def opened(text: str | bytes) -> settings.Workbook:
        made = make_book(sell_in="dealer_id,date,revenue\nD1,2026-10-31,5\n")
        written = text.encode() if isinstance(text, str) else text
        (made.folder / "terms.csv").write_bytes(written)
        return settings.workbook(made.path)

    return opened


def test_own_labels_win_and_new_terms_are_known(opened):
    opened(
        "term,kind,key,en,zh\nrevenue,,,Turnover,\nvisits,count,,Visits,拜访次数\n"
        "table_visits,,dealer_id visits,Visits,拜访\n"
    )
    words.speak("en")
    assert (words.label("revenue"), words.label("visits")) == ("Turnover", "Visits")
    assert words.kind("revenue") == "money", "an empty cell is as the dictionary has it"
    assert (words.kind("visits"), words.key("visits")) == ("count", ("dealer_id", "visits"))
    shown = look.table(pd.DataFrame({"revenue": [1.0], "visits": [3]}))._repr_html_()
    assert ">Turnover<" in shown and ">Visits<" in shown
    words.speak("zh-Hans")
    assert words.label("visits") == "拜访次数"
    assert words.label("revenue") == words.dictionary()["revenue"]["zh"]
    assert "拜" in words.letters()


def test_they_are_one_workbooks_alone(opened, tmp_path):
    opened("term,en\nrevenue,Turnover\n")
    assert words.label("revenue") == "Turnover"
    (tmp_path / "terms.csv").unlink()
    settings.workbook(tmp_path)
    assert words.label("revenue") == words.dictionary()["revenue"]["en"] != "Turnover"


def test_they_may_lie_among_the_reference_tables_of_a_project(opened, tmp_path):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "03_abc_pareto.ipynb").write_text("{}")
    (tmp_path / "data" / "reference").mkdir(parents=True)
    (tmp_path / "data" / "reference" / "terms.csv").write_text("term,en\nrevenue,Takings\n")
    opened("term,en\nrevenue,Turnover\n")
    assert words.label("revenue") == "Turnover", "beside the toml is nearer"
    (tmp_path / "terms.csv").unlink()
    settings.workbook(tmp_path)
    assert words.label("revenue") == "Takings"
    (tmp_path / "data" / "reference" / "columns.csv").write_text("table,column\n")
    settings.workbook(tmp_path)
    assert words.label("revenue") == "Revenue", "another checkout's dictionary is not our own"


def test_a_spreadsheets_mark_blanks_and_empty_lines_are_no_matter(opened):
    opened("\ufeffterm,en\r\n revenue , Turnover \r\n\r\n".encode())
    assert words.label("revenue") == "Turnover"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "line 1: no column 'term'"),
        ("dealer_id,terms_days\nD1,30\n", "line 1: unknown column 'dealer_id'"),
        ("en,zh\nTurnover,x\n", "line 1: no column 'term'"),
        ("term,en,en\n", "line 1: column 'en' stands there twice"),
        ("trem,en\n", "line 1: unknown column 'trem'; did you mean 'term'"),
        ("term,en\nrevenue,Sales, gross\n", "line 2: 3 cells, but 2 columns; put quotes"),
        ("term,en\nrevenue\n", "line 2: 1 cells, but 2 columns"),
        ('term,en\nrevenue,"Turn\n', "line 2: this is no CSV"),
        ("term,en\n,Turnover\n", "line 2, column 'term': is empty"),
        ("term,en\na,A\n\nb,B\na,C\n", "line 5, column 'term': 'a' stands here a second time"),
        ("term,zh\nvisits,拜访\n", "line 2, column 'en': 'visits' is a new term"),
        ("term,en,kind\nvisits,Visits,counts\n", "line 2, column 'kind': 'counts' is no kind; did"),
        ("term,en,kind\nrevenue,R,count\n", "'kind': what 'revenue' is can't be changed: 'money'"),
        ("term,en,kind\nserial,S,id\nlongitude,L,text\n", "line 3, column 'kind': "),
        ("term,en,key\nvisits,V,dealer_id\n", "line 2, column 'key': only tables have one"),
        ("term,en\ntable_visits,V\n", "line 2, column 'key': 'table_visits' is a table"),
        ("term,en,key\ntable_v,V,visits\n", "line 2, column 'key': 'visits' is no column"),
        ("term,en,key\ntable_abc_pareto,V,region\n", "'key': that of 'table_abc_pareto' can't be"),
        (f"term,en,key\ntable_v,{'V' * 32},dealer_id\n", "line 2, column 'en': a sheet's name"),
        ("term,en\nrevenue,<b>R</b>\n", "line 2, column 'en': '<b>R</b>' holds '<'"),
        ('term,en\nrevenue,"two\nlines"\n', "column 'en': 'two\\nlines' holds a character"),
        ("term,en\nrevenue,\u202ex\n", "line 2, column 'en': "),
        (f"term,en\nrevenue,{'R' * 2001}\n", "line 2, column 'en': 2,001 characters"),
        ("term,en\nok,x\nrevenue,销售额\n".encode("gb18030"), "line 3: this is no UTF-8"),
        ("term,en\n" + "#" * 1_000_001, "are no terms.csv"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_column(opened, text, told):
    with pytest.raises(DataError) as error:
        opened(text)
    assert "terms.csv" in str(error.value) and told in str(error.value)
    assert words.label("revenue") == words.dictionary()["revenue"]["en"], "nothing of it is taken"


def test_what_is_known_may_be_repeated_as_it_is(opened):
    known = words.dictionary()
    rows = [known["revenue"], known["table_abc_pareto"]]
    head = [*rows[0]]
    opened("\n".join([",".join(head), *(",".join(row[c] for c in head) for row in rows)]) + "\n")
    assert words.key("abc_pareto") == ("dealer_id",)
