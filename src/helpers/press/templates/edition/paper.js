// Fits a booklet's tables and figures to paper: no table is wider, and no figure leaves more than `most`
// mm of a page white before it.
// A browser breaks columns by the rules by which it breaks pages: the document is laid out in columns
// of a page's size, looked at, and laid out as it was again. Where a page would end in white, the
// figure that did not fit is drawn smaller, or parted from the text before it.
([high, wide, most, least]) => {
  const mm = 96 / 25.4, gap = 40, step = (wide + gap) * mm, tried = new Set();
  const laid = document.body.style.cssText;
  Object.assign(document.body.style, { width: `${wide}mm`, margin: "0" });
  const marks = ["h1", "h2", "h3", "p", "li", "tr", "caption", "figure", "pre"];

  // a table wider than paper would have the browser print all pages smaller
  for (const table of document.querySelectorAll(".part table")) {
    for (let turn = 0; turn < 4 && table.offsetWidth > wide * mm; turn++) {
      const size = parseFloat(getComputedStyle(table).fontSize);
      table.style.fontSize = `${size * Math.max(wide * mm / table.offsetWidth, 0.8) * 0.99}px`;
    }
  }

  Object.assign(document.body.style, {
    height: `${high}mm`, columnWidth: `${wide}mm`, columnGap: `${gap}mm`, columnFill: "auto",
  });
  const start = document.body.getBoundingClientRect();
  const leaves = [...document.querySelectorAll(marks.map(mark => `.part ${mark}`).join())];

  const range = document.createRange();

  function places() {
    const found = [], ends = [];
    for (const leaf of leaves) {
      // lines of text: what is torn by a page's end is as high as the rest of that page
      range.selectNodeContents(leaf);
      const lines = leaf.tagName === "FIGURE" ? leaf.getClientRects() : range.getClientRects();
      const rects = [...lines].filter(rect => rect.height > 0);
      if (!rects.length) continue;
      const page = rect => Math.floor((rect.left - start.left + gap * mm / 2) / step);
      for (const rect of rects)
        ends[page(rect)] = Math.max(ends[page(rect)] || 0, rect.bottom - start.top);
      found.push({ leaf, page: page(rects[0]), high: rects[0].height, top: rects[0].top });
    }
    return [found, ends];
  }

  // the figure that the first leaf of a page leads to, and how high both are together
  function chain(found, at) {
    for (let i = at; i < Math.min(at + 12, found.length); i++) {
      if (found[i].leaf.tagName === "TR" || found[i].page !== found[at].page) return null;
      if (found[i].leaf.tagName === "FIGURE")
        return { leaf: found[i].leaf, high: found[i].high, before: found[i].top - found[at].top };
    }
    return null;
  }

  for (let turn = 0; turn < 200; turn++) {
    const [found, ends] = places();
    const at = found.findIndex((one, i) => i && one.page > found[i - 1].page
      && high * mm - ends[one.page - 1] > most * mm && !tried.has(one.leaf));
    if (at < 0) break;
    tried.add(found[at].leaf);
    const room = high * mm - ends[found[at].page - 1], led = chain(found, at);
    if (!led) continue;
    const left = room - led.before - 16 * mm;  // what stands round a figure, and a line before it
    if (left >= least * led.high) {
      const drawn = led.leaf.querySelector("svg, img");
      drawn.style.maxHeight = `${left}px`;
      drawn.style.width = "auto";
    } else {
      led.leaf.classList.add("alone");
    }
  }
  document.body.style.cssText = laid;
}
