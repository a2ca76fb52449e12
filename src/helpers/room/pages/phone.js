// The phone: join, answer, keep what could not be sent, and come back to what one had.
import { ask, balance, el, fill, keep, language, reason, Refused, say, score, send, speak, switcher, title, typed }
  from "./shared.js";

const main = document.getElementById("main");
const status = document.getElementById("status");
let chosen = language();
let here = null; // what the server told last
let at = 0; // the question on show; behind the last one stands the overview
let shown = ""; // which round the page shows, and how far it is
let events = null;
let notice = "";

// ---- what waits to be sent --------------------------------------------------------------------

let waiting = { answers: {}, ideas: [], seq: 0 };
const place = () => `room.${here.room}.waiting`;

function remember() {
  keep.set(place(), JSON.stringify(waiting));
}

function recall() {
  try {
    waiting = { answers: {}, ideas: [], seq: 0, ...JSON.parse(keep.get(place()) ?? "{}") };
  } catch { /* what can't be read waits for nothing */ }
}

const nWaiting = () =>
  Object.values(waiting.answers).reduce((n, items) => n + Object.keys(items).length, 0)
  + waiting.ideas.length;

let isLost = false; // the line, as far as the last try tells

function tellWaiting() {
  const n = nWaiting();
  status.classList.toggle("bad", Boolean((isLost && n) || notice));
  status.textContent = notice || (n ? say(isLost ? "waiting_lost" : "sending", { n }) : here?.round ? say("saved") : "");
}

let isSending = false;
let pause = 1000;

async function flush() {
  if (isSending || !here) return;
  isSending = true;
  let isBroken = false;
  try {
    for (const [number, items] of Object.entries(waiting.answers)) {
      const listed = Object.entries(items).slice(0, 100);
      if (!listed.length) { delete waiting.answers[number]; continue; }
      const answers = listed.map(([item, one]) => ({ item, value: one.value, seq: one.seq }));
      const isTaken = await taken("/answers", { room: here.room, round: Number(number), answers });
      const left = waiting.answers[number] ?? {}; // something may have been changed meanwhile
      for (const { item, value, seq } of answers) {
        if (isTaken && here.round?.id === Number(number)) here.round.answers[item] = [value, seq];
        if (left[item]?.seq === seq) delete left[item];
      }
      if (!Object.keys(left).length) delete waiting.answers[number];
    }
    for (const idea of [...waiting.ideas]) {
      const sent = await taken("/idea", { room: here.room, ...idea });
      waiting.ideas = waiting.ideas.filter((one) => one.mark !== idea.mark);
      if (sent && here.round?.id === idea.round) here.round.mine[idea.mark] = idea.text;
    }
    pause = 1000;
  } catch (error) {
    if (error instanceof Refused && error.message === "join_first") { isSending = false; return join(); }
    isBroken = true;
    setTimeout(flush, pause);
    pause = Math.min(pause * 2, 8000);
  }
  isSending = false;
  isLost = isBroken;
  remember();
  tellWaiting();
  if (!isLost && nWaiting()) flush();
}

// Sent, or refused for good: then it waits no longer, and its owner is told. What the network lost waits.
async function taken(path, message) {
  try {
    await send(path, message);
    return true;
  } catch (error) {
    if (!(error instanceof Refused) || error.status >= 500 || error.message === "join_first") throw error;
    notice = reason(error);
    return false;
  }
}

// ---- what the server tells --------------------------------------------------------------------

async function load() {
  try {
    const told = await ask(`/me?language=${chosen}`);
    if (!told.me) return join();
    here = told;
  } catch {
    status.textContent = say("offline");
    status.classList.add("bad");
    return undefined;
  }
  recall();
  listen();
  flush();
  const round = here.round;
  const now = round ? `${round.id} ${round.state} ${(round.ideas ?? []).length} ${here.is_over}` : `none ${here.is_over}`;
  if (now !== shown) {
    if (now.split(" ")[0] !== shown.split(" ")[0]) {
      at = firstOpen();
      notice = "";
    }
    shown = now;
    draw();
  }
  return undefined;
}

function listen() {
  if (events && events.readyState !== EventSource.CLOSED) return;
  events = new EventSource(`/events?language=${chosen}`);
  events.onmessage = (event) => {
    if (JSON.parse(event.data).version !== here?.version) load();
  };
  events.onopen = flush;
  events.onerror = () => {
    isLost = true;
    tellWaiting();
    if (events.readyState === EventSource.CLOSED) setTimeout(load, 3000);
  };
}

document.addEventListener("visibilitychange", () => { if (!document.hidden) load(); });
window.addEventListener("online", load);

// ---- joining ----------------------------------------------------------------------------------

function join() {
  shown = "";
  status.textContent = "";
  const fromCode = decodeURIComponent(location.hash.slice(1));
  const code = el("input", {
    id: "code", required: true, maxlength: 12, autocapitalize: "characters", autocomplete: "off",
    spellcheck: "false", value: fromCode,
  });
  const name = el("input", { id: "name", maxlength: 24, autocomplete: "off" });
  const form = el("form", {},
    el("h1", { text: say("join_title") }),
    el("p", { text: say("join_how") }),
    el("label", { for: "name", text: say("join_name") }), name,
    el("label", { for: "code", text: say("join_code") }), code,
    el("button", { class: "main", type: "submit", text: say("join") }));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      here = await send(`/join?language=${chosen}`, { code: code.value, name: name.value });
      history.replaceState(null, "", "/");
      await load();
    } catch (error) {
      status.textContent = reason(error);
      status.classList.add("bad");
    }
  });
  fill(main, form);
}

// ---- answering --------------------------------------------------------------------------------

function given(item) {
  const round = here.round;
  const kept = round.answers[item];
  const waits = waiting.answers[round.id]?.[item];
  if (waits && (!kept || waits.seq > kept[1])) return { value: waits.value };
  return kept ? { value: kept[0] } : null;
}

function give(item, value) {
  const round = here.round;
  const last = Math.max(waiting.seq, ...Object.values(round.answers).map((one) => one[1]));
  waiting.seq = Math.max(Date.now(), last + 1);
  waiting.answers[round.id] = { ...waiting.answers[round.id], [item]: { value, seq: waiting.seq } };
  remember();
  tellWaiting();
  flush();
}

function firstOpen() {
  if (!here.round) return 0;
  const open = here.round.items.findIndex((one) => !given(one.item));
  return open < 0 ? here.round.items.length : open;
}

function draw() {
  fill(document.getElementById("brand"),
    el("span", { text: say("brand") }),
    el("span", { class: "month", text: here.session }),
    el("span", { class: "month" }, typed(here.me.name || here.me.code)));
  tellWaiting();
  const round = here.round;
  if (here.is_over) return fill(main, ...over());
  if (!round) return fill(main, el("h1", { text: say("wait_title") }), el("p", { text: say("wait_how") }),
    el("p", { class: "code" , text: say("your_code", { code: here.me.code }) }));
  if (round.state === "revealed") return revealed();
  if (round.kind === "idea") return round.state === "open" ? drawIdeas() : drawVotes();
  return at < round.items.length ? drawQuestion() : drawOverview();
}

const over = () => [el("h1", { text: say("over_title") }), el("p", { text: say("over_how", { code: here.me.code }) })];

const words = (value) => (value == null ? say("cant_say") : here.round.kind === "pair" ? balance(value) : score(value));

function drawQuestion() {
  const round = here.round;
  const one = round.items[at];
  const isPair = round.kind === "pair";
  const now = given(one.item);
  const value = el("output", { class: isPair ? "value pair" : "value", for: "slider" });
  const slider = el("input", {
    id: "slider", type: "range", class: isPair ? "pair" : "",
    min: isPair ? -8 : 0, max: isPair ? 8 : 10, step: isPair ? 1 : 0.5,
    "aria-label": isPair ? say("pair_question", { a: one.low, b: one.high }) : one.text,
  });
  const next = el("button", { class: "main", type: "button", text: say("next"), onclick: () => go(at + 1) });
  const show = (isSet, told) => {
    slider.classList.toggle("unset", !isSet);
    value.textContent = told;
    slider.setAttribute("aria-valuetext", told);
  };
  const take = () => {
    const number = Number(slider.value);
    show(true, words(number));
    if (given(one.item)?.value !== number) give(one.item, number);
  };
  slider.value = now && now.value != null ? now.value : isPair ? 0 : 5;
  show(Boolean(now && now.value != null), now ? words(now.value) : say("not_set"));
  slider.addEventListener("input", () => show(true, words(Number(slider.value))));
  slider.addEventListener("change", take);
  // a tap where the slider stands already is an answer, too
  slider.addEventListener("click", take);
  slider.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") take(); });
  const before = round.before[one.item];
  fill(main,
    el("p", { class: "kicker", text: title(round) }),
    el("progress", { max: round.items.length, value: at, "aria-label": say("progress") }),
    el("p", { class: "count", text: `${at + 1} / ${round.items.length}` }),
    isPair ? el("h1", { id: "question", tabindex: -1, text: say("pair_ask") })
      : el("h1", { id: "question", tabindex: -1 }, typed(one.text)),
    isPair && el("p", { class: "sides" }, typed(one.low), typed(one.high)),
    before != null && el("p", { class: "count", text: say("before", { value: words(before) }) }),
    value, slider,
    el("p", { class: "ends" }, el("span", { text: isPair ? "◀" : `0 · ${one.low}` }),
      el("span", { text: isPair ? "▶" : `10 · ${one.high}` })),
    el("div", { class: "buttons" },
      el("button", { type: "button", disabled: at === 0, text: say("back"), onclick: () => go(at - 1) }),
      el("button", { type: "button", text: say("skip"), onclick: () => { give(one.item, null); go(at + 1); } }),
      next));
}

function go(to) {
  at = Math.max(0, to);
  draw();
  document.getElementById("question")?.focus({ preventScroll: false });
  window.scrollTo(0, 0);
}

function drawOverview() {
  const round = here.round;
  const missing = round.items.filter((one) => !given(one.item)).length;
  fill(main,
    el("p", { class: "kicker", text: title(round) }),
    el("h1", { id: "question", tabindex: -1, text: say(missing ? "missing_title" : "done_title", { n: missing }) }),
    el("p", { text: say("done_how") }),
    ownAnswers((i) => go(i)));
}

function ownAnswers(change) {
  const round = here.round;
  const isPair = round.kind === "pair";
  return el("ul", { class: "own" }, ...round.items.map((one, i) => {
    const now = given(one.item);
    const parts = [el("span", {}, typed(isPair ? `${one.low} · ${one.high}` : one.text)),
      el("b", { text: now ? words(now.value) : "–" })];
    return el("li", {}, change ? el("button", { type: "button", onclick: () => change(i) }, ...parts) : el("div", {}, ...parts));
  }));
}

async function revealed() {
  const round = here.round;
  const told = el("div", {});
  fill(main,
    el("p", { class: "kicker", text: title(round) }),
    el("h1", { text: say("revealed_title") }),
    told,
    round.kind === "idea" ? "" : ownAnswers(null));
  if (round.kind === "idea") return;
  try {
    const own = await ask(`/own?language=${chosen}`);
    const names = Object.fromEntries(round.items.map((one) => [one.item, one.text]));
    const list = [
      ...Object.entries(own.extremes).map(([item, end]) => say(`you_${end}`, { item: names[item] })),
      ...own.sentences,
    ];
    if (list.length) {
      told.append(el("p", { text: say("only_you") }), el("ul", { class: "prose" }, ...list.map((text) => el("li", {}, typed(text)))));
    }
  } catch { /* it is nothing that can't wait for the next look */ }
}

// ---- ideas ------------------------------------------------------------------------------------

function drawIdeas() {
  const round = here.round;
  const text = el("textarea", { id: "idea", maxlength: 200, rows: 4, required: true });
  const form = el("form", {}, el("label", { for: "idea", text: say("idea_ask") }), text,
    el("button", { class: "main", type: "submit", text: say("idea_send") }));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!text.value.trim()) return;
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    const mark = [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
    waiting.ideas.push({ round: round.id, mark, text: text.value });
    remember();
    notice = "";
    drawIdeas();
    flush().then(drawOwnIdeas);
  });
  fill(main,
    el("p", { class: "kicker", text: title(round) }),
    form, el("ul", { class: "own", id: "ideas" }));
  drawOwnIdeas();
}

function drawOwnIdeas() {
  const round = here.round;
  const waits = waiting.ideas.filter((one) => one.round === round.id);
  fill(document.getElementById("ideas"),
    ...Object.values(round.mine).map((text) => el("li", {}, el("div", {}, typed(text), el("b", { text: "✓" })))),
    ...waits.map((one) => el("li", {}, el("div", {}, typed(one.text), el("b", { text: "…" })))));
}

function drawVotes() {
  const round = here.round;
  const left = round.most_votes - round.votes.length;
  const vote = async (idea, isFor) => {
    try {
      await send("/vote", { room: here.room, round: round.id, idea, for: isFor });
      round.votes = isFor ? [...round.votes, idea] : round.votes.filter((one) => one !== idea);
      notice = "";
    } catch (error) {
      notice = reason(error);
    }
    draw();
  };
  fill(main,
    el("p", { class: "kicker", text: title(round) }),
    el("h1", { text: say("vote_title", { n: left }) }),
    el("ul", { class: "own" }, ...round.ideas.map((idea) => {
      const isFor = round.votes.includes(idea.id);
      return el("li", {}, el("button", {
        type: "button", "aria-pressed": String(isFor), disabled: !isFor && left <= 0,
        onclick: () => vote(idea.id, !isFor),
      }, typed(idea.text), el("b", { text: isFor ? "♥" : "♡" })));
    })));
}

// ---- begin ------------------------------------------------------------------------------------

async function begin() {
  await speak(chosen);
  document.title = say("brand");
  document.getElementById("brand").textContent = say("brand");
  fill(document.getElementById("languages"), switcher(chosen, async (to) => {
    chosen = to;
    keep.set("room.language", to);
    events?.close();
    shown = "";
    const where = at;
    await begin();
    if (here?.round) { at = where; draw(); }
  }));
  await load();
}

begin();
