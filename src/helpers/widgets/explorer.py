"""An explorer: the bar, the controls of a model, and what it shows, laid out in a notebook.

What a change asks for is worked out here, and no more: another scope asks the door, a rule judges
again, a class or a search only chooses rows. An error anywhere is a sentence in place, and the next
choice may do.
"""

import html
from collections.abc import Callable

import ipywidgets
import pandas as pd

from helpers import words
from helpers.settings import DataError, Scalar, Workbook
from helpers.settings.scope import Scope
from helpers.widgets import bar, cards, chosen_rows, drawing
from helpers.widgets.models import Choice, Control, Model, Seen, Slide
from helpers.widgets.table import DealerTable

SCOPES_KEPT = 6  # so that there and back again asks the door once
WIDE = {"description_width": "initial"}


class Kept(ipywidgets.VBox):
    """Widgets that a saved notebook keeps as what they show, and not as `VBox(…)`."""

    def __init__(self, children: list[ipywidgets.Widget], static: Callable[[], str]) -> None:
        """Take what is laid out, and what gives the same as HTML without a kernel."""
        super().__init__(children)
        self._static = static

    def _repr_mimebundle_(self, **kwargs: object) -> dict[str, str]:
        """Show itself; beside it stands what it shows now."""
        bundle = super()._repr_mimebundle_(**kwargs) or {}
        return {**bundle, "text/html": self._static(), "text/plain": ""}


class Explorer(Kept):
    """Bar and controls over a sentence, a figure, the table of dealers and a dealer's card.

    Whoever drags a slider faster than we draw sees the last place, not each: the browser holds a
    widget's next value back until the one before has been drawn.
    """

    def __init__(self, model: Model) -> None:
        """Lay out a model as it stands on the page."""
        self.model = model
        self.controls = {name: _widget(control) for name, control in model.controls().items()}
        self.own = {name: control.value for name, control in self.controls.items()}
        self.places = {name: _widget(choice) for name, choice in bar.places(model.book).items()}
        self.said, self.figure, self.code, self.card = (ipywidgets.HTML() for _ in range(4))
        self.figure.layout.overflow = "auto"
        self.table = DealerTable()
        self.letter = _widget(bar.classes())
        self.search = ipywidgets.Text(description=words.label("search"), style=WIDE)
        self.save = {
            kind: ipywidgets.Button(
                description=words.say("explore.save", kind=kind.upper()), layout={"width": "auto"}
            )
            for kind in chosen_rows.KINDS
        }
        self.saved = ipywidgets.HTML()
        # controls that say nothing at times, such as a score of no factor
        self.idle = self.model.idle(**self.own) if hasattr(model, "idle") else set()
        self._asked: dict[Scope, tuple[Workbook, object]] = {}
        self._seen: Seen | None = None
        self._letters: tuple[Scope, pd.Series] | None = None
        self._opened: tuple | None = None  # whose card is drawn, and in which scope
        self.shown = None
        super().__init__([], self._as_html)
        self._guarded(self._judge)()
        self.has_rows = self._seen is not None and bool(self._seen.columns)
        self.children = self._laid_out()
        for control in (*self.places.values(), *self.controls.values()):
            control.observe(self._guarded(self._judge), "value")
        for control in (self.letter, self.search):
            control.observe(self._guarded(self._choose), "value")
        self.table.observe(self._guarded(self._open), "chosen")
        for kind, asked in self.save.items():
            asked.on_click(self._guarded(self._keep, kind))
        self.table.chosen = getattr(model, "begins", "")

    def _laid_out(self) -> list[ipywidgets.Widget]:
        choosing = (self.letter, self.search) if self.has_rows else ()
        top = [*self.places.values(), *choosing]
        wrap = {"flex_flow": "row wrap", "align_items": "center"}
        parts = [ipywidgets.Box(top, layout=wrap)] if top else []
        parts += [ipywidgets.Box([*self.controls.values()], layout=wrap)] if self.controls else []
        parts += [*self.model.more()] if hasattr(self.model, "more") else []
        parts += [self.said, self.figure]
        if self.has_rows:
            parts += [self.table, self.card, ipywidgets.HBox([*self.save.values()]), self.saved]
        return [*parts, self.code]

    # ---- what is asked ---------------------------------------------------------------------------

    @property
    def values(self) -> dict[str, Scalar]:
        """Give the controls' values by name."""
        return {name: control.value for name, control in self.controls.items()}

    @property
    def asked(self) -> bar.Asked:
        """Give what the bar says."""
        chosen = tuple((name, control.value) for name, control in self.places.items())
        return bar.Asked(chosen, self.letter.value, self.search.value)

    def _in_scope(self) -> tuple[Workbook, object]:
        """Give the workbook and what the door tells in the bar's scope, asked once."""
        scope = self.asked.scope
        if scope not in self._asked:
            book = bar.scoped(self.model.book, scope)
            while len(self._asked) >= SCOPES_KEPT:
                self._asked.pop(next(iter(self._asked)))
            self._asked[scope] = book, self.model.read(book)
        return self._asked[scope]

    def _letters_of(self) -> pd.Series:
        """Give the classes in the bar's scope, asked once until there is another."""
        scope = self.asked.scope
        if self._letters is None or self._letters[0] != scope:
            self._letters = scope, bar.letters(self._in_scope()[0], self.model.period)
        return self._letters[1]

    # ---- what is shown ---------------------------------------------------------------------------

    def _guarded(self, act: Callable, *given: object) -> Callable[[object], None]:
        """Have an error in a callback be said in place."""

        def called(_change: object = None) -> None:
            try:
                act(*given)
            except Exception as error:
                self._fail(error)

        return called

    def _fail(self, error: Exception) -> None:
        """Say what went wrong, and show nothing that was asked before it."""
        self._seen = None
        self.said.value = (
            drawing.said([str(error)]) if isinstance(error, DataError) else drawing.failed(error)
        )
        self.figure.value = self.code.value = self.card.value = self.saved.value = ""
        self.shown = None
        self.table.show(self.table.rows.head(0), [])

    def _judge(self) -> None:
        """Ask in the bar's scope, judge by the controls, and show all of it."""
        try:
            _book, told = self._in_scope()
            seen = self.model.seen(told, **self.values)
        except Exception as error:
            self._fail(error)
            return
        self._seen = seen
        for name in self.idle:
            self.controls[name].disabled = name in self.model.idle(**self.values)
        self.said.value = drawing.said(seen.said)
        self.figure.value = drawing.drawn(lambda: seen.drawn)
        self._choose()

    def _choose(self) -> None:
        """Choose the rows, and say what gives them."""
        self.saved.value = ""
        if self._seen is None:  # after an error the next choice asks for all of it
            self._judge()
            return
        book, _told = self._in_scope()
        self.shown = chosen_rows.chosen(self._seen, self.asked, self._letters_of)
        self.table.show(self.shown, self._seen.columns)
        self._tell(book)
        self._open()

    def _tell(self, book: Workbook) -> None:
        lines = chosen_rows.toml(self.model, book, self.values)
        line = chosen_rows.code(self.model, self.asked, self.values, self.own)
        told = [line] if self._seen and self._seen.columns else []
        told += [f"# workbook.toml: {text}" for text in lines]
        self.code.value = drawing.as_output(f"<pre>{html.escape(chr(10).join(told))}</pre>")

    def _open(self) -> None:
        """Draw the chosen dealer's card, in place: once, whatever rule is tried beside it."""
        dealer_id = self.table.chosen
        if self._seen is None or not self._seen.rows["dealer_id"].eq(dealer_id).any():
            # nobody is chosen, or nobody of this scope
            self._opened, self.card.value = None, ""
            return
        hangs_on = [self.values[name] for name in getattr(self.model, "carded", ())]
        key = (dealer_id, self.asked.scope, *hangs_on)
        if key != self._opened or not self.card.value:
            book, told = self._in_scope()
            # a scope's first card waits for its network, and says so
            self.card.value = drawing.said([words.say("explore.wait")])
            self.card.value = drawing.drawn(lambda: self._card(book, told, dealer_id))
            self._opened = key

    def _card(self, book: Workbook, told: object, dealer_id: str):
        if hasattr(self.model, "card"):
            return self.model.card(told, dealer_id, **self.values)
        return cards.card(book, self.model.period, dealer_id)

    def _keep(self, kind: str) -> None:
        """Save the rows shown; that they can't be is said beside the button."""
        if self.shown is None:
            return
        try:
            path = chosen_rows.save(self.model, self._in_scope()[0], self.shown, kind)
        except Exception as error:
            self.saved.value = drawing.failed(error)
        else:
            n = len(self.shown)
            self.saved.value = drawing.said([words.say("explore.saved", path=path, n=n)])

    # ---- read without a kernel -------------------------------------------------------------------

    def _as_html(self) -> str:
        table = self.table.as_html() if self.has_rows else ""
        return "".join([self.said.value, self.figure.value, table, self.card.value])


def instead(sentence: str) -> ipywidgets.HTML:
    """Say in place of an explorer that there is nothing to explore."""
    return ipywidgets.HTML(drawing.said([sentence]))


def laid_out(model: Model) -> ipywidgets.Widget:
    """Lay out a model, or the sentence why there is nothing to explore."""
    said = model.why_nothing()
    return instead(said) if said else Explorer(model)


def _widget(control: Control) -> ipywidgets.Widget:
    """Make the widget of a control."""
    if isinstance(control, Choice):
        given = {"options": list(control.options), "value": control.value}
        given |= {"description": control.label}
        if control.long:
            return ipywidgets.Dropdown(**given, style=WIDE, layout={"width": "auto"})
        return ipywidgets.ToggleButtons(**given, style=WIDE | {"button_width": "auto"})
    assert isinstance(control, Slide)
    whole = float(control.step).is_integer() and float(control.low).is_integer()
    kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
    number = int if whole else float
    given = {"readout_format": "d" if whole else control.form}
    return kind(
        value=number(control.value),
        min=number(control.low),
        max=number(max(control.high, control.value)),
        step=number(control.step),
        description=control.label,
        continuous_update=False,
        style=WIDE,
        **given,
    )
