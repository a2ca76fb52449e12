"""What Jupyter's server does for a workbook: loads libraries ahead, and saves what can be read."""

import json

from helpers.press.kernels import load_ahead
from helpers.press.lab.saving import static
from helpers.press.lab.start import FOLDER

KERNEL = FOLDER / "share" / "kernels" / "python3" / "kernel.json"


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """Name this module, as Jupyter asks for it."""
    return [{"module": __name__}]


def _load_jupyter_server_extension(app) -> None:
    """Begin to load what kernels will be forked with, and look at each notebook that is saved."""
    load_ahead(preloaded(), piped=False)
    app.contents_manager.register_pre_save_hook(static)


def preloaded() -> list[str]:
    """List what a kernel finds loaded: libraries only, since helpers may be edited."""
    described = json.loads(KERNEL.read_text(encoding="utf-8"))
    return described["metadata"]["kernel_provisioner"]["config"]["preload"]
