"""Origins: of which file a value is, and whether the file says that it is a number.

Files of one pattern are not one file: a German and an English export write 1.234 alike and mean
another thing by it. What one file tells of its style holds for files of its kind alone (`text ;`,
`xlsx`: whoever writes others may be another system), and where those contradict each other, for
itself alone. A cell that is a number for its spreadsheet tells nothing of the texts below it.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from helpers.data.readers.grid import TYPED, typed_names
from helpers.data.readers.opening import FILE
from helpers.data.values.numbers import Refusal
from helpers.data.values.text import Shape, literal


class Origins(NamedTuple):
    """The files of a table: by what stands under `FILE`, their kind and name; {} where none has."""

    files: Mapping[str, tuple[str, str]] = {}
    has_typed: bool = False

    @property
    def file_column(self) -> str:
        """Name the column that tells files apart; "" where there is one file, or none."""
        return f'"{FILE}"' if len(self.files) > 1 else ""

    def typed(self, raw: str) -> str:
        """Write the test for a cell that is a number; "" where no cell of the table tells."""
        is_header = raw.startswith('"') and raw.endswith('"') and '"' not in raw[1:-1]
        if not self.has_typed or not is_header:
            return ""
        return f'coalesce(contains("{TYPED}", {literal(typed_names([raw[1:-1]]))}), false)'

    def told(self, file: str) -> str:
        """Name a file for a message; "" where there is only one."""
        return self.files[file][1] if len(self.files) > 1 and file in self.files else ""


class Refused(NamedTuple):
    """Why a column can't be read, and of which file."""

    why: Refusal
    file: str = ""


def styles_of(
    shapes: Mapping[str, list[Shape]],
    origins: Origins,
    style_of: Callable[[list[Shape]], Any],
    own_style: Callable[[list[Shape], Any], Any] = lambda _shapes, style: style,
) -> dict[str, Any] | Refused:
    """Find how each file writes a column.

    Parameters
    ----------
    shapes
        Of each file, by what stands under `FILE`.
    style_of
        Finds the style of shapes, or a `Refusal`.
    own_style
        Given a file's own shapes and the style of its kind, gives the file's, or a `Refusal` where
        the other may not be its style.
    """
    kinds: dict[str, list[str]] = {}
    for file in shapes:
        kinds.setdefault(origins.files.get(file, ("", ""))[0], []).append(file)
    found: dict[str, Any] = {}
    for files in kinds.values():
        style = style_of(_merged(shapes[file] for file in files))
        if not isinstance(style, Refusal):
            for file in files:
                found[file] = own_style(shapes[file], style) if len(files) > 1 else style
                if isinstance(found[file], Refusal):
                    return Refused(found[file], origins.told(file))
            continue
        own = {file: style_of(shapes[file]) for file in files}
        refused = [(file, why) for file, why in own.items() if isinstance(why, Refusal)]
        # what all files of a kind leave open is told of them all
        if refused and (len(refused) == len(files) or not style.check.startswith("two_")):
            return Refused(style, origins.told(files[0]) if len(files) == 1 else "")
        if refused:
            return Refused(refused[0][1], origins.told(refused[0][0]))
        found |= own
    return found


def _merged(shapes: Iterable[list[Shape]]) -> list[Shape]:
    found: dict[tuple[str, str], Shape] = {}
    for shape in (shape for of_file in shapes for shape in of_file):
        one = found.setdefault((shape.shape, shape.flags), shape._replace(n=0))
        found[shape.shape, shape.flags] = one._replace(
            n=one.n + shape.n, example=min(one.example, shape.example)
        )
    return [found[key] for key in sorted(found)]


def by_file(read: Mapping[str, str], origins: Origins) -> str:
    """Write one expression of what reads each file."""
    ways: dict[str, list[str]] = {}
    for file, sql in read.items():
        ways.setdefault(sql, []).append(file)
    if len(ways) == 1:
        return next(iter(ways))
    cases = " ".join(
        f"WHEN {origins.file_column} IN ({', '.join(map(literal, files))}) THEN {sql}"
        for sql, files in ways.items()
    )
    return f"CASE {cases} END"
