"""Summary: what the page says of the groups, what it calls them, and the front page's figures."""

from collections.abc import Iterable, Mapping

import pandas as pd

from helpers import words
from helpers.consumers import number_of_groups
from helpers.consumers.groups import DISTANCE, EVERYONE, Groups
from helpers.consumers.profiles import NAMED, SMALLEST_SHOWN, feature_word
from helpers.settings import page_of

PAGE = page_of("consumer_groups")


def group_names(traits: Mapping[str, list[tuple[str, str]]]) -> dict[str, str]:
    """Name groups by their first one or two traits, as `group_traits` lists them, no name twice.

    A group without one is "average". Two groups of the same two traits get the next one added.
    """
    codes = list(traits)
    if codes == [EVERYONE]:
        return {EVERYONE: words.say("groups.everyone")}
    wording = {code: [_word(*trait) for trait in traits[code]] for code in codes}
    n_words = dict.fromkeys(codes, 2)
    while True:
        names = {code: _joined(wording[code][: n_words[code]]) for code in codes}
        twins = [code for code in codes if list(names.values()).count(names[code]) > 1]
        longer = [code for code in twins if n_words[code] < len(wording[code])]
        if not longer:
            return {
                code: words.say("groups.twin", name=names[code], code=code)
                if code in twins
                else names[code]
                for code in codes
            }
        n_words.update({code: n_words[code] + 1 for code in longer})


def basis_sentences(found: Groups, n_months: int, unknown_share: float, peak: str) -> list[str]:
    """Say what the groups rest on.

    How many consumers, how long a history, and what stays out of sight.
    """
    columns = [feature_word(column) for column in found.model.columns]
    said = [
        words.say(
            "groups.basis",
            n=len(found.labels),
            months=n_months,
            unknown=words.percent(unknown_share),
        ),
        words.say("groups.basis_columns", columns=words.listed(columns, 12)),
    ]
    return [*said, words.say("groups.basis_peak", peak=peak)] if peak != "–" else said


def bottom_line(
    found: Groups,
    table: pd.DataFrame,
    *,
    columns: Iterable[str] = DISTANCE,
    least: int = SMALLEST_SHOWN,
) -> list[str]:
    """Say what the groups come down to.

    `table` is the profile table with names, `columns` those that were asked for, `least` the people
    of whom figures are shown.
    """
    n, k = len(found.labels), len(found.model.codes)
    natural = number_of_groups.chosen_k(found.choice)
    few = k == 1 and n < number_of_groups.FEWEST
    said = "groups.found" if k > 1 else "groups.too_few" if few else "groups.none"
    lines = [words.say(said, n=n, k=k, least=number_of_groups.FEWEST)]
    if k > 1 and natural == k:
        best = found.choice[found.choice["chosen"]].iloc[0]
        lines.append(
            words.say(
                "groups.stable", stability=best["stability"], chance=best["reference_95"], k=k
            )
        )
    elif k > 1:  # somebody asked for this number
        lines.append(
            words.say("groups.asked" if natural > 1 else "groups.asked_none", k=k, natural=natural)
        )
    if k > 1:
        named = [
            f"{row.group_name} ({words.percent(row.consumer_share)})" for row in table.itertuples()
        ]
        lines.append(words.say("groups.named", names=words.translated("; ", "\uff1b").join(named)))
    if k > 1 and "spent_share" in table and table["spent_share"].notna().any():
        top = table.loc[table["spent_share"].idxmax()]
        lines.append(
            words.say(
                "groups.spends",
                name=top["group_name"],
                share=words.percent(top["consumer_share"]),
                spent=words.percent(top["spent_share"]),
            )
        )
    if k > 1 and not found.refitted:
        lines.append(words.say("groups.kept"))
    absent = [feature_word(column) for column in columns if column not in found.model.columns]
    lines.append(words.say("groups.left_out", names=words.listed(absent, most=9)) if absent else "")
    lines.append(suppressed_sentence(table, least))
    return [line for line in lines if line]


def suppressed_sentence(table: pd.DataFrame, least: int = SMALLEST_SHOWN) -> str:
    """Say which groups of a profile table show no figures for being too small; "" if none."""
    small = table.loc[table["n_consumers"].isna(), "group_name"]
    return words.say(
        "groups.suppressed", n=len(small), names=words.listed(small), least=least
    ) * bool(len(small))


def headlines(found: Groups, table: pd.DataFrame) -> list[dict]:
    """Make the front page's headlines; keys as `report.headline` takes them."""
    k = len(found.model.codes)
    tile = {"place": "tile", "label": words.say("groups.tile"), "link": PAGE, "text": str(k)}
    if k == 1:
        few = len(found.labels) < number_of_groups.FEWEST
        return [tile | {"text": words.say("groups.tile_few" if few else "groups.tile_none")}]
    if "spent_share" not in table or table["spent_share"].isna().all():
        return [tile]
    top = table.loc[table["spent_share"].idxmax()]
    said = words.say(
        "groups.spends",
        name=top["group_name"],
        share=words.percent(top["consumer_share"]),
        spent=words.percent(top["spent_share"]),
    )
    if number_of_groups.chosen_k(found.choice) != k:
        tile |= {"change": words.say("groups.tile_asked")}
    return [tile, {"place": "change", "text": said, "link": PAGE}]


def _word(column: str, side: str) -> str:
    if column in NAMED:
        return words.say(f"groups.{side}_{column}")
    return words.say(f"groups.{side}", feature=feature_word(column))


def _joined(wording: list[str]) -> str:
    name = words.listed(wording, most=len(wording)) if wording else words.say("groups.average")
    return name[:1].upper() + name[1:]
