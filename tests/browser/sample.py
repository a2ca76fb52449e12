"""A sample edition with realistic content, made without kernels.

Figures, tables and headlines as pages have them.
"""

import io
import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from nbformat import v4

from helpers import files, look, settings
from helpers.data import connections
from helpers.press import edition, editions, page_body

TITLES = {
    "02_segmentation": (
        "Who are our dealers, and where are we missing?",
        "我们的客户是谁,哪里还缺位?",
    ),
    "03_abc_pareto": ("Which dealers carry the business?", "哪些客户支撑着生意?"),
    "05_fishbone": (
        "Why do dealers sell less of us than they could?",
        "客户为何没有多卖我们的产品?",
    ),
    "06_consumer_groups": ("Who buys at our dealers?", "谁在我们的客户那里购买?"),
    "07_inventory_age": ("How old is what lies in the shops?", "店里的库存有多旧?"),
    "08_dealer_profit": ("What does a dealer earn with us?", "客户与我们合作赚多少钱?"),
}
HEADLINES = {
    "en": [
        (
            "verdict",
            "106 dealers carry 72% of our gross profit, and ten of them have stopped paying.",
            {},
        ),
        (
            "tile",
            "CNY 711 m",
            {"label": "Revenue, 12 months", "change": "+1.3% on last month", "tone": "good"},
        ),
        (
            "tile",
            "CNY 685 m",
            {"label": "Payments collected", "change": "−2.0% on last month", "tone": "bad"},
        ),
        (
            "tile",
            "CNY 140 m",
            {"label": "Gross profit", "change": "+1.4% on last month", "tone": "good"},
        ),
        (
            "tile",
            "75.3%",
            {"label": "Held by the top 20% of dealers", "change": "74.9% a month ago"},
        ),
        (
            "change",
            "Fell from A to C: Fuhe Electrical, Yingling; Hengli Stores, Ougang and 4 more.",
            {},
        ),
        (
            "change",
            "Against the year before, 30 rose, 32 fell, 9 joined and 10 left.",
            {"tone": "bad"},
        ),
    ],
    "zh": [
        ("verdict", "106 家客户贡献了 72% 的毛利额,其中 10 家已停止付款。", {}),
        (
            "tile",
            "7.11 亿元",
            {"label": "近 12 个月销售收入", "change": "较上月 +1.3%", "tone": "good"},
        ),
        ("tile", "6.85 亿元", {"label": "回款额", "change": "较上月 −2.0%", "tone": "bad"}),
        ("tile", "1.40 亿元", {"label": "毛利额", "change": "较上月 +1.4%", "tone": "good"}),
        ("tile", "75.3%", {"label": "前 20% 客户的占比", "change": "上月为 74.9%"}),
        ("change", "由 A 跌至 C:福和电器鹰岭店、恒利百货鸥港店等 6 家。", {}),
        ("change", "与上一年相比,上升 30 家、下降 32 家、新进 9 家、流失 10 家。", {"tone": "bad"}),
    ],
}
CALL = {
    "en": (
        "Paid CNY 0 in 3 months instead of the usual CNY 437 k; owes CNY 1.15 m. Agree a "
        "payment plan."
    ),
    "zh": "近三个月仅回款 0 元,以往为 43.7 万元;欠款 115 万元。当面拜访老板,商定付款计划。",
}
N_DEALERS, N_CALLS = 40, 12
MANAGERS, ZH_MANAGERS = ("Zhou Yating", "He Jing", "Sun Qian"), ("周雅婷", "何静", "孙倩")
NAMES = {
    "en": [
        "Xiangyuan Stores, Ougang",
        "Ruizhan <Electrical> Mall",
        "Jiada Stores",
        "Yongrun Emporium",
    ],
    "zh": ["祥源百货鸥港店", "瑞展<电器>城", "嘉达百货", "永润商厦"],
}


def make_edition(
    folder: Path, languages: tuple[str, ...] = ("en", "zh-Hans"), *, handed_on: bool = False
) -> Path:
    """Write a sample edition and give its folder.

    As it is `handed_on`: with account managers, their calls, and the booklet to print.
    """
    (folder / "sell_in.csv").write_text(
        "dealer_id,date,revenue\nD1,2026-10-29,5\nD2,2026-10-30,-1\n,2026-10-30,3\n"
    )
    (folder / "workbook.toml").write_text(
        '[workbook]\nname = "sample"\ntitle = "Sample network"\nbrand = "Norvella"\ncurrency = '
        f'"CNY"\nlanguage = {json.dumps(languages)}\ngenerated = true\n[data.sell_in]\nsource = '
        '"sell_in.csv"\n',
    )
    if handed_on:
        _write_dealers(folder)
    book, shelves, kept = settings.workbook(folder / "workbook.toml"), {}, connections.CACHE
    connections.CACHE = folder / "cache"
    try:
        for language in languages:
            look.use(language, "CNY")
            shelves[language] = [_shelved(folder / "pages", name, language) for name in TITLES]
            if handed_on:
                _add_tables(folder / "pages" / f"03_abc_pareto-{language}", language)
        edition.write_edition(
            folder / "new",
            book,
            "2026-10",
            languages,
            shelves,
            "d564bacc64c57c96",
            pdf=handed_on,
        )
    finally:
        connections.CACHE = kept
    place = folder / "reports" / "2026-10"
    place.parent.mkdir()
    editions.put(folder / "new", place)
    edition.write_list(place.parent, book, languages[0])
    return place


def _write_dealers(folder: Path) -> None:
    """Write forty dealers of three account managers, each named in two languages."""
    rows = [
        f"D{i:03d},{NAMES['zh'][i % 4]},{NAMES['en'][i % 4]!r},{ZH_MANAGERS[i % 3]},"
        f"{MANAGERS[i % 3]},+86 10 5550 010{i % 3}".replace("'", '"')
        for i in range(1, N_DEALERS + 1)
    ]
    head = "dealer_id,dealer_name,dealer_name_en,account_manager,account_manager_en"
    (folder / "dealers.csv").write_text(
        "\n".join([f"{head},account_manager_contact", *rows]) + "\n"
    )
    with (folder / "workbook.toml").open("a") as toml:
        toml.write('[data.dealers]\nsource = "dealers.csv"\n')


def _add_tables(place: Path, language: str) -> None:
    """Publish what an account manager's page, the calls and the first sheet are made of."""
    tongue, managers = ("en", MANAGERS) if language == "en" else ("zh", ZH_MANAGERS)
    who = pd.DataFrame({"dealer_id": [f"D{i:03d}" for i in range(1, N_DEALERS + 1)]})
    who["dealer_name"] = [NAMES[tongue][i % 4] for i in range(1, N_DEALERS + 1)]
    who["account_manager"] = [managers[i % 3] for i in range(1, N_DEALERS + 1)]
    size = np.arange(N_DEALERS, 0, -1) * 1e5
    judged = who.assign(
        city="Ougang", revenue=size, payments=size, gross_profit=size / 5, composite_class="B"
    )
    calls = who.head(N_CALLS).assign(
        city="Ougang",
        rank=1,
        trigger="overdue",
        reason=CALL[tongue],
        measure=CALL[tongue],
        within_days=14,
        stake_kind="debt",
        stake=size[:N_CALLS],
        stake_low=size[:N_CALLS],
    )
    owed = who[["dealer_id"]].assign(
        status="paying", balance=size / 10, overdue_amount=size / 100, payments=size, dso_days=40.0
    )
    spans = [
        {"span": span, "cut": "account_manager", "part": name, "revenue": 3e6 * n}
        | {"previous_revenue": 2.5e6 * n, "target": 3.2e6 * n, "gross_margin_rate": 0.2}
        | {"previous_gross_margin_rate": 0.21, "payments": 2e6 * n, "previous_payments": 2e6 * n}
        for span, n in (("month", 1), ("year_to_date", 10))
        for name in managers
    ]
    told = {
        "abc_pareto": judged,
        "call_list": calls,
        "receivables": owed,
        "month_groups": pd.DataFrame(spans),
    }
    for name, rows in told.items():
        files.write_table(place / "tables" / f"{name}.csv", rows)


def _shelved(folder: Path, name: str, language: str) -> editions.Printed:
    place = folder / f"{name}-{language}"
    (place / "tables").mkdir(parents=True)
    (place / "tables" / f"{name[3:]}.csv").write_text("dealer_id\nD1\n")
    page_body.write_page(place, _notebook(name, "en" if language == "en" else "zh"), name)
    meta = json.loads((place / "meta.json").read_text(encoding="utf-8"))
    (place / "meta.json").write_text(
        json.dumps(meta | {"seconds": 1.0, "parameters": {}}), encoding="utf-8"
    )
    if name == "03_abc_pareto":
        with (place / "headlines.jsonl").open("w", encoding="utf-8") as file:
            for line in _headlines("en" if language == "en" else "zh"):
                file.write(json.dumps(line) + "\n")
    return editions.Printed(name, place, kept=False)


def _headlines(tongue: str) -> list[dict]:
    empty = {"label": "", "change": "", "tone": "", "link": "", "trend": []}
    rng = np.random.default_rng(1)
    said = [
        {**empty, "place": place, "text": text, **more} for place, text, more in HEADLINES[tongue]
    ]
    for line in said:
        line["trend"] = (
            (100 + rng.normal(0, 3, 24).cumsum()).tolist() if line["place"] == "tile" else []
        )
    calls = [
        {**empty, "place": "call", "label": name, "text": CALL[tongue]} for name in NAMES[tongue]
    ]
    return said + [call | {"link": "03_abc_pareto.html#dealer-D001"} for call in calls]


def _notebook(name: str, tongue: str):
    n = int(name[:2])
    rng = np.random.default_rng(n)
    ax = look.axes(height=3.4 if n % 2 else 4.2)
    if n % 2:
        ax.bar([f"D{i}" for i in range(8)], np.sort(rng.random(8))[::-1])
    else:
        ax.plot(np.sort(rng.random(60)).cumsum())
    title = TITLES[name][tongue == "zh"]
    look.explain(ax, title, "2025-11 – 2026-10", "Norvella")
    drawn = io.BytesIO()
    ax.figure.savefig(drawn, format="svg")
    plt.close(ax.figure)
    rows = pd.DataFrame(
        {
            "dealer_id": [f"D{i:03d}" for i in range(1, 41)],
            "dealer_name": NAMES[tongue] * 10,
            "revenue": rng.lognormal(12, 1, 40),
            "brand_share": rng.random(40),
            "n_orders": rng.integers(1, 99, 40),
        }
    )
    text = (
        "A few dealers carry most of what we earn. " * 6,
        "少数客户贡献了大部分利润,本页用三项指标找出他们。" * 5,
    )
    figure = {"image/svg+xml": drawn.getvalue().decode(), "text/plain": "<Axes>"}
    table = look.table(rows, title, "2025-11 – 2026-10", anchors=rows["dealer_id"])
    outputs = [
        v4.new_output("display_data", figure, metadata={"image/svg+xml": {"alt": title}}),
        v4.new_output("execute_result", {"text/html": table.to_html()}),
        v4.new_output("execute_result", {"text/html": look.Prose([CALL[tongue]])._repr_html_()}),
    ]
    heads = (
        ("The bottom line", "Who moved?", "When not to trust this")
        if tongue == "en"
        else ("结论", "谁动了?", "局限")
    )
    cells = [v4.new_markdown_cell(f"# {title}\n\n{text[tongue == 'zh']}")]
    for head in heads:
        cells += [
            v4.new_markdown_cell(f"## {head}\n\n{text[tongue == 'zh']}"),
            v4.new_code_cell("x", outputs=outputs),
        ]
    return v4.new_notebook(cells=cells)
