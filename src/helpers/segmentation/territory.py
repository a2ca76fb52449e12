"""Territory: where the network is missing, where it is crowded, and which shop should join next."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.neighbors import BallTree
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from helpers import look, words

NOT_STATED, UNDECIDED, OTHER = "not_stated", "undecided", "other_format"
EARTH_KM = 6371.0088
MIN_COMPARABLE = 3  # served cities an estimate for a white spot stands on
MIN_DEALERS = 30  # present dealers a scorecard is estimated from
MIN_PER_FORMAT = 5  # rarer formats are weighted together
FOLDS, INTERVAL = 10, (0.1, 0.9)
PLACE = ["region", "city"]
FEATURES = ["floor_area_m2", "population", "n_dealers_in_city"]
# of the ranking; people may have a column of such a name, too
COMPUTED = (
    "rank",
    "population",
    "n_active",
    "n_dealers_in_city",
    "expected_revenue",
    "expected_low",
    "expected_high",
    "missing",
    "hand_score",
)
CANDIDATE_COLUMNS = [
    "candidate_id",
    "candidate_name",
    "region",
    "city",
    "store_format",
    "floor_area_m2",
]
WHITE_SPOT_COLUMNS = [
    "region",
    "city",
    "area_type",
    "population",
    "expected_revenue",
    "n_comparable",
]
CITIES_SHOWN, WHITE_SPOTS_SHOWN, CANDIDATES_SHOWN = 20, 8, 15


# ---- where it is missing -------------------------------------------------------------------------


def coverage(dealers: pd.DataFrame, totals: pd.DataFrame, regions: pd.DataFrame) -> pd.DataFrame:
    """Measure per city how many active dealers and how much revenue stand against its people.

    A white spot is a city with people and no active dealer. What it could bring is an estimate: its
    population × the median revenue per head of the served cities of the same area type (of all
    served cities where fewer than three are of that type). A dealer without region gets his city's
    where that is unique; the rest is `not_stated`.

    Returns
    -------
    DataFrame
        region, city, area_type, population, n_dealers, n_active, dealers_per_100k (active ones),
        revenue, revenue_per_head, floor_area_m2, floor_area_per_1000 (m² of active dealers per 1000
        people), is_white_spot, expected_revenue, n_comparable.
    """
    joined = _placed(_with_totals(dealers, totals), regions, dealers)
    joined["open_area"] = _number(joined["floor_area_m2"]).where(joined["is_active"])
    joined["area_type"] = joined["area_type"].astype(object)
    found = joined.groupby(PLACE).agg(
        n_dealers=("dealer_id", "count"),
        n_active=("is_active", "sum"),
        revenue=("revenue", "sum"),
        dealer_area_type=("area_type", "min"),
    )
    found["floor_area_m2"] = joined.groupby(PLACE)["open_area"].sum(min_count=1)
    known = regions.reindex(columns=[*PLACE, "population", "area_type"])
    known = known.assign(**{column: _stated(known[column]) for column in PLACE})
    cities = known.merge(found.reset_index(), "outer", PLACE)
    cities["area_type"] = _stated(
        cities["area_type"].astype(object).fillna(cities.pop("dealer_area_type"))
    )
    for column in ("n_dealers", "n_active", "revenue"):
        cities[column] = cities[column].fillna(0).astype(float if column == "revenue" else int)
    cities["population"] = _number(cities["population"])
    return _expected(_per_head(cities)).sort_values(PLACE, ignore_index=True)


def coverage_by_region(cities: pd.DataFrame) -> pd.DataFrame:
    """Roll `coverage` up to regions; per-head figures rest on the cities whose population is known.

    Returns
    -------
    DataFrame
        region, population, n_cities, n_dealers, n_active, dealers_per_100k, revenue,
        revenue_per_head, floor_area_m2, floor_area_per_1000, n_white_spots, white_spot_population,
        expected_revenue (of the white spots); white spots are missing where no city's population is
        known.
    """
    parts = cities.assign(
        n_cities=cities["city"].ne(NOT_STATED),
        n_white_spots=cities["is_white_spot"],
        white_spot_population=cities["population"].where(cities["is_white_spot"], 0),
    )
    adding = [
        "n_cities",
        "n_dealers",
        "n_active",
        "revenue",
        "n_white_spots",
        "white_spot_population",
    ]
    rolled = parts.groupby("region")[adding].sum()
    for column in ("population", "floor_area_m2", "expected_revenue"):
        rolled[column] = parts.groupby("region")[column].sum(min_count=1)
    # nobody counted the people: there may be white spots, or none
    if cities["population"].isna().all():
        rolled[["n_white_spots", "white_spot_population"]] = np.nan
    counted = (
        parts[parts["population"].notna()]
        .groupby("region")[["n_active", "revenue", "floor_area_m2"]]
        .sum()
    )
    per_head = _per_head(counted.reindex(rolled.index).assign(population=rolled["population"]))
    for column in ("dealers_per_100k", "revenue_per_head", "floor_area_per_1000"):
        rolled[column] = per_head[column]
    rolled["last"] = rolled.index == NOT_STATED
    rolled = rolled.reset_index().sort_values(
        ["last", "revenue", "region"], ascending=[True, False, True]
    )
    order = [
        "region",
        "population",
        "n_cities",
        "n_dealers",
        "n_active",
        "dealers_per_100k",
        "revenue",
        "revenue_per_head",
        "floor_area_m2",
        "floor_area_per_1000",
        "n_white_spots",
        "white_spot_population",
        "expected_revenue",
    ]
    return rolled[order].reset_index(drop=True)


def dealer_overlap(
    dealers: pd.DataFrame, totals: pd.DataFrame, regions: pd.DataFrame, radius_km: float = 5.0
) -> pd.DataFrame:
    """Count for each active dealer our other active dealers near him, most crowded first.

    Near is within `radius_km` by great circle where he has coordinates, else in the same city
    (`overlap_by`); the two counts don't compare, so those by distance come first.

    Returns
    -------
    DataFrame
        dealer_id, dealer_name, region, city, revenue, n_neighbours (missing where nothing tells),
        nearest_km, overlap_by ("distance", "city" or "not_stated").
    """
    near = _placed(_with_totals(dealers, totals), regions, dealers).query(
        "is_active and dealer_id.notna()"
    )
    near = near.sort_values("dealer_id", ignore_index=True)
    in_city = near.groupby(PLACE)["dealer_id"].transform("count") - 1
    near["n_neighbours"] = in_city.where(near["city"] != NOT_STATED).astype("Int64")
    near["overlap_by"] = np.where(near["city"] != NOT_STATED, "city", NOT_STATED)
    degrees = near[["latitude", "longitude"]].apply(pd.to_numeric)
    # 0° / 0° is an empty field, not a shop in the Atlantic
    valid = (degrees.abs() <= [90, 180]).all(axis=1).to_numpy() & degrees.ne(0).any(
        axis=1
    ).to_numpy()
    near["nearest_km"] = np.nan
    if valid.any():
        points = np.radians(degrees[valid].to_numpy(float))
        tree = BallTree(points, metric="haversine")
        near.loc[valid, "n_neighbours"] = (
            tree.query_radius(points, radius_km / EARTH_KM, count_only=True) - 1
        )
        near.loc[valid, "overlap_by"] = "distance"
        if len(points) > 1:
            near.loc[valid, "nearest_km"] = tree.query(points, k=2)[0][:, 1] * EARTH_KM
    columns = [
        "dealer_id",
        "dealer_name",
        "region",
        "city",
        "revenue",
        "n_neighbours",
        "nearest_km",
        "overlap_by",
    ]
    # counts within a radius and counts within a city are not comparable: the former come first
    near["order"] = near["overlap_by"].map(["distance", "city", NOT_STATED].index)
    near = near.sort_values(
        ["order", "n_neighbours", "nearest_km", "dealer_id"], ascending=[True, False, True, True]
    )
    return near[columns].reset_index(drop=True)


# ---- who should join -----------------------------------------------------------------------------


class Scorecard(NamedTuple):
    """The weights estimated from present dealers, and the candidates ranked by them.

    `weights`: feature, weight (standardised: change of log revenue for one standard deviation
    more), n_dealers, r2. `ranked`: rank, the candidate's columns, population, n_dealers_in_city,
    expected_revenue with expected_low and expected_high, hand_score where weights were given, and
    `missing`, the features without which there is no estimate. `reason`: "" or why there is no
    estimate ("few": too few dealers; "weak": R² not above zero).
    """

    weights: pd.DataFrame
    ranked: pd.DataFrame
    n_dealers: int
    r2: float
    reason: str


def candidate_scorecard(
    candidates: pd.DataFrame,
    dealers: pd.DataFrame,
    totals: pd.DataFrame,
    regions: pd.DataFrame,
    weights: Mapping[str, float] | None = None,
) -> Scorecard:
    """Rank candidates by the revenue that present dealers like them bring.

    A ridge regression of log revenue on log floor area, log population and log number of our other
    dealers of the city and on the format (as `store_formats` decides it), re-estimated whenever it
    is called. A feature is used if half of the active dealers have it. The expected revenue is the
    typical (median) one of such a shop in a year, its interval holds 80 % of present dealers'
    cross-validated residuals; dealers that joined within the window pull it down. With fewer than
    30 usable dealers, or a cross-validated R² not above zero, nothing is estimated.

    Scored 0–10 columns of `candidates` are shown, but present dealers have no such scores, so no
    weight can be estimated for them: they count only through `weights` given by hand (column →
    weight), and then the ranking goes by their weighted mean, `hand_score`. A column of theirs that
    is called as one of `COMPUTED` is shown as `<name>_given`.

    Raises
    ------
    ValueError
        If `weights` name a column that is no score of the candidates, or are negative or sum to
        zero.
    """
    taken = {column: f"{column}_given" for column in COMPUTED if column in candidates}
    candidates = candidates.rename(columns=taken)
    if weights is not None:
        weights = {taken.get(column, column): weight for column, weight in weights.items()}
    cities = coverage(dealers, totals, regions)
    present = _features(
        _with_totals(dealers, totals).query("is_active and dealer_id.notna()"), cities, own=1
    )
    wanted = _features(candidates.reset_index(drop=True), cities)
    numeric = [c for c in FEATURES if present[c].notna().mean() >= 0.5]
    present = present.dropna(subset=numeric).sort_values("dealer_id")
    estimate, table, r2 = _ridge(
        *_design(present, wanted, numeric), np.log(present["revenue"].to_numpy(float))
    )
    reason = "few" if len(present) < MIN_DEALERS else "" if r2 > 0 else "weak"
    shown = [
        c for c in dict.fromkeys([*CANDIDATE_COLUMNS, *FEATURES[1:], *candidates]) if c != "region"
    ]
    ranked = wanted.reindex(columns=shown)
    ranked[list(estimate)] = np.nan if reason else np.exp(estimate)
    ranked["missing"] = [
        ", ".join(words.label(c) for c in numeric if pd.isna(row[c]))
        for row in wanted.to_dict("records")
    ]
    order = "expected_revenue"
    if weights is not None:
        order, ranked["hand_score"] = "hand_score", _hand_score(candidates, weights).to_numpy()
    ranked.insert(0, "rank", ranked[order].rank(ascending=False, method="min").astype("Int64"))
    return Scorecard(
        table,
        ranked.sort_values(["rank", "candidate_id"], ignore_index=True),
        len(present),
        r2,
        reason,
    )


def scorecard_basis(card: Scorecard) -> str:
    """Say what the ranking rests on, or why there is none."""
    if card.ranked.empty:
        return words.say("segmentation.scorecard_none")
    return words.say(
        f"segmentation.scorecard_{card.reason}".rstrip("_"),
        n=card.n_dealers,
        least=MIN_DEALERS,
        r2=card.r2,
        share=words.percent(card.r2),
    )


def candidate_columns(ranked: pd.DataFrame) -> list[str]:
    """Name the columns of a scorecard's `ranked` worth printing, the estimate before what it rests
    on.
    """
    spoken = ranked.replace("", np.nan).notna().any()
    named = ranked["candidate_name"].notna().all()
    said = [c for c in ranked if spoken[c] and not (named and c == "candidate_id")]
    first = [
        "rank",
        "candidate_id",
        "candidate_name",
        "city",
        "expected_revenue",
        "expected_low",
        "expected_high",
    ]
    return [c for c in first if c in said] + [c for c in said if c not in first]


# ---- plots ---------------------------------------------------------------------------------------


def plot_coverage(
    cities: pd.DataFrame, *, ax: Axes | None = None, scope: str = "", source: str = ""
) -> Axes:
    """Draw revenue per head.

    The cities with most revenue, the largest white spots at their estimate, and the rest.

    Takes `coverage` or `coverage_by_region`.
    """
    name = "city" if "city" in cities else "region"
    shown = _cities_shown(cities, name)
    if shown.empty:
        return _nothing(ax, "segmentation.no_population")
    ax = look.axes(height=1.6 + 0.25 * max(len(shown), 2)) if ax is None else ax
    for kind, color in (("served", "accent"), ("rest", "muted")):
        bars = shown[shown["kind"] == kind]
        ax.barh(bars.index, bars["revenue_per_head"], 0.7, color=look.COLORS[color])
    white = shown[shown["kind"] == "white_spot"]
    # dashed, as estimates are; hatching would be turned into a blurred picture on paper
    ax.barh(
        white.index,
        white["revenue_per_head"].fillna(0),
        0.64,
        facecolor="none",
        linewidth=1.2,
        edgecolor=look.COLORS["bad"],
        linestyle=(0, (3, 2)),
        label=words.say("segmentation.white_spot_estimate"),
    )
    ax.set_yticks(shown.index, shown["name"])
    for tick, kind in zip(ax.get_yticklabels(), shown["kind"], strict=True):
        tick.set_color(look.COLORS["bad"] if kind == "white_spot" else look.COLORS["text"])
    _ranked_axis(ax, len(shown), "revenue_per_head")
    if len(white):
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2)
    return look.explain(ax, _coverage_title(cities), scope, source)


def plot_candidates(
    ranked: pd.DataFrame, *, ax: Axes | None = None, scope: str = "", source: str = ""
) -> Axes:
    """Draw the candidates' expected revenue as a dot on the interval that holds four of five shops
    like them.
    """
    shown = ranked[ranked["expected_revenue"].notna()].head(CANDIDATES_SHOWN).reset_index(drop=True)
    if shown.empty:
        return _nothing(ax, f"segmentation.{'scorecard_none' if ranked.empty else 'no_estimate'}")
    ax = look.axes(height=1.5 + 0.27 * max(len(shown), 2)) if ax is None else ax
    ax.hlines(
        shown.index,
        shown["expected_low"],
        shown["expected_high"],
        color=look.COLORS["muted"],
        linewidth=5,
    )
    ax.plot(shown["expected_revenue"], shown.index, "o", markersize=7, color=look.COLORS["accent"])
    names = shown["candidate_name"].fillna(shown["candidate_id"].astype(str))
    ax.set_yticks(
        shown.index,
        [
            f"{name} · {city}" if pd.notna(city) else name
            for name, city in zip(names, shown["city"], strict=True)
        ],
    )
    ax.set_xlim(left=0)
    _ranked_axis(ax, len(shown), "expected_revenue")
    best = shown.loc[shown["expected_revenue"].idxmax()]
    low, high = (
        words.money(best[column], unit=False) for column in ("expected_low", "expected_high")
    )
    title = words.say(
        "segmentation.title_candidates",
        name=names[best.name],
        expected=best["expected_revenue"],
        low=low,
        high=high,
    )
    return look.explain(ax, title, scope, source)


# ---- steps ---------------------------------------------------------------------------------------


def _stated(column: pd.Series) -> pd.Series:
    """Read a column of names or codes; empty ones become `not_stated`."""
    text = column.astype(object).where(column.notna(), "").astype(str).str.strip()
    return text.mask(text == "", NOT_STATED)


def _number(column: pd.Series) -> pd.Series:
    """Read sizes; what is not above zero is not known."""
    numbers = pd.to_numeric(column).astype(float)
    return numbers.where(numbers > 0)


def _with_totals(dealers: pd.DataFrame, totals: pd.DataFrame) -> pd.DataFrame:
    """Join dealers and window; money of a dealer nobody listed stays in the sums."""
    joined = dealers.merge(totals[["dealer_id", "revenue"]], "outer", "dealer_id")
    joined["revenue"] = joined["revenue"].astype(float).fillna(0)
    return joined.assign(is_active=joined["revenue"] > 0)


def _placed(rows: pd.DataFrame, *places: pd.DataFrame) -> pd.DataFrame:
    """State region and city.

    A missing region is the city's where only one has a city of that name.
    """
    known = pd.concat([table.reindex(columns=PLACE) for table in places]).dropna().astype(str)
    known = (
        known[known.ne(NOT_STATED).all(axis=1)]
        .drop_duplicates()
        .drop_duplicates("city", keep=False)
    )
    city = _stated(rows["city"])
    region = _stated(
        rows["region"] if "region" in rows else pd.Series(None, rows.index, dtype=object)
    )
    by_city = city.map(known.set_index("city")["region"]).fillna(NOT_STATED)
    return rows.assign(region=region.where(region != NOT_STATED, by_city), city=city)


def _per_head(places: pd.DataFrame) -> pd.DataFrame:
    people = places["population"]
    return places.assign(
        dealers_per_100k=places["n_active"] / people * 1e5,
        revenue_per_head=places["revenue"] / people,
        floor_area_per_1000=places["floor_area_m2"] / people * 1e3,
    )


def _expected(cities: pd.DataFrame) -> pd.DataFrame:
    """Mark white spots and estimate what they could bring."""
    white = cities["population"].notna() & cities["n_active"].eq(0) & cities["city"].ne(NOT_STATED)
    served = cities[
        cities["population"].notna() & cities["n_active"].gt(0) & cities["city"].ne(NOT_STATED)
    ]
    alike = (
        served.groupby("area_type")["revenue_per_head"]
        .agg(["median", "count"])
        .reindex(cities["area_type"])
    )
    enough = (alike["count"] >= MIN_COMPARABLE).to_numpy()
    per_head = np.where(enough, alike["median"], served["revenue_per_head"].median())
    n_comparable = np.where(enough, alike["count"], len(served))
    possible = white & (n_comparable >= MIN_COMPARABLE)
    return cities.assign(
        is_white_spot=white,
        expected_revenue=(cities["population"] * per_head).where(possible),
        n_comparable=pd.Series(n_comparable, cities.index).where(white).astype("Int64"),
    )


def _features(rows: pd.DataFrame, cities: pd.DataFrame, own: int = 0) -> pd.DataFrame:
    """Add what the scorecard looks at; a present dealer is not his `own` neighbour."""
    rows = _placed(rows, cities).drop(columns=["population", "n_dealers_in_city"], errors="ignore")
    rows = rows.merge(cities[[*PLACE, "population", "n_active"]], "left", PLACE)
    # a city in none of our tables has no dealer of ours; one of several of that name could be any
    others = rows.pop("n_active").where(rows["city"].isin(cities["city"]), 0) - own
    rows["n_dealers_in_city"] = others.where(rows["city"] != NOT_STATED)
    rows["city"] = rows["city"].replace(NOT_STATED, None)
    rows["floor_area_m2"] = _number(rows["floor_area_m2"])
    return rows.assign(store_format=_stated(rows["store_format"]).replace(NOT_STATED, UNDECIDED))


def _design(
    present: pd.DataFrame, wanted: pd.DataFrame, numeric: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lay out both tables as numbers.

    A format that no present dealer has counts as the average one.
    """
    common = present["store_format"].value_counts()
    common = sorted(common[common >= MIN_PER_FORMAT].index)
    dummies, made = [*common, OTHER], []
    for rows in (present, wanted):
        code = rows["store_format"].where(rows["store_format"].isin(common), OTHER)
        x = {c: np.log1p(rows[c].astype(float)) for c in numeric}
        made.append(
            pd.DataFrame(x | {f: code.eq(f).astype(float) for f in dummies}, index=rows.index)
        )
    x, wanted_x = made
    if not x[OTHER].any():
        wanted_x.loc[wanted_x[OTHER] == 1, dummies] = x[dummies].mean().to_numpy()
    varied = x.columns[x.max() > x.min()]
    return x[varied], wanted_x[varied]


def _ridge(
    x: pd.DataFrame, wanted: pd.DataFrame, y: np.ndarray
) -> tuple[pd.DataFrame, pd.DataFrame, float]:
    """Fit; return the candidates' log revenue with its interval, the weights, and R² on dealers
    held out.
    """
    estimate = pd.DataFrame(
        np.nan, wanted.index, ["expected_revenue", "expected_low", "expected_high"]
    )
    table = pd.DataFrame(
        {"feature": x.columns.astype(str), "weight": np.nan, "n_dealers": len(x), "r2": np.nan}
    )
    if len(x) < MIN_DEALERS or x.shape[1] == 0 or np.ptp(y) == 0:
        return estimate, table.iloc[:0], 0.0 if len(x) >= MIN_DEALERS else float("nan")
    model = make_pipeline(StandardScaler(), RidgeCV(alphas=np.logspace(-2, 3, 11)))
    residuals = y - cross_val_predict(model, x, y, cv=KFold(FOLDS, shuffle=True, random_state=0))
    r2 = float(1 - (residuals**2).sum() / ((y - y.mean()) ** 2).sum())
    model.fit(x, y)
    known = wanted.notna().all(axis=1)
    if known.any():
        low, high = np.quantile(residuals, INTERVAL)
        estimate.loc[known] = model.predict(wanted[known])[:, None] + [0, low, high]
    table = table.assign(weight=model[-1].coef_, r2=r2)
    return estimate, table.sort_values("weight", key=abs, ascending=False, ignore_index=True), r2


def _hand_score(candidates: pd.DataFrame, weights: Mapping[str, float]) -> pd.Series:
    """Weigh the given scores by hand; without any candidate there is nothing to check."""
    scores = [c for c in candidates.select_dtypes("number") if c not in CANDIDATE_COLUMNS]
    for name, weight in weights.items():
        if name not in scores:
            raise ValueError(
                f"weights: candidates have no score {name!r}; they have "
                f"{', '.join(scores) or 'none'}"
            )
        if weight < 0:
            raise ValueError(f"weights: {name!r} is {weight}; a weight is zero or more")
    if not sum(weights.values()):
        raise ValueError("weights: they sum to zero; give at least one a weight")
    return sum(candidates[name] * weight for name, weight in weights.items()) / sum(
        weights.values()
    )


def _cities_shown(cities: pd.DataFrame, name: str) -> pd.DataFrame:
    """Choose and pool the bars.

    Name, revenue_per_head, kind (served, white_spot, rest), largest first.
    """
    rows = cities[cities["population"].notna() & cities[name].ne(NOT_STATED)].copy()
    is_white = rows["is_white_spot"] if "is_white_spot" in rows else rows["n_active"].eq(0)
    rows["kind"] = np.where(is_white, "white_spot", "served")
    rows["revenue_per_head"] = (rows["expected_revenue"] / rows["population"]).where(
        is_white, rows["revenue_per_head"]
    )
    rows["name"] = rows[name].astype(str)
    if "n_white_spots" in rows:
        rows["name"] = [
            words.say("segmentation.with_white_spots", name=name, n=n) if n else name
            for name, n in zip(rows["name"], rows["n_white_spots"], strict=True)
        ]
    twins = rows["name"].duplicated(keep=False)
    rows.loc[twins, "name"] += " (" + rows.loc[twins, "region"].astype(str) + ")"
    white = rows[is_white].nlargest(WHITE_SPOTS_SHOWN, "population")
    served = rows[~is_white].nlargest(CITIES_SHOWN - len(white), "revenue")
    rest = rows[~is_white].drop(served.index)
    shown = pd.concat([served, white]).sort_values(
        ["revenue_per_head", "name"], ascending=[False, True]
    )
    if len(rest):
        pooled = {
            "name": words.say("segmentation.rest", n=len(rest)),
            "kind": "rest",
            "revenue_per_head": rest["revenue"].sum() / rest["population"].sum(),
        }
        shown = pd.concat([shown, pd.DataFrame([pooled])])
    return shown[["name", "revenue_per_head", "kind"]].reset_index(drop=True)


def _coverage_title(cities: pd.DataFrame) -> str:
    if "is_white_spot" not in cities:
        n, people = cities["n_white_spots"].sum(), cities["white_spot_population"].sum()
    else:
        n, people = (
            cities["is_white_spot"].sum(),
            cities.loc[cities["is_white_spot"], "population"].sum(),
        )
    if not n:
        return words.say("segmentation.title_covered")
    expected = cities["expected_revenue"].sum(min_count=1)
    return words.say(
        "segmentation.title_white" if pd.isna(expected) else "segmentation.title_white_expected",
        n=n,
        people=words.money(people, unit=False),
        expected=expected,
    )


def _ranked_axis(ax: Axes, n_rows: int, term: str) -> None:
    """Put the first row on top and amounts of `term` below."""
    ax.set_ylim(n_rows - 0.4, -0.6)
    ax.grid(False, axis="y")
    if ax.get_xlim()[1] >= 1000:  # below, ticks have decimals of their own
        look.money_axis(ax.xaxis)
    unit = words.money(0).removeprefix("0").strip()
    ax.set_xlabel(f"{words.label(term)} ({unit})" if unit else words.label(term))


def _nothing(ax: Axes | None, sentence: str) -> Axes:
    return look.nothing(words.say(sentence), ax)
