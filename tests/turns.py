"""Turned rules: made-up networks, rules to turn them by, what the recipe says of them, and a page's
script that says it too.
"""

import html
import json
import re
import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd

from helpers import look, pareto, periods, words
from helpers.pareto import month, summary
from helpers.press import living

PERIOD = "2026-10"
SIZES = (1, 2, 3, 4, 5, 8, 13, 40, 120)
# what the data may tell: all, no brands, no cost, no payments, neither, brands alone
TOLD = (
    ("payments", "gross_profit", "brand_share"),
    ("payments", "gross_profit"),
    ("payments", "brand_share"),
    ("gross_profit", "brand_share"),
    ("brand_share",),
    (),
)
BASE = {
    "rule": "quota",
    "quota": "20/40/40",
    "value_cuts": "80/95",
    "weights": "40/40/20",
    "composite_cuts": "2.5/1.5",
}


def asked(seed: int) -> pareto.AbcData:
    """Make up what the door tells of a small network: ties, losses, zeros, gaps, dirty names."""
    rng = np.random.default_rng(seed)
    n = int(rng.choice(SIZES))
    ids = [f"D{i:03d}" if seed % 7 else f"{i} ä/&<{i}>" for i in rng.permutation(n * 2)]
    told = TOLD[seed % len(TOLD)] if seed % 3 else TOLD[0]
    now, before = _totals(rng, ids[:n], told), _totals(rng, ids[n // 2 :][:n], told)
    if rng.random() < 0.2:
        before = before.head(0)
    months = now[["dealer_id", "revenue", "payments"]].assign(month=PERIOD)
    old = now[["dealer_id", "revenue", "payments"]].assign(month="2020-01", revenue=9.0)
    months = pd.concat([months, old[rng.random(n) < 0.3]], ignore_index=True)
    chosen = rng.random(n) < 0.1
    overrides = pd.DataFrame(
        {
            "dealer_id": now.loc[chosen, "dealer_id"],
            "class": rng.choice(list("ABC"), int(chosen.sum())),
            "reason": "known",
            "author": "Li",
            "valid_from": pd.Timestamp("2026-01-01"),
            "valid_to": pd.NaT,
        }
    )
    quarters = now.assign(window_end=periods.window(PERIOD).end)
    return pareto.AbcData(PERIOD, now, before, quarters, months, overrides)


def _totals(rng: np.random.Generator, ids: list[str], told: tuple[str, ...]) -> pd.DataFrame:
    n = len(ids)
    how = rng.integers(4)

    def amounts() -> np.ndarray:
        if how == 0:  # ties everywhere
            cents = rng.choice([0, 100, 100, 5_000, 123_456, -100], n)
        elif how == 1:  # all alike
            cents = np.full(n, int(rng.integers(-1, 3)) * 1234)
        else:
            cents = np.rint(rng.lognormal(11, 1.5, n) * np.where(rng.random(n) < 0.15, -1, 1))
        return cents.astype("int64") / 100

    rows = pd.DataFrame({"dealer_id": pd.Series(ids, dtype="str"), "revenue": amounts()})
    for name in ("payments", "gross_profit"):
        rows[name] = amounts() if name in told else np.nan
        rows[name] = rows[name].mask(rng.random(n) < rng.choice([0.0, 0.2, 0.7]))
    part, whole = rng.integers(-1, 4, n), rng.choice([1, 3, 7], n)
    rows["brand_share"] = part / whole if "brand_share" in told else np.nan
    rows["brand_share"] = rows["brand_share"].mask(rng.random(n) < rng.choice([0.0, 0.3, 1.0]))
    rows["covered_revenue"] = rows["revenue"]
    return rows


def options(seed: int) -> dict[str, str]:
    """Make up rules that the recipe takes, even and odd ones."""
    rng = np.random.default_rng(10_000 + seed)
    step = [1, 5, 10, 0.5, 0.1, 100 / 3][int(rng.integers(6))]

    def parts() -> str:
        a = round(float(rng.integers(0, int(100 // step) + 1)) * step, 6)
        b = round(float(rng.integers(0, int((100 - a) // step) + 1)) * step, 6)
        return f"{a:.10g}/{b:.10g}/{round(100 - a - b, 6):.10g}"

    low, high = sorted(round(float(x), 1) for x in rng.uniform(0.5, 100, 2))
    points = sorted((round(float(x), 1) for x in rng.uniform(0.1, 3, 2)), reverse=True)
    return {
        "rule": ("quota", "value", "computed")[seed % 3],
        "quota": parts(),
        "value_cuts": f"{low:g}/{high:g}",
        "weights": parts(),
        "composite_cuts": f"{points[0]:g}/{points[1]:g}",
    }


def named(found: pareto.AbcMonth) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Name a month's dealers: who is judged, and who moved."""
    ids = sorted({*found.judged["dealer_id"], *found.before["dealer_id"]})
    dealers = pd.DataFrame({"dealer_id": ids, "dealer_name": [name_of(i) for i in ids]})
    judged = pareto.named(found.judged, dealers, diagnoses())
    return judged, found.moved.merge(dealers, on="dealer_id")


def name_of(dealer_id: str) -> str:
    """Name a dealer: some have a comma, some what would be markup."""
    comma = sum(map(ord, dealer_id)) % 3 == 0
    return f"Fuhe{', Ou' * comma} {dealer_id}"


def diagnoses() -> pd.DataFrame:
    """Give the names of codes that are shipped."""
    return pd.read_csv(words.REFERENCE / "diagnoses.csv")


def told_by_recipe(found: pareto.AbcMonth) -> dict[str, Any]:
    """Write a month as a page does, in the language spoken: rows, sentences, table of classes."""
    judged, moved = named(found)
    rules = pareto.judging_rules(**found.options)
    basis = summary.basis_sentences(judged, "", rules["weights"], rules["composite_cuts"])
    before = found.moved.set_index("dealer_id")["previous_class"].reindex(judged["dealer_id"])
    return {
        "rows": [
            [row.dealer_id, row.code, row.composite_class, row.diagnosis]
            for row in judged.itertuples()
        ],
        "before": [None if x != x else x for x in before],
        "moved": dict(zip(moved["dealer_id"], moved["movement"], strict=True)),
        "sentences": [
            *summary.bottom_line(judged, moved, None),
            *basis,
            *look.rules(found.options).sentences,
        ],
        "classes": _cells(look.table(pareto.class_table(judged)).to_html()),
        "month": found,
    }


def _cells(table: str) -> list[list[str]]:
    body = table.partition("<tbody>")[2]
    rows = body.split("</tr>")[:-1]
    return [list(map(html.unescape, re.findall(r"<td[^>]*>(.*?)</td>", row))) for row in rows]


# runs where a page does; a case is [data, [options, …], names by place, shares by place]
RUN = """cases => cases.map(([data, all, names, shares]) => all.map(options => {
  const w = globalThis.workbook, found = w.turned(data, options);
  return {
    order: found.order, code: found.code, composite: found.composite, diagnosis: found.diagnosis,
    previous: found.previous, moved: found.moved.map(row => row.movement), fits: w.fits(options),
    sentences: w.sentences(data, found, options, names),
    classes: w.classTable(data, found, shares),
    command: w.handedBack(data, options).papermill, toml: w.handedBack(data, options).toml,
  };
}))"""


@contextmanager
def script(opened: Any) -> Iterator[Any]:
    """Open an empty page with the script of a page whose rules are turned."""
    page = opened.new_page()
    page.evaluate(f"() => {{ {living.script(True)} }}")
    yield page
    page.close()


def case(found: pareto.AbcMonth, asked_for: list[dict[str, str]]) -> list[Any]:
    """Hand over a network as it was printed, and the rules that it is turned by."""
    given = json.loads(json.dumps(pareto.turnable(found, diagnoses(), PERIOD)))
    ids = sorted({*found.judged["dealer_id"], *found.before["dealer_id"]})
    share = found.judged.set_index("dealer_id")["brand_share"].reindex(ids)
    names = [words.fitting(name_of(i)) for i in ids]
    return [given, asked_for, names, [words.percent(x, 1) for x in share]]


def differences(
    told: dict[str, Any], said: dict[str, Any], base: dict[str, Any], own: dict[str, Any]
) -> list[str]:
    """Tell in what a turned page is not what the recipe told.

    `base` is what it told of the page as it was printed, `own` what the script said of that.
    """
    found = told["month"]
    ids = sorted({*found.judged["dealer_id"], *found.before["dealer_id"]})
    rows = [
        [ids[i], said["code"][i], said["composite"][i], said["diagnosis"][i]] for i in said["order"]
    ]
    wrong = [] if rows == told["rows"] else [f"rows {rows} not {told['rows']}"]
    if [said["previous"][i] for i in said["order"]] != told["before"]:
        wrong.append("classes of a year ago")
    if dict(zip(ids, said["moved"], strict=True)) != told["moved"]:
        wrong.append(f"movements {said['moved']} not {told['moved']}")
    follow = [text for text in said["sentences"].values() if text is not None]
    first = [text for text in own["sentences"].values() if text is not None]
    if [text for text in told["sentences"] if text in follow] != follow:
        wrong.append(f"sentences {follow} not among {told['sentences']}")
    if [t for t in told["sentences"] if t not in follow] != [
        t for t in base["sentences"] if t not in first
    ]:
        wrong.append(f"a sentence should follow: {told['sentences']} after {base['sentences']}")
    columns = list(pareto.class_table(found.judged).dropna(axis="columns", how="all"))
    if [[row[c] for c in columns] for row in said["classes"]] != told["classes"]:
        wrong.append(f"table of classes {said['classes']} not {told['classes']}")
    return wrong


def compared(
    page: Any, seeds: Iterable[int], languages: Iterable[str]
) -> tuple[list[str], int, int]:
    """Turn networks by rules of their own: what differs, how often classes changed, of how many.

    Each network is printed by the usual rules and turned by two others, in each language.
    """
    wrong, changed, n = [], 0, 0
    for seed in seeds:
        data, rules = asked(seed), [BASE, options(seed), options(seed + 1)]
        months = [month.judge_month(data, **by) for by in rules]
        for language in languages:
            words.speak(language, "CNY")
            told = [told_by_recipe(found) for found in months]
            (said,) = page.evaluate(RUN, [case(months[0], rules)])
            for by, recipe, script in zip(rules, told, said, strict=True):
                found = [] if script["fits"] else ["the rules are refused"]
                found += differences(recipe, script, told[0], said[0])
                wrong += [f"network {seed} by {by} in {language}: {one}" for one in found]
                changed += script["composite"] != said[0]["composite"]
                n += 1
    words.speak("en")
    return wrong, changed, n


def handed_back(command: str) -> dict[str, str]:
    """Read the parameters of a papermill command, as papermill reads them."""
    from papermill.cli import _resolve_type

    parts = shlex.split(command)
    at = [i for i, part in enumerate(parts) if part == "-p"]
    return {parts[i + 1]: _resolve_type(parts[i + 2]) for i in at}
