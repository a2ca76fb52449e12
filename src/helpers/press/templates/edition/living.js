// Living tables: a page's tables are sorted, searched, filtered, copied and saved, from a file, without a server.
// Part of the workbook, under its licence; the only script of an edition, with turn.js. What it is given are
// attributes that look/whole.py wrote; to it they are text, which never becomes markup or code. The rows that were
// printed stay where they are, and are what paper shows.
"use strict";
(function (scope) {

// ---- text ---------------------------------------------------------------------------------------

const BREAKS = ";\\t\\n\\v\\f\\r\\x1c-\\x1e\\x85\\u2028\\u2029";
const BLANK = "'\\x00-\\x08\\x0e-\\x1b\\x1f \\x7f-\\x84\\x86-\\xa0\\xad\\u061c\\u1680\\u180e" +
  "\\u2000-\\u200f\\u202a-\\u202f\\u205f-\\u206f\\u3000\\ufeff";
const SIGNS = "=+\\-@＝＋－＠﹦﹢﹣﹫";
// as files.py has it: text that a spreadsheet would run gets an apostrophe
const ARMED = new RegExp(`(?:^|(?<=[${BREAKS}]))(?=[${BLANK}]*[${SIGNS}])|^(?=[${BLANK}]*[\\t\\n\\r])`, "gu");
const QUOTED = /[",;|\x00-\x1f\x7f-\x9f\u2028\u2029]|^(?!\ufeff)\s|(?!\ufeff)\s$/;
const PLAIN = /^(?:-?(?:(?:0|[1-9]\p{Decimal_Number}{0,14})(?:\.\p{Decimal_Number}+)?(?:e[+-]?\p{Decimal_Number}+)?|inf)|True|False)$/u;
const NUMBER = /^([+−-]?)([\d,]+)(?:\.(\d+))?(%?)$/;
const AMOUNT = /^(?:[A-Z]{3})?([+−-]?)(?:[A-Z]{3})?([\d,]+(?:\.\d+)?)(?:(k|m|bn|[万萬]|[亿億])?\p{Script=Han}{0,4}|%|pp)$/u;
const SCALES = {k: 1e3, m: 1e6, bn: 1e9, "万": 1e4, "萬": 1e4, "亿": 1e8, "億": 1e8};

const disarmed = text => text.replace(ARMED, "'");

function textCell(text, isId) {
  const safe = disarmed(text);
  return QUOTED.test(safe) || (!isId && PLAIN.test(safe)) ? '"' + safe.replaceAll('"', '""') + '"' : safe;
}

// "−1,234.5" is −1234.5 to a spreadsheet, "72.3%" is 0.723: digits are moved, nothing is computed
function plainNumber(shown) {
  const found = NUMBER.exec(shown);
  if (!found) return null;
  let whole = found[2].replaceAll(",", ""), part = found[3] || "";
  if (found[4]) {
    const digits = whole.padStart(3, "0");
    part = digits.slice(-2) + part;
    whole = digits.slice(0, -2);
  }
  return (found[1] && found[1] !== "+" ? "-" : "") + (whole.replace(/^0+(?=\d)/, "") || "0") + (part ? "." + part : "");
}

function csv(columns, rows) {
  const lines = [columns.map(c => textCell(c.label, true))];
  for (const row of rows) {
    lines.push(row.cells.map((cell, i) => {
      if (cell === null) return "";
      const number = columns[i].isNumber ? plainNumber(cell) : null;
      return number !== null ? number : columns[i].isNumber && cell === "–" ? "" : textCell(cell, columns[i].isId);
    }));
  }
  // an empty line would be none
  return "\ufeff" + lines.map(line => (line.length === 1 ? line[0] || '""' : line.join(",")) + "\n").join("");
}

function clipping(columns, rows) {
  const lines = [columns.map(c => c.label), ...rows.map(row => row.cells.map(cell => cell === null ? "" : cell))];
  return lines.map(line => line.map(cell => disarmed(cell.replace(/\s+/g, " ").trim())).join("\t")).join("\n");
}

// what an amount is worth for sorting; NaN is none
function worth(shown) {
  const found = AMOUNT.exec(shown.replace(/[\s\u00a0]/g, ""));
  if (!found) return shown === "∞" ? Infinity : shown === "−∞" ? -Infinity : NaN;
  const size = Number(found[2].replaceAll(",", "")) * (SCALES[found[3]] || 1);
  return found[1] && found[1] !== "+" ? -size : size;
}

// a sort key per row; a column is one of numbers where every cell that says anything is one
function sortKeys(rows, at, language) {
  const shown = rows.map(row => row.cells[at]);
  const numbers = shown.map(cell => cell === null || cell === "–" || cell === "" ? NaN : worth(cell));
  const isNumber = shown.every((cell, i) => cell === null || cell === "–" || cell === "" || !Number.isNaN(numbers[i]));
  const some = numbers.some(n => !Number.isNaN(n));
  const compared = new Intl.Collator(language, {numeric: true});
  const compare = isNumber && some ? (i, j) => numbers[i] - numbers[j] || 0 : (i, j) => compared.compare(shown[i], shown[j]);
  const missing = i => isNumber && some ? Number.isNaN(numbers[i]) : shown[i] === null || shown[i] === "";
  return {compare, missing, isNumber: isNumber && some};
}

// in which order rows stand: what is not known comes last, either way
function order(rows, at, falling, language) {
  const {compare, missing} = sortKeys(rows, at, language);
  const sign = falling ? -1 : 1;
  return rows.map((_row, i) => i).sort((i, j) => missing(i) - missing(j) || (missing(i) ? 0 : sign * compare(i, j)) || i - j);
}

// a sentence of sentences.csv with `{name}`, `{n:,}` and `{n:row|rows}`, filled in
function fill(sentence, values) {
  return sentence.replace(/\{(\w+)(?::([^}]*))?\}/g, (_all, name, spec) => {
    if (!spec) return String(values[name]);
    return spec === "," ? thousands(values[name]) : spec.split("|")[values[name] === 1 ? 0 : 1];
  });
}

const thousands = n => String(n).replace(/\B(?=(\d{3})+$)/g, ",");

// what look/whole.py packed: 4 bytes in 5 letters, deflated
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%,()*+-;.=:?@^_`{|}~";

function bytesOf(text) {
  const digits = [...text].map(letter => DIGITS.indexOf(letter)), n = Math.floor(digits.length * 4 / 5);
  while (digits.length % 5) digits.push(84);
  const bytes = new Uint8Array(digits.length * 4 / 5), view = new DataView(bytes.buffer);
  for (let i = 0; i < digits.length; i += 5) {
    view.setUint32(i * 4 / 5, digits.slice(i, i + 5).reduce((sum, digit) => sum * 85 + digit, 0));
  }
  return bytes.slice(0, n);
}

async function unpacked(text) {
  const stream = new Blob([bytesOf(text)]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

scope.workbook = {clipping, csv, disarmed, fill, order, plainNumber, textCell, thousands, unpacked, worth};
if (typeof document === "undefined") return;  // its tests run it without a page

// ---- tables -------------------------------------------------------------------------------------

const STEP = 100, MORE = 500;  // rows that are shown at first, and on top of them
const LEAST_SORTED = 3, LEAST_SEARCHED = 15, TALL = 20;
const FILTERS = ["region", "account_manager", "composite_class"];
const MOST_CHOICES = 80;
const language = document.documentElement.lang;
let words = {};

function element(name, attributes = {}, text = "") {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== false) made.setAttribute(key, value === true ? "" : value);
  if (text) made.textContent = text;
  return made;
}

const plain = text => text.replaceAll("\u00a0", " ").trim();

class Living {
  constructor(table, whole, dealers, number) {
    this.table = table;
    this.number = number;
    this.printed = table.tBodies[0];
    this.heads = [...table.tHead.rows[0].cells];
    const names = (table.dataset.columns || "").split(",");
    this.columns = this.heads.map((head, i) => ({
      label: plain(head.textContent), name: names[i] || "", kind: head.className, isNumber: head.classList.contains("number"),
      isId: (names[i] || "").endsWith("_id"),
    }));
    this.dealers = dealers;
    this.total = whole ? whole.n : this.printed.rows.length;
    this.rows = whole ? this.carried(whole.cells) : this.read();
    this.first = this.rows;
    this.anew = false;  // rows that were judged anew stand in the place of those that were printed
    this.isCut = this.rows.length > this.printed.rows.length;
    this.query = "";
    this.chosen = {};
    this.sorted = null;
    this.most = 0;  // rows to show; 0: as printed
    this.living = element("tbody", {class: "living", hidden: true});
    table.append(this.living);
    table.classList.add("live");
    this.scroll = table.closest(".scroll");
    if (this.rows.length >= LEAST_SORTED) this.addSorting();
    if (this.rows.length >= LEAST_SEARCHED || this.isCut) this.addTools();
    this.watchWidth();
    for (const body of [this.printed, this.living]) body.addEventListener("click", opensRow);
  }

  at(name) { return this.columns.findIndex(column => column.name === name); }

  carried(columns) {
    return columns[0].map((_cell, i) => this.known({cells: columns.map(column => column[i]), link: ""}));
  }

  read() {
    return [...this.printed.rows].map(tr => {
      const link = tr.querySelector("a[href]");
      const cells = this.columns.map((column, i) => tr.cells[i] ? plain(tr.cells[i].textContent) : "");
      return this.known({cells, link: link ? link.getAttribute("href") : "", tr});
    });
  }

  // what the edition knows of a row's dealer: where it leads, and by what it is filtered
  known(row) {
    const at = this.at("dealer_id"), dealer = at >= 0 ? this.dealers.get(row.cells[at]) : undefined;
    row.link = row.link || (dealer ? dealer.link : "");
    row.dealer = dealer;
    return row;
  }

  of(row, filter) {
    const at = this.at(filter);
    const value = at >= 0 ? row.cells[at] : row.dealer && row.dealer[filter];
    return value || "–";
  }

  addSorting() {
    this.heads.forEach((head, i) => {
      const button = element("button", {type: "button", class: "sorts"});
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => this.sortBy(i));
    });
  }

  addTools() {
    const tools = element("div", {class: "tools", role: "group", "aria-label": fill(words["living.tools"], {table: this.named()})});
    this.search = element("input", {type: "search", "aria-label": words["living.search"], placeholder: words["living.search"]});
    this.search.addEventListener("input", () => { this.query = this.search.value; this.show(); });
    tools.append(this.search);
    this.selects = {};
    for (const filter of FILTERS) {
      const n = new Set(this.rows.map(row => this.of(row, filter))).size;
      if (n < 2 || n > MOST_CHOICES) continue;
      const select = this.selects[filter] = element("select", {"aria-label": words[`living.${filter}`]});
      select.addEventListener("change", () => { this.chosen[filter] = select.value; this.show(); });
      tools.append(select);
    }
    this.offerChoices();
    const button = (key, does) => {
      const made = element("button", {type: "button"}, words[key]);
      made.addEventListener("click", does);
      tools.append(made);
      return made;
    };
    button("living.copy", () => this.copy());
    button("living.csv", () => this.save());
    this.back = button("living.back", () => this.reset(true));
    this.back.hidden = true;
    this.status = element("span", {role: "status", class: "status"});
    tools.append(this.status);
    this.scroll.before(tools);
    this.more = element("button", {type: "button", class: "more"});
    this.more.addEventListener("click", () => this.showMore());
    this.scroll.after(this.more);
    this.cut();
    this.tell();
  }

  // of all filters, or of those that hang on the rules alone
  offerChoices(filters = FILTERS) {
    for (const [filter, select] of Object.entries(this.selects || {})) {
      if (!filters.includes(filter)) continue;
      const told = [...new Set(this.rows.map(row => this.of(row, filter)))].sort(new Intl.Collator(language, {numeric: true}).compare);
      const any = element("option", {value: ""}, fill(words["living.any"], {filter: words[`living.${filter}`]}));
      select.replaceChildren(any, ...told.map(value => element("option", {value}, value)));
      select.value = told.includes(this.chosen[filter]) ? this.chosen[filter] : "";
      this.chosen[filter] = select.value;
    }
  }

  // rows that were judged anew, or those that were printed; the first of them, so that a turn takes no time
  turnTo(rows, anew) {
    this.rows = rows;
    this.most = 0;
    this.anew = anew;
    this.offerChoices(["composite_class"]);
    this.show();
  }

  replaceRows(told) {
    this.turnTo(told ? told.map(row => ({cells: this.columns.map(column => row[column.name]), link: ""})) : this.first, Boolean(told));
  }

  named() {
    if (this.table.caption) return plain(this.table.caption.textContent);
    const isBefore = head => head.compareDocumentPosition(this.table) & Node.DOCUMENT_POSITION_FOLLOWING;
    const before = [...document.querySelectorAll("main :is(h1, h2, h3)")].filter(isBefore).pop();
    return before ? plain(before.textContent) : document.title;
  }

  // the caption says that rows are cut; it holds for paper alone
  cut() {
    const span = this.table.caption && this.table.caption.querySelector("span");
    if (!span || !this.isCut) return;
    const said = fill(words["table.cut"], {shown: this.printed.rows.length, rows: this.total});
    const at = span.textContent.replaceAll("\u00a0", " ").indexOf(said);
    if (at < 0) return;
    const text = span.textContent, cut = element("i", {class: "on-paper"}, text.slice(at).trim());
    if (at) cut.prepend(" · ");
    span.textContent = text.slice(0, at).replace(/\s*·\s*$/, "");
    span.append(cut);
  }

  sortBy(at) {
    const now = this.sorted, first = this.columns[at].isNumber;
    this.sorted = !now || now.at !== at ? {at, falling: first} : now.falling === first ? {at, falling: !first} : null;
    this.heads.forEach((head, i) => {
      if (this.sorted && i === at) head.setAttribute("aria-sort", this.sorted.falling ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    this.show();
  }

  found() {
    const query = this.query.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = Object.entries(this.chosen).filter(([_filter, value]) => value);
    const fits = row => chosen.every(([filter, value]) => this.of(row, filter) === value)
      && (!query.length || query.every(word => this.text(row).includes(word)));
    if (!this.sorted) return this.rows.filter(fits);
    return order(this.rows, this.sorted.at, this.sorted.falling, language).map(i => this.rows[i]).filter(fits);
  }

  text(row) {
    const dealer = row.dealer || {};
    row.text = row.text || [...row.cells, dealer.region, dealer.account_manager].filter(Boolean).join("\n").toLowerCase();
    return row.text;
  }

  isTouched() { return Boolean(this.sorted || this.query.trim() || this.most || this.anew || Object.values(this.chosen).some(Boolean)); }

  showMore() {
    const isFirst = this.living.hidden, before = isFirst ? 0 : this.living.rows.length;
    this.most = isFirst ? MORE : Math.max(this.most, STEP) + MORE;
    this.show();
    const next = this.living.rows[before];
    if (this.more.hidden && next) {  // the button is gone, and the keyboard with it
      next.tabIndex = -1;
      next.focus();
    }
  }

  show() {
    const touched = this.isTouched();
    const found = this.list = touched ? this.found() : this.rows;
    if (touched) {
      const shown = found.slice(0, Math.max(this.most, STEP, this.isCut ? 0 : this.rows.length));
      this.living.replaceChildren(...shown.map(row => this.made(row)));
    } else this.living.replaceChildren();
    this.living.hidden = !touched;
    this.table.classList.toggle("touched", touched);
    this.tell();
    this.fit();
  }

  made(row) {
    if (row.tr && !this.anew) {
      const copy = row.tr.cloneNode(true);
      copy.removeAttribute("id");
      return copy;
    }
    const tr = element("tr"), named = Math.max(this.at("dealer_name"), -1);
    row.cells.forEach((cell, i) => {
      const kind = this.columns[i].kind, td = element("td", kind ? {class: kind} : {}), text = cell === null ? "–" : cell;
      if (row.link && i === (named >= 0 ? named : this.at("dealer_id"))) td.append(element("a", {href: row.link}, text));
      else td.textContent = text;
      tr.append(td);
    });
    return tr;
  }

  tell() {
    if (!this.status) return;
    const found = this.list || this.rows, touched = this.isTouched();
    const shown = touched ? this.living.rows.length : this.printed.rows.length;
    const told = [found.length ? fill(words["living.rows"], {shown, rows: found.length}) : words["living.none"]];
    if (found.length < this.rows.length) told.push(fill(words["living.of"], {rows: this.rows.length}));
    if (this.rows.length < this.total) told.push(fill(words["living.carried"], {carried: this.rows.length, rows: this.total}));
    this.status.textContent = told.join(" ");
    this.back.hidden = !touched;
    const left = touched || this.isCut ? found.length - shown : 0;
    this.more.hidden = left <= 0;
    this.more.textContent = !touched && this.rows.length <= MORE
      ? fill(words["living.all"], {n: this.rows.length})
      : fill(words["living.more"], {n: Math.min(left, MORE)});
  }

  reset(focus) {
    this.sorted = null;
    this.query = "";
    this.chosen = {};
    this.most = 0;
    if (this.search) this.search.value = "";
    for (const select of Object.values(this.selects || {})) select.value = "";
    for (const head of this.heads) head.removeAttribute("aria-sort");
    this.show();
    if (focus && this.search) this.search.focus();
  }

  async copy() {
    const text = clipping(this.columns, this.list || this.rows);
    let done = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {  // a page from a file may have no clipboard of its own
      done = copied(text);
    }
    this.status.textContent = done ? fill(words["living.copied"], {n: (this.list || this.rows).length}) : words["living.not_copied"];
  }

  save() {
    const rows = this.list || this.rows;
    const file = new Blob([csv(this.columns, rows)], {type: "text/csv;charset=utf-8"});
    const page = decodeURIComponent(location.pathname.split("/").pop()).replace(/\.html$/, "");
    const link = element("a", {href: URL.createObjectURL(file), download: `${page}-${this.number}.csv`});
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    this.status.textContent = fill(words["living.saved"], {n: rows.length, file: link.download});
  }

  // a table that fits keeps its head in sight as the page scrolls; one that doesn't scrolls in a frame, by keys too
  watchWidth() {
    if (!this.scroll) return;
    this.fit();
    new ResizeObserver(() => this.fit()).observe(this.scroll);
  }

  fit() {
    if (!this.scroll) return;
    const rows = (this.living.hidden ? this.printed : this.living).rows.length;
    const fits = this.table.offsetWidth <= this.scroll.clientWidth + 1;
    this.scroll.classList.toggle("fits", fits);
    this.scroll.classList.toggle("tall", !fits && rows > TALL);
    reachable(this.scroll, () => this.named());
  }
}

// what scrolls sideways is reached by keys, and says what it is
function reachable(place, name) {
  if (place.scrollWidth <= place.clientWidth) for (const told of ["tabindex", "role", "aria-label"]) place.removeAttribute(told);
  else for (const [told, value] of [["tabindex", "0"], ["role", "group"], ["aria-label", name()]]) place.setAttribute(told, value);
}

function copied(text) {
  const area = element("textarea", {"aria-hidden": "true", class: "copied"});
  const before = document.activeElement;
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (before) before.focus();
  return done;
}

// a click on a row goes where its link goes; who marks text or presses something else is left alone
function opensRow(event) {
  const tr = event.target.closest("tr"), link = tr && tr.querySelector("a[href]");
  if (!link || event.target.closest("a, button, input, select") || String(getSelection())) return;
  link.click();
}

// a place within rows that are put aside is shown again
function showPlace(tables) {
  const name = location.hash.slice(1);
  if (!name) return;
  let decoded = name;
  try { decoded = decodeURIComponent(name); } catch { /* what it is written with is its name */ }
  const place = document.getElementById(name) || document.getElementById(decoded);
  const table = place && tables.find(living => living.printed.contains(place) && !living.living.hidden);
  if (!table) return;
  table.reset(false);
  place.scrollIntoView();
}

async function dealersOf(main) {
  const dealers = new Map();
  if (!main.dataset.dealers) return dealers;
  const told = await unpacked(main.dataset.dealers);
  told.dealer_id.forEach((id, i) => {
    const dealer = {link: told.link[i].replaceAll("*", told.place[i] || id)};
    for (const filter of FILTERS) if (told[filter]) dealer[filter] = told[filter][i];
    dealers.set(id, dealer);
  });
  return dealers;
}

// dots of a figure, whose names were packed, tell them to who points at them
async function nameShapes(figure) {
  const shapes = figure.querySelectorAll("path, use"), told = await unpacked(figure.dataset.names);
  told.at.reduce((at, step, i) => {
    const title = document.createElementNS(figure.namespaceURI, "title");
    title.textContent = told.names[i];
    shapes[at + step].append(title);
    return at + step;
  }, 0);
}

// ---- the list of cards --------------------------------------------------------------------------

function findCards(wanted) {
  const decks = document.querySelectorAll(".deck"), none = document.getElementById("none");
  wanted.hidden = false;
  wanted.addEventListener("input", () => {
    const asked = wanted.value.toLowerCase().split(/\s+/);
    let any = false;
    for (const deck of decks) {
      const manager = deck.querySelector("h2").textContent;
      let left = 0;
      for (const item of deck.querySelectorAll("li")) {
        const text = (manager + " " + item.textContent).toLowerCase();
        item.hidden = !asked.every(word => text.includes(word));
        left += !item.hidden;
      }
      deck.hidden = !left;
      any = any || left > 0;
    }
    none.hidden = any;
  });
}

// a drawing as it was packed: shapes and their names, and nothing that could run or load
const DRAWN = new Set(["svg", "g", "defs", "clipPath", "pattern", "path", "rect", "use", "title"]);

function drawing(markup) {
  const svg = new DOMParser().parseFromString(markup, "text/html").querySelector("svg");
  for (const part of [svg, ...svg.querySelectorAll("*")]) {
    const own = [...part.attributes].every(({name, value}) => !/^on/i.test(name) && (name !== "href" || value[0] === "#"));
    if (!DRAWN.has(part.localName) || !own) part.remove();
  }
  return document.adoptNode(svg);
}

async function start() {
  const wanted = document.getElementById("wanted");
  if (wanted) findCards(wanted);
  const main = document.querySelector("main");
  if (!document.body.dataset.words || !main) return;
  words = JSON.parse(document.body.dataset.words);
  // where a browser can't unpack, tables are those that were printed
  const able = typeof DecompressionStream !== "undefined";
  const dealers = able ? await dealersOf(main) : new Map();
  const tables = [];
  for (const table of main.querySelectorAll(".scroll > table.table")) {
    if (!table.tHead || !table.tBodies.length || table.tHead.rows.length !== 1) continue;
    const whole = able && table.dataset.whole ? await unpacked(table.dataset.whole) : null;
    tables.push(new Living(table, whole, dealers, tables.length + 1));
  }
  const phone = matchMedia("(max-width: 720px)"), folded = able ? main.querySelectorAll("[data-drawing]") : [];
  const unfold = async () => {
    for (const place of phone.matches ? folded : []) {
      if (!place.firstChild) place.append(drawing(await unpacked(place.dataset.drawing)));
    }
  };
  phone.addEventListener("change", unfold);
  await unfold();
  for (const figure of main.querySelectorAll(".figure")) {
    const drawn = figure.querySelector("[aria-label], [alt]");
    const name = () => drawn ? drawn.getAttribute("aria-label") || drawn.getAttribute("alt") : document.title;
    new ResizeObserver(() => reachable(figure, name)).observe(figure);
    reachable(figure, name);
  }
  for (const figure of able ? main.querySelectorAll("svg[data-names]") : []) await nameShapes(figure);
  addEventListener("hashchange", () => showPlace(tables));
  showPlace(tables);
  if (scope.workbook.startTurning) await scope.workbook.startTurning(tables, words);
  document.documentElement.dataset.living = "ready";
}

Object.assign(scope.workbook, {element, language, copied});
Promise.resolve().then(start);  // when the whole script was read
})(globalThis);
