"""A dealer's card: drawn in place below a table, and an explorer of its own."""

from collections.abc import Iterable

from helpers import card as of_dealer
from helpers import data, look, pareto, words
from helpers.card import dossier
from helpers.settings import Scalar, Workbook
from helpers.widgets.models import Choice, Control, Seen


def card(book: Workbook, period: str, dealer_id: str, audience: str = "us") -> Iterable[object]:
    """Give a dealer's card as its page has it: heading, next steps, figures.

    The network behind it is worked out once a scope, and kept.

    Raises
    ------
    ValueError
        If the dealer has no card in this window.
    """
    everyone, _earned = of_dealer.network_tables(book, period, words.spoken())
    found = dossier.dossier(dealer_id, audience, period, book.brand, **everyone)
    yield of_dealer.heading(found)
    yield look.Prose(of_dealer.next_steps(found, data.reference(book, "measures")))
    yield look.Prose(of_dealer.summary(found))
    yield of_dealer.plot_purchases(found)
    yield of_dealer.plot_stock_age(found)


class Cards:
    """Choose a dealer in the table and who reads the card, and see it."""

    question, recipe, own = "dealer_card", None, None
    carded = ("audience",)  # the controls that the card hangs on

    def __init__(self, book: Workbook, period: str, dealer_id: str = "") -> None:
        """Begin with the page's dealer."""
        self.book, self.period, self.begins = book, period, dealer_id

    def controls(self) -> dict[str, Control]:
        """Offer the card's readers."""
        options = tuple((words.say(f"report.card_for_{a}"), a) for a in of_dealer.AUDIENCES)
        return {"audience": Choice("", options, of_dealer.AUDIENCES[0])}

    def why_nothing(self) -> str:
        """Say that nobody has figures."""
        nobody = pareto.abc_month(self.book, self.period).judged.empty
        return words.say("explore.no_dealers") if nobody else ""

    def read(self, book: Workbook) -> tuple:
        """Ask for the network behind the cards."""
        return book, of_dealer.network_tables(book, self.period, words.spoken())[0]

    def seen(self, told: tuple, audience: str) -> Seen:
        """List who has a card: who is not in the table of dealers has none."""
        _book, everyone = told
        names = everyone["dealers"].drop_duplicates("dealer_id")
        names = names[["dealer_id", "dealer_name", "region", "city", "account_manager"]]
        found = everyone["judged"].merge(names, on="dealer_id")
        columns = ["dealer_id", "dealer_name", "city", "account_manager", "composite_class"]
        columns += ["diagnosis", "revenue", "payments", "gross_profit"]
        reader = words.say(f"report.card_for_{audience}")
        said = words.say("explore.cards", n=len(found), reader=reader)
        return Seen([said], (), found, columns)

    def card(self, told: tuple, dealer_id: str, audience: str) -> Iterable[object]:
        """Give the chosen dealer's card for the chosen reader."""
        return card(told[0], self.period, dealer_id, audience)

    def options(self, **_values: Scalar) -> dict[str, Scalar]:
        """Give none: who reads a card is no rule."""
        return {}
