"""Build: what stands beside the package in a checkout goes into it, as `helpers/shipped/`."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

SHIPPED = (
    "data/README.md",
    "data/reference/*.csv",
    "notebooks/*.ipynb",
    "notebooks/*.md",
    "requirements.lock",
    "workbook.toml",
)


class WithShipped(build_py):
    """Copies of what the package ships, in the wheel alone: git and a checkout have them once."""

    def run(self) -> None:
        """Copy them after the modules."""
        super().run()
        if self.editable_mode:  # a checkout's package finds them beside it
            return
        place = Path(self.build_lib, "helpers", "shipped")
        shutil.rmtree(place, ignore_errors=True)  # an older build may have left others
        for file in _shipped():
            (place / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, place / file)

    def get_source_files(self) -> list[str]:
        """Name them, too, for an sdist: the same wheel is built from it."""
        return [*super().get_source_files(), *map(str, _shipped())]


def _shipped() -> list[Path]:
    return [file for pattern in SHIPPED for file in sorted(Path().glob(pattern))]


setup(cmdclass={"build_py": WithShipped})
