"""Live: the room as it stands, what each may see of it, and what the trainer may do with it.

A phone sees what is asked, and what its owner said himself. The wall sees who is in and how many
have answered, and what was said only when the trainer reveals it.
"""

import asyncio
import concurrent.futures
import datetime as dt
import json
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from helpers import data, files, words
from helpers.room import findings, questions
from helpers.room.findings import Asked
from helpers.room.questions import Sheet
from helpers.room.store import Person, RoomError, Round, Store, file_stem
from helpers.settings import DataError

MOST_PEOPLE = 500
MOST_IDEAS, MOST_VOTES = 20, 3  # of one person in a round
MOST_TRIES = 30  # wrong codes in a minute, of all phones together: a code can't be guessed
MOST_SENT = 120  # answers in one message of a phone
LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # none that is taken for another
BUDGET_DAYS = 60
MOST_OWNER = 60  # letters
ACTIONS = 40  # of a plan, at most


class Room:
    """A room while it is open.

    Coroutines are for the server's loop; what draws or speaks runs on one thread, for figures and
    language are settings of the process.
    """

    def __init__(self, store: Store, sheet: Sheet, asked: Asked, *, address: str = "") -> None:
        """Take up a room where it was, or begin it."""
        self.store, self.sheet, self.asked, self.address = store, sheet, asked, address
        if not store.fact("room"):
            drawn = {
                "format": "1",
                "room": secrets.token_urlsafe(9),
                "code": "".join(secrets.choice(LETTERS) for _ in range(6)),
                "token": secrets.token_urlsafe(24),
                "session": asked.session,
                "date": asked.date.isoformat(),
                "period": asked.period,
            }
            store.note(**drawn).result()
        self.id, self.code, self.token = (store.fact(n) for n in ("room", "code", "token"))
        self.is_ending = False
        self.present: dict[int, int] = {}  # phones that listen, by person
        self._phones_see, self._wall_sees = 0, 0
        self._listening: dict[bool, set[asyncio.Event]] = {True: set(), False: set()}
        self._wrong: list[float] = []
        self._artist = concurrent.futures.ThreadPoolExecutor(1, "room artist")
        self._found: dict[tuple, Any] = {}
        self._drawn: dict[str, str] = {}

    def close(self) -> None:
        """Let go of the thread that draws."""
        self._artist.shutdown(cancel_futures=True)

    def end(self) -> None:
        """Send home who listens, so that the server can close."""
        self.is_ending = True
        self.changed(for_phones=True)

    # ---- who hears of what ---------------------------------------------------------------------

    def changed(self, *, for_phones: bool = False) -> None:
        """Wake who listens: the wall at each change, phones when something else is asked."""
        self._wall_sees += 1
        self._phones_see += for_phones
        for event in (*self._listening[False], *(self._listening[True] if for_phones else ())):
            event.set()

    def version(self, *, for_phones: bool) -> int:
        """Tell how often something changed for who listens."""
        return self._phones_see if for_phones else self._wall_sees

    def listen(self, *, for_phones: bool) -> asyncio.Event:
        """Give an event that is set at each change, until `leave`."""
        event = asyncio.Event()
        self._listening[for_phones].add(event)
        return event

    def leave(self, event: asyncio.Event) -> None:
        """Wake somebody no more."""
        for listening in self._listening.values():
            listening.discard(event)

    async def _drawing(self, language: str, work: Callable[[], Any]) -> Any:
        """Run what speaks or draws, in a language."""

        def run() -> Any:
            from helpers import look

            look.use(language, self.asked.book.currency)
            return work()

        return await asyncio.get_running_loop().run_in_executor(self._artist, run)

    # ---- phones --------------------------------------------------------------------------------

    async def join(self, code: object, name: object) -> tuple[Person, str]:
        """Let a phone in that knows the code on the wall."""
        now = time.monotonic()
        self._wrong = [t for t in self._wrong if now - t < 60]
        if len(self._wrong) >= MOST_TRIES:
            raise RoomError("wait")
        if not isinstance(code, str) or not secrets.compare_digest(
            code.strip().upper().encode("utf-8", "surrogatepass"), self.code.encode()
        ):
            self._wrong.append(now)
            raise RoomError("wrong_code")
        called = questions.plain(name, questions.MOST_NAME)
        joined = await asyncio.wrap_future(self.store.join(called, most=MOST_PEOPLE))
        self.changed()
        return joined

    def current(self) -> Round | None:
        """Give the round that was opened last."""
        rounds = self.store.rounds()
        return rounds[-1] if rounds else None

    def phone(self, person: Person, language: str) -> dict[str, Any]:
        """Tell a phone what is asked, and what its owner said himself; nothing of others."""
        one = self.current()
        ideas, votes = self.store.own_ideas(person.id)
        told: dict[str, Any] = {
            "room": self.id,
            "version": self._phones_see,
            "session": self.asked.session,
            "me": {"code": person.code, "name": person.name},
            "is_over": self.is_kept,
            "round": None,
        }
        if one is None:
            return told
        own = self.store.own_answers(person.id)
        asked = questions.asked(self.sheet, one.kind, one.subject)
        told["round"] = {
            **self._heading(one, language),
            "items": [_shown(asked[item], language) for item in one.items if item in asked],
            "answers": {item: list(a) for item, a in own.get(one.id, {}).items()},
            "before": {item: a[0] for item, a in own.get(one.before or 0, {}).items()},
        }
        if one.kind == "idea":
            listed = [i for i in self.store.ideas(one.id) if not i.is_struck]
            told["round"] |= {
                "mine": ideas,
                "votes": votes,
                "most_votes": MOST_VOTES,
                "ideas": [{"id": i.id, "text": i.text} for i in listed]
                if one.state != "open"
                else [],
            }
        return told

    def _heading(self, one: Round, language: str) -> dict[str, Any]:
        named = one.subject
        if one.kind == "pair":
            named = self.sheet.nodes[one.subject].name[language]
        return {
            "id": one.id,
            "kind": one.kind,
            "nth": one.nth,
            "state": one.state,
            "about": named,
            "subject": one.subject,
            "n_items": len(one.items),
        }

    async def answer(self, person: Person, message: Mapping[str, Any]) -> int:
        """Keep a phone's answers; the revision that holds them, when they are on the disk."""
        one = self._require_round(message)
        given = message.get("answers")
        if not isinstance(given, list) or not 1 <= len(given) <= MOST_SENT:
            raise RoomError("no_answer")
        answers = [questions.answer(a, one.kind, one.items) for a in given]
        kept = await asyncio.wrap_future(self.store.answer(one.id, person.id, answers))
        self.changed()
        return kept

    async def idea(self, person: Person, message: Mapping[str, Any]) -> int:
        """Keep a phone's idea."""
        one = self._require_round(message)
        text = questions.plain(message.get("text"), questions.MOST_IDEA)
        if one.kind != "idea" or not text:
            raise RoomError("no_text")
        asked = self.store.add_idea(
            one.id, person.id, questions.mark(message.get("mark")), text, most=MOST_IDEAS
        )
        kept = await asyncio.wrap_future(asked)
        self.changed()
        return kept

    async def vote(self, person: Person, message: Mapping[str, Any]) -> int:
        """Give or take back a vote."""
        self._require_round(message)
        idea, is_for = message.get("idea"), message.get("for")
        if not isinstance(idea, int) or isinstance(idea, bool) or not isinstance(is_for, bool):
            raise RoomError("no_answer")
        asked = self.store.vote(idea, person.id, is_for, most=MOST_VOTES)
        kept = await asyncio.wrap_future(asked)
        self.changed()
        return kept

    async def own(self, person: Person, language: str) -> dict[str, Any]:
        """Tell a person alone what of a revealed round concerns him."""
        one = self.current()
        if one is None or one.state != "revealed":
            return {"extremes": {}, "sentences": []}
        if one.kind != "self":
            return {"extremes": findings.extremes(self.store, one, person.code), "sentences": []}
        mine = {i: a[0] for i, a in self.store.own_answers(person.id).get(one.id, {}).items()}
        said = await self._drawing(language, lambda: findings.own_step(self.asked, mine))
        return {"extremes": {}, "sentences": said}

    def _require_round(self, message: Mapping[str, Any]) -> Round:
        """Find the round that a phone speaks of; what waited on it for another room is refused."""
        if message.get("room") != self.id:
            raise RoomError("other_room")
        if self.is_kept:
            raise RoomError("closed")
        number = message.get("round")
        found = [one for one in self.store.rounds() if one.id == number and number is not True]
        if not found:
            raise RoomError("closed")
        return found[0]

    # ---- the wall ------------------------------------------------------------------------------

    async def wall(self, language: str) -> dict[str, Any]:
        """Tell the wall how the room stands; what people said, only of a round that is revealed."""
        one = self.current()
        people, done = self.store.people(), self._done(one) if one else {}
        needed = self._needed(one) if one else 1
        told: dict[str, Any] = {
            "room": self.id,
            "version": self._wall_sees,
            "revision": self.store.revision,
            "session": self.asked.session,
            "date": self.asked.date.isoformat(),
            "code": self.code,
            "address": self.address,
            "people": [
                {
                    "id": p.id,
                    "name": p.name,
                    "has_phone": p.has_phone,
                    "is_here": not p.has_phone or self.present.get(p.id, 0) > 0,
                    "is_done": done.get(p.id, 0) >= needed,
                }
                for p in sorted(people, key=lambda p: (p.name.casefold(), p.id))
            ],
            "n_answers": sum(done.get(p.id, 0) for p in people),
            "rounds": [self._heading(r, language) for r in self.store.rounds()],
            "round": {**self._heading(one, language), "items": one.items} if one else None,
            "kept": json.loads(self.store.fact("kept", "[]")),
            "result": self._told_result(language),
        }
        if one and one.kind == "idea":
            told["round"]["ideas"] = self._ideas(one)
        if one and one.state == "revealed" and one.kind != "idea":
            told["round"]["found"] = await self._found_in(one, language)
        return told

    def _done(self, one: Round) -> dict[int, int]:
        if one.kind != "idea":
            return self.store.n_answers(one.id)
        return self.store.n_ideas(one.id) if one.state == "open" else self.store.n_votes(one.id)

    def _needed(self, one: Round) -> int:
        return len(one.items) if one.kind != "idea" else 1

    def _ideas(self, one: Round) -> list[dict[str, Any]]:
        """List ideas once they may be read, with votes once those are in."""
        if one.state == "open":
            return []
        listed = [i for i in self.store.ideas(one.id) if not i.is_struck]
        if one.state == "voting":
            return [{"id": i.id, "text": i.text} for i in listed]
        listed.sort(key=lambda i: -i.n_votes)
        return [{"id": i.id, "text": i.text, "n_votes": i.n_votes} for i in listed]

    async def _found_in(self, one: Round, language: str) -> dict[str, Any]:
        """Tell what a round found; it is worked out once, until somebody is shown out."""
        key = (one.id, language, len(self.store.people()), self.store.revision)
        if key not in self._found:
            found = await self._drawing(language, lambda: self._round_found(one))
            names = self._names(one, language)
            for item in (*found["items"], *found.get("shares", [])):
                item["name"] = names[item["item"]]
            if one.kind == "self":
                drawn = await self._drawing(
                    language, lambda: findings.self_figure(self.store, self.sheet, self.asked, one)
                )
                found["figure"] = self._keep_drawn(f"ladder-{one.id}-{language}", drawn)
            self._found = {k: v for k, v in self._found.items() if k[0] == one.id} | {key: found}
        return self._found[key]

    def _round_found(self, one: Round) -> dict[str, Any]:
        """Tell what a round found; an error becomes a sentence, and the wall goes on."""
        try:
            return findings.round_found(self.store, self.sheet, self.asked, one)
        except Exception as error:
            told = words.say("explore.failed", error=f"{type(error).__name__}: {error}")
            return {"items": [], "shares": [], "sentences": [told]}

    def _names(self, one: Round, language: str) -> dict[str, str]:
        if one.kind == "pair":
            return {i: t[language] for i, t in self.sheet.nodes[one.subject].children.items()}
        asked = questions.asked(self.sheet, one.kind, one.subject)
        return {item: question.text[language] for item, question in asked.items()}

    def _keep_drawn(self, name: str, drawn: str) -> dict[str, str]:
        """Lay a figure where the wall can fetch it; a sentence in its place is told at once."""
        if not drawn.startswith("<"):
            return {"said": drawn}
        self._drawn[name] = drawn
        return {"name": name, "mark": secrets.token_urlsafe(6)}

    def drawn(self, name: str) -> str | None:
        """Give a figure by its name."""
        return self._drawn.get(name)

    # ---- what the trainer does -----------------------------------------------------------------

    async def act(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Do what the trainer asks for."""
        known = {
            "open": self._open,
            "again": self._again,
            "reveal": self._reveal,
            "strike": self._strike,
            "add_person": self._add_person,
            "remove_person": self._remove_person,
            "answer_for": self._answer_for,
            "answers_of": self._answers_of,
            "result": self._result,
            "plan": self._plan,
            "keep": self._keep,
        }
        do = message.get("do")
        if not isinstance(do, str) or do not in known:
            raise RoomError("no_action")
        if self.is_kept and do not in ("result", "keep", "answers_of"):
            raise RoomError("closed")
        told = await known[do](message)
        self.changed(for_phones=do in ("open", "again", "reveal", "strike", "keep"))
        return told or {}

    def choices(self, language: str) -> dict[str, Any]:
        """Tell the trainer which rounds there can be, with their items."""
        rounds = [("factor", brand) for brand in self.sheet.brands]
        rounds += [("need", ""), ("self", "")]
        rounds += [("pair", node) for node in self.sheet.nodes] + [("idea", "")]
        told = []
        for kind, subject in rounds:
            asked = questions.asked(self.sheet, kind, subject)
            about = self.sheet.nodes[subject].name[language] if kind == "pair" else subject
            items = [_shown(question, language) for question in asked.values()]
            told.append({"kind": kind, "subject": subject, "about": about, "items": items})
        return {"rounds": told, "days": BUDGET_DAYS}

    async def _open(self, message: Mapping[str, Any]) -> None:
        kind, subject = message.get("kind"), message.get("subject", "")
        if not isinstance(kind, str) or not isinstance(subject, str):
            raise RoomError("no_round")
        asked = questions.asked(self.sheet, kind, subject)
        items = self._chosen(message.get("items"), tuple(asked))
        if kind == "pair":  # a matrix with holes weighs nothing
            items = tuple(asked)
        before = [r for r in self.store.rounds() if (r.kind, r.subject) == (kind, subject)]
        last = before[-1].id if before else None
        await asyncio.wrap_future(self.store.open_round(kind, subject, items, last))

    async def _again(self, message: Mapping[str, Any]) -> None:
        """Ask once more what was revealed, or the part of it that was disputed."""
        one = self.current()
        if one is None or one.state != "revealed" or one.kind == "idea":
            raise RoomError("not_revealed")
        items = self._chosen(message.get("items"), one.items)
        items = one.items if one.kind == "pair" else items
        await asyncio.wrap_future(self.store.open_round(one.kind, one.subject, items, one.id))

    def _chosen(self, given: object, known: tuple[str, ...]) -> tuple[str, ...]:
        if given is None:
            return known
        if not isinstance(given, list) or not given or not all(i in known for i in given):
            raise RoomError("no_round")
        return tuple(item for item in known if item in given)

    async def _reveal(self, message: Mapping[str, Any]) -> None:
        one = self.current()
        if one is None or one.id != message.get("round"):
            raise RoomError("closed")
        further = "voting" if (one.kind, one.state) == ("idea", "open") else "revealed"
        await asyncio.wrap_future(self.store.move_round(one.id, further))

    async def _strike(self, message: Mapping[str, Any]) -> None:
        await asyncio.wrap_future(self.store.strike(_number(message.get("idea"))))

    async def _add_person(self, message: Mapping[str, Any]) -> None:
        name = questions.plain(message.get("name"), questions.MOST_NAME)
        added = self.store.join(name, most=MOST_PEOPLE, has_phone=False)
        await asyncio.wrap_future(added)

    async def _remove_person(self, message: Mapping[str, Any]) -> None:
        await asyncio.wrap_future(self.store.remove(_number(message.get("person"))))

    async def _answer_for(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Enter what somebody without a phone says; nobody who has one is answered for."""
        person = self._without_phone(message)
        return {"revision": await self.answer(person, {**message, "room": self.id})}

    async def _answers_of(self, message: Mapping[str, Any]) -> dict[str, Any]:
        person, one = self._without_phone(message), self.current()
        own = self.store.own_answers(person.id).get(one.id, {}) if one else {}
        return {"answers": {item: list(a) for item, a in own.items()}}

    def _without_phone(self, message: Mapping[str, Any]) -> Person:
        number = _number(message.get("person"))
        found = [p for p in self.store.people() if p.id == number and not p.has_phone]
        if not found:
            raise RoomError("no_person")
        return found[0]

    # ---- the end -------------------------------------------------------------------------------

    @property
    def is_kept(self) -> bool:
        """Whether the room's answers lie beside the toml: then nothing more is asked."""
        return bool(self.store.fact("kept"))

    async def _result(self, message: Mapping[str, Any]) -> None:
        """Work out what the room found; the plan that was changed by hand is made anew."""
        days, language = message.get("days", BUDGET_DAYS), _language(message)
        if not isinstance(days, int) or not (
            findings.SHORTEST_DAYS <= days <= findings.LONGEST_DAYS
        ):
            raise RoomError("days")
        one = self.current()
        if one and one.state != "revealed":
            raise RoomError("still_open")
        start = self.asked.date + dt.timedelta(days=1)
        try:
            found = await self._drawing(
                language,
                lambda: findings.result(self.store, self.sheet, self.asked, days, start),
            )
        except DataError:
            raise
        except ValueError as error:  # an editable table is wrong, and says so itself
            raise DataError(str(error)) from None
        told = {
            "language": language,
            "days": days,
            "sentences": found.sentences,
            "figures": {
                name: self._keep_drawn(f"{name}-{language}", drawn)
                for name, drawn in found.figures.items()
            },
        }
        self._told = told
        if not self.is_kept:
            rows = found.plan.assign(is_kept=True)
            await asyncio.wrap_future(self.store.note(plan=_as_json(rows)))

    _told: dict[str, Any] | None = None

    def _told_result(self, language: str) -> dict[str, Any] | None:
        plan = json.loads(self.store.fact("plan", "[]"))
        if self._told is None:
            return {"plan": plan} if plan else None
        return {**self._told, "plan": plan}

    async def _plan(self, message: Mapping[str, Any]) -> None:
        """Change an action: who does it, until when, or that nobody does."""
        plan = json.loads(self.store.fact("plan", "[]"))
        nth = _number(message.get("nth"))
        if not 0 <= nth < len(plan):
            raise RoomError("no_action")
        row = plan[nth]
        if "owner" in message:
            owner = questions.plain(message["owner"], MOST_OWNER)
            if not owner or files.is_formula(owner):
                raise RoomError("no_owner")
            row["owner"] = owner
        if "due_date" in message:
            row["due_date"] = _day(message["due_date"], row["start_date"])
        if "is_kept" in message:
            row["is_kept"] = message["is_kept"] is True
        await asyncio.wrap_future(self.store.note(plan=json.dumps(plan, ensure_ascii=False)))

    async def _keep(self, message: Mapping[str, Any]) -> None:
        """Lay what the room said beside the toml; said twice, it is kept once."""
        one = self.current()
        if one and one.state != "revealed":
            raise RoomError("still_open")
        written = await asyncio.get_running_loop().run_in_executor(self._artist, self._kept)
        if not written:
            raise RoomError("nothing")
        await asyncio.wrap_future(self.store.note(kept=json.dumps(written)))

    def _kept(self) -> list[str]:
        rounds, book = self.store.rounds(), self.asked.book
        scores = findings.scores(self.store, self.sheet, self.asked, rounds)
        pairs = findings.comparisons(self.store, self.sheet, self.asked, rounds)
        ideas = findings.ideas(self.store, self.asked, rounds)
        written = []
        if len(scores) or len(pairs):
            written += data.keep_session(book, scores, pairs)
        if len(ideas):
            path = book.folder / f"ideas.{file_stem(self.asked.session)}.csv"
            files.write_table(path, ideas)
            written.append(path)
        agreed = pd.DataFrame(json.loads(self.store.fact("plan", "[]")))
        if len(agreed) and len(agreed := agreed[agreed["is_kept"]]):
            written.append(data.add_to_plan(book, agreed))
        return [path.name for path in written]


def _shown(question: questions.Question, language: str) -> dict[str, str]:
    return {
        "item": question.item,
        "text": question.text[language],
        "low": question.low[language],
        "high": question.high[language],
    }


def _as_json(rows: pd.DataFrame) -> str:
    return rows.to_json(orient="records", date_format="iso", date_unit="s", force_ascii=False)


def _number(given: object) -> int:
    if not isinstance(given, int) or isinstance(given, bool):
        raise RoomError("no_action")
    return given


def _day(given: object, earliest: str) -> str:
    try:
        day = dt.date.fromisoformat(given if isinstance(given, str) else "")
    except ValueError:
        raise RoomError("no_day") from None
    if not earliest[:10] <= day.isoformat() <= "2099-12-31":
        raise RoomError("no_day")
    return day.isoformat()


def _language(message: Mapping[str, Any]) -> str:
    language = message.get("language", "en")
    if language not in words.LANGUAGES:
        raise RoomError("no_language")
    return language
