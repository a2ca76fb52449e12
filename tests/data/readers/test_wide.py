"""Months as columns: in other languages, under years, and as few as two."""

import pytest

from helpers.data import readers
from helpers.data.readers import wide
from helpers.settings import ReadAs

# as calendars print them, in full and short
LANGUAGES = {
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "de short": "Jan Feb Mär Apr Mai Jun Jul Aug Sep Okt Nov Dez",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "fr short": "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre "
    "diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre "
    "dicembre",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro "
    "dezembro",
    "ru": "Январь Февраль Март Апрель Май Июнь Июль Август Сентябрь Октябрь Ноябрь Декабрь",
    "pl": "styczeń luty marzec kwiecień maj czerwiec lipiec sierpień wrzesień październik listopad "
    "grudzień",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
    "en": "January February March April May June July August September October November December",
    "ja": "1月 2月 3月 4月 5月 6月 7月 8月 9月 10月 11月 12月",
    "zh": "一月 二月 三月 四月 五月 六月 七月 八月 九月 十月 十一月 十二月",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_month_of_a_language_is_itself(language):
    names = LANGUAGES[language].split()
    numbers = [f"2026-{i:02}" for i in range(1, 13)]
    for change in (str, str.upper, str.title):
        assert [wide.month_of(change(name), "2026") for name in names] == numbers
    if language != "ja":
        assert [wide.month_of(f"2026 {name}") for name in names] == numbers
    if language not in ("ja", "zh"):
        assert [wide.month_of(f"{name} 2026") for name in names] == numbers
        assert [wide.month_of(f"{name}-26") for name in names] == numbers


@pytest.mark.parametrize(
    "header", ["Marketing 2026", "Mark", "Decor", "Sum 2026", "Margin 25", "Mayor", "Dealer", "Set"]
)
def test_other_words_are_no_months(header):
    assert wide.month_of(header) == ""


def read(tmp_path, text):
    path = tmp_path / "f.csv"
    path.write_text(text)
    header, rows, notes = readers.turned(readers.read(path, ReadAs(), "f.csv"))
    return header, [list(row.cells) for row in rows], {note.what for note in notes}


@pytest.mark.parametrize("total", ["", ",Total"])
@pytest.mark.parametrize("filled", [True, False])
@pytest.mark.parametrize("language", ["en", "de", "fr", "ru", "zh", "ja"])
@pytest.mark.parametrize("year", ["{}", "{}年"])
def test_years_over_their_months_are_a_header(tmp_path, language, year, filled, total):
    if year != "{}" and language not in ("en", "zh"):
        return
    names = LANGUAGES[language].split()
    months = [(y, m) for y in (2025, 2026) for m in range(1, 13)][6:18]
    before, over = 0, []
    for y, _m in months:
        over.append(year.format(y) if filled or y != before else "")
        before = y
    under = [names[m - 1] for _y, m in months]
    cells = [[100 * i + j for j in range(12)] for i in (1, 2, 3)]
    text = f"Dealer,{','.join(over)}\n,{','.join(under)}{total}\n"
    if total:
        text = f"Dealer,{','.join(over)},\n,{','.join(under)},Total\n"
    for i, row in enumerate(cells):
        more = f",{sum(row)}" if total else ""
        text += f"D{i},{','.join(map(str, row))}{more}\n"
    header, rows, notes = read(tmp_path, text)
    assert header == ("Dealer", "date", "month", "value")
    assert rows == [
        [f"D{i}", f"{y}-{m:02}-01", f"{y}-{m:02}", str(row[j])]
        for i, row in enumerate(cells)
        for j, (y, m) in enumerate(months)
    ]
    assert "wide" in notes


@pytest.mark.parametrize(
    "names", [("2026-09", "2026-10"), ("Sep 2026", "Oct 2026"), ("9/2026", "10/2026")]
)
def test_two_months_that_name_their_year_are_enough(tmp_path, names):
    _header, rows, _notes = read(tmp_path, f"Dealer,{','.join(names)}\nA,1,2\nB,3,4\nC,5,6\n")
    assert [row[2:] for row in rows[:2]] == [["2026-09", "1"], ["2026-10", "2"]]


@pytest.mark.parametrize("names", [("Sep", "Oct"), ("2026-09", "Region")])
def test_two_others_are_not(tmp_path, names):
    header, _rows, _notes = read(tmp_path, f"Dealer,{','.join(names)}\nA,1,2\nB,3,4\nC,5,6\n")
    assert header == ("Dealer", *names)
