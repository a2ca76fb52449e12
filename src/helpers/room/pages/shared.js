// What the pages share: elements made of text (never of markup), words, messages to the server.
export const LANGUAGES = { en: "English", "zh-Hans": "简体中文", "zh-Hant": "繁體中文" };

export function el(tag, given = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "text") node.textContent = value;
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, String(value));
  }
  node.append(...children.filter((child) => child != null && child !== false));
  return node;
}

// puts children in place of others; what is left out is no text
export const fill = (node, ...children) =>
  node?.replaceChildren(...children.filter((child) => child != null && child !== false));

// what somebody typed keeps its own direction, and turns nothing round that stands beside it
export const typed = (text) => el("bdi", { text });

export const keep = {
  get(name) {
    try { return localStorage.getItem(name); } catch { return keep.here[name] ?? null; }
  },
  set(name, value) {
    keep.here[name] = value;
    try { localStorage.setItem(name, value); } catch { /* a private window: this page remembers */ }
  },
  here: {},
};

export function language() {
  const kept = keep.get("room.language");
  if (kept in LANGUAGES) return kept;
  for (const asked of navigator.languages ?? [navigator.language ?? "en"]) {
    if (/^zh\b/i.test(asked)) return /hant|tw|hk|mo/i.test(asked) ? "zh-Hant" : "zh-Hans";
    if (/^en\b/i.test(asked)) return "en";
  }
  return "en";
}

let said = {};

export async function speak(chosen) {
  said = await (await fetch(`/words/${chosen}`)).json();
  document.documentElement.lang = chosen;
}

export function say(name, values = {}) {
  const text = said[name] ?? said.failed ?? "";
  return text.replace(/\{(\w+)\}/g, (whole, key) => (key in values ? String(values[key]) : whole));
}

export function switcher(chosen, change) {
  const choose = el("select", { "aria-label": "Language · 语言 · 語言", onchange: () => change(choose.value) });
  for (const [code, name] of Object.entries(LANGUAGES)) {
    choose.append(el("option", { value: code, lang: code, selected: code === chosen, text: name }));
  }
  return choose;
}

export class Refused extends Error {
  constructor(status, told) {
    super(told.error ?? "failed");
    this.status = status;
    this.said = told.said;
  }
}

async function told(response) {
  const found = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(response.status, found);
  return found;
}

export const ask = async (path) => told(await fetch(path, { cache: "no-store" }));

export const send = async (path, message) =>
  told(await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(message),
  }));

export const reason = (error) =>
  error instanceof Refused ? error.said ?? say(`error_${error.message}`) : say("offline");

export const score = (value) => (value == null ? "–" : String(Math.round(value * 10) / 10));

// what a place between two things that are compared says
export function balance(value) {
  if (value === 0) return say("pair_equal");
  return say(value < 0 ? "pair_left" : "pair_right", { n: Math.abs(value) + 1 });
}

export function title(round) {
  const named = say(`title_${round.kind}`, { about: round.about });
  return round.nth > 1 ? say("nth", { title: named, n: round.nth }) : named;
}
