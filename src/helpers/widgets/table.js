// The table of dealers: draws the page that the kernel wrote; all text is set as text.
// Part of the Customer Workbook, under its licence (MIT).

function button(text, label, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  if (label) made.setAttribute("aria-label", label);
  made.addEventListener("click", act);
  return made;
}

function render({ model, el }) {
  el.classList.add("workbook-dealers");
  const table = document.createElement("table");
  const foot = document.createElement("div");
  foot.className = "workbook-foot";
  const back = button("‹", model.get("labels").back, () => turn(-1));
  const forward = button("›", model.get("labels").forward, () => turn(1));
  const told = document.createElement("span");
  told.setAttribute("aria-live", "polite");
  foot.append(back, told, forward);
  el.append(table, foot);

  const set = (values) => {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.save_changes();
  };
  const turn = (way) => {
    const to = model.get("first") + way * model.get("page");
    if (to >= 0 && to < model.get("n_rows")) set({ first: to });
  };
  const sort = (head) => {
    const same = model.get("order") === head.name;
    set({ order: head.name, descending: same ? !model.get("descending") : head.number });
  };

  const heads = () => {
    const row = document.createElement("tr");
    for (const head of model.get("heads")) {
      const cell = document.createElement("th");
      cell.scope = "col";
      if (head.number) cell.className = "number";
      const here = model.get("order") === head.name;
      const down = model.get("descending");
      if (here) cell.setAttribute("aria-sort", down ? "descending" : "ascending");
      const name = button(head.label + (here ? (down ? " ▾" : " ▴") : ""), "", () => sort(head));
      name.title = model.get("labels").sort_by;
      cell.append(name);
      row.append(cell);
    }
    const top = document.createElement("thead");
    top.append(row);
    return top;
  };

  const body = () => {
    const ids = model.get("ids");
    const made = document.createElement("tbody");
    const kinds = model.get("heads");
    model.get("cells").forEach((cells, i) => {
      const row = document.createElement("tr");
      row.tabIndex = 0;
      row.dataset.key = ids[i];
      row.setAttribute("aria-selected", String(ids[i] === model.get("chosen")));
      cells.forEach((text, k) => {
        const cell = document.createElement("td");
        if (kinds[k] && kinds[k].number) cell.className = "number";
        cell.textContent = text;
        if (text.length > 24) cell.title = text; // what is cut off is told where it is pointed at
        row.append(cell);
      });
      row.addEventListener("click", () => set({ chosen: ids[i] }));
      row.addEventListener("keydown", (event) => {
        if (event.key === "Enter" || event.key === " ") {
          set({ chosen: ids[i] });
        } else if (event.key === "ArrowDown" && row.nextElementSibling) {
          row.nextElementSibling.focus();
        } else if (event.key === "ArrowUp" && row.previousElementSibling) {
          row.previousElementSibling.focus();
        } else {
          return;
        }
        event.preventDefault();
        event.stopPropagation(); // the notebook's own keys
      });
      made.append(row);
    });
    return made;
  };

  const draw = () => {
    // who walks the rows by keys stays where they are
    const at = table.contains(document.activeElement) && document.activeElement.dataset.key;
    table.replaceChildren(heads(), body());
    if (at) [...table.querySelectorAll("tr")].find((row) => row.dataset.key === at)?.focus();
    told.textContent = model.get("told");
    const first = model.get("first");
    back.disabled = first === 0;
    forward.disabled = first + model.get("page") >= model.get("n_rows");
    foot.hidden = model.get("n_rows") <= model.get("page") && !model.get("told");
  };
  let waits = 0;
  const soon = () => {
    cancelAnimationFrame(waits); // several values of one change are one drawing
    waits = requestAnimationFrame(draw);
  };
  const watched = ["heads", "cells", "ids", "n_rows", "told", "order", "descending", "chosen"];
  for (const name of watched) model.on(`change:${name}`, soon);
  draw();
  return () => watched.forEach((name) => model.off(`change:${name}`, soon));
}

export default { render };
