// Turned rules: the ABC page judges its dealers anew, by the rules a reader sets, as pareto/judgement.py does.
// Part of the workbook, under its licence. What it judges from, pareto/turning.py hands over: amounts in whole cents,
// so that no class hangs on a rounded sum. The tests hold each letter and each sentence against Python's.
"use strict";
(function (scope) {

const INDICATORS = ["payments", "gross_profit", "brand_share"];
const LETTERS = ["A", "B", "C", "L", "–"], CLASSES = ["A", "A/B", "B", "A/C", "B/C", "C", "L", "–"];
const POINTS = {A: 3, B: 2, C: 1};
const PARTS = 1e12;  // a share of 0.333 is 333 thousand millionths of a millionth: whole, as a fraction is exact

// ---- options ------------------------------------------------------------------------------------

const numbers = text => text.split("/").map(Number);
const parts = text => numbers(text).map(x => Math.round(x / 100 * PARTS));

// whether the recipe would take these options
function fits(options) {
  const whole = text => parts(text).length === 3 && parts(text).every(x => x >= 0) && parts(text).reduce((a, b) => a + b, 0) === PARTS;
  const cuts = numbers(options.value_cuts), points = numbers(options.composite_cuts);
  return ["quota", "value", "computed"].includes(options.rule) && whole(options.quota) && whole(options.weights)
    && cuts.length === 2 && 0 < cuts[0] && cuts[0] <= cuts[1] && cuts[1] <= 100
    && points.length === 2 && 0 < points[1] && points[1] <= points[0] && points[0] <= 3;
}

// ---- one indicator ------------------------------------------------------------------------------

// a column's values, the known ones from the best on; what hangs on no option is worked out once
function measured(values) {
  const known = values.filter(v => v !== null).sort((a, b) => b - a), gains = known.filter(v => v > 0);
  const summed = [];
  let total = 0;
  for (const v of gains) summed.push(total += v);
  return {values, known, gains, summed, total};
}

function computedLimits({gains, summed, total}) {
  const n = gains.length;
  if (!n) return [0, 0];
  const nearest = x0 => {
    let best = Infinity, at = 0;
    for (let i = 0; i < n; i++) {
      const x = x0 - (i + 1) / n, y = 1 - summed[i] / total, far = x * x + y * y;
      if (far < best) { best = far; at = i; }
    }
    return at + 1;
  };
  const pareto = nearest(0), even = Math.max(gains.filter(v => v * n > total).length, 1);
  const a = Math.min(pareto, even);
  return [a, Math.max(a, nearest(Math.max(pareto, even) / n))];
}

function quotaLimits(n, quota) {
  const up = share => Number((BigInt(share) * BigInt(n) + BigInt(PARTS) - 1n) / BigInt(PARTS));
  return [up(quota[0]), up(quota[0] + quota[1])];
}

function valueLimits({gains, summed, total}, cuts) {
  const within = cut => gains.filter((v, i) => (i ? summed[i - 1] : 0) / total < cut).length;
  return cuts.map(within);
}

function letters(column, rule, {quota, cuts}) {
  const {values, known} = column, n = known.length;
  let limits;
  if (rule === "quota") limits = quotaLimits(n, quota);
  else if (rule === "value") limits = valueLimits(column, cuts);
  else limits = column.computed ||= computedLimits(column);
  if (n > 1 && known[0] === known[n - 1] && known[0] > 0) limits = [0, n];
  // zero and below never are inside; equal values share a class
  const least = limits.map(m => m === 0 ? Infinity : Math.max(known[m - 1], Number.MIN_VALUE));
  return values.map(v => v === null ? "–" : v < 0 ? "L" : v >= least[0] ? "A" : v >= least[1] ? "B" : "C");
}

// ---- all together -------------------------------------------------------------------------------

const round9 = x => Math.round(x * 1e9) / 1e9;

function composite(code, weights, cuts) {
  const letters = INDICATORS.map((i, at) => [weights[i], code[at]]).filter(([weight]) => weight !== undefined);
  const known = letters.filter(([_weight, letter]) => letter !== "–");
  let total = 0, told = 0, whole = 0;
  for (const [weight, letter] of known) { total += weight; told += weight * (POINTS[letter] || 0); }
  for (const [weight] of letters) whole += weight;
  const points = total > 0 ? round9(told / total) : 0;
  if (code.includes("L")) return ["C", points];
  if (total <= 0) return ["–", 0];
  const classOf = p => p >= cuts[0] ? "A" : p >= cuts[1] ? "B" : "C";
  const [best, worst] = "AC".split("").map(x => classOf(round9((told + (whole - total) * POINTS[x]) / whole)));
  return [best === worst ? best : `${best}/${worst}`, points];
}

// the judgement of one window: per dealer letters, code and class; `order` is best first
function judge(told, options) {
  const columns = told.measured ||= Object.fromEntries(Object.entries(told.columns).map(([name, v]) => [name, measured(v)]));
  const given = {quota: parts(options.quota), cuts: parts(options.value_cuts).map(x => x / PARTS)};
  const cuts = numbers(options.composite_cuts), n = told.there.length, byRevenue = told.by[0] === "revenue";
  const found = {};
  for (const name of INDICATORS) {
    if (name === "brand_share") found[name] = letters(columns[name], "quota", given);
    else if (told.known.includes(name)) found[name] = letters(columns[name], options.rule, given);
    else found[name] = columns[name].values.map(v => v !== null && v < 0 ? "L" : "–");
  }
  const first = byRevenue ? found.revenue = letters(columns.revenue, options.rule, given) : found.payments;
  let weights = Object.fromEntries(INDICATORS.map((name, i) => [name, parts(options.weights)[i] / PARTS]));
  weights = byRevenue ? {payments: 1} : Object.fromEntries((told.by.length ? told.by : ["payments"]).map(i => [i, weights[i]]));
  const known = new Map(), code = [], computed = [], points = [];
  for (let i = 0; i < n; i++) {
    code.push(first[i] + found.gross_profit[i] + found.brand_share[i]);
    if (!known.has(code[i])) known.set(code[i], composite(code[i], weights, cuts));
    computed.push(known.get(code[i])[0]);
    points.push(known.get(code[i])[1]);
  }
  const ranks = computed.map(x => CLASSES.indexOf(x));
  const sizes = told.size || (told.by.length ? columns[told.by[0]].values : points);
  const order = [...told.there].map((there, i) => there === "1" ? i : -1).filter(i => i >= 0);
  const smaller = (i, j) => sizes[i] === null ? (sizes[j] === null ? 0 : 1) : sizes[j] === null ? -1 : sizes[j] - sizes[i];
  order.sort((i, j) => ranks[i] - ranks[j] || points[j] - points[i] || smaller(i, j) || i - j);
  return {letters: found, code, composite: computed, order};
}

// as classes are compared over time: L where any letter is one, unless somebody set the class
const ranked = (judged, byHand) => judged.composite.map((x, i) => judged.code[i].includes("L") && !(i in byHand) ? "L" : x);
const served = x => x.includes("/") ? x.slice(-1) : x;

function movements(data, now, before) {
  const rank = x => LETTERS.indexOf(served(x));
  return now.map((to, i) => {
    const here = data.here[i] === "1", was = data.was[i] === "1", from = before ? before[i] : null;
    if (!before) return {movement: "–", steps: 0};
    let unknown = false, steps = 0;
    if (to !== null && from !== null) {
      unknown = ((from === "–" || to === "–") && rank(from) !== rank(to)) || from.includes("/") || to.includes("/");
      if (!unknown && here && was) steps = rank(from) - rank(to);
    } else unknown = (from !== null && from.includes("/")) || (to !== null && to.includes("/"));
    let movement = "stayed";
    if (!here && !was) movement = "–";
    else if (!was) movement = data.earlier[i] === "1" ? "won_back" : "joined";
    else if (!here) movement = "left";
    else if (unknown) movement = "–";
    else if (rank(to) < rank(from)) movement = "risen";
    else if (rank(to) > rank(from)) movement = data.grew[i] === "1" ? "outgrown" : "fallen";
    return {movement, steps};
  });
}

// everything by these options; rows are all dealers of either window, by their ids
function turned(data, options) {
  const judged = judge(data.now, options);
  for (const [i, letter] of Object.entries(data.by_hand)) judged.composite[i] = letter;
  const there = (told, list) => list.map((x, i) => told.there[i] === "1" ? x : null);
  const now = there(data.now, ranked(judged, data.by_hand));
  const before = data.before && there(data.before, ranked(judge(data.before, options), {}));
  const moved = movements(data, now, before);
  const diagnosis = new Map();
  for (const code of judged.code) if (!diagnosis.has(code)) diagnosis.set(code, named(code, data.diagnoses));
  return {...judged, previous: before || now.map(() => null), moved, diagnosis: judged.code.map(code => diagnosis.get(code))};
}

function named(code, diagnoses) {
  for (const [pattern, name] of diagnoses) {
    if (code.includes("L") && !pattern.includes("L") && pattern !== "***") continue;
    if ([...pattern].every((p, i) => p === "*" || p === code[i])) return name;
  }
  return "";
}

// ---- words --------------------------------------------------------------------------------------

// as Python writes it: halves go to the even digit
function fixed(value, digits) {
  const size = Math.abs(value), scaled = size * 10 ** digits, half = Math.floor(scaled) + 0.5;
  let text = size.toFixed(digits);
  if (scaled === half && Number.isInteger(size * 2 ** (digits + 1))) {
    text = ((Math.floor(scaled) % 2 ? half + 0.5 : half - 0.5) / 10 ** digits).toFixed(digits);
  }
  const [whole, part] = text.split(".");
  const sign = value < 0 && Number(text) !== 0 ? "−" : "";
  return sign + scope.workbook.thousands(whole) + (part ? "." + part : "");
}

const percent = (share, digits = 0) => Number.isNaN(share) ? "–" : fixed(share * 100, digits) + "%";

// a sentence of sentences.csv, filled in
function say(sentence, values) {
  return sentence.replace(/\{(\w+)(?::([^}]*))?\}/g, (_all, name, spec) => {
    const value = values[name];
    if (!spec) return String(value);
    if (spec.includes("|")) return spec.split("|")[value === 1 ? 0 : 1];
    if (spec === "lower") return value.slice(0, 1).toLowerCase() + value.slice(1);
    if (spec === "g") return String(Number(value.toPrecision(6)));
    return fixed(value, 0);
  });
}

const UNITS = "%|k|m|bn|pp|points?|days?|weeks?|months?|years?|dealers?|pieces?|models?|people|rows?|pages?|" +
  "times|m²|km|stores?|shops?|calls?|lots?|tables?";
const TORN = new RegExp(`(?<=\\d) (?=(?:${UNITS}|[A-Z]{3})(?![A-Za-z]))|(?<=\\b[A-Z]{3}) (?=[−-]?\\d)|(?<=\\d) (?=[\\u4e00-\\u9fff])`, "g");
// a number stays on one line with its unit
const bound = text => text.replace(TORN, "\u00a0");

function listed(names, words) {
  const shown = names.slice(0, 5), rest = names.length - shown.length;
  const comma = words.comma !== ", " ? words.comma : shown.some(name => name.includes(",")) ? "; " : ", ";
  return shown.join(comma) + (rest > 0 ? say(words.more, {rest, n: names.length}) : "");
}

// what of sums is above zero, of the dealers inside: a whole number of cents
const gains = (values, inside) => values.reduce((sum, v, i) => v !== null && v > 0 && inside(i) ? sum + v : sum, 0);

function heldShare(values, inside) {
  const all = gains(values, () => true) / 100;
  return all > 0 ? gains(values, inside) / 100 / all : NaN;
}

// the sentences that hang on the options, by their names in sentences.csv; null is not said
function sentences(data, found, options, names) {
  const {words} = data, there = i => data.now.there[i] === "1", rows = found.order;
  const count = x => rows.filter(i => found.composite[i] === x).length;
  const values = {a: count("A"), b: count("B"), c: count("C"), by: words.by, indicator: words.size, below: words.below};
  const open = rows.filter(i => found.composite[i].includes("/")).length;
  if (open) values.below += say(words["pareto.of_them_open"], {n: open});
  const size = data.now.columns[data.size];
  const best = i => there(i) && found.composite[i] === "A";
  const hasBest = values.a > 0 && rows.some(i => size[i] > 0);
  if (hasBest) values.share = percent(heldShare(size, best));
  const told = {classes: say(words[hasBest ? "pareto.classes" : "pareto.classes_only"], values)};
  const of = movement => found.moved.filter(row => row.movement === movement).length;
  const counted = ["risen", "fallen", "outgrown", "joined", "won_back", "left"];
  told.moved = found.moved.every(row => row.movement === "–") ? null
    : say(words["pareto.moved"], Object.fromEntries(counted.map(m => [m, of(m)])));
  for (const [movement, steps] of [["fallen", -2], ["risen", 2]]) {
    const far = found.moved.map((row, i) => row.movement === movement && row.steps === steps ? names[i] : null);
    const listedNames = far.filter(name => name !== null);
    told[movement] = told.moved && listedNames.length ? say(words[`pareto.${movement}`], {names: listed(listedNames, words)}) : null;
  }
  const byRevenue = data.now.by[0] === "revenue";
  const partly = rows.filter(i => data.now.known.some(name => found.letters[name][i] === "–")).length;
  told.open = byRevenue || !partly ? null : say(words["pareto.fewer_letters"], {n: partly, of: rows.length, open});
  const weights = parts(options.weights), known = INDICATORS.filter(name => data.now.known.includes(name));
  const weightOf = name => weights[INDICATORS.indexOf(name)] / PARTS;
  const whole = known.reduce((sum, name) => sum + weights[INDICATORS.indexOf(name)], 0) / PARTS || 1;
  const cuts = numbers(options.composite_cuts);
  told.weights = byRevenue || known.length < 2 ? null : say(words["pareto.weights"], {
    weights: known.map(name => `${words.labels[name]} ${percent(weightOf(name) / whole)}`).join(", "), a: cuts[0], b: cuts[1],
  });
  const rules = Object.entries(data.options).map(([name, value]) => {
    const now = name in options ? options[name] : value;
    return `${words.labels[name]}: ${name === "rule" ? words.rules[now] : now}`;
  });
  told.rules = say(words["table.rules"], {rules: rules.join(" · ")});
  return told;
}

// the ABC table per indicator and class, as pareto.class_table makes it and look.table writes it
function classTable(data, found, shares) {
  const made = [], rows = found.order, n = rows.length;
  for (const name of [...INDICATORS, "revenue"]) {
    const of = found.letters[name];
    if (!of || !rows.some(i => of[i] !== "–")) continue;
    const values = data.now.columns[name], additive = name !== "brand_share", lines = [];
    for (const letter of LETTERS) {
      const inside = rows.filter(i => of[i] === letter), known = inside.filter(i => values[i] !== null);
      if (!(letter in POINTS) && !inside.length) continue;
      const holds = !["L", "–"].includes(letter) || known.some(i => values[i] > 0);
      const isIn = new Set(inside), least = known.reduce((at, i) => at === null || values[i] < values[at] ? i : at, null);
      lines.push({
        name: letter, n: inside.length,
        value: additive && (known.length || letter !== "–") ? known.reduce((sum, i) => sum + values[i], 0) / 100 : null,
        share: additive && holds ? heldShare(values, i => isIn.has(i)) : NaN,
        least: least === null ? null : additive ? values[least] / 100 : shares[least],
      });
    }
    const known = rows.filter(i => values[i] !== null), losing = known.filter(i => values[i] < 0);
    if (additive && losing.length) {
      lines.push({name: "net", n: known.length, value: known.reduce((sum, i) => sum + values[i], 0) / 100, share: NaN, least: null});
    }
    const digits = key => {
      const sizes = lines.map(line => line[key]).filter(x => typeof x === "number").map(Math.abs);
      return sizes.every(Number.isInteger) || Math.max(...sizes) >= 1000 ? 0 : 2;
    };
    const [ofValue, ofLeast] = [digits("value"), digits("least")];
    const amount = (x, d) => x === null || x === undefined ? "–" : typeof x === "string" ? x : fixed(x, d);
    for (const line of lines) {
      made.push({
        indicator: data.words.labels[name], class: line.name === "net" ? data.words.labels.net : line.name,
        n_dealers: fixed(line.n, 0), dealer_share: percent(line.n / n, 1), value: amount(line.value, ofValue),
        value_share: percent(line.share, 1), least: amount(line.least, ofLeast),
      });
    }
  }
  return made;
}

// what reproduces a page: papermill's parameters, and the toml's
function handedBack(data, options) {
  const quoted = text => /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
  const given = [["period", data.period], ...(data.scope ? [["scope", data.scope]] : []), ...Object.entries(options)];
  const papermill = `papermill notebooks/${data.page}.ipynb ${data.page}.ipynb ` + given.map(([k, v]) => `-p ${k} ${quoted(v)}`).join(" ");
  const toml = ["[parameters.abc_pareto]", ...Object.entries(options).map(([k, v]) => `${k} = ${JSON.stringify(v)}`)].join("\n");
  return {papermill, toml};
}

Object.assign(scope.workbook, {bound, classTable, fits, fixed, handedBack, sentences, turned});
if (typeof document === "undefined") return;

// ---- the page -----------------------------------------------------------------------------------

const BY_CLASS = ["class", "code", "composite_class", "previous_class", "trigger"];
const plain = text => text.replaceAll("\u00a0", " ").trim();

class Turning {
  constructor(living, tables, data, words) {
    Object.assign(this, {living, tables, data, words});
    this.own = Object.fromEntries(Object.entries(data.options).filter(([name]) => data.turns.includes(name)));
    const found = turned(data, this.own);
    const at = name => living.at(name);
    this.rowOf = new Map(found.order.map((i, row) => [i, living.rows[row]]));
    this.names = data.now.there.split("").map((_x, i) => this.rowOf.has(i) ? this.rowOf.get(i).cells[at("dealer_name")] : null);
    this.shares = data.now.there.split("").map((_x, i) => this.rowOf.has(i) && at("brand_share") >= 0 ? this.rowOf.get(i).cells[at("brand_share")] : null);
    // what is not found here as it was printed is not to be turned
    this.isSound = found.order.length === living.rows.length
      && found.order.every(i => this.rowOf.get(i).cells[at("composite_class")] === found.composite[i] && this.rowOf.get(i).cells[at("code")] === found.code[i]);
    if (!this.isSound) return;
    for (const row of living.rows) row.printed = row.cells;
    this.said = this.bindSentences(sentences(data, found, this.own, this.names));
    this.classes = tables.find(table => table.columns.map(c => c.name).slice(0, 3).join() === "indicator,class,n_dealers");
    this.panel = this.build();
    // what is drawn, and tables that hang on classes otherwise, stay: they say so while the page is turned
    const stays = table => table !== living && table !== this.classes && table.columns.some(column => BY_CLASS.includes(column.name));
    const places = [...document.querySelectorAll("main .figure"), ...tables.filter(stays).map(table => table.scroll)];
    for (const place of places) place.dataset.stays = words["turn.stays"];
  }

  // a printed sentence that is exactly what these options say has one beside it that follows; paper shows the printed
  bindSentences(told) {
    const items = [...document.querySelectorAll("main ul.prose > li")], bound = {};
    let last = null;
    for (const [name, text] of Object.entries(told)) {
      const item = text === null ? undefined : items.find(li => plain(li.textContent) === plain(text));
      // who fell or rose so far may be named by other rules alone
      const after = item || (["fallen", "risen"].includes(name) && text === null ? last : null);
      if (!after) continue;
      const copy = scope.workbook.element("li", {class: "living", hidden: true});
      after.after(copy);
      bound[name] = {item, copy};
      last = copy;
    }
    return bound;
  }

  build() {
    const {element} = scope.workbook, {words, data} = this;
    const panel = element("details", {class: "turning"});
    panel.append(element("summary", {}, words["turn.title"]), element("p", {}, words["turn.how"]));
    const form = element("form", {"aria-label": words["turn.title"]});
    form.addEventListener("submit", event => event.preventDefault());
    const group = (title, ...inside) => {
      const set = element("fieldset");
      set.append(element("legend", {}, title), ...inside);
      form.append(set);
      return set;
    };
    this.inputs = {};
    const rules = Object.entries(data.words.rules).map(([rule, name]) => {
      const label = element("label"), input = element("input", {type: "radio", name: "rule", value: rule});
      this.inputs[`rule_${rule}`] = input;
      label.append(input, " ", name);
      return label;
    });
    group(data.words.labels.rule, ...rules);
    const slider = (key, text, {min = 0, max = 100, step = 1} = {}) => {
      const label = element("label"), shown = element("output");
      const input = element("input", {type: "range", min, max, step, "aria-label": text});
      this.inputs[key] = input;
      input.shown = shown;
      label.append(element("span", {}, text), input, shown);
      return label;
    };
    const rest = (key, text) => {
      const label = element("p"), shown = element("output");
      this.inputs[key] = {shown};
      label.append(element("span", {}, text), shown);
      return label;
    };
    const {labels} = data.words;
    this.onlyQuota = group(labels.quota, slider("quota_0", "A"), slider("quota_1", "B"), rest("quota_2", "C"));
    this.onlyValue = group(labels.value_cuts, slider("value_cuts_0", "A", {min: 1}), slider("value_cuts_1", "B", {min: 1}));
    const [payments, profit, share] = INDICATORS.map(name => labels[name]);
    group(labels.weights, slider("weights_0", payments), slider("weights_1", profit), rest("weights_2", share));
    group(labels.composite_cuts, slider("composite_cuts_0", "A", {min: 0.1, max: 3, step: 0.1}), slider("composite_cuts_1", "B", {min: 0.1, max: 3, step: 0.1}));
    form.addEventListener("input", event => this.changed(event.target));
    this.back = element("button", {type: "button", disabled: true}, words["turn.back"]);
    this.back.addEventListener("click", () => { this.set(this.own); this.turn(); });
    this.status = element("p", {role: "status", class: "status"});
    // who comes to the page's head from below sees that it is turned
    this.notice = element("p", {class: "living notice", hidden: true});
    this.count = element("span");
    const back = element("button", {type: "button"}, words["turn.back"]);
    back.addEventListener("click", () => { this.back.click(); document.querySelector("main h1").scrollIntoView(); });
    this.notice.append(element("b", {}, words["turn.title"]), " ", this.count, " ", back);
    document.querySelector("main").prepend(this.notice);
    this.command = element("pre", {tabindex: "0", "aria-label": words["turn.command"]});
    this.toml = element("pre", {tabindex: "0", "aria-label": words["turn.toml"]});
    const copy = of => {
      const button = element("button", {type: "button"}, words["living.copy"]);
      button.addEventListener("click", async () => {
        try { await navigator.clipboard.writeText(of.textContent); } catch { scope.workbook.copied(of.textContent); }
        this.status.textContent = words["turn.copied"];
      });
      return button;
    };
    const again = element("div", {class: "again"});
    again.append(element("p", {}, words["turn.command"]), this.command, copy(this.command), element("p", {}, words["turn.toml"]), this.toml, copy(this.toml));
    panel.append(form, this.back, this.status, again);
    (this.living.scroll.previousElementSibling || this.living.scroll).before(panel);
    this.set(this.own);
    this.tell(this.own, 0);
    return panel;
  }

  set(options) {
    for (const rule of Object.keys(this.data.words.rules)) this.inputs[`rule_${rule}`].checked = options.rule === rule;
    this.kept = {};
    for (const name of ["quota", "value_cuts", "weights", "composite_cuts"]) {
      this.kept[name] = numbers(options[name]);
      this.kept[name].forEach((x, i) => { if (this.inputs[`${name}_${i}`].tagName) this.inputs[`${name}_${i}`].value = x; });
    }
    this.write();
  }

  write() {
    const digits = x => String(Number(x.toFixed(6)));
    for (const [name, values] of Object.entries(this.kept)) {
      values.forEach((x, i) => { this.inputs[`${name}_${i}`].shown.textContent = digits(x) + (name === "composite_cuts" ? "" : "%"); });
    }
    const rule = this.rule();
    this.onlyValue.disabled = rule !== "value";
  }

  rule() { return Object.keys(this.data.words.rules).find(rule => this.inputs[`rule_${rule}`].checked); }

  // what is moved keeps its place; the others give way
  changed(input) {
    const found = Object.entries(this.inputs).find(([_key, known]) => known === input);
    const [, name, at] = /^(.*)_(\d)$/.exec(found[0]) || [];
    if (name) {
      const values = this.kept[name], i = Number(at), value = Number(input.value), other = 1 - i;
      values[i] = value;
      if (values.length === 3) {
        values[other] = Math.min(values[other], 100 - value);
        values[2] = Number((100 - values[0] - values[1]).toFixed(9));
      } else {
        const isFirstLess = name === "value_cuts";
        if ((values[0] > values[1]) === isFirstLess && values[0] !== values[1]) values[other] = value;
      }
      if (this.inputs[`${name}_${other}`].tagName) this.inputs[`${name}_${other}`].value = values[other];
    }
    this.write();
    this.turn();
  }

  options() {
    const text = values => values.map(x => String(Number(x.toFixed(9)))).join("/");
    return {rule: this.rule(), ...Object.fromEntries(Object.entries(this.kept).map(([name, values]) => [name, text(values)]))};
  }

  turn() {
    const isOwn = Object.entries(this.options()).every(([k, v]) => k === "rule" ? v === this.own[k] : numbers(v).join() === numbers(this.own[k]).join());
    const options = isOwn ? this.own : this.options(), {data, living} = this;
    const found = turned(data, options), at = name => living.at(name);
    let n = 0;
    const rows = found.order.map(i => {
      const row = this.rowOf.get(i);
      n += row.printed[at("composite_class")] !== found.composite[i];
      row.cells = [...row.printed];
      row.cells[at("code")] = found.code[i];
      row.cells[at("composite_class")] = found.composite[i];
      if (at("diagnosis") >= 0) row.cells[at("diagnosis")] = found.diagnosis[i];
      if (at("previous_class") >= 0) row.cells[at("previous_class")] = found.previous[i];
      row.text = "";
      return row;
    });
    living.turnTo(rows, !isOwn);
    const told = sentences(data, found, options, this.names);
    for (const [name, place] of Object.entries(this.said)) {
      place.copy.textContent = bound(told[name] || "");
      place.copy.hidden = isOwn || told[name] === null;
      if (place.item) place.item.classList.toggle("touched", !isOwn);
    }
    if (this.classes) this.classes.replaceRows(isOwn ? null : classTable(data, found, this.shares));
    document.querySelector("main").classList.toggle("turned", !isOwn);
    this.back.disabled = isOwn;
    this.tell(options, n);
  }

  tell(options, n) {
    const {papermill, toml} = handedBack(this.data, options), {words} = this;
    this.command.textContent = papermill;
    this.toml.textContent = toml;
    this.notice.hidden = this.back.disabled;
    this.count.textContent = bound(say(words["turn.changed"], {n}));
    this.status.textContent = this.back.disabled ? words["turn.as_printed"] : bound(say(words["turn.changed"], {n}));
  }
}

scope.workbook.startTurning = async function (tables, words) {
  const living = tables.find(table => table.table.dataset.turn);
  if (!living || typeof DecompressionStream === "undefined") return;
  const data = await scope.workbook.unpacked(living.table.dataset.turn);
  const turning = new Turning(living, tables, data, words);
  if (turning.isSound) scope.workbook.turning = turning;
};

})(globalThis);
