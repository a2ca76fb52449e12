"""Demo, the people: shops by name, candidates, consumers and what they buy, and the workshop."""

import numpy as np
import pandas as pd

from helpers.demo.network import (
    BRAND,
    CONTACTED,
    FORMATS,
    RIVALS,
    TRAILING,
    WHITE_SPOTS,
    Network,
    apportioned,
    dates,
    numbered,
    stream,
    twins,
)

MANAGERS = twins(
    "王晓琳 Wang Xiaolin 李建国 Li Jianguo 陈思远 Chen Siyuan 周雅婷 Zhou Yating "
    "黄志强 Huang Zhiqiang 何静 He Jing 赵鹏飞 Zhao Pengfei 孙倩 Sun Qian"
)
# numbers of no one
CONTACTS = [f"+86 10 5550 01{i:02d}" for i in range(1, len(MANAGERS) + 1)]
SIGNS = {  # what a shop of this format calls itself
    "department_store": "百货大楼|Department Store;商厦|Emporium;百货|Stores",
    "supermarket": "超市|Supermarket",
    "appliance_mall": "家电城|Appliance Mall;电器城|Electrical Mall",
    "independent": (
        "家电|Appliances;电器行|Electricals;电器商店|Appliance Store;家电经营部|Home Appliance "
        "Trading"
    ),
    "township_shop": "家电|Appliances",
    "b2b": "置业|Property;酒店管理|Hotels",
    "internal": "员工内购店|Staff Shop",
    "end_consumer": "网上直销|Online Direct",
}
FIRST = (
    "顺 Shun 鸿 Hong 金 Jin 瑞 Rui 嘉 Jia 祥 Xiang 泰 Tai 永 Yong 信 Xin 德 De 兴 Xing 福 Fu 裕 "
    "Yu 丰 Feng 恒 Heng"
)
SECOND = "达 da 源 yuan 发 fa 盛 sheng 通 tong 利 li 和 he 诚 cheng 茂 mao 润 run 展 zhan"
TOWNS = twins(
    "青石 Qingshi 柳沟 Liugou 三桥 Sanqiao 白塔 Baita 大槐 Dahuai 老湾 Laowan 上坝 Shangba 古井 "
    "Gujing"
)
CORNERS = twins(
    "东门|East Gate;西街|West Street;人民路|Renmin Road;火车站|Railway Station;新城|New Town;"
    "滨河|Riverside;北苑|North Garden"
)
CALENDAR = (  # the promotions of every year: month, day, number of days, kind, name
    (1, 10, 14, "gift", "年货节好礼", "New Year gifts"),
    (3, 5, 10, "gift", "春日有礼", "Spring gifts"),
    (4, 18, 12, "trade_in", "春季以旧换新", "Spring trade-in"),
    (5, 1, 7, "discount", "五一折扣周", "May Day discounts"),
    (6, 10, 12, "discount", "年中特惠", "Mid-year offers"),
    (7, 8, 14, "event", "清凉体验日", "Cool summer days"),
    (8, 20, 12, "trade_in", "秋季以旧换新", "Autumn trade-in"),
    (10, 1, 8, "discount", "国庆特惠", "National Day offers"),
    (11, 5, 10, "event", "厨房体验周", "Kitchen week"),
    (12, 10, 14, "gift", "暖冬好礼", "Winter gifts"),
)
PROMOTION_KINDS = ("discount", "gift", "trade_in", "event")
COSTS = {"discount": 36_000, "gift": 60_000, "trade_in": 48_000, "event": 42_000}  # of each
# Part of the consumers, visits beyond the first, lines beyond the first, taste for dear models,
# discount, part of the visits that use a promotion, and the response to a discount, a gift, a
# trade-in and an event.
GROUPS = {
    "bargain_hunters": (0.35, 5.0, 0.1, -1.5, 0.20, 0.85, (0.18, 0.10, 0.04, 0.04)),
    "loyal_premium": (0.20, 6.0, 0.3, 2.0, 0.03, 0.08, (0.03, 0.06, 0.12, 0.15)),
    "season_buyers": (0.25, 1.2, 0.1, 0.0, 0.07, 0.10, (0.08, 0.05, 0.05, 0.03)),
    "first_home_buyers": (0.20, 0.15, 5.0, 0.2, 0.13, 0.40, (0.02, 0.02, 0.01, 0.02)),
}
TASTES = {  # of each group, for the six categories
    "bargain_hunters": (1, 1, 2, 1, 1, 14),
    "loyal_premium": (4, 4, 3, 4, 2, 3),
    "season_buyers": (14, 2, 0, 0, 0, 1),
    "first_home_buyers": (4, 3, 3, 3, 3, 3),
}
DEMOGRAPHICS = {  # values, and the chances of each group to have them
    "age_band": (
        "18-29 30-39 40-49 50-59 60+",
        ((2, 3, 3, 3, 3), (1, 3, 4, 2, 1), (2, 3, 3, 2, 1), (6, 4, 1, 0.3, 0)),
    ),
    "household_size": ("1 2 3 4+", ((2, 3, 3, 2), (1, 2, 4, 3), (2, 3, 3, 2), (2, 6, 2, 0.5))),
    "income_band": ("low middle high", ((5, 4, 1), (0.5, 4, 6), (3, 5, 2), (3, 5, 2))),
    "home": ("own rent", ((6, 4), (9, 1), (7, 3), (9, 1))),
}
NEEDS = (
    "convenience",
    "brand",
    "service",
    "price",
    "quality",
    "stable",
    "quick",
    "values",
    "ties",
    "ideas",
    "profit",
)
SESSIONS = ((12, 9), (6, 14), (0, 11))  # months before the last, and participants
# b1 to b7, in the eyes of those who compare
BONE_WEIGHTS = (0.26, 0.17, 0.20, 0.12, 0.09, 0.06, 0.10)
DEALER_SCORERS = 6  # people of the last two sessions who also score one dealer with dead stock,
OVERRATED, OVERRATED_LEVEL = "f07", 8.5  # praise his stock-age analysis,
LEARNT, LEARNT_LEVELS = "f08", (5.0, 7.8)  # and see him learn to order small frequent lots
BEHIND = 1.3  # points that we lack where we trail: the rival is as good there as anywhere
COMPARERS, GUESSER = ("P01", "P02", "P03", "P04", "P05"), "P05"

# ---- shops ---------------------------------------------------------------------------------------


def _words(rng: np.random.Generator) -> list[tuple[str, str]]:
    """Compose shop names of two syllables, in random order."""
    words = [(a + b, x + y) for a, x in twins(FIRST) for b, y in twins(SECOND)]
    return [words[i] for i in rng.permutation(len(words))]


def _names(net: Network) -> pd.DataFrame:
    """Name the shops in both languages, no name twice.

    Chains and some department stores belong to a group.
    """
    rng, used, rows = stream(net.seed, "names"), set(), []
    words = _words(rng)
    chains, houses, words = words[:6], words[6:11], words[11:]
    for shop, place in zip(
        net.shops.itertuples(), net.places.loc[net.shops["place"]].itertuples(), strict=True
    ):
        house, sign = None, twins(SIGNS.get(shop.format if shop.channel else shop.kind, "|"))
        if shop.format == "chain":
            house, sign = chains[rng.integers(len(chains))], [("电器", "Electrical")]
        elif shop.format == "department_store" and rng.random() < 0.25:
            house, sign = houses[rng.integers(len(houses))], [("百货", "Stores")]
        elif shop.format == "brand_store":
            house, sign = (BRAND, BRAND), [("专卖店 ", "Store")]
        for tries in range(1000):
            name, name_en = _name(
                rng, shop, place, words, house, sign[rng.integers(len(sign))], tries
            )
            if not used & {name, name_en}:
                break
        used |= {name, name_en}
        grouped = house and shop.format != "brand_store"
        group = (house[0] + sign[0][0], f"{house[1]} {sign[0][1]}") if grouped else (None, None)
        rows.append((name, name_en, *group))
    return pd.DataFrame(
        rows, columns=["dealer_name", "dealer_name_en", "dealer_group", "dealer_group_en"]
    )


def _name(rng, shop, place, words, house, sign, tries) -> tuple[str, str]:
    """Compose one name; what was tried in vain gets a corner of the town or the town itself."""
    town, town_en = place.city[:-1], place.city_en.removesuffix(" County")
    corner, corner_en = (
        CORNERS[rng.integers(len(CORNERS))] if tries or shop.format == "brand_store" else ("", "")
    )
    word, word_en = words[rng.integers(len(words))]
    if tries >= 40:
        corner, corner_en = f"{corner}{tries // 20}号", f"{corner_en} {tries // 20}"
    if house:
        return (
            f"{house[0]}{sign[0]}{town}{corner}店",
            f"{house[1]} {sign[1]}, {town_en} {corner_en}".strip(),
        )
    if shop.format == "township_shop":
        village, village_en = TOWNS[rng.integers(len(TOWNS))]
        return f"{village}镇{word}{sign[0]}", f"{word_en} {sign[1]}, {village_en} Township"
    if tries == 0 and (shop.kind in ("internal", "end_consumer") or sign[0] == "百货大楼"):
        return town + sign[0], f"{town_en} {sign[1]}"
    if tries > 5:
        return f"{town}{word}{sign[0]}", f"{word_en} {sign[1]}, {town_en}"
    return word + sign[0], f"{word_en} {sign[1]}"


def dealers(net: Network) -> pd.DataFrame:
    """Write down the dealers as a head office knows them: some formats missing, some floors too."""
    rng, shops, n = stream(net.seed, "dealers"), net.shops, len(net.shops)
    here = net.places.loc[shops["place"]].reset_index(drop=True)
    region = shops["place"].to_numpy() // 8
    manager = np.where((shops["place"] % 8 == 0) & (region < 2), 6 + region, region)
    first = net.path.argmax(axis=1)
    new_shop = (first > 0) & (net.path[:, 0] == 0) & (rng.random(n) < 0.5)
    age = np.where(
        new_shop, rng.integers(10, 60, n) - net.bounds[first], rng.integers(200, 9000, n)
    )
    spread = np.where(here["area_type"] == "urban", 0.035, 0.07)
    # the floor tells which
    big = shops["format"].isin(["department_store", "supermarket"]) & shops["area"].lt(7000)
    unstated = rng.random(n) < np.where(big, 0.16, 0.014)
    return pd.concat([shops[["dealer_id"]], _names(net)], axis=1).assign(
        customer_type=shops["kind"],
        store_format=shops["format"].mask(unstated | ~shops["channel"]),
        floor_area_m2=shops["area"].where(shops["channel"]),
        area_type=shops["area_type"],
        **{column: here[column] for column in ("region", "region_en", "city", "city_en")},
        latitude=(here["latitude"] + rng.normal(0, spread)).round(5),
        longitude=(here["longitude"] + rng.normal(0, spread)).round(5),
        opened_date=dates(net, -age),
        account_manager=np.array([zh for zh, _ in MANAGERS], object)[manager],
        account_manager_en=np.array([en for _, en in MANAGERS], object)[manager],
        account_manager_contact=np.array(CONTACTS, object)[manager],
    )


def candidates(net: Network) -> pd.DataFrame:
    """Invent 25 shops that could become dealers; every white spot has one."""
    rng, n = stream(net.seed, "candidates"), 25
    spots = net.places.index[net.places["city"].isin(WHITE_SPOTS)].to_numpy()
    here = net.places.loc[np.r_[spots, rng.choice(net.places.index, n - len(spots))]]
    kinds = ("department_store", "appliance_mall", "independent", "chain")
    formats = rng.choice(kinds, n, p=[0.3, 0.25, 0.35, 0.1])
    low, high, *_ = np.array([FORMATS[name] for name in formats]).T
    names = []
    for place, (word, word_en), kind in zip(here.itertuples(), _words(rng), formats, strict=False):
        sign, sign_en = twins(SIGNS.get(kind, "电器|Electrical"))[0]
        town_en = place.city_en.removesuffix(" County")
        names.append((f"{place.city[:-1]}{word}{sign}", f"{word_en} {sign_en}, {town_en}"))
    table = pd.DataFrame(
        {
            "candidate_id": numbered("K", n, 3),
            "candidate_name": [zh for zh, _ in names],
            "candidate_name_en": [en for _, en in names],
            "city": here["city"].to_numpy(),
            "city_en": here["city_en"].to_numpy(),
            "store_format": formats,
            "floor_area_m2": np.round(np.exp(rng.uniform(np.log(low), np.log(high))), -1),
        }
    )
    strength = rng.normal(0, 1.2, n)
    for column, sign in {
        "location": 1,
        "owner_experience": 1,
        "capital": 1,
        "rival_dependence": -1,
    }.items():
        table[column] = (np.round(2 * (6 + sign * strength + rng.normal(0, 1.2, n))) / 2).clip(
            0, 10
        )
    return table


# ---- consumers -----------------------------------------------------------------------------------


def consumers(net: Network) -> pd.DataFrame:
    """Invent twenty consumers to a dealer.

    Seven in ten have told who they are, and ids tell nothing about groups.
    """
    rng, n = stream(net.seed, "consumers"), 20 * len(net.shops)
    group = rng.permutation(
        np.repeat(np.arange(len(GROUPS)), apportioned(n, [row[0] for row in GROUPS.values()]))
    )
    steady = net.shops["channel"].to_numpy() & (net.path.min(axis=1) == 1)
    weight = np.where(steady, net.shops["base"], 0) ** 0.7
    home = rng.choice(len(net.shops), n, p=weight / weight.sum())
    people = {
        "consumer_id": numbered("C", n, 6),
        "group": np.array(list(GROUPS), object)[group],
        "home_dealer": home,
    }
    told = rng.random(n) < 0.7
    for column, (values, chances) in DEMOGRAPHICS.items():
        limits = np.cumsum(np.array(chances) / np.sum(chances, axis=1, keepdims=True), axis=1)[
            group
        ]
        value = (rng.random(n)[:, None] > limits[:, :-1]).sum(axis=1)
        people[column] = np.where(told, np.array(values.split(), object)[value], None)
    people["area_type"] = np.where(told, net.shops["area_type"].to_numpy()[home], None)
    return pd.DataFrame(people)


def promotions(net: Network) -> pd.DataFrame:
    """Repeat the promotions' calendar in every year of the data."""
    rows = []
    for m, month in enumerate(net.months):
        for calendar_month, day, n_days, kind, name, name_en in CALENDAR:
            if calendar_month == int(month[5:]):
                first = net.bounds[m] + day - 1
                rows.append(
                    (
                        f"{month[:4]}年{name}",
                        f"{name_en} {month[:4]}",
                        kind,
                        first,
                        first + n_days - 1,
                    )
                )
    table = pd.DataFrame(rows, columns=["name", "name_en", "kind", "first", "last"])
    table.insert(0, "promotion_id", numbered("M", len(rows), 2))
    return table.assign(
        start_date=dates(net, table["first"]),
        end_date=dates(net, table["last"]),
        cost=table["kind"].map(COSTS).astype("float64"),
        assignment="random",
    )


def contacts(net: Network, people: pd.DataFrame, promotions: pd.DataFrame) -> pd.DataFrame:
    """Write to a tenth of the consumers, drawn by lot, for every promotion.

    `came` is the day they came, or -1.
    """
    rng, n = stream(net.seed, "contacts"), len(people)
    rates = np.array([row[-1] for row in GROUPS.values()])[
        pd.Categorical(people["group"], list(GROUPS)).codes
    ]
    rows = []
    for i, promotion in enumerate(promotions.itertuples()):
        chosen = np.sort(rng.choice(n, round(CONTACTED * n), replace=False))
        came = rng.integers(promotion.first, promotion.last + 1, len(chosen))
        responds = rng.random(len(chosen)) < rates[chosen, PROMOTION_KINDS.index(promotion.kind)]
        sent = np.full(len(chosen), max(0, promotion.first - 4))
        came = np.where(responds, came, -1)
        rows.append(pd.DataFrame({"consumer": chosen, "promotion": i, "sent": sent, "came": came}))
    return pd.concat(rows, ignore_index=True)


def contact_table(
    net: Network, people: pd.DataFrame, promotions: pd.DataFrame, contacts: pd.DataFrame
) -> pd.DataFrame:
    """Write the contacts with ids and dates."""
    came = pd.Series(dates(net, contacts["came"])).where(contacts["came"] >= 0)
    return pd.DataFrame(
        {
            "consumer_id": people["consumer_id"].to_numpy()[contacts["consumer"]],
            "promotion_id": promotions["promotion_id"].to_numpy()[contacts["promotion"]],
            "sent_date": dates(net, contacts["sent"]),
            "responded_date": came,
        }
    )


def sell_out(
    net: Network, people: pd.DataFrame, promotions: pd.DataFrame, contacts: pd.DataFrame
) -> pd.DataFrame:
    """Ring up what consumers buy in their groups' manner, what responders buy, and the lines of the
    unknown.
    """
    rng = stream(net.seed, "sell_out")
    visits = _visits(net, rng, people, promotions, contacts)
    lines = visits.loc[visits.index.repeat(visits.pop("n_lines"))]
    lines = pd.concat([lines, _unknown(net, rng)], ignore_index=True)
    group, n = lines["group"].to_numpy(), len(lines)
    product = np.zeros(n, int)
    for g, chances in enumerate(_choices(net)):
        product[group == g] = rng.choice(len(net.products), (group == g).sum(), p=chances)
    price = net.products["list_price"].to_numpy()[product]
    quantity = 1 + (rng.random(n) < np.where(price < 800, 0.08, 0.01))
    cheap = (lines["promotion"] >= 0) & (
        promotions["kind"].to_numpy()[lines["promotion"]] == "discount"
    )
    discount = (
        np.array([row[4] for row in GROUPS.values()])[group]
        + 0.04 * cheap
        + rng.normal(0, 0.025, n)
    )
    lines = lines.assign(product=product, quantity=quantity, listed=price * quantity)
    lines["amount"] = (lines["listed"] * (1 - discount.clip(0, 0.5))).round(2)
    back = lines[lines["consumer"] >= 0].sample(frac=0.008, random_state=rng)
    back = back.assign(**{c: -back[c] for c in ("quantity", "listed", "amount")})
    back["day"] += rng.integers(2, 14, len(back))
    lines = pd.concat([lines, back[back["day"] < net.bounds[-1]]]).sort_values(
        ["day", "dealer"], kind="stable"
    )
    return pd.DataFrame(
        {
            "date": dates(net, lines["day"]),
            "amount": lines["amount"].to_numpy(),
            "dealer_id": net.shops["dealer_id"].to_numpy()[lines["dealer"]],
            "consumer_id": np.append(people["consumer_id"], None)[
                lines["consumer"]
            ],  # -1 is nobody
            "product_id": net.products["product_id"].to_numpy()[lines["product"]],
            "quantity": lines["quantity"].to_numpy(),
            "list_amount": lines["listed"].to_numpy(),
            "promotion_id": np.append(promotions["promotion_id"], None)[lines["promotion"]],
        }
    )


def _unknown(net: Network, rng: np.random.Generator) -> pd.DataFrame:
    """Let people who show no card buy where and when much is bought; 75 lines to a dealer."""
    n, weight = 75 * len(net.shops), net.shops["channel"].to_numpy()[:, None] * net.expected**0.7
    dealer, month = np.divmod(
        rng.choice(weight.size, n, p=(weight / weight.sum()).ravel()), len(net.months)
    )
    day = rng.integers(net.bounds[month], net.bounds[month + 1])
    group = rng.choice(len(GROUPS), n, p=[row[0] for row in GROUPS.values()])
    return pd.DataFrame(
        {"consumer": -1, "dealer": dealer, "day": day, "promotion": -1, "group": group}
    )


def _visits(
    net, rng, people: pd.DataFrame, promotions: pd.DataFrame, contacts: pd.DataFrame
) -> pd.DataFrame:
    """Let each consumer come as often, when and under as many promotions as his group does."""
    group = pd.Categorical(people["group"], list(GROUPS)).codes.astype(int)
    _, visits, lines, _, _, promoted, _ = (
        np.array(column)[group] for column in zip(*GROUPS.values(), strict=True)
    )
    who = np.repeat(np.arange(len(people)), 1 + rng.poisson(visits))
    n = len(who)
    day = rng.integers(0, net.bounds[-1], n)
    summer = np.isin([int(month[5:]) for month in net.months], [5, 6, 7])
    summer_days = np.flatnonzero(np.repeat(summer, np.diff(net.bounds)))
    day = np.where(group[who] == 2, rng.choice(summer_days, n), day)
    promotion = np.where(rng.random(n) < promoted[who], rng.integers(0, len(promotions), n), -1)
    under = rng.integers(
        promotions["first"].to_numpy()[promotion], promotions["last"].to_numpy()[promotion] + 1
    )
    own = pd.DataFrame(
        {
            "consumer": who,
            "day": np.where(promotion >= 0, under, day),
            "promotion": promotion,
            "n_lines": 1 + rng.poisson(lines[who]),
        }
    )
    came = contacts[contacts["came"] >= 0].rename(columns={"came": "day"}).assign(n_lines=1)
    every = pd.concat([own, came.drop(columns="sent")], ignore_index=True)
    who = every["consumer"].to_numpy()
    return every.assign(group=group[who], dealer=people["home_dealer"].to_numpy()[who])


def _choices(net: Network) -> list[np.ndarray]:
    """Give each group's chances to choose a product.

    Taste for its category and for dear models, less for rivals.
    """
    products = net.products
    level = np.log(products["list_price"])
    by_line = level.groupby(products["line"])
    level, chances = (level - by_line.transform("mean")) / by_line.transform("std"), []
    for group, (_, _, _, dear, *_) in GROUPS.items():
        weight = np.array(TASTES[group])[products["line"]] * np.exp(dear * level)
        weight *= np.where(products["brand"] == BRAND, 1, 0.35)
        chances.append((weight / weight.sum()).to_numpy())
    return chances


# ---- workshop ------------------------------------------------------------------------------------


def scores(net: Network) -> pd.DataFrame:
    """Score factors for us and the strongest rival, needs, and oneself, in three sessions of 9 to
    14 people.

    Some people of the last two sessions also score one dealer.
    """
    rng, rows = stream(net.seed, "scores"), []
    factors = [f"f{i:02d}" for i in range(1, 16)]
    ours = {
        f: level - BEHIND * (f in TRAILING)
        for f, level in zip(factors, rng.normal(6.6, 0.6, 15), strict=True)
    }
    lead = {f: TRAILING.get(f, rng.uniform(0.4, 0.9)) for f in factors}
    importance = dict(zip(NEEDS, rng.uniform(5.5, 9, len(NEEDS)), strict=True)) | {
        "profit": 9.2,
        "quick": 8.6,
    }
    performance = dict(zip(NEEDS, rng.uniform(6, 8, len(NEEDS)), strict=True)) | {
        "profit": 5.6,
        "quick": 5.4,
    }
    for i, (ago, people) in enumerate(SESSIONS):
        date = np.datetime64(f"{net.months[-1 - ago]}-15", "ms")
        for p in range(1, people + 1):
            mood, who = rng.normal(0, 0.4), (f"W{i + 1}", date, f"P{p:02d}")
            asked = [("factor", f, "performance", BRAND, ours[f] + 0.1 * i) for f in factors]
            asked += [("factor", f, "performance", RIVALS[0], ours[f] - lead[f]) for f in factors]
            asked += [("need", need, "importance", None, importance[need]) for need in NEEDS]
            asked += [
                ("need", need, "performance", None, performance[need] + 0.15 * i) for need in NEEDS
            ]
            asked += [
                ("self", f"s{j:02d}", "performance", None, 7.5 - 0.3 * j) for j in range(1, 13)
            ]
            rows += [(*who, *item, mood) for item in asked]
    columns = [
        "session",
        "scored_date",
        "participant",
        "kind",
        "item_id",
        "aspect",
        "brand",
        "level",
        "mood",
    ]
    table = pd.DataFrame(rows, columns=columns)
    table["score"] = (
        2 * (table.pop("level") + table.pop("mood") + rng.normal(0, 0.8, len(table)))
    ).round() / 2
    table["score"] = table["score"].clip(0, 10)
    table = pd.concat(
        [table.assign(dealer_id=None), _dealer_scores(net, factors)], ignore_index=True
    ).assign(round=1.0)
    return table.astype({"brand": "str", "dealer_id": "str"})


def overrated_dealer(net: Network) -> str:
    """Name the dealer whose stock-age analysis people praise although his stock is old."""
    return net.shops["dealer_id"].iloc[net.marks["dead_stock"][0]]


def _dealer_scores(net: Network, factors: list[str]) -> pd.DataFrame:
    """Let some people score one dealer twice.

    One factor far too well, one that he learns, the others as usual.
    """
    rng = stream(net.seed, "dealer_scores")
    levels = {f: rng.uniform(6, 7) for f in factors} | {OVERRATED: OVERRATED_LEVEL}
    rows = []
    for i, learnt in zip((-2, -1), LEARNT_LEVELS, strict=True):
        session = (
            f"W{len(SESSIONS) + 1 + i}",
            np.datetime64(f"{net.months[-1 - SESSIONS[i][0]]}-15", "ms"),
        )
        known = levels | {LEARNT: learnt}
        rows += [
            (*session, f"P{p:02d}", f, known[f])
            for p in range(1, DEALER_SCORERS + 1)
            for f in factors
        ]
    rows = pd.DataFrame(rows, columns=["session", "scored_date", "participant", "item_id", "level"])
    score = (2 * (rows.pop("level") + rng.normal(0, 0.5, len(rows)))).round() / 2
    return rows.assign(
        kind="factor",
        aspect="performance",
        brand=BRAND,
        score=score.clip(0, 10),
        dealer_id=overrated_dealer(net),
    )


def comparisons(net: Network) -> pd.DataFrame:
    """Compare the seven bones pair by pair in the last session.

    Four people know what they want, the fifth guesses.
    """
    rng, rows = stream(net.seed, "comparisons"), []
    scale = np.r_[1 / np.arange(9, 1, -1), np.arange(1, 10)]
    for participant in COMPARERS:
        weights = np.array(BONE_WEIGHTS) * rng.lognormal(0, 0.12, 7)
        for i in range(7):
            for j in range(i + 1, 7):
                ratio = (
                    rng.choice(scale)
                    if participant == GUESSER
                    else weights[i] / weights[j] * rng.lognormal(0, 0.12)
                )
                ratio = scale[np.argmin(np.abs(np.log(scale / ratio)))]
                rows.append((f"W{len(SESSIONS)}", participant, f"b{i + 1}", f"b{j + 1}", ratio))
    return pd.DataFrame(rows, columns=["session", "participant", "item_a", "item_b", "ratio"])


def plan(net: Network) -> pd.DataFrame:
    """Write the action plan of a workshop a few months ago.

    The factors where we trail, two of them at one dealer.
    """
    ids = net.shops["dealer_id"]
    dead, less = (ids.iloc[net.marks[truth][0]] for truth in ("dead_stock", "earn_less_with_us"))
    rows = [  # factor, dealer, owner, months, target, gain, status
        ("f06", None, 0, 5, 7.0, 300_000, "open"),
        ("f08", None, 1, 5, 6.5, 450_000, "open"),
        ("f08", dead, 1, 4, 7.0, 60_000, "open"),
        ("f11", None, 2, 4, 6.5, 200_000, "done"),
        ("f02", less, 3, 6, 7.5, 80_000, "dropped"),
    ]
    factor, dealer, owner, length, target, gain, status = zip(*rows, strict=True)
    start = net.bounds[-6]
    return pd.DataFrame(
        {
            "factor_id": factor,
            "dealer_id": pd.array(dealer, dtype="str"),
            "owner": [MANAGERS[i][0] for i in owner],
            "owner_en": [MANAGERS[i][1] for i in owner],
            "start_date": dates(net, np.full(5, start)),
            "due_date": dates(net, start + 30 * np.array(length)),
            "target_score": target,
            "expected_gain": np.array(gain, float),
            "status": status,
        }
    )
