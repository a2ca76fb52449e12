"""Pages per account manager.

Result, calls, actions, receivables and dealers of one, from the tables of an edition: all that is
handed on of him stands on the page itself.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from helpers import data, files, look, words
from helpers.pareto import called_classes, cost_cover, gains_and_losses, told_size
from helpers.receivables import LATE
from helpers.result import standing
from helpers.settings import Workbook

# what is read
TABLES = (
    "month_groups",
    "abc_pareto",
    "call_list",
    "chances",
    "plan",
    "receivables",
    "inventory_age",
    "dealer_profit",
)
CALLED = [
    "dealer_id",
    "dealer_name",
    "city",
    "trigger",
    "reason",
    "measure",
    "within_days",
    "stake_kind",
    "stake",
    "stake_low",
]
RESULT = [
    *("span", "cut", "part", "revenue", "previous_revenue", "target"),
    *("gross_margin_rate", "previous_gross_margin_rate", "payments", "previous_payments"),
]
AMOUNTS = ["revenue", "previous_revenue", "target", "payments", "previous_payments"]
PLANNED = [
    "factor",
    "dealer_id",
    "dealer_name",
    "owner",
    "state",
    "due_date",
    "now_score",
    "target_score",
]
OWED = [
    "dealer_id",
    "dealer_name",
    "status",
    "balance",
    "overdue_amount",
    "past_due_days",
    "dso_days",
    "recent_payments",
    "usual_payments",
    "collection_rate",
]
KNOWN = [
    "dealer_id",
    "dealer_name",
    "city",
    "composite_class",
    "previous_class",
    "diagnosis",
    "payments",
    "gross_profit",
    "brand_share",
    "old_share",
    "dead_value",
]
CONCERNS = [
    "dealer_id",
    "dealer_name",
    "dead_value",
    "old_share",
    "rival",
    "margin_points",
    "gap_money",
]
PHONE = re.compile(r"\+?\d[\d ()/-]{4,}")
MAIL = re.compile(r"[^@\s<>\"',;:?&]+@[^@\s<>\"',;:?&]+\.[^@\s<>\"',;:?&]+")
MOST_OWED = 15  # dealers whose receivables are shown: the others pay
# states of actions not yet ended
STANDING = ("open", "overdue", "behind", "on_course", "not_known", "not_begun")


def with_keys(dealers: pd.DataFrame, book: Workbook) -> pd.DataFrame:
    """Add `manager_key` to dealers: their account manager as named in every language."""
    keys = data.dealers(book, "zh-Hans").set_index("dealer_id")["account_manager"]
    return dealers.assign(manager_key=dealers["dealer_id"].map(keys))


def manager_pages(
    dealers: pd.DataFrame, tables: Mapping[str, pd.DataFrame], links: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Make a page for each account manager whose dealers were judged, the one with most calls
    first.

    Parameters
    ----------
    dealers
        As `with_keys` gives them.
    tables
        Of the edition, by name; those of `TABLES` that are missing have no rows.
    links
        By dealer_id: where he is explained.

    Returns
    -------
    list of dict
        `file`, `name`, `contact` and its `contact_link`, `n_dealers`, `n_a`, `gross_profit`,
        `balance`, `n_calls`, `n_actions`, `result` (as `result_of` gives it), `said` (sentences),
        `calls` and `chances` (as `call_items` gives them) and `sections`: pairs of heading and
        table. Nothing where no dealer has an account manager.
    """
    tables = {name: tables.get(name, pd.DataFrame()) for name in TABLES}
    judged = tables["abc_pareto"]
    if judged.empty or dealers["manager_key"].isna().all():
        return []
    known = dealers[dealers["dealer_id"].isin(judged["dealer_id"])]
    pages = [
        _page(key, mine, tables, links) for key, mine in known.groupby("manager_key", dropna=False)
    ]
    return sorted(pages, key=lambda page: (-page["n_calls"], -page["n_dealers"], page["name"]))


def _page(
    key: str, mine: pd.DataFrame, tables: Mapping[str, pd.DataFrame], links: Mapping[str, str]
) -> dict[str, Any]:
    known, ids = pd.notna(key), set(mine["dealer_id"])
    name = str(mine["account_manager"].iloc[0]) if known else words.say("managers.nobody")
    his = {title: _his(rows, ids) for title, rows in tables.items()}
    plan = tables["plan"]
    actions = plan[plan["dealer_id"].isin(ids) | (plan["owner"] == name)] if len(plan) else plan
    standing = actions[actions["state"].isin(STANDING)] if len(actions) else actions
    owed = _owed(his["receivables"], mine)
    sections = [
        ("actions", _shown(standing, PLANNED)),
        ("owed", _shown(owed.head(MOST_OWED), OWED)),
        ("concerns", _concerns(his)),
        ("dealers", _dealers(his)),
    ]
    letters = called_classes(his["abc_pareto"]["composite_class"]).value_counts()
    facts = {
        "n_dealers": len(his["abc_pareto"]),
        "n_a": int(letters.get("A", 0)),
        "n_calls": len(his["call_list"]),
        "profit": gains_and_losses(his["abc_pareto"]["gross_profit"]),
        "n_actions": len(standing),
        "gross_profit": his["abc_pareto"]["gross_profit"].sum(min_count=1),
        "cover": cost_cover(his["abc_pareto"]),
        "revenue": his["abc_pareto"].get("revenue", pd.Series(dtype="float64")).sum(min_count=1),
        "balance": owed["balance"].clip(lower=0).sum() if len(owed) else float("nan"),
        "overdue": _overdue(owed),
    }
    made = [
        (words.say(f"managers.{title}"), look.table(rows, limit=len(rows), links=links).to_html())
        for title, rows in sections
        if len(rows)
    ]
    file = f"manager-{files.file_name(str(key) if known else '')}.html"
    return {
        "file": file,
        "name": words.fitting(name),
        "contact": (contact := _contact(mine)),
        "contact_link": contact_link(contact),
        **facts,
        "result": result_of(tables["month_groups"], name) if known else {},
        "said": _said(facts, letters),
        "calls": call_items(his["call_list"], links),
        "chances": call_items(his["chances"], links),
        "sections": made,
    }


def call_items(rows: pd.DataFrame, links: Mapping[str, str]) -> list[dict[str, str]]:
    """Write calls, or chances, one under the other, as a phone shows them; in their order.

    Returns
    -------
    list of dict
        `anchor`, `name`, `link`, `city`, `what`, `stake` and its `kind`, `within`, `happened` and
        `measure`; "" for what is not known.
    """
    made = []
    for row in rows.reindex(columns=CALLED).astype("object").itertuples():
        told = {name: value for name, value in row._asdict().items() if pd.notna(value)}
        stake = told.get("stake")
        days = told.get("within_days")
        made.append(
            {
                "anchor": look.anchor(row.dealer_id),
                "name": words.fitting(str(told.get("dealer_name", row.dealer_id))),
                "link": links.get(row.dealer_id, ""),
                "city": words.fitting(str(told.get("city", ""))),
                "what": words.word(told.get("trigger", "")),
                "stake": "" if stake is None else words.money(stake),
                "kind": words.say("front.kind", kind=words.word(told["stake_kind"]))
                if "stake_kind" in told
                else "",
                "within": "" if days is None else words.say("front.within", days=int(days)),
                "happened": words.fitting(str(told.get("reason", ""))),
                "measure": words.fitting(str(told.get("measure", ""))),
            }
        )
    return made


def result_of(groups: pd.DataFrame, name: str) -> dict[str, Any]:
    """Set an account manager's month and running year beside last year and target.

    Parameters
    ----------
    groups
        The published table `month_groups`.

    Returns
    -------
    dict
        `columns` that any row fills, of "before", "rate", "target" and "reached", and `rows`:
        `span`, `label`, `actual`, `before`, `rate` and its `tone`, `target`, `reached` and its tone
        `on_target`. Nothing where the month tells nothing of him.
    """
    if not set(RESULT) <= set(groups):
        return {}
    own = groups[(groups["cut"] == "account_manager") & (groups["part"] == name)]
    own = own.drop_duplicates("span").set_index("span")
    numbers = own[RESULT[3:]].apply(pd.to_numeric, errors="coerce").astype("float64")
    numbers["target"] = numbers["target"].where(numbers["target"] > 0)
    spans = [span for span in standing.SPANS if span in numbers.index]
    # month and year stand below one another, and are written alike
    amounts = words.amounts(numbers.loc[spans, AMOUNTS].to_numpy().ravel(), unit=False)
    told = ["" if text == "–" else text for text in amounts]
    n = len(AMOUNTS)
    rows = [
        row
        for i, span in enumerate(spans)
        for row in _span_rows(span, numbers.loc[span], told[i * n : (i + 1) * n])
    ]
    columns = [c for c in ("before", "rate", "target", "reached") if any(row[c] for row in rows)]
    return {"rows": rows, "columns": columns} if rows else {}


def _span_rows(span: str, own: pd.Series, told: Sequence[str]) -> list[dict[str, str]]:
    """Set out what a span brought: `told` are its `AMOUNTS`, the margin stands below them."""
    head = {"span": words.label(span)}
    rows = []
    if told[0]:
        reached = own["revenue"] / own["target"]
        rows.append(
            head
            | {"label": words.label("revenue"), "actual": told[0], "before": told[1]}
            | _change(own["revenue"], own["previous_revenue"])
            | {"target": told[2], "reached": words.percent(reached) if told[2] else ""}
            | {"on_target": ("good" if reached >= 1 else "bad") if told[2] else ""}
        )
    plain = dict.fromkeys(("target", "reached", "on_target"), "")
    margin, before = own["gross_margin_rate"], own["previous_gross_margin_rate"]
    if pd.notna(margin):
        points = round(100 * (margin - before), 1) if pd.notna(before) else 0.0
        rate = words.say("front.points", points=words.signed(points, 1))
        rows.append(
            head
            | {"label": words.label("gross_margin_rate"), "actual": words.percent(margin, 1)}
            | {"before": words.percent(before, 1) if pd.notna(before) else ""}
            | {"rate": rate if pd.notna(before) else "", "tone": _tone(points)}
            | plain
        )
    if told[3]:
        rows.append(
            head
            | {"label": words.label("payments"), "actual": told[3], "before": told[4]}
            | _change(own["payments"], own["previous_payments"])
            | plain
        )
    return rows


def _change(now: float, before: float) -> dict[str, str]:
    """Write a change and its tone; none of what was not above zero."""
    rate = words.change(now, before) if before > 0 else ""
    return {"rate": rate, "tone": _tone(now - before) if rate else ""}


def _tone(more: float) -> str:
    return "good" if more > 0 else "bad" if more < 0 else ""


def contact_link(contact: str) -> str:
    """Give what a phone number or an e-mail address leads to; "" for anything else.

    >>> contact_link("+86 10 5550 0101"), contact_link("li@example.com"), contact_link("ask Ann")
    ('tel:+861055500101', 'mailto:li@example.com', '')
    """
    if PHONE.fullmatch(contact):
        return "tel:" + re.sub(r"[^\d+]", "", contact)
    return f"mailto:{contact}" if MAIL.fullmatch(contact) else ""


def _contact(mine: pd.DataFrame) -> str:
    """Give the manager's phone or e-mail: the one that most of the dealers carry; "" for none."""
    told = mine.get("account_manager_contact", pd.Series(dtype="str")).dropna().astype("str")
    return words.fitting(told.mode().iloc[0], most=60) if len(told) else ""


def list_columns(offices: Sequence[Mapping[str, Any]]) -> list[str]:
    """Choose what the list of account managers shows of each: what is known.

    Revenue where no gross profit is.
    """
    known = [
        name
        for name in ("gross_profit", "balance")
        if any(pd.notna(office[name]) for office in offices)
    ]
    size = [] if "gross_profit" in known else ["revenue"]
    return ["n_dealers", "n_a", *size, *known, "n_calls", "n_actions"]


def _his(rows: pd.DataFrame, ids: set[str]) -> pd.DataFrame:
    return rows[rows["dealer_id"].isin(ids)] if "dealer_id" in rows else rows


def _owed(rows: pd.DataFrame, mine: pd.DataFrame) -> pd.DataFrame:
    """Put the worst status first, then who owes most; who owes nothing is left out."""
    if rows.empty or rows["payments"].isna().all():
        return rows.head(0)
    rows = rows[rows["balance"] > 0].merge(mine[["dealer_id", "dealer_name"]], on="dealer_id")
    order = rows["status"].map({status: i for i, status in enumerate(LATE)}).fillna(len(LATE))
    return rows.assign(order=order).sort_values(["order", "balance"], ascending=[True, False])


def _overdue(owed: pd.DataFrame) -> float:
    """Sum up what is past its due date; NaN where no due date is known."""
    late = pd.to_numeric(owed.get("overdue_amount", pd.Series(dtype="float64")), errors="coerce")
    return late.clip(lower=0).sum(min_count=1)


def _concerns(his: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """List where stock lies dead, and where a rival earns the dealer more on every count.

    What costs most first.
    """
    stock, profit = his["inventory_age"], his["dealer_profit"]
    dead = stock[stock["dead_value"] > 0] if "dead_value" in stock else stock.head(0)
    less = profit[profit["status"] == "earns_less"] if "status" in profit else profit.head(0)
    less = less.rename(columns={"lead_points": "margin_points"})
    parts = [
        part[[c for c in CONCERNS if c in part and c != "dealer_name"]]
        for part in (dead, less)
        if len(part)
    ]
    if not parts:
        return pd.DataFrame()
    rows = parts[0] if len(parts) == 1 else parts[0].merge(parts[1], on="dealer_id", how="outer")
    names = his["abc_pareto"].set_index("dealer_id")["dealer_name"]
    cost = rows.reindex(columns=["dead_value", "gap_money"]).sum(axis=1)
    rows = rows.assign(
        dealer_name=rows["dealer_id"].map(names).fillna(rows["dealer_id"]), cost=cost
    )
    return _shown(
        rows.sort_values(["cost", "dealer_id"], ascending=[False, True]).head(MOST_OWED), CONCERNS
    )


def _dealers(his: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    rows, stock = his["abc_pareto"], his["inventory_age"]
    more = [c for c in ("old_share", "dead_value") if c in stock]
    rows = rows.merge(stock[["dealer_id", *more]], on="dealer_id", how="left") if more else rows
    return _shown(rows, [*KNOWN, *told_size(rows)])


def _shown(rows: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    return rows[[c for c in columns if c in rows]].reset_index(drop=True)


def _said(facts: Mapping[str, Any], letters: pd.Series) -> list[str]:
    counts = {letter.lower(): int(letters.get(letter, 0)) for letter in "ABC"}
    said = [words.say("managers.dealers_line", n=facts["n_dealers"], **counts)]
    sums = facts["profit"]
    said += (
        [words.say("managers.profit_line", profit=sums.net)]
        if pd.notna(facts["gross_profit"])
        else []
    )
    cover = words.percent(min(facts["cover"], 0.999), 1)
    said += [words.say("managers.cover_line", share=cover)] if facts["cover"] < 1 else []
    said += (
        [words.say("managers.loss_line", n=sums.n_losing, losses=-sums.losses)]
        if sums.n_losing
        else []
    )
    if facts["balance"] > 0:
        key = "overdue_line" if facts["overdue"] > 0 else "owed_line"
        told = {"balance": facts["balance"], "overdue": facts["overdue"]}
        said.append(words.say(f"managers.{key}", **told))
    return [
        *said,
        words.say("managers.work_line", calls=facts["n_calls"], actions=facts["n_actions"]),
    ]
