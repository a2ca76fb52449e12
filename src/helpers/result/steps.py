"""Steps: the bridge from a year before to now, by region, account manager, category and dealer."""

import pandas as pd

from helpers.result.standing import PLACES, SPANS, STATED

STEPS = (
    *("new_dealers", "lost_dealers", "new_models", "lost_models"),
    *("price", "rebate", "cost", "volume", "mix", "not_separable"),
)
SIDES = ("base", "now")
INDICATORS = {"revenue": "", "gross_profit": "profit_"}  # and what the door names its columns by
LEVELS = ("network", *PLACES, "category")
CENTS = 100
# of the dealers' and the models' lists
PEOPLE = {"dealer": "dealer_id", "product": "product_id"}


def bridge_table(
    dealers: dict[str, pd.DataFrame], models: dict[str, pd.DataFrame], places: pd.DataFrame
) -> pd.DataFrame:
    """Lay the bridge out step by step at every level.

    Parameters
    ----------
    dealers, models
        Span → the bridge by dealer, and by category and model, as `data.bridge`, in cents.
    places
        `dealer_id`, `region`, `account_manager`.

    Returns
    -------
    DataFrame
        One row per `span`, `cut` of `LEVELS`, `part` (empty for the network), `indicator`
        ("revenue", "gross_profit") and `step` (as `bridge_<name>`: base, the `STEPS` it has, now):
        `effect`. Steps are sums of whole cents, so base and steps come to now at every level.
    """
    found = []
    for span in SPANS:
        if dealers[span].empty:
            continue
        own = dealers[span].merge(_places(places), on="dealer_id", how="left")
        grouped = {"network": own.assign(network="")}
        grouped |= {place: own for place in PLACES if (own[place].dropna() != STATED).any()}
        if models[span]["category"].notna().any():
            grouped["category"] = models[span]
        for level, rows in grouped.items():
            named = rows.assign(part=rows[level].astype("str").fillna(STATED))
            found += [
                _long(named, indicator).assign(span=span, cut=level) for indicator in INDICATORS
            ]
    columns = ["span", "cut", "part", "indicator", "step", "effect"]
    return pd.concat(found, ignore_index=True)[columns] if found else pd.DataFrame(columns=columns)


def _places(places: pd.DataFrame) -> pd.DataFrame:
    return places.drop_duplicates("dealer_id").reindex(columns=["dealer_id", *PLACES])


def _long(rows: pd.DataFrame, indicator: str) -> pd.DataFrame:
    prefix, total = INDICATORS[indicator], "profit" if indicator != "revenue" else "revenue"
    names = {f"{total}_base": "base"}
    names |= {
        prefix + s: s
        for s in STEPS
        if prefix + s in rows and (prefix or s not in ("rebate", "cost"))
    }
    names[f"{total}_now"] = "now"
    sums = rows.groupby("part")[list(names)].sum().rename(columns=names)
    long = sums.reset_index().melt("part", var_name="step", value_name="effect")
    return long.assign(
        step="bridge_" + long["step"].astype("str"),
        effect=long["effect"] / CENTS,
        indicator=indicator,
    )


def network_steps(
    bridge: pd.DataFrame, span: str, indicator: str, level: str = "network", group: str = ""
) -> pd.Series:
    """Give one bridge: step without its prefix → amount; no steps where there is none."""
    is_it = (
        (bridge["span"] == span)
        & (bridge["indicator"] == indicator)
        & (bridge["cut"] == level)
        & (bridge["part"] == group)
    )
    rows = bridge[is_it]
    return pd.Series(
        rows["effect"].to_numpy(float), rows["step"].str.removeprefix("bridge_"), dtype="float64"
    )


def contributions(
    bridge: dict[str, pd.DataFrame], span: str, by: str, names: pd.DataFrame
) -> pd.DataFrame:
    """List who made the change of revenue: dealers or models, the largest gain first.

    Parameters
    ----------
    bridge
        Span → as `data.bridge` by `by`, in cents.
    by
        "dealer" or "product".
    names
        `dealer_id` with `dealer_name` and further columns to show, or the same of products.

    Returns
    -------
    DataFrame
        The id, the columns of `names`, `previous_revenue`, `revenue`, `revenue_change`, and
        `main_step`, the step that most of the change is. Lines of nobody are "not_stated".
    """
    key = PEOPLE[by]
    rows = bridge[span]
    steps = [step for step in STEPS if step in rows.columns]
    if rows.empty:
        more = [c for c in names.columns if c != key]
        return pd.DataFrame(
            columns=[key, *more, "previous_revenue", "revenue", "revenue_change", "main_step"]
        )
    rows = (
        rows.groupby(key, dropna=False)[["revenue_base", "revenue_now", *steps]].sum().reset_index()
    )
    change = (rows["revenue_now"] - rows["revenue_base"]) / CENTS
    # of the steps that go the way of the whole, the largest; at one dealer or model volume and mix
    # are one thing, pieces: what parts them is how its category grew elsewhere
    way = rows[steps].assign(quantity=rows["volume"] + rows["mix"]).drop(columns=["volume", "mix"])
    way = way.mul((change >= 0).map({True: 1, False: -1}), axis=0)
    made = pd.DataFrame(
        {
            key: rows[key],
            "previous_revenue": rows["revenue_base"] / CENTS,
            "revenue": rows["revenue_now"] / CENTS,
            "revenue_change": change,
            "main_step": "bridge_" + way.idxmax(axis=1),
        }
    )
    made = made[made["revenue_change"] != 0].merge(names.drop_duplicates(key), on=key, how="left")
    made[key] = made[key].astype("str").fillna(STATED)
    columns = [key, *(c for c in names.columns if c != key), *made.columns[1:5]]
    return made.sort_values(["revenue_change", key], ascending=[False, True], ignore_index=True)[
        columns
    ]


def largest(changes: pd.DataFrame, n: int) -> pd.DataFrame:
    """Keep the n largest gains and the n largest losses.

    >>> rows = pd.DataFrame({"revenue_change": [5.0, 2.0, 1.0, -1.0, -9.0]})
    >>> largest(rows, 1)["revenue_change"].tolist()
    [5.0, -9.0]
    """
    up = changes[changes["revenue_change"] > 0].head(n)
    down = changes[changes["revenue_change"] < 0].tail(n)
    return pd.concat([up, down], ignore_index=True)
