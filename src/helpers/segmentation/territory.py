"""Territory: where the network is missing, and where it is crowded."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from sklearn.neighbors import BallTree

from helpers import look, words
from helpers.segmentation.kinds import NOT_STATED, nothing, stated, with_totals

EARTH_KM = 6371.0088
NEAR_KM = 5.0  # within which dealers are neighbours
MIN_COMPARABLE = 3  # served cities an estimate for a white spot stands on
MIN_INTERVAL = 10  # served cities its interval stands on
INTERVAL = (0.1, 0.9)
PLACE = ["region", "city"]
WHITE_SPOT_COLUMNS = [
    "region",
    "city",
    "area_type",
    "population",
    "expected_revenue",
    "expected_low",
    "expected_high",
    "n_comparable",
]
CITIES_SHOWN, WHITE_SPOTS_SHOWN = 20, 8


def coverage(
    dealers: pd.DataFrame,
    totals: pd.DataFrame,
    regions: pd.DataFrame,
    *,
    least_population: float = 0,
) -> pd.DataFrame:
    """Measure per city how many active dealers and how much revenue stand against its people.

    A white spot is a city of `least_population` people or more and no active dealer; where
    nobody counted the people there is none. What it could bring is an estimate: its population ×
    the mean revenue per head of the served cities of the same area type, their revenue ÷ their
    population (of all served cities where fewer than three are of that type): a mean, so that
    estimates may be added up. The interval holds four of five of these cities' revenue per head,
    each the same chance; of fewer than ten there is none. A dealer without region gets his city's
    where that is unique; the rest is `not_stated`.

    Returns
    -------
    DataFrame
        region, city, area_type, population, n_dealers, n_active, dealers_per_100k (active ones),
        revenue, revenue_per_head, floor_area_m2, floor_area_per_1000 (m² of active dealers per 1000
        people), is_white_spot, expected_revenue,
        expected_low, expected_high, n_comparable.
    """
    joined = placed(with_totals(dealers, totals), regions, dealers)
    joined["open_area"] = number(joined["floor_area_m2"]).where(joined["is_active"])
    joined["area_type"] = joined["area_type"].astype(object)
    found = joined.groupby(PLACE).agg(
        n_dealers=("dealer_id", "count"),
        n_active=("is_active", "sum"),
        revenue=("revenue", "sum"),
        dealer_area_type=("area_type", "min"),
    )
    found["floor_area_m2"] = joined.groupby(PLACE)["open_area"].sum(min_count=1)
    known = regions.reindex(columns=[*PLACE, "population", "area_type"])
    known = known.assign(**{column: stated(known[column]) for column in PLACE})
    cities = known.merge(found.reset_index(), "outer", PLACE)
    cities["area_type"] = stated(
        cities["area_type"].astype(object).fillna(cities.pop("dealer_area_type"))
    )
    for column in ("n_dealers", "n_active", "revenue"):
        cities[column] = cities[column].fillna(0).astype(float if column == "revenue" else int)
    cities["population"] = number(cities["population"])
    found = _expected(_per_head(cities), least_population)
    return found.sort_values(PLACE, ignore_index=True)


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
    dealers: pd.DataFrame, totals: pd.DataFrame, regions: pd.DataFrame, radius_km: float = NEAR_KM
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
    near = placed(with_totals(dealers, totals), regions, dealers).query(
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


# ---- plots ---------------------------------------------------------------------------------------


def plot_coverage(
    cities: pd.DataFrame, *, ax: Axes | None = None, note: str = "", source: str = ""
) -> Axes:
    """Draw revenue per head.

    The cities with most revenue, the largest white spots at their estimate, and the rest.

    Takes `coverage` or `coverage_by_region`.
    """
    name = "city" if "city" in cities else "region"
    shown = _cities_shown(cities, name)
    if shown.empty:
        return nothing(ax, "no_population")
    if (shown["revenue_per_head"].fillna(0) > 0).sum() < 2:
        return look.instead(_coverage_title(cities), ax)
    ax = look.axes(height=1.6 + 0.25 * max(len(shown), 2)) if ax is None else ax
    for kind, color in (("served", "accent"), ("rest", "muted")):
        bars = shown[shown["kind"] == kind]
        ax.barh(bars.index, bars["revenue_per_head"], 0.7, color=look.COLORS[color])
    white = shown[shown["kind"] == "white_spot"]
    # outlined, as what is not there yet
    estimates = white["revenue_per_head"].fillna(0)
    ax.barh(white.index, estimates, 0.64, **look.OUTLINED, linestyle=(0, (3, 2)))
    ax.set_yticks(shown.index, shown["name"])
    ranked_axis(ax, len(shown), "revenue_per_head")
    if len(white):
        note = " · ".join(filter(None, [words.say("segmentation.white_spot_estimate"), note]))
    return look.explain(ax, _coverage_title(cities), note, source)


# ---- steps ---------------------------------------------------------------------------------------


def number(column: pd.Series) -> pd.Series:
    """Read sizes; what is not above zero is not known."""
    numbers = pd.to_numeric(column).astype(float)
    return numbers.where(numbers > 0)


def placed(rows: pd.DataFrame, *places: pd.DataFrame) -> pd.DataFrame:
    """State region and city.

    A missing region is the city's where only one has a city of that name.
    """
    known = pd.concat([table.reindex(columns=PLACE) for table in places]).dropna().astype(str)
    known = (
        known[known.ne(NOT_STATED).all(axis=1)]
        .drop_duplicates()
        .drop_duplicates("city", keep=False)
    )
    city = stated(rows["city"])
    region = stated(
        rows["region"] if "region" in rows else pd.Series(None, rows.index, dtype=object)
    )
    by_city = city.map(known.set_index("city")["region"]).astype(object).fillna(NOT_STATED)
    return rows.assign(region=region.where(region != NOT_STATED, by_city), city=city)


def _per_head(places: pd.DataFrame) -> pd.DataFrame:
    people = places["population"].where(places["population"] > 0)  # by none, nothing is told
    return places.assign(
        dealers_per_100k=places["n_active"] / people * 1e5,
        revenue_per_head=places["revenue"] / people,
        floor_area_per_1000=places["floor_area_m2"] / people * 1e3,
    )


def _expected(cities: pd.DataFrame, least: float) -> pd.DataFrame:
    """Mark white spots and estimate what they could bring."""
    known = cities["population"].notna() & cities["city"].ne(NOT_STATED)
    white = known & cities["n_active"].eq(0) & cities["population"].ge(least)
    served = cities[known & cities["n_active"].gt(0)]
    of_type = served.groupby("area_type")
    n_alike = of_type.size().reindex(cities["area_type"], fill_value=0).to_numpy()
    enough = n_alike >= MIN_COMPARABLE

    def of(alike: pd.Series, everywhere: float) -> np.ndarray:
        return np.where(enough, alike.reindex(cities["area_type"]).to_numpy(float), everywhere)

    sums = of_type[["revenue", "population"]].sum()
    people = float(served["population"].sum())  # none lives where nobody is served
    everywhere = float(served["revenue"].sum()) / people if people > 0 else np.nan
    per_head = of(sums["revenue"] / sums["population"], everywhere)
    n_comparable = np.where(enough, n_alike, len(served))
    possible = white & (n_comparable >= MIN_COMPARABLE)
    ends = {
        name: of(of_type["revenue_per_head"].quantile(q), served["revenue_per_head"].quantile(q))
        for name, q in zip(("expected_low", "expected_high"), INTERVAL, strict=True)
    }
    told = possible & (n_comparable >= MIN_INTERVAL)
    return cities.assign(
        is_white_spot=white,
        expected_revenue=(cities["population"] * per_head).where(possible),
        **{name: (cities["population"] * end).where(told) for name, end in ends.items()},
        n_comparable=pd.Series(n_comparable, cities.index).where(white).astype("Int64"),
    )


def _cities_shown(cities: pd.DataFrame, name: str) -> pd.DataFrame:
    """Choose and pool the bars.

    Name, revenue_per_head, kind (served, white_spot, rest), largest first.
    """
    rows = cities[cities["population"].notna() & cities[name].ne(NOT_STATED)].copy()
    by_region = rows["n_active"].eq(0) & rows.get("n_white_spots", pd.Series(0, rows.index)).gt(0)
    is_white = rows.get("is_white_spot", by_region)
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
    shown = pd.concat([served, white])
    # equal but for the last digits of a float is equal
    shown = shown.assign(order=shown["revenue_per_head"].round(9)).sort_values(
        ["order", "name"], ascending=[False, True]
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


def ranked_axis(ax: Axes, n_rows: int, term: str) -> None:
    """Put the first row on top and amounts of `term` below."""
    ax.set_ylim(n_rows - 0.4, -0.6)
    ax.grid(False, axis="y")
    if ax.get_xlim()[1] >= 1000:  # below, ticks have decimals of their own
        look.money_axis(ax.xaxis)
    unit = words.currency()
    ax.set_xlabel(f"{words.label(term)} ({unit})" if unit else words.label(term))
