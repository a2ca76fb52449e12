"""Summary: what the page says of the network, in sentences and on the front page."""

import pandas as pd

from helpers import words
from helpers.segmentation.kinds import UNDECIDED
from helpers.segmentation.network import counts, net_change
from helpers.settings import page_of


def bottom_line(
    *,
    mix: pd.DataFrame | None = None,
    formats: pd.DataFrame | None = None,
    history: pd.DataFrame | None = None,
    cities: pd.DataFrame | None = None,
    ranked: pd.DataFrame | None = None,
    overdue: pd.DataFrame | None = None,
) -> list[str]:
    """Say what an account manager should take home; what is left out or empty is passed over.

    Takes the tables of `customer_mix`, `format_mix`, `network_history`, `coverage`, the `ranked` of
    a scorecard, and `overdue_dealers`.
    """
    lines = []
    if mix is not None and mix["n_dealers"].sum():
        lines.append(
            words.say(
                "segmentation.line_mix",
                n=mix["n_dealers"].sum(),
                active=mix["n_active"].sum(),
                revenue=mix["revenue"].sum(),
            )
        )
    if history is not None and len(history) > 1:
        last = history.iloc[-1]
        lines.append(
            words.say(
                "segmentation.line_history",
                net=net_change(int(last["n_joined"] + last["n_won_back"] - last["n_lost"])),
                **counts(last),
            )
        )
    if overdue is not None and len(big := overdue[overdue["is_big"]]):
        lines.append(
            words.say(
                "segmentation.line_overdue",
                n=len(big),
                days=int(big["recency_days"].min()),
                revenue=big["monetary"].sum(),
            )
        )
    if cities is not None and len(white := cities[cities["is_white_spot"]]):
        top = white.sort_values("population").iloc[-1]
        lines.append(
            words.say(
                "segmentation.line_white",
                n=len(white),
                people=_people(white["population"].sum()),
                city=top["city"],
                city_people=_people(top["population"]),
            )
        )
    if ranked is not None and ranked["expected_revenue"].notna().any():
        best = ranked.loc[ranked["expected_revenue"].idxmax()]
        lines.append(
            words.say(
                "segmentation.line_candidate",
                n=len(ranked),
                name=_named(best),
                expected=best["expected_revenue"],
                low=best["expected_low"],
                high=best["expected_high"],
            )
        )
    undecided = (
        0
        if formats is None
        else formats.loc[formats["store_format"] == UNDECIDED, "n_dealers"].sum()
    )
    # of all, the figure's note says it
    if formats is not None and 0 < undecided < formats["n_dealers"].sum():
        lines.append(
            words.say("segmentation.line_undecided", n=undecided, all=formats["n_dealers"].sum())
        )
    return lines


def headlines(history: pd.DataFrame, cities: pd.DataFrame) -> list[dict]:
    """Make the front page's figures on the network and what changed in it.

    Keys as `report.headline`.
    """
    made, page = [], page_of("segmentation")
    if len(history) > 1:
        last = history.iloc[-1]
        net = int(history["n_active"].diff().iloc[-1])
        tile = {
            "place": "tile",
            "label": words.label("n_buying"),
            "text": f"{last['n_active']:,}",
            "link": page,
        }
        change = words.say("segmentation.against", net=net_change(net), start=last["from_month"])
        tone, trend = "good" if net > 0 else "bad" if net < 0 else "", history["n_active"].tolist()
        made.append(tile | {"change": change, "tone": tone, "trend": trend})
        text = words.say("segmentation.line_history", net=net_change(net), **counts(last))
        made.append({"place": "change", "text": text, "link": page})
    if len(white := cities[cities["is_white_spot"]]):
        tile = {
            "place": "tile",
            "label": words.label("n_white_spots"),
            "text": f"{len(white):,}",
            "link": page,
        }
        people = words.say("segmentation.people", people=_people(white["population"].sum()))
        made.append(tile | {"change": people})
    return made


# ---- steps ---------------------------------------------------------------------------------------


def _people(number: float) -> str:
    return words.money(number, unit=False)


def _named(row: pd.Series) -> str:
    name = row.get("candidate_name")
    return str(row["candidate_id"] if name is None or pd.isna(name) else name)
