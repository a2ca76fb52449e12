"""The rules of the room: what each may see, when, and what is made of what people said."""

import itertools

import pandas as pd
import pytest
import rooms

from helpers import data, fishbone, settings, words
from helpers.room import findings, questions
from helpers.room.questions import Question, plain
from helpers.room.store import RoomError

made, wall, let_in = rooms.made, rooms.wall, rooms.let_in
FACTORS = [f"f{i:02d}" for i in range(1, 16)]


def opened(wall, kind, subject="", **more):
    """Open a round as the trainer; its number."""
    assert wall.act("open", kind=kind, subject=subject, **more).status_code == 200
    return state(wall)["round"]["id"]


def state(wall, language="en"):
    return wall.get(f"/trainer/state?language={language}").json()


def revealed(wall):
    assert wall.act("reveal", round=state(wall)["round"]["id"]).status_code == 200
    return state(wall)["round"]


# ---- questions -----------------------------------------------------------------------------------


def test_every_question_stands_in_each_language(made):
    sheet = made.sheet
    assert [len(sheet.questions[kind]) for kind in ("factor", "need", "self")] == [15, 22, 12]
    for question in (q for asked in sheet.questions.values() for q in asked):
        assert isinstance(question, Question)
        for texts in (question.text, question.low, question.high):
            assert set(texts) == set(words.LANGUAGES) and all(texts.values())
            assert texts["en"] != texts["zh-Hans"]
    assert sheet.said["zh-Hant"]["room.join"] == "加入"
    assert sheet.said["en"].keys() == sheet.said["zh-Hans"].keys()
    assert words.spoken() == "en", "asking for other languages leaves the one that is spoken"


def test_nodes_are_those_whose_children_can_be_compared(made):
    tree = fishbone.factor_tree(
        data.reference(made.asked.book, "factors"), data.reference(made.asked.book, "causes")
    )
    sizes = tree.groupby(tree["parent_id"].fillna("")).size()
    assert set(made.sheet.nodes) == set(sizes[sizes.between(3, 9)].index)
    pairs = questions.asked(made.sheet, "pair", "")
    assert len(pairs) == 7 * 6 / 2 and "b1:b2" in pairs


@pytest.mark.parametrize(
    "given",
    [
        None,
        [],
        {"item": "f99", "value": 5, "seq": 1},
        {"item": ["f01"], "value": 5, "seq": 1},
        {"item": "f01", "value": 5},
        {"item": "f01", "value": 5, "seq": 0},
        {"item": "f01", "value": 5, "seq": 1.5},
        {"item": "f01", "value": 5, "seq": 2**53},
        {"item": "f01", "value": 5, "seq": True},
        {"item": "f01", "value": 5, "seq": 1, "person": 2},
        {"item": "f01", "value": 10.5, "seq": 1},
        {"item": "f01", "value": -0.5, "seq": 1},
        {"item": "f01", "value": 5.25, "seq": 1},
        {"item": "f01", "value": "5", "seq": 1},
        {"item": "f01", "value": True, "seq": 1},
        {"item": "f01", "value": float("nan"), "seq": 1},
        {"item": "f01", "value": float("inf"), "seq": 1},
        {"item": "f01", "value": 10**400, "seq": 1},
    ],
    ids=repr,
)
def test_what_is_no_answer_is_refused(given):
    with pytest.raises(RoomError):
        questions.answer(given, "factor", ("f01", "f02"))


@pytest.mark.parametrize("value", [0, 10, 6.5, None])
def test_what_is_an_answer_is_taken(value):
    found = questions.answer({"item": "f01", "value": value, "seq": 3}, "factor", ("f01",))
    assert found == ("f01", value, 3)


def test_a_pair_reaches_from_nine_to_a_ninth():
    steps = range(-8, 9)
    ratios = [questions.ratio(step) for step in steps]
    assert (ratios[0], ratios[8], ratios[-1]) == (9, 1, 1 / 9)
    assert all(a > b for a, b in itertools.pairwise(ratios))
    assert all(questions.ratio(-s) * questions.ratio(s) == pytest.approx(1) for s in steps)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("  Anna\n Maria ", "Anna Maria"),
        ("李雷", "李雷"),
        ("محمد", "محمد"),
        ("\u202egnp.exe", "gnp.exe"),
        ("a\u2066b\u2069c", "abc"),
        ("\x1b[31mred\x07", "[31mred"),
        ("Z" + "\u0335" * 40, "Z\u0335\u0335"),
        ("\ud800x", "x"),
        ("<script>alert(1)", "<script>alert(1)"),
        ("", ""),
    ],
)
def test_a_name_is_one_line_of_plain_letters(given, kept):
    assert plain(given, 24) == kept


@pytest.mark.parametrize("given", ["x" * 25, "x" * 10_000, " " * 10_000, 5, None, ["x"]])
def test_what_is_too_long_or_no_text_is_refused(given):
    with pytest.raises(RoomError):
        plain(given, 24)


# ---- who sees what -------------------------------------------------------------------------------


def test_answers_are_hidden_until_they_are_revealed(made, wall, let_in):
    anna, bo = let_in("Anna"), let_in("Bo")
    number = opened(wall, "factor", rooms.BRAND)
    anna.answer(made, number, {"f01": 3.5})
    bo.answer(made, number, {"f01": 9.0, "f02": None})
    told = state(wall)
    assert "found" not in told["round"] and told["n_answers"] == 3
    assert [p["is_done"] for p in told["people"]] == [False, False]
    text = wall.get("/trainer/state?language=en").text
    assert "3.5" not in text and "9.0" not in text
    assert bo.get("/me?language=en").json()["round"]["answers"] == {
        "f01": [9.0, 1],
        "f02": [None, 1],
    }
    found = revealed(wall)["found"]
    assert next(i for i in found["items"] if i["item"] == "f01") | {"name": ""} == {
        "item": "f01",
        "name": "",
        "values": [3.5, 9.0],
        "n": 2,
        "median": 6.25,
        "low": 4.875,
        "high": 7.625,
        "before": None,
    }
    assert {i["item"] for i in found["items"]} == {"f01"}, "who can't say has said nothing"


def test_a_phone_never_hears_of_others(made, wall, let_in):
    anna, bo = let_in("Anna Unmistakable"), let_in("Bo")
    for kind, subject in (("factor", rooms.BRAND), ("self", ""), ("need", "")):
        number = opened(wall, kind, subject)
        items = state(wall)["round"]
        asked = questions.asked(made.sheet, kind, subject)
        anna.answer(made, number, dict.fromkeys(asked, 1.5))
        bo.answer(made, number, dict.fromkeys(asked, 8.0))
        revealed(wall)
        heard = bo.get("/me?language=en").text + bo.get("/own?language=en").text
        assert "Unmistakable" not in heard and "1.5" not in heard, (kind, items)
        for path in ("/trainer/state", "/trainer/choices", "/qr.svg", "/trainer/figure/climb-en"):
            assert bo.get(path).status_code == 403


def test_who_is_furthest_is_told_to_him_alone(made, wall, let_in):
    phones = [let_in(name) for name in ("Anna", "Bo", "Cai")]
    number = opened(wall, "factor", rooms.BRAND)
    for phone, value in zip(phones, (2.0, 6.0, 9.0), strict=True):
        phone.answer(made, number, {"f03": value, "f04": 5.0})
    said = " ".join(revealed(wall)["found"]["sentences"])
    assert "differs most" in said and not any(n in said for n in ("Anna", "Bo", "Cai"))
    assert not any(person.code in said for person in made.store.people())
    own = [phone.get("/own?language=en").json()["extremes"] for phone in phones]
    assert own == [{"f03": "low"}, {}, {"f03": "high"}]


def test_ones_own_step_is_told_to_oneself(made, wall, let_in):
    anna = let_in("Anna")
    number = opened(wall, "self")
    asked = questions.asked(made.sheet, "self", "")
    anna.answer(made, number, dict.fromkeys(asked, 9.0))
    assert anna.get("/own?language=en").json()["sentences"] == []
    revealed(wall)
    said = anna.get("/own?language=zh-Hans").json()["sentences"]
    assert any("顾问型" in sentence for sentence in said)


def test_ideas_are_read_when_all_may_vote_and_counted_when_all_have(made, wall, let_in):
    anna, bo = let_in("Anna"), let_in("Bo")
    number = opened(wall, "idea")
    sent = {"room": made.id, "round": number}
    anna.post("/idea", {**sent, "mark": "mark-0001", "text": "Walk the shop"})
    anna.post("/idea", {**sent, "mark": "mark-0001", "text": "Walk the shop"})
    bo.post("/idea", {**sent, "mark": "mark-0002", "text": "=cmd|' /C calc'!A0"})
    assert "Walk" not in wall.get("/trainer/state").text + bo.get("/me").text
    revealed(wall)
    listed = bo.get("/me").json()["round"]["ideas"]
    assert [i["text"] for i in listed] == ["Walk the shop", "=cmd|' /C calc'!A0"]
    for phone in (anna, bo):
        phone.post("/vote", {**sent, "idea": listed[1]["id"], "for": True})
    assert "n_votes" not in wall.get("/trainer/state").text
    assert [i["n_votes"] for i in revealed(wall)["ideas"]] == [2, 0]
    assert wall.act("strike", idea=listed[0]["id"]).status_code == 200
    assert len(state(wall)["round"]["ideas"]) == 1


# ---- rounds --------------------------------------------------------------------------------------


def test_a_second_round_is_kept_apart_and_shows_the_first(made, wall, let_in):
    anna, bo = let_in("Anna"), let_in("Bo")
    first = opened(wall, "factor", rooms.BRAND)
    for phone, value in ((anna, 2.0), (bo, 8.0)):
        phone.answer(made, first, {"f01": value, "f02": value})
    assert wall.act("again").json()["error"] == "not_revealed"
    revealed(wall)
    assert wall.act("again", items=["f01"]).status_code == 200
    second = state(wall)["round"]
    assert (second["nth"], second["n_items"]) == (2, 1)
    assert anna.get("/me").json()["round"]["before"] == {"f01": 2.0, "f02": 2.0}
    assert anna.answer(made, first, {"f01": 9.0}).status_code == 409
    anna.answer(made, second["id"], {"f01": 6.0})
    (item,) = revealed(wall)["found"]["items"]
    assert (item["values"], item["before"]) == ([6.0], 5.0)
    rows = findings.scores(made.store, made.sheet, made.asked, made.store.rounds())
    assert rows.groupby("round").size().to_dict() == {1.0: 4, 2.0: 1}
    counted = fishbone.answers(rows, end_date=made.asked.date, brand=rooms.BRAND)
    said = {(r.participant, r.item_id): r.score for r in counted.itertuples()}
    codes = {p.name: p.code for p in made.store.people()}
    assert said == {
        (codes["Anna"], "f01"): 6.0,
        (codes["Anna"], "f02"): 2.0,
        (codes["Bo"], "f01"): 8.0,
        (codes["Bo"], "f02"): 8.0,
    }, "what a person said last of an item counts, and what he did not say anew stays"


def test_the_trainer_chooses_what_is_asked(made, wall, let_in):
    number = opened(wall, "factor", rooms.BRAND, items=["f03", "f01"])
    asked = let_in().get("/me?language=zh-Hant").json()["round"]
    assert [i["item"] for i in asked["items"]] == ["f01", "f03"] and asked["id"] == number
    for wrong in ([], ["f99"], "f01", [["f01"]], 5):
        refused = wall.act("open", kind="factor", subject=rooms.BRAND, items=wrong)
        assert refused.status_code == 422, wrong


def test_pairs_weigh_what_is_compared_by_the_recipe(made, wall, let_in):
    node = made.sheet.nodes[""]
    place = {child: i for i, child in enumerate(node.children)}
    asked = questions.asked(made.sheet, "pair", "")
    number = opened(wall, "pair")
    consistent = {i: float(place[i.split(":")[0]] - place[i.split(":")[1]]) for i in asked}
    for _ in range(2):
        let_in().answer(made, number, consistent)
    let_in().answer(made, number, dict.fromkeys(list(asked)[:3], 0.0))
    found = revealed(wall)["found"]
    rows = findings.comparisons(made.store, made.sheet, made.asked, made.store.rounds())
    tree = fishbone.factor_tree(made.asked.month.factors, made.asked.month.causes)
    leaves, table = fishbone.weights.ahp_weights(rows, tree)
    assert table["accepted"].sum() == 2 and (table["reason"] == "incomplete").sum() == 1
    by_bone = leaves.groupby(leaves.index.map(tree.set_index("factor_id")["bone_id"])).sum()
    assert {s["item"]: s["share"] for s in found["shares"]} == pytest.approx(by_bone.to_dict())
    assert [s["item"] for s in found["shares"]] == list(by_bone.sort_values(ascending=False).index)
    assert not any(p.code in " ".join(found["sentences"]) for p in made.store.people())


def test_who_has_no_phone_is_answered_for_by_the_trainer_and_nobody_else_is(made, wall, let_in):
    anna = let_in("Anna")
    assert wall.act("add_person", name="Old Wang").status_code == 200
    wang, number = made.store.people()[0], opened(wall, "factor", rooms.BRAND)
    wang = next(p for p in made.store.people() if p.name == "Old Wang")
    of_anna = next(p for p in made.store.people() if p.name == "Anna")
    said = {"round": number, "answers": [{"item": "f01", "value": 4.5, "seq": 1}]}
    assert wall.act("answer_for", person=wang.id, **said).status_code == 200
    assert wall.act("answers_of", person=wang.id).json()["answers"] == {"f01": [4.5, 1]}
    for do in ("answer_for", "answers_of"):
        assert wall.act(do, person=of_anna.id, **said).json() == {"error": "no_person"}
    assert anna.get("/me").json()["round"]["answers"] == {}
    assert revealed(wall)["found"]["items"][0]["values"] == [4.5]


# ---- the end -------------------------------------------------------------------------------------


def answered(made, wall, let_in, n=3):
    """Have people score all factors; the plan is laid in as it would be made of them."""
    number = opened(wall, "factor", rooms.BRAND)
    for i in range(n):
        let_in(f"Person {i}").answer(made, number, dict.fromkeys(FACTORS, 4.0 + i))
    revealed(wall)
    plan = '[{"leg":1,"factor_id":"f07","dealer_id":null,"owner":"us","start_date":"2026-11-02",'
    plan += '"due_date":"2026-11-30","target_score":7.5,"expected_gain":null,"status":"open",'
    made.store.note(plan=plan + '"is_kept":true,"factor":"Stock-age analysis"}]').result()


def test_what_was_said_is_kept_beside_the_toml_and_read_again(made, wall, let_in):
    answered(made, wall, let_in)
    assert wall.act("plan", nth=0, owner="Anna", due_date="2026-12-11").status_code == 200
    assert wall.act("keep").status_code == 200
    assert state(wall)["kept"] == ["scores.csv", "plan.csv"]
    book = settings.workbook(made.asked.book.path)
    scores = data.records(book, "scores")
    assert len(scores) == 45 and set(scores["session"]) == {"W9"}
    tree = fishbone.factor_tree(made.asked.month.factors, made.asked.month.causes)
    people = fishbone.people_scores(scores, tree, end_date=made.asked.date, brand=rooms.BRAND)
    assert people["score"].tolist() == [5.0] * 15
    (action,) = data.records(book, "plan").to_dict("records")
    assert (action["owner"], str(action["due_date"].date())) == ("Anna", "2026-12-11")
    # kept once: said again it is the same, and nothing more comes in
    before = (book.folder / "scores.csv").read_bytes()
    assert wall.act("keep").status_code == 200
    assert (book.folder / "scores.csv").read_bytes() == before
    assert wall.act("open", kind="self").json() == {"error": "closed"}


def test_a_session_that_the_workbook_has_is_refused(made, wall, let_in):
    answered(made, wall, let_in)
    rows = findings.scores(made.store, made.sheet, made.asked, made.store.rounds())
    data.keep_session(made.asked.book, rows.assign(score=1.0), pd.DataFrame(columns=["session"]))
    book = settings.workbook(made.asked.book.path)
    made.asked = made.asked._replace(book=book)
    refused = wall.act("keep")
    assert refused.status_code == 409 and "W9" in refused.json()["said"]
    assert data.records(book, "scores")["score"].eq(1.0).all(), "what was there is as it was"


def test_an_owner_is_a_name_and_a_due_day_one_from_the_start_on(made, wall, let_in):
    answered(made, wall, let_in, 1)
    for owner in ("=1+1", "@x", "+1", "", "  ", 5, None, "x" * 61):
        assert wall.act("plan", nth=0, owner=owner).status_code == 422, owner
    for day in ("2026-11-01", "2100-01-01", "soon", "", 5, "2026-13-01"):
        assert wall.act("plan", nth=0, due_date=day).status_code == 422, day
    for nth in (1, -1, "0", True, None):
        assert wall.act("plan", nth=nth, owner="Anna").status_code == 422, nth


def test_ideas_are_kept_as_text_that_no_spreadsheet_runs(made, wall, let_in):
    number = opened(wall, "idea")
    sent = {"room": made.id, "round": number, "mark": "mark-0001"}
    let_in().post("/idea", {**sent, "text": "=HYPERLINK(1)"})
    revealed(wall), revealed(wall)
    assert wall.act("keep").status_code == 200
    text = (made.asked.book.folder / "ideas.W9.csv").read_text(encoding="utf-8-sig")
    assert text == "session,idea,n_votes\nW9,'=HYPERLINK(1),0\n"


def test_nothing_said_is_nothing_kept(made, wall):
    assert wall.act("keep").json() == {"error": "nothing"}
    opened(wall, "self")
    assert wall.act("keep").json() == {"error": "still_open"}
    assert not (made.asked.book.folder / "scores.csv").exists()


def test_a_room_is_taken_up_where_it_was(made, wall, let_in, small, tmp_path):
    anna = let_in("Anna")
    number = opened(wall, "factor", rooms.BRAND)
    anna.answer(made, number, {"f01": 3.0})
    made.close(), made.store.close()
    with rooms.room(small, tmp_path / "rooms" / "W9.sqlite") as again:
        assert (again.id, again.code, again.token) == (made.id, made.code, made.token)
        back = rooms.Phone(rooms.server_of(again))
        back.client.cookies = anna.client.cookies
        told = back.get("/me").json()
        assert told["me"]["name"] == "Anna" and told["round"]["answers"] == {"f01": [3.0, 1]}
