"""SQL that people wrote and no engine can compute: refused in our words, in their language."""

import re

import pytest

from helpers import settings, words
from helpers.data import guard, sql_errors, tables
from helpers.settings import DataError

HEADERS = "Kunde,Datum,Umsatz,Menge,Text"
LINES = [f"D{i % 5:03},2026-{i % 12 + 1:02}-03,{100 + i}.50,{i % 7 + 1},t{i}" for i in range(60)]
BASE = {"dealer_id": "Kunde", "date": "Datum", "revenue": "Umsatz"}
# what DuckDB calls its errors, and what it says in them that no person needs
ENGINES = re.compile(
    r"(?:Binder|Catalog|Conversion|Parser|Invalid Input|Out of Range|Not implemented|IO) Error"
    r"|Candidate|VARCHAR|_LITERAL|LINE \d|raw_sell_in|isnan|UNNEST|UnboundLocal|FROM clause!"
)
HAN = re.compile("[\u4e00-\u9fff]")
COLUMNS = {
    "missing": ("revenue", "Umsaz"),
    "missing in expr": ("revenue", "CAST(Umsaz AS DOUBLE)*2"),
    "quoted missing": ("revenue", '"Umsätze"'),
    "text arith": ("revenue", "Umsatz * 2"),
    "text plus": ("revenue", "Text + 1"),
    "cast fails": ("revenue", "CAST(Text AS DOUBLE)"),
    "cast date": ("date", "CAST(Text AS DATE)"),
    "syntax": ("revenue", "CAST(Umsatz AS DOUBLE"),
    "syntax2": ("revenue", "Umsatz **"),
    "syntax3": ("revenue", "Umsatz,Menge"),
    "syntax4": ("revenue", "CASE WHEN Umsatz THEN"),
    "aggregate": ("revenue", "SUM(CAST(Umsatz AS DOUBLE))"),
    "window": ("revenue", "SUM(CAST(Umsatz AS DOUBLE)) OVER ()"),
    "const": ("revenue", "5"),
    "empty": ("revenue", ""),
    "blank": ("revenue", "  "),
    "unknown fn": ("revenue", "SUMME(Umsatz)"),
    "wrong args": ("revenue", "round(Umsatz, 'x')"),
    "noargs": ("revenue", "round()"),
    "table qual": ("revenue", "x.Umsatz"),
    "bool": ("revenue", "Umsatz > 5"),
    "bool2": ("revenue", "CAST(Umsatz AS DOUBLE) > 5"),
    "list": ("revenue", "[Umsatz]"),
    "struct": ("revenue", "{'a': Umsatz}"),
    "list id": ("dealer_id", "[Kunde]"),
    "unnest": ("revenue", "unnest([1,2])"),
    "overflow": ("revenue", "CAST(Umsatz AS TINYINT)"),
    "strptime": ("date", "strptime(Datum,'%d.%m.%Y')"),
    "strpfmt": ("date", "strptime(Datum,'%Q')"),
    "substr": ("date", "substr(Datum, 'a', 2)"),
    "case mixed": ("revenue", "CASE WHEN Menge='1' THEN 5 ELSE Text END"),
    "in mixed": ("revenue", "CASE WHEN Menge IN (1,'x') THEN 5 END"),
    "cmp": ("revenue", "CASE WHEN CAST(Menge AS INTEGER) = Text THEN 5 END"),
    "regex": ("dealer_id", "regexp_extract(Kunde,'(')"),
    "badcollate": ("dealer_id", "Kunde COLLATE xx"),
    "badtype": ("revenue", "CAST(Umsatz AS MONEY)"),
    "interval": ("date", "CAST(Datum AS DATE) + Menge"),
    "date rev": ("revenue", "CAST(Datum AS DATE)"),
    "star": ("revenue", "*"),
    "cols": ("revenue", "COLUMNS('U.*')"),
    "param": ("revenue", "?"),
    "comment": ("revenue", "Umsatz -- x"),
    "semi": ("revenue", "Umsatz; 1"),
    "sqrt": ("revenue", "sqrt(-CAST(Umsatz AS DOUBLE))"),
    "log": ("revenue", "ln(0*CAST(Umsatz AS DOUBLE))"),
    "filter": ("revenue", "count(*) FILTER (WHERE Menge='1')"),
    "having": ("revenue", "max(Umsatz)"),
    "neg substr": ("dealer_id", "array_slice(Kunde,1,'b')"),
    "json": ("revenue", "json_extract_string(Text,'$.a')"),
    "repl": ("revenue", "replace(Umsatz, '.')"),
}
PICK = "SELECT Kunde AS dealer_id, Datum AS date, "
SALES = PICK + "Umsatz AS revenue FROM sales"
QUERIES = {
    "missing": PICK + "Umsaz AS revenue FROM sales",
    "no table": "SELECT * FROM sale",
    "syntax": "SELEC * FROM sales",
    "syntax2": "SELECT * FORM sales",
    "syntax3": "SELECT * FROM sales WHERE",
    "syntax4": "SELECT (Kunde FROM sales",
    "two": "SELECT * FROM sales; SELECT 1",
    "comment": "-- nothing",
    "semi": ";",
    "update": "UPDATE sales SET x=1",
    "amb": PICK + "Umsatz AS revenue, Text FROM sales JOIN dealers ON Kunde=dealer_id",
    "group": PICK + "SUM(CAST(Umsatz AS DOUBLE)) AS revenue FROM sales",
    "sumtext": PICK + "SUM(Umsatz) AS revenue FROM sales GROUP BY 1, 2",
    "where agg": SALES + " WHERE SUM(1)>0",
    "cast": PICK + "CAST(Text AS DOUBLE) AS revenue FROM sales",
    "castwhere": SALES + " WHERE CAST(Text AS INTEGER) > 1",
    "union": "SELECT Kunde, Datum FROM sales UNION ALL SELECT dealer_id FROM dealers",
    "dupname": PICK + "Umsatz AS revenue, Menge AS revenue FROM sales",
    "subq many": PICK + "(SELECT Umsatz FROM sales) AS revenue FROM sales",
    "alias": "SELECT s.Kunde, d.Datum FROM sales s JOIN dealers d ON s.Kunde = d.dealer_id",
    "alias2": "SELECT x.Kunde AS dealer_id, s.Datum AS date, s.Umsatz AS revenue FROM sales s",
    "limit": SALES + " LIMIT 'a'",
    "order": SALES + " ORDER BY 9",
    "fn": PICK + "to_number(Umsatz) AS revenue FROM sales",
    "win": PICK + "lag(Umsatz) AS revenue FROM sales",
    "nowhere quote": SALES + " WHERE Text = 't1",
    "string col": SALES + ' WHERE Text = "t1"',
    "cmp": SALES + " WHERE CAST(Datum AS DATE) > 5",
    "ambfn": "SELECT Kunde AS dealer_id, CAST(Datum AS DATE) + Menge AS date FROM sales",
    "nocond": SALES + " JOIN dealers",
    "using": SALES + " JOIN dealers USING (Kunde)",
    "file": "SELECT * FROM 'sales.csv'",
    "insub": SALES + " WHERE Kunde IN (SELECT * FROM dealers)",
    "qmark": "SELECT * FROM sales WHERE Kunde = ?",
    "pivot": "PIVOT sales ON Menge USING SUM(Umsatz)",
    "agg nested": PICK + "SUM(SUM(1)) AS revenue FROM sales GROUP BY 1, 2",
    "overflow": PICK + "CAST(Umsatz AS TINYINT) AS revenue FROM sales",
    "strp": "SELECT Kunde AS dealer_id, strptime(Datum, '%d.%m.%Y') AS date FROM sales",
    "schema": "SELECT * FROM erp.sales",
}


@pytest.fixture
def refused(tmp_path, cache):
    """Write a workbook over two files, and give what its sell_in is refused with."""
    (tmp_path / "sales.csv").write_text("\n".join([HEADERS, *LINES]) + "\n", encoding="utf-8")
    dealers = "".join(f"D{i:03},Name {i},x\n" for i in range(5))
    (tmp_path / "dealers.csv").write_text(f"dealer_id,name,Text\n{dealers}", encoding="utf-8")

    def told(section: str, language: str = "en") -> str:
        (tmp_path / "workbook.toml").write_text(
            f'[workbook]\nlanguage = ["{language}"]\n[data.files]\nsales = "sales.csv"\n'
            f'dealers = "dealers.csv"\n[data.sell_in]\n{section}',
            encoding="utf-8",
        )
        words.speak(language)
        book = settings.workbook(tmp_path / "workbook.toml")
        with pytest.raises(DataError) as error:
            tables.table(book, "sell_in")
        return str(error.value)

    return told


def quoted(text: str) -> str:
    return "'''" + text + "'''"


def mapped(column: str, expression: str) -> str:
    columns = BASE | {column: expression}
    return "source = 'sales.csv'\n[data.sell_in.columns]\n" + "".join(
        f"{name} = {quoted(text)}\n" for name, text in columns.items()
    )


@pytest.mark.parametrize("name", COLUMNS)
def test_an_expression_is_refused_by_its_column_in_our_words(refused, name):
    column, expression = COLUMNS[name]
    said = refused(mapped(column, expression))
    assert said.startswith(f"sell_in.{column}: ") and "\n" not in said
    assert expression.strip() in said.replace("\\'", "'") or expression.strip() == ""
    assert not ENGINES.search(said.replace(expression, ""))
    chinese = refused(mapped(column, expression), "zh-Hans").replace(expression, "")
    assert chinese.startswith(f"sell_in.{column}：") and HAN.search(chinese)
    left = re.sub(
        r"（'[^（）]*'）|'[^']*'", "", chinese
    )  # an engine's words in quotes, or the data's
    assert not re.search(r"[a-z]{3,} [a-z]{3,} [a-z]{3,}", left)


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_is_refused_in_our_words(refused, name):
    section = f"query = {quoted(QUERIES[name])}\n"
    said = refused(section)
    assert said.startswith("sell_in: ") and "query" in said and "\n" not in said
    assert not ENGINES.search(said)
    chinese = refused(section, "zh-Hant")
    assert chinese.startswith("sell_in：") and "查詢" in chinese
    assert not ENGINES.search(chinese)


NEAR = {
    "Umsaz": "did you mean 'Umsatz'?",
    "CAST(Umsaz AS DOUBLE) * 2": "did you mean 'Umsatz'?",
    '"umsatzz"': "did you mean 'Umsatz'?",
    "'Umsatz'": "if the column 'Umsatz' is meant, write it without single quotes",
}


@pytest.mark.parametrize("expression", NEAR)
def test_the_header_that_may_be_meant_is_named(refused, expression):
    assert NEAR[expression] in refused(mapped("revenue", expression))


def test_what_a_query_may_mean_is_named(refused):
    pick = "SELECT Kunde AS dealer_id, Datum AS date, Umsatz AS revenue"
    told = {
        f"{pick} FROM sale": "there is no table 'sale'; did you mean 'sales'?",
        f"{pick} FORM sales": "breaks in its line 1 at 'FORM' (did you mean 'FROM'?)",
        f"{pick}\nFROM sales\nWERE Menge = '1'": "breaks in its line 3",
        f"{pick.replace('Umsatz', 'Umsaz')} FROM sales": "no column 'Umsaz' (did you mean 'Umsatz'",
        f"{pick} FROM sales WHERE Text = 't1": "a quotation mark in its line 1 has no second one",
        f"{pick}, * FROM (SELECT *, 5 AS revenue FROM sales)": "gives 'revenue' more than once",
    }
    for query, part in told.items():
        assert part in refused(f"query = {quoted(query)}\n")


def test_a_division_by_zero_is_called_so(refused):
    said = refused(mapped("revenue", "CAST(Umsatz AS DOUBLE) / 0"))
    assert (
        "60 rows of sales.csv come to no number, e.g. 'inf': something is divided by zero" in said
    )


def test_a_name_of_files_is_no_source(refused):
    assert "write the file itself as source: sales.csv" in refused("source = 'sales'\n")
    assert "did you mean 'sales.csv'?" in refused("source = 'salse.csv'\n")


# other engines say the same in other words; each pair is what one says, and what is made of it
OTHERS = {
    'column "umsaz" does not exist': "there is no column 'umsaz' (did you mean 'Umsatz'?)",
    'relation "salse" does not exist': "there is no table 'salse' (did you mean 'sales'?)",
    'column reference "text" is ambiguous': "'text' stands in several tables",
    "no such column: Umsaz": "there is no column 'Umsaz' (did you mean 'Umsatz'?)",
    "no such table: salse": "there is no table 'salse' (did you mean 'sales'?)",
    "ambiguous column name: Text": "'Text' stands in several tables",
    "misuse of aggregate: SUM()": "it sums up several rows",
    "division by zero": "it divides by zero; write NULLIF",
    'column "a" must appear in the GROUP BY clause or be used in an aggregate': "'a' stands beside",
    'invalid input syntax for type numeric: "x"': "'x' can't be turned into a number (numeric)",
    "[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column, variable, or function parameter with name "
    "`Umsaz` cannot be resolved.": "there is no column 'Umsaz' (did you mean 'Umsatz'?)",
    "[TABLE_OR_VIEW_NOT_FOUND] The table or view `salse` cannot be found.": "no table 'salse'",
    "something that no list has": "the engine does not take it ('something that no list has')",
}


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_what_each_engine_says_is_put_into_our_words(language):
    words.speak(language)
    for error, told in OTHERS.items():
        said = sql_errors.reason(error, ["Umsatz"], ["sales"], guard.FUNCTIONS)
        assert told in said if language == "en" else HAN.search(said), error


@pytest.mark.parametrize(
    ("column", "expression"),
    [
        ("brand", "'Lumora'"),
        ("cost", "0"),
        ("revenue", "CAST(Umsatz AS DOUBLE) * 1.13"),
        ("quantity", "TRY_CAST(Menge AS INTEGER)"),
        ("revenue", "umsatz"),
        ("date", "DATE '2026-10-03'"),
    ],
)
def test_what_may_be_meant_is_computed(tmp_path, cache, column, expression):
    (tmp_path / "sales.csv").write_text("\n".join([HEADERS, *LINES]) + "\n", encoding="utf-8")
    toml = tmp_path / "workbook.toml"
    toml.write_text(f"[data.sell_in]\n{mapped(column, expression)}", encoding="utf-8")
    assert tables.table(settings.workbook(toml), "sell_in").count().execute() == len(LINES)
