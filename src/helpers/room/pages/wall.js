// The wall: who is in, how many have answered, and what was said once it is revealed; and the trainer's bar.
import { ask, el, fill, keep, language, reason, Refused, say, score, send, speak, switcher, title, typed } from "./shared.js";

const main = document.getElementById("main");
const aside = document.getElementById("aside");
const bar = document.getElementById("bar");
const status = document.getElementById("status");
let chosen = keep.get("room.wall") ?? language();
let room = null;
let choices = null;
let events = null;
let view = "round"; // or "result"
let drawnBar = "";
let drawnMain = "";
const icon = (text) => el("span", { "aria-hidden": "true", text });

async function enter() {
  const token = decodeURIComponent(location.hash.slice(1));
  if (token) {
    try { await send("/trainer", { token }); } catch (error) { return refuse(error); }
    history.replaceState(null, "", "/wall"); // the room sees the address: it need not see this
  }
  try { choices = await ask(`/trainer/choices?language=${chosen}`); } catch (error) { return refuse(error); }
  events?.close();
  events = new EventSource(`/trainer/events?language=${chosen}`);
  events.onmessage = (event) => {
    room = JSON.parse(event.data);
    tell("");
    draw();
    document.body.dataset.revision = room.revision;
  };
  events.onerror = () => {
    tell(say("offline"), true);
    if (events.readyState === EventSource.CLOSED) setTimeout(enter, 2000);
  };
  return undefined;
}

function refuse(error) {
  if (!(error instanceof Refused)) { setTimeout(enter, 2000); return tell(say("offline"), true); }
  fill(main, el("h1", { text: say("trainer_title") }), el("p", { text: reason(error) }));
  return undefined;
}

function tell(text, isBad = false) {
  status.textContent = text;
  status.classList.toggle("bad", isBad);
}

async function act(message) {
  tell("");
  try {
    return await send("/trainer/act", { language: chosen, ...message });
  } catch (error) {
    tell(reason(error), true);
    return null;
  }
}

// ---- at the side ------------------------------------------------------------------------------

function drawAside() {
  const people = room.people.map((one) => el("li", {
    class: `${one.is_done ? "done" : ""} ${one.is_here ? "" : "away"}`,
  }, typed(one.name || "·"), one.is_done && room.round ? el("span", { text: "✓", "aria-label": say("has_answered") }) : ""));
  const address = room.address.replace("http://", "");
  const old = aside.querySelector(".door");
  const door = old ?? el("div", { class: "door" },
    el("img", { src: "/qr.svg", alt: say("qr_alt"), width: 220, height: 220 }),
    el("p", {}, el("b", { text: address })),
    el("p", {}, el("span", { text: say("join_code") }), " ", el("b", { class: "letters", text: room.code })),
    /^(127\.|\[::1\])/.test(address) && el("p", { class: "note", text: say("only_here") }));
  fill(aside, door,
    el("h2", { text: say("people", { n: room.people.length }) }),
    el("ul", { class: "people" }, ...people));
}

// ---- in the middle ----------------------------------------------------------------------------

function draw() {
  fill(document.getElementById("brand"),
    el("span", { text: say("brand") }), el("span", { class: "month", text: `${room.session} · ${room.date}` }));
  drawAside();
  document.querySelector(".spread").classList.toggle("welcome", !room.round);
  drawMain();
  drawBar();
}

// drawn anew only when something in it changed: figures would be fetched again
function drawMain() {
  const isResult = view === "result" && room.result;
  const done = room.people.filter((one) => one.is_done).length;
  const now = JSON.stringify([chosen, isResult ? [room.result, room.kept] : [room.round, done, room.people.length, room.n_answers]]);
  if (now === drawnMain) return;
  if (isResult && document.activeElement?.closest?.(".plan")) return; // somebody is writing there
  drawnMain = now;
  if (isResult) drawResult();
  else drawRound();
}

function drawRound() {
  const round = room.round;
  if (!round) {
    fill(main, el("h1", { text: say("welcome_title") }), el("ol", { class: "steps" },
      ...["welcome_1", "welcome_2", "welcome_3"].map((key) => el("li", { text: say(key) }))));
    return;
  }
  const nDone = room.people.filter((one) => one.is_done).length;
  const parts = [el("p", { class: "kicker", text: say(`state_${round.state}`) }), el("h1", { text: title(round) })];
  if (round.state !== "revealed") {
    parts.push(
      el("p", { class: "big" }, el("b", { id: "done", text: nDone }), ` / ${room.people.length}`),
      el("p", { class: "count", text: say(round.state === "voting" ? "have_voted" : round.kind === "idea" ? "have_written" : "have_answered") }),
      el("progress", { max: Math.max(room.people.length, 1), value: nDone, "aria-label": say("progress") }),
      el("p", { class: "count", text: say("n_answers", { n: room.n_answers }) }),
      el("p", { text: say(round.kind === "idea" ? "idea_how" : "hidden") }));
  }
  if (round.kind === "idea") parts.push(ideas(round));
  else if (round.found) parts.push(...found(round));
  fill(main, ...parts);
}

function ideas(round) {
  return el("ol", { class: "ideas" }, ...round.ideas.map((one) => el("li", {}, typed(one.text),
    one.n_votes == null ? "" : el("b", { class: "votes", text: `♥ ${one.n_votes}` }))));
}

function sentences(list) {
  return list.length ? [el("ul", { class: "prose" }, ...list.map((text) => el("li", {}, typed(text))))] : [];
}

function figure(one, about) {
  if (one.said) return el("p", { class: "note", text: one.said });
  return el("img", { class: "figure", src: `/trainer/figure/${one.name}?${one.mark}`, alt: about });
}

function found(round) {
  const told = round.found;
  const parts = [...sentences(told.sentences)];
  if (told.figure) parts.push(figure(told.figure, told.sentences.join(" ")));
  if (round.kind === "pair") {
    if (!told.shares.length) return [...parts, el("p", { class: "note", text: say("no_shares") })];
    const most = Math.max(...told.shares.map((one) => one.share));
    return [...parts, el("div", { class: "strips" }, ...told.shares.map((one) => row(one.name, bars(one.share / most), `${Math.round(one.share * 100)}%`)))];
  }
  if (!told.items.length) return [...parts, el("p", { class: "note", text: say("nobody_answered") })];
  parts.push(el("p", { class: "count", text: say("how_to_read") }));
  parts.push(el("div", { class: "strips" }, ...told.items.map((one, i) => {
    const line = row(one.name, strip(one), el("span", {}, el("b", { text: score(one.median) }),
      one.before == null ? "" : ` ← ${score(one.before)}`));
    line.classList.toggle("apart", i < 5 && one.high > one.low);
    line.append(el("span", { class: "unseen", text: say("row_said", {
      n: one.n, median: score(one.median), low: score(one.low), high: score(one.high),
    }) }));
    return line;
  })));
  return parts;
}

const row = (name, drawn, said) =>
  el("div", { class: "row" }, el("span", { class: "name" }, typed(name)), drawn, el("span", { class: "said" }, said));

function placed(tag, name, left, width) {
  const mark = el(tag, { class: name });
  mark.style.left = `${left}%`;
  if (width != null) mark.style.width = `${width}%`;
  return mark;
}

function bars(share) {
  return el("div", { class: "strip", "aria-hidden": "true" }, placed("i", "bar-of", 0, share * 100));
}

// each answer is a dot, equal ones above each other; the bar is the middle half, the line the median
function strip(one) {
  const marks = [placed("i", "half", one.low * 10, (one.high - one.low) * 10)];
  const stacked = {};
  const highest = Math.max(...Object.values(one.values.reduce((n, v) => ({ ...n, [v]: (n[v] ?? 0) + 1 }), {})));
  for (const value of one.values) {
    stacked[value] = (stacked[value] ?? -1) + 1;
    const dot = placed("i", "dot", value * 10);
    dot.style.bottom = `${4 + stacked[value] * Math.min(7, 22 / Math.max(highest - 1, 1))}px`;
    marks.push(dot);
  }
  if (one.before != null) marks.push(placed("i", "before", one.before * 10));
  marks.push(placed("i", "median", one.median * 10));
  return el("div", { class: "strip", "aria-hidden": "true" }, ...marks);
}

// ---- the end ----------------------------------------------------------------------------------

function drawResult() {
  const told = room.result;
  const parts = [el("p", { class: "kicker", text: say("result_kicker") }), el("h1", { text: say("result_title") })];
  if (told.sentences) parts.push(...sentences(told.sentences));
  for (const name of ["fishbone", "scores", "causes", "climb"]) {
    if (told.figures) parts.push(figure(told.figures[name], say(`figure_${name}`)));
  }
  parts.push(el("h2", { text: say("plan_title") }));
  parts.push(told.plan.length ? plan(told.plan) : el("p", { class: "note", text: say("plan_none") }));
  fill(main, ...parts);
}

function plan(rows) {
  const names = el("datalist", { id: "names" }, ...room.people.filter((one) => one.name).map((one) => el("option", { value: one.name })));
  const heads = ["plan_kept", "plan_action", "plan_owner", "plan_start", "plan_due", "plan_target"];
  const change = (nth, values) => act({ do: "plan", nth, ...values });
  const isKept = room.kept.length > 0;
  return el("div", { class: "scroll plan" }, names, el("table", {},
    el("thead", {}, el("tr", {}, ...heads.map((key) => el("th", { scope: "col", text: say(key) })))),
    el("tbody", {}, ...rows.map((one, nth) => {
      const about = (key) => `${say(key)}: ${one.factor}`;
      return el("tr", { class: one.is_kept ? "" : "struck" },
        el("td", {}, el("input", { type: "checkbox", checked: one.is_kept, disabled: isKept, "aria-label": about("plan_kept"),
          onchange: (event) => { event.target.blur(); change(nth, { is_kept: event.target.checked }); } })),
        el("td", {}, typed(one.factor)),
        el("td", {}, el("input", { type: "text", list: "names", maxlength: 60, value: one.owner, dir: "auto", disabled: isKept,
          "aria-label": about("plan_owner"), onchange: (event) => change(nth, { owner: event.target.value }) })),
        el("td", { text: one.start_date.slice(0, 10) }),
        el("td", {}, el("input", { type: "date", value: one.due_date.slice(0, 10), min: one.start_date.slice(0, 10), disabled: isKept,
          "aria-label": about("plan_due"), onchange: (event) => change(nth, { due_date: event.target.value }) })),
        el("td", { class: "number", text: score(one.target_score) }));
    }))));
}

// ---- the trainer's bar ------------------------------------------------------------------------

function drawBar() {
  const round = room.round;
  const now = JSON.stringify([chosen, round?.id, round?.state, view, room.kept, Boolean(room.result)]);
  if (now === drawnBar) return; // what the trainer is choosing stays
  drawnBar = now;
  const isOpen = round && round.state !== "revealed";
  const button = (key, go, isMain) => el("button", { type: "button", class: isMain ? "main" : "", id: key, text: say(key), onclick: go });
  if (room.kept.length) {
    fill(bar, el("p", { class: "kept", text: say("kept", { files: room.kept.join(", ") }) }),
      button(view === "result" ? "to_rounds" : "to_result", look));
    return;
  }
  const parts = [];
  if (isOpen) {
    parts.push(button(round.kind === "idea" && round.state === "open" ? "to_votes" : "reveal",
      () => act({ do: "reveal", round: round.id }), true));
  } else {
    parts.push(...opening());
    if (round && round.kind !== "idea") parts.push(...again(round));
    const days = el("input", { id: "days", type: "number", min: 5, max: 400, value: room.result?.days ?? choices.days });
    parts.push(el("span", { class: "group" }, el("label", { for: "days", text: say("days") }), days,
      button("result", async () => {
        tell(say("working"));
        if (await act({ do: "result", days: Number(days.value) })) { view = "result"; drawnBar = ""; draw(); }
      })));
    if (room.result) parts.push(button(view === "result" ? "to_rounds" : "to_result", look));
    if (room.result || room.rounds.length) {
      parts.push(button("keep", async () => {
        if (confirm(say("keep_sure"))) await act({ do: "keep" });
      }, view === "result"));
    }
  }
  parts.push(el("a", { href: "/desk", target: "_blank", rel: "noopener", text: say("desk") }, icon(" ›")));
  fill(bar, ...parts);
}

function look() {
  view = view === "result" ? "round" : "result";
  drawnBar = "";
  if (view === "result" && !room.result?.figures) act({ do: "result", days: room.result?.days ?? choices.days });
  draw();
}

function opening() {
  const kind = el("select", { id: "kind", "aria-label": say("what_to_ask") }, ...choices.rounds.map((one, i) =>
    el("option", { value: i, text: say(`title_${one.kind}`, { about: one.about }) })));
  const items = el("details", { class: "items" });
  const list = () => {
    const one = choices.rounds[Number(kind.value)];
    const isFixed = one.kind === "pair" || !one.items.length;
    items.hidden = isFixed;
    fill(items, el("summary", { text: say("which_items", { n: one.items.length }) }),
      ...one.items.map((item) => el("label", {}, el("input", { type: "checkbox", checked: true, value: item.item }), " ", typed(item.text))));
  };
  kind.addEventListener("change", list);
  list();
  const open = el("button", { type: "button", class: "main", id: "open", text: say("open"), onclick: () => {
    const one = choices.rounds[Number(kind.value)];
    const picked = [...items.querySelectorAll("input")].filter((box) => box.checked).map((box) => box.value);
    view = "round";
    act({ do: "open", kind: one.kind, subject: one.subject, ...(one.kind === "pair" || !one.items.length ? {} : { items: picked }) });
  } });
  return [el("span", { class: "group" }, kind, items, open)];
}

function again(round) {
  const widest = (round.found?.items ?? []).filter((one) => one.high > one.low).slice(0, 5).map((one) => one.item);
  const parts = [];
  if (round.kind !== "pair" && widest.length) {
    parts.push(el("button", { type: "button", id: "again_widest", text: say("again_widest", { n: widest.length }),
      onclick: () => { view = "round"; act({ do: "again", items: widest }); } }));
  }
  parts.push(el("button", { type: "button", id: "again", text: say("again"), onclick: () => { view = "round"; act({ do: "again" }); } }));
  return [el("span", { class: "group" }, ...parts)];
}

async function begin() {
  await speak(chosen);
  document.title = say("wall_name");
  fill(document.getElementById("languages"), switcher(chosen, (to) => {
    chosen = to;
    keep.set("room.wall", to);
    drawnBar = drawnMain = "";
    fill(aside);
    begin();
  }));
  await enter();
}

begin();
