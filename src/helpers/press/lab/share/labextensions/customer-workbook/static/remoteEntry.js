// JupyterLab's side of `workbook lab`, as a federated extension without a build: a notebook shows
// the texts of one language and one audience, as its parameters say, and Run All leaves the view at
// the top. Part of the Customer Workbook, under its licence (MIT).
(() => {
  const RUN_ALL = ["notebook:run-all-cells", "notebook:restart-run-all"];
  const LANGUAGES = { en: "lang-en", "zh-Hans": "lang-zh", "zh-Hant": "lang-zh" };
  const AUDIENCES = { us: "for-us", dealer: "for-dealer" };
  const HIDDEN = "workbook-other";

  const tags = (cell) => cell.model.getMetadata("tags") || [];
  const source = (cell) => cell.model.sharedModel.getSource();

  // what a parameter says, in the cell that papermill would set it by
  const parameter = (cells, name, otherwise) => {
    const cell = cells.find((one) => tags(one).includes("parameters"));
    const found = cell && source(cell).match(new RegExp(`^${name}\\b[^=]*=\\s*["']([^"']*)["']`, "m"));
    return (found && found[1]) || otherwise;
  };

  const choose = (book) => {
    const cells = [...book.widgets];
    const language = LANGUAGES[parameter(cells, "language", "en")] || "lang-en";
    const audience = AUDIENCES[parameter(cells, "audience", "us")] || "for-us";
    const shown = [language, audience];
    const parted = [...Object.values(LANGUAGES), ...Object.values(AUDIENCES)];
    for (const cell of cells) {
      const own = tags(cell).filter((tag) => parted.includes(tag));
      const other = own.some((tag) => !shown.includes(tag));
      // the cell that runs is never hidden: it would seem to be left out
      cell.toggleClass(HIDDEN, other && cell.model.type === "markdown");
    }
  };

  const watched = new WeakSet();
  const watch = (widget) => {
    const book = widget && widget.content;
    if (!book || !book.widgets || !book.model || watched.has(book)) return Boolean(book?.model);
    watched.add(book);
    let waits = 0;
    const soon = () => {
      clearTimeout(waits);
      waits = setTimeout(() => choose(book), 100);
    };
    book.model.contentChanged.connect(soon);
    book.model.cells.changed.connect(soon);
    soon();
    return true;
  };

  const top = (app) => {
    const widget = app.shell.currentWidget;
    const book = widget && widget.content;
    if (!book || !book.scrollToItem || !book.widgets || !book.widgets.length) return;
    book.activeCellIndex = 0;
    book.deselectAll();
    book.scrollToItem(0, "start").catch(() => {});
  };

  const plugin = {
    id: "customer-workbook:notebooks",
    autoStart: true,
    activate: (app) => {
      const style = document.createElement("style");
      style.textContent = `.jp-Cell.${HIDDEN} { display: none !important; }`;
      document.head.append(style);
      const look = () => {
        const widget = app.shell.currentWidget;
        if (!widget || watch(widget)) return;
        // its document is still being read
        widget.context?.ready.then(() => watch(widget)).catch(() => {});
      };
      app.shell.currentChanged?.connect(look);
      app.restored.then(look);
      app.commands.commandExecuted.connect((_sender, told) => {
        if (RUN_ALL.includes(told.id)) setTimeout(() => top(app), 0);
      });
    },
  };

  globalThis._JUPYTERLAB = globalThis._JUPYTERLAB || {};
  globalThis._JUPYTERLAB["customer-workbook"] = {
    init: () => {},
    get: async () => () => ({ __esModule: true, default: plugin }),
  };
})();
