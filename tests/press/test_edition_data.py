"""The page on the data names where each finding comes from."""

from helpers.press import edition

LINES = "dealer_id,date,revenue,Type\nD1,2026-03-05,100,Invoice\nD1,2026-03-06,30,Credit note\n"


def test_a_finding_without_a_line_names_its_file_too(make_book):
    found, tables = edition.data_quality(make_book(brand="", sell_in=f"Sales 2026\n{LINES}"))
    sources = found.set_index("check")["source"]
    assert sources["returns_added"] == "sell_in.csv"
    assert sources["rows_title"] == "sell_in.csv, line 1"
    assert tables["source"].tolist() == ["sell_in.csv"]
