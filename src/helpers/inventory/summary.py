"""What the page says of the dealers' stock in sentences.

The bottom line, why a table is empty, what is odd in the records, the front page.
"""

import numpy as np
import pandas as pd

from helpers import words
from helpers.inventory.age import (
    DEAD_DAYS,
    N_CALLED,
    OLD_DAYS,
    VALUES,
    VITAL_SHARE,
    remark_table,
    vital_holders,
)
from helpers.inventory.turnover import PACE_DAYS
from helpers.settings import Scalar, page_of

FRESH_DAYS = 31  # a count older than a month is said to be old


def stock_note(title: str, as_of, whole: pd.DataFrame) -> str:
    """Say whose stock this is, of which day, and at how many dealers."""
    if whole.empty:
        return title
    return words.say(
        "inventory.note", title=title, date=str(as_of)[:10], n=int(whole["n_dealers"].iloc[0])
    )


def bottom_line(
    whole: pd.DataFrame,
    stock: pd.DataFrame,
    dead: pd.DataFrame,
    as_of,
    *,
    old_days: int = OLD_DAYS,
    dead_days: int = DEAD_DAYS,
    pace_days: int = PACE_DAYS,
    **_others: Scalar,
) -> list[str]:
    """Say what lies there, how old it is, who holds it and what is dead.

    One sentence where there is no stock.

    `whole` from `network_stock`; `stock` and `dead` with `dealer_name`, from `dealer_stock` and
    `dead_stock`; the rules are those by which they were made, the month's `options`.
    """
    if whole.empty:
        # counted, and nothing there; or nothing that would tell
        why = [words.say("inventory.nothing")] if pd.isna(as_of) else []
        return [words.say("inventory.no_stock"), *why]
    row, date = whole.iloc[0], str(pd.Timestamp(as_of).date())
    if not row["value"] > 0:
        return [
            words.say(
                "inventory.no_value",
                date=date,
                quantity=row["quantity"],
                n_dealers=int(row["n_dealers"]),
            )
        ]
    said = [
        words.say(
            "inventory.on_hand",
            date=date,
            value=row["value"],
            quantity=row["quantity"],
            n_dealers=int(row["n_dealers"]),
            n_models=int(row["n_models"]),
        ),
        _pace_sentence(row, pace_days),
        _old_sentence(row, old_days),
    ]
    vital = vital_holders(stock)
    if len(vital):
        share = words.percent(VITAL_SHARE)
        names = words.listed(vital["dealer_name"])
        said.append(
            words.say(
                "inventory.vital",
                n=len(vital),
                of=len(stock),
                share=share,
                days=old_days,
                names=names,
            )
        )
    return [*said, _dead_sentence(row, stock, dead, dead_days)]


def _pace_sentence(row: pd.Series, pace_days: int) -> str:
    if np.isnan(row["days_sales_of_inventory"]):
        return words.say("inventory.no_pace", days=pace_days)
    return words.say(
        "inventory.pace",
        span=pace_days,
        days=row["days_sales_of_inventory"],
        turn=row["stock_turn"],
        sold=words.percent(row["sell_through_rate"]),
    )


def _old_sentence(row: pd.Series, old_days: int) -> str:
    very_old = row[VALUES["over_180"]]
    return words.say(
        "inventory.old",
        old=row["old_value"],
        days=old_days,
        share=words.percent(row["old_share"], 1),
        very_old=very_old,
        very_share=words.percent(very_old / row["value"], 1),
    )


def _dead_sentence(row: pd.Series, stock: pd.DataFrame, dead: pd.DataFrame, dead_days: int) -> str:
    if dead.empty:
        return why_nothing_dead(stock, dead_days=dead_days)
    held = (
        dead.groupby(["dealer_id", "dealer_name"])["value"]
        .sum()
        .sort_values(ascending=False, kind="stable")
    )
    most = held.head(N_CALLED)
    names = words.listed(most.index.get_level_values("dealer_name"))
    return words.say(
        "inventory.dead",
        value=row["dead_value"],
        days=dead_days,
        n=len(held),
        n_most=len(most),
        share=words.percent(most.sum() / held.sum()),
        names=names,
    )


def basis_sentences(source: str) -> list[str]:
    """Say where the ages come from: the `source` of `data.on_hand`."""
    return [words.say(f"inventory.basis_{source}")] if source else []


def why_empty(aged: pd.DataFrame, sentence: str, **values: str) -> str:
    """Say why a table has no rows: `sentence`, or that there is no stock at all."""
    return words.say("inventory.no_stock") if aged.empty else words.say(sentence, **values)


def why_nothing_dead(stock: pd.DataFrame, *, dead_days: int = DEAD_DAYS) -> str:
    """Say why no dead stock is listed: none lies there, no sales tell, or all of it sells.

    `stock` from `dealer_stock`. Of a dealer whose sales are not known nothing can be called dead,
    and nothing alive.
    """
    if stock.empty:
        return words.say("inventory.no_stock")
    untold = stock["dead_value"].isna().any()
    return words.say("inventory.dead_unknown" if untold else "inventory.no_dead", days=dead_days)


def quality_sentences(whole: pd.DataFrame, remarks: pd.DataFrame, as_of, end_date) -> list[str]:
    """Say what is odd in the records, how much has no age, and whether the last count is an old
    one.

    `remarks` and `as_of` from `data.on_hand`; `end_date` is the last day of the period.
    """
    if whole.empty:
        return []
    row, date = whole.iloc[0], pd.Timestamp(as_of)
    late = (pd.Timestamp(end_date) - date).days
    said = (
        [words.say("inventory.late", date=str(date.date()), days=late)] if late > FRESH_DAYS else []
    )
    if row[VALUES["unknown"]] > 0:
        share = words.percent(row[VALUES["unknown"]] / row["value"], 1)
        said.append(words.say("inventory.no_age", share=share, value=row[VALUES["unknown"]]))
    if len(remarks):
        kinds = [f"{words.word(r.check)} {r.n_rows:,}" for r in remark_table(remarks).itertuples()]
        said.append(words.say("inventory.odd", n=len(remarks), kinds=words.listed(kinds, 9)))
    return said


def headlines(
    months: pd.DataFrame,
    whole: pd.DataFrame,
    stock: pd.DataFrame,
    quality: list[str],
    *,
    old_days: int = OLD_DAYS,
) -> list[dict]:
    """Make the front page's verdict, figures, change and remarks.

    Keys as `report.headline`, none without stock; `old_days` is the rule of the tables.
    """
    if whole.empty or not whole["value"].iloc[0] > 0:
        return []
    row, vital = whole.iloc[0], vital_holders(stock)
    # of nothing nobody holds four fifths
    said = words.say(
        "inventory.verdict" if len(vital) else "inventory.verdict_young",
        value=row["value"],
        old=row["old_value"],
        days=old_days,
        share=words.percent(row["old_share"], 1),
        n=len(vital),
        of=len(stock),
        part=words.percent(VITAL_SHARE),
    )
    made = [{"place": "verdict", "text": said}]
    for column, written, less_is_good in (
        ("value", words.money, None),
        ("old_share", lambda share: words.percent(share, 1), True),
        ("days_sales_of_inventory", lambda days: words.say("inventory.days", days=days), True),
    ):
        if not np.isnan(row[column]):
            made.append(
                {
                    "place": "tile",
                    "label": words.say("inventory.tile_old", days=old_days)
                    if column == "old_share"
                    else words.label(f"tile_{column}"),
                    "text": written(row[column]),
                    "link": page_of("inventory_age"),
                    **_against_before(months, column, less_is_good),
                }
            )
    if len(months) > 1:
        before, now = months["old_value"].tail(2)
        how = "rose" if now > before else "fell" if now < before else "same"
        made.append(
            {
                "place": "change",
                "link": page_of("inventory_age"),
                "text": words.say(
                    f"inventory.{how}",
                    days=old_days,
                    now=now,
                    by=abs(now - before),
                    since=months["month"].iloc[-2],
                ),
            }
        )
    return made + [{"place": "quality", "text": text} for text in quality]


def _against_before(months: pd.DataFrame, column: str, less_is_good: bool | None) -> dict:
    """Set the last month against the one before, as a tile says it; nothing where there is none."""
    known = (
        months[column].dropna() if column in months else months.get(column, pd.Series(dtype=float))
    )
    if len(known) < 2:
        return {}
    now, before = known.iloc[-1], known.iloc[-2]
    since = months.loc[known.index[-2], "month"]
    if column == "old_share":
        change = words.say(
            "inventory.points", points=words.signed((now - before) * 100, 1), since=since
        )
    elif before > 0:
        change = words.say("inventory.change", change=words.change(now, before), since=since)
    else:
        return {"trend": known.tolist()}
    tone = (
        ""
        if less_is_good is None or now == before
        else "good"
        if (now < before) == less_is_good
        else "bad"
    )
    return {"change": change, "tone": tone, "trend": known.tolist()}
