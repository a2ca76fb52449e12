"""Demo, the network: how large each effect is, and the dealers, places and products all its tables
share.
"""

import re
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pandas as pd

from helpers.periods import month_range, shift


def twins(text: str) -> list[tuple[str, str]]:
    """Split a list into pairs of Chinese and English.

    >>> twins("顺 Shun 鸿 Hong") == twins("顺|Shun;鸿|Hong") == [("顺", "Shun"), ("鸿", "Hong")]
    True
    """
    if "|" in text:
        return [tuple(pair.split("|")) for pair in text.split(";")]
    return re.findall(r"([^\x00-\x7f]+) ([A-Za-z ]+?)(?= [^\x00-\x7f]|$)", text)


BRAND = "Norvella"
RIVALS = ("Kastane", "Tessano", "Halqvist", "Merudo")  # the first is the strongest
BRANDS = (BRAND, *RIVALS)
UNKNOWN_DEALERS = ("D9901", "D9902")  # in sell-in, but not in dealers
MIN_DEALERS, MIN_MONTHS = 60, 15  # below, a planted truth would find no room

# ---- effect sizes; data/README.md repeats them ---------------------------------------------------
TOP_SHARE = 0.738  # of a year's sell-in, carried by the best fifth: the middle of 0.72-0.76
AREA_ELASTICITY, POPULATION_ELASTICITY = 0.5, 0.3  # of a dealer's yearly revenue
YEARLY_REVENUE = 1.2e6  # CNY, the mean dealer
YEARLY_GROWTH = 1.02
# a fallen dealer buys 2 % of what he bought; a risen one bought 2 % of what he buys
FALLEN_TO = 0.02
# our share of his turnover while a fallen or risen dealer is up: clearly class A
CONTENDER_SHARE = 0.68
UNPAID_DAYS = 110  # nothing received from those who stopped paying
# age of the dead lot, and its value in months of the dealer's purchases
DEAD_DAYS, DEAD_MONTHS = 250, 3.5
SHORT_COVER = 3  # days a scarce model lies at a dealer who runs short
SHORT_EVERY = 12  # days between two deliveries of a scarce model
# of revenue: margin lost with us, margin won with the strongest rival
LESS_WITH_US, MORE_WITH_RIVAL = 0.045, 0.015
CROWDED = 1.8  # times the floor and stock of ours at a dealer who earns less with us
# margin lost per standard deviation of log days between orders, and of cover
RARE_ORDERS, LONG_COVER = 0.006, 0.005
# margin lost a month by everybody, and in the last year by those who slip
DRIFT, SLIP = 0.0005, 0.06
# what a dealer pays, as a share of list price
DEALER_PRICE = {"": 0.72, "big_but_thin": 0.60, "small_but_rich": 0.86}
REBATE_RATE = {"": 0.03, "big_but_thin": 0.05, "small_but_rich": 0.0}
COST_RATE = 0.55  # our cost as a share of list price
# factors where we trail the strongest rival, in points
TRAILING = {"f06": -1.4, "f08": -1.7, "f11": -1.5}
CONTACTED = 0.10  # of all consumers, by lot, for every promotion; the others are the control

# Planted dealers: how many in a network of 600, and between which ranks of size (0 is the largest)
# they are drawn.
PLANTED = {
    "fallen": (6, 0.03, 0.12),
    "risen": (6, 0.03, 0.12),
    "big_but_thin": (8, 0.06, 0.15),
    "small_but_rich": (8, 0.23, 0.31),
    "dead_stock": (5, 0.10, 0.40),
    "stopped_paying": (7, 0.15, 0.45),
    "earn_less_with_us": (8, 0.05, 0.50),
    "margin_slips": (8, 0.15, 0.60),
    "won_back": (5, 0.20, 0.70),
    "lost": (8, 0.20, 0.70),
    "joined": (8, 0.20, 0.70),
}
# Who is planted in what is owed, drawn last: how many in a network of 600, of those who are in
# nothing else, have always been there, and stand between these ranks of size.
OWING = {
    "over_limit": (4, 0.10, 0.60),
    "never_paid": (3, 0.45, 0.85),
    "quarterly_stopped": (3, 0.30, 0.70),
}

# Who has been sold more than he sells, drawn from those of whom nothing else is true, who order
# weekly and steadily; other tables do not know of it. Sell-in stays, sales are a part of what they
# were, so that all that is counted by sell-in is as it was.
STUFFED = (4, 0.02, 0.20)
STUFFED_MONTHS = 4  # the last ones
STUFFED_SELLS = 0.5  # of what he would have sold

# ---- places and shops ----------------------------------------------------------------------------
# Sales regions with the centre of their map; four cities each, then four counties. Invented, all of
# them.
REGIONS = {
    "北原大区|North Plain|41.0|113.5": "霜州 Shuangzhou 北澜 Beilan 穗原 Suiyuan 朔林 Shuolin "
    "麦川 Maichuan 驼岭 Tuoling 榆湾 Yuwan 桦坞 Huawu",
    "东岸大区|East Coast|35.6|117.0": "鸥港 Ougang 汐州 Xizhou 帆城 Fancheng 岚湾 Lanwan "
    "贝屿 Beiyu 盐浦 Yanpu 礁川 Jiaochuan 渔坞 Yuwu",
    "江口大区|River Delta|31.6|116.8": "澄浦 Chengpu 鹭浦 Lupu 桥川 Qiaochuan 荻州 Dizhou "
    "稻川 Daochuan 苇塘 Weitang 芦坞 Luwu 双汊 Shuangcha",
    "湖畔大区|Lakeland|29.6|112.4": "镜澜 Jinglan 荷澜 Helan 菱浦 Lingpu 鸢浦 Yuanpu "
    "藕塘 Outang 泽川 Zechuan 莼溪 Chunxi 鲤湾 Liwan",
    "南丘大区|South Hills|25.4|113.6": "棠州 Tangzhou 桐坞 Tongwu 枫岭 Fengling 樟溪 Zhangxi "
    "橘川 Juchuan 竹垣 Zhuyuan 茶坞 Chawu 柚坪 Youping",
    "西岭大区|West Ridge|30.4|105.2": "石澜 Shilan 云垣 Yunyuan 霁川 Jichuan 鹰岭 Yingling "
    "松垭 Songya 杉坪 Shanping 羊垭 Yangya 梨坞 Liwu",
}
# people, but no dealer; the first one is large
WHITE_SPOTS = ("汐州市", "榆湾县", "双汊县", "樟溪市", "羊垭县")
LARGE_WHITE_SPOT = 3_400_000  # people
# Shares of the formats by number of dealers, from the handbook; rescaled to 1 below.
FORMAT_SHARES = {
    "urban": {
        "department_store": 40.9,
        "independent": 16.6,
        "brand_store": 7.7,
        "chain": 8.1,
        "appliance_mall": 24.0,
        "supermarket": 2.6,
    },
    "rural": {
        "department_store": 14.9,
        "independent": 49.6,
        "brand_store": 4.6,
        "township_shop": 27.2,
    },
}
# Floor from and to in m², the part of it that sells appliances, and the effect on the logarithm of
# revenue.
FORMATS = {
    "department_store": (5000, 9000, 0.12, -0.6),
    "supermarket": (1050, 2400, 0.10, -0.5),
    "appliance_mall": (1500, 6000, 0.85, 0.4),
    "chain": (300, 1800, 0.90, 0.5),
    "brand_store": (90, 260, 0.90, 0.3),
    "independent": (60, 320, 0.85, 0.0),
    "township_shop": (50, 180, 0.80, -0.2),
}
URBAN_PART = 0.6  # of all dealers
# Code, share of revenue, season from January to December, and our seven models: kind, kind in
# English, list price.
CATEGORIES = {
    "air_conditioner": (
        "AC",
        0.30,
        ".5 .5 .8 1.3 1.8 2.2 1.9 1.0 .5 .4 .5 .6",
        "挂式空调 1匹|wall air conditioner 1 HP|2199,挂式空调 1.5匹|wall air conditioner 1.5 HP|"
        "2699,变频挂式空调 1.5匹|inverter wall air conditioner 1.5 HP|3399,柜式空调 2匹|floor "
        "air conditioner 2 HP|5199,变频柜式空调 3匹|inverter floor air conditioner 3 HP|7299,"
        "移动空调|portable air conditioner|1899,新风空调 1.5匹|fresh-air air conditioner 1.5 HP|"
        "4599",
    ),
    "refrigerator": (
        "RF",
        0.20,
        ".8 .7 .8 .9 1.1 1.3 1.4 1.3 1.0 .9 .8 1.0",
        "双门冰箱 180升|two-door refrigerator 180 L|1399,三门冰箱 220升|three-door refrigerator "
        "220 L|1999,三门冰箱 260升|three-door refrigerator 260 L|2499,法式冰箱 400升|"
        "French-door refrigerator 400 L|3999,对开门冰箱 530升|side-by-side refrigerator 530 L|"
        "4699,十字门冰箱 480升|four-door refrigerator 480 L|5499,冷柜 200升|chest freezer 200 L|"
        "1299",
    ),
    "washing_machine": (
        "WM",
        0.14,
        "1.0 .8 .9 .9 1.0 .9 .8 .9 1.1 1.2 1.2 1.3",
        "双桶洗衣机 8公斤|twin-tub washing machine 8 kg|799,波轮洗衣机 8公斤|top-loading "
        "washing machine 8 kg|1199,波轮洗衣机 10公斤|top-loading washing machine 10 kg|1599,"
        "滚筒洗衣机 8公斤|front-loading washing machine 8 kg|2199,滚筒洗衣机 10公斤|"
        "front-loading washing machine 10 kg|2999,洗烘一体机 10公斤|washer-dryer 10 kg|4299,"
        "干衣机 9公斤|tumble dryer 9 kg|3699",
    ),
    "television": (
        "TV",
        0.18,
        "1.5 .9 .7 .7 .9 .9 .7 .8 1.0 1.4 1.1 1.4",
        "液晶电视 32英寸|LCD television 32 in|899,液晶电视 43英寸|LCD television 43 in|1499,"
        "智能电视 50英寸|smart television 50 in|2099,智能电视 55英寸|smart television 55 in|2799,"
        "智能电视 65英寸|smart television 65 in|3999,量子点电视 65英寸|QLED television 65 in|5299,"
        "智能电视 75英寸|smart television 75 in|6499",
    ),
    "water_heater": (
        "WH",
        0.08,
        "1.1 .8 .8 .7 .6 .6 .6 .7 .9 1.6 1.9 1.7",
        "储水式电热水器 40升|storage water heater 40 L|799,储水式电热水器 60升|storage water "
        "heater 60 L|1099,储水式电热水器 80升|storage water heater 80 L|1499,燃气热水器 12升|"
        "gas water heater 12 L|1399,燃气热水器 16升|gas water heater 16 L|2199,即热式电热水器|"
        "tankless water heater|999,空气能热水器 150升|heat-pump water heater 150 L|4999",
    ),
    "small_appliance": (
        "SA",
        0.10,
        "1.3 .8 .9 .9 1.0 1.1 .9 .9 .9 1.0 1.2 1.1",
        "电饭煲 4升|rice cooker 4 L|299,电磁炉|induction cooker|249,微波炉 20升|microwave oven "
        "20 L|449,电压力锅 5升|pressure cooker 5 L|399,吸尘器|vacuum cleaner|699,空气净化器|air "
        "purifier|1299,取暖器|room heater|349",
    ),
}
MODELS = 7  # of ours in every category; each rival has one


@dataclass(frozen=True)
class Network:
    """The network behind the tables.

    One row of `shops` per dealer, his path through the months, and who is planted.
    """

    seed: int
    months: list[str]
    start: np.datetime64
    # day on which each month starts, counted from `start`, and the day after the last
    bounds: np.ndarray
    places: pd.DataFrame
    shops: pd.DataFrame
    path: np.ndarray  # dealer x month: part of his normal purchases
    swing: np.ndarray  # month: season and growth, around 1
    expected: np.ndarray  # dealer x month: purchases in CNY
    marks: dict[str, np.ndarray]  # planted truth -> positions of dealers
    stuffed: np.ndarray  # positions of the dealers who have been sold more than they sell
    # position of a dealer with dead or scarce models -> positions of these models
    models: dict[int, np.ndarray]
    products: pd.DataFrame
    owing = tuple(OWING)  # the truths among `marks` that tell of what is owed


def stream(seed: int, theme: str) -> np.random.Generator:
    """Give every theme a stream of its own: a change to one table leaves the others alone."""
    return np.random.default_rng([seed, *theme.encode()])


def numbered(prefix: str, n: int, width: int) -> np.ndarray:
    """Number ids from 1 on.

    >>> numbered("D", 2, 4).tolist()
    ['D0001', 'D0002']
    """
    return np.array([f"{prefix}{i:0{width}d}" for i in range(1, n + 1)], dtype=object)


def apportioned(total: int, weights: np.ndarray) -> np.ndarray:
    """Share out `total` in whole numbers, largest remainder first.

    >>> apportioned(10, [1, 1, 2]).tolist()
    [3, 2, 5]
    """
    exact = total * np.asarray(weights, float) / np.sum(weights)
    counts = np.floor(exact).astype(int)
    counts[np.argsort(counts - exact, kind="stable")[: total - counts.sum()]] += 1
    return counts


def network(seed: int, n_dealers: int, n_months: int, last_month: str) -> Network:
    """Build what all tables share, in a fraction of a second, so that `planted` can ask for it
    again.

    Raises
    ------
    ValueError
        If there are fewer than 60 dealers or 15 months.
    """
    if n_dealers < MIN_DEALERS or n_months < MIN_MONTHS:
        need = f"{MIN_DEALERS} dealers and {MIN_MONTHS} months"
        raise ValueError(f"demo: {n_dealers} dealers and {n_months} months; give at least {need}")
    months = month_range(last_month, n_months)
    firsts = np.array([*months, shift(last_month, 1)], dtype="datetime64[M]").astype(
        "datetime64[D]"
    )
    bounds = (firsts - firsts[0]).astype(int)
    places, products = _places(seed), product_list(seed)
    shops = _shops(stream(seed, "shops"), n_dealers, places)
    rng = stream(seed, "network")
    level = _level(rng, shops)
    shops["base"] = np.exp(_calibrated(level, np.ones(n_dealers)))
    marks = _marks(rng, shops)
    path = _path(rng, shops, n_months, marks)
    base = np.exp(_calibrated(level, path[:, -12:].mean(axis=1)))
    shops["base"] = base * YEARLY_REVENUE / base.mean()
    shops = _terms(rng, shops, marks, path.min(axis=1) == 1)
    marks |= _owing(stream(seed, "owing"), shops, marks, path.min(axis=1) == 1)
    stuffed = _stuffed(stream(seed, "stuffed"), shops, marks, path.min(axis=1) == 1)
    models = {
        d: rng.choice(MODELS * len(CATEGORIES), 2, replace=False) for d in marks["dead_stock"]
    }
    dead_by_region = {shops["region"].iloc[d]: pair for d, pair in models.items()}
    models |= {d: dead_by_region[shops["region"].iloc[d]] for d in marks["runs_short"]}
    shares, season = seasons()
    calendar = np.array([int(month[5:]) - 1 for month in months])
    growth = YEARLY_GROWTH ** (np.arange(1 - n_months, 1) / 12)
    swing = (shares @ season)[calendar] * growth
    expected = shops["base"].to_numpy()[:, None] / 12 * swing * path
    return Network(
        seed,
        months,
        firsts[0],
        bounds,
        places,
        shops,
        path,
        swing,
        expected,
        marks,
        stuffed,
        models,
        products,
    )


def seasons() -> tuple[np.ndarray, np.ndarray]:
    """Give the categories' shares of revenue, and category x calendar month around 1."""
    _, shares, texts, _ = zip(*CATEGORIES.values(), strict=True)
    season = np.array([text.split() for text in texts], float)
    return np.array(shares), season / season.mean(axis=1, keepdims=True)


def _places(seed: int) -> pd.DataFrame:
    """Invent cities and counties.

    Two large cities, two smaller ones and four counties to a region.
    """
    rng, rows = stream(seed, "places"), []
    sizes = [(3e6, 6.5e6), (1.6e6, 3.2e6), (7e5, 1.5e6), (7e5, 1.5e6)] + [(2e5, 7.5e5)] * 4
    for region, cities in REGIONS.items():
        name, name_en, latitude, longitude = region.split("|")
        for i, (city, city_en) in enumerate(twins(cities)):
            people = round(np.exp(rng.uniform(*np.log(sizes[i]))), -3)
            rows.append(
                (
                    name,
                    name_en,
                    city + "市县"[i > 3],
                    city_en + ("" if i < 4 else " County"),
                    int(people),
                )
            )
            rows[-1] += ("urban" if i < 4 else "rural", float(latitude) + rng.uniform(-1.5, 1.5))
            rows[-1] += (float(longitude) + rng.uniform(-1.7, 1.7), i)
    columns = [
        "region",
        "region_en",
        "city",
        "city_en",
        "population",
        "area_type",
        "latitude",
        "longitude",
        "position",
    ]
    places = pd.DataFrame(rows, columns=columns)
    places.loc[places["city"] == WHITE_SPOTS[0], "population"] = LARGE_WHITE_SPOT
    return places


def _shops(rng: np.random.Generator, n: int, places: pd.DataFrame) -> pd.DataFrame:
    """Place the shops: city, customer type, format, floor.

    What only the generator knows included.
    """
    n_urban, open_places = round(URBAN_PART * n), places[~places["city"].isin(WHITE_SPOTS)]
    # customers that are no dealers: companies, our staff, our own web shop
    n_others = max(3, round(0.02 * n))
    rows = []
    for area_type, count in (("urban", n_urban), ("rural", n - n_urban)):
        here = open_places[open_places["area_type"] == area_type]
        per_city = 1 + apportioned(count - len(here), here["population"].to_numpy() ** 0.8)
        city = rng.permutation(np.repeat(here.index, per_city))
        others = n_others if area_type == "urban" else 0
        shares = FORMAT_SHARES[area_type]
        formats = rng.permutation(
            np.repeat(list(shares), apportioned(count - others, list(shares.values())))
        )
        kinds = [("b2b", "internal", "end_consumer", "b2b")[i % 4] for i in range(others)] + [
            "channel"
        ] * (count - others)
        rows.append(
            pd.DataFrame(
                {"place": city, "kind": kinds, "format": ["independent"] * others + list(formats)}
            )
        )
    shops = pd.concat(rows, ignore_index=True).sample(frac=1, random_state=rng, ignore_index=True)
    shops["dealer_id"] = numbered("D", n, 4)
    for column in ("region", "area_type", "population"):
        shops[column] = places[column].to_numpy()[shops["place"]]
    low, high, appliances, effect = np.array([FORMATS[name] for name in shops["format"]]).T
    shops["area"] = np.round(np.exp(rng.uniform(np.log(low), np.log(high))), -1)
    return shops.assign(
        appliance_area=shops["area"] * appliances, effect=effect, channel=shops["kind"] == "channel"
    )


def _level(rng: np.random.Generator, shops: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Give log revenue that floor, people and format explain, and a standard noise that is
    orthogonal to it.
    """
    area, people = np.log(shops["area"]), np.log(shops["population"].astype(float))
    explained = AREA_ELASTICITY * area + POPULATION_ELASTICITY * people + shops["effect"]
    n = len(shops)
    noise = rng.permutation([NormalDist().inv_cdf((i + 0.5) / n) for i in range(n)])
    known = np.column_stack([area, people, pd.get_dummies(shops["format"], dtype=float)])
    noise -= known @ np.linalg.lstsq(known, noise, rcond=None)[0]
    return (explained - explained.mean()).to_numpy(), noise / noise.std()


def _calibrated(level: tuple[np.ndarray, np.ndarray], active: np.ndarray) -> np.ndarray:
    """Weigh the noise so that the best fifth of the active dealers carries `TOP_SHARE`."""
    explained, noise = level
    low, high = 0.0, 3.0
    for _ in range(40):
        weight = (low + high) / 2
        revenue = np.sort((np.exp(explained + weight * noise) * active)[active > 0])[::-1]
        share = revenue[: round(0.2 * len(revenue))].sum() / revenue.sum()
        low, high = (weight, high) if share < TOP_SHARE else (low, weight)
    return explained + weight * noise


def _marks(rng: np.random.Generator, shops: pd.DataFrame) -> dict[str, np.ndarray]:
    """Draw the planted dealers between their ranks of size; nobody is planted twice."""
    order = np.argsort(-shops["base"].to_numpy(), kind="stable")
    order = order[
        shops["channel"].to_numpy()[order] & (shops["format"] != "brand_store").to_numpy()[order]
    ]
    free, marks, n = np.ones(len(shops), bool), {}, len(order)
    for truth, (count, low, high) in PLANTED.items():
        pool = order[int(low * n) : int(np.ceil(high * n))]
        pool = pool[free[pool]]
        if truth == "dead_stock":  # one to a region, so that each finds his own takers
            regions = shops["region"].iloc[rng.permutation(pool)]
            pool = regions[~regions.duplicated()].index.to_numpy()
        count = max(2, round(count * len(shops) / 600))
        marks[truth] = rng.choice(pool, min(count, len(pool)), replace=False)
        free[marks[truth]] = False
    takers = []
    for dead in marks["dead_stock"]:
        near = order[n // 10 :]
        near = near[free[near] & (shops["region"].to_numpy()[near] == shops["region"].iloc[dead])]
        takers += list(
            rng.choice(near[: max(2, len(near) // 2)], 2 if len(shops) > 300 else 1, replace=False)
        )
    return marks | {"runs_short": np.array(takers)}


def _owing(
    rng: np.random.Generator, shops: pd.DataFrame, marks: dict[str, np.ndarray], always: np.ndarray
) -> dict[str, np.ndarray]:
    """Draw who owes what he should not, from those of whom nothing else is true."""
    order = np.argsort(-shops["base"].to_numpy(), kind="stable")
    order = order[shops["channel"].to_numpy()[order]]
    free, found = always.copy(), {}
    free[np.concatenate(list(marks.values()))] = False
    for truth, (count, low, high) in OWING.items():
        pool = order[int(low * len(order)) : int(np.ceil(high * len(order)))]
        pool = pool[free[pool]]
        count = max(1, round(count * len(shops) / 600))
        found[truth] = rng.choice(pool, min(count, len(pool)), replace=False)
        free[found[truth]] = False
    return found


def _stuffed(
    rng: np.random.Generator, shops: pd.DataFrame, marks: dict[str, np.ndarray], always: np.ndarray
) -> np.ndarray:
    """Draw who is stuffed, from steady dealers of whom nothing else is true."""
    count, low, high = STUFFED
    free = always & shops["channel"].to_numpy() & (shops["noise"] == shops["noise"].min())
    free[np.concatenate(list(marks.values()))] = False
    rank = shops["rank"].to_numpy()
    pool = np.flatnonzero(free & (rank > low) & (rank <= high))
    count = min(max(1, round(count * len(shops) / 600)), len(pool))
    return np.sort(rng.choice(pool, count, replace=False))


def _path(
    rng: np.random.Generator, shops: pd.DataFrame, n_months: int, marks: dict[str, np.ndarray]
) -> np.ndarray:
    """Tell how much of his normal purchases a dealer buys in each month."""
    path, now = np.ones((len(shops), n_months)), n_months - 12
    month = np.arange(n_months)
    # the largest have always been there
    small = shops["channel"] & (shops["base"] < shops["base"].quantile(0.8))
    free = rng.permutation(
        np.setdiff1d(np.flatnonzero(small), np.concatenate(list(marks.values())))
    )
    n_new, n_old = round(0.12 * len(free)), round(0.05 * len(free))
    if now > 6:  # joined before the last year
        path[free[:n_new]] = month >= rng.integers(2, now - 3, n_new)[:, None]
    if now > 16:  # left before the year before it
        path[free[n_new : n_new + n_old]] = month < rng.integers(3, now - 12, n_old)[:, None]
    fallen, risen = marks["fallen"], marks["risen"]
    path[fallen, now - 2], path[fallen, now - 1], path[fallen, now:] = 0.5, 0.1, FALLEN_TO
    path[risen, :now] = FALLEN_TO
    path[marks["lost"]] = (
        month < now - rng.integers(0, 2 if now < 6 else 5, len(marks["lost"]))[:, None]
    )
    path[marks["joined"]] = month >= now + rng.integers(3, 9, len(marks["joined"]))[:, None]
    path[marks["won_back"], max(3, n_months - 25) : n_months - 6] = 0
    return path


def _terms(
    rng: np.random.Generator, shops: pd.DataFrame, marks: dict[str, np.ndarray], always: np.ndarray
) -> pd.DataFrame:
    """Draw how each dealer buys, pays, sells and what he earns."""
    n = len(shops)
    rank = shops["base"].rank(ascending=False, pct=True).to_numpy()
    price, rebate = (
        rng.normal(DEALER_PRICE[""], 0.025, n),
        rng.uniform(0.5, 1.5, n) * REBATE_RATE[""],
    )
    for truth in ("big_but_thin", "small_but_rich"):
        price[marks[truth]], rebate[marks[truth]] = DEALER_PRICE[truth], REBATE_RATE[truth]
    moving = np.concatenate([marks["fallen"], marks["risen"]])
    share = 0.05 + 0.9 * rng.beta(3.2, 7.5, n)  # of his turnover that is ours
    share[shops["format"] == "brand_store"] = rng.uniform(
        0.75, 0.92, (shops["format"] == "brand_store").sum()
    )
    share[moving] = CONTENDER_SHARE
    lag = rng.uniform(20, 75, n)
    lag[moving] = 20
    rhythm = rng.choice(3, n, p=[0.5, 0.3, 0.2])  # steady, uneven, erratic
    rhythm[~always] = 0  # chance must not hide who joins and leaves,
    rhythm[np.concatenate(list(marks.values()))] = 0  # nor what is planted
    interval = np.array([7, 10, 18, 30])[np.searchsorted([0.2, 0.5, 0.8], rank)] * rng.uniform(
        0.8, 1.25, n
    )
    return shops.assign(
        price=price,
        rebate=rebate,
        share=share,
        lag=lag,
        rank=rank,
        pay_rate=np.where(rng.random(n) < 0.5, 1.0, rng.uniform(0.9, 1.0, n)),
        cover=rng.uniform(20, 65, n),  # days from delivery to sale
        noise=np.array([0.15, 0.45, 0.9])[rhythm],
        jitter=np.array([0.1, 0.3, 0.5])[rhythm],
        interval=interval * np.array([1, 1, 2.5])[rhythm],
        lines=np.array([8, 5, 3, 2])[np.searchsorted([0.2, 0.5, 0.8], rank)] - 1,
    )


def product_list(seed: int) -> pd.DataFrame:
    """List our seven models in each category, then the rivals' one each.

    `line` counts the categories.
    """
    rng, rows = stream(seed, "products"), []
    for line, (category, (code, _, _, text)) in enumerate(CATEGORIES.items()):
        kinds = [kind.split("|") for kind in text.split(",")]
        for i, (zh, en, price) in enumerate(kinds):
            rows.append((line, i, category, BRAND, f"{code}-{101 + 7 * i}", zh, en, float(price)))
        for i, rival in enumerate(RIVALS):
            zh, en, price = kinds[i + 1]
            model = f"{rival[0]}{line + 3}{rng.integers(10, 99)}"
            price = round(float(price) * rng.uniform(0.9, 1.1), -1) - 1
            rows.append((line, MODELS + i, category, rival, model, zh, en, price))
    rows.sort(key=lambda row: (row[1] >= MODELS, row[0], row[1]))  # ours first
    line, _, category, brand, model, zh, en, price = zip(*rows, strict=True)
    return pd.DataFrame(
        {
            "product_id": numbered("P", len(rows), 3),
            "product_name": [f"{m} {name}" for m, name in zip(model, zh, strict=True)],
            "product_name_en": [f"{m} {name}" for m, name in zip(model, en, strict=True)],
            "category": category,
            "brand": brand,
            "list_price": price,
            "line": line,
            "cost": np.array(price) * COST_RATE * rng.uniform(0.95, 1.05, len(rows)),
        }
    )


def dates(net: Network, days: np.ndarray) -> np.ndarray:
    """Turn days counted from the start into dates."""
    return (net.start + np.asarray(days).astype("timedelta64[D]")).astype("datetime64[ms]")


def unit_price(net: Network, lines: pd.DataFrame) -> np.ndarray:
    """Give what the dealer pays for one piece, in CNY."""
    price = (
        net.shops["price"].to_numpy()[lines["dealer"]]
        * net.products["list_price"].to_numpy()[lines["product"]]
    )
    return price.round(1)
