"""Sheet: the proof for one dealer, what it says to him, and its figure."""

import functools

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers import look, words
from helpers.profit.brands import MEASURES, RESULTS, gap_cost

MOST_BRANDS = 8  # side by side in a figure
# behind a median that a dealer may see: from fewer, another's figure could be guessed
MIN_DEALERS = 5
LONGEST = 18  # characters of a brand's name beside four panels
SHEET = [
    "measure",
    "ours",
    "best_rival",
    "rival",
    "lead",
    "low",
    "high",
    "result",
    "rank",
    "n_brands",
    "gap_money",
    "stock_to_spare",
    "network",
]


def proof(comparison: pd.DataFrame, dealer_id: str) -> pd.DataFrame:
    """Give the sheet for one dealer: each measure with our brand and with his best rival.

    It may be handed to him: only his own figures, and the median dealer's with our brand where
    `MIN_DEALERS` stand behind it. The best rival is chosen after the fact, which flatters him and
    never us.

    Returns
    -------
    DataFrame
        One row per measure that is known of our brand and of a rival: `measure`, `ours`,
        `best_rival` (brand), `rival` (his figure), `lead`, `low`, `high`, `result` ("win", "even",
        "unclear", "lose"), `rank` of ours and `n_brands`; where we lose, `gap_money`, what the gap
        costs the dealer a year (our sales at the rival's margin, our floor as productive as his;
        the two overlap and don't add up), and `stock_to_spare`, the stock he could do without if
        ours turned as fast; `network`. No rows where there is nothing to compare.
    """
    here = comparison[comparison["dealer_id"] == dealer_id].to_dict("records")
    us = next((row for row in here if row["ours"]), None)
    network, rows = comparison.loc[comparison["ours"], list(MEASURES)], []
    for measure in MEASURES if us else ():
        known = [row for row in here if not row["ours"] and pd.notna(row[f"lead_{measure}"])]
        if not known:
            continue
        best = max(known, key=lambda row: row[measure])
        money, capital = (
            gap_cost(us, best, measure) if best[f"result_{measure}"] == "lose" else (np.nan, np.nan)
        )
        rows.append(
            (
                measure,
                us[measure],
                best["brand"],
                best[measure],
                best[f"lead_{measure}"],
                best[f"low_{measure}"],
                best[f"high_{measure}"],
                best[f"result_{measure}"],
                int(us[f"rank_{measure}"]),
                len(known) + 1,
                money,
                capital,
                _network_median(network[measure].dropna()),
            )
        )
    return pd.DataFrame(rows, columns=SHEET)


def _network_median(known: pd.Series) -> float:
    return float(known.median()) if len(known) >= MIN_DEALERS else np.nan


# ---- sentences -----------------------------------------------------------------------------------


def verdict(
    comparison: pd.DataFrame, found: pd.DataFrame, dealer_id: str, *, in_short: bool = False
) -> list[str]:
    """Say to the dealer where our brand earns him more, where less, by how much, and what would
    change it.

    What is said follows the sheet of `proof`, and of `found`, the network's `gaps`, his own rows;
    it names no other dealer and nothing of ours but his own figures. `in_short` leaves each
    measure's figures to `plot_proof`.
    """
    here = comparison[comparison["dealer_id"] == dealer_id]
    sheet, ours = proof(comparison, dealer_id), here[here["ours"]]
    if sheet.empty:
        return [_nothing(here, ours), *_left_out(here)]
    us, n = ours.iloc[0], _counted(sheet)
    all_of = {"all_won": n["n_win"], "equal": n["n_even"], "all_unclear": n["n_unclear"]}
    key = next((name for name, count in all_of.items() if count == len(sheet)), "overall")
    if key == "overall" and n["n_unclear"]:
        key = "overall_unclear"
    said = [
        words.say(
            f"profit.{key}", brand=us["brand"], first=us["first_month"], last=us["last_month"], **n
        )
    ]
    said += [] if in_short else [_measure_sentence(row, us["brand"]) for row in sheet.itertuples()]
    said += _lever_sentences(here, sheet, us, found[found["dealer_id"] == dealer_id])
    missing = [words.label(m) for m in MEASURES if m not in set(sheet["measure"])]
    said += [words.say("profit.no_measure", measures=words.listed(missing))] if missing else []
    return said + _left_out(here)


def _counted(sheet: pd.DataFrame) -> dict[str, int]:
    return {
        "of": len(sheet),
        **{f"n_{result}": int((sheet["result"] == result).sum()) for result in RESULTS},
    }


def _nothing(here: pd.DataFrame, ours: pd.DataFrame) -> str:
    if here.empty:
        return words.say("profit.no_report")
    if ours.empty:
        return words.say("profit.no_ours")
    if reason := ours["left_out"].iloc[0]:
        return words.say(
            "profit.ours_left_out", brand=ours["brand"].iloc[0], reason=words.label(reason)
        )
    return words.say("profit.no_rival", brand=ours["brand"].iloc[0])


def why_no_sheet(comparison: pd.DataFrame, dealer_id: str) -> str:
    """Say why a dealer has no sheet, of him alone: others may have one."""
    here = comparison[comparison["dealer_id"] == dealer_id]
    return _nothing(here, here[here["ours"]])


def _left_out(here: pd.DataFrame) -> list[str]:
    rows = here[~here["ours"] & (here["left_out"] != "")]
    names = [f"{row.brand} ({words.label(row.left_out)})" for row in rows.itertuples()]
    return [words.say("profit.left_out", names=words.listed(names))] if names else []


def _measure_sentence(row, brand: str) -> str:
    said = {
        "measure": words.label(row.measure),
        "brand": brand,
        "ours": figure(row.ours, row.measure),
        "best": row.best_rival,
        "rival": figure(row.rival, row.measure),
    }
    lead = words.say(f"profit.{row.result}", **said, lead=difference(abs(row.lead), row.measure))
    if row.result in ("win", "lose"):
        low, high = (_bound(bound, row.measure) for bound in sorted([abs(row.low), abs(row.high)]))
        known = row.low == row.low and low != high
        lead += (
            words.say("profit.interval", low=low, high=high) if known else words.say("profit.stop")
        )
    worth = row.stock_to_spare if row.measure == "stock_turn" else row.gap_money
    if worth == worth:
        lead += words.say(
            f"profit.cost_{row.measure}", money=worth, best=row.best_rival, brand=brand
        )
    return lead


def _lever_sentences(
    here: pd.DataFrame, sheet: pd.DataFrame, us: pd.Series, found: pd.DataFrame
) -> list[str]:
    """Say what to pull, with the figures behind it, against the rival who costs most."""
    ahead = sheet.loc[sheet["result"] == "lose", "best_rival"]
    if ahead.empty:
        return []
    found = found[found["rival"].isin(ahead)]
    if found.empty or not found["levers"].iloc[0]:
        return []
    rival = here[here["brand"] == found["rival"].iloc[0]].iloc[0]
    figures = {
        "second_pricing": "front_rate",
        "rebate_policy": "rebate_rate",
        "floor_given": "sales_per_m2",
        "ants_moving": "stock_turn",
        "line_up": "sales_per_m2",
    }
    return [
        words.say(
            f"profit.lever_{lever}",
            brand=us["brand"],
            best=rival["brand"],
            ours=figure(us[figures[lever]], figures[lever]),
            rival=figure(rival[figures[lever]], figures[lever]),
        )
        for lever in found["levers"].iloc[0].split()
    ]


def _bound(value: float, measure: str) -> str:
    """Write an end of an interval: the unit stands in front of it already."""
    return words.decimal(100 * value, 1) if measure.endswith("_rate") else figure(value, measure)


def figure(value: float, measure: str) -> str:
    """Write a measure in its unit.

    A rate as percent, money per m² as an amount, GMROI and turns as a number.
    """
    if measure.endswith("_rate"):
        return words.percent(value, 1)
    return (
        words.money(value)
        if measure.endswith("_m2")
        else "–"
        if value != value
        else words.decimal(value, 2)
    )


def difference(value: float, measure: str) -> str:
    """Write a difference of two measures: rates differ by points."""
    if measure.endswith("_rate"):
        return words.say("profit.points", points=words.decimal(100 * value, 1))
    return figure(value, measure)


def _signed(lead: float, measure: str) -> str:
    """Write a lead with its sign; what rounds to nothing has none."""
    size = difference(abs(lead), measure)
    if size == difference(0.0, measure):
        return size
    return ("+" if lead > 0 else "−" if lead < 0 else "") + size


def proof_table(sheet: pd.DataFrame) -> pd.DataFrame:
    """Write the sheet for reading, each measure in its unit."""

    def written(column: str) -> list[str]:
        return [figure(value, m) for value, m in zip(sheet[column], sheet["measure"], strict=True)]

    leads = zip(sheet["lead"], sheet["measure"], strict=True)
    return pd.DataFrame(
        {
            "indicator": [words.label(m) for m in sheet["measure"]],
            "our_figure": written("ours"),
            "best_rival": sheet["best_rival"],
            "rival_figure": written("rival"),
            "lead": [_signed(lead, measure) for lead, measure in leads],
            "result": [words.label(result) for result in sheet["result"]],
            "rank": [
                words.say("profit.rank", rank=r.rank, n=r.n_brands) for r in sheet.itertuples()
            ],
            "gap_money": sheet["gap_money"],
            "stock_to_spare": sheet["stock_to_spare"],
            "network_figure": written("network"),
        }
    )


# ---- plots ---------------------------------------------------------------------------------------


def _short(name: str) -> str:
    """Cut a name that would take the panels' room."""
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"


def plot_proof(
    comparison: pd.DataFrame,
    dealer_id: str,
    *,
    note: str = "",
    narrow: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Draw one dealer's brands side by side, a panel a measure, ours in our colour.

    `ax` takes the first measure. For a phone, `narrow`, panels stand below one another, and each
    names its brands.

    Of many brands ours, the best rival of each measure, and then the largest are drawn:
    `MOST_BRANDS` in all.
    """
    here = comparison[(comparison["dealer_id"] == dealer_id) & (comparison["left_out"] == "")]
    sheet = proof(comparison, dealer_id)
    if sheet.empty:
        all_his = comparison[comparison["dealer_id"] == dealer_id]
        return look.nothing(_nothing(all_his, all_his[all_his["ours"]]), ax)
    told = here["ours"] | here["brand"].isin(sheet["best_rival"])
    largest = here[~told].sort_values(["revenue", "brand"], ascending=[False, True]).index
    here = here[told | here.index.isin(largest[: max(MOST_BRANDS - told.sum(), 0)])]
    here = here.sort_values(["ours", "margin_rate"], ascending=[False, False])
    height = 1.2 + len(sheet) * (0.5 + 0.22 * len(here)) if narrow else 1.7 + 0.36 * len(here)
    panels = [ax] if ax else np.atleast_1d(look.axes(len(sheet), height=height, narrow=narrow))
    if not ax:
        panels[0].figure.narrow = functools.partial(
            plot_proof, comparison, dealer_id, note=note, narrow=True
        )
    for panel, row in zip(panels, sheet.itertuples(), strict=False):
        known = here[row.measure].fillna(0.0)
        colors = [look.COLORS["ours" if is_ours else "muted"] for is_ours in here["ours"]]
        panel.barh(np.arange(len(here)), known, color=colors, height=0.62)
        for y, value in enumerate(here[row.measure]):
            panel.annotate(
                figure(value, row.measure),
                (max(known.iloc[y], 0), y),
                xytext=(4, 0),
                fontsize=8.5,
                textcoords="offset points",
                va="center",
            )
        panel.set(
            xlim=(min(known.min(), 0), 1.55 * max(known.max(), 1e-9)), ylim=(len(here) - 0.5, -0.5)
        )
        panel.set_title(words.label(row.measure), fontsize=9.5)
        panel.set(xticks=[], yticks=[])
        panel.grid(visible=False)
    for panel in panels if narrow else panels[:1]:
        panel.set_yticks(np.arange(len(here)), here["brand"].map(_short))
    n = _counted(sheet)
    key = "profit.proof_title_unclear" if n["n_unclear"] else "profit.proof_title"
    title = words.say(key, brand=here["brand"].iloc[0], **n)
    return look.explain(panels[0], title, words.say("profit.proof_how"), note)
