// The trainer's desk, not for the wall: who has no phone, what he says, who is shown out, which idea is struck.
import { ask, balance, el, fill, keep, language, reason, say, send, speak, switcher, title, typed } from "./shared.js";

const main = document.getElementById("main");
const status = document.getElementById("status");
let chosen = keep.get("room.wall") ?? language();
let room = null;
let choices = null;
let person = 0;
let events = null;
let drawn = "";

function tell(text, isBad = false) {
  status.textContent = text;
  status.classList.toggle("bad", isBad);
}

async function act(message) {
  try {
    const told = await send("/trainer/act", { language: chosen, ...message });
    tell(say("saved"));
    return told;
  } catch (error) {
    tell(reason(error), true);
    return null;
  }
}

async function draw(isForced) {
  const now = JSON.stringify([room.people.map((one) => [one.id, one.name, one.is_done]), room.round?.id, room.round?.state, person, chosen]);
  if (!isForced && (now === drawn || document.activeElement?.tagName === "INPUT")) return;
  drawn = now;
  const name = el("input", { id: "name", maxlength: 24, required: true, dir: "auto" });
  const form = el("form", { class: "group" }, el("label", { for: "name", text: say("desk_add") }), name,
    el("button", { type: "submit", text: say("add") }));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    await act({ do: "add_person", name: name.value });
    name.value = "";
    name.blur();
  });
  fill(main, el("h1", { text: say("desk_title") }), el("p", { text: say("desk_how") }), form, people(), await sheet(), ideas());
}

function people() {
  return el("ul", { class: "own" }, ...room.people.map((one) => el("li", {}, el("div", {},
    el("span", {}, typed(one.name || "·"), one.is_done && room.round ? " ✓" : ""),
    el("span", { class: "group" },
      !one.has_phone && el("button", { type: "button", "aria-pressed": String(one.id === person), text: say("desk_answer"),
        onclick: () => { person = one.id; draw(true); } }),
      el("button", { type: "button", text: say("desk_remove"), onclick: () => {
        if (confirm(say("desk_remove_sure", { name: one.name || "·" }))) act({ do: "remove_person", person: one.id });
      } }))))));
}

async function sheet() {
  const round = room.round;
  const who = room.people.find((one) => one.id === person && !one.has_phone);
  if (!who || !round || round.state !== "open" || round.kind === "idea") return el("p", { class: "count", text: say("desk_choose") });
  const told = await act({ do: "answers_of", person });
  const known = told?.answers ?? {};
  const asked = choices.rounds.find((one) => one.kind === round.kind && one.subject === round.subject).items;
  const isPair = round.kind === "pair";
  const fields = asked.filter((one) => round.items.includes(one.item)).map((one) => {
    const field = el("input", { type: "number", min: isPair ? -8 : 0, max: isPair ? 8 : 10, step: isPair ? 1 : 0.5,
      value: known[one.item]?.[0] ?? "", "aria-label": one.text || say("pair_question", { a: one.low, b: one.high }) });
    const hint = el("b", { text: isPair && field.value !== "" ? balance(Number(field.value)) : "" });
    field.addEventListener("change", async () => {
      if (isPair) hint.textContent = field.value === "" ? "" : balance(Number(field.value));
      await act({ do: "answer_for", person, round: round.id,
        answers: [{ item: one.item, value: field.value === "" ? null : Number(field.value), seq: Date.now() }] });
    });
    return el("li", {}, el("div", {}, el("span", {}, typed(isPair ? `${one.low} · ${one.high}` : one.text)), hint, field));
  });
  return el("section", {}, el("h2", {}, typed(`${who.name} · ${title(round)}`)),
    el("p", { class: "count", text: say(isPair ? "desk_pair_how" : "desk_sheet_how") }), el("ul", { class: "own" }, ...fields));
}

function ideas() {
  const listed = room.round?.ideas ?? [];
  if (!listed.length) return "";
  return el("section", {}, el("h2", { text: say("desk_ideas") }), el("ul", { class: "own" }, ...listed.map((one) => el("li", {}, el("div", {},
    typed(one.text), el("button", { type: "button", text: say("desk_strike"), onclick: () => act({ do: "strike", idea: one.id }) }))))));
}

async function begin() {
  await speak(chosen);
  document.title = say("desk_title");
  document.getElementById("brand").textContent = say("brand");
  fill(document.getElementById("languages"), switcher(chosen, (to) => { chosen = to; keep.set("room.wall", to); begin(); }));
  try {
    choices = await ask(`/trainer/choices?language=${chosen}`);
  } catch (error) {
    fill(main, el("h1", { text: say("trainer_title") }), el("p", { text: reason(error) }));
    return;
  }
  events?.close();
  events = new EventSource(`/trainer/events?language=${chosen}`);
  events.onmessage = (event) => { room = JSON.parse(event.data); draw(false); };
  events.onerror = () => tell(say("offline"), true);
}

begin();
