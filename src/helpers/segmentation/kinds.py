"""Kinds: what kinds of customers the dealers are, and in which shops they sell."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers import look, words
from helpers.pareto import shares_of_gains

NOT_STATED, UNDECIDED, OTHER = "not_stated", "undecided", "other_format"
NEARLY_ALL = 0.9  # of dealers and of revenue: a drawing of shares is one full bar
ROUNDING = 0.005  # shares that miss 1 by less are a rounding rest, not a class
FORMATS_SHOWN = 12


def customer_mix(dealers: pd.DataFrame, totals: pd.DataFrame) -> pd.DataFrame:
    """Count dealers and money per customer type, largest revenue first, `not_stated` last.

    A dealer is active if his revenue is above zero. Shares are of the sum of the types above zero;
    a type below has none.

    >>> dealers = pd.DataFrame({"dealer_id": ["a", "b"], "customer_type": ["channel", None]})
    >>> totals = pd.DataFrame({"dealer_id": ["a", "b"], "revenue": [30.0, 10.0]})
    >>> mix = customer_mix(dealers, totals.assign(gross_profit=[3.0, 2.0]))
    >>> mix[["customer_type", "n_dealers", "revenue_share"]].values.tolist()
    [['channel', 1, 0.75], ['not_stated', 1, 0.25]]
    """
    joined = with_totals(dealers, totals)
    joined["customer_type"] = stated(joined["customer_type"])
    mix = joined.groupby("customer_type").agg(
        n_dealers=("dealer_id", "count"), n_active=("is_active", "sum"), revenue=("revenue", "sum")
    )
    mix["gross_profit"] = joined.groupby("customer_type")["gross_profit"].sum(min_count=1)
    for column, share in (
        ("n_dealers", "dealer"),
        ("revenue", "revenue"),
        ("gross_profit", "gross_profit"),
    ):
        mix.insert(mix.columns.get_loc(column) + 1, f"{share}_share", _share(mix[column]))
    mix["last"] = mix.index == NOT_STATED
    mix = mix.reset_index().sort_values(
        ["last", "revenue", "customer_type"], ascending=[True, False, True]
    )
    return mix.drop(columns="last").reset_index(drop=True)


def require_formats(rules: pd.DataFrame) -> pd.DataFrame:
    """Return the format rules with limits as numbers, smallest first.

    Raises
    ------
    ValueError
        If a format occurs twice, two formats share a limit, or a limit is negative or no number.
    """
    limits = pd.to_numeric(rules["min_area_m2"], errors="coerce")
    wrong = rules[(limits.isna() & (stated(rules["min_area_m2"]) != NOT_STATED)) | limits.lt(0)]
    if len(wrong):
        row = wrong.iloc[0]
        raise ValueError(
            f"formats: min_area_m2 of {row['store_format']!r} is {str(row['min_area_m2'])!r}; "
            "give the area in m² from which the format holds, or leave it empty"
        )
    twice = rules.loc[rules["store_format"].duplicated(), "store_format"]
    if len(twice):
        raise ValueError(f"formats: {twice.iloc[0]!r} has more than one row; keep one")
    for area, same in rules[limits.notna()].groupby(limits)["store_format"]:
        if len(same) > 1:
            both = " and ".join(map(repr, same))
            raise ValueError(
                f"formats: {both} begin at the same {area:,.0f} m²; the floor area can't decide"
            )
    return rules.assign(min_area_m2=limits).sort_values("min_area_m2", ignore_index=True)


def store_formats(dealers: pd.DataFrame, rules: pd.DataFrame) -> pd.DataFrame:
    """Decide each shop's format.

    A given one wins, else the rule with the largest area limit the shop reaches.

    Formats without a limit hold only when given. `rules` is `formats.csv`; a format given by its
    English or Chinese name there becomes its code, an unknown one stays as it is. Works for
    candidates too.

    Returns
    -------
    DataFrame
        The rows given, with `store_format` decided ("undecided" where nothing tells) and
        `decided_by`: "given", "by_area" or "undecided".

    >>> rules = pd.DataFrame({"store_format": ["shop", "store"], "min_area_m2": [100, 1000]})
    >>> dealers = pd.DataFrame({"store_format": ["chain", None, None],
    ...                         "floor_area_m2": [50, 1000, 99]})
    >>> store_formats(dealers, rules)["store_format"].tolist()
    ['chain', 'store', 'undecided']
    """
    rules = require_formats(rules)
    names = {
        str(row[c]).casefold(): row["store_format"]
        for c in ("zh", "en", "store_format")
        if c in rules
        for row in rules.dropna(subset=[c]).to_dict("records")
    }
    given = stated(dealers["store_format"])
    given = given.str.casefold().map(names).fillna(given)
    by_area = rules.dropna(subset=["min_area_m2"])
    area = pd.to_numeric(dealers["floor_area_m2"]).astype(float)
    reached = np.searchsorted(
        by_area["min_area_m2"].to_numpy(float), area.fillna(-1).to_numpy(), side="right"
    )
    decided = np.array([UNDECIDED, *by_area["store_format"]], dtype=object)[
        np.where(area > 0, reached, 0)
    ]
    is_given = (given != NOT_STATED).to_numpy()
    how = np.where(is_given, "given", np.where(decided == UNDECIDED, UNDECIDED, "by_area"))
    return dealers.assign(
        store_format=np.where(is_given, given, decided).astype(object), decided_by=how
    )


def format_mix(dealers: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Share of each format among the dealers of an area type, beside the handbook's.

    `dealers` come from `store_formats`, `reference` is `handbook_formats.csv`. What the handbook's
    shares leave open beyond rounding is its `not_stated`; formats it doesn't name have no
    reference. Where no dealer has an area type, nothing can stand beside the handbook, and its rows
    are left out.

    Returns
    -------
    DataFrame
        area_type, store_format, n_dealers, dealer_share (of the area's dealers), handbook_share;
        every format in each area that has dealers or a reference.
    """
    counts = pd.DataFrame(
        {
            "area_type": stated(dealers["area_type"]),
            "store_format": stated(dealers["store_format"]),
        }
    )
    counts = counts.value_counts().rename("n_dealers").reset_index()
    reference = reference.head(0) if counts["area_type"].eq(NOT_STATED).all() else reference
    rest = 1 - reference.groupby("area_type")["share"].sum()
    rest = rest[rest > ROUNDING].rename("share").reset_index().assign(store_format=NOT_STATED)
    handbook = pd.concat(
        [reference[["area_type", "store_format", "share"]], rest], ignore_index=True
    )
    mix = counts.merge(
        handbook.rename(columns={"share": "handbook_share"}), "outer", ["area_type", "store_format"]
    )
    mix["n_dealers"] = mix["n_dealers"].fillna(0).astype(int)
    mix["dealer_share"] = mix["n_dealers"] / mix.groupby("area_type")["n_dealers"].transform(
        "sum"
    ).replace(0, np.nan)
    ordered = [
        "urban",
        "rural",
        *sorted(set(mix["area_type"]) - {"urban", "rural", NOT_STATED}),
        NOT_STATED,
    ]
    mix["order"] = mix["area_type"].map(ordered.index)
    mix["last"] = mix["store_format"].isin([NOT_STATED, UNDECIDED])
    mix = mix.sort_values(
        ["order", "last", "n_dealers", "handbook_share", "store_format"],
        ascending=[True, True, False, False, True],
        ignore_index=True,
    )
    return mix[["area_type", "store_format", "n_dealers", "dealer_share", "handbook_share"]]


def told(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Give a table for reading, or none of its rows where the data tell nothing of the column that
    it is by.
    """
    return rows if (~rows[column].isin([NOT_STATED, UNDECIDED])).any() else rows.head(0)


# ---- plots ---------------------------------------------------------------------------------------


def plot_customer_mix(
    mix: pd.DataFrame, *, ax: Axes | None = None, note: str = "", source: str = ""
) -> Axes:
    """Draw each customer type's share of dealers, revenue and gross profit."""
    if mix["customer_type"].isin([NOT_STATED]).all():
        return nothing(ax, "title_mix_none" if len(mix) else "nothing")
    first = mix.iloc[0]
    title = words.say(
        "segmentation.title_mix",
        type=words.word(first["customer_type"]),
        revenue=words.percent(first["revenue_share"]),
        dealers=words.percent(first["dealer_share"]),
    )
    # one full bar, and others that are not seen
    if first[["dealer_share", "revenue_share"]].min() >= NEARLY_ALL or len(mix) == 1:
        return look.instead(title, ax)
    ax = look.axes(height=1.4 + 0.55 * len(mix)) if ax is None else ax
    colors = {"dealer_share": "muted", "revenue_share": "accent", "gross_profit_share": "B"}
    _grouped_bars(
        ax, mix, "customer_type", {c: color for c, color in colors.items() if mix[c].notna().any()}
    )
    return look.explain(ax, title, note, source)


def plot_format_mix(
    mix: pd.DataFrame, *, ax: Axes | None = None, note: str = "", source: str = ""
) -> Axes:
    """Draw each format's share of an area's dealers, with the handbook's share as a mark.

    Rare formats are folded; dealers without an area type are drawn only where no dealer has one.
    """
    counts = mix.groupby("area_type", sort=False)["n_dealers"].sum()
    areas = [area for area in counts[counts > 0].index if area != NOT_STATED] or [NOT_STATED]
    mix = mix[mix["area_type"].isin(areas)]
    if not mix.loc[~mix["store_format"].isin([NOT_STATED, UNDECIDED]), "n_dealers"].sum():
        return nothing(ax, "title_formats_undecided" if counts.sum() else "nothing")
    total = mix.groupby("store_format", sort=False)["n_dealers"].sum()
    kept = (
        total.drop([NOT_STATED, UNDECIDED], errors="ignore")
        .nlargest(FORMATS_SHOWN, keep="first")
        .index
    )
    kept = [*kept, *total.index.intersection([NOT_STATED, UNDECIDED])]
    names = mix["store_format"].where(mix["store_format"].isin(kept), OTHER)
    wide = mix.assign(store_format=names).pivot_table(
        index="store_format",
        columns="area_type",
        values=["dealer_share", "handbook_share"],
        aggfunc=lambda share: share.sum(min_count=1),
        dropna=False,
    )
    wide = wide.reindex(
        [*kept[:FORMATS_SHOWN], *([OTHER] if OTHER in wide.index else []), *kept[FORMATS_SHOWN:]]
    )
    if wide.size == 2:
        said = words.say("segmentation.formats_one", format=words.word(wide.index[0]))
        return look.instead(said, ax)
    ax = look.axes(height=1.4 + 0.15 * len(wide) * (len(areas) + 0.6)) if ax is None else ax
    shares = wide["dealer_share"].reset_index()
    colors = {a: a if a in ("urban", "rural") else "muted" for a in areas}
    rows = _grouped_bars(ax, shares, "store_format", colors, wide["handbook_share"])
    for area in areas:
        ax.plot(
            wide["handbook_share"][area],
            rows[area],
            "|",
            markersize=11,
            markeredgewidth=2.4,
            color=look.COLORS["text"],
        )
    if wide["handbook_share"].notna().to_numpy().any():
        note = " · ".join(filter(None, [words.say("segmentation.handbook_mark"), note]))
    return look.explain(ax, _format_title(mix), note, source)


# ---- steps ---------------------------------------------------------------------------------------


def stated(column: pd.Series) -> pd.Series:
    """Read a column of names or codes; empty ones become `not_stated`."""
    text = column.astype(object).where(column.notna(), "").astype(str).str.strip()
    return text.mask(text == "", NOT_STATED)


def with_totals(dealers: pd.DataFrame, totals: pd.DataFrame) -> pd.DataFrame:
    """Join dealers and window; money of a dealer nobody listed stays in the sums."""
    money = [c for c in ("dealer_id", "revenue", "gross_profit") if c in totals]
    joined = dealers.merge(totals[money], "outer", "dealer_id")
    joined["revenue"] = joined["revenue"].astype(float).fillna(0)
    return joined.assign(is_active=joined["revenue"] > 0)


def _share(amounts: pd.Series) -> pd.Series:
    return shares_of_gains(amounts.astype(float))


def _format_title(mix: pd.DataFrame) -> str:
    """Find the widest gap to the handbook among formats it names.

    Without one, the commonest format.
    """
    both = mix[
        mix["handbook_share"].notna()
        & mix["dealer_share"].notna()
        & (mix["store_format"] != NOT_STATED)
    ]
    if both.empty:
        counts = mix.groupby("store_format")["n_dealers"].sum()
        top = counts.drop([NOT_STATED, UNDECIDED], errors="ignore")
        return words.say(
            "segmentation.title_formats_none",
            format=words.word(top.idxmax()),
            share=words.percent(top.max() / counts.sum()),
        )
    row = both.loc[(both["dealer_share"] - both["handbook_share"]).abs().idxmax()]
    return words.say(
        "segmentation.title_formats",
        format=words.word(row["store_format"]),
        area=words.word(row["area_type"]),
        share=words.percent(row["dealer_share"]),
        handbook=words.percent(row["handbook_share"]),
    )


def _grouped_bars(
    ax: Axes,
    rows: pd.DataFrame,
    name: str,
    colors: dict[str, str],
    marks: pd.DataFrame | None = None,
) -> dict[str, np.ndarray]:
    """Draw shares as bars side by side, first row on top; return where each column's bars lie.

    Each says its share, beyond its mark of `marks`; what those of the first row are stands beside.
    """
    width, middle, centres = 0.8 / len(colors), (len(colors) - 1) / 2, {}
    # one colour that stands for nothing needs no name
    named = len(colors) > 1 or next(iter(colors.values())) != "muted"
    for i, (column, color) in enumerate(colors.items()):
        centres[column] = np.arange(len(rows)) + (i - middle) * width
        ax.barh(centres[column], rows[column].fillna(0), width, color=look.COLORS[color])
        beyond = rows[column] if marks is None else np.fmax(rows[column], marks[column].to_numpy())
        ends = zip(centres[column], rows[column], beyond, strict=True)
        for n, (at, share, end) in enumerate(ends):
            if named and n == 0:
                look.beside(ax, [(at, words.word(column), look.COLORS[color])])
            if not pd.isna(share):
                ax.annotate(
                    words.percent(share),
                    (end, at),
                    xytext=(5, 0),
                    textcoords="offset points",
                    va="center",
                    fontsize=8.5,
                    color=look.ink(look.COLORS[color]),
                )
    ax.set_yticks(np.arange(len(rows)), [words.word(code) for code in rows[name]])
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.grid(False)
    ax.set_xlim(0, 1.3 * max(float(rows[list(colors)].max().max()), 1e-9))  # for the shares
    ax.set_xticks([])  # each bar says its share
    return centres


def nothing(ax: Axes | None, sentence: str = "nothing") -> Axes:
    """Say in place of a figure why there is none: a sentence of this question."""
    return look.nothing(words.say(f"segmentation.{sentence}"), ax)
