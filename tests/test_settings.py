"""Settings: a workbook.toml is understood, or refused in words that say what to change."""

from pathlib import Path

import pytest

from helpers import settings
from helpers.settings import DataError, workbook

ON_A_SERVER = '[data.sell_in]\nsource = "sales"\n'
SELL_IN = '[data.sell_in]\nsource = "sell_in.csv"\n'


@pytest.fixture
def toml(tmp_path):
    def write(text: str, name: str = "workbook.toml") -> Path:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return write


def test_defaults_come_from_the_folder(toml, tmp_path):
    book = workbook(toml(SELL_IN))
    assert book.name == book.title == tmp_path.name
    assert (book.brand, book.currency, book.languages, book.generated) == ("", "", ("en",), False)
    assert book.embedded
    assert book.has("sell_in")
    assert not book.has("sell_in", "payments")


def test_another_file_name_is_the_workbooks_name(toml):
    assert workbook(toml(SELL_IN, "wide.toml")).name == "wide"


def test_a_folder_stands_for_its_workbook(toml, tmp_path):
    toml(SELL_IN)
    assert workbook(tmp_path).path == (tmp_path / "workbook.toml").resolve()


def test_a_relative_path_is_looked_for_upwards(toml, tmp_path, monkeypatch):
    toml(SELL_IN, "mine.toml")
    (tmp_path / "notebooks" / "deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "notebooks" / "deep")
    assert workbook("mine.toml").path == (tmp_path / "mine.toml").resolve()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[workbok]\nname = "x"\n', r"unknown section 'workbok'; did you mean 'workbook'\?"),
        ('[workbook]\nbrnad = "x"\n', r"\[workbook\]: unknown key 'brnad'; did you mean 'brand'\?"),
        (
            '[data.sel_in]\nsource = "x.csv"\n',
            r"\[data\]: unknown table 'sel_in'; did you mean 'sell_in'\?",
        ),
        (
            '[data.sell_in]\nsorce = "x.csv"\n',
            r"\[data\.sell_in\]: unknown key 'sorce'; did you mean 'source'\?",
        ),
        (
            SELL_IN + 'columns.revenu = "x"\n',
            r"\[data\.sell_in\.columns\]: unknown column 'revenu'; did you mean",
        ),
        (
            SELL_IN + 'format.dat = "%d"\n',
            r"\[data\.sell_in\.format\]: unknown column 'dat'; did you mean 'date'\?",
        ),
        (SELL_IN + 'format.brand = "%d"\n', r"unknown column 'brand'; known are date, revenue"),
        (SELL_IN + 'format.revenue = "%d"\n', r"the format of a number is 1234\.56 as the file"),
        (
            '[data.zzzzzz]\nsource = "x.csv"\n',
            r"unknown table 'zzzzzz'; known are engine, files, dealers",
        ),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(toml, text, message):
    with pytest.raises(DataError, match=message):
        workbook(toml(text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[data]\n",
            "neither \\[data.sell_in\\] nor \\[data.sell_out\\] is there; at least one is needed",
        ),
        ('[data.payments]\nsource = "p.csv"\n', "neither"),
        (SELL_IN + 'query = "select 1"\n', r"\[data\.sell_in\]: give either source or query"),
        ("[data.sell_in]\n", r"\[data\.sell_in\]: give either source or query"),
        ('[data.sell_in]\nsource = ""\n', "give either source or query"),
        ("[data.sell_in]\nsource = 3\n", "source: text in quotation marks is expected, not 3"),
        ("[data.sell_in]\nquery = 3\n", "query: text in quotation marks is expected, not 3"),
        (SELL_IN + "columns.cost = 0\n", "cost: text in quotation marks is expected, not 0"),
        (
            SELL_IN + 'columns = "cost"\n',
            r"\[columns\]: here a section with keys is expected, not 'cost'",
        ),
        (SELL_IN + "[data.files]\nx = 1\n", "x: text in quotation marks is expected, not 1"),
        ('data = "x"\n', "a section with keys is expected, not 'x'"),
        ("[data]\nengine = 1\n" + SELL_IN, "engine: text in quotation marks is expected"),
        (
            "[workbook]\nlanguage = 3\n" + SELL_IN,
            r"language: a list such as \[\"en\"\] is expected, not 3",
        ),
        (
            '[workbook]\nlanguage = ["de"]\n' + SELL_IN,
            "'de' is not known; choose from en, zh-Hans, zh-Hant",
        ),
        ("[workbook\n", "this is no TOML: .*line 1"),
    ],
)
def test_what_cannot_be_meant_is_refused(toml, text, message):
    with pytest.raises(DataError, match=message):
        workbook(toml(text))


def test_a_missing_file_says_how_to_name_another(tmp_path):
    with pytest.raises(
        DataError,
        match=r"none\.toml: no such file; give the path of a workbook\.toml with --config",
    ):
        workbook(tmp_path / "none.toml")


@pytest.mark.parametrize(
    "name", ["../x", "/etc", "a/b", "a\\\\b", "..", "", ".hidden", "a\\nb", "x" * 65, "a'b"]
)
def test_a_name_is_never_a_path(toml, name):
    with pytest.raises(DataError, match="use letters, digits, space"):
        workbook(toml(f'[workbook]\nname = "{name}"\n' + SELL_IN))


@pytest.mark.parametrize(
    ("name", "said"),
    [("a.", "no dot at the end"), ("a ", "no dot"), ("CON", "a device"), ("lpt1.x", "a device")],
)
def test_a_name_is_a_folder_on_every_system(toml, name, said):
    with pytest.raises(DataError, match=said):
        workbook(toml(f'[workbook]\nname = "{name}"\n' + SELL_IN))


@pytest.mark.parametrize("name", ["demo", "console", "Lumora 2026", "星辰电器", "a.b-c_d"])
def test_names_of_all_scripts_are_good(toml, name):
    assert workbook(toml(f'[workbook]\nname = "{name}"\n' + SELL_IN)).name == name


def test_languages_are_kept_in_order_and_once(toml):
    assert workbook(
        toml('[workbook]\nlanguage = ["zh-Hans", "en", "zh-Hans"]\n' + SELL_IN)
    ).languages == (
        "zh-Hans",
        "en",
    )
    assert workbook(toml('[workbook]\nlanguage = "zh-Hant"\n' + SELL_IN)).languages == ("zh-Hant",)


# ---- where the sources lie -----------------------------------------------------------------------


def test_sources_are_relative_to_the_toml_wherever_one_stands(toml, tmp_path, monkeypatch):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "a.csv").touch()
    book = workbook(toml('[data.sell_in]\nsource = "raw/a.csv"\n'))
    monkeypatch.chdir("/")
    assert settings.sources(book, "sell_in") == [(tmp_path / "raw" / "a.csv").resolve()]


def test_environment_variables_are_filled_in(toml, tmp_path, monkeypatch):
    path = toml(
        '[data.files]\nf = "${WB_TEST}/b.csv"\n[data.sell_in]\nsource = "${WB_TEST}/a.csv"\n'
    )
    monkeypatch.delenv("WB_TEST", raising=False)
    with pytest.raises(
        DataError, match=r"the environment variable WB_TEST is not set; set it to the data's folder"
    ):
        workbook(path)
    monkeypatch.setenv("WB_TEST", str(tmp_path))
    book = workbook(path)
    assert book.tables["sell_in"].source == f"{tmp_path}/a.csv"
    assert book.files["f"] == f"{tmp_path}/b.csv"


def test_home_is_filled_in(toml, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert (
        workbook(toml('[data.sell_in]\nsource = "~/a.csv"\n')).tables["sell_in"].source
        == f"{tmp_path}/a.csv"
    )


def test_a_glob_finds_its_files_sorted(toml, tmp_path):
    for name in ("2026/b.csv", "2025/a.csv", "2025/other.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    book = workbook(toml('[data.sell_in]\nsource = "**/*.csv"\n'))
    assert [path.name for path in settings.sources(book, "sell_in")] == ["a.csv", "b.csv"]


def test_a_file_of_that_very_name_wins_over_a_pattern(toml, tmp_path):
    for name in ("sales[1].csv", "sales1.csv"):
        (tmp_path / name).touch()
    book = workbook(toml('[data.sell_in]\nsource = "sales[1].csv"\n'))
    assert [path.name for path in settings.sources(book, "sell_in")] == ["sales[1].csv"]


def test_a_source_without_file_is_named(toml):
    book = workbook(toml('[data.sell_in]\nsource = "raw/*.csv"\n'))
    with pytest.raises(
        DataError, match=r"sell_in: no file .*raw/\*\.csv; correct the path in workbook\.toml"
    ):
        settings.sources(book, "sell_in")


@pytest.mark.parametrize("name", ["a.xml", "a/b.html", "a/b.orc"])
def test_a_kind_that_cannot_be_read_is_refused(toml, tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()
    book = workbook(toml(f'[data.sell_in]\nsource = "{name}"\n'))
    with pytest.raises(DataError, match=r"can't be read; save it as one of \.csv, \.tsv, \.txt"):
        settings.sources(book, "sell_in")


def test_what_has_no_folder_and_no_ending_is_a_table_of_the_engine(toml):
    book = workbook(toml('[data.sell_in]\nsource = "erp.invoices"\n'))
    assert book.tables["sell_in"].source == "erp.invoices"
    assert settings.sources(book, "sell_in") == []


def test_a_package_is_a_source(toml):
    import helpers

    book = workbook(toml('[data.sell_in]\nsource = "package:helpers/raw/x.csv"\n'))
    assert book.tables["sell_in"].source == str(Path(helpers.__file__).parent / "raw" / "x.csv")


@pytest.mark.parametrize("package", ["not_installed_anywhere", "", "no.such.sub", "../x"])
def test_a_package_that_is_missing_is_named(toml, package):
    with pytest.raises(DataError, match=r"the package '.*' is not installed; install it with pip"):
        workbook(toml(f'[data.sell_in]\nsource = "package:{package}/x.csv"\n'))


def test_plan_and_overrides_beside_the_toml_are_found(toml, tmp_path):
    path = toml(SELL_IN)
    assert not workbook(path).has("overrides")
    (tmp_path / "overrides.csv").write_text("dealer_id,class\n", encoding="utf-8")
    book = workbook(path)
    assert settings.sources(book, "overrides") == [(tmp_path / "overrides.csv").resolve()]
    named = toml(SELL_IN + '[data.overrides]\nsource = "elsewhere/o.csv"\n')
    assert settings.sources(workbook(named), "overrides") == [
        (tmp_path / "overrides.csv").resolve()
    ], "people win"
    (tmp_path / "overrides.csv").unlink()
    assert workbook(named).tables["overrides"].source.endswith("elsewhere/o.csv")


def test_names_of_files_are_found_in_a_query_as_words(toml):
    book = workbook(
        toml('[data.files]\nstore = "a.csv"\nstores = "b.csv"\n"my file" = "c.csv"\n' + SELL_IN)
    )
    assert settings.files_in_query(book, "select * from stores") == ["stores"]
    assert settings.files_in_query(book, 'SELECT * FROM Store JOIN "my file" USING (x)') == [
        "store",
        "my file",
    ]
    assert settings.files_in_query(book, "select x.store from t") == []


@pytest.mark.parametrize(
    ("engine", "expected"),
    [
        ("duckdb://", "duckdb://"),
        ("duckdb://?memory_limit=2GB", "duckdb://?memory_limit=2GB"),
        ("duckdb://erp.duckdb", "duckdb://{folder}/erp.duckdb"),
        ("duckdb://raw/erp.duckdb?threads=1", "duckdb://{folder}/raw/erp.duckdb?threads=1"),
        ("duckdb:///srv/erp.duckdb", "duckdb:///srv/erp.duckdb"),
        ("postgres://u@h/db", "postgres://u@h/db"),
    ],
)
def test_a_database_file_lies_relative_to_the_toml(toml, tmp_path, engine, expected):
    book = workbook(toml(f'[data]\nengine = "{engine}"\n' + ON_A_SERVER))
    assert book.engine == expected.format(folder=tmp_path.resolve())
    assert book.embedded is engine.startswith("duckdb")


def test_a_password_comes_from_the_environment(toml, monkeypatch):
    monkeypatch.setenv("WB_PASSWORD", "s3cret")
    book = workbook(toml('[data]\nengine = "postgres://me:${WB_PASSWORD}@h/db"\n' + ON_A_SERVER))
    assert book.engine == "postgres://me:s3cret@h/db"


@pytest.mark.parametrize("engine", ["postgres://h/db", "sqlite://erp.db", "pyspark://"])
def test_an_engine_without_a_table_is_none(toml, engine):
    """Nothing would be asked of it, and a toml that names one for files may be after them."""
    with pytest.raises(DataError, match="engine is no DuckDB, and every table is a file"):
        workbook(toml(f'[data]\nengine = "{engine}"\n' + SELL_IN))


def test_the_contract_names_each_column_once_and_has_keys_that_are_whole():
    for table, columns in settings.contract().items():
        assert any(column.required for column in columns.values()), table
        assert {column.kind for column in columns.values()} <= {
            "id",
            "text",
            "date",
            "month",
            "money",
            "number",
        }, table
        assert all(column.meaning for column in columns.values()), table
        for twin in [c for c in columns if c.endswith("_en")]:
            assert twin.removesuffix("_en") in columns, (table, twin)


def test_a_notebook_can_be_told_more_than_the_month(toml):
    book = workbook(toml(SELL_IN + "[parameters.consumer_groups]\nk = 4\n"))
    assert book.parameters == {"consumer_groups": {"k": 4}}
    assert workbook(toml(SELL_IN)).parameters == {}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            "[parameters]\nk = 4\n",
            r"\[parameters\.k\]: here a section with keys is expected, not 4",
        ),
        (
            "[parameters.x]\nperiod = '2026-09'\n",
            r"\[parameters\.x\] period: the report gives this to every page",
        ),
        (
            "[parameters.02_abc_pareto]\nk = 1\n",
            r"\[parameters\.02_abc_pareto\]: .* without a number; write \[parameters\.abc_pareto\]",
        ),
        (
            "[parameters.x]\nk = [1]\n",
            r"\[parameters\.x\] k: text, a number or true/false is expected, not \[1\]",
        ),
    ],
)
def test_parameters_that_make_no_sense_are_refused(toml, given, message):
    with pytest.raises(DataError, match=message):
        workbook(toml(SELL_IN + given))
