"""Saving: a notebook keeps what an explorer showed, which without its kernel nothing draws."""

from collections.abc import Mapping, MutableMapping
from typing import Any

WIDGET = "application/vnd.jupyter.widget-view+json"


def static(model: MutableMapping[str, Any], **_others: object) -> None:
    """Take widgets out of a notebook that is to be saved, where something readable stands beside.

    As a hook of Jupyter's contents manager: the browser goes on with the widgets.
    """
    if model.get("type") != "notebook" or not isinstance(model.get("content"), Mapping):
        return
    content = model["content"]
    for cell in content.get("cells", ()):
        for output in cell.get("outputs", ()):
            shown = output.get("data", {})
            if WIDGET in shown and shown.get("text/html"):
                del shown[WIDGET]
                shown.pop("text/plain", None)
    # the state of widgets that nothing refers to
    content.get("metadata", {}).pop("widgets", None)
